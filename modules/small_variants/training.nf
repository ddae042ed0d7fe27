// Training of the small-variants model on a user's own samples with known truth, and scoring of calls against a truth.

include { codeDigest; stop } from '../inputs'
include { containerWords } from '../training/place'

// Trains, calibrates and writes a model folder.
process TRAIN_SMALL_VARIANTS {
    tag "${meta.id}"
    label 'training'
    containerOptions { containerWords(meta, workflow.containerEngine) }
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    val meta // id: name of the model; checkpoints: folder in which a killed training goes on, or ''; use_gpu
    path table
    path alignments, stageAs: 'set?/*'
    path alignment_indexes, stageAs: 'set?/*'
    path truths, stageAs: 'set?/*'
    path truth_indexes, stageAs: 'set?/*'
    path beds, stageAs: 'set?/*'
    path references, stageAs: 'set?/reference/*'
    path reference_indexes, stageAs: 'set?/reference/*'
    path reference_block_indexes, stageAs: 'set?/reference/*'
    path start, stageAs: 'start_from'
    val code // digest of the package folders and core/ that the command uses

    output:
    path "${meta.id}", emit: model
    path "${meta.id}.notes.json", emit: notes
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions
    tuple val(task.process), val('TensorFlow'), eval("python3 -c 'import importlib.metadata as m; print(*[d.version for d in m.distributions() if d.name in (\"tensorflow\", \"tensorflow_cpu\")])'"), topic: versions

    script:
    """
    # code ${code}
    small_variants.py train \\
        --sets ${table} \\
        ${start ? "--start-from ${start}" : ''} \\
        ${meta.checkpoints ? "--checkpoints '${meta.checkpoints}'" : ''} \\
        ${meta.use_gpu ? '--use-gpu' : ''} \\
        --threads ${task.cpus} \\
        --name ${meta.id} \\
        --model-version 1 \\
        --notes ${meta.id}.notes.json \\
        --output ${meta.id}
    """
}

// Scores the calls of one sample against its truth, overall and by stratum.
process EVALUATE_SMALL_VARIANTS {
    tag "${meta.id}"
    label 'small'
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    tuple val(meta), path(calls), path(truth), path(bed)
    path alignment, stageAs: 'reads/*'
    path alignment_index, stageAs: 'reads/*'
    path reference, arity: '2..*'
    val code // digest of the package folders that the command uses

    output:
    path "${meta.id}.{evaluation,reliability}.tsv", emit: tables
    path "${meta.id}.discordant.tsv", emit: discordant
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions

    script:
    """
    # code ${code}
    small_variants.py evaluate \\
        --truth ${truth} \\
        --calls ${calls} \\
        --bed ${bed} \\
        --reference ${reference[0]} \\
        ${alignment ? "--alignment ${alignment}" : ''} \\
        --output ${meta.id}.evaluation.tsv \\
        --reliability ${meta.id}.reliability.tsv \\
        --discordant ${meta.id}.discordant.tsv
    """
}

// Rows of a table of training sets as maps; its paths count from the table's folder. Stops the run where a file is missing.
def trainingSets(table) {
    def needed = ['alignment', 'truth', 'bed', 'reference']
    def rows = table.splitCsv(header: true, sep: '\t')
    def lacking = rows ? (['name', 'use'] + needed).findAll { column -> !rows[0].containsKey(column) } : ['rows']
    def problems = lacking.collect { column -> "${table}: has no ${column == 'rows' ? 'rows' : "column ${column}"}; the layout is in docs/models.md" }
    def sets = problems ? [] : rows.collect { row -> row + needed.collectEntries { column -> [column, file(table.parent.resolve(row[column]), glob: false)] } }
    sets.eachWithIndex { row, index ->
        problems += needed.findAll { column -> !row[column].exists() }.collect { column -> "${table}: row ${index + 2}, ${column}: ${row[column]}: no such file" }
        problems += (needed - 'bed').findAll { column -> row[column].exists() && !indexBeside(row[column]) }.collect { column ->
            "${table}: row ${index + 2}, ${column}: ${row[column]} has no index beside it; make one with samtools index, tabix or samtools faidx"
        }
    }
    if (problems) {
        stop('training data', problems)
    }
    return sets
}

// The index beside a file; null where there is none.
def indexBeside(path) {
    return ['.bai', '.crai', '.csi', '.tbi', '.fai'].collect { suffix -> path.resolveSibling("${path.name}${suffix}".toString()) }.find { index -> index.exists() }
}

// The index of a bgzipped reference; for a plain one its BED once more, so that every set has one file here.
def blockIndex(row) {
    def index = row.reference.resolveSibling("${row.reference.name}.gzi")
    return index.exists() ? index : row.bed
}

workflow SMALL_VARIANTS_TRAINING {
    take:
    options // parameters, checked and typed
    meta    // id, checkpoints, use_gpu

    main:
    sets = trainingSets(file(options.training_data, glob: false))
    start = options.start_from ? [file(options.start_from, type: 'dir')] : []
    columns = ['name', 'alignment', 'truth', 'bed', 'reference', 'use', 'fractions']
    lines = sets.withIndex(1).collect { row, number ->
        def place = "set${sets.size() > 1 ? number : ''}"
        [row.name, "${place}/${row.alignment.name}", "${place}/${row.truth.name}", "${place}/${row.bed.name}", "${place}/reference/${row.reference.name}", row.use, row.fractions ?: '1'].join('\t')
    }
    TRAIN_SMALL_VARIANTS(
        meta,
        channel.of(([columns.join('\t')] + lines).join('\n') + '\n').collectFile(name: 'sets.tsv'),
        sets.collect { row -> row.alignment },
        sets.collect { row -> indexBeside(row.alignment) },
        sets.collect { row -> row.truth },
        sets.collect { row -> indexBeside(row.truth) },
        sets.collect { row -> row.bed },
        sets.collect { row -> row.reference },
        sets.collect { row -> indexBeside(row.reference) },
        sets.collect { row -> blockIndex(row) },
        start,
        codeDigest('small_variants.py', [file("${projectDir}/core")] + start),
    )
    model = TRAIN_SMALL_VARIANTS.out.model
    notes = TRAIN_SMALL_VARIANTS.out.notes

    emit:
    model // model folder
    notes // *.notes.json
}

workflow SMALL_VARIANTS_EVALUATION {
    take:
    options // parameters, checked and typed

    main:
    given = ['calls', 'truth', 'truth_regions'].collect { name -> file(options[name], glob: false) }
    meta = [id: given[0].name.replaceFirst(/(\.g)?\.vcf(\.gz)?$/, '')]
    reads = options.reads ? file(options.reads, glob: false) : []
    reference = ['', '.fai', '.gzi'].collect { ending -> file("${options.fasta}${ending}", glob: false) }.findAll { path -> path.exists() }
    if (reference.size() < 2 || reads && !indexBeside(reads)) {
        stop('evaluation', [reads && !indexBeside(reads) ? "--reads: ${reads} has no index beside it; make one with samtools index" : "--fasta: ${options.fasta} has no index beside it; make one with samtools faidx"])
    }
    EVALUATE_SMALL_VARIANTS(
        channel.of([meta] + given),
        reads,
        reads ? indexBeside(reads) : [],
        reference,
        codeDigest('small_variants.py', []),
    )
    tables = EVALUATE_SMALL_VARIANTS.out.tables.flatten()

    emit:
    tables // scores by stratum, reliability of GQ
}
