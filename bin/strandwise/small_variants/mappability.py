"""Tells where the reference holds the same stretch twice, so that reads of it can lie in either place."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pysam

STRETCH = 100
"""Bases around a place that are looked for; about a read."""

CHUNK = 4_000_000
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2^64
LETTERS = dict(
    zip("ACGT", (0x2545F4914F6CDD1D, 0x9FB21C651E98DF25, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7), strict=True)
)


def found_elsewhere(fasta: "pysam.FastaFile", places: Mapping[str, Sequence[int]]) -> dict[str, list[bool]]:
    """Whether the STRETCH bases around each 0-based place occur anywhere else in `fasta`, on either strand, letter by letter.

    places: by contig. False where there are N, or at the ends of a contig. One pass over the whole reference, some seconds
    per 100 Mb.
    """
    marks = {contig: np.array(positions, dtype=np.int64) - STRETCH // 2 for contig, positions in places.items()}
    wanted: dict[str, np.ndarray] = {contig: np.zeros(len(starts), np.uint64) for contig, starts in marks.items()}
    usable = {contig: np.zeros(len(starts), bool) for contig, starts in marks.items()}
    for contig, starts in marks.items():
        for begin, hashes, clean in _hashes(fasta, contig):
            inside = (starts >= begin) & (starts < begin + len(hashes))
            wanted[contig][inside] = hashes[starts[inside] - begin]
            usable[contig][inside] = clean[starts[inside] - begin]
    sought = np.unique(
        np.concatenate([wanted[contig][usable[contig]] for contig in wanted] or [np.zeros(0, np.uint64)])
    )
    counts = _counts(fasta, sought) if len(sought) else np.zeros(0, np.int64)
    found = {}
    for contig, hashes in wanted.items():
        at = np.minimum(np.searchsorted(sought, hashes), max(0, len(sought) - 1))
        found[contig] = (usable[contig] & (counts[at] > 1)).tolist() if len(sought) else [False] * len(hashes)
    return found


def _counts(fasta: "pysam.FastaFile", sought: np.ndarray) -> np.ndarray:
    """How often each of the sorted hashes occurs in the whole reference."""
    likely = np.zeros(1 << 22, bool)
    likely[sought >> np.uint64(42)] = True
    counts = np.zeros(len(sought), np.int64)
    for contig in fasta.references:
        for _, hashes, clean in _hashes(fasta, contig):
            hashes = hashes[clean]
            hashes = hashes[likely[hashes >> np.uint64(42)]]
            at = np.minimum(np.searchsorted(sought, hashes), len(sought) - 1)
            np.add.at(counts, at[sought[at] == hashes], 1)
    return counts


def _hashes(fasta: "pysam.FastaFile", contig: str) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(start, hashes of the stretches that begin at start, start + 1, …, whether each is free of N), chunk by chunk.

    A stretch and its reverse complement have the same hash: the smaller of two polynomials modulo 2^64, one in FACTOR
    over the bases, one in its inverse over their complements.
    """
    length = fasta.get_reference_length(contig)
    for begin in range(0, max(0, length - STRETCH + 1), CHUNK):
        bases = np.frombuffer(fasta.fetch(contig, begin, begin + CHUNK + STRETCH - 1).upper().encode(), np.uint8)
        if len(bases) < STRETCH or (bases == ord("N")).all():
            continue
        table, complement = _codes()
        powers, inverses = _powers()
        size = len(bases) - STRETCH + 1
        forward = _windows(table[bases] * powers[: len(bases)]) * inverses[:size]
        backward = _windows(complement[bases] * inverses[: len(bases)]) * powers[:size] * powers[STRETCH - 1]
        unknown = np.concatenate([[0], np.cumsum(table[bases] == 0)])
        yield begin, np.minimum(forward, backward), unknown[STRETCH:] == unknown[:-STRETCH]


def _windows(values: np.ndarray) -> np.ndarray:
    """Sums over STRETCH neighbours, modulo 2^64."""
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    return sums[STRETCH:] - sums[:-STRETCH]


@cache
def _codes() -> tuple[np.ndarray, np.ndarray]:
    """Number of each letter and of its complement, 0 for what is not A, C, G or T."""
    codes, complements = np.zeros(256, np.uint64), np.zeros(256, np.uint64)
    for letter, other in zip("ACGT", "TGCA", strict=True):
        codes[ord(letter)], complements[ord(letter)] = LETTERS[letter], LETTERS[other]
    return codes, complements


@cache
def _powers() -> tuple[np.ndarray, np.ndarray]:
    """Powers of FACTOR and of its inverse modulo 2^64, from 0 up, enough for a chunk."""
    inverse = np.uint64(pow(int(FACTOR), -1, 1 << 64))
    count = CHUNK + STRETCH
    powers = [
        np.cumprod(np.concatenate([np.ones(1, np.uint64), np.full(count - 1, base, np.uint64)]))
        for base in (FACTOR, inverse)
    ]
    return powers[0], powers[1]
