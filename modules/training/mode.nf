// The modes train and evaluate. A killed training goes on from checkpoints in a folder that outlasts its task.

include { SMALL_VARIANTS_EVALUATION; SMALL_VARIANTS_TRAINING } from '../small_variants/training'
include { DRIVERS_TRAINING } from '../drivers/training'
include { DRUG_RESPONSE_TRAINING } from '../drug_response/training'
include { checkpointFolder } from './place'

workflow TRAINING {
    take:
    options // parameters, checked and typed
    genes   // folder of gene tables

    main:
    meta = [id: options.model_name, use_gpu: options.use_gpu]
    notes = channel.empty()
    if (options.model == 'drivers') {
        models = DRIVERS_TRAINING(options, meta, genes)
    }
    else if (options.model == 'drug_response') {
        DRUG_RESPONSE_TRAINING(options, meta + [checkpoints: checkpointFolder(options)])
        models = DRUG_RESPONSE_TRAINING.out.model
        notes = DRUG_RESPONSE_TRAINING.out.notes
    }
    else {
        SMALL_VARIANTS_TRAINING(options, meta + [checkpoints: checkpointFolder(options)])
        models = SMALL_VARIANTS_TRAINING.out.model
        notes = SMALL_VARIANTS_TRAINING.out.notes
    }
    parts = models.flatMap { model -> ['card.json', 'history.tsv'].collect { name -> model.resolve(name) }.findAll { path -> path.exists() } }

    emit:
    parts // the model's card, and history.tsv where there are networks
    notes // one *.notes.json each
}

// Scores calls against a truth. Here and not in main.nf, because the strict parser takes a script that includes functions once only.
workflow EVALUATION {
    take:
    options // parameters, checked and typed

    main:
    SMALL_VARIANTS_EVALUATION(options)
    tables = SMALL_VARIANTS_EVALUATION.out.tables

    emit:
    tables // scores by stratum, reliability of GQ
}
