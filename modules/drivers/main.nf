// Driver genes: ranks a cohort's genes by evidence of positive selection.

// Ranks the genes of one cohort from its MAF files.
process RANK_DRIVERS {
    tag "${mafs.size()} MAF"
    label 'inference'
    container "${params.container_registry}/models:${workflow.manifest.version}"

    input:
    path mafs, arity: '1..*', stageAs: 'mafs/?/*'
    path model
    path genes, stageAs: 'gene_tables'
    path gene_features, arity: '0..*', stageAs: 'gene_features/*'
    path reference, arity: '0..*'
    val prior // pancancer or none
    val code // digest of the package folders that the command uses

    output:
    path 'driver_genes.tsv', emit: table
    path 'driver_reasons.tsv', emit: reasons
    path 'driver_mutations.tsv', emit: mutations
    path 'oncoplot.tsv', emit: oncoplot
    path 'gene_pairs.tsv', emit: pairs
    path 'driver_calibration.tsv', emit: calibration
    path 'genes', emit: pages
    path 'drivers.json', emit: summary
    path 'drivers.notes.json', emit: notes
    tuple val(task.process), val('strandwise'), eval('drivers.py --version'), topic: versions

    script:
    def features = gene_features ? "--gene-features ${gene_features}" : ''
    def fasta = reference ? "--reference ${reference[0]}" : ''
    """
    # code ${code}
    drivers.py rank \\
        ${mafs.collect { maf -> "--maf ${maf}" }.join(' ')} \\
        --model ${model} \\
        --genes ${genes} \\
        ${features} \\
        ${fasta} \\
        --prior ${prior} \\
        --output driver_genes.tsv \\
        --summary drivers.json \\
        --notes drivers.notes.json
    """
}

workflow DRIVERS {
    take:
    mafs          // [maf, …] of one cohort
    model         // model folder
    genes         // folder of gene tables (assets/genes)
    gene_features // [table] in place of the shipped one, or []
    reference     // [fasta, fai], or [] when alleles are not checked
    prior         // pancancer or none: whether what other cohorts taught gets a rank of its own
    code          // digest of the code

    main:
    RANK_DRIVERS(mafs, model, genes, gene_features, reference, prior, code)
    table = RANK_DRIVERS.out.table
    reasons = RANK_DRIVERS.out.reasons
    oncoplot = RANK_DRIVERS.out.oncoplot
    pairs = RANK_DRIVERS.out.pairs
    calibration = RANK_DRIVERS.out.calibration
    summary = RANK_DRIVERS.out.summary
    notes = RANK_DRIVERS.out.notes

    emit:
    table    // driver_genes.tsv
    reasons  // driver_reasons.tsv
    oncoplot // oncoplot.tsv
    pairs    // gene_pairs.tsv
    calibration // driver_calibration.tsv
    summary  // drivers.json
    notes    // drivers.notes.json
}
