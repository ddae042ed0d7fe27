"""Looks at the reads: whether they are what a model's card expects, and whether duplicates are marked."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.notes import Note
from strandwise.models.card import Card

if TYPE_CHECKING:
    from strandwise.formats.intervals import Interval

PEEKS = 8
PEEK_LENGTH = 500
MOST_READS = 500

COPIES_PEEKS = 32
LEAST_PAIRS = 200
"""Fewer pairs say nothing of duplicates."""

UNMARKED = (0.04, 0.5)
"""Shares of pairs that lie exactly where another one does: less is chance (0.1 % at 100x), more are amplicons, whose reads all do."""


@dataclass(frozen=True)
class Reads:
    """What a look at some places shows. platform: of the read groups, empty where none says; read_length: bases, median;
    depth: mean over the places that hold reads."""

    platform: str
    read_length: int
    depth: float


def look(alignments: list[Path], reference: Path, intervals: "list[Interval]") -> Reads | None:
    """Look at some evenly spread places of the intervals; None where no read lies."""
    import pysam

    places = [intervals[i * len(intervals) // PEEKS] for i in range(PEEKS)]
    lengths: list[int] = []
    depths: list[float] = []
    platforms: set[str] = set()
    for path in alignments:
        with pysam.AlignmentFile(str(path), reference_filename=str(reference)) as file:
            groups = file.header.to_dict().get("RG", [])
            platforms.update(str(group["PL"]).upper() for group in groups if group.get("PL"))
            for peek, interval in enumerate(places):
                start = interval.start + (interval.end - interval.start) * peek // PEEKS
                stop = min(start + PEEK_LENGTH, interval.end)
                bases = 0
                for number, read in enumerate(file.fetch(interval.contig, start, stop)):
                    if read.is_secondary or read.is_supplementary or read.is_unmapped:
                        continue
                    lengths.append(read.query_length or read.infer_query_length() or 0)
                    bases += min(stop, read.reference_end or stop) - max(start, read.reference_start)
                    if number >= MOST_READS:
                        break
                depths.append(bases / max(1, stop - start))
    if not lengths:
        return None
    covered = [depth for depth in depths if depth > 0]
    return Reads("+".join(sorted(platforms)), sorted(lengths)[len(lengths) // 2], sum(covered) / len(covered))


def check_assay(card: Card, reads: Reads | None, allow_mismatch: bool, sample: str) -> list[Note]:
    """Say where the reads are outside of what the model was trained for.

    Raises InputError, naming the reads and the model, unless allow_mismatch; then gives notes.
    """
    if reads is None:
        return [Note("info", "no reads in the intervals of a shard: nothing to call there", sample)]
    expected = card.details["expects"]
    low, high = expected["read_length"]
    problems = []
    if reads.platform and reads.platform != expected["platform"]:
        problems.append(f"reads of platform {reads.platform}, model {card.model_version} is for {expected['platform']}")
    if not low <= reads.read_length <= high:
        problems.append(
            f"reads of {reads.read_length} bases, model {card.model_version} was trained on {low} to {high}"
        )
    if problems and not allow_mismatch:
        remedy = "choose a fitting model, or allow_model_mismatch to go on with a warning"
        raise InputError(*(f"{sample}: {problem}; {remedy}" for problem in problems))
    return [Note("warning", f"{problem}: accuracy is not known", sample) for problem in problems]


def unmarked_duplicates(
    alignments: list[Path], reference: Path, intervals: "list[Interval]", sample: str
) -> list[Note]:
    """A warning where many pairs at some evenly spread places are copies and none of the reads is marked as one."""
    import pysam

    places: set[tuple[object, ...]] = set()
    pairs = 0
    for number, path in enumerate(alignments):
        with pysam.AlignmentFile(str(path), reference_filename=str(reference)) as file:
            for where in _spread(intervals, COPIES_PEEKS):
                for read in islice(file.fetch(where.contig, where.start, where.end), MOST_READS):
                    if read.is_duplicate:
                        return []
                    first = read.is_read1 and not (read.is_secondary or read.is_supplementary or read.is_unmapped)
                    if first and read.reference_start >= where.start:
                        mate = (read.next_reference_id, read.next_reference_start, read.template_length)
                        places.add((number, where.contig, read.reference_start, read.is_reverse, *mate))
                        pairs += 1
    share = 1 - len(places) / max(1, pairs)
    if pairs < LEAST_PAIRS or not UNMARKED[0] <= share <= UNMARKED[1]:
        return []
    text = (
        f"{share:.0%} of the pairs looked at begin and end where another one does, and no read is marked as a duplicate: "
        "genotype qualities promise too much; mark duplicates (samtools markdup, Picard) unless these are amplicons"
    )
    return [Note("warning", text, sample)]


def _spread(intervals: "list[Interval]", number: int) -> Iterator["Interval"]:
    """Stretches of PEEK_LENGTH bases at most, evenly spread over the bases of the intervals, none over another."""
    ends = list(accumulate(interval.end - interval.start for interval in intervals))
    length = min(PEEK_LENGTH, max(1, ends[-1] // number))
    for peek in range(number):
        at = ends[-1] * peek // number
        interval = intervals[bisect_right(ends, at)]
        start = interval.end - (ends[bisect_right(ends, at)] - at)
        yield replace(interval, start=start, end=min(start + length, interval.end))
