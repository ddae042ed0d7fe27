// Training of the drivers model on cohorts with known driver genes.

// Trains the learned combination of evidence and writes a model folder.
process TRAIN_DRIVERS {
    tag "${name}"
    label 'training'
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    path cohorts, stageAs: 'cohorts'
    path labels
    path genes, stageAs: 'gene_tables'
    val name
    val code // digest of the package folders that the command uses

    output:
    path "${name}", emit: model
    tuple val(task.process), val('strandwise'), eval('drivers.py --version'), topic: versions

    script:
    """
    # code ${code}
    drivers.py train \\
        --cohorts ${cohorts} \\
        --labels ${labels} \\
        --genes ${genes} \\
        --name ${name} \\
        --version 1 \\
        --output ${name}
    """
}
