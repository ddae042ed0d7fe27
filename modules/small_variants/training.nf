// Training of the small-variants model on a user's own samples with known truth, and scoring of calls against a truth.

// Trains, calibrates and writes a model folder.
process TRAIN_SMALL_VARIANTS {
    tag "${name}"
    label 'training'
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    path table
    path alignments, stageAs: 'set?/*'
    path alignment_indexes, stageAs: 'set?/*'
    path truths, stageAs: 'set?/*'
    path truth_indexes, stageAs: 'set?/*'
    path beds, stageAs: 'set?/*'
    path references, stageAs: 'set?/reference/*'
    path reference_indexes, stageAs: 'set?/reference/*'
    path start, stageAs: 'start_from'
    val name
    val code // digest of the package folders and core/ that the command uses

    output:
    path "${name}", emit: model
    tuple val(task.process), val('strandwise'), eval('small_variants.py --version'), topic: versions
    tuple val(task.process), val('TensorFlow'), eval("python3 -c 'import importlib.metadata as m; print(m.version(\"tensorflow-cpu\"))'"), topic: versions

    script:
    def from = start ? "--start-from ${start}" : ''
    """
    # code ${code}
    small_variants.py train \\
        --sets ${table} \\
        ${from} \\
        --threads ${task.cpus} \\
        --name ${name} \\
        --model-version 1 \\
        --output ${name}
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

// Rows of a table of training sets as maps; its paths count from the table's folder.
def trainingSets(table) {
    return table.splitCsv(header: true, sep: '\t').collect { row ->
        row + ['alignment', 'truth', 'bed', 'reference'].collectEntries { column -> [column, file(table.parent.resolve(row[column]), glob: false)] }
    }
}

// The index beside a file.
def indexBeside(path) {
    def found = ['.bai', '.crai', '.csi', '.tbi', '.fai'].collect { suffix -> path.resolveSibling("${path.name}${suffix}".toString()) }.find { index -> index.exists() }
    return found ?: error("${path}: has no index beside it; make one with samtools index, tabix or samtools faidx")
}

workflow SMALL_VARIANTS_TRAINING {
    take:
    table // TSV of sets: name, alignment, truth, bed, reference, use (train or tune), fractions
    start // model folder to go on from, or []
    name  // name of the model
    code  // digest of the code

    main:
    sets = trainingSets(table)
    columns = ['name', 'alignment', 'truth', 'bed', 'reference', 'use', 'fractions']
    lines = sets.withIndex(1).collect { row, number ->
        def place = "set${sets.size() > 1 ? number : ''}"
        [row.name, "${place}/${row.alignment.name}", "${place}/${row.truth.name}", "${place}/${row.bed.name}", "${place}/reference/${row.reference.name}", row.use, row.fractions ?: '1'].join('\t')
    }
    staged = channel.of((["${columns.join('\t')}"] + lines).join('\n') + '\n').collectFile(name: 'sets.tsv')
    TRAIN_SMALL_VARIANTS(
        staged,
        sets.collect { row -> row.alignment },
        sets.collect { row -> indexBeside(row.alignment) },
        sets.collect { row -> row.truth },
        sets.collect { row -> indexBeside(row.truth) },
        sets.collect { row -> row.bed },
        sets.collect { row -> row.reference },
        sets.collect { row -> indexBeside(row.reference) },
        start,
        name,
        code,
    )
    model = TRAIN_SMALL_VARIANTS.out.model

    emit:
    model // model folder
}

workflow SMALL_VARIANTS_EVALUATION {
    take:
    calls     // [meta, vcf, truth, bed]
    alignment // reads of the sample, or []
    reference // [fasta, fai] or [fasta, fai, gzi]; a value
    code      // digest of the code

    main:
    EVALUATE_SMALL_VARIANTS(calls, alignment, alignment ? indexBeside(alignment) : [], reference, code)
    tables = EVALUATE_SMALL_VARIANTS.out.tables.flatten()

    emit:
    tables // one file each: scores by stratum, reliability of GQ
}
