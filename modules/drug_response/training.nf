// Training of the drug-response model on cell lines or other samples with measured responses.

include { codeDigest } from '../inputs'
include { containerWords } from '../training/place'

// Trains encoders and rivals, calibrates the intervals and writes a model folder.
process TRAIN_DRUG_RESPONSE {
    tag "${meta.id}"
    label 'training'
    containerOptions { containerWords(meta, workflow.containerEngine) }
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    val meta // id: name of the model; checkpoints: folder in which a killed training goes on, or ''; use_gpu
    path data, stageAs: 'training'
    val code // digest of the package folders that the command uses

    output:
    path "${meta.id}", emit: model
    path "${meta.id}.notes.json", emit: notes
    tuple val(task.process), val('strandwise'), eval('drug_response.py --version'), topic: versions

    script:
    """
    # code ${code}
    drug_response.py train \\
        --data ${data} \\
        ${meta.checkpoints ? "--checkpoints '${meta.checkpoints}'" : ''} \\
        ${meta.use_gpu ? '--use-gpu' : ''} \\
        --threads ${task.cpus} \\
        --name ${meta.id} \\
        --version 1 \\
        --notes ${meta.id}.notes.json \\
        --output ${meta.id}
    """
}

workflow DRUG_RESPONSE_TRAINING {
    take:
    options // parameters, checked and typed
    meta    // id, checkpoints, use_gpu

    main:
    data = file(options.training_data, glob: false)
    TRAIN_DRUG_RESPONSE(meta, data, codeDigest('drug_response.py', [data]))
    model = TRAIN_DRUG_RESPONSE.out.model
    notes = TRAIN_DRUG_RESPONSE.out.notes

    emit:
    model // model folder
    notes // *.notes.json
}
