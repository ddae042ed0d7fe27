// Drug response: scores drugs for each sample from expression, mutations or both.

// Scores the cohort's samples at once, because expression is matched gene by gene over all of them.
process SCORE_DRUGS {
    tag "${expression.size()} expression, ${mafs.size()} MAF"
    label 'inference'
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    path expression, arity: '0..*', stageAs: 'expression/?/*'
    path mafs, arity: '0..*', stageAs: 'mafs/?/*'
    path clinical, arity: '0..*', stageAs: 'clinical/*'
    path drugs, arity: '0..*', stageAs: 'drugs/*'
    path model
    path genes, stageAs: 'gene_tables'
    val scale
    val code // digest of the package folders that the command uses

    output:
    path 'response.tsv', emit: table
    path 'response_summary.tsv', emit: extremes
    path 'drugs', emit: pages
    path 'drug_response.json', emit: summary
    path 'drug_response.notes.json', emit: notes
    tuple val(task.process), val('strandwise'), eval('drug_response.py --version'), topic: versions

    script:
    def given = expression.collect { table -> "--expression ${table}" } + mafs.collect { maf -> "--maf ${maf}" }
    def scale_given = expression ? "--expression-scale ${scale}" : ''
    def clinical_given = clinical ? "--clinical ${clinical[0]}" : ''
    def drugs_given = drugs ? "--drugs ${drugs[0]}" : ''
    """
    # code ${code}
    drug_response.py score \\
        ${given.join(' ')} \\
        ${scale_given} \\
        ${clinical_given} \\
        ${drugs_given} \\
        --model ${model} \\
        --genes ${genes} \\
        --output response.tsv \\
        --summary drug_response.json \\
        --notes drug_response.notes.json
    """
}

workflow DRUG_RESPONSE {
    take:
    expression // [table, …] of the cohort, or []; one element, and none when the job is not planned
    mafs       // [maf, …], or []
    clinical   // [table], or []
    drugs      // [table], or []
    model      // model folder
    genes      // folder of gene tables (assets/genes)
    scale      // tpm, counts, log2, zscore, or '' without expression
    code       // digest of the code

    main:
    SCORE_DRUGS(expression, mafs, clinical, drugs, model, genes, scale, code)
    table = SCORE_DRUGS.out.table
    extremes = SCORE_DRUGS.out.extremes
    summary = SCORE_DRUGS.out.summary
    notes = SCORE_DRUGS.out.notes

    emit:
    table    // response.tsv
    extremes // response_summary.tsv
    summary  // drug_response.json
    notes    // drug_response.notes.json
}
