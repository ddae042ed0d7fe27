"""The molecule encoder: what a structure that was never screened has in common with the drugs that were.

Gaussian-process regression over drugs (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, ch. 2): a drug's
likeness to the screened ones, by its structure and, where they are known, its targets and pathway, gives weights over them; its
scores are the weighted scores of those. How potent it is (the level of its ln IC50) is the mean of such a regression and of
boosted trees on its descriptors. Weights fall with distance, and with them what the score says.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.drug_response.targets import tokens
from strandwise.errors import InputError
from strandwise.formats.molecules import (
    Drug,
    count_fingerprints,
    descriptors,
    fingerprints,
    read_drugs,
    tanimoto,
    tanimoto_of_counts,
)
from strandwise.formats.notes import Note

if TYPE_CHECKING:
    import numpy

REGULARISERS = (0.03, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
INNER_FOLDS = 8
# Share of descriptors beside the mean of the four fingerprints, of targets, families and pathway: equal or half, not tuned.
DESCRIPTOR_SHARE = 0.25
TOKEN_SHARES = {"target": 1.0, "family": 1.0, "pathway": 0.5}
# From this similarity on a known drug counts as near.
NEAR = 0.4
# Fewer drugs with a structure than this, and nothing is learned from structures.
FEWEST = 5


@dataclass
class Molecules:
    """Coefficients over the known drugs (K with a structure, in the order of the model's drugs).

    has: bool (drugs,) which have a structure; by_structure: (K, K) inverse of the likenesses by structure; with_targets: (K, K)
    the same by structure, targets and pathway; words: names of tokens; by_word: (words, K) what each adds to the weights;
    level: (K,) coefficients of the mean ln IC50 around `grand`; trees: boosted trees on descriptors, as XGBoost stores them, bytes;
    centre, spread: (descriptors,); scale: squared distance of descriptors that counts as far.
    """

    has: "numpy.ndarray"
    by_structure: "numpy.ndarray"
    with_targets: "numpy.ndarray"
    words: "numpy.ndarray"
    by_word: "numpy.ndarray"
    level: "numpy.ndarray"
    grand: "numpy.ndarray"
    trees: "numpy.ndarray"
    centre: "numpy.ndarray"
    spread: "numpy.ndarray"
    scale: "numpy.ndarray"

    @classmethod
    def nothing(cls, drugs: int) -> "Molecules":
        """What a model without structures knows of new ones."""
        import numpy

        none, empty = numpy.zeros((0, 0)), numpy.zeros(0)
        return cls(
            numpy.zeros(drugs, bool), none, none, numpy.zeros(0, str), none, empty, numpy.array(0.0),
            numpy.zeros(0, numpy.uint8), empty, empty, numpy.array(1.0),
        )  # fmt: skip

    def words_of(self) -> list[list[str]]:
        """Words (targets, families, pathway) of each of the model's drugs, read back from the coefficients."""
        import numpy

        found: list[list[str]] = [[] for _ in self.has]
        if len(self.words):
            features = numpy.linalg.solve(self.with_targets.astype(float).T, self.by_word.astype(float).T)
            for drug, row in zip(numpy.flatnonzero(self.has), features, strict=True):
                found[drug] = self.words[row > 0.05].tolist()
        return found

    def arrays(self) -> dict[str, "numpy.ndarray"]:
        import numpy

        # By design `level` and `grand` add up to ln µM: they keep full width, weights do with half.
        narrow = ("by_structure", "with_targets", "by_word", "centre", "spread")
        half = {name: getattr(self, name).astype(numpy.float32) for name in narrow}
        return {field.name: half.get(field.name, getattr(self, field.name)) for field in fields(self)}


@dataclass
class Likeness:
    """What drugs are compared by. prints: four counts (drugs, bits); properties: (drugs, descriptors) standardised."""

    prints: list["numpy.ndarray"]
    properties: "numpy.ndarray"


def describe(
    smiles: list[str], centre: "numpy.ndarray | None" = None, spread: "numpy.ndarray | None" = None
) -> Likeness:
    """Likeness of structures; centre and spread of the descriptors are those of these drugs where they are not given."""
    import numpy

    values = descriptors(smiles)
    if centre is None or spread is None:
        centre, spread = numpy.nanmean(values, axis=0), numpy.maximum(numpy.nanstd(values, axis=0), 1e-6)
    return Likeness(count_fingerprints(smiles), numpy.clip(numpy.nan_to_num((values - centre) / spread), -4, 4))


def by_structure(one: Likeness, other: Likeness, scale: float) -> "numpy.ndarray":
    """Mean likeness of the fingerprints plus that of the descriptors, (drugs of one, drugs of other)."""
    import numpy

    alike = sum(tanimoto_of_counts(ours, theirs) for ours, theirs in zip(one.prints, other.prints, strict=True))
    return alike / len(one.prints) + DESCRIPTOR_SHARE * numpy.exp(-distances(one, other) / (2 * scale))


def distances(one: Likeness, other: Likeness) -> "numpy.ndarray":
    """Squared distances of descriptors."""
    import numpy

    ours, theirs = one.properties, other.properties
    inner = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)[None] - 2 * ours @ theirs.T
    return numpy.maximum(inner, 0)


def word_features(given: list[list[str]], words: list[str]) -> "numpy.ndarray":
    """Tokens as features whose inner products are likenesses, float (drugs, words): cosine within each kind, times its share."""
    import numpy

    place = {word: index for index, word in enumerate(words)}
    features = numpy.zeros((len(given), len(words)))
    for row, some in enumerate(given):
        for kind, share in TOKEN_SHARES.items():
            of_kind = [word for word in some if word.startswith(f"{kind} ")]
            for word in of_kind:
                if word in place:
                    features[row, place[word]] = (share / len(of_kind)) ** 0.5
    return features


def fit_molecules(
    smiles: list[str], targets: list[str], pathways: list[str], response: "numpy.ndarray", groups: "numpy.ndarray"
) -> Molecules:
    """Learn from drugs with a structure. response: (lines, drugs) ln µM without gaps; groups: fold of each drug, similar ones together.

    Regularisers are those with the least error on drugs left out in these groups.
    """
    import numpy

    has = numpy.array([bool(text) for text in smiles])
    known = numpy.flatnonzero(has)
    if len(known) < FEWEST:
        return Molecules.nothing(len(smiles))
    values = descriptors([smiles[drug] for drug in known])
    centre, spread = numpy.nanmean(values, axis=0), numpy.maximum(numpy.nanstd(values, axis=0), 1e-6)
    ours = describe([smiles[drug] for drug in known], centre, spread)
    between = distances(ours, ours)
    scale = float(numpy.median(between[numpy.triu_indices(len(known), 1)]))
    given = [tokens(targets[drug], pathways[drug]) for drug in known]
    words = sorted({word for some in given for word in some})
    features = word_features(given, words)
    structure = by_structure(ours, ours, scale)
    both = structure + features @ features.T
    folds = groups[known]
    mean = response[:, known].mean(axis=0)
    around = (response[:, known] - mean - (response[:, known] - mean).mean(axis=1, keepdims=True)).T
    grand = float(mean.mean())
    level = _inverse(structure, (mean - grand)[:, None], folds) @ (mean - grand)
    with_targets = _inverse(both, around, folds)
    return Molecules(
        has, _inverse(structure, around, folds), with_targets, numpy.array(words, str), features.T @ with_targets, level,
        numpy.array(grand), fit_trees(ours.properties, mean - grand), centre, spread, numpy.array(scale),
    )  # fmt: skip


def _inverse(kernel: "numpy.ndarray", values: "numpy.ndarray", folds: "numpy.ndarray") -> "numpy.ndarray":
    """Inverse of kernel + regulariser; the regulariser with the least squared error on folds left out. values: (drugs, outputs)."""
    import numpy

    def error(regulariser: float) -> float:
        total = 0.0
        for fold in numpy.unique(folds):
            test, rest = folds == fold, folds != fold
            ridge = kernel[numpy.ix_(rest, rest)] + regulariser * numpy.eye(rest.sum())
            guess = kernel[numpy.ix_(test, rest)] @ numpy.linalg.solve(ridge, values[rest])
            total += float(((values[test] - guess) ** 2).sum())
        return total

    return numpy.linalg.inv(kernel + min(REGULARISERS, key=error) * numpy.eye(len(kernel)))


def fit_trees(properties: "numpy.ndarray", level: "numpy.ndarray") -> "numpy.ndarray":
    """Boosted trees on descriptors for the level of a drug around the grand mean; bytes, uint8."""
    import numpy
    from xgboost import XGBRegressor

    trees = XGBRegressor(
        n_estimators=300, max_depth=4, learning_rate=0.03, subsample=0.6, colsample_bynode=0.2, min_child_weight=4, n_jobs=1,
        random_state=1, base_score=0.0,
    )  # fmt: skip
    trees.fit(properties, level)
    return numpy.frombuffer(bytes(trees.get_booster().save_raw("ubj")), numpy.uint8)


@dataclass
class New:
    """Structures that were never screened. mix: (new, drugs) weights over all known drugs; mean: (new,) ln µM of a mean line;
    similarity, nearest: to the most alike known drug (Tanimoto of Morgan bits) and its place; told: whether a known target or
    pathway was given."""

    mix: "numpy.ndarray"
    mean: "numpy.ndarray"
    similarity: "numpy.ndarray"
    nearest: "numpy.ndarray"
    told: "numpy.ndarray"


def place_new(molecules: Molecules, smiles: list[str], new: list[Drug]) -> New:
    """Weights and level of new drugs; smiles: those of the known drugs."""
    import numpy
    from xgboost import DMatrix
    from xgboost.core import Booster

    known = numpy.flatnonzero(molecules.has)
    texts = [drug.smiles for drug in new]
    ours = describe([smiles[drug] for drug in known], molecules.centre, molecules.spread)
    theirs = describe(texts, molecules.centre, molecules.spread)
    structure = by_structure(theirs, ours, float(molecules.scale))
    words = word_features([tokens(drug.targets, drug.pathway) for drug in new], molecules.words.tolist())
    told = numpy.asarray((words > 0).any(axis=1))
    weights = numpy.where(
        told[:, None],
        structure @ molecules.with_targets + words @ molecules.by_word,
        structure @ molecules.by_structure,
    )
    booster = Booster()
    booster.load_model(bytearray(molecules.trees.tobytes()))
    potency = (structure @ molecules.level + booster.predict(DMatrix(theirs.properties))) / 2
    alike = tanimoto(fingerprints(texts), fingerprints(smiles))
    # What all drugs share (a sample that is sensitive to everything) is kept in full, the drugs' differences are weighted.
    mix = numpy.zeros((len(new), len(smiles)), numpy.float32)
    mix[:, known] = weights + (1 - weights.sum(axis=1, keepdims=True)) / len(known)
    return New(mix, float(molecules.grand) + potency, alike.max(axis=1), alike.argmax(axis=1), told)


@dataclass
class Panel:
    """The drugs to score. mix: (panel, known drugs), a score is the mix of scores of known drugs (one of them, as a rule).

    mean: (panel,) expected ln IC50 of a mean line; place: (panel,) of the known drug, -1 for structures never screened;
    nearest, similarity: the known drug that is most alike and its Tanimoto similarity (1 for known ones); told: whether a
    target or pathway that the model knows was given with a new one.
    """

    names: list[str]
    mix: "numpy.ndarray"
    mean: "numpy.ndarray"
    place: "numpy.ndarray"
    nearest: list[str]
    similarity: "numpy.ndarray"
    told: "numpy.ndarray"
    notes: list[Note]


def panel_of(
    known: list[str], smiles: list[str], molecules: Molecules, mean: "numpy.ndarray", path: Path | None = None
) -> Panel:
    """All known drugs, or those that a file asks for: by name, or by SMILES where the name is not known.

    Raises InputError: see read_drugs; an unknown drug without SMILES; new drugs where the model knows no structures.
    """
    import numpy

    if path is None:
        every = len(known)
        return Panel(
            known, numpy.eye(every, dtype=numpy.float32), mean, numpy.arange(every), known, numpy.ones(every),
            numpy.ones(every, bool), [],
        )  # fmt: skip
    asked = read_drugs(path)
    places = {name.lower(): place for place, name in enumerate(known)}
    place = numpy.array([places.get(drug.name.lower(), -1) for drug in asked])
    old, new = numpy.flatnonzero(place >= 0), numpy.flatnonzero(place < 0)
    problems = [
        f"{path.name}: drug '{asked[row].name}' has no SMILES and is none of the {len(known)} drugs of the model; give a SMILES"
        for row in new
        if not asked[row].smiles
    ]
    if len(new) and not molecules.has.any():
        problems.append(f"{path.name}: the model knows no structures; only its own {len(known)} drugs can be scored")
    if problems:
        raise InputError(*problems)
    mix = numpy.zeros((len(asked), len(known)), numpy.float32)
    means, similarity, told = (
        numpy.zeros(len(asked), numpy.float32),
        numpy.ones(len(asked)),
        numpy.ones(len(asked), bool),
    )
    mix[old, place[old]], means[old] = 1, mean[place[old]]
    nearest = [known[row] if row >= 0 else "" for row in place]
    notes: list[Note] = []
    if len(new):
        drugs = [asked[row] for row in new]
        found = place_new(molecules, smiles, drugs)
        mix[new], means[new], similarity[new], told[new] = found.mix, found.mean, found.similarity, found.told
        for row, best in zip(new, found.nearest, strict=True):
            nearest[row] = known[best]
        notes = unknown_words(molecules, drugs, path.name)
    return Panel([drug.name for drug in asked], mix, means, place, nearest, similarity, told, notes)


def unknown_words(molecules: Molecules, drugs: list[Drug], where: str) -> list[Note]:
    """Targets and pathways of new drugs that no screened drug has: they tell nothing."""
    known = set(molecules.words.tolist())
    lost: dict[str, None] = {}
    for drug in drugs:
        words = tokens(drug.targets, drug.pathway)
        # A target whose family is known still says something.
        if not known & {word for word in words if not word.startswith("pathway ")}:
            lost |= dict.fromkeys(word for word in words if word.startswith("target "))
        lost |= dict.fromkeys(word for word in words if word.startswith("pathway ") and word not in known)
    if not lost:
        return []
    some = ", ".join(list(lost)[:8]) + (f" and {len(lost) - 8} more" if len(lost) > 8 else "")
    return [
        Note("warning", f"{where}: no screened drug has this target, family or pathway: {some}; it says nothing here.")
    ]


def drugs_left_out(
    smiles: list[str],
    targets: list[str],
    pathways: list[str],
    filled: "numpy.ndarray",
    scores: "numpy.ndarray",
    folds: "numpy.ndarray",
) -> tuple["numpy.ndarray", "numpy.ndarray", "numpy.ndarray"]:
    """Predictions for drugs that were left out, by structure alone and with targets, ln µM (lines, drugs), NaN without structure.

    filled: (lines, drugs) responses to learn from; scores: (lines, drugs) what is weighted (the same where lines are known,
    predictions of lines left out where they are not); folds: of each drug, -1 for those that have none. Third: each drug's
    similarity to the nearest of the others.
    """
    import numpy

    found = [numpy.full(filled.shape, numpy.nan) for _ in range(2)]
    nearest = numpy.zeros(len(smiles))
    groups = drug_groups(fingerprints(smiles), INNER_FOLDS)
    for fold in numpy.unique(folds[folds >= 0]):
        rest, test = numpy.flatnonzero((folds >= 0) & (folds != fold)), numpy.flatnonzero(folds == fold)
        known, *words = ([column[drug] for drug in rest] for column in (smiles, targets, pathways))
        molecules = fit_molecules(known, words[0], words[1], filled[:, rest], groups[rest])
        if not molecules.has.any():
            continue
        around = scores[:, rest] - filled[:, rest].mean(axis=0)
        for guess, told in zip(found, (False, True), strict=True):
            new = [
                Drug("", smiles[drug], targets[drug] if told else "", pathways[drug] if told else "") for drug in test
            ]
            placed = place_new(molecules, known, new)
            guess[:, test] = placed.mean + around @ placed.mix.T
            nearest[test] = placed.similarity
    return found[0], found[1], nearest


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
