"""Measures the model beside its rivals on the same folds, with paired bootstrap intervals over lines."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.drug_response.build import fingerprints_of, fit_model, predict, read_folds
from strandwise.drug_response.figures import LEAST_LINES, centred, pearson
from strandwise.drug_response.layout import Training, read_training
from strandwise.drug_response.rivals import RIVALS
from strandwise.drug_response.training import Recipe
from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.models import checkpoints
from strandwise.progress import progress

if TYPE_CHECKING:
    import numpy

OURS = "Strandwise"
LINEAR, NETWORKS = "linear part of Strandwise, without corrections", "networks of Strandwise, alone"


@dataclass
class Agreement:
    """normalised, per_drug: (1 + bootstraps,) Pearson correlations, the first of all lines as they are."""

    normalised: "numpy.ndarray"
    per_drug: "numpy.ndarray"


def evaluate(
    data: Path,
    folds: Path,
    output: Path,
    predictions: Path | None,
    members: int,
    bootstraps: int,
    without: Sequence[str] = (),
    work: Path | None = None,
) -> None:
    """Write one row per method: figures with 95 % intervals, and the paired difference of Strandwise from it.

    without: rivals that are not run; work: folder in which an evaluation that was killed goes on, as a training does.
    Raises InputError for names that are no rival's, and where `work` holds another evaluation.
    """
    import numpy

    unknown = [name for name in without if name not in RIVALS]
    if unknown:
        raise InputError(f"--without: no rival is called {'; '.join(unknown)}; there are {'; '.join(RIVALS)}")
    rivals = [name for name in RIVALS if name not in without]
    if work:
        settings = {"members": members, "rivals": rivals, "kept_predictions": bool(predictions)}
        checkpoints.begin(work, {"data": fingerprints_of(data, folds), **settings})
    training = read_training(data)
    parts = read_folds(folds, training.lines)
    own = {OURS: numpy.load(predictions)["lines"]} if predictions else None
    found = left_out(training, parts, Recipe(members=members), rivals, own, work)
    figures = bootstrapped(training.response, found, parts, bootstraps)
    write_figures(figures, OURS, output)
    if work:
        checkpoints.end(work)


def left_out(
    training: Training,
    parts: "numpy.ndarray",
    recipe: Recipe,
    rivals: Sequence[str],
    own: dict[str, "numpy.ndarray"] | None = None,
    work: Path | None = None,
) -> dict[str, "numpy.ndarray"]:
    """Predictions by method for lines left out, (lines, drugs) ln µM: of the rivals and of ours, unless they are known (own)."""
    import numpy

    found: dict[str, numpy.ndarray] = {}
    for part in progress(numpy.unique(parts), len(numpy.unique(parts)), "folds"):
        inside, outside = training.part(parts != part), training.part(parts == part)
        networks = work / f"fold_{part}" if work else None
        fit = partial(_one_fold, inside, outside, recipe, rivals, own is None, networks)
        for name, guess in checkpoints.kept(work / f"fold_{part}.npz" if work else None, fit).items():
            found.setdefault(name, numpy.full(training.response.shape, numpy.nan))[parts == part] = guess
        if networks and networks.is_dir():
            shutil.rmtree(networks)
    return found | (own or {})


def _one_fold(
    inside: Training, outside: Training, recipe: Recipe, rivals: Sequence[str], ours: bool, work: Path | None
) -> dict[str, "numpy.ndarray"]:
    import numpy

    found = {name: RIVALS[name](inside, outside) for name in rivals}
    if ours:
        model = fit_model(inside, recipe, work)
        whole = model.encoder
        found[OURS] = predict(model, outside)[0]
        for name, share in ((LINEAR, 0.0), (NETWORKS, 1.0)):
            model.encoder = replace(whole, network_share=share, correction=numpy.zeros_like(whole.correction))
            found[name] = predict(model, outside)[0]
    return found


def write_figures(figures: dict[str, Agreement], ours: str, output: Path) -> None:
    """One row per method: each figure with its 95 % interval, and the gain of `ours` over it on the same resamples."""
    import numpy
    import pandas

    rows = []
    for name, agreement in figures.items():
        row: dict[str, object] = {"method": name}
        for what in ("normalised", "per_drug"):
            values, gain = getattr(agreement, what), getattr(figures[ours], what) - getattr(agreement, what)
            for title, numbers in ((what, values), (f"{what}_gain", gain)):
                known = not numpy.isnan(numbers).all()
                low, high = numpy.quantile(numbers[1:], [0.025, 0.975]) if known else (numpy.nan, numpy.nan)
                row |= {title: numbers[0], f"{title}_low": low, f"{title}_high": high}
        rows.append(row)
    with written(output) as temporary:
        pandas.DataFrame(rows).to_csv(temporary, sep="\t", index=False, float_format="%.4f")


def bootstrapped(
    response: "numpy.ndarray", found: dict[str, "numpy.ndarray"], parts: "numpy.ndarray", count: int, seed: int = 1
) -> dict[str, Agreement]:
    """Correlations under resampling of lines, the same resamples for all methods."""
    import numpy

    weights = numpy.random.default_rng(seed).multinomial(len(parts), numpy.full(len(parts), 1 / len(parts)), count)
    weights = numpy.vstack([numpy.ones(len(parts)), weights])
    agreements = {}
    for name, prediction in found.items():
        truth, guess = centred(response, prediction, parts)
        known = ~numpy.isnan(truth)
        truth, guess = numpy.where(known, truth, 0), numpy.where(known, guess, 0)
        sums = [weights @ part for part in (known.astype(float), truth, guess, truth**2, guess**2, truth * guess)]
        enough = known.sum(axis=0) >= LEAST_LINES
        with numpy.errstate(invalid="ignore", divide="ignore"):
            per_drug = (
                numpy.nanmean(pearson(*sums)[:, enough], axis=1)
                if guess[:, enough].any()
                else numpy.full(count + 1, numpy.nan)
            )
            normalised = pearson(*(part.sum(axis=1) for part in sums))
        agreements[name] = Agreement(normalised, per_drug)
    return agreements
