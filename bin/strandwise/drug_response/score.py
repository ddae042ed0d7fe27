"""Scores drugs for samples: reads the input, predicts, says how sure and why, writes the tables."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.drug_response.build import mutation_delta, mutations_only
from strandwise.drug_response.domain import complete, denoise, explained_noise
from strandwise.drug_response.intervals import widening
from strandwise.drug_response.model import QUANTILES, Model, load
from strandwise.drug_response.molecules import NEAR, Panel, panel_of
from strandwise.drug_response.network import Encoder, delta, slopes
from strandwise.drug_response.pages import GENES_SHOWN, PROGRAMMES_SHOWN, DrugPage, file_name, listed, write_page
from strandwise.drug_response.reference import BLOOD
from strandwise.drug_response.samples import Samples, read_samples
from strandwise.drug_response.tables import RESPONSE, SUMMARY
from strandwise.formats.files import written
from strandwise.formats.genes import read_symbols
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
# Of the networks' share in the mean, what is left to them on another platform.
OTHER_PLATFORM_SHARE = 0.5
# A feature that moves a score by less (ln units) is not named.
SMALLEST_SHARE = 0.005
EXTREME_DRUGS = 3
FEWEST_COMPARED = 5
# Drugs that get a page, those whose scores differ most, and samples over which its genes are averaged.
PAGES = 24
PAGE_SAMPLES = 400


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
    genes: Path,
    output: Path,
    summary: Path,
    notes: Path,
) -> None:
    """The step `drug_response.py score`; genes: folder of gene tables. Beside `output` it writes response_summary.tsv."""
    model = load(model_folder)
    assert model.card is not None
    panel = panel_of(model.drugs, model.smiles, model.molecules, model.encoder.drug_mean, drugs)
    samples = read_samples(model.reference, model.events.names, expression, scale, mafs, clinical, read_symbols(genes))
    values, found = predict(model, panel, samples)
    explain = TopFeatures(model, panel, samples, values)
    version = model.card.model_version
    write_parts(RESPONSE, rows(model, panel, samples, found, explain), version, output)
    write_table(SUMMARY, extremes(model, panel, samples, found), version, output.with_name("response_summary.tsv"))
    pages = write_pages(model, panel, samples, found, explain, version, output.with_name("drugs"))
    outside = [name for name, inside in zip(samples.names, found.in_domain, strict=True) if not inside]
    if outside:
        some = ", ".join(outside[:8]) + (f" and {len(outside) - 8} more" if len(outside) > 8 else "")
        text = f"{len(outside)} of {len(samples.names)} samples are unlike anything the model was trained on ({some}): their scores are guesses."
        samples.notes.append(Note("warning", text))
    samples.notes += panel.notes + new_drug_notes(panel)
    for reason in sorted({reason for _, reason in samples.not_scored}):
        without = [name for name, why in samples.not_scored if why == reason]
        some = ", ".join(without[:8]) + (f" and {len(without) - 8} more" if len(without) > 8 else "")
        samples.notes.append(Note("warning", f"{len(without)} samples are not scored ({some}): {reason}."))
    write_notes(samples.notes, notes)
    _write_summary(model, panel, samples, found, version, pages, summary)


def predict(model: Model, panel: Panel, samples: Samples) -> tuple["numpy.ndarray", Scores]:
    """Values of all genes, (samples with expression, genes) in units of the training lines, and the scores."""
    import numpy

    first = samples.with_expression
    centre = model.reference.tissue_means[samples.tissue[:first]]
    values, explained, distance = complete(model.encoder, model.domain, samples.values, samples.genes, centre)
    if samples.matched:
        values = denoise(model.encoder, model.domain, samples.values, samples.genes, centre)
    blood = is_blood(model, samples.tissue[:first])
    with_expression = delta(encoder_for(model, samples), values, blood) + mutation_delta(
        model.events, samples.events[:first]
    )
    alone = mutations_only(model.events, samples.events[first:], samples.tissue[first:])
    wider = widening((1 - explained) / model.domain.typical, model.intervals.slope)
    far = model.intervals.new_drug[(panel.similarity < NEAR).astype(int), panel.told.astype(int)]
    with_genes = numpy.where(panel.place >= 0, model.intervals.drug[panel.place], far)
    without = numpy.where(panel.place >= 0, model.intervals.mutations_only[panel.place], far)
    half = numpy.concatenate([with_genes * wider[:, None], numpy.repeat(without[None], len(alone), axis=0)])
    least = model.domain.explained
    if samples.matched:
        spread = model.reference.spread(samples.tissue[:first])
        least = explained_noise(model.encoder, model.domain, spread, samples.genes)
    inside = (explained >= least) & (distance <= model.domain.distance)
    mutated = numpy.array([count > 0 for count in samples.mutated[first:]], bool)
    return values, Scores(
        numpy.concatenate([with_expression, alone]) @ panel.mix.T, half, numpy.concatenate([inside, mutated])
    )


def encoder_for(model: Model, samples: Samples) -> Encoder:
    """The encoder; for another platform with less of its networks, as lines on made platforms want it (RESULTS.md)."""
    share = model.encoder.network_share * (OTHER_PLATFORM_SHARE if samples.matched else 1.0)
    return replace(model.encoder, network_share=share)


def new_drug_notes(panel: Panel) -> list[Note]:
    """Which drugs were never screened, and how far from those that were."""
    new = [row for row in range(len(panel.names)) if panel.place[row] < 0]
    if not new:
        return []
    some = ", ".join(
        f"{panel.names[row]} (nearest {panel.nearest[row]}, Tanimoto {panel.similarity[row]:.2f}, "
        f"{'with its targets or pathway' if panel.told[row] else 'by structure alone'})"
        for row in new[:8]
    )
    more = f" and {len(new) - 8} more" if len(new) > 8 else ""
    return [Note("warning", f"{len(new)} drugs were never screened and are scored by likeness: {some}{more}.")]


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
                "top_programme": explain.programmes(part).ravel(),
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
        self.every: dict[int, numpy.ndarray] = {}
        self.told: dict[int, list[str]] = {}
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
            self.every[int(tissue)] = mean
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

    def programmes(self, part: slice) -> "numpy.ndarray":
        """Text (samples, drugs), e.g. `TYR·MLANA·SLC45A2 -0.41`; empty for samples without expression."""
        import numpy

        text = numpy.full((part.stop - part.start, len(self.panel.names)), "", object)
        names = self.model.programmes.names
        last = min(part.stop, self.samples.with_expression)
        if not names or last <= part.start:
            return text
        tissues = self.samples.tissue[part.start : last]
        for tissue in numpy.unique(tissues):
            rows = numpy.flatnonzero(tissues == tissue)
            strongest, where = self.strongest(self.values[part.start + rows], self.every[int(tissue)])
            text[rows] = [
                [
                    f"{names[place]} {share:+.2f}" if abs(share) >= SMALLEST_SHARE else ""
                    for share, place in zip(*line, strict=True)
                ]
                for line in zip(strongest.tolist(), where.tolist(), strict=True)
            ]
        return text

    def reasons(self, sample: int) -> list[str]:
        """top_features of one sample, one text per drug."""
        if sample not in self.told:
            self.told[sample] = self.words(slice(sample, sample + 1))[0].tolist()
        return self.told[sample]

    def strongest(self, values: "numpy.ndarray", slope: "numpy.ndarray") -> tuple["numpy.ndarray", "numpy.ndarray"]:
        """Largest sum of shares over a programme's genes and the programme's place, each (samples, drugs)."""
        import numpy

        best = numpy.zeros((len(values), len(slope)), numpy.float32)
        where = numpy.zeros(best.shape, int)
        for programme in range(len(self.model.programmes.names)):
            genes = self.model.programmes.of_gene == programme
            sums = values[:, genes] @ slope[:, genes].T
            better = numpy.abs(sums) > numpy.abs(best)
            best[better], where[better] = sums[better], programme
        return best, where

    def means(self, drug: int) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Genes and programmes by the mean size of their shares over samples, strongest first, with the sign of their effect."""
        import numpy

        first = self.samples.with_expression
        rows = numpy.unique(numpy.linspace(0, max(first - 1, 0), PAGE_SAMPLES).astype(int))[: first or 0]
        if not len(rows):
            return [], []
        slope = numpy.array([self.every[int(tissue)][drug] for tissue in self.samples.tissue[rows]])
        shares = self.values[rows] * slope
        sign = numpy.sign(slope.mean(axis=0))
        size = numpy.abs(shares).mean(axis=0)
        genes = numpy.argsort(-size, kind="stable")[:GENES_SHOWN]
        by_gene = [
            (self.model.reference.genes[gene], float(size[gene] * sign[gene])) for gene in genes if size[gene] > 0
        ]
        sums = self.model.programmes.shares(shares)[:, :-1]
        level = self.model.programmes.shares(self.values[rows])[:, :-1]
        size = numpy.abs(sums).mean(axis=0)
        turned = numpy.sign((sums * level).sum(axis=0))
        order = numpy.argsort(-size, kind="stable")[:PROGRAMMES_SHOWN]
        names = self.model.programmes.names
        return by_gene, [(names[place], float(size[place] * turned[place])) for place in order if size[place] > 0]


def write_pages(
    model: Model, panel: Panel, samples: Samples, found: Scores, explain: "TopFeatures", version: str, folder: Path
) -> dict[str, str]:
    """A page for each of the drugs whose scores differ most between samples; returns drug → file name."""
    import numpy

    folder.mkdir(exist_ok=True)
    change, targets = found.delta, targets_of(model, panel)
    spread = change.std(axis=0) if len(change) > 1 else numpy.abs(change).sum(axis=0)
    tissues = [*model.reference.tissues, ""]
    pages: dict[str, str] = {}
    for drug in numpy.argsort(-spread, kind="stable")[:PAGES] if len(change) else []:
        name, place = panel.names[drug], int(panel.place[drug])
        file = f"{file_name(name)}.html"
        if file in pages.values():
            continue
        value, half = panel.mean[drug] + change[:, drug], found.half_width[:, drug]
        quantiles = model.quantiles[place] if place >= 0 else None
        genes, programmes = explain.means(int(drug))
        page = DrugPage(
            name, targets[drug], samples.names,
            [tissues[place] for place in samples.tissue.tolist()], value, value - half, value + half, found.in_domain,
            (float(quantiles[2]), float(quantiles[10]), float(quantiles[18])) if quantiles is not None else None, genes, programmes,
            {row: explain.reasons(row)[drug] for row in listed(value, found.in_domain)},
        )  # fmt: skip
        write_page(page, version, folder)
        pages[name] = file
    return pages


def targets_of(model: Model, panel: Panel) -> list[list[str]]:
    """Known targets of each drug of the panel; none for those that were never screened."""
    words = model.molecules.words_of()
    return [
        [word.removeprefix("target ") for word in words[place] if word.startswith("target ")] if place >= 0 else []
        for place in panel.place
    ]


def extremes(model: Model, panel: Panel, samples: Samples, found: Scores) -> "pandas.DataFrame":
    """The drugs that stand out in each sample against the others of its kind (or, if few, against the training lines).

    Samples with expression are compared with such, samples with mutations only with such: their scores move far less.
    """
    import numpy
    import pandas

    relative = found.delta / numpy.maximum(panel.mix @ model.encoder.drug_sd, 0.05)
    for group in (slice(0, samples.with_expression), slice(samples.with_expression, None)):
        some = found.delta[group]
        if len(some) >= FEWEST_COMPARED:
            relative[group] = (some - numpy.median(some, axis=0)) / numpy.maximum(some.std(axis=0), 0.05)
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


def _write_summary(
    model: Model, panel: Panel, samples: Samples, found: Scores, version: str, pages: dict[str, str], path: Path
) -> None:
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
        "targets": {name: found for name, found in zip(panel.names, targets_of(model, panel), strict=True) if found},
        "not_scored": [{"sample": name, "why": why} for name, why in samples.not_scored],
        "pages": pages,
        "licence": model.card.details.get("licence", "") if model.card else "",
    }
    with written(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
