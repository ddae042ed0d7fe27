// Why calls are what they are: pictures and attributions of chosen calls, and the step that turned down what was not called.

include { quoted } from '../inputs'

// Explains chosen calls of one sample, or given places whether called or not.
process EXPLAIN_SMALL_VARIANTS {
    tag "${meta.id}"
    label 'inference'
    container "${params.container_registry}/calling:${workflow.manifest.version}"

    input:
    tuple val(meta), path(calls), path(calls_index), path(alignments, stageAs: 'lane?/*'), path(indexes, stageAs: 'lane?/*')
    path reference, arity: '2..*'
    path intervals
    path par
    val interval_padding
    path model
    tuple val(choice), val(number), path(sites, stageAs: 'sites/*'), path(coding_regions, stageAs: 'coding/*')
    val code // digest of the package folders and core/ that the command uses

    output:
    path "${meta.id}/explain", emit: pictures
    path "${meta.id}.explained.tsv", emit: table
    path "${meta.id}.explain.notes.json", emit: notes
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions
    tuple val(task.process), val('LiteRT'), eval("python3 -c 'import importlib.metadata as m; print(m.version(\"ai-edge-litert\"))'"), topic: versions

    script:
    """
    # code ${code}
    small_variants.py explain \\
        --calls ${calls} \\
        ${[alignments].flatten().collect { alignment -> "--alignment ${alignment}" }.join(' ')} \\
        --reference ${reference[0]} \\
        --model ${model} \\
        ${sites ? "--sites ${sites}" : "--choose ${choice} --number ${number}"} \\
        ${coding_regions ? "--coding-regions ${coding_regions}" : ''} \\
        ${intervals ? "--intervals ${intervals} --interval-padding ${interval_padding}" : ''} \\
        --sample ${quoted(meta.sample)} \\
        --sex ${meta.sex ?: 'NA'} \\
        ${par ? "--par ${par}" : ''} \\
        --output-folder ${meta.id}/explain \\
        --table ${meta.id}.explained.tsv \\
        --notes ${meta.id}.explain.notes.json
    """
}

workflow EXPLANATION {
    take:
    calls      // [meta, vcf, tbi]
    alignments // [meta, [alignment, …], [index, …]]
    reference  // [fasta, fai] or [fasta, fai, gzi]; a value
    model      // model folder
    options    // parameters: intervals, interval_padding, par, explain, explain_sites, coding_regions
    code       // digest of the code

    main:
    given = ['intervals', 'par', 'coding_regions'].collectEntries { name -> [name, options[name] ? file(options[name], glob: false) : []] }
    choices = ['least_certain', 'all', 'coding']
    listed = options.explain in choices ? [] : file(options.explain, glob: false)
    EXPLAIN_SMALL_VARIANTS(
        calls.join(alignments, failOnDuplicate: true).filter { options.explain != 'least_certain' || options.explain_sites > 0 },
        reference,
        given.intervals,
        given.par,
        options.interval_padding,
        model,
        [options.explain, options.explain_sites, listed, given.coding_regions],
        code,
    )
    parts = EXPLAIN_SMALL_VARIANTS.out.table
    notes = EXPLAIN_SMALL_VARIANTS.out.notes

    emit:
    parts // NAME.explained.tsv
    notes // NAME.explain.notes.json
}
