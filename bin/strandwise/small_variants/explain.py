"""Explains calls, and places without one: pictures, attributions and the step that decided, for chosen places."""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval, contig_lengths, merged, padded, read_bed
from strandwise.formats.notes import Note
from strandwise.formats.places import Place, read_coding_regions, read_places, toucher
from strandwise.formats.tables import write_rows
from strandwise.models.card import load_card
from strandwise.small_variants.explain_attributions import Attributor
from strandwise.small_variants.explain_decisions import Decision, Examined, Examiner
from strandwise.small_variants.explain_parts import explained, table_rows
from strandwise.small_variants.explain_picture import draw
from strandwise.small_variants.explain_pileup import picture_of
from strandwise.small_variants.tables import EXPLAINED_PART, EXPLAINED_SITE

MOST_SITES = 500
"""So many places are explained at most; a picture takes about a fifth of a second."""

LONGEST_PLACE = 1000
"""Bases of a place that are looked at for what was not called; of longer ones, the records of the VCF are explained."""

LEAST_CERTAIN, CODING = "least_certain", "coding"
CHOICES = (LEAST_CERTAIN, "all", CODING)


def explain(
    alignments: list[Path],
    reference: Path,
    model: Path,
    calls: Path,
    sample: str,
    output_folder: Path,
    choose: str = LEAST_CERTAIN,
    number: int = 10,
    places: Path | None = None,
    coding_regions: Path | None = None,
    intervals: Path | None = None,
    interval_padding: int = 0,
    sex: str = "NA",
    par: Path | None = None,
    table: Path | None = None,
) -> list[Note]:
    """Write `output_folder`/sites.tsv, and per judged change a picture and its attributions. Gives notes for the report.

    choose: `least_certain` (the `number` calls of lowest GQ), `all` or `coding` calls; places: a list instead of these.
    intervals, interval_padding, sex, par: as calling had them; table: sites.tsv once more, for the report. Raises InputError: lists or alignments that cannot be read.
    """
    from strandwise.small_variants.network import Genotyper

    card = load_card(model, "small_variants")
    lengths = contig_lengths(reference)
    called_in = merged(padded(read_bed(intervals, lengths), interval_padding, lengths), lengths) if intervals else None
    chosen, notes = choose_places(calls, lengths, sample, choose, number, places, coding_regions)
    examiner = Examiner(alignments, reference, Genotyper(card), called_in, sex, par, calls)
    attributor = Attributor(card, examiner.reader.core.CHANNELS)
    output_folder.mkdir(parents=True, exist_ok=True)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for place in chosen:
        examined, decisions = examiner.decisions(place)
        for decision in decisions:
            key = (decision.contig, decision.position, decision.reference, decision.alternate)
            if key in rows:
                continue
            rows[key] = _row(decision, sample)
            if examined is not None:
                rows[key] |= _written(examiner, attributor, examined, decision, card.model_version, output_folder)
    for path in [output_folder / "sites.tsv", *([table] if table else [])]:
        write_rows(EXPLAINED_SITE, rows.values(), card.model_version, path)
    return notes


# ---- which places --------------------------------------------------------------------------------------------------


def choose_places(
    calls: Path,
    lengths: dict[str, int],
    sample: str,
    choose: str = LEAST_CERTAIN,
    number: int = 10,
    places: Path | None = None,
    coding_regions: Path | None = None,
) -> tuple[list[Place], list[Note]]:
    """The places to explain, at most MOST_SITES, and notes on what was left out."""
    if choose not in CHOICES:
        raise InputError(f"--choose: {choose} is none of {', '.join(CHOICES)}")
    if places is not None:
        found, rule = read_places(places, lengths), f"--explain {places.name}"
        long = [one for one in found if not one.alternate and one.end - one.start > LONGEST_PLACE]
        found = [one for one in found if one.alternate or one.end - one.start <= LONGEST_PLACE]
        asked = len(found)
        if long:
            ranges = [Interval(one.contig, one.start, one.end) for one in long]
            inside, more = _least_certain(_calls(calls), toucher(ranges, lengths), MOST_SITES)
            found, asked = found + inside, asked + more
    else:
        rule = f"--explain {choose}"
        touches = toucher(read_coding_regions(coding_regions, lengths), lengths) if coding_regions else None
        found, asked = _least_certain(_calls(calls), touches if choose == CODING else None, MOST_SITES)
        if choose == LEAST_CERTAIN:
            found, asked = found[:number], min(number, asked)
    found = list(dict.fromkeys(found))[:MOST_SITES]
    notes = []
    if asked > MOST_SITES:
        which = "first" if places is not None else "least certain"
        text = (
            f"{rule} asks for {asked:,} places; the {MOST_SITES} {which} are explained. Give a shorter list for others."
        )
        notes.append(Note("warning", text, sample))
    return found, notes


def _least_certain(
    calls: Iterable[tuple[int, Place]], touches: Callable[[Place], bool] | None, number: int
) -> tuple[list[Place], int]:
    """The `number` calls of lowest GQ among those that touch something, and how many there are. Holds no more than these."""
    seen = 0

    def counted() -> Iterator[tuple[int, str, int, Place]]:
        nonlocal seen
        for quality, place in calls:
            if touches is None or touches(place):
                seen += 1
                yield quality, place.contig, place.start, place

    least = heapq.nsmallest(number, counted(), key=lambda call: call[:3])
    return [call[3] for call in least], seen


def _calls(calls: Path) -> Iterator[tuple[int, Place]]:
    """(GQ, place) of every variant genotype of a VCF, each called allele by itself."""
    import pysam

    with pysam.VariantFile(str(calls)) as file:
        for record in file:
            genotype = record.samples[0]
            for allele in sorted({allele for allele in genotype["GT"] if allele}):
                alternate = (record.alleles or ())[allele]
                if re.fullmatch("[ACGTN]+", alternate):
                    place = Place(
                        record.contig, record.start, record.start + len(record.ref or ""), record.ref or "", alternate
                    )
                    yield int(genotype.get("GQ") or 0), place


# ---- one decision --------------------------------------------------------------------------------------------------


def file_name(decision: Decision) -> str:
    """`<contig>_<position>_<ref>_<alt>` in characters that are safe in file names and addresses, 1-based."""
    bases = (
        text if len(text) <= 20 else f"{text[:8]}-{len(text)}" for text in (decision.reference, decision.alternate)
    )
    contig = re.sub(r"[^A-Za-z0-9.-]", "-", decision.contig).lstrip(".-") or "contig"
    return "_".join([contig[:60], str(decision.position + 1), *(text for text in bases if text)])


def _written(
    examiner: Examiner, attributor: Attributor, examined: Examined, decision: Decision, model_version: str, folder: Path
) -> dict[str, Any]:
    """Write picture and attributions of one decision; the columns of its row of sites.tsv that tell of them."""
    name = file_name(decision)
    one = explained(examiner, attributor, examined, decision)
    draw(picture_of(one, examiner), folder / f"{name}.png")
    row: dict[str, Any] = {"picture": f"{name}.png"}
    if one.attribution:
        write_rows(EXPLAINED_PART, table_rows(one, examiner), model_version, folder / f"{name}.tsv")
        row |= {
            "log_odds": one.log_odds,
            "baseline": one.attribution.baseline,
            "residual": one.attribution.residual,
            "attributions": f"{name}.tsv",
            "reason": f"{decision.reason}; {one.main_reasons()}",
        }
    return row


def _row(decision: Decision, sample: str) -> dict[str, Any]:
    """A decision's row of sites.tsv."""
    site = decision.site
    return {
        "sample": sample,
        "contig": decision.contig,
        "position": decision.position + 1,
        "reference": decision.reference or ".",
        "alternate": decision.alternate or ".",
        "decision": decision.decision,
        "step": decision.step,
        "cause": decision.cause,
        "genotype": "/".join("." if allele is None else str(allele) for allele in site.genotype) if site else None,
        "gq": site.genotype_quality if site else None,
        "filter": ";".join(site.filters) if site else None,
        "depth": decision.depth,
        "reason": decision.reason,
        **{f"probability_{copies}": value for copies, value in enumerate(decision.probabilities)},
    }
