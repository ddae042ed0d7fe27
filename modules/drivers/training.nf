// Training of the drivers model on cohorts with known driver genes.

include { codeDigest } from '../inputs'

// Trains the learned combination of evidence and writes a model folder. Minutes at most, so without checkpoints.
process TRAIN_DRIVERS {
    tag "${meta.id}"
    label 'training'
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    val meta // id: name of the model
    path cohorts, stageAs: 'cohorts'
    path labels
    path genes, stageAs: 'gene_tables'
    val code // digest of the package folders that the command uses

    output:
    path "${meta.id}", emit: model
    tuple val(task.process), val('strandwise'), eval('drivers.py --version'), topic: versions

    script:
    """
    # code ${code}
    drivers.py train \\
        --cohorts ${cohorts} \\
        --labels ${labels} \\
        --genes ${genes} \\
        --name ${meta.id} \\
        --version 1 \\
        --output ${meta.id}
    """
}

workflow DRIVERS_TRAINING {
    take:
    options // parameters, checked and typed
    meta    // id
    genes   // folder of gene tables

    main:
    cohorts = file(options.training_data, glob: false)
    TRAIN_DRIVERS(meta, cohorts, file(options.driver_labels, glob: false), genes, codeDigest('drivers.py', [cohorts, genes]))
    model = TRAIN_DRIVERS.out.model

    emit:
    model // model folder
}
