"""Reads the candidate events of an interval, with their evidence, through the compiled core."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strandwise.errors import InputError
from strandwise.formats.alleles import Event

if TYPE_CHECKING:
    pass

PIECE = 100_000
"""Bases read at a time; pieces end at multiples of it, so that memory stays small. Results do not depend on it."""

ROWS = 32
"""Reads per candidate that the read-level network sees at most."""

SNV, INSERTION, DELETION = 0, 1, 2
BASES = "ACGT"

GIVEN, GIVEN_ONLY = 1, 2
"""A candidate that was also given from outside; an event that was given and is no candidate by its reads."""


@dataclass(slots=True)
class Candidates:
    """The n candidate events whose record starts in [start, end) of a contig, in order, 0-based half-open.

    record: start of the VCF record (the base itself for an SNV, the one before for an indel); kind: SNV, INSERTION or
    DELETION; reference_length: 1, 0 or the deleted length; alternates: base or inserted text, empty for a deletion;
    features float32 (n, features); likelihoods float32 (n, 3): phred, of 0, 1 and 2 copies, the smallest 0;
    counts int32 (n, 3): reads for the reference, for the event, for neither; read_rows uint8 (n, ROWS, channels) or
    None; depth, disagreeing int32 (end - start,): reads that count, and those whose base is not the reference's;
    low_depth: reads that are not mapped with confidence; given int (n,): 0, GIVEN or GIVEN_ONLY, None for all 0.
    """

    contig: str
    start: int
    end: int
    record: np.ndarray
    kind: np.ndarray
    reference_length: np.ndarray
    alternates: list[str]
    features: np.ndarray
    likelihoods: np.ndarray
    counts: np.ndarray
    read_rows: np.ndarray | None
    depth: np.ndarray
    disagreeing: np.ndarray
    low_depth: np.ndarray
    given: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.record)

    @property
    def is_given(self) -> np.ndarray:
        """Which events were given from outside. bool (n,)."""
        return np.zeros(len(self), bool) if self.given is None else self.given > 0

    def only(self, indices: Sequence[int]) -> "Candidates":
        """The candidates with these indices."""
        return replace(
            self,
            alternates=[self.alternates[i] for i in indices],
            read_rows=None if self.read_rows is None else self.read_rows[indices],
            given=None if self.given is None else self.given[indices],
            **{
                name: getattr(self, name)[indices]
                for name in ("record", "kind", "reference_length", "features", "likelihoods", "counts")
            },
        )

    @property
    def position(self) -> np.ndarray:
        """First reference base that each event replaces; an insertion goes before it. int (n,)."""
        return self.record + (self.kind != SNV)


class CandidateReader:
    """Reads one sample's alignments piece by piece.

    realign: False to count only what the alignments show; assemble: False for haplotypes of shown differences only;
    fraction: share of the molecules to use, by their names.
    Raises InputError, naming file and place, for alignments that cannot be read.
    """

    def __init__(
        self,
        alignments: list[Path],
        reference: Path,
        realign: bool = True,
        fraction: float = 1.0,
        assemble: bool = True,
    ):
        import pysam
        import strandwise_core

        self.core = strandwise_core
        self.realign = realign
        self.assemble = assemble
        self.fraction = fraction
        self.fasta: pysam.FastaFile = pysam.FastaFile(str(reference))
        self.lengths = dict(zip(self.fasta.references, self.fasta.lengths, strict=True))
        try:
            self.alignments = strandwise_core.Alignments(alignments, reference)
        except OSError as error:
            raise InputError(str(error)) from error

    def sequence(self, contig: str, start: int, end: int) -> str:
        """Reference bases of [start, end), upper case."""
        return self.fasta.fetch(contig, start, end).upper()

    def pieces(
        self, contig: str, start: int, end: int, rows: int = 0, given: Sequence[Event] = ()
    ) -> Iterator[Candidates]:
        """Candidates of [start, end), cut at multiples of PIECE. given: events of the contig, sorted by position."""
        end = min(end, self.lengths[contig])
        while start < end:
            stop = min(end, (start // PIECE + 1) * PIECE)
            low, high = bisect_left(given, (start,)), bisect_left(given, (stop + 1,))
            yield self.candidates(contig, start, stop, rows, given[low:high])
            start = stop

    def candidates(self, contig: str, start: int, end: int, rows: int = 0, given: Sequence[Event] = ()) -> Candidates:
        """Candidates of [start, end) in one piece; rows: reads per candidate for the read-level network.

        given: events to give evidence for whatever the reads show, those whose record starts inside.
        """
        return candidates_of(self.evidence(contig, start, end, rows, given), contig, start, end)

    def evidence(
        self, contig: str, start: int, end: int, rows: int = 0, given: Sequence[Event] = (), **options: Any
    ) -> dict[str, Any]:
        """What the core finds in [start, end), as it gives it. options: further ones of the core, such as details."""
        margin = self.core.MARGIN
        sequence = self.fasta.fetch(contig, max(0, start - margin), min(self.lengths[contig], end + margin)).encode()
        try:
            found: dict[str, Any] = self.alignments.evidence(
                contig,
                start,
                end,
                sequence,
                realign=self.realign,
                assemble=self.assemble,
                rows=rows,
                fraction=self.fraction,
                given=given,
                **options,
            )
        except OSError as error:
            raise InputError(str(error)) from error
        return found


def candidates_of(found: dict[str, Any], contig: str, start: int, end: int) -> Candidates:
    """Candidates of [start, end) from the core's evidence."""
    return Candidates(
        contig=contig,
        start=start,
        end=end,
        record=found["record"],
        kind=found["kind"],
        reference_length=found["reference_length"],
        alternates=_alternates(found),
        features=found["features"],
        likelihoods=found["likelihoods"],
        counts=found["counts"],
        read_rows=found["read_rows"],
        depth=found["depth"],
        disagreeing=found["disagreeing"],
        low_depth=found["low_depth"],
        given=found["given"],
    )


def _alternates(found: dict[str, Any]) -> list[str]:
    """Text of the bases that each event puts in."""
    letters = np.frombuffer(b"ACGTN", dtype=np.uint8)[found["alleles"]].tobytes().decode()
    kinds, lengths, places = found["kind"].tolist(), found["alternate_length"].tolist(), found["alternate"].tolist()
    return [
        BASES[place] if kind == SNV else letters[place : place + length] if kind == INSERTION else ""
        for kind, length, place in zip(kinds, lengths, places, strict=True)
    ]
