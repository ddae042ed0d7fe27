// Germline small variants: each sample is cut into shards of equal work, called, joined, phased if asked for, and summed up.

include { quoted } from '../inputs'
include { PREPARE_ALLELES } from './alleles'
include { PHASE_SMALL_VARIANTS } from './phasing'

// Checks the alignments of one sample and cuts what is to be called into shards.
process SHARD_SMALL_VARIANTS {
    tag "${meta.id}"
    label 'small'
    container "${params.container_registry}/calling:${workflow.manifest.version}"

    input:
    tuple val(meta), path(alignments, stageAs: 'lane?/*'), path(indexes, stageAs: 'lane?/*')
    path reference, arity: '2..*'
    path intervals
    path par
    val interval_padding
    val code // digest of the package folders and core/ that the command uses

    output:
    tuple val(meta), path('shards/*.bed'), emit: shards
    path "${meta.id}.shards.notes.json", emit: notes
    path "${meta.id}.{sex,shards.cost}.json", emit: parts
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions

    script:
    def regions = intervals ? "--intervals ${intervals} --interval-padding ${interval_padding}" : ''
    """
    # code ${code}
    small_variants.py shards \\
        ${[alignments].flatten().collect { alignment -> "--alignment ${alignment}" }.join(' ')} \\
        --reference ${reference[0]} \\
        ${regions} \\
        --sample ${quoted(meta.sample)} \\
        --sex ${meta.sex ?: 'NA'} \\
        ${par ? "--par ${par}" : ''} \\
        --output shards \\
        --notes ${meta.id}.shards.notes.json \\
        --sex-check ${meta.id}.sex.json \\
        --cost ${meta.id}.shards.cost.json
    """
}

// Calls SNVs and indels of one sample in one shard of the genome.
process CALL_SMALL_VARIANTS {
    tag "${meta.id} ${shard.baseName}"
    label 'inference'
    container "${params.container_registry}/calling:${workflow.manifest.version}"

    input:
    tuple val(meta), path(alignments, stageAs: 'lane?/*'), path(indexes, stageAs: 'lane?/*'), path(shard)
    path reference, arity: '2..*'
    path model
    path alleles // VCF by PREPARE_ALLELES with its index, or nothing
    path par
    val settings // allow_model_mismatch, alleles_prior, gvcf_bands
    val code // digest of the package folders and core/ that the command uses

    output:
    tuple val(meta), path("${shard.baseName}.vcf.gz"), path("${shard.baseName}.g.vcf.gz"), path('*.tbi'), emit: calls
    path "${meta.id}.${shard.baseName}.notes.json", emit: notes
    path "${meta.id}.${shard.baseName}.cost.json", emit: cost
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions
    tuple val(task.process), val('LiteRT'), eval("python3 -c 'import importlib.metadata as m; print(m.version(\"ai-edge-litert\"))'"), topic: versions

    script:
    """
    # code ${code}
    small_variants.py call \\
        ${[alignments].flatten().collect { alignment -> "--alignment ${alignment}" }.join(' ')} \\
        --reference ${reference[0]} \\
        --model ${model} \\
        --shard ${shard} \\
        --sample ${quoted(meta.sample)} \\
        --sex ${meta.sex ?: 'NA'} \\
        ${settings.allow_model_mismatch ? '--allow-model-mismatch' : ''} \\
        ${alleles ? "--alleles ${alleles[0]} --alleles-prior ${settings.alleles_prior}" : ''} \\
        ${par ? "--par ${par}" : ''} \\
        --gvcf-bands ${settings.gvcf_bands} \\
        --threads ${task.cpus} \\
        --output ${shard.baseName}.vcf.gz \\
        --gvcf ${shard.baseName}.g.vcf.gz \\
        --notes ${meta.id}.${shard.baseName}.notes.json \\
        --cost ${meta.id}.${shard.baseName}.cost.json
    """
}

// Joins the shards of one sample.
process GATHER_SMALL_VARIANTS {
    tag "${meta.id}"
    label 'small'
    container "${params.container_registry}/calling:${workflow.manifest.version}"

    input:
    tuple val(meta), path(calls, stageAs: 'shards/*'), path(gvcfs, stageAs: 'shards/*'), path(indexes, stageAs: 'shards/*')
    val code // digest of the package folders and core/ that the command uses

    output:
    tuple val(meta), path("${meta.id}.vcf.gz"), path("${meta.id}.vcf.gz.tbi"), emit: calls
    tuple val(meta), path("${meta.id}.g.vcf.gz"), path("${meta.id}.g.vcf.gz.tbi"), emit: gvcfs
    path "${meta.id}.gather.cost.json", emit: cost
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions

    script:
    """
    # code ${code}
    small_variants.py gather \\
        ${[calls].flatten().collect { call -> "--calls ${call}" }.join(' ')} \\
        ${[gvcfs].flatten().collect { gvcf -> "--gvcfs ${gvcf}" }.join(' ')} \\
        --output ${meta.id}.vcf.gz \\
        --gvcf ${meta.id}.g.vcf.gz \\
        --cost ${meta.id}.gather.cost.json
    """
}

// Counts what was called in one sample and how the reads cover it.
process SUMMARISE_SMALL_VARIANTS {
    tag "${meta.id}"
    label 'inference'
    container "${params.container_registry}/calling:${workflow.manifest.version}"

    input:
    tuple val(meta), path(calls), path(calls_index), path(gvcf), path(gvcf_index), path(alignments, stageAs: 'lane?/*'), path(indexes, stageAs: 'lane?/*')
    path reference, arity: '2..*'
    val code // digest of the package folders and core/ that the command uses

    output:
    path "${meta.id}.*.{txt,json}", emit: parts
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions
    tuple val(task.process), val('samtools'), eval("python3 -c 'import pysam.version as v; print(v.__samtools_version__)'"), topic: versions
    tuple val(task.process), val('bcftools'), eval("python3 -c 'import pysam.version as v; print(v.__bcftools_version__)'"), topic: versions

    script:
    """
    # code ${code}
    small_variants.py summarise \\
        --calls ${calls} \\
        --gvcf ${gvcf} \\
        ${[alignments].flatten().collect { alignment -> "--alignment ${alignment}" }.join(' ')} \\
        --reference ${reference[0]} \\
        --sample ${meta.id} \\
        --cost ${meta.id}.summary.cost.json
    """
}

workflow SMALL_VARIANTS {
    take:
    alignments // [meta, [alignment, …], [index, …]]; meta: id, sample, patient, sex, status
    reference  // [fasta, fai] or [fasta, fai, gzi]; a value
    model      // model folder
    options    // parameters: intervals, interval_padding, alleles, alleles_prior, par, phase, gvcf_bands, allow_model_mismatch
    code       // digest of the code

    main:
    given = ['intervals', 'par', 'alleles'].collectEntries { name -> [name, options[name] ? file(options[name], glob: false) : []] }
    alleles = []
    if (options.alleles) {
        PREPARE_ALLELES(alignments.first().map { _sample -> given.alleles }, reference, code)
        alleles = PREPARE_ALLELES.out.alleles
    }
    SHARD_SMALL_VARIANTS(alignments, reference, given.intervals, given.par, options.interval_padding, code)
    // A sample that failed is missing from here on, so these joins may leave samples over.
    shards = SHARD_SMALL_VARIANTS.out.shards
        .map { meta, beds -> [meta, [beds].flatten()] }
        .join(alignments, failOnDuplicate: true)
        .flatMap { meta, beds, reads, indexes -> beds.collect { bed -> [groupKey(meta, beds.size()), reads, indexes, bed] } }
    CALL_SMALL_VARIANTS(shards, reference, model, alleles, given.par, [allow_model_mismatch: options.allow_model_mismatch, alleles_prior: options.alleles_prior, gvcf_bands: options.gvcf_bands], code)
    gathered = CALL_SMALL_VARIANTS.out.calls
        .groupTuple()
        .map { key, vcfs, full, indexes -> [key.target] + [vcfs, full, indexes.flatten()].collect { paths -> paths.toSorted { path -> path.name } } }
    GATHER_SMALL_VARIANTS(gathered, code)
    calls = GATHER_SMALL_VARIANTS.out.calls
    phasing_parts = channel.empty()
    if (options.phase) {
        PHASE_SMALL_VARIANTS(GATHER_SMALL_VARIANTS.out.calls.join(alignments, failOnDuplicate: true), reference, code)
        calls = PHASE_SMALL_VARIANTS.out.calls
        phasing_parts = PHASE_SMALL_VARIANTS.out.parts.flatten()
    }
    gvcfs = GATHER_SMALL_VARIANTS.out.gvcfs
    SUMMARISE_SMALL_VARIANTS(
        calls.join(gvcfs, failOnDuplicate: true).join(alignments, failOnDuplicate: true),
        reference,
        code,
    )
    // What the model's card does not list belongs to other weights.
    reliability = calls.map { _meta, _vcf, _tbi -> model.resolve('reliability.tsv') }
        .unique()
        .filter { path -> path.exists() && new groovy.json.JsonSlurper().parse(model.resolve('card.json')).sha256?.containsKey(path.name) }
    parts = SUMMARISE_SMALL_VARIANTS.out.parts.flatten()
        .mix(SHARD_SMALL_VARIANTS.out.parts.flatten(), CALL_SMALL_VARIANTS.out.cost, GATHER_SMALL_VARIANTS.out.cost, phasing_parts, reliability)
    notes = SHARD_SMALL_VARIANTS.out.notes.mix(CALL_SMALL_VARIANTS.out.notes)

    emit:
    calls // [meta, vcf, tbi]
    gvcfs // [meta, gvcf, tbi]
    parts // one file each for the report: NAME.bcftools_stats.txt, NAME.samtools_stats.txt, NAME.coverage.txt, NAME.small_variants.json, NAME.sex.json, NAME.*.cost.json
    notes // one *.notes.json each
}
