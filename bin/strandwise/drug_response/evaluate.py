"""Measures the model beside its rivals on the same folds, with paired bootstrap intervals over lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.drug_response.build import fit_model, predict, read_folds
from strandwise.drug_response.figures import LEAST_LINES, centred
from strandwise.drug_response.layout import read_training
from strandwise.drug_response.rivals import RIVALS
from strandwise.drug_response.training import Recipe
from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.progress import progress

if TYPE_CHECKING:
    import numpy

OURS = "Strandwise"


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
) -> None:
    """Write one row per method: figures with 95 % intervals, and the paired difference of Strandwise from it.

    without: rivals that are not run. Raises InputError for names that are none.
    """
    import numpy
    import pandas

    unknown = [name for name in without if name not in RIVALS]
    if unknown:
        raise InputError(f"--without: no rival is called {'; '.join(unknown)}; there are {'; '.join(RIVALS)}")
    training = read_training(data)
    parts = read_folds(folds, training.lines)
    rivals = {name: rival for name, rival in RIVALS.items() if name not in without}
    found = {name: numpy.full(training.response.shape, numpy.nan) for name in rivals}
    if predictions:
        found[OURS] = numpy.load(predictions)["lines"]
    else:
        found |= {
            name: numpy.full(training.response.shape, numpy.nan) for name in (OURS, "its linear part", "its networks")
        }
    for part in progress(numpy.unique(parts), len(numpy.unique(parts)), "folds"):
        inside, outside = training.part(parts != part), training.part(parts == part)
        for name, rival in rivals.items():
            found[name][parts == part] = rival(inside, outside)
        if not predictions:
            model = fit_model(inside, Recipe(members=members))
            whole = model.encoder
            found[OURS][parts == part] = predict(model, outside)[0]
            for name, share in (("its linear part", 0.0), ("its networks", 1.0)):
                model.encoder = replace(whole, network_share=share, correction=numpy.zeros_like(whole.correction))
                found[name][parts == part] = predict(model, outside)[0]
    agreements = bootstrapped(training.response, found, parts, bootstraps)
    ours = agreements[OURS]
    rows = []
    for name, agreement in agreements.items():
        row: dict[str, object] = {"method": name}
        for what in ("normalised", "per_drug"):
            values, difference = getattr(agreement, what), getattr(ours, what) - getattr(agreement, what)
            for title, numbers in ((what, values), (f"{what}_gain", difference)):
                low, high = (
                    numpy.quantile(numbers[1:], [0.025, 0.975]) if not numpy.isnan(numbers).all() else (numpy.nan,) * 2
                )
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
                numpy.nanmean(_pearson(*sums)[:, enough], axis=1)
                if guess[:, enough].any()
                else numpy.full(count + 1, numpy.nan)
            )
            normalised = _pearson(*(part.sum(axis=1) for part in sums))
        agreements[name] = Agreement(normalised, per_drug)
    return agreements


def _pearson(
    n: "numpy.ndarray",
    x: "numpy.ndarray",
    y: "numpy.ndarray",
    xx: "numpy.ndarray",
    yy: "numpy.ndarray",
    xy: "numpy.ndarray",
) -> "numpy.ndarray":
    """Correlations from sums."""
    import numpy

    return (xy - x * y / n) / numpy.sqrt((xx - x**2 / n) * (yy - y**2 / n))
