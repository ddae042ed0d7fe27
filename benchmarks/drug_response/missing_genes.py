"""Lines left out with half their genes masked, filled by the mean of the tissue or by tissue and components; no networks."""

from pathlib import Path

import numpy as np
import pandas as pd
from setting import Setting

from strandwise.drug_response.build import read_folds
from strandwise.drug_response.domain import complete
from strandwise.drug_response.figures import agreement
from strandwise.drug_response.layout import read_training
from strandwise.drug_response.model import Domain
from strandwise.drug_response.network import delta
from strandwise.drug_response.training import Recipe, fit, is_blood, make_reference
from strandwise.progress import progress

INPUTS = ("all genes", "half, mean of the tissue", "half, tissue and components")


def masked(setting: Setting, output: Path) -> None:
    training = read_training(setting.data)
    parts = read_folds(setting.data / "splits_lco.tsv", training.lines)
    random = np.random.default_rng(7)
    guesses = {name: np.zeros(training.response.shape) for name in INPUTS}
    for fold in progress(np.unique(parts), len(np.unique(parts)), "folds"):
        inside = np.flatnonzero(parts != fold)
        encoder, factors = fit(training.part(inside), Recipe(members=0))
        reference = make_reference(training.part(inside))
        scores = ((training.scores - reference.mean) / reference.sd).astype(np.float32)
        outside = np.flatnonzero(parts == fold)
        values, blood = scores[outside], is_blood(training.tissues[outside])
        nothing = np.zeros(values.shape[1], np.float32)
        known = dict(zip(reference.tissues, reference.tissue_means, strict=True))
        centre = np.array([known.get(tissue, nothing) for tissue in training.tissues[outside]])
        genes = np.sort(random.permutation(values.shape[1])[: values.shape[1] // 2])
        domain = Domain(0, 0, 0, (scores[inside] @ encoder.projection).std(axis=0), nothing)
        filled = centre.copy()
        filled[:, genes] = values[:, genes]
        completed = complete(encoder, domain, values[:, genes], genes, centre)[0]
        for name, given in zip(INPUTS, (values, filled, completed), strict=True):
            guesses[name][outside] = factors.drug_mean + delta(encoder, given, blood)
    rows = [(name, *agreement(training.response, guess, parts)) for name, guess in guesses.items()]
    table = pd.DataFrame(rows, columns=["input", "normalised", "per_drug"])
    table.to_csv(output, sep="\t", index=False, float_format="%.4f")
