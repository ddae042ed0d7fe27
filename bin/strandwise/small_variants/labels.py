"""Tells how many copies of each candidate the truth holds, however the truth spells them."""

import bisect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.small_variants.candidates import Candidates

UNKNOWN = -1
"""Label of a candidate that cannot be judged: the truth beside it could not be spelled with candidates."""

CLUSTER = 20
"""Truth and candidates closer than this are compared as haplotypes."""

MOST_SUBSETS = 12
"""So many candidates of a cluster are tried in all combinations."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change: reference[position : position + reference_length] becomes `alternate`; 0-based, left-aligned."""

    position: int
    reference_length: int
    alternate: str

    @property
    def end(self) -> int:
        return self.position + self.reference_length


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """An event of the truth on one haplotype (0 or 1; 0 and 1 say nothing where `phased` is False)."""

    event: Event
    haplotype: int
    phased: bool


def normalised(position: int, reference: str, alternate: str, base: Callable[[int], str]) -> list[Event]:
    """Trim shared bases, split equal-length substitutions into SNVs, left-align pure insertions and deletions.

    base(position): the reference's base. Gives no event where the two are equal.
    """
    while reference and alternate and reference[-1] == alternate[-1]:
        reference, alternate = reference[:-1], alternate[:-1]
    while reference and alternate and reference[0] == alternate[0]:
        reference, alternate, position = reference[1:], alternate[1:], position + 1
    if len(reference) == len(alternate):
        pairs = enumerate(zip(reference, alternate, strict=True))
        return [Event(position + i, 1, new) for i, (old, new) in pairs if old != new]
    if not (reference and alternate):
        body = reference or alternate
        while position > 0 and base(position - 1) == body[-1]:
            body, position = body[-1] + body[:-1], position - 1
        reference, alternate = (body, "") if reference else ("", body)
    return [Event(position, len(reference), alternate)]


def read_truth(path: Path, interval: Interval, base: Callable[[int], str]) -> list[TruthEvent]:
    """Events of the first sample of a truth VCF that touch the interval, sorted by position.

    Raises InputError where the VCF has no sample or cannot be read there.
    """
    import pysam

    events = []
    try:
        with pysam.VariantFile(str(path)) as vcf:
            if not len(vcf.header.samples):
                raise InputError(f"{path}: no sample column; a truth VCF needs genotypes")
            if interval.contig not in vcf.header.contigs:
                return []
            for record in vcf.fetch(interval.contig, interval.start, interval.end):
                call = record.samples[0]
                for haplotype, allele in enumerate(call.allele_indices or ()):
                    text = record.alleles[allele].upper() if allele else ""  # type: ignore[index]
                    if not text or set(text) - set("ACGT"):
                        continue
                    for event in normalised(record.start, record.ref.upper(), text, base):  # type: ignore[union-attr]
                        events.append(TruthEvent(event, haplotype, call.phased))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read at {interval} ({error}); give an indexed VCF") from error
    return sorted(events, key=lambda truth: (truth.event.position, truth.event.reference_length, truth.haplotype))


def spell(events: list[Event], start: int, end: int, reference: str) -> str | None:
    """The bases of [start, end) with the events; None where two of them overlap. reference: bases of [start, end)."""
    pieces, at = [], start
    for event in sorted(events, key=lambda event: (event.position, event.reference_length)):
        if event.position < at or event.end > end:
            return None
        pieces += [reference[at - start : event.position - start], event.alternate]
        at = event.end
    return "".join([*pieces, reference[at - start :]])


DENIED = 20
"""Phred by which the reads speak against every copy of a candidate that has been spelled in another way."""


def label(candidates: Candidates, truth: list[TruthEvent], sequence: Callable[[int, int], str]) -> np.ndarray:
    """Copies of each candidate in the truth: int8 (n,) of 0, 1, 2 or UNKNOWN.

    Where candidates can spell the truth in several ways, the way counts that the reads were scored with: what the
    likelihoods favour is tried first.
    """
    rows = zip(candidates.position.tolist(), candidates.reference_length.tolist(), candidates.alternates, strict=True)
    shown = [Event(position, length, alternate) for position, length, alternate in rows]
    known: dict[Event, int] = {}
    for item in truth:
        known[item.event] = known.get(item.event, 0) + 1
    labels = np.array([known.get(event, 0) for event in shown], dtype=np.int8)
    evidence = np.asarray(candidates.likelihoods).reshape(-1, 3)
    favoured = (evidence.argmin(axis=1) > 0).tolist()
    denied = {shown[i] for i in np.flatnonzero(evidence[:, 1:].min(axis=1) - evidence[:, 0] >= DENIED).tolist()}
    standing = set(shown) - denied
    missed = [item for item in truth if item.event not in standing]
    for start, end in _clusters([item.event for item in missed], truth, shown):
        members = [i for i, event in enumerate(shown) if start <= event.position and event.end <= end]
        if not members:
            continue
        inside = [item for item in truth if start <= item.event.position and item.event.end <= end]
        unseen = any(item.event not in set(shown) for item in inside)
        for tried in ([i for i in members if favoured[i]], members):
            copies = _search([shown[i] for i in tried], inside, start, end, sequence(start, end))
            if copies is not None:
                labels[members] = 0
                labels[tried] = copies
                break
        else:
            labels[[i for i in members if labels[i] == 0 and unseen]] = UNKNOWN
    return labels


def _clusters(missed: list[Event], truth: list[TruthEvent], shown: list[Event]) -> list[tuple[int, int]]:
    """Spans around truth events that no candidate equals, grown until no event is within CLUSTER bases."""
    everything = sorted([*(item.event for item in truth), *shown], key=lambda event: event.position)
    starts = [event.position for event in everything]
    spans: list[tuple[int, int]] = []
    for event in sorted(missed, key=lambda event: event.position):
        start, end = event.position - CLUSTER, event.end + CLUSTER
        if spans and start < spans[-1][1]:
            continue
        grown = True
        while grown:
            grown = False
            low, high = bisect.bisect_left(starts, start - 100), bisect.bisect_right(starts, end)
            for other in everything[low:high]:
                if other.end >= start and other.position <= end:
                    wider = (min(start, other.position - CLUSTER), max(end, other.end + CLUSTER))
                    grown = grown or wider != (start, end)
                    start, end = wider
        spans.append((max(0, start), end))
    return spans


def _search(shown: list[Event], truth: list[TruthEvent], start: int, end: int, reference: str) -> list[int] | None:
    """Copies of each shown event so that both haplotypes are spelled as in the truth; None where that fails."""
    if len(shown) > MOST_SUBSETS or not all(item.phased or _homozygous(item, truth) for item in truth):
        return None
    spelled = [
        spell([item.event for item in truth if item.haplotype == haplotype], start, end, reference)
        for haplotype in (0, 1)
    ]
    wanted = [text for text in spelled if text is not None]
    found: dict[str, tuple[int, ...]] = {}
    for size in range(len(shown) + 1):
        for subset in itertools.combinations(range(len(shown)), size):
            text = spell([shown[i] for i in subset], start, end, reference)
            if text is not None and text in wanted and text not in found:
                found[text] = subset
    if len(wanted) < 2 or any(text not in found for text in wanted):
        return None
    return [sum(i in found[text] for text in wanted) for i in range(len(shown))]


def _homozygous(item: TruthEvent, truth: list[TruthEvent]) -> bool:
    return sum(other.event == item.event for other in truth) == 2
