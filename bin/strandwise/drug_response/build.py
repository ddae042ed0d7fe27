"""Trains a whole model: encoder, mutations, molecules, and from lines left out its intervals, its domain and its figures."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.drug_response.domain import complete, expected
from strandwise.drug_response.figures import agreement, per_drug_mean
from strandwise.drug_response.intervals import LEVEL, half_widths, widening
from strandwise.drug_response.layout import Training, read_training
from strandwise.drug_response.model import QUANTILES, Domain, Events, Intervals, Model, save
from strandwise.drug_response.molecules import FEWEST, NEAR, Molecules, drug_groups, drugs_left_out, fit_molecules
from strandwise.drug_response.network import delta
from strandwise.drug_response.programmes import Programmes, find_programmes
from strandwise.drug_response.reference import Reference, nearest_tissues
from strandwise.drug_response.training import (
    Recipe,
    corrections,
    factor_ridge,
    fit,
    is_blood,
    learning_curve,
    make_reference,
)
from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.molecules import fingerprints
from strandwise.models import checkpoints
from strandwise.progress import progress

if TYPE_CHECKING:
    import numpy

EVENT_Z = 5.0
FOLDS = 5
LICENCE = (
    "Research and education only; no resale, no commercial service (terms of the GDSC data that the weights were trained on; see "
    "LICENCE in this folder)"
)


@dataclass
class LeftOut:
    """Predictions for lines by a model that did not see them, ln µM (lines, drugs); strange: (lines,) see intervals.py."""

    prediction: "numpy.ndarray"
    mutations_only: "numpy.ndarray"
    explained: "numpy.ndarray"
    distance: "numpy.ndarray"


def train(
    folder: Path,
    output: Path,
    recipe: Recipe,
    name: str,
    version: str,
    folds: Path | None = None,
    predictions: Path | None = None,
    work: Path | None = None,
) -> dict[str, Any]:
    """Train on a training folder (layout.py) and write a model folder. Returns the card's figures.

    folds: TSV line, fold; by default five random parts. predictions: where to keep the predictions of lines left out.
    work: folder of checkpoints, by default output/training; killed and started again with the same data and recipe,
    training goes on there after the last whole network. Raises InputError for checkpoints of another training.
    """
    import numpy

    training = read_training(folder)
    work = work or output / "training"
    checkpoints.begin(work, {"data": fingerprints_of(folder, folds), "recipe": asdict(recipe)})
    parts = read_folds(folds, training.lines) if folds else random_folds(len(training.lines), FOLDS, recipe.seed)
    left_out = cross_fit(training, parts, recipe, work)
    tissue_parts = tissue_folds(training.tissues, FOLDS)
    # The linear part does for the width of intervals; with the networks errors are a little smaller.
    strangers = cross_fit(training, tissue_parts, replace(recipe, members=0))
    if predictions:
        numpy.savez_compressed(
            predictions, lines=left_out.prediction, folds=parts, tissues=strangers.prediction, tissue_folds=tissue_parts
        )
    model = fit_model(training, recipe, work / "all")
    figures = finish(model, training, (left_out, parts), (strangers, tissue_parts), recipe.seed)
    details = {
        "name": name,
        "version": version,
        "licence": LICENCE,
        "inputs": "expression (log scale, TPM, counts or z scores; at least a quarter of the genes), mutations (MAF), tissue; new drugs by SMILES, with targets and pathway if known",
        "trained_on": {"lines": len(training.lines), "drugs": len(training.drugs), "pairs": int((~numpy.isnan(training.response)).sum())},
        "recipe": recipe.__dict__,
        "figures": figures,
        "limits": "Cell lines are not patients. For research; not for treatment decisions.",
    }  # fmt: skip
    save(model, output, details)
    write_history(learning_curve(work), output / "history.tsv")
    checkpoints.end(work)
    if work.parent == output:
        work.rmdir()
    return figures


def fingerprints_of(folder: Path, folds: Path | None) -> dict[str, str]:
    """What the training depends on: its tables, and the folds if they are given."""
    paths = [path for path in sorted(folder.iterdir()) if path.is_file()]
    return {path.name: checkpoints.fingerprint(path) for path in [*paths, *([folds] if folds else [])]}


def write_history(curve: list[tuple[float, float]], path: Path) -> None:
    """Learning curve of the networks: mean squared error, responses in units of each drug's standard deviation."""
    lines = [f"networks\t{epoch}\t{seen:.6f}\t{unseen:.6f}\n" for epoch, (seen, unseen) in enumerate(curve, 1)]
    with written(path) as temporary:
        temporary.write_text("network\tepoch\ttrain_loss\ttune_loss\n" + "".join(lines))


def random_folds(lines: int, folds: int, seed: int) -> "numpy.ndarray":
    import numpy

    return numpy.random.default_rng(seed).permutation(lines) % folds


def read_folds(path: Path, names: list[str], column: str = "line") -> "numpy.ndarray":
    """Fold of each line (or drug), -1 where the file does not name it. Raises InputError where a column is missing."""
    import pandas

    frame = pandas.read_csv(path, sep="\t", dtype={column: str})
    if column not in frame or "fold" not in frame:
        raise InputError(f"{path.name}: columns {column} and fold are needed; it has {', '.join(frame.columns)}")
    return frame.set_index(column)["fold"].reindex(names).fillna(-1).astype(int).to_numpy()


def tissue_folds(tissues: "numpy.ndarray", folds: int) -> "numpy.ndarray":
    """Whole tissues put into folds of about equal size, largest first."""
    import numpy

    names, counts = numpy.unique(tissues, return_counts=True)
    sizes, place = [0] * folds, {}
    for name, count in sorted(zip(names, counts, strict=True), key=lambda pair: (-pair[1], pair[0])):
        place[name] = sizes.index(min(sizes))
        sizes[place[name]] += count
    return numpy.array([place[name] for name in tissues])


def fit_model(training: Training, recipe: Recipe, work: Path | None = None, held_out: Training | None = None) -> Model:
    """Encoder and mutations; intervals and domain are still to come (finish). work, held_out: see training.fit."""
    import numpy

    encoder, factors = fit(training, recipe, work, held_out)
    reference = make_reference(training)
    scores = (training.scores - reference.mean) / reference.sd
    components_sd = numpy.maximum((scores @ encoder.projection).std(axis=0), 1e-6).astype(numpy.float32)
    domain = Domain(0.0, numpy.inf, 1.0, components_sd, numpy.ones(len(training.genes), numpy.float32))
    around = scores - reference.tissue_means[tissues_of(training, reference, scores)[1]]
    left_over = around - expected(encoder, domain, around, numpy.arange(scores.shape[1]))
    domain.unique = numpy.maximum((left_over**2).mean(axis=0), 1e-3).astype(numpy.float32)
    left = training.response - factors.left_out - scores @ encoder.correction * encoder.drug_sd
    events = fit_events(training, reference.tissues, left / encoder.drug_sd, encoder.drug_sd)
    quantiles = numpy.nanquantile(training.response, QUANTILES, axis=0).T
    nothing = numpy.zeros(len(training.drugs), numpy.float32)
    return Model(
        None, training.drugs, training.smiles, reference, encoder, events, domain,
        Intervals(nothing, nothing, 0.0, numpy.zeros((2, 2), numpy.float32)), quantiles.astype(numpy.float32),
        Molecules.nothing(len(training.drugs)), Programmes([], numpy.full(len(training.genes), -1)),
    )  # fmt: skip


def fit_events(training: Training, tissues: list[str], left: "numpy.ndarray", drug_sd: "numpy.ndarray") -> Events:
    """Mutations of driver genes: what they add to expression, and what they and the tissue say alone.

    left: (lines, drugs) what expression leaves unexplained, in units of drug_sd, with gaps.
    """
    import numpy

    chosen = [index for index, name in enumerate(training.event_names) if name.endswith("_mut")]
    names = [training.event_names[index] for index in chosen]
    events = training.events[:, chosen].astype(float)
    frequency = numpy.nan_to_num(numpy.nanmean(events, axis=0)) if names else numpy.zeros(0)
    centred = numpy.nan_to_num(events - frequency)
    spread = numpy.sqrt(numpy.maximum(frequency * (1 - frequency), 1e-6))
    often = frequency * len(events) >= 5
    recipe = Recipe(correction_z=EVENT_Z, correction_shrinkage=1.0, correction_genes=8)
    correction = corrections(centred / spread * often, left, recipe) / spread[:, None] * drug_sd
    belongs = (training.tissues[:, None] == numpy.array(tissues)).astype(float)
    both = numpy.hstack([centred * 0.3, belongs])
    factors = factor_ridge(1 + both @ both.T, training.response, 60)
    coefficients = both.T @ factors.dual @ factors.loadings * factors.drug_sd
    return Events(
        names, frequency, correction.astype(numpy.float32), (0.3 * coefficients[: len(names)]).astype(numpy.float32),
        coefficients[len(names) :].astype(numpy.float32),
    )  # fmt: skip


def predict(
    model: Model, training: Training
) -> tuple["numpy.ndarray", "numpy.ndarray", "numpy.ndarray", "numpy.ndarray"]:
    """For lines of the training platform: prediction with expression and without (ln µM), explained, distance."""
    import numpy

    scores = (training.scores - model.reference.mean) / model.reference.sd
    tissue, nearest = tissues_of(training, model.reference, scores)
    every = numpy.arange(scores.shape[1])
    names = [training.event_names.index(name) for name in model.events.names]
    events = training.events[:, names]
    changed = delta(model.encoder, scores, is_blood(training.tissues)) + mutation_delta(model.events, events)
    alone = mutations_only(model.events, events, tissue)
    return (
        model.encoder.drug_mean + changed,
        model.encoder.drug_mean + alone,
        *complete(model.encoder, model.domain, scores, every, model.reference.tissue_means[nearest])[1:],
    )


def tissues_of(
    training: Training, reference: Reference, scores: "numpy.ndarray"
) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Places of the lines' tissues in the reference, -1 for those it does not know; the same with the nearest for these."""
    import numpy

    place = {name: index for index, name in enumerate(reference.tissues)}
    tissue = numpy.array([place.get(name, -1) for name in training.tissues])
    return tissue, numpy.where(tissue >= 0, tissue, nearest_tissues(reference, scores, numpy.arange(scores.shape[1])))


def mutation_delta(events: Events, given: "numpy.ndarray") -> "numpy.ndarray":
    """What mutations add to the score from expression, ln µM (samples, drugs); nothing where mutations are unknown (NaN)."""
    import numpy

    return numpy.nan_to_num(given - events.frequency) @ events.correction


def mutations_only(events: Events, given: "numpy.ndarray", tissue: "numpy.ndarray") -> "numpy.ndarray":
    """Score without expression, ln µM from the drug's mean; tissue -1 where it is not known."""
    import numpy

    rows = numpy.vstack([events.tissue, numpy.zeros(events.tissue.shape[1], numpy.float32)])
    return numpy.nan_to_num(given - events.frequency) @ events.alone + rows[tissue]


def cross_fit(training: Training, parts: "numpy.ndarray", recipe: Recipe, work: Path | None = None) -> LeftOut:
    """Predict each fold by a model trained on the others; networks are kept in a folder of `work` for each."""
    import numpy

    found: list[Any] = [None] * len(parts)
    for part in progress(numpy.unique(parts), len(numpy.unique(parts)), "folds"):
        place = work / f"fold_{part}" if work else None
        model = fit_model(training.part(parts != part), recipe, place, training.part(parts == part))
        for line, row in zip(
            numpy.flatnonzero(parts == part),
            zip(*predict(model, training.part(parts == part)), strict=True),
            strict=True,
        ):
            found[line] = row
    return LeftOut(*(numpy.array(column) for column in zip(*found, strict=True)))


def finish(
    model: Model,
    training: Training,
    left_out: tuple[LeftOut, "numpy.ndarray"],
    strangers: tuple[LeftOut, "numpy.ndarray"],
    seed: int,
) -> dict[str, Any]:
    """Set molecules, programmes, intervals and domain from lines left out at random and by tissue; returns the figures of both."""
    import numpy

    known, far = left_out[0], strangers[0]
    typical = float(numpy.median(1 - known.explained))
    residuals = [training.response - some.prediction for some in (known, far)]
    strange = [(1 - some.explained) / typical for some in (known, far)]
    sd = model.encoder.drug_sd
    slope = slope_of_errors([numpy.sqrt(numpy.nanmean((part / sd) ** 2, axis=1)) for part in residuals], strange)
    wider = [widening(part, slope) for part in strange]
    model.intervals.drug = half_widths(numpy.vstack(residuals), sd, numpy.concatenate(wider)).astype(numpy.float32)
    alone = training.response - known.mutations_only
    model.intervals.mutations_only = half_widths(alone, sd, numpy.ones(len(alone))).astype(numpy.float32)
    model.intervals.slope = slope
    scores = (training.scores - model.reference.mean) / model.reference.sd
    model.programmes = find_programmes(training.genes, scores, scores @ model.encoder.projection, seed)
    filled = numpy.where(numpy.isnan(training.response), known.prediction, training.response)
    groups = drug_groups(fingerprints(training.smiles))
    model.molecules = fit_molecules(training.smiles, training.targets, training.pathways, filled, groups)
    new_drugs = widths_of_new_drugs(model, training, known.prediction)
    model.domain.explained = float(numpy.quantile(known.explained, 0.01))
    model.domain.distance = float(numpy.quantile(known.distance, 0.99))
    model.domain.typical = typical
    widen_unique(model, training, typical)
    figures: dict[str, Any] = {}
    for what, (some, parts), wide in (
        ("lines_left_out", left_out, wider[0]),
        ("tissues_left_out", strangers, wider[1]),
    ):
        normalised, per_drug = agreement(training.response, some.prediction, parts)
        inside = numpy.abs(training.response - some.prediction) <= model.intervals.drug * wide[:, None]
        covered = float(inside[~numpy.isnan(training.response)].mean())
        figures[what] = {"normalised_pearson": normalised, "per_drug_pearson": per_drug, "interval_coverage": covered}
    normalised, per_drug = agreement(training.response, known.mutations_only, left_out[1])
    figures["lines_left_out_mutations_and_tissue_only"] = {
        "normalised_pearson": normalised,
        "per_drug_pearson": per_drug,
    }
    return figures | new_drugs


def widen_unique(model: Model, training: Training, typical: float) -> None:
    """Bring what the components leave of a gene to lines left out: they fit the lines they come from better than others.

    typical: median share of a left-out line's variance that the components do not carry.
    """
    import numpy

    seen = float(numpy.median(1 - predict(model, training)[2]))
    model.domain.unique = (model.domain.unique * max(typical / seen, 1.0)).astype(numpy.float32)


def widths_of_new_drugs(model: Model, training: Training, left_out: "numpy.ndarray") -> dict[str, dict[str, float]]:
    """Set the width of intervals for structures that were never screened, from drugs and lines that were both left out.

    left_out: (lines, drugs) predictions of lines left out, ln µM. Returns the figures.
    """
    import numpy

    known = fingerprints(training.smiles)
    if model.molecules.has.sum() < 2 * FEWEST:
        model.intervals.new_drug = numpy.full((2, 2), numpy.nanquantile(numpy.abs(training.response - left_out), 0.99))
        return {}
    groups = numpy.where(known.any(axis=1), drug_groups(known), -1)
    filled = numpy.where(numpy.isnan(training.response), left_out, training.response)
    alone, told, nearest = drugs_left_out(
        training.smiles, training.targets, training.pathways, filled, left_out, groups
    )
    near, inside = nearest >= NEAR, groups >= 0
    widths = numpy.zeros((2, 2))
    for column, guess in enumerate((alone, told)):
        errors = numpy.abs(training.response - guess)
        for row, kind in enumerate((near & inside, ~near & inside)):
            widths[row, column] = numpy.nanquantile(errors[:, kind if kind.sum() >= 5 else inside], LEVEL)
    model.intervals.new_drug = widths.astype(numpy.float32)
    figures = {}
    for name, guess in (("by_structure", alone), ("with_targets", told)):
        truth, own = (
            part[:, inside] - numpy.nanmean(training.response[:, inside]) for part in (training.response, guess)
        )
        measured = ~numpy.isnan(truth)
        figures[f"drugs_and_lines_left_out_{name}"] = {
            "pearson": float(numpy.corrcoef(truth[measured], own[measured])[0, 1]),
            "per_drug_pearson": per_drug_mean(truth, own),
        }
    return figures


def slope_of_errors(errors: list["numpy.ndarray"], strange: list["numpy.ndarray"]) -> float:
    """Growth of the logarithm of a line's error with its strangeness, by least squares; never negative."""
    import numpy

    x = numpy.clip(numpy.concatenate(strange) - 1, 0, 3)
    y = numpy.log(numpy.maximum(numpy.concatenate(errors), 1e-6))
    return max(float(numpy.polyfit(x, y, 1)[0]), 0.0)
