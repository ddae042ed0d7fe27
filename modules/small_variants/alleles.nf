// Alleles that a user wants genotyped in every sample, brought into the caller's form once for all of them.

// Checks given alleles, splits and left-aligns them.
process PREPARE_ALLELES {
    label 'small'
    container "${params.container_registry}/calling:${workflow.manifest.version}"

    input:
    path given, stageAs: 'given/*'
    path reference, arity: '2..*'
    val code // digest of the package folders that the command uses

    output:
    path 'alleles.vcf.gz{,.tbi}', emit: alleles
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions

    script:
    """
    # code ${code}
    small_variants.py alleles \\
        --alleles ${given} \\
        --reference ${reference[0]} \\
        --output alleles.vcf.gz
    """
}
