"""Reads from the index of a BAM or CRAM how its bytes are spread over the genome, without opening the reads."""

import gzip
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from strandwise.errors import InputError

WINDOW = 16_384
"""Bases in a window of the linear index of a .bai (SAM specification, section 5.1.3)."""


def index_of(path: Path) -> Path:
    """The index beside a BAM or CRAM: x.bam.bai, x.bai, x.bam.csi, x.cram.crai. Raises InputError: there is none."""
    names = [f"{path}{suffix}" for suffix in (".bai", ".csi", ".crai")]
    names += [str(path.with_suffix(suffix)) for suffix in (".bai", ".csi", ".crai")]
    for name in names:
        if Path(name).is_file():
            return Path(name)
    raise InputError(f"{path.name}: has no index beside it; make one with: samtools index {path.name}")


def read_bytes(path: Path, contigs: Sequence[str]) -> list[tuple[str, int, int]]:
    """Where the compressed bytes of reads lie: (contig, 0-based start, bytes), by contig; those without are left out.

    contigs: as in the header. Resolution: 16,384 bases with a .bai, a slice (10,000 reads) with a .crai, a contig
    with a .csi (which counts reads, taken at 100 bytes each).
    """
    index = index_of(path)
    if index.suffix == ".csi":
        found = _statistics(path)
    else:
        found = _bai(index.read_bytes()) if index.suffix == ".bai" else _crai(index)
    return [(contigs[number], start, size) for number, start, size in found]


def _bai(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Differences between neighbours of the linear index; the last window ends with the last chunk of the contig."""
    contigs, at = struct.unpack_from("<i", data, 4)[0], 8
    for contig in range(contigs):
        bins, at = struct.unpack_from("<i", data, at)[0], at + 4
        last = 0
        for _bin in range(bins):
            number, chunks = struct.unpack_from("<Ii", data, at)
            at += 8
            if number != 37450:  # the pseudo-bin of counts
                last = max([last, *struct.unpack_from(f"<{2 * chunks}Q", data, at)[1::2]])
            at += 16 * chunks
        windows, at = struct.unpack_from("<i", data, at)[0], at + 4
        offsets = [*struct.unpack_from(f"<{windows}Q", data, at), last]
        at += 8 * windows
        for window in range(windows):
            if offsets[window]:
                size = _position(offsets[window + 1]) - _position(offsets[window])
                yield contig, window * WINDOW, max(1, round(size))


def _position(virtual_offset: int) -> float:
    """Place in the compressed file: the block's start, and within it in proportion (64 KiB of reads take about 1/4)."""
    return (virtual_offset >> 16) + (virtual_offset & 0xFFFF) / 4


def _crai(index: Path) -> Iterator[tuple[int, int, int]]:
    """Slices of a CRAM: contig, first position, …, size in bytes (CRAM specification, section 12)."""
    with gzip.open(index, "rt") as handle:
        rows = sorted(tuple(int(number) for number in line.split()) for line in handle)
    for contig, first, _span, _container, _slice, size in rows:
        if contig >= 0:
            yield contig, max(0, first - 1), size


def _statistics(path: Path) -> Iterator[tuple[int, int, int]]:
    import pysam

    with pysam.AlignmentFile(str(path)) as alignment:
        for number, counts in enumerate(alignment.get_index_statistics()):
            if counts.total:
                yield number, 0, 100 * counts.total
