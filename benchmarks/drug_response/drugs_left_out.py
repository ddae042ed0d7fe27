"""Drugs that were left out, on lines that were measured for the other drugs: ours beside a kernel over pairs."""

from pathlib import Path

import numpy as np
from setting import BOOTSTRAPS, Setting

from strandwise.drug_response.build import read_folds
from strandwise.drug_response.evaluate import Agreement, write_figures
from strandwise.drug_response.figures import LEAST_LINES, pearson
from strandwise.drug_response.layout import Training, read_training
from strandwise.drug_response.molecules import Drug, drug_groups, fit_molecules, place_new
from strandwise.drug_response.training import factor_ridge, make_reference
from strandwise.formats.molecules import fingerprints, tanimoto

REGULARISERS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
# Shares of shared targets and of the same pathway beside structure, of which the rival takes what does best within its training drugs.
SHARES = ((0.0, 0.0), (0.5, 0.25), (1.0, 0.5), (2.0, 1.0))
RIVAL = "kernel ridge over pairs (Tanimoto, targets, pathway × RBF of lines)"
ALONE, TOLD = "Strandwise, structure alone", "Strandwise, structure, targets, pathway"


def drugs(setting: Setting, output: Path) -> None:
    """Five folds of drugs, lines known; grand mean and line effect removed. Intervals and gains by resampling drugs."""
    training = read_training(setting.data)
    found = left_out(training, read_folds(setting.data / "splits_ldo.tsv", training.drugs, "drug"))
    has = ~np.isnan(next(iter(found.values()))[0]).all(axis=0)
    draws = np.random.default_rng(1).multinomial(has.sum(), np.full(has.sum(), 1 / has.sum()), BOOTSTRAPS)
    weights = np.vstack([np.ones(has.sum()), draws])
    figures = {name: _agreement(truth[:, has], guess[:, has], weights) for name, (truth, guess) in found.items()}
    write_figures(figures, TOLD, output)


def _agreement(truth: np.ndarray, guess: np.ndarray, weights: np.ndarray) -> Agreement:
    """Pooled and mean per-drug correlation for weights (resamples, drugs)."""
    known = ~np.isnan(truth)
    x, y = np.where(known, truth, 0), np.where(known, guess, 0)
    count, *sums = (part.sum(axis=0) for part in (known, x, y, x**2, y**2, x * y))
    often = count >= LEAST_LINES
    each = pearson(count[often], *(part[often] for part in sums))
    pooled = pearson(*(weights @ part for part in (count, *sums)))
    return Agreement(pooled, weights[:, often] @ each / weights[:, often].sum(axis=1))


def left_out(training: Training, parts: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each method truth and guess (lines, drugs); grand mean and line effect of the other drugs removed, gaps NaN.

    parts: fold of each drug, -1 for those without structure, which take no part.
    """
    reference = make_reference(training)
    scores = (training.scores - reference.mean) / reference.sd
    weighted = scores * np.sqrt(reference.sd)
    lines = 1 + weighted @ weighted.T / (weighted**2).sum(axis=1).mean() / 2
    distances = np.maximum((scores**2).sum(axis=1)[:, None] + (scores**2).sum(axis=1)[None] - 2 * scores @ scores.T, 0)
    rbf = np.exp(-distances / (2 * np.median(distances[np.triu_indices(len(distances), 1)])))
    bits = fingerprints(training.smiles)
    structure = tanimoto(bits, bits)
    targets = [{part.strip() for part in text.split(",") if part.strip()} for text in training.targets]
    shared = np.array([[len(one & other) / max(len(one | other), 1) for other in targets] for one in targets])
    pathways = np.array(training.pathways)
    same = (pathways[:, None] == pathways[None]) & (pathways != "")[:, None]
    groups = drug_groups(bits, 8)
    truth = np.full(training.response.shape, np.nan)
    found = {name: truth.copy() for name in (RIVAL, ALONE, TOLD)}
    for part in np.unique(parts[parts >= 0]):
        rest, test = np.flatnonzero((parts >= 0) & (parts != part)), np.flatnonzero(parts == part)
        response = training.response[:, rest]
        mean = np.nanmean(response, axis=0)
        effect = np.nanmean(response - mean, axis=1, keepdims=True)
        filled = factor_ridge(lines, response).filled
        truth[:, test] = training.response[:, test] - mean.mean() - effect
        kernels = [structure + target * shared + pathway * same for target, pathway in SHARES]
        found[RIVAL][:, test] = _rival(kernels, rbf, rest, test, filled - mean - effect, mean, groups[rest])
        known = [[column[drug] for drug in rest] for column in (training.smiles, training.targets, training.pathways)]
        molecules = fit_molecules(*known, filled, groups[rest])
        for name, told in ((ALONE, False), (TOLD, True)):
            drugs = [
                Drug("", training.smiles[drug], training.targets[drug] * told, training.pathways[drug] * told)
                for drug in test
            ]
            new = place_new(molecules, known[0], drugs)
            found[name][:, test] = new.mean + (filled - filled.mean(axis=0)) @ new.mix.T - mean.mean() - effect
    return {name: (truth, guess) for name, guess in found.items()}


def _rival(
    kernels: list[np.ndarray],
    lines: np.ndarray,
    rest: np.ndarray,
    test: np.ndarray,
    own: np.ndarray,
    mean: np.ndarray,
    groups: np.ndarray,
) -> np.ndarray:
    """Level by kernel ridge over drugs, differences by kernel ridge over pairs (Kronecker product); all chosen on inner folds.

    own: (lines, other drugs) differences from mean and line effect; mean: (other drugs,). Returns (lines, left-out drugs).
    """
    values, vectors = np.linalg.eigh(lines)
    turned = own.T @ vectors

    def level(kernel: np.ndarray, cross: np.ndarray, inside: np.ndarray, regulariser: float) -> np.ndarray:
        ridge = kernel + regulariser * np.eye(len(kernel))
        return cross @ np.linalg.solve(ridge, mean[inside] - mean[inside].mean())

    def pairs(kernel: np.ndarray, cross: np.ndarray, inside: np.ndarray, regulariser: float) -> np.ndarray:
        sizes, basis = np.linalg.eigh(kernel)
        both = np.outer(np.maximum(sizes, 0), values)
        return cross @ basis @ ((basis.T @ turned[inside]) / (both + regulariser) * values) @ vectors.T

    every, guesses = np.arange(len(rest)), []
    for predict, goal in ((level, mean - mean.mean()), (pairs, own.T)):
        best, chosen = np.inf, (kernels[0], REGULARISERS[0])
        for kernel in kernels:
            for regulariser in REGULARISERS if predict is level else (*REGULARISERS[3:], 6.4, 12.8, 25.6):
                error = 0.0
                for group in np.unique(groups):
                    inside, outside = every[groups != group], every[groups == group]
                    within = kernel[np.ix_(rest[inside], rest[inside])]
                    guess = predict(within, kernel[np.ix_(rest[outside], rest[inside])], inside, regulariser)
                    error += float(((goal[outside] - guess) ** 2).sum())
                if error < best:
                    best, chosen = error, (kernel, regulariser)
        kernel, regulariser = chosen
        guesses.append(predict(kernel[np.ix_(rest, rest)], kernel[np.ix_(test, rest)], every, regulariser))
    return guesses[0][None] + guesses[1].T
