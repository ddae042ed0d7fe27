#!/usr/bin/env python3
"""What a caller could reach at best on a simulated set: the alleles are known, and reads alone decide how many copies there are.

benchmarks/germline/ceiling.py --sets SETS.tsv --only test_10x …

Two judges, each knowing more than a caller can, and each without errors at places that hold no allele:

- error-free: every read tells its haplotype. An allele of which no read lies there is missed; where no other read lies there, one
  copy or two is decided by how likely so many reads of a single haplotype are.
- as read: SNVs only, with the bases that the machine read. The likeliest genotype by Bayes' rule, from the error rates that
  qualities state, which are the simulator's, and the share of such genotypes in this very region as the prior. One read of an
  allele among several without it can be told from an error no better than that.
"""

import bisect
import csv
import math
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pysam
from typer import Option, Typer

sys.path.insert(0, str(Path(__file__).parents[2] / "bin"))

from strandwise.formats.intervals import read_bed
from strandwise.small_variants.labels import read_truth

app = Typer(help=__doc__, pretty_exceptions_enable=False)

ERROR_FREE, AS_READ = JUDGES = ("error-free", "as read")

Key = tuple[int, int, str]  # 0-based position, length of the reference replaced, bases put there


@dataclass
class TrueAllele:
    """An allele of the truth.

    low, high: 0-based span that a read must cover to show it; carriers: haplotypes (0, 1) that have it; others: bases that
    are no error beside an SNV, the reference's and those of other alleles there; shown: by molecule that covers it the base
    at an SNV and its quality.
    """

    low: int
    high: int
    alternate: str
    is_snv: bool
    carriers: frozenset[int]
    others: frozenset[str] = frozenset()
    shown: dict[int, tuple[str, int]] = field(default_factory=dict)

    @property
    def copies(self) -> int:
        return len(self.carriers)


@dataclass(frozen=True)
class Errors:
    """False negatives and false positives; a wrong genotype is one of each."""

    missed: int = 0
    false: int = 0

    def __add__(self, other: "Errors") -> "Errors":
        return Errors(self.missed + other.missed, self.false + other.false)


def errors_of(called: int, true: int) -> Errors:
    """Errors of calling so many copies of an allele (0: not called) of which there are one or two."""
    return Errors() if called == true else Errors(1, int(called > 0))


def error_free(carrying: int, others: int, both: float) -> int:
    """Copies called from so many error-free reads with and without an allele; both: share of true alleles with two copies."""
    if not carrying:
        return 0
    if others:
        return 1
    return 2 if both >= (1 - both) * 0.5**carrying else 1


def as_read(bases: Iterable[tuple[bool, bool, int]], prior: tuple[float, float, float]) -> int:
    """Copies of an SNV by Bayes' rule; bases: (is the allele, is the reference, quality); prior: of 0, 1 and 2 copies."""
    logs = [math.log(share) if share else -math.inf for share in prior]
    for allele, reference, quality in bases:
        wrong = min(0.75, 10 ** (-quality / 10))
        from_allele = 1 - wrong if allele else wrong / 3
        from_reference = 1 - wrong if reference else wrong / 3
        for copies in (0, 1, 2):
            logs[copies] += math.log((copies * from_allele + (2 - copies) * from_reference) / 2)
    return logs.index(max(logs))


def border(alleles: list[TrueAllele]) -> int:
    """The number of the first read of the second haplotype: the simulator numbers those of the first before it.

    It is the number that contradicts fewest bases shown at heterozygous SNVs.
    """
    sides = sorted(
        (number, 0 if (base == allele.alternate) == (0 in allele.carriers) else 1)
        for allele in alleles
        if allele.is_snv and allele.copies == 1
        for number, (base, _) in allele.shown.items()
    )
    against = best = sum(side == 0 for _, side in sides)  # with all reads of the second haplotype
    place = 0
    for number, side in sides:
        against += 1 if side else -1
        if against < best:
            best, place = against, number + 1
    return place


def true_alleles(row: dict[str, str]) -> Iterator[tuple[list[TrueAllele], int]]:
    """Alleles of each interval of a set, sorted, with the molecules that cover them, and the interval's length."""
    with pysam.FastaFile(row["fasta"]) as fasta, pysam.AlignmentFile(row["bam"]) as reads:
        lengths = dict(zip(fasta.references, fasta.lengths, strict=True))
        for where in read_bed(Path(row["bed"]), lengths):
            sequence = fasta.fetch(where.contig).upper()
            found: dict[Key, set[int]] = {}
            for item in read_truth(Path(row["truth"]), where, sequence.__getitem__):
                if where.start <= item.event.position and item.event.end <= where.end:
                    key = (item.event.position, item.event.reference_length, item.event.alternate)
                    found.setdefault(key, set()).add(item.haplotype)
            alleles = [placed(*key, frozenset(carriers), sequence, found) for key, carriers in sorted(found.items())]
            cover(alleles, reads.fetch(where.contig, where.start, where.end))
            yield alleles, where.end - where.start


def placed(
    position: int, replaced: int, alternate: str, carriers: frozenset[int], sequence: str, found: Container[Key]
) -> TrueAllele:
    """An allele with what a read must cover: the base, or an indel with all its shifts and a base on either side."""
    if replaced == len(alternate) == 1:
        here = {base for base in "ACGT" if (position, 1, base) in found}
        others = frozenset({sequence[position], *here} - {alternate})
        return TrueAllele(position, position + 1, alternate, True, carriers, others)
    body, end = sequence[position : position + replaced] or alternate, position + replaced
    while end < len(sequence) and sequence[end] == body[0]:
        body, end = body[1:] + body[0], end + 1
    return TrueAllele(position - 1, end + 1, alternate, False, carriers)


def cover(alleles: list[TrueAllele], reads: Iterable[pysam.AlignedSegment]) -> None:
    """Note for each allele the molecules whose reads cover it, clipped bases included; of two mates the better base."""
    lows = [allele.low for allele in alleles]
    for record in reads:
        if record.is_unmapped or record.is_secondary or record.is_supplementary or not record.cigartuples:
            continue
        left, right = (
            size if operation == 4 else 0 for operation, size in (record.cigartuples[0], record.cigartuples[-1])
        )
        start, end = record.reference_start - left, (record.reference_end or 0) + right
        number = int((record.query_name or "").lstrip("r"))
        for allele in alleles[bisect.bisect_left(lows, start) :]:
            if allele.low >= end:
                break
            if allele.high > end:
                continue
            base, quality = base_at(record, allele.low) if allele.is_snv else ("", 0)
            if number not in allele.shown or quality > allele.shown[number][1]:
                allele.shown[number] = (base, quality)


def base_at(record: pysam.AlignedSegment, position: int) -> tuple[str, int]:
    """Base and quality of a read at a 0-based reference position; no base where it is deleted or clipped."""
    at, query = record.reference_start, 0
    for operation, size in record.cigartuples or ():
        if operation in (0, 7, 8) and position < at + size:
            if position < at:
                break
            place = query + position - at
            return (record.query_sequence or "")[place], (record.query_qualities or [0] * (place + 1))[place]
        at += size if operation in (0, 2, 3, 7, 8) else 0
        query += size if operation in (0, 1, 4, 7, 8) else 0
    return "", 0


def judged(alleles: list[TrueAllele], bases: int) -> dict[tuple[str, bool], Errors]:
    """Errors by judge and by whether the allele is an SNV; bases: length of the region, for the prior."""
    second = border(alleles)
    result: dict[tuple[str, bool], Errors] = {}
    for is_snv in (True, False):
        these = [allele for allele in alleles if allele.is_snv == is_snv]
        doubles = sum(allele.copies == 2 for allele in these)
        both = doubles / max(1, len(these))
        # three alleles are possible at each base
        prior = (1.0, (len(these) - doubles) / (3 * bases), doubles / (3 * bases))
        for allele in these:
            number_first = sum(number < second for number in allele.shown)
            reads = (number_first, len(allele.shown) - number_first)
            carrying = sum(reads[haplotype] for haplotype in allele.carriers)
            called = {ERROR_FREE: error_free(carrying, sum(reads) - carrying, both)}
            if is_snv:
                called[AS_READ] = as_read(evidence(allele), prior)
            for judge, copies in called.items():
                key = (judge, is_snv)
                result[key] = result.get(key, Errors()) + errors_of(copies, allele.copies)
    return result


def evidence(allele: TrueAllele) -> Iterator[tuple[bool, bool, int]]:
    """Of each base whether it is the allele's, whether it is one that the haplotypes have beside it, and its quality."""
    for base, quality in allele.shown.values():
        if base:
            yield base == allele.alternate, base in allele.others, quality


def f1(true: int, errors: Errors) -> float:
    return 2 * (true - errors.missed) / (2 * true - errors.missed + errors.false)


@app.command()
def main(
    sets: Annotated[Path, Option(help="SETS.tsv of simulate.py", exists=True)],
    only: Annotated[list[str], Option(help="set to judge, of one person's reads without noise; repeat")],
) -> None:
    """Print what each judge misses and calls falsely."""
    with sets.open() as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["name"] in only]
    print("| set | type | true alleles | judge | FN | FP | F1 |\n" + "| --- " * 7 + "|")
    for row in rows:
        for alleles, bases in true_alleles(row):
            found = judged(alleles, bases)
            for is_snv, kind in ((True, "SNP"), (False, "INDEL")):
                true = sum(allele.is_snv == is_snv for allele in alleles)
                for judge in JUDGES:
                    if (judge, is_snv) in found:
                        errors = found[judge, is_snv]
                        print(
                            f"| {row['name']} | {kind} | {true} | {judge} | {errors.missed} | {errors.false} | {f1(true, errors):.4f} |"
                        )


if __name__ == "__main__":
    app()
