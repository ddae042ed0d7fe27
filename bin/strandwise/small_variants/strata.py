"""Says of each allele that is scored where it belongs: repeats, mappability, depth, neighbours, length, genotype."""

import bisect
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from strandwise.small_variants.mappability import found_elsewhere

if TYPE_CHECKING:
    import pysam

    from strandwise.small_variants.evaluate import Allele

STRATA = ("all", "context", "mappability", "depth", "neighbours", "length", "genotype")
"""In the order in which tables show them."""

LONGEST_ALLELE = 50
"""Bases after trimming; longer alleles are structural variants and left out on both sides."""

HOMOPOLYMER = re.compile(r"([ACGT])\1{5,}")
TANDEM_REPEAT = re.compile(r"([ACGT]{2,6}?)\1{2,}")
NEAR = 20
LENGTHS = ((1, 1), (2, 5), (6, 15), (16, LONGEST_ALLELE))
DEPTHS = ((0, 4), (5, 9), (10, 14), (15, 24), (25, 39), (40, 79), (80, 10**9))


def context(sequence: str, start: int, end: int) -> str:
    """homopolymer (6 bases or more), tandem repeat (3 or more copies of 2 to 6 bases) or elsewhere, touching [start, end)."""
    begin = max(0, start - 60)
    around = sequence[begin : end + 60]
    for name, pattern in (("homopolymer", HOMOPOLYMER), ("tandem repeat", TANDEM_REPEAT)):
        if any(found.start() + begin <= end and found.end() + begin >= start for found in pattern.finditer(around)):
            return name
    return "elsewhere"


def range_name(value: int, ranges: Sequence[tuple[int, int]]) -> str:
    """The range that holds a value: 1, 2-5, 40+."""
    low, high = next(pair for pair in ranges if pair[0] <= value <= pair[1])
    return str(low) if low == high else f"{low}-{high}" if high < 10**9 else f"{low}+"


def stratify(
    alleles: "Sequence[Allele]",
    truth: "Sequence[Allele]",
    sequence: str,
    depth: Callable[[str, int], int] | None,
) -> None:
    """Say of each allele of a contig to which part of each stratum it belongs, mappability left to mark_mappability.

    truth: all true alleles of the contig; sequence: its bases; depth(contig, position), None where reads are not given.
    """
    places = sorted((allele.normal[0], allele.normal) for allele in truth)
    for allele in alleles:
        start, ref, alt = allele.normal
        first = bisect.bisect_left(places, (start - NEAR,))
        last = bisect.bisect_right(places, (start + NEAR + 1,))
        others = any(normal != allele.normal for _, normal in places[first:last])
        allele.strata = {
            "all": "all",
            "context": context(sequence, allele.low, allele.high),
            "neighbours": f"within {NEAR} bases" if others else "none near",
            "genotype": "homozygous" if allele.homozygous else "heterozygous",
        }
        if allele.kind == "INDEL":
            sign = "insertion" if len(alt) > len(ref) else "deletion"
            allele.strata["length"] = f"{sign} {range_name(max(1, abs(len(alt) - len(ref))), LENGTHS)}"
        if depth is not None:
            allele.strata["depth"] = range_name(depth(allele.contig, allele.low), DEPTHS)


def mark_mappability(alleles: "Sequence[Allele]", fasta: "pysam.FastaFile") -> None:
    """Say of each allele whether the 100 bases around it occur elsewhere in the reference too: low, otherwise unique."""
    contigs: dict[str, list[Allele]] = {}
    for allele in alleles:
        contigs.setdefault(allele.contig, []).append(allele)
    places = {contig: [allele.low for allele in here] for contig, here in contigs.items()}
    for contig, repeated in found_elsewhere(fasta, places).items():
        for allele, low in zip(contigs[contig], repeated, strict=True):
            allele.strata["mappability"] = "low" if low else "unique"
