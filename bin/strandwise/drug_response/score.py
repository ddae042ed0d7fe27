"""Scores drugs for samples: reads the input, predicts, says how sure and why, writes the tables."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.drug_response.build import mutation_delta, mutations_only
from strandwise.drug_response.domain import complete, explained_noise
from strandwise.drug_response.intervals import widening
from strandwise.drug_response.model import QUANTILES, Model, load
from strandwise.drug_response.molecules import NEAR, Panel, panel_of
from strandwise.drug_response.network import Encoder, delta, slopes
from strandwise.drug_response.reference import BLOOD
from strandwise.drug_response.samples import Samples, read_samples
from strandwise.drug_response.tables import RESPONSE, SUMMARY
from strandwise.formats.files import written
from strandwise.formats.notes import Note, write_notes
from strandwise.formats.tables import write_parts, write_table
from strandwise.progress import progress

if TYPE_CHECKING:
    import numpy
    import pandas

SAMPLES_AT_ONCE = 200
# Genes per drug among which a sample's strongest are looked for, and how many are named.
CANDIDATES = 40
FEATURES_NAMED = 3
# A feature that moves a score by less (ln units) is not named.
SMALLEST_SHARE = 0.005
EXTREME_DRUGS = 3


@dataclass
class Scores:
    """delta, half_width: (samples, drugs of the panel) ln µM; in_domain: (samples,)."""

    delta: "numpy.ndarray"
    half_width: "numpy.ndarray"
    in_domain: "numpy.ndarray"


def score(
    expression: Sequence[Path],
    scale: str | None,
    mafs: Sequence[Path],
    clinical: Path | None,
    drugs: Path | None,
    model_folder: Path,
    output: Path,
    summary: Path,
    notes: Path,
) -> None:
    """The step `drug_response.py score`. Beside `output` it writes response_summary.tsv."""
    model = load(model_folder)
    assert model.card is not None
    panel = panel_of(model.drugs, model.molecules["fingerprints"], model.encoder.drug_mean, drugs)
    samples = read_samples(model.reference, model.events.names, expression, scale, mafs, clinical)
    values, found = predict(model, panel, samples)
    explain = TopFeatures(model, panel, samples, values)
    version = model.card.model_version
    write_parts(RESPONSE, rows(model, panel, samples, found, explain), version, output)
    write_table(SUMMARY, extremes(model, panel, samples, found), version, output.with_name("response_summary.tsv"))
    outside = [name for name, inside in zip(samples.names, found.in_domain, strict=True) if not inside]
    if outside:
        some = ", ".join(outside[:8]) + (f" and {len(outside) - 8} more" if len(outside) > 8 else "")
        text = f"{len(outside)} of {len(samples.names)} samples are unlike anything the model was trained on ({some}): their scores are guesses."
        samples.notes.append(Note("warning", text))
    samples.notes += new_drug_notes(panel)
    for reason in sorted({reason for _, reason in samples.not_scored}):
        without = [name for name, why in samples.not_scored if why == reason]
        some = ", ".join(without[:8]) + (f" and {len(without) - 8} more" if len(without) > 8 else "")
        samples.notes.append(Note("warning", f"{len(without)} samples are not scored ({some}): {reason}."))
    write_notes(samples.notes, notes)
    _write_summary(model, panel, samples, found, version, summary)


def predict(model: Model, panel: Panel, samples: Samples) -> tuple["numpy.ndarray", Scores]:
    """Values of all genes, (samples with expression, genes) in units of the training lines, and the scores."""
    import numpy

    first = samples.with_expression
    centre = model.reference.tissue_means[samples.tissue[:first]]
    values, explained, distance = complete(model.encoder, model.domain, samples.values, samples.genes, centre)
    blood = is_blood(model, samples.tissue[:first])
    with_expression = delta(encoder_for(model, samples), values, blood) + mutation_delta(
        model.events, samples.events[:first]
    )
    alone = mutations_only(model.events, samples.events[first:], samples.tissue[first:])
    wider = widening((1 - explained) / model.domain.typical, model.intervals.slope)
    far = model.intervals.new_drug[(panel.similarity < NEAR).astype(int)]
    with_genes = numpy.where(panel.place >= 0, model.intervals.drug[panel.place], far)
    without = numpy.where(panel.place >= 0, model.intervals.mutations_only[panel.place], far)
    half = numpy.concatenate([with_genes * wider[:, None], numpy.repeat(without[None], len(alone), axis=0)])
    least = model.domain.explained
    if samples.matched:
        least = explained_noise(model.encoder, model.domain, model.reference.within, samples.genes)
    inside = (explained >= least) & (distance <= model.domain.distance)
    mutated = numpy.array([count > 0 for count in samples.mutated[first:]], bool)
    return values, Scores(
        numpy.concatenate([with_expression, alone]) @ panel.mix.T, half, numpy.concatenate([inside, mutated])
    )


def encoder_for(model: Model, samples: Samples) -> Encoder:
    """The encoder; without its networks for another platform, where they lose more than the linear part (RESULTS.md)."""
    return replace(model.encoder, network_share=0.0) if samples.matched else model.encoder


def new_drug_notes(panel: Panel) -> list[Note]:
    """Which drugs were never screened, and how far from those that were."""
    new = [row for row in range(len(panel.names)) if panel.place[row] < 0]
    if not new:
        return []
    some = ", ".join(
        f"{panel.names[row]} (nearest {panel.nearest[row]}, Tanimoto {panel.similarity[row]:.2f})" for row in new[:8]
    )
    more = f" and {len(new) - 8} more" if len(new) > 8 else ""
    return [Note("warning", f"{len(new)} drugs were never screened and are scored by structure alone: {some}{more}.")]


def is_blood(model: Model, tissue: "numpy.ndarray") -> "numpy.ndarray":
    import numpy

    kinds = numpy.array([name in BLOOD for name in model.reference.tissues] + [False], numpy.float32)
    return kinds[tissue]


def rows(
    model: Model, panel: Panel, samples: Samples, found: Scores, explain: "TopFeatures"
) -> Iterator["pandas.DataFrame"]:
    """Rows of response.tsv, some samples at a time."""
    import numpy
    import pandas

    count = len(panel.names)
    starts = range(0, len(samples.names), SAMPLES_AT_ONCE)
    for first in progress(starts, len(starts), f"scores, {SAMPLES_AT_ONCE} samples each"):
        part = slice(first, min(first + SAMPLES_AT_ONCE, len(samples.names)))
        change = found.delta[part]
        value = panel.mean + change
        percentile = numpy.full_like(change, numpy.nan)
        for column, drug in enumerate(panel.place):
            if drug >= 0:
                percentile[:, column] = numpy.interp(
                    value[:, column], model.quantiles[drug], numpy.array(QUANTILES) * 100
                )
        yield pandas.DataFrame(
            {
                "sample": numpy.repeat(samples.names[part], count),
                "drug": numpy.tile(panel.names, len(change)),
                "ln_ic50": value.ravel(),
                "delta_ln_ic50": change.ravel(),
                "ln_ic50_low": (value - found.half_width[part]).ravel(),
                "ln_ic50_high": (value + found.half_width[part]).ravel(),
                "percentile": percentile.ravel(),
                "in_domain": numpy.repeat(numpy.where(found.in_domain[part], "true", "false"), count),
                "top_features": explain.words(part).ravel(),
            }
        )


class TopFeatures:
    """Names what moved each score most: value of a feature times the slope of the model at the sample's tissue.

    Slopes are the mean over three points between the mean training line and the tissue's mean line.
    """

    def __init__(self, model: Model, panel: Panel, samples: Samples, values: "numpy.ndarray"):
        import numpy

        self.model, self.panel, self.samples, self.values = model, panel, samples, values
        drugs = numpy.arange(len(model.drugs))
        self.slopes: dict[int, tuple[numpy.ndarray, numpy.ndarray]] = {}
        for tissue in numpy.unique(samples.tissue[: samples.with_expression]):
            inside = float(is_blood(model, numpy.array([tissue]))[0])
            steps = [
                slopes(encoder_for(model, samples), model.reference.tissue_means[tissue] * step, inside, drugs)
                for step in (0.0, 0.5, 1.0)
            ]
            mean = panel.mix @ (sum(steps) / len(steps))
            # A gene that was not measured cannot be a reason.
            absent = numpy.setdiff1d(numpy.arange(mean.shape[1]), samples.genes)
            mean[:, absent] = 0
            genes = numpy.argpartition(-numpy.abs(mean), min(CANDIDATES, mean.shape[1] - 1), axis=1)[:, :CANDIDATES]
            self.slopes[int(tissue)] = genes, numpy.take_along_axis(mean, genes, axis=1)

    def words(self, part: slice) -> "numpy.ndarray":
        """Text (samples, drugs), e.g. `MDM2 -0.31; TP53_mut +0.20`."""
        import numpy

        model, first = self.model, self.samples.with_expression
        names = numpy.array([*model.reference.genes, *model.events.names])
        every = len(model.reference.genes)
        count = len(self.panel.names)
        text = numpy.empty((part.stop - part.start, count), object)
        for row, index in enumerate(range(part.start, part.stop)):
            events = numpy.nan_to_num(self.samples.events[index] - model.events.frequency)
            if index < first:
                genes, slope = self.slopes[int(self.samples.tissue[index])]
                share, place = slope * self.values[index][genes], genes
                effect = model.events.correction
            else:
                share, place = numpy.zeros((count, 0), numpy.float32), numpy.zeros((count, 0), int)
                effect = model.events.alone
            active = numpy.flatnonzero(self.samples.events[index] == 1)
            if len(active):
                share = numpy.hstack([share, self.panel.mix @ (events[active, None] * effect[active]).T])
                place = numpy.hstack([place, numpy.repeat(every + active[None], count, axis=0)])
            order = numpy.argsort(-numpy.abs(share), axis=1, kind="stable")[:, :FEATURES_NAMED]
            chosen, amounts = numpy.take_along_axis(place, order, axis=1), numpy.take_along_axis(share, order, axis=1)
            for drug, (some, shares) in enumerate(zip(names[chosen].tolist(), amounts.tolist(), strict=True)):
                text[row, drug] = "; ".join(
                    f"{name} {amount:+.2f}"
                    for name, amount in zip(some, shares, strict=True)
                    if abs(amount) >= SMALLEST_SHARE
                )
        return text


def extremes(model: Model, panel: Panel, samples: Samples, found: Scores) -> "pandas.DataFrame":
    """The drugs that stand out in each sample against the other samples (or, if few, against the training lines)."""
    import numpy
    import pandas

    if len(samples.names) >= 5:
        spread = numpy.maximum(found.delta.std(axis=0), 0.05)
        relative = (found.delta - numpy.median(found.delta, axis=0)) / spread
    else:
        relative = found.delta / (panel.mix @ model.encoder.drug_sd)
    order = numpy.argsort(relative, axis=1, kind="stable")
    lines = []
    for row, name in enumerate(samples.names):
        for kind, drugs in (("sensitive", order[row, :EXTREME_DRUGS]), ("resistant", order[row, ::-1][:EXTREME_DRUGS])):
            for place, drug in enumerate(drugs, 1):
                inside = "true" if found.in_domain[row] else "false"
                lines.append(
                    (name, kind, place, panel.names[drug], found.delta[row, drug], relative[row, drug], inside)
                )
    return pandas.DataFrame(lines, columns=[column.name for column in SUMMARY.columns])


def _write_summary(model: Model, panel: Panel, samples: Samples, found: Scores, version: str, path: Path) -> None:
    tissues = [*model.reference.tissues, ""]
    content: dict[str, Any] = {
        "model_version": version,
        "samples": len(samples.names),
        "drugs": len(panel.names),
        "in_domain": int(found.in_domain.sum()),
        "with_expression": samples.with_expression,
        "genes": len(samples.genes),
        "genes_of_the_model": len(model.reference.genes),
        "tissues": {name: tissues[place] for name, place in zip(samples.names, samples.tissue.tolist(), strict=True)},
        "new_drugs": [
            {
                "drug": panel.names[row],
                "nearest": panel.nearest[row],
                "similarity": round(float(panel.similarity[row]), 3),
            }
            for row in range(len(panel.names))
            if panel.place[row] < 0
        ],
        "not_scored": [{"sample": name, "why": why} for name, why in samples.not_scored],
        "licence": model.card.details.get("licence", "") if model.card else "",
    }
    with written(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
