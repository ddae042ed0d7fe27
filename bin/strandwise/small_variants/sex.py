"""Compares the depth of X and Y with that of the autosomes, and what it says with the sex that the sheet gives.

Read at places spread over what is to be called: so it costs next to nothing, and holds for exomes and panels as for genomes.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.formats.alignment import quiet
from strandwise.formats.files import written
from strandwise.formats.intervals import Interval, contig_lengths
from strandwise.formats.notes import Note
from strandwise.small_variants.copies import by_copies, pseudo_autosomal
from strandwise.small_variants.shards import intervals_to_call

if TYPE_CHECKING:
    import pysam

PLACES = 120
"""Places looked at on the autosomes, on X and on Y."""

PLACE_LENGTH = 1000
FEWEST_PLACES = 10
"""With fewer places than this a chromosome says nothing: one gene may be deleted or hard to capture."""

LEAST_MAPPING_QUALITY = 20
LEAST_DEPTH = 0.5
"""Mean depth of the autosomes below which nothing is said."""

HIGHEST = 2.0
"""A place deeper than so many times the mean of the autosomes counts as this deep: copies that the reference lacks."""

X_COPIES = ((0.35, 0.65, 1), (0.8, 1.2, 2), (1.3, 1.7, 3))
Y_COPIES = ((0.0, 0.1, 0), (0.2, 0.75, 1), (0.75, 1.5, 2))
"""From, to, copies: depth in units of the autosomes'. Y has less than half of it, as parts of it can be read nowhere else
with confidence; between the ranges nothing is said."""

USUAL = ("XX", "XY")


@dataclass(frozen=True, slots=True)
class Depths:
    """Mean depth of the autosomes' places, and of X and Y in units of it; None where too few places are to be called."""

    autosomes: float | None
    x: float | None
    y: float | None


@dataclass(frozen=True, slots=True)
class SexCheck:
    """sheet: XX, XY or NA; measured: XX, XY, X0, XXY, … or empty where depth does not tell; verdict: agrees, disagrees,
    unusual, suggested (the sheet says nothing), unclear, cannot tell; text: one sentence."""

    sample: str
    sheet: str
    measured: str
    verdict: str
    text: str
    autosomes: float | None
    x: float | None
    y: float | None


def check_sex(
    alignments: Sequence[Path],
    reference: Path,
    bed: Path | None,
    padding: int,
    sheet: str,
    sample: str | None,
    output: Path,
    par: Path | None = None,
) -> list[Note]:
    """Measure, write `output` (SexCheck as JSON) and give notes for the report.

    sheet: XX, XY or NA; par: BED of the pseudo-autosomal regions, as calling has it.
    """
    intervals = intervals_to_call(alignments, reference, bed, padding)
    checked = judged(sample or "", sheet, measure(alignments, reference, intervals, par))
    with written(output) as temporary:
        temporary.write_text(json.dumps(asdict(checked), indent=1) + "\n")
    return notes_of(checked)


def measure(
    alignments: Sequence[Path], reference: Path, intervals: Sequence[Interval], par: Path | None = None
) -> Depths:
    """Depth of autosomes, X and Y at places spread over `intervals`, pseudo-autosomal regions left out."""
    import pysam

    lengths = contig_lengths(reference)
    groups = {kind: [item for item in intervals if chromosome_kind(item.contig) == kind] for kind in ("A", "X", "Y")}
    for kind in ("X", "Y"):
        parts = list(by_copies(groups[kind], lengths, "XY", pseudo_autosomal(lengths, par)))
        groups[kind] = [part for part, copies in parts if copies == 1] or [part for part, _ in parts]
    with pysam.FastaFile(str(reference)) as fasta:
        places = {kind: spread(items, fasta) for kind, items in groups.items()}
    depths: dict[str, list[float]] = {kind: [0.0] * len(chosen) for kind, chosen in places.items()}
    for path in alignments:
        with quiet(), pysam.AlignmentFile(str(path), reference_filename=str(reference)) as alignment:
            known = set(alignment.references)
            for kind, chosen in places.items():
                for number, place in enumerate(chosen):
                    if place.contig in known:
                        depths[kind][number] += depth_at(alignment, place)
    autosomes = _mean(depths["A"])
    if autosomes is None or autosomes < LEAST_DEPTH:
        return Depths(autosomes, None, None)
    x, y = (_mean([min(depth / autosomes, HIGHEST) for depth in depths[kind]]) for kind in ("X", "Y"))
    return Depths(autosomes, x, y)


def chromosome_kind(contig: str) -> str:
    """A for 1 to 22, X, Y, with or without chr; empty for anything else."""
    name = contig.removeprefix("chr")
    return name if name in ("X", "Y") else "A" if re.fullmatch(r"[1-9]|1\d|2[0-2]", name) else ""


def spread(intervals: Sequence[Interval], fasta: "pysam.FastaFile") -> list[Interval]:
    """PLACES stretches of at most PLACE_LENGTH bases, evenly spread over `intervals`; those with N are left out."""
    total = sum(item.end - item.start for item in intervals)
    wanted = [total * (2 * number + 1) // (2 * PLACES) for number in range(PLACES)] if total else []
    places: list[Interval] = []
    done, at = 0, 0
    for item in intervals:
        length = item.end - item.start
        while at < len(wanted) and wanted[at] < done + length:
            start = max(item.start, min(item.start + wanted[at] - done, item.end - PLACE_LENGTH))
            place = Interval(item.contig, start, min(start + PLACE_LENGTH, item.end))
            if not places or places[-1].contig != place.contig or place.start >= places[-1].end:
                places.append(place)
            at += 1
        done += length
    return [item for item in places if "N" not in fasta.fetch(item.contig, item.start, item.end).upper()]


def depth_at(alignment: "pysam.AlignmentFile", place: Interval) -> float:
    """Mean depth of primary reads that are no duplicates and lie here with confidence."""
    bases = 0
    for read in alignment.fetch(place.contig, place.start, place.end):
        if read.flag & 0xF04 or read.mapping_quality < LEAST_MAPPING_QUALITY or read.reference_end is None:
            continue
        bases += min(place.end, read.reference_end) - max(place.start, read.reference_start)
    return bases / (place.end - place.start)


def _mean(depths: Sequence[float]) -> float | None:
    return sum(depths) / len(depths) if len(depths) >= FEWEST_PLACES else None


def copies_of(depth: float | None, ranges: Sequence[tuple[float, float, int]]) -> int | None:
    """Copies that a depth in units of the autosomes' stands for; None between the ranges."""
    return next((copies for low, high, copies in ranges if depth is not None and low <= depth < high), None)


def judged(sample: str, sheet: str, depths: Depths) -> SexCheck:
    """What the depths say, held against the sheet."""
    x, y = copies_of(depths.x, X_COPIES), copies_of(depths.y, Y_COPIES)
    seen = ", ".join(f"{name} {depth:.2f}" for name, depth in (("X", depths.x), ("Y", depths.y)) if depth is not None)
    seen = f"depth of {seen} in units of the autosomes" if seen else ""
    measured = ""
    if depths.x is None:
        verdict, text = "cannot tell", _why_not(depths)
    elif x is None or (depths.y is not None and y is None):
        verdict, text = (
            "unclear",
            f"{seen} is no whole number of copies: a mosaic, a mixture of samples, or uneven capture?",
        )
    elif y is None:
        verdict, text = _by_x_alone(x, sheet, seen)
        measured = {1: "one X", 2: "two X"}.get(x, f"{x} X")
    else:
        measured = "X" * x + "Y" * y if x + y > 1 else "X0"
        verdict, text = _by_both(measured, sheet, seen)
    return SexCheck(sample, sheet, measured, verdict, text, *(_short(value) for value in asdict(depths).values()))


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _why_not(depths: Depths) -> str:
    if depths.autosomes is None:
        return "too few places of the autosomes are called to compare X and Y with them"
    if depths.autosomes < LEAST_DEPTH:
        return f"the autosomes are {depths.autosomes:.2f} deep, too little to compare X and Y with them"
    return "too few places of X are called to compare them with the autosomes"


REMEDY = {
    "XX": "X has two copies in these calls and Y none",
    "XY": "X and Y have one copy in these calls",
    "NA": "X and Y have two copies in these calls",
}


def _by_both(measured: str, sheet: str, seen: str) -> tuple[str, str]:
    if measured == sheet:
        return "agrees", seen
    if measured not in USUAL:
        said = "nothing" if sheet == "NA" else sheet
        return "unusual", (
            f"{seen} looks like {measured}, the sheet says {said}: a person with such chromosomes, cells that lost one, "
            f"or a mixture of samples; {REMEDY.get(sheet, REMEDY['NA'])}"
        )
    if sheet not in USUAL:
        return "suggested", f"{seen} looks like {measured}; with sex {measured} in the sheet X and Y get its copies"
    return "disagrees", (
        f"{seen} looks like {measured}, the sheet says {sheet}: samples may be mixed up, or the sheet is wrong; "
        f"{REMEDY[sheet]}: correct the sheet and run again"
    )


def _by_x_alone(x: int, sheet: str, seen: str) -> tuple[str, str]:
    expected = {"XX": 2, "XY": 1}.get(sheet)
    also = "Y is not called, so it cannot be told from others"
    if expected is None:
        likely = {1: "XY", 2: "XX"}.get(x)
        return ("suggested" if likely else "unusual"), f"{seen} fits {likely or 'neither XX nor XY'}; {also}"
    if x == expected:
        return "agrees", f"{seen} fits {sheet}; {also}"
    return "disagrees", f"{seen} does not fit {sheet} in the sheet; {REMEDY[sheet]}: correct the sheet and run again"


LEVELS = {"disagrees": "warning", "unusual": "warning", "unclear": "info", "suggested": "info", "cannot tell": "info"}


def notes_of(checked: SexCheck) -> list[Note]:
    """A note where the sheet and the depth do not simply agree; none where both say nothing."""
    level = LEVELS.get(checked.verdict)
    if level is None or (checked.verdict == "cannot tell" and checked.sheet not in USUAL):
        return []
    said = {"unclear": f"sex not told, the sheet says {checked.sheet}", "cannot tell": "sex of the sheet not checked"}
    return [Note(level, f"{said.get(checked.verdict, 'sex')}: {checked.text}", checked.sample)]
