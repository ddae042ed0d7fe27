"""The molecule encoder: what a structure that was never screened has in common with the drugs that were.

Gaussian-process regression over drugs with the Tanimoto kernel of Morgan fingerprints gives each new structure weights over
the known drugs; its score is the grand mean and the weighted scores of those. Weights fall with distance, and with them
what the score says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.molecules import fingerprints, read_drugs, tanimoto

if TYPE_CHECKING:
    import numpy

REGULARISER = 1.0
# From this similarity on a known drug counts as near.
NEAR = 0.4


def weights_over_known(
    new: "numpy.ndarray", known: "numpy.ndarray", regulariser: float = REGULARISER
) -> "numpy.ndarray":
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


@dataclass
class Panel:
    """The drugs to score. mix: (panel, known drugs), a score is the mix of scores of known drugs (one of them, as a rule).

    mean: (panel,) expected ln IC50 of a mean line; place: (panel,) of the known drug, -1 for structures never screened;
    nearest, similarity: the known drug that is most alike and its Tanimoto similarity (1 for known ones).
    """

    names: list[str]
    mix: "numpy.ndarray"
    mean: "numpy.ndarray"
    place: "numpy.ndarray"
    nearest: list[str]
    similarity: "numpy.ndarray"


def panel_of(known: list[str], packed: "numpy.ndarray", mean: "numpy.ndarray", path: Path | None) -> Panel:
    """All known drugs, or those that a file asks for: by name, or by SMILES where the name is not known.

    packed: fingerprints of the known drugs, 8 bits a byte. Raises InputError: see read_drugs; an unknown drug without SMILES.
    """
    import numpy

    if path is None:
        every = len(known)
        return Panel(known, numpy.eye(every, dtype=numpy.float32), mean, numpy.arange(every), known, numpy.ones(every))
    asked = read_drugs(path)
    places = {name.lower(): place for place, name in enumerate(known)}
    place = numpy.array([places.get(drug.name.lower(), -1) for drug in asked])
    problems = [
        f"{path.name}: drug '{drug.name}' has no SMILES and is none of the {len(known)} drugs of the model; give a SMILES"
        for drug, found in zip(asked, place, strict=True)
        if found < 0 and not drug.smiles
    ]
    if problems:
        raise InputError(*problems)
    mix = numpy.zeros((len(asked), len(known)), numpy.float32)
    means, nearest, similarity = numpy.zeros(len(asked), numpy.float32), [""] * len(asked), numpy.ones(len(asked))
    old, new = numpy.flatnonzero(place >= 0), numpy.flatnonzero(place < 0)
    mix[old, place[old]], means[old] = 1, mean[place[old]]
    for row in old:
        nearest[row] = known[place[row]]
    if len(new):
        bits = numpy.unpackbits(packed, axis=1).astype(bool)
        given = fingerprints([asked[row].smiles for row in new])
        weights, has = weights_over_known(given, bits), bits.any(axis=1)
        means[new] = mean[has].mean() + weights @ (mean - mean[has].mean())
        # Score of the mean drug in full, differences from it by weight: one linear mix of the known drugs.
        mix[new] = weights + (1 - weights.sum(axis=1, keepdims=True)) * has / has.sum()
        alike = tanimoto(given, bits)
        similarity[new] = alike.max(axis=1)
        for row, best in zip(new, alike.argmax(axis=1), strict=True):
            nearest[row] = known[best]
    return Panel([drug.name for drug in asked], mix, means, place, nearest, similarity)


def residuals_new(
    response: "numpy.ndarray",
    left_out: "numpy.ndarray",
    mean: "numpy.ndarray",
    known: "numpy.ndarray",
    groups: "numpy.ndarray",
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
