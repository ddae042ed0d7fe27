// One report of what all jobs of the run left.

// Builds multiqc_report.html, README.txt and summary.txt from the jobs' files, whichever there are.
process BUILD_REPORT {
    label 'small'
    container "${params.container_registry}/report:${workflow.manifest.version}"

    input:
    path files, stageAs: 'parts/*'
    path versions
    path parameters
    path config
    val code   // digest of the code

    output:
    path 'multiqc_report.html', emit: report
    path 'README.txt', emit: readme
    path 'summary.txt', emit: summary
    path 'versions.tsv', includeInputs: true, emit: versions
    path 'parameters.json', includeInputs: true, emit: parameters

    script:
    """
    # code ${code}
    report.py build \\
        --folder parts \\
        --parameters ${parameters} \\
        --versions ${versions} \\
        --config ${config} \\
        --output multiqc_report.html
    """
}

workflow REPORT {
    take:
    files      // one file each: plan.json, summaries, statistics, tables
    notes      // one *.notes.json each
    versions   // [process, tool, version] each, from the topic
    parameters // parameters.json
    config     // settings of MultiQC
    code       // digest of the code

    main:
    // Sorted, so that the task is the same one when the run is resumed.
    parts = files.mix(notes).toSortedList { left, right -> left.name <=> right.name }
    version_lines = versions
        .map { process, tool, version -> "${process.tokenize(':')[-1]}\t${tool}\t${version}" }
        .unique()
        .collectFile(name: 'versions.tsv', newLine: true, sort: true)
    BUILD_REPORT(parts, version_lines, parameters, config, code)
    report = BUILD_REPORT.out.report
    readme = BUILD_REPORT.out.readme
    summary = BUILD_REPORT.out.summary

    emit:
    report  // multiqc_report.html
    readme  // README.txt
    summary // summary.txt: the results in a few lines, for the end of the run
}

// What is said at the end: how it went, where the report is, what needs attention.
def closingWords(options, note_files) {
    def failed = failedTasks(file("${options.outdir}/pipeline_info/trace.txt"))
    def notes = note_files.collectMany { path -> new groovy.json.JsonSlurper().parse(path) }.findAll { note -> note.level != 'info' }
    def report = file("${options.outdir}/multiqc_report.html")
    def lines = failed.collect { task -> "  failed: ${task}" }
    lines += notes.collect { note -> "  ${note.level}: ${note.sample ? "${note.sample}: " : ''}${note.text}" }.unique()
    lines = lines ? ['What needs attention:'] + lines : lines
    if (!options.validate_only) {
        lines << (report.exists() ? "Report: ${report.toUriString().replaceFirst('^file://', '')}" : 'There is no report.')
        if (!workflow.success && !failed) {
            lines << '-resume goes on from here: what is done is not done again.'
        }
    }
    def ended = workflow.success && !failed ? (options.validate_only ? 'found no problem' : 'finished') : 'ended with failures'
    return "\n${workflow.manifest.name} ${workflow.manifest.version} ${ended} after ${workflow.duration}.\n${lines.join('\n')}"
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
        // No profile, or one without programs: tasks took a Python that has none of the packages.
        def remedy = lines && lines[-1].startsWith('ModuleNotFoundError') ? '; run with -profile local (after make setup), or with that of a container engine, such as docker' : ''
        "${name}: ${lines ? lines[-1] : "exit status ${row.exit}"}${remedy}"
    }
}
