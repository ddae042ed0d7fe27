"""Calls one shard of one sample: candidates, networks, genotypes, reference confidence."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strandwise.formats.alleles import ALLELES_PRIOR, read_alleles
from strandwise.formats.intervals import Interval
from strandwise.formats.vcf import IntervalCalls
from strandwise.models.card import Card
from strandwise.small_variants.candidates import CandidateReader, Candidates
from strandwise.small_variants.genotypes import plain_probabilities, reference_quality, site_calls
from strandwise.small_variants.given import weighed

if TYPE_CHECKING:
    from strandwise.small_variants.network import Genotyper

NEAR = 5000
"""Intervals no farther apart are read together: to begin anew decodes on average as much, since indexes are that coarse."""


def call_shard(
    alignments: list[Path],
    reference: Path,
    model: Card | None,
    intervals: Sequence[Interval],
    ploidy: int | Sequence[int] = 2,
    threads: int = 1,
    realign: bool = True,
    assemble: bool = True,
    alleles: Path | None = None,
    share: float = ALLELES_PRIOR,
) -> Iterator[IntervalCalls]:
    """Give what is found in the intervals, in their order, in pieces cut at multiples of 100,000 bases.

    Files are opened and networks loaded at once, the reads are read as the pieces are asked for.
    Calls do not depend on how intervals are cut or on threads. model: its card, or None for genotypes from likelihoods
    and a prior alone; ploidy: copies per cell, of all intervals or of each; realign: False to count only what the
    alignments show; assemble: False for haplotypes of differences that they show (all to measure what they are worth);
    alleles: VCF by prepare_alleles, of what is to be genotyped whatever the reads show; share: chance that a person
    carries one of these.
    Raises InputError for alignments that cannot be read.
    """
    reader = CandidateReader(alignments, reference, realign, assemble=assemble)
    genotyper = None
    if model is not None:
        from strandwise.small_variants.network import Genotyper

        genotyper = Genotyper(model, threads)
    copies = [ploidy] * len(intervals) if isinstance(ploidy, int) else ploidy
    return _pieces(reader, genotyper, intervals, copies, alleles, share)


def together(intervals: Sequence[Interval]) -> Iterator[list[int]]:
    """Indices of intervals of one contig, in order and no more than NEAR bases apart: they are read at one go."""
    group: list[int] = []
    for index, interval in enumerate(intervals):
        if group:
            before = intervals[group[-1]]
            if interval.contig != before.contig or not 0 <= interval.start - before.end <= NEAR:
                yield group
                group = []
        group.append(index)
    if group:
        yield group


def _pieces(
    reader: CandidateReader,
    genotyper: "Genotyper | None",
    intervals: Sequence[Interval],
    copies: Sequence[int],
    alleles: Path | None,
    share: float,
) -> Iterator[IntervalCalls]:
    rows = genotyper.rows if genotyper else 0
    for group in together(intervals):
        contig, start, end = intervals[group[0]].contig, intervals[group[0]].start, intervals[group[-1]].end
        given = read_alleles(alleles, contig, start, end) if alleles else []
        for piece in reader.pieces(contig, start, end, rows, given):
            probabilities = genotyper.probabilities(piece) if genotyper else plain_probabilities(piece)
            if piece.is_given.any():
                probabilities = weighed(piece, probabilities, share)
            for index in group:
                part, inside = part_of(piece, intervals[index])
                if part.start < part.end:
                    yield _piece_calls(part, probabilities[inside], reader, copies[index], share)


def part_of(piece: Candidates, interval: Interval) -> tuple[Candidates, slice]:
    """What of a piece lies in an interval, and where its candidates stand in the piece; empty if end is not after start."""
    start, end = max(piece.start, interval.start), min(piece.end, interval.end)
    low, high = np.searchsorted(piece.record, (start, end)).tolist()
    bases = slice(start - piece.start, max(start, end) - piece.start)
    per_base = {name: getattr(piece, name)[bases] for name in ("depth", "disagreeing", "low_depth")}
    return replace(piece.only(range(low, high)), start=start, end=end, **per_base), slice(low, high)


def _piece_calls(
    piece: Candidates, probabilities: np.ndarray, reader: CandidateReader, ploidy: int, share: float
) -> IntervalCalls:
    def sequence(start: int, end: int) -> str:
        return reader.sequence(piece.contig, start, end)

    return IntervalCalls(
        contig=piece.contig,
        start=piece.start,
        end=piece.end,
        sites=site_calls(piece, probabilities, sequence, ploidy, share),
        depth=piece.depth,
        reference_quality=reference_quality(piece.depth, piece.disagreeing),
        ploidy=ploidy,
    )
