// Read-backed phasing: which alleles of neighbouring heterozygous calls lie on one chromosome, as far as reads tell.

// Phases the heterozygous calls of one sample.
process PHASE_SMALL_VARIANTS {
    tag "${meta.id}"
    label 'phasing'
    container "${params.container_registry}/phasing:${workflow.manifest.version}"

    input:
    tuple val(meta), path(calls, stageAs: 'unphased/*'), path(calls_index, stageAs: 'unphased/*'), path(alignments, stageAs: 'lane?/*'), path(indexes, stageAs: 'lane?/*')
    path reference, arity: '2..*'
    val code // digest of the package folders that the command uses

    output:
    tuple val(meta), path("${meta.id}.vcf.gz"), path("${meta.id}.vcf.gz.tbi"), emit: calls
    path "${meta.id}.phasing{,.cost}.json", emit: parts
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions
    tuple val(task.process), val('WhatsHap'), eval("python3 -c 'import importlib.metadata as m; print(m.version(\"whatshap\"))'"), topic: versions

    script:
    """
    # code ${code}
    small_variants.py phase \\
        --calls ${calls} \\
        ${[alignments].flatten().collect { alignment -> "--alignment ${alignment}" }.join(' ')} \\
        --reference ${reference[0]} \\
        --threads ${task.cpus} \\
        --output ${meta.id}.vcf.gz \\
        --summary ${meta.id}.phasing.json \\
        --cost ${meta.id}.phasing.cost.json
    """
}
