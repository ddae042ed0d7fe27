"""Reads lists of places in the genome: BED, VCF or lines of `contig:position`; and coding regions from BED or GFF."""

import gzip
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.intervals import MOST_PROBLEMS, Interval, merged, read_bed, some_names

VCF_NAME = re.compile(r"\.(vcf(\.b?gz)?|bcf)$", re.IGNORECASE)
BED_NAME = re.compile(r"\.bed(\.gz)?$", re.IGNORECASE)
GFF_NAME = re.compile(r"\.(gff3?|gtf)(\.gz)?$", re.IGNORECASE)
LINE = re.compile(r"(?P<contig>\S+):(?P<first>[\d,]+)(-(?P<last>[\d,]+))?(\s+(?P<change>\S+))?")
CHANGE = re.compile(r"(?P<reference>[ACGTN]+)>(?P<alternate>[ACGTN]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Bases [start, end) of a contig, 0-based; reference and alternate where one change is meant, as in a VCF."""

    contig: str
    start: int
    end: int
    reference: str = ""
    alternate: str = ""

    def __str__(self) -> str:
        """As people read it: 1-based, both ends included."""
        last = f"-{self.end}" if self.end > self.start + 1 and not self.alternate else ""
        change = f" {self.reference}>{self.alternate}" if self.alternate else ""
        return f"{self.contig}:{self.start + 1}{last}{change}"


def read_places(path: Path, contigs: dict[str, int]) -> list[Place]:
    """Read places from a BED or VCF, known by the end of its name, or from lines `chr1:1,234`, `chr1:10-20`, `chr1:5 A>T`.

    contigs: name to length in bases. Raises InputError with all problems, by row: not readable, contig unknown, off its end.
    """
    if BED_NAME.search(path.name):
        return [Place(interval.contig, interval.start, interval.end) for interval in read_bed(path, contigs)]
    found = list(_of_vcf(path) if VCF_NAME.search(path.name) else _of_lines(path))
    problems = [one for one in found if isinstance(one, str)]
    for number, place in enumerate(found, 1):
        if isinstance(place, Place) and (problem := _outside(place, contigs)):
            problems.append(f"{path.name}: place {number}, {place}: {problem}")
    if not found:
        problems.append(f"{path.name}: holds no place; give lines such as {next(iter(contigs), 'chr1')}:12345")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise InputError(*problems[:MOST_PROBLEMS], *([f"{path.name}: {more} more rows with problems"] * (more > 0)))
    return [place for place in found if isinstance(place, Place)]


def _outside(place: Place, contigs: dict[str, int]) -> str:
    if place.contig not in contigs:
        return f"contig {place.contig!r} is not in the reference, which has {some_names(contigs)}; give the same names"
    if not 0 <= place.start < place.end <= contigs[place.contig]:
        return f"lies off {place.contig}, which has {contigs[place.contig]} bases"
    return ""


def _of_vcf(path: Path) -> Iterator[Place | str]:
    import pysam

    try:
        before = pysam.set_verbosity(0)
        with pysam.VariantFile(str(path)) as file:
            pysam.set_verbosity(before)
            for record in file:
                for alternate in record.alts or ("",):
                    plain = alternate if re.fullmatch("[ACGTNacgtn]*", alternate) else ""
                    reference = (record.ref or "N").upper()
                    yield Place(
                        record.contig,
                        record.start,
                        record.start + len(reference),
                        reference * bool(plain),
                        plain.upper(),
                    )
    except (OSError, ValueError) as error:
        yield f"{path.name}: cannot be read as VCF ({error}); give a whole VCF, BED or lines of contig:position"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as handle:
        for number, line in enumerate(handle, 1):
            if line.strip() and not line.startswith("#"):
                yield number, line.strip()


def _of_lines(path: Path) -> Iterator[Place | str]:
    for number, line in _lines(path):
        fields = LINE.fullmatch(line)
        change = CHANGE.fullmatch(fields["change"]) if fields and fields["change"] else None
        if fields is None or (fields["change"] and not change):
            yield f"{path.name}: row {number}: {line[:60]!r} is no place; write chr1:12345, chr1:10-20 or chr1:12345 A>T"
            continue
        first = int(fields["first"].replace(",", ""))
        last = int((fields["last"] or fields["first"]).replace(",", ""))
        if change:
            reference, alternate = change["reference"].upper(), change["alternate"].upper()
            yield Place(fields["contig"], first - 1, first - 1 + len(reference), reference, alternate)
        else:
            yield Place(fields["contig"], first - 1, last)


def read_coding_regions(path: Path, contigs: dict[str, int]) -> list[Interval]:
    """Intervals of a BED, or the rows of type CDS of a GFF or GTF. Contigs that the reference lacks are left out of a GFF.

    Raises InputError: what read_bed raises; a GFF without any CDS on a contig of the reference, or with broken rows.
    """
    if not GFF_NAME.search(path.name):
        return read_bed(path, contigs)
    intervals, problems = [], []
    for number, line in _lines(path):
        columns = line.split("\t")
        if len(columns) < 8:
            if line.startswith(">"):  # sequences at the end of a GFF3
                break
            problems.append(f"{path.name}: row {number}: {len(columns)} columns between tabs, 9 needed")
        elif columns[2] == "CDS" and columns[0] in contigs:
            if columns[3].isdecimal() and columns[4].isdecimal():
                intervals.append(Interval(columns[0], int(columns[3]) - 1, int(columns[4])))
            else:
                problems.append(
                    f"{path.name}: row {number}: start {columns[3]!r} and end {columns[4]!r} are no numbers"
                )
    if not intervals and not problems:
        problems.append(
            f"{path.name}: no row of type CDS on a contig of the reference, which has {some_names(contigs)}; give the same names"
        )
    if problems:
        raise InputError(*problems[:MOST_PROBLEMS])
    return intervals


def toucher(intervals: Iterable[Interval], contigs: dict[str, int]) -> Callable[[Place], bool]:
    """A test whether a place touches one of the intervals, quick for many of both."""
    starts: dict[str, list[int]] = {}
    ends: dict[str, list[int]] = {}
    for interval in merged(list(intervals), contigs):
        starts.setdefault(interval.contig, []).append(interval.start)
        ends.setdefault(interval.contig, []).append(interval.end)

    def touches(place: Place) -> bool:
        last = bisect_left(starts.get(place.contig, []), place.end) - 1
        return last >= 0 and ends[place.contig][last] > place.start

    return touches
