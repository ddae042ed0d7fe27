"""Scores of drugs that were left out, for lines that were not: by structure, targets and pathway."""

import numpy as np

from strandwise.drug_response.layout import Training
from strandwise.drug_response.training import factor_ridge, make_reference
from strandwise.formats.molecules import fingerprints, tanimoto

REGULARISERS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


def kernels(training: Training) -> dict[str, np.ndarray]:
    """Similarities of drugs (drugs, drugs): structure alone, and the mean of structure, shared targets and pathway."""
    bits = fingerprints(training.smiles)
    structure = tanimoto(bits, bits)
    targets = [{part.strip() for part in text.split(",") if part.strip()} for text in training.targets]
    shared = np.array([[len(one & other) / max(len(one | other), 1) for other in targets] for one in targets])
    pathways = np.array(training.pathways)
    same = (pathways[:, None] == pathways[None]) & (pathways != "")[:, None]
    return {"structure": structure, "structure, targets, pathway": structure + shared + 0.5 * same}


def left_out(training: Training, parts: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each kernel: truth and guess (lines, drugs), grand mean and line effect of the other drugs removed, gaps NaN."""
    reference = make_reference(training)
    scores = (training.scores - reference.mean) / reference.sd * np.sqrt(reference.sd)
    lines = 1 + scores @ scores.T / (scores**2).sum(axis=1).mean() / 2
    found = {}
    for name, kernel in kernels(training).items():
        truth, guess = np.full(training.response.shape, np.nan), np.full(training.response.shape, np.nan)
        for part in np.unique(parts[parts >= 0]):
            rest, test = (parts >= 0) & (parts != part), parts == part
            response = training.response[:, rest]
            mean = np.nanmean(response, axis=0)
            effect = np.nanmean(response - mean, axis=1, keepdims=True)
            # What lines alike have in common, mixed with what was measured: single measurements are half noise.
            smooth = factor_ridge(lines, response)
            own = (smooth.filled + smooth.left_out) / 2 - mean - effect
            truth[:, test] = training.response[:, test] - mean.mean() - effect
            guess[:, test] = _regressed(kernel[np.ix_(rest, rest)], kernel[np.ix_(test, rest)], mean - mean.mean())
            guess[:, test] += _regressed(kernel[np.ix_(rest, rest)], kernel[np.ix_(test, rest)], own.T).T
        found[name] = truth, guess
    return found


def _regressed(kernel: np.ndarray, cross: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Kernel ridge over drugs, regulariser with the least leave-one-drug-out error."""
    best, chosen = np.inf, np.zeros(())
    for regulariser in REGULARISERS:
        inverse = np.linalg.inv(kernel + regulariser * np.eye(len(kernel)))
        # Leave-one-out residual of kernel ridge: (K + λ)⁻¹ y over the diagonal of the inverse.
        error = float((((inverse @ values).T / np.diag(inverse)) ** 2).sum())
        if error < best:
            best, chosen = error, cross @ inverse @ values
    return chosen
