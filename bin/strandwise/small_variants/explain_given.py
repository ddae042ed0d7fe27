"""Which alleles of a sample's calls were asked for (--alleles), so that explanations weigh them as calling did."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from strandwise.formats.alleles import Event
from strandwise.small_variants.candidates import GIVEN, Candidates
from strandwise.small_variants.given import weighed
from strandwise.small_variants.labels import normalised


class GivenAlleles:
    """The alleles of an indexed VCF of calls that were asked for, with the chance to be carried that stands in their records."""

    def __init__(self, calls: Path | None, sequence: Callable[[str, int, int], str]):
        self.calls, self.sequence = calls, sequence

    def within(self, contig: str, start: int, end: int) -> dict[Event, float]:
        """Those whose record begins in [start, end), 0-based half-open."""
        import pysam

        if self.calls is None:
            return {}
        found: dict[Event, float] = {}
        with pysam.VariantFile(str(self.calls)) as file:
            if "GIVEN" not in file.header.info:
                return {}
            for record in file.fetch(contig, start, end):
                shares = record.info.get("GIVEN") or () if record.start >= start else ()
                for alternate, share in zip(record.alts or (), shares, strict=False):
                    if share is not None:
                        events = normalised(record.start, record.ref or "", alternate, self._base(contig))
                        found |= {(event.position, event.reference_length, event.alternate): share for event in events}
        return found

    def _base(self, contig: str) -> Callable[[int], str]:
        return lambda position: self.sequence(contig, position, position + 1)


def weigh(
    candidates: Candidates, by_networks: np.ndarray, shares: dict[Event, float]
) -> tuple[np.ndarray, list[float]]:
    """Probabilities float (n, 3) with the priors of given alleles, and by candidate its chance to be carried, 0 where not given.

    Given ones count as candidates from here on, whatever their reads show.
    """
    positions, lengths = candidates.position.tolist(), candidates.reference_length.tolist()
    found = [shares.get(key, 0.0) for key in zip(positions, lengths, candidates.alternates, strict=True)]
    result = by_networks
    for share in set(found) - {0.0}:
        these = np.array(found) == share
        result = np.where(these[:, None], weighed(candidates, by_networks, share), result)
    if candidates.given is not None:
        candidates.given[np.array(found, bool)] = GIVEN
    return result, found
