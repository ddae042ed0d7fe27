"""Reads, pads, merges and writes genomic intervals (BED): 0-based, half-open."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.files import written

MOST_PROBLEMS = 20
"""So many problems of one file are listed; the others are counted."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Bases [start, end) of a contig, 0-based."""

    contig: str
    start: int
    end: int

    def __str__(self) -> str:
        """As people read it: 1-based, both ends included."""
        return f"{self.contig}:{self.start + 1}-{self.end}"


def contig_lengths(reference: Path) -> dict[str, int]:
    """Names and lengths in bases of the reference's contigs, in its order."""
    import pysam

    with pysam.FastaFile(str(reference)) as fasta:
        return dict(zip(fasta.references, fasta.lengths, strict=True))


def read_bed(path: Path, contigs: dict[str, int]) -> list[Interval]:
    """Read the first three columns of a BED file, plain or gzipped, in the order of the file.

    contigs: name to length in bases. Raises InputError with all problems, by row: too few columns, no numbers, start
    not before end, contig unknown or too short; and for a file without any interval.
    """
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as handle:
        rows = [(number, line.rstrip("\r\n")) for number, line in enumerate(handle, 1)]
    intervals, problems = [], []
    for number, line in rows:
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        found = _interval(line, contigs)
        if isinstance(found, Interval):
            intervals.append(found)
        else:
            problems.append(f"{path.name}: row {number}: {found}")
    if not intervals and not problems:
        problems.append(
            f"{path.name}: holds no interval; give contig, start and end by row, or leave the intervals out"
        )
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise InputError(*problems[:MOST_PROBLEMS], *([f"{path.name}: {more} more rows with problems"] * (more > 0)))
    return intervals


def _interval(line: str, contigs: dict[str, int]) -> Interval | str:
    """The interval of a row, or what is wrong with it."""
    columns = line.split("\t")
    if len(columns) < 3:
        return f"{len(columns)} columns between tabs, 3 needed: contig, start, end"
    contig, first, last = columns[:3]
    if not (first.strip().isdecimal() and last.strip().isdecimal()):
        return f"start {first!r} and end {last!r} must be whole numbers, 0-based start and end"
    start, end = int(first), int(last)
    if contig not in contigs:
        return f"contig {contig!r} is not in the reference, which has {some_names(contigs)}; give the same names"
    if start >= end:
        return f"start {start} is not before end {end}"
    if end > contigs[contig]:
        return f"end {end} lies off the end of {contig}, which has {contigs[contig]} bases"
    return Interval(contig, start, end)


def some_names(names: Iterable[str], most: int = 3) -> str:
    """The first names, quoted, for messages."""
    listed = list(names)
    return ", ".join(map(repr, listed[:most])) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def padded(intervals: list[Interval], padding: int, contigs: dict[str, int]) -> list[Interval]:
    """Widen each interval by `padding` bases on both sides, not over the ends of its contig."""
    return [
        Interval(item.contig, max(0, item.start - padding), min(contigs[item.contig], item.end + padding))
        for item in intervals
    ]


def merged(intervals: list[Interval], contigs: dict[str, int]) -> list[Interval]:
    """Sort in the order of `contigs` and join what overlaps or touches."""
    ranks = {name: rank for rank, name in enumerate(contigs)}
    joined: list[Interval] = []
    for item in sorted(intervals, key=lambda item: (ranks[item.contig], item.start, item.end)):
        if joined and joined[-1].contig == item.contig and item.start <= joined[-1].end:
            before = joined.pop()
            item = Interval(item.contig, before.start, max(before.end, item.end))
        joined.append(item)
    return joined


def write_bed(intervals: Iterable[Interval], path: Path) -> None:
    with written(path) as temporary:
        temporary.write_text("".join(f"{item.contig}\t{item.start}\t{item.end}\n" for item in intervals))
