"""Calls one shard of one sample: candidates, networks, genotypes, reference confidence."""

from collections.abc import Iterator, Sequence
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


def _pieces(
    reader: CandidateReader,
    genotyper: "Genotyper | None",
    intervals: Sequence[Interval],
    copies: Sequence[int],
    alleles: Path | None,
    share: float,
) -> Iterator[IntervalCalls]:
    rows = genotyper.rows if genotyper else 0
    for interval, here in zip(intervals, copies, strict=True):
        given = read_alleles(alleles, interval.contig, interval.start, interval.end) if alleles else []
        for piece in reader.pieces(interval.contig, interval.start, interval.end, rows, given):
            probabilities = genotyper.probabilities(piece) if genotyper else plain_probabilities(piece)
            if piece.is_given.any():
                probabilities = weighed(piece, probabilities, share)
            yield _piece_calls(piece, probabilities, reader, here, share)


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
