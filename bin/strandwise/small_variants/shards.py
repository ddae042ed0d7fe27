"""Cuts what is to be called into shards of equal expected work, from the index alone, and calls one of them."""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.alignment import check_alignments, quiet
from strandwise.formats.alignment_index import read_bytes
from strandwise.formats.alleles import ALLELES_PRIOR
from strandwise.formats.intervals import Interval, contig_lengths, merged, padded, read_bed, write_bed
from strandwise.formats.notes import Note
from strandwise.formats.vcf import GENOTYPE_QUALITY_BANDS, GRID, write_calls

if TYPE_CHECKING:
    import numpy

Curves = dict[str, tuple["numpy.ndarray", "numpy.ndarray"]]
"""By contig: positions, rising, and the compressed bytes of reads that lie before each."""

SHARD_WORK = 2_000_000_000
"""Work of a shard: about so many compressed bytes of BAM, 100 Mb of a genome at 30x, a minute of one core.

Smaller ones would cost more in starting tasks, and in the cloud in bringing the alignment to each.
"""

WORK_PER_BASE = 0.5
"""What a base without reads costs, in bytes of reads: writing the gVCF is not free."""

WORK_PER_INTERVAL = 2000
"""What beginning an interval costs, in bytes of reads: a panel has thousands of small ones."""


def intervals_to_call(
    alignments: Sequence[Path], reference: Path, bed: Path | None = None, padding: int = 0
) -> list[Interval]:
    """Merged intervals in the order of the reference: the BED's, padded, or all contigs of the alignments' headers.

    Raises InputError for what is wrong in the BED, and when it names contigs that the alignments do not know.
    """
    import pysam

    contigs = contig_lengths(reference)
    known = set()
    for path in alignments:
        with quiet(), pysam.AlignmentFile(str(path), reference_filename=str(reference)) as alignment:
            known |= set(alignment.references)
    if bed is None:
        return [Interval(name, 0, length) for name, length in contigs.items() if name in known]
    intervals = merged(padded(read_bed(bed, contigs), padding, contigs), contigs)
    unknown = list(dict.fromkeys(item.contig for item in intervals if item.contig not in known))
    if unknown:
        files = ", ".join(path.name for path in alignments)
        raise InputError(*(f"{bed.name}: contig {name!r} is not in the header of {files}" for name in unknown))
    return intervals


def work_curves(alignments: Sequence[Path], reference: Path) -> Curves:
    """Spread of the reads of all alignments over the genome, from their indexes."""
    import numpy
    import pysam

    steps: dict[str, list[tuple[int, int]]] = defaultdict(list)
    lengths: dict[str, int] = {}
    for path in alignments:
        with quiet(), pysam.AlignmentFile(str(path), reference_filename=str(reference)) as alignment:
            lengths |= dict(zip(alignment.references, alignment.lengths, strict=True))
            for contig, start, size in read_bytes(path, alignment.references):
                steps[contig].append((start, size))
    curves = {}
    for contig, found in steps.items():
        starts, sizes = numpy.array(sorted(found)).T
        curves[contig] = (numpy.append(starts, lengths[contig]), numpy.append(0, numpy.cumsum(sizes)))
    return curves


def pieces_of(interval: Interval, curves: Curves) -> list[tuple[Interval, float]]:
    """The interval cut at multiples of GRID, each piece with its expected work."""
    import numpy

    inner = numpy.arange((interval.start // GRID + 1) * GRID, interval.end, GRID)
    edges = numpy.concatenate([[interval.start], inner, [interval.end]])
    before = WORK_PER_BASE * edges
    if interval.contig in curves:
        before = before + numpy.interp(edges, *curves[interval.contig])
    work = numpy.diff(before)
    work[0] += WORK_PER_INTERVAL
    pairs = itertools.pairwise(edges.tolist())
    return [(Interval(interval.contig, *pair), size) for pair, size in zip(pairs, work.tolist(), strict=True)]


def cut(intervals: Sequence[Interval], curves: Curves, work: float = SHARD_WORK) -> list[list[Interval]]:
    """Cut intervals into shards of about equal work, at most `work` each; order and outcome depend on nothing else.

    A piece of GRID bases is never cut, so a shard can be larger where depth is extreme.
    """
    pieces = [piece for interval in intervals for piece in pieces_of(interval, curves)]
    total = sum(size for _, size in pieces)
    number = max(1, math.ceil(total / work))
    shards: dict[int, list[Interval]] = defaultdict(list)
    done = 0.0
    for piece, size in pieces:
        shard = shards[min(number - 1, int((done + size / 2) / total * number))]
        if shard and shard[-1].contig == piece.contig and shard[-1].end == piece.start:
            shard[-1] = Interval(piece.contig, shard[-1].start, piece.end)
        else:
            shard.append(piece)
        done += size
    return [shards[index] for index in sorted(shards)]


def make_shards(
    alignments: Sequence[Path],
    reference: Path,
    output: Path,
    bed: Path | None = None,
    padding: int = 0,
    sample: str | None = None,
) -> list[Note]:
    """Check the alignments of a sample, then write `output`/0001.bed, 0002.bed, … Gives notes for the report.

    Raises InputError: what check_alignments and read_bed raise, all at once; no contig in common with the reference; reads
    that break off.
    """
    from strandwise.small_variants.assay import unmarked_duplicates

    notes = check_alignments(alignments, reference, sample)
    intervals = intervals_to_call(alignments, reference, bed, padding)
    if not intervals:
        names = ", ".join(path.name for path in alignments)
        raise InputError(f"{names}: no contig in common with {reference.name}; give the reference of these reads")
    try:
        with quiet():
            notes += unmarked_duplicates(list(alignments), reference, intervals, sample or "")
    except OSError as error:
        names = ", ".join(path.name for path in alignments)
        raise InputError(f"{names}: reads break off: the file is damaged; copy it again") from error
    output.mkdir(parents=True, exist_ok=True)
    for number, shard in enumerate(cut(intervals, work_curves(alignments, reference)), 1):
        write_bed(shard, output / f"{number:04}.bed")
    return notes


def copies_notes(reference: Path, sex: str, par: Path | None, sample: str | None) -> list[Note]:
    """A warning where the sex is known and the pseudo-autosomal regions of X or Y are not."""
    from strandwise.small_variants.copies import unknown_build

    unknown = unknown_build(contig_lengths(reference), sex, par)
    if not unknown:
        return []
    text = (
        f"{' and '.join(unknown)} of {reference.name} {'have' if len(unknown) > 1 else 'has'} the length of no known build: "
        "called with two copies throughout; give the pseudo-autosomal regions with --par to call them by sex"
    )
    return [Note("warning", text, sample or "")]


def call_to_files(
    alignments: list[Path],
    reference: Path,
    model: Path,
    shard: Path,
    sample: str,
    sex: str,
    allow_model_mismatch: bool,
    threads: int,
    output: Path,
    gvcf: Path,
    started: Callable[[], None] = lambda: None,
    alleles: Path | None = None,
    par: Path | None = None,
    bands: Sequence[int] = GENOTYPE_QUALITY_BANDS,
    alleles_prior: float = ALLELES_PRIOR,
) -> list[Note]:
    """Call the intervals of a shard, each with the copies that the sample's sex gives it; write VCF and gVCF.

    started: called when all is loaded and calling begins; alleles: prepared VCF of what to genotype whatever the reads
    show; alleles_prior: chance that a person carries one of these; par: BED of the pseudo-autosomal
    regions; bands: of the gVCF's blocks. Gives notes for the report.
    Raises InputError: a model that is damaged or does not fit the reads, reads that break off.
    """
    from strandwise.models.card import load_card
    from strandwise.small_variants.assay import check_assay, look
    from strandwise.small_variants.call import call_shard
    from strandwise.small_variants.copies import by_copies, pseudo_autosomal

    card = load_card(model, "small_variants")
    lengths = contig_lengths(reference)
    intervals = read_bed(shard, lengths)
    try:
        with quiet():
            seen = look(alignments, reference, intervals)
    except OSError as error:
        names = ", ".join(path.name for path in alignments)
        raise InputError(f"{names}: reads break off in {shard.name}: the file is damaged; copy it again") from error
    notes = check_assay(card, seen, allow_model_mismatch, sample)
    parts = list(by_copies(intervals, lengths, sex, pseudo_autosomal(lengths, par)))
    if any(copies == 0 for _, copies in parts):
        notes.append(Note("info", "chromosome Y is not called: the sheet says XX", sample))
    called_parts = [(part, copies) for part, copies in parts if copies]
    called = call_shard(
        alignments,
        reference,
        card,
        [part for part, _ in called_parts],
        [copies for _, copies in called_parts],
        threads,
        alleles=alleles,
        share=alleles_prior,
    )
    started()
    write_calls(called, reference, sample, card.model_version, output, gvcf, bands, given=alleles is not None)
    return notes
