#!/usr/bin/env nextflow
// Strandwise: reads become variants, a cohort becomes ranked cancer drivers, a tumour becomes drug scores, one report explains it.

include { INPUTS; checkedParameters; codeDigest; helpText } from './modules/inputs'
include { DRIVERS } from './modules/drivers'
include { REPORT } from './modules/report'

workflow {
    main:
    schema = file("${projectDir}/nextflow_schema.json")
    if (params.help.toString() == 'true') {
        println(helpText(schema))
        exit(0)
    }
    if (params.version.toString() == 'true') {
        println(workflow.manifest.version)
        exit(0)
    }
    options = checkedParameters(params, schema)
    assets = file("${projectDir}/assets")
    models = ['small_variants', 'drivers', 'drug_response'].collectEntries { job ->
        [job, file(options["${job}_model"] ?: assets.resolve("models/${job}"), type: 'dir')]
    }
    parameters = channel.of(groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(options)))
        .collectFile(name: 'parameters.json')
        .first()

    INPUTS(options, parameters, assets.resolve('schema_input.json'), codeDigest('inputs.py', []))
    plan = INPUTS.out.plan.filter { _plan -> !options.validate_only }
    notes = INPUTS.out.notes
    parts = INPUTS.out.plan_file

    // What the plan does not hold gets an empty channel.
    gene_features = options.gene_features ? [file(options.gene_features, glob: false)] : []
    DRIVERS(
        plan.filter { made -> 'drivers' in made.jobs }.combine(INPUTS.out.mafs.toList()).map { _made, mafs -> mafs },
        models.drivers,
        assets.resolve('genes'),
        gene_features,
        INPUTS.out.reference,
        codeDigest('drivers.py', [models.drivers, assets.resolve('genes')]),
    )
    notes = notes.mix(DRIVERS.out.notes)
    parts = parts.mix(DRIVERS.out.table, DRIVERS.out.reasons, DRIVERS.out.summary)

    REPORT(
        parts,
        notes,
        channel.topic('versions'),
        parameters,
        assets.resolve('multiqc_config.yml'),
        codeDigest('report.py', []),
    )

    noted = []
    notes.subscribe { path -> noted << path }
    workflow.onComplete {
        println(closingWords(options.outdir, noted))
    }
}

// What is said at the end: how it went, where the report is, what needs attention.
def closingWords(outdir, notes_files) {
    def failed = failedTasks(file("${outdir}/pipeline_info/trace.txt"))
    def notes = notes_files.collectMany { path -> new groovy.json.JsonSlurper().parse(path) }
    def warnings = notes.findAll { note -> note.level != 'info' }.collect { note -> "${note.sample ? note.sample + ': ' : ''}${note.text}" }.unique()
    def report = file("${outdir}/multiqc_report.html")
    def lines = ["${workflow.manifest.name} ${workflow.manifest.version} ${workflow.success && !failed ? 'finished' : 'ended with failures'} after ${workflow.duration}."]
    lines += failed.collect { task -> "  failed: ${task}" }
    lines += warnings.collect { warning -> "  warning: ${warning}" }
    lines << (report.exists() ? "Report: ${report}" : "No report was made.")
    return lines.join('\n')
}

// Tasks that were given up, by name, with the last line that each of them said.
def failedTasks(trace) {
    if (!trace.exists()) {
        return []
    }
    def rows = trace.splitCsv(header: true, sep: '\t')
    def done = rows.findAll { row -> row.status in ['COMPLETED', 'CACHED'] }.collect { row -> row.name }
    def given_up = rows.findAll { row -> !(row.name in done) }.collectEntries { row -> [row.name, row] }
    return given_up.collect { name, row ->
        def said = file("${row.workdir}/.command.err")
        def lines = said.exists() ? said.readLines().findAll { line -> line.trim() } : []
        "${name}: ${lines ? lines[-1] : "exit status ${row.exit}"}"
    }
}
