"""Lines left out as a cohort of another platform: how well samples of one tissue are ranked within each drug, by ways of reading them."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from setting import PATIENTS, Setting

from strandwise.drug_response.build import fit_model, predict, widen_unique
from strandwise.drug_response.domain import complete
from strandwise.drug_response.layout import Training, read_training
from strandwise.drug_response.model import Model
from strandwise.drug_response.molecules import panel_of
from strandwise.drug_response.network import delta
from strandwise.drug_response.reference import match
from strandwise.drug_response.rivals import kernel_ridge, kernel_ridge_drug_correlation
from strandwise.drug_response.samples import Samples
from strandwise.drug_response.score import is_blood
from strandwise.drug_response.score import predict as score
from strandwise.drug_response.training import Recipe
from strandwise.models.checkpoints import kept
from strandwise.progress import progress

COHORT, FEWEST_LINES, LEAST = 36, 46, 20
OURS = "Strandwise"


def made_platform(values: np.ndarray, random: np.random.Generator, noisy: bool) -> np.ndarray:
    """Each gene with a gain and an offset of its own; noisy: and measured with a reliability (correlation with what it was) of its own.

    values: (samples, genes) in units of the training lines.
    """
    genes = values.shape[1]
    reliable = np.clip(random.beta(3, 1.6, genes), 0.05, 0.98) if noisy else np.ones(genes)
    gain, offset = np.exp(random.normal(0, 0.35, genes)), random.normal(0, 2.2, genes)
    noise = random.standard_normal(values.shape) * values.std(axis=0)
    return (reliable * values + np.sqrt(1 - reliable**2) * noise) * gain + offset


def platforms(setting: Setting, output: Path) -> None:
    """For platforms with and without noise and for each way of reading: mean over cohorts, a draw of each tissue with enough lines."""
    training = read_training(setting.data)
    measured = set(pd.read_csv(PATIENTS, sep="\t", usecols=["gene"])["gene"])
    genes = np.flatnonzero([gene in measured for gene in training.genes])
    names, counts = np.unique(training.tissues, return_counts=True)
    tissues = names[counts >= FEWEST_LINES]
    cohorts = []
    for place, tissue in enumerate(progress(tissues, len(tissues), "cohorts")):
        make = partial(one_cohort, training, genes, tissue, np.random.default_rng([0, place]), setting.members)
        cohorts.append(kept(setting.work / f"{tissue}.npz", make))
    rows = []
    for name in cohorts[0]:
        kind, way = name.split(": ")
        values = np.array([cohort[name] for cohort in cohorts])
        gain = np.array([cohort[f"{kind}: {OURS}"] for cohort in cohorts]) - values
        row = {"platform": kind, "way": way, "per_drug": values.mean(), "gain": gain.mean()}
        row["standard_error"] = gain.std(ddof=1) / len(gain) ** 0.5
        rows.append(row | {"cohorts": len(gain), "cohorts_gained": int((gain > 0).sum())})
    pd.DataFrame(rows).to_csv(output, sep="\t", index=False, float_format="%.4f")


def one_cohort(
    training: Training, genes: np.ndarray, tissue: str, random: np.random.Generator, members: int
) -> dict[str, np.ndarray]:
    """Mean correlation within drugs of lines of one tissue, by `platform: way`. genes: places of those that the platform measures."""
    lines = np.flatnonzero(training.tissues == tissue)
    out = random.permutation(lines)[: min(COHORT, int(0.6 * len(lines)))]
    inside, outside = training.part(np.setdiff1d(np.arange(len(training.lines)), out)), training.part(out)
    model = fit_model(inside, Recipe(members=members))
    widen_unique(model, inside, float(np.median(1 - predict(model, outside)[2])))
    return {
        f"{kind}: {way}": np.array(within_drugs(outside.response, guess))
        for kind, noisy in (("gain and offset", False), ("and noise", True))
        for way, guess in ways(model, inside, outside, genes, random, noisy).items()
    }


def ways(
    model: Model, inside: Training, outside: Training, genes: np.ndarray, random: np.random.Generator, noisy: bool
) -> dict[str, np.ndarray]:
    """Predictions for the lines outside, (lines, drugs), up to a constant of each drug."""
    reference = model.reference
    own = ((outside.scores - reference.mean) / reference.sd)[:, genes]
    tissue = np.full(len(own), reference.tissues.index(outside.tissues[0]))
    values = match(reference, made_platform(own, random, noisy).astype(np.float32), genes, tissue).values
    nothing = np.full((len(own), len(model.events.names)), np.nan, np.float32)
    samples = Samples(outside.lines, len(own), values, genes, tissue, nothing, [0] * len(own), matched=True)
    panel = panel_of(model.drugs, model.smiles, model.molecules, model.encoder.drug_mean)
    filled = complete(model.encoder, model.domain, values, genes, reference.tissue_means[tissue])[0]
    blood, linear = is_blood(model, tissue), replace(model.encoder, network_share=0.0)
    few = replace(inside, genes=[inside.genes[gene] for gene in genes], scores=inside.scores[:, genes])
    measured = replace(outside, genes=few.genes, scores=values * reference.sd[genes] + reference.mean[genes])
    mended, scores = score(model, panel, samples)
    return {
        OURS: scores.delta,
        "without networks": delta(linear, mended, blood),
        "without networks, genes as measured": delta(linear, filled, blood),
        "kernel ridge, RBF, on the genes measured": kernel_ridge(few, measured),
        "kernel ridge, RBF and drug correlation, on these": kernel_ridge_drug_correlation(few, measured),
    }


def within_drugs(response: np.ndarray, guess: np.ndarray) -> float:
    """Mean Pearson correlation over drugs that enough of the lines were measured for."""
    known = ~np.isnan(response)
    return float(
        np.mean(
            [
                np.corrcoef(response[known[:, drug], drug], guess[known[:, drug], drug])[0, 1]
                for drug in np.flatnonzero(known.sum(axis=0) >= LEAST)
            ]
        )
    )
