"""The molecule encoder: what a structure that was never screened has in common with the drugs that were.

Gaussian-process regression over drugs with the Tanimoto kernel of Morgan fingerprints gives each new structure weights over
the known drugs; its score is the grand mean and the weighted scores of those. Weights fall with distance, and with them
what the score says.
"""

from typing import TYPE_CHECKING

from strandwise.formats.molecules import tanimoto

if TYPE_CHECKING:
    import numpy

REGULARISER = 1.0
# From this similarity on a known drug counts as near.
NEAR = 0.4


def weights_over_known(new: "numpy.ndarray", known: "numpy.ndarray", regulariser: float = REGULARISER) -> "numpy.ndarray":
    """Weights (new drugs, known drugs) from fingerprints, bool (drugs, bits); known drugs without structure get 0."""
    import numpy

    has = known.any(axis=1)
    kernel = tanimoto(known[has], known[has])
    weights = numpy.zeros((len(new), len(known)), numpy.float32)
    inverse = numpy.linalg.inv(kernel + regulariser * numpy.eye(len(kernel)))
    weights[:, has] = tanimoto(new, known[has]) @ inverse
    return weights


def score_new(
    weights: "numpy.ndarray", known_mean: "numpy.ndarray", known_delta: "numpy.ndarray", has: "numpy.ndarray"
) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Mean ln IC50 (new drugs,) and delta (samples, new drugs) from those of the known drugs; has: which have a structure.

    What all drugs share (a sample that is sensitive to everything) is kept in full, only the drugs' differences are weighted.
    """
    grand = known_mean[has].mean()
    shared = known_delta[:, has].mean(axis=1, keepdims=True)
    return grand + weights @ (known_mean - grand), shared + (known_delta - shared) @ weights.T


def residuals_new(
    response: "numpy.ndarray", left_out: "numpy.ndarray", mean: "numpy.ndarray", known: "numpy.ndarray", groups: "numpy.ndarray"
) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Errors for drugs and lines that were both left out, ln µM (lines, drugs), and each drug's nearest known similarity.

    left_out: (lines, drugs) predictions of lines not trained on; groups: fold of each drug.
    """
    import numpy

    has = known.any(axis=1)
    errors = numpy.full(response.shape, numpy.nan)
    nearest = numpy.zeros(len(mean))
    for group in numpy.unique(groups[has]):
        test = has & (groups == group)
        rest = has & (groups != group)
        seen = known * rest[:, None]
        weights = weights_over_known(known[test], seen)
        new_mean, new_delta = score_new(weights, mean, left_out - mean, rest)
        errors[:, test] = response[:, test] - new_mean - new_delta
        nearest[test] = tanimoto(known[test], known[rest]).max(axis=1)
    return errors, nearest


def drug_groups(known: "numpy.ndarray", folds: int = 5) -> "numpy.ndarray":
    """Folds of drugs so that no two of different folds are more similar than 0.6 (linked groups stay together)."""
    import numpy

    group = numpy.arange(len(known))
    similar = tanimoto(known, known) > 0.6
    for one, other in zip(*numpy.nonzero(similar), strict=True):
        group[group == group[other]] = group[one]
    names, counts = numpy.unique(group, return_counts=True)
    sizes, place = [0] * folds, {}
    for name, count in sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0])):
        place[name] = sizes.index(min(sizes))
        sizes[place[name]] += count
    return numpy.array([place[name] for name in group.tolist()])
