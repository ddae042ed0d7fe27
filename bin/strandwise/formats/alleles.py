"""Reads the alleles that a user wants genotyped: checks them, brings them into the caller's form, hands them out by place."""

import gzip
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.intervals import MOST_PROBLEMS, Interval, some_names
from strandwise.formats.vcf import index_and_count, written_with_index

if TYPE_CHECKING:
    import pysam

LONGEST = 200
"""Bases that an allele may hold: what is longer is no small variant, and short reads do not span it."""

ALLELES_PRIOR = 0.1
"""Chance that a person carries a given allele, before any read is seen, where nothing else is said."""

MARK = "##strandwise_alleles=1"
"""Stands in the header of a file that prepare_alleles wrote."""

Event = tuple[int, int, str]
"""A left-aligned change: first reference base replaced (0-based), their number, the bases that take their place."""

Row = tuple[str, int, str, str]
"""CHROM, POS (1-based), REF and one ALT of a VCF."""


def allele_problems(path: Path, contigs: Mapping[str, int], fasta: "pysam.FastaFile | None") -> list[str]:
    """Everything that is wrong in a VCF of alleles, a line each, the first MOST_PROBLEMS of them and how many there are more.

    contigs: name to length in bases; fasta: to hold REF against, None where only the contigs are at hand.
    """
    problems = []
    found = 0
    try:
        for number, line in _lines(path):
            found += 1
            problem = _problem(line, contigs, fasta)
            if problem:
                problems.append(f"{path.name}: row {number}: {problem}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: cannot be read ({error}); give a VCF, plain or compressed")
    if not found and not problems:
        problems.append(f"{path.name}: holds no allele; give a VCF with the alleles to genotype, or leave it out")
    more = len(problems) - MOST_PROBLEMS
    return problems[:MOST_PROBLEMS] + [f"{path.name}: {more} more rows with problems"] * (more > 0)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Rows below the header with their number in the file."""
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rt") if compressed else path.open() as handle:
        for number, line in enumerate(handle, 1):
            if not line.startswith("#") and line.strip():
                yield number, line.rstrip("\r\n")


def _problem(line: str, contigs: Mapping[str, int], fasta: "pysam.FastaFile | None") -> str | None:
    columns = line.split("\t")
    if len(columns) < 5:
        return f"{len(columns)} columns between tabs; a VCF has CHROM, POS, ID, REF, ALT"
    contig, position, _, reference, alternates = columns[:5]
    if contig not in contigs:
        return f"contig {contig!r} is not in the reference, which has {some_names(contigs)}; give the same names"
    if not position.isdecimal() or not 1 <= int(position) <= contigs[contig] - len(reference) + 1:
        return f"position {position} with {len(reference)} bases lies off {contig}, which has {contigs[contig]} bases"
    where = f"{contig}:{position} {reference}>{alternates}"
    if not re.fullmatch("[ACGTacgt]+", reference):
        return f"{where}: REF must be spelled with A, C, G, T"
    for alternate in alternates.split(","):
        if not re.fullmatch("[ACGTacgt]+", alternate):
            return f"{where}: ALT {alternate!r} is not spelled in bases; symbolic and missing alleles cannot be genotyped, take the row out"
        if alternate.upper() == reference.upper():
            return f"{where}: ALT {alternate} is REF; take it out"
        if position == "1" and reference[0].upper() != alternate[0].upper() and len(reference) != len(alternate):
            return f"{where}: replaces the first base of {contig}, with none before it; take it out"
        if max(len(alternate), len(reference)) > LONGEST:
            return f"{where[:60]}…: longer than {LONGEST} bases; take the row out, short reads do not show it"
    if fasta:
        true = fasta.fetch(contig, int(position) - 1, int(position) - 1 + len(reference)).upper()
        if true != reference.upper():
            return f"{where}: REF is not the reference's {true}; give alleles of the same genome build"
    return None


def outside(path: Path, intervals: list[Interval]) -> tuple[int, int]:
    """How many rows of a VCF of alleles begin in none of the intervals (merged, of any contigs), and how many there are."""
    starts: dict[str, list[int]] = {}
    ends: dict[str, list[int]] = {}
    for item in intervals:
        starts.setdefault(item.contig, []).append(item.start)
        ends.setdefault(item.contig, []).append(item.end)
    number = left_out = 0
    for _, line in _lines(path):
        contig, position = line.split("\t")[:2]
        before = bisect_right(starts.get(contig, []), int(position) - 1)
        number += 1
        left_out += before == 0 or ends[contig][before - 1] < int(position)
    return left_out, number


def prepare_alleles(path: Path, reference: Path, output: Path) -> int:
    """Split, left-align and sort the alleles of a VCF, with `bcftools norm`; write VCF and index. Gives their number.

    Each row of the result has one allele: an SNV, an insertion or a deletion; a longer change is split into these.
    Raises InputError with all that allele_problems finds.
    """
    import pysam

    with pysam.FastaFile(str(reference)) as fasta:
        contigs = dict(zip(fasta.references, fasta.lengths, strict=True))
        problems = allele_problems(path, contigs, fasta)
    if problems:
        raise InputError(*problems)
    ranks = {name: rank for rank, name in enumerate(contigs)}
    split = _normalised(_plain_rows(path), contigs, reference, output, ("--multiallelics", "-any", "--atomize"))
    aligned = _normalised(split, contigs, reference, output, ())
    rows = sorted(set(aligned), key=lambda row: (ranks[row[0]], row[1:]))
    with written_with_index(output) as temporary:
        with pysam.BGZFile(str(temporary), "w", None) as file:
            file.write("".join([*_header(contigs, MARK), *map(_line, rows)]).encode())
        index_and_count(temporary, len(rows))
    return len(rows)


def _plain_rows(path: Path) -> Iterator[Row]:
    for _, line in _lines(path):
        contig, position, _, reference, alternates = line.split("\t")[:5]
        yield contig, int(position), reference.upper(), alternates.upper()


def _header(contigs: Mapping[str, int], *further: str) -> list[str]:
    lines = ["##fileformat=VCFv4.3", *further]
    lines += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    return [f"{line}\n" for line in lines]


def _line(row: Row) -> str:
    contig, position, reference, alternate = row
    return f"{contig}\t{position}\t.\t{reference}\t{alternate}\t.\t.\t.\n"


def _normalised(
    rows: Iterator[Row] | list[Row], contigs: Mapping[str, int], reference: Path, beside: Path, options: tuple[str, ...]
) -> list[Row]:
    """Rows through bcftools norm; overlapping alleles that it writes as * are left out."""
    import pysam.bcftools

    temporary = beside.with_name(f".tmp-norm.{beside.name.removesuffix('.gz')}")
    try:
        with temporary.open("w") as file:
            file.writelines(_header(contigs))
            file.writelines(map(_line, rows))
        text = str(pysam.bcftools.norm("--fasta-ref", str(reference), *options, str(temporary)))
    finally:
        temporary.unlink(missing_ok=True)
    result = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        contig, position, _, old, alternates = line.split("\t")[:5]
        result += [(contig, int(position), old, new) for new in alternates.split(",") if new not in ("*", ".", old)]
    return result


def read_alleles(path: Path, contig: str, start: int, end: int) -> list[Event]:
    """Events of prepared alleles whose record starts in [start, end) of a contig, sorted, 0-based half-open.

    Raises InputError for a file that prepare_alleles did not write.
    """
    import pysam

    try:
        with pysam.TabixFile(str(path)) as file:
            if MARK not in file.header:
                raise InputError(f"{path.name}: not prepared; write it with: small_variants.py alleles")
            if contig not in file.contigs:
                return []
            rows = [line.split("\t") for line in file.fetch(contig, start, end)]
    except OSError as error:
        raise InputError(
            f"{path.name}: cannot be read by its index; write it with: small_variants.py alleles"
        ) from error
    events = [_event(int(row[1]) - 1, row[3], row[4]) for row in rows if start < int(row[1]) <= end]
    return sorted(events)


def _event(position: int, reference: str, alternate: str) -> Event:
    if len(reference) == len(alternate):
        return position, len(reference), alternate
    return position + 1, len(reference) - 1, alternate[1:]
