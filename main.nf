#!/usr/bin/env nextflow
// Strandwise: reads become variants, a cohort becomes ranked cancer drivers, a tumour becomes drug scores, one report explains it.

include { INPUTS; checkedParameters; codeDigest; helpText; planWords } from './modules/inputs'
include { SMALL_VARIANTS } from './modules/small_variants'
include { EXPLANATION } from './modules/small_variants/explain'
include { JOINT } from './modules/small_variants/joint'
include { DRIVERS } from './modules/drivers'
include { DRUG_RESPONSE } from './modules/drug_response'
include { EVALUATION; TRAINING } from './modules/training/mode'
include { REPORT; closingWords } from './modules/report'

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
    noted = []
    workflow.onComplete {
        println(closingWords(options, noted))
    }
    assets = file("${projectDir}/assets")
    parameters = channel.of(groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(options)))
        .collectFile(name: 'parameters.json')
        .first()
    if (options.mode == 'train') {
        TRAINING(options, assets.resolve('genes'))
        parts = TRAINING.out.parts
        notes = TRAINING.out.notes
    }
    else if (options.mode == 'evaluate') {
        EVALUATION(options)
        parts = EVALUATION.out.tables
        notes = channel.empty()
    }
    else {
        INPUTS(options, parameters, assets.resolve('schema_input.json'), codeDigest('inputs.py', []))
        INPUTS.out.plan.subscribe { plan -> log.info(planWords(plan)) }
        if (options.validate_only) {
            return
        }
        ANALYSIS(options, assets, INPUTS.out.plan, INPUTS.out.alignments, INPUTS.out.reference)
        parts = INPUTS.out.plan_file.mix(ANALYSIS.out.parts)
        notes = INPUTS.out.notes.mix(ANALYSIS.out.notes)
    }
    notes.subscribe { path -> noted << path }
    REPORT(parts, notes, channel.topic('versions'), parameters, assets.resolve('multiqc_config.yml'), codeDigest('report.py', []))
}

// The jobs. What the plan does not hold gets an empty channel.
workflow ANALYSIS {
    take:
    options    // parameters, checked and typed
    assets     // folder of what is shipped
    plan       // jobs, samples, tables; a value
    alignments // [meta, [alignment, …], [index, …]]
    reference  // [fasta, fai] or [fasta, fai, gzi], a value; [] where there is none

    main:
    small_variants_model = file(options.small_variants_model ?: assets.resolve('models/small_variants'), type: 'dir')
    small_variants_code = codeDigest('small_variants.py', [small_variants_model, file("${projectDir}/core")])
    SMALL_VARIANTS(alignments, reference, small_variants_model, options, small_variants_code)

    EXPLANATION(
        SMALL_VARIANTS.out.calls,
        alignments,
        reference,
        small_variants_model,
        options,
        small_variants_code,
    )

    joint_parts = channel.empty()
    joint_notes = channel.empty()
    if (options.joint) {
        earlier = plan.flatMap { made -> made.gvcfs.collect { given -> [[sample: given.sample], file(given.path, glob: false), file(given.index, glob: false)] } }
        JOINT(
            SMALL_VARIANTS.out.gvcfs.mix(earlier),
            options.phase ? SMALL_VARIANTS.out.calls : channel.empty(),
            reference,
            options.pedigree ? file(options.pedigree, glob: false) : [],
            codeDigest('small_variants.py', []),
        )
        joint_parts = JOINT.out.parts
        joint_notes = JOINT.out.notes
    }

    drivers_model = file(options.drivers_model ?: assets.resolve('models/drivers'), type: 'dir')
    DRIVERS(
        plan.filter { made -> 'drivers' in made.jobs }.map { made -> filesAt(made.mafs) },
        drivers_model,
        assets.resolve('genes'),
        options.gene_features ? [file(options.gene_features, glob: false)] : [],
        reference,
        options.driver_prior ?: 'none',
        codeDigest('drivers.py', [drivers_model, assets.resolve('genes')]),
    )

    drug_response_model = file(options.drug_response_model ?: assets.resolve('models/drug_response'), type: 'dir')
    DRUG_RESPONSE(
        plan.filter { made -> 'drug_response' in made.jobs }.map { made -> filesAt(made.expression) },
        plan.map { made -> filesAt(made.mafs) },
        options.cohort_clinical ? [file(options.cohort_clinical, glob: false)] : [],
        options.drugs ? [file(options.drugs, glob: false)] : [],
        drug_response_model,
        assets.resolve('genes'),
        options.expression_scale ?: '',
        codeDigest('drug_response.py', [drug_response_model, assets.resolve('genes')]),
    )

    parts = SMALL_VARIANTS.out.parts.mix(
        EXPLANATION.out.parts,
        joint_parts,
        DRIVERS.out.table, DRIVERS.out.reasons, DRIVERS.out.oncoplot, DRIVERS.out.pairs, DRIVERS.out.calibration, DRIVERS.out.summary,
        DRUG_RESPONSE.out.table, DRUG_RESPONSE.out.extremes, DRUG_RESPONSE.out.summary,
    )
    notes = SMALL_VARIANTS.out.notes.mix(EXPLANATION.out.notes, joint_notes, DRIVERS.out.notes, DRUG_RESPONSE.out.notes)

    emit:
    parts // one file each for the report
    notes // one *.notes.json each
}

def filesAt(paths) {
    return paths.collect { path -> file(path, glob: false) }
}
