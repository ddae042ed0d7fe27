// What is given: parameters checked here, at once, on the launching machine; sheet, tables and headers by one task.

// ---- parameters ----

// The parameters with their declared types; stops the run with every problem named where any does not fit nextflow_schema.json.
def checkedParameters(given, schema) {
    def rules = parameterRules(schema)
    // Nextflow adds a camelCase twin to each parameter that is written with dashes.
    def twins = given.keySet().findAll { name -> name.contains('-') }.collect { name -> name.replaceAll(/-(\w)/) { match -> match[1].toUpperCase() } }
    def unknown = given.keySet().findAll { name -> !rules.containsKey(name) && !twins.contains(name) }
    def problems = unknown.collect { name -> "--${name}: no such parameter; nearest: --${nearest(name, rules.keySet())}. --help lists all" }
    def typed = [:]
    rules.each { name, rule ->
        typed[name] = typedValue(given[name], rule.type)
        problems += parameterProblems(name, typed[name], rule)
    }
    problems += modeProblems(typed) + folderProblems(typed.outdir)
    if (problems) {
        stop('parameters', problems)
    }
    return typed
}

// Name → rule of every parameter of the schema.
def parameterRules(schema) {
    return new groovy.json.JsonSlurper().parse(schema)['$defs'].values().collectEntries { group -> group.properties }
}

// The parameters by group, as `--help` prints them.
def helpText(schema) {
    def parsed = new groovy.json.JsonSlurper().parse(schema)
    def groups = parsed['$defs'].values().collect { group ->
        def lines = group.properties.collect { name, rule ->
            def values = rule['enum'] ? " (${rule['enum'].join(', ')})" : ''
            def standard = rule.default != null && rule.type != 'boolean' ? " [${rule.default}]" : ''
            "  --${name.padRight(24)}${wrapped(rule.description + values + standard, 28)}"
        }
        "${group.title}\n${lines.join('\n')}"
    }
    return """\
        |${parsed.description}
        |
        |  nextflow run . -profile docker --input samples.csv --fasta genome.fa --outdir results
        |  nextflow run . -profile docker --cohort_maf cohort.maf.gz --outdir results
        |
        |${groups.join('\n\n')}
        |
        |Profiles: local, docker, podman, singularity, apptainer, slurm, awsbatch, googlebatch, azurebatch, test, demo; they combine.
        |All of it with examples: docs/usage.md""".stripMargin()
}

// Breaks text into lines of at most 120 characters; lines after the first begin with `indent` spaces.
def wrapped(text, indent) {
    def lines = ['']
    text.split(' ').each { word ->
        if (lines[-1] && lines[-1].size() + word.size() + 1 > 120 - indent) {
            lines << word
        }
        else {
            lines[-1] = lines[-1] ? "${lines[-1]} ${word}".toString() : word
        }
    }
    return lines.join('\n' + ' ' * indent)
}

// A value as the schema's type; as it is where it cannot be one. Newer Nextflow hands over all command-line values as text.
def typedValue(value, type) {
    def text = value == null ? '' : value.toString().trim()
    if (text == '') {
        return null
    }
    if (type == 'boolean' && text in ['true', 'false']) {
        return text == 'true'
    }
    if (type == 'integer' && text ==~ /-?\d{1,18}/) {
        return text as Long
    }
    if (type == 'number' && text ==~ /-?\d+(\.\d+)?([eE][-+]?\d+)?/) {
        return text as Double
    }
    return value instanceof Boolean || type != 'string' ? value : text
}

// What is wrong with one value, a line each.
def parameterProblems(name, value, rule) {
    def kinds = [boolean: [Boolean, 'true or false'], integer: [Long, 'a whole number'], number: [Double, 'a number'], string: [CharSequence, 'a value']]
    def (kind, words) = kinds[rule.type]
    if (value == null) {
        return []
    }
    if (!kind.isInstance(value)) {
        return ["--${name}: ${value} is not ${words}; needed: ${rule.description}"]
    }
    if (rule['enum'] && !rule['enum'].contains(value)) {
        return ["--${name}: ${value} is not one of ${rule['enum'].join(', ')}; nearest: ${nearest(value, rule['enum'])}"]
    }
    if (rule.pattern && !(value ==~ rule.pattern)) {
        return ["--${name}: ${value}: ${rule.errorMessage}"]
    }
    if (rule.minimum != null && value < rule.minimum || rule.maximum != null && value > rule.maximum) {
        return ["--${name}: ${value} is out of range; ${rule.minimum} ${rule.maximum == null ? 'or more' : "to ${rule.maximum}"} is possible"]
    }
    return rule.exists ? pathTexts(value, rule).collect { text -> missingPath(text, rule) }.findAll().collect { words_ -> "--${name}: ${words_}" } : []
}

// What training and evaluation need and do not have.
def modeProblems(options) {
    def needs = [train: ['model', 'training_data'], evaluate: ['calls', 'truth', 'truth_regions', 'fasta']]
    def needed = (needs[options.mode] ?: []) + (options.mode == 'train' && options.model == 'drivers' ? ['driver_labels'] : [])
    return needed.findAll { name -> options[name] == null }.collect { name -> "--${name}: missing; --mode ${options.mode} needs it" }
}

// Why results cannot be written to a folder of this machine; nothing where they can.
def folderProblems(outdir) {
    def path = file(outdir, type: 'dir', glob: false)
    if (path.scheme != 'file') {
        return []
    }
    def there = existingPart(path.toAbsolutePath())
    if (!there.isDirectory()) {
        return ["--outdir: ${outdir}: ${there} is a file; give a folder"]
    }
    return java.nio.file.Files.isWritable(there) ? [] : ["--outdir: ${outdir}: no permission to write in ${there}; give another folder"]
}

// The longest beginning of a path that exists.
def existingPart(path) {
    return path.exists() ? path : existingPart(path.parent)
}

// The paths that a parameter names: one, or several with commas between them.
def pathTexts(value, rule) {
    return rule.format == 'file-path-pattern' ? value.tokenize(',').collect { text -> text.trim() } : [value]
}

// Says what is wrong where a file or folder is not there; null where it is.
def missingPath(text, rule) {
    if (rule.format == 'file-path-pattern' && text =~ /[*?{\[]/) {
        return files(text) ? null : "${text}: no file fits this pattern"
    }
    def path = file(text, glob: false)
    if (unstageable(path)) {
        return "${text}: the path holds a dollar sign or a control character, which cannot be passed on to tasks; rename it"
    }
    if (!path.exists()) {
        return "${text}: no such ${rule.format == 'directory-path' ? 'folder' : 'file'}${neighbour(path)}"
    }
    if (rule.format != 'path' && path.isDirectory() != (rule.format == 'directory-path')) {
        return "${text}: a ${path.isDirectory() ? 'folder; a file' : 'file; a folder'} is needed"
    }
    return null
}

// The name in a missing file's folder that is most like it, in words; empty where there is none.
def neighbour(path) {
    def folder = path.parent
    if (!folder || !folder.exists()) {
        return folder ? "; there is no folder ${folder}" : ''
    }
    def name = nearest(path.name, folder.list().toList())
    return name && distance(path.name, name) <= Math.max(3, path.name.size().intdiv(2)) ? "; the folder holds ${name}" : ''
}

// The name that takes the fewest edits to become the given one.
def nearest(given, names) {
    return names.toSorted().min { name -> distance(given.toLowerCase(), name.toLowerCase()) }
}

// Levenshtein's distance of two words.
def distance(left, right) {
    def row = (0..right.size()).toList()
    (0..<left.size()).each { i ->
        def above = row
        row = [i + 1]
        (0..<right.size()).each { j ->
            row << [above[j + 1] + 1, row[j] + 1, above[j] + (left[i] == right[j] ? 0 : 1)].min()
        }
    }
    return row[-1]
}

// Ends the run with one line for each problem and no stack trace.
def stop(where, problems) {
    def earlier = workflow.resume ? null : earlierRun()
    def hint = earlier ? "\n\nOnce that is mended, -resume ${earlier} goes on with the run before this one." : ''
    exit(1, "${problems.size()} ${problems.size() == 1 ? 'problem' : 'problems'} with the ${where}:\n  ${problems.join('\n  ')}${hint}")
}

// The name of the last run in this folder that did some work, which -resume alone would not find after this one; null if none.
def earlierRun() {
    def folder = file("${workflow.launchDir}/.nextflow")
    def history = folder.resolve('history')
    def runs = history.exists() ? history.readLines().collect { line -> line.split('\t') } : []
    // The index of a run's cache has 17 bytes for each task; the check of the input is one.
    def worked = runs.findAll { fields ->
        def index = fields.size() > 5 ? folder.resolve("cache/${fields[5]}/index.${fields[2]}".toString()) : null
        index && index.exists() && index.size() > 2 * 17
    }
    return worked ? worked[-1][2] : null
}

// ---- code ----

// A text as one word of a shell command, whatever its characters.
def quoted(text) {
    return "'" + text.toString().replace("'", "'\\''") + "'"
}

// A digest of all that decides what a script's tasks do, their input files apart: bin/<script>, the package files that it
// imports, directly or not, and the given folders (model, core). A task that takes it runs again when one of them changed.
def codeDigest(script, folders) {
    def bin = file("${projectDir}/bin")
    def sources = importedFiles(bin, bin.resolve(script), [] as Set)
    def content = (sources + [bin.resolve(script)]).collect { source -> [bin.relativize(source).toString(), source] }
    folders.each { folder ->
        def root = file(folder, glob: false)
        content += files("${root}/**", type: 'file', hidden: true, glob: true)
            .findAll { path -> !(path.toString() =~ /__pycache__|\.egg-info|\/build\/|\.so$|\.c$/) }
            .collect { path -> ["${root.name}/${root.relativize(path)}".toString(), path] }
    }
    def digest = java.security.MessageDigest.getInstance('SHA-256')
    content.sort { entry -> entry[0] }.each { name, path ->
        digest.update(name.bytes)
        digest.update(path.bytes)
    }
    return digest.digest().encodeHex().toString().take(16)
}

// The files of bin/strandwise that a Python file imports, and those that they import.
def importedFiles(bin, source, found) {
    def statement = /(?m)^[ \t]*(?:from[ \t]+(strandwise[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+(strandwise[\w.]*))/
    (source.text =~ statement).collect { match -> match }.each { match ->
        def module = (match[1] ?: match[3]).replace('.', '/')
        def names = (match[2] ?: '').replaceAll(/#[^\n]*/, '').replaceAll(/[()]/, '').tokenize(',').collect { name -> name.trim().tokenize(' ')[0] }.findAll()
        def parts = module.tokenize('/')
        def packages = (1..parts.size()).collect { depth -> "${parts.take(depth).join('/')}/__init__.py" }
        def candidates = packages + ["${module}.py"] + names.collectMany { name -> ["${module}/${name}.py", "${module}/${name}/__init__.py"] }
        candidates.collect { name -> bin.resolve(name.toString()) }.findAll { path -> path.exists() && !found.contains(path) }.each { path ->
            found << path
            // Data files of a package belong to its code.
            path.parent.eachFile { other ->
                if (path.name == '__init__.py' && other.isFile() && !(other.name =~ /\.pyc?$/)) {
                    found << other
                }
            }
            importedFiles(bin, path, found)
        }
    }
    return found
}

// ---- files ----

// The rows of a sheet as maps; none where it cannot be read (CHECK_INPUTS says why, with row and column).
def sheetRows(sheet) {
    try {
        def rows = sheet.name =~ /(?i)\.ya?ml$/
            ? new org.yaml.snakeyaml.Yaml().load(sheet.text)
            : sheet.name =~ /(?i)\.json$/
                ? new groovy.json.JsonSlurper().parseText(sheet.text)
                : sheet.splitCsv(header: true, strip: true, quote: '"', sep: sheet.name =~ /(?i)\.(tsv|tab|txt)$/ ? '\t' : ',')
        return rows.findAll { row -> row instanceof Map }
    }
    catch (Exception problem) {
        log.debug("${sheet}: ${problem.message}")
        return []
    }
}

// A path as a sheet means it: from the sheet's folder, otherwise from the folder of the run.
def sheetPath(text, sheet) {
    if (text =~ /^([a-z0-9]+:\/\/|\/)/) {
        return file(text, glob: false)
    }
    def beside = sheet.parent.resolve(text)
    return beside.exists() ? beside : file("${workflow.launchDir}").resolve(text).exists() ? file("${workflow.launchDir}").resolve(text) : beside
}

// Every input file of the run: what names it, the text given there, its path, whether and near what it is missing, the index
// beside it, and whether CHECK_INPUTS looks into it. Big remote files it does not: their headers are checked when calling begins.
def inputFiles(options) {
    def found = options.input ? sheetFiles(file(options.input, glob: false)) : []
    ['cohort_expression', 'cohort_clinical', 'gene_features', 'drugs', 'intervals', 'alleles', 'par', 'coding_regions', 'pedigree', 'fasta'].findAll { name -> options[name] }.each { name ->
        found << inputFile(name, options[name], file(options[name], glob: false))
    }
    if (options.explain && !(options.explain in ['least_certain', 'all', 'coding'])) {
        found << inputFile('explain', options.explain, file(options.explain, glob: false))
    }
    if (options.fasta) {
        ['.fai', '.gzi'].collect { ending -> file("${options.fasta}${ending}", glob: false) }.findAll { path -> path.exists() }.each { path ->
            found << inputFile('fasta_index', path.name, path)
        }
    }
    mafFiles(options.cohort_maf).each { path -> found << inputFile('cohort_maf', path.name, path) }
    // CHECK_INPUTS sees those it looks into in numbered folders, in this order.
    def looked = found.findAll { entry -> entry.look }.withIndex(1).collect { entry, number ->
        entry + [seen: "${number}/${entry.path.name}".toString()]
    }
    return looked + found.findAll { entry -> !entry.look }.collect { entry -> entry + [seen: null] }
}

// The MAF files that --cohort_maf names: one path, a pattern, or several of them with commas between.
def mafFiles(text) {
    def named = (text ?: '').tokenize(',').collectMany { part ->
        part =~ /[*?{\[]/ ? files(part.trim()).toSorted() : [file(part.trim(), glob: false)]
    }
    return named.unique()
}

// The files that a sheet names, each once, and the indexes beside its alignments.
def sheetFiles(sheet) {
    def columns = ['bam', 'bai', 'cram', 'crai', 'gvcf', 'maf', 'expression']
    def texts = sheetRows(sheet).collectMany { row -> columns.collect { column -> row[column]?.toString() } }.findAll().unique()
    def named = texts.collect { text -> inputFile('sheet', text, sheetPath(text, sheet)) }
    def beside = named.findAll { entry -> entry.index }.collect { entry -> inputFile('sheet_index', '', entry.index) }
    return named + beside
}

// One input file as inputFiles lists it.
def inputFile(name, given, path) {
    def there = path.exists()
    def large = path.name =~ /\.(bam|bai|csi|cram|crai|fa|fasta|fna|vcf)(\.gz)?$/
    return [
        name: name,
        given: given.toString(),
        path: path,
        missing: !there,
        hint: there ? '' : neighbour(path).toString(),
        index: there ? alignmentIndex(path) : null,
        look: there && !unstageable(path) && (path.scheme == 'file' || !large),
    ]
}

// Whether the shell of a task would take a part of the path for a command or a variable (Nextflow escapes all but these).
def unstageable(path) {
    return path.toString() =~ /[$\p{Cntrl}]/
}

// The index beside an alignment or a gVCF; null where there is none.
def alignmentIndex(path) {
    def known = ['.bam': ['.bai', '.csi'], '.cram': ['.crai'], '.g.vcf.gz': ['.tbi']]
    def endings = known.findResult { suffix, found -> path.name.endsWith(suffix) ? found : null } ?: []
    def names = endings.collectMany { ending -> [path.name + ending, path.name.replaceFirst(/\.(bam|cram)$/, ending)] }
    return names.collect { name -> path.resolveSibling(name.toString()) }.find { candidate -> candidate.exists() }
}

// A path as text that file() reads back: an address where it is remote.
def address(path) {
    return path == null ? null : path.scheme == 'file' ? path.toString() : path.toUriString()
}

// ---- the task and what follows from it ----

// Checks sheet, tables and headers, all problems at once, and plans the jobs.
process CHECK_INPUTS {
    label 'small'
    container "${params.container_registry}/report:${workflow.manifest.version}"

    input:
    path parameters
    path listed
    path looked, stageAs: 'files/?/*'
    path sheet
    path schema
    val code // digest of the code

    output:
    tuple path('plan.json'), path('problems.json'), emit: checked
    path 'inputs.notes.json', emit: notes
    tuple val(task.process), val('strandwise'), eval('inputs.py --version'), topic: versions

    script:
    def given = sheet ? "--sheet ${sheet}" : ''
    """
    # code ${code}
    inputs.py check ${given} \\
        --parameters ${parameters} \\
        --files ${listed} \\
        --folder files \\
        --schema ${schema} \\
        --plan plan.json \\
        --problems problems.json \\
        --notes inputs.notes.json
    """
}

// Makes the index that an alignment or the reference lacks.
process INDEX {
    tag "${target.name}"
    label 'small'
    container "${params.container_registry}/report:${workflow.manifest.version}"

    input:
    tuple val(owner), path(target)
    val code // digest of the code

    output:
    tuple val(owner), path('*.{bai,crai,fai,gzi}'), emit: indexes
    tuple val(task.process), val('strandwise'), eval('inputs.py --version'), topic: versions

    script:
    """
    # code ${code}
    inputs.py index --file ${target}
    """
}

// What is going to be done, in a line.
def planWords(plan) {
    def words = [small_variants: "samples: ${plan.samples.size()}", drivers: "MAF files: ${plan.mafs.size()}", drug_response: "expression tables: ${plan.expression.size()}"]
    return "Plan: ${plan.jobs.collect { job -> "${job} (${words[job]})" }.join(', ')}"
}

workflow INPUTS {
    take:
    options    // parameters, checked and typed
    parameters // parameters.json
    schema     // schema of the sheet
    code       // digest of the code

    main:
    found = inputFiles(options)
    listed = found.collect { entry ->
        entry.findAll { name, _value -> name != 'look' } + [path: address(entry.path), index: address(entry.index)]
    }
    CHECK_INPUTS(
        parameters,
        channel.of(groovy.json.JsonOutput.toJson(listed)).collectFile(name: 'files.json').first(),
        found.findAll { entry -> entry.look }.collect { entry -> entry.path },
        options.input ? file(options.input, glob: false) : [],
        schema,
        code,
    )
    notes = CHECK_INPUTS.out.notes
    plan_file = CHECK_INPUTS.out.checked.map { plan_json, _problems -> plan_json }
    plan = CHECK_INPUTS.out.checked.map { plan_json, problems_json ->
        def problems = new groovy.json.JsonSlurper().parse(problems_json)
        if (problems) {
            stop('input', problems)
        }
        new groovy.json.JsonSlurper().parse(plan_json)
    }

    // [owner, [index, …]] of every alignment and of the reference; indexes that are not there yet are made.
    targets = plan.flatMap { made ->
        def lanes = made.samples.collectMany { sample ->
            def meta = sample.findAll { name, _value -> name != 'lanes' }
            sample.lanes.collect { lane -> [[meta: meta, lanes: sample.lanes.size(), path: lane.path], lane.index] }
        }
        made.reference ? lanes + [[[path: made.reference.path], made.reference.index]] : lanes
    }
    INDEX(targets.filter { _owner, index -> !index }.map { owner, _index -> [owner, file(owner.path, glob: false)] }, code)
    indexed = targets
        .filter { _owner, index -> index }
        .map { owner, index -> [owner, index.collect { path -> file(path, glob: false) }] }
        .mix(INDEX.out.indexes.map { owner, index -> [owner, [index].flatten()] })

    alignments = indexed
        .filter { owner, _index -> owner.meta }
        .map { owner, index -> [groupKey(owner.meta, owner.lanes), [file(owner.path, glob: false), index[0]]] }
        .groupTuple()
        .map { key, pairs ->
            def lanes = pairs.toSorted { pair -> pair[0].toString() }
            [key.target, lanes.collect { lane -> lane[0] }, lanes.collect { lane -> lane[1] }]
        }
    reference = indexed
        .filter { owner, _index -> !owner.meta }
        .map { owner, index -> [file(owner.path, glob: false)] + index.toSorted() }
        .mix(plan.filter { made -> !made.reference }.map { _made -> [] })
        .first()

    emit:
    plan       // map: jobs, samples, …; a value
    plan_file  // plan.json
    notes      // inputs.notes.json
    alignments // [meta, [alignment, …], [index, …]]
    reference  // [fasta, fai] or [fasta, fai, gzi], a value; [] where there is none
}
