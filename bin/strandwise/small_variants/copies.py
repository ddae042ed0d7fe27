"""How many copies of each place a person has: sex chromosomes without their pseudo-autosomal ends, mitochondria."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from strandwise.formats.intervals import Interval, merged, read_bed

PSEUDO_AUTOSOMAL = {
    ("X", 155_270_560): ((60_000, 2_699_520), (154_931_043, 155_260_560)),  # GRCh37
    ("Y", 59_373_566): ((10_000, 2_649_520), (59_034_049, 59_363_566)),
    ("X", 156_040_895): ((10_000, 2_781_479), (155_701_382, 156_030_895)),  # GRCh38
    ("Y", 57_227_415): ((10_000, 2_781_479), (56_887_902, 57_217_415)),
    ("X", 154_259_566): ((0, 2_394_410), (153_925_834, 154_259_566)),  # T2T-CHM13v2.0
    ("Y", 62_460_029): ((0, 2_458_320), (62_122_809, 62_460_029)),
}
"""By chromosome and its length in bases: 0-based half-open (Genome Reference Consortium; T2T consortium, chm13v2.0_PAR.bed)."""

MITOCHONDRIA = ("M", "MT", "chrM", "chrMT")


SEX_CHROMOSOMES = ("X", "Y")

Shared = Mapping[str, Sequence[tuple[int, int]]]
"""Pseudo-autosomal regions by contig, 0-based half-open; X and Y that it lacks are of a build that is not known."""


def pseudo_autosomal(lengths: dict[str, int], bed: Path | None = None) -> Shared:
    """Pseudo-autosomal regions of the reference's X and Y: those of `bed`, or else those known by the lengths.

    With a BED all of X and Y outside its rows has one copy in XY. Raises InputError for what read_bed raises.
    """
    if bed is None:
        found = {name: PSEUDO_AUTOSOMAL.get((name.removeprefix("chr"), length)) for name, length in lengths.items()}
        return {name: regions for name, regions in found.items() if regions}
    regions = merged(read_bed(bed, lengths), lengths)
    return {
        name: [(item.start, item.end) for item in regions if item.contig == name]
        for name in lengths
        if name.removeprefix("chr") in SEX_CHROMOSOMES
    }


def by_copies(
    intervals: Sequence[Interval], lengths: dict[str, int], sex: str | None, shared: Shared | None = None
) -> Iterator[tuple[Interval, int]]:
    """Cut intervals where the number of copies changes and give it: 2, 1 or 0.

    sex: XX, XY, or anything else for unknown, when X and Y count as diploid throughout. Mitochondria have one copy;
    X and Y of builds not known by their lengths are diploid. shared: as pseudo_autosomal gives it, None for the
    regions known by the lengths.
    """
    shared = pseudo_autosomal(lengths) if shared is None else shared
    for interval in intervals:
        chromosome = interval.contig.removeprefix("chr")
        if interval.contig in MITOCHONDRIA:
            yield interval, 1
        elif interval.contig not in shared or sex not in ("XX", "XY") or (chromosome == "X" and sex == "XX"):
            yield interval, 2
        elif sex == "XX":
            yield interval, 0
        else:
            yield from _cut(interval, shared[interval.contig])


def unknown_build(lengths: dict[str, int], sex: str | None, bed: Path | None) -> list[str]:
    """Contigs X and Y that are called as diploid although the sex is known: their pseudo-autosomal regions are not."""
    if sex not in ("XX", "XY") or bed is not None:
        return []
    known = pseudo_autosomal(lengths)
    chromosomes = SEX_CHROMOSOMES if sex == "XY" else ("Y",)
    return [name for name in lengths if name.removeprefix("chr") in chromosomes and name not in known]


def _cut(interval: Interval, shared: Sequence[tuple[int, int]]) -> Iterator[tuple[Interval, int]]:
    edges = sorted({edge for pair in shared for edge in pair if interval.start < edge < interval.end})
    bounds = [interval.start, *edges, interval.end]
    for start, end in itertools.pairwise(bounds):
        diploid = any(low <= start < high for low, high in shared)
        yield Interval(interval.contig, start, end), 2 if diploid else 1
