// Joint genotyping: all samples of a run, and gVCFs of earlier runs, in one VCF, families by inheritance.

// Genotypes all samples together from their gVCFs, finds Mendelian errors and de novo candidates.
process JOINT_SMALL_VARIANTS {
    label 'inference'
    container "${params.container_registry}/calling:${workflow.manifest.version}"

    input:
    path gvcfs, stageAs: 'sample?/*'
    path indexes, stageAs: 'sample?/*'
    path phased, stageAs: 'phased?/*'
    path phased_indexes, stageAs: 'phased?/*'
    path reference, arity: '2..*'
    path pedigree
    val code // digest of the package folders that the command uses

    output:
    path 'joint.vcf.gz{,.tbi}', emit: calls
    path '{mendelian,de_novo}.tsv', emit: tables
    path 'joint.json', emit: summary
    path 'joint.notes.json', emit: notes
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions

    script:
    """
    # code ${code}
    small_variants.py joint \\
        ${[gvcfs].flatten().collect { gvcf -> "--gvcf ${gvcf}" }.join(' ')} \\
        ${[phased].flatten().collect { calls -> "--phased ${calls}" }.join(' ')} \\
        --reference ${reference[0]} \\
        ${pedigree ? "--pedigree ${pedigree}" : ''} \\
        --output joint.vcf.gz \\
        --mendelian mendelian.tsv \\
        --de-novo de_novo.tsv \\
        --summary joint.json \\
        --notes joint.notes.json
    """
}

workflow JOINT {
    take:
    gvcfs     // [meta, gvcf, tbi]
    phased    // [meta, vcf, tbi] of samples that were phased
    reference // [fasta, fai] or [fasta, fai, gzi]; a value
    pedigree  // PED file, or []
    code      // digest of the code

    main:
    // Sorted, so that the samples of the VCF stand in the same order in every run.
    sorted = gvcfs
        .toSortedList { left, right -> left[0].sample <=> right[0].sample }
        .filter { found -> found.size() > 0 }
    phases = phased.toSortedList { left, right -> left[0].sample <=> right[0].sample }
    JOINT_SMALL_VARIANTS(
        sorted.map { found -> found.collect { entry -> entry[1] } },
        sorted.map { found -> found.collect { entry -> entry[2] } },
        phases.map { found -> found.collect { entry -> entry[1] } },
        phases.map { found -> found.collect { entry -> entry[2] } },
        reference,
        pedigree,
        code,
    )
    parts = JOINT_SMALL_VARIANTS.out.tables.flatten().mix(JOINT_SMALL_VARIANTS.out.summary)
    notes = JOINT_SMALL_VARIANTS.out.notes

    emit:
    parts // one file each for the report: mendelian.tsv, de_novo.tsv, joint.json
    notes // joint.notes.json
}
