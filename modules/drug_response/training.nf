// Training of the drug-response model on cell lines or other samples with measured responses.

// Trains encoders and rivals, calibrates the intervals and writes a model folder.
process TRAIN_DRUG_RESPONSE {
    tag "${name}"
    label 'training'
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    path data, stageAs: 'training'
    val name
    val code // digest of the package folders that the command uses

    output:
    path "${name}", emit: model
    tuple val(task.process), val('strandwise'), eval('drug_response.py --version'), topic: versions

    script:
    """
    # code ${code}
    drug_response.py train \\
        --data ${data} \\
        --name ${name} \\
        --version 1 \\
        --output ${name}
    """
}
