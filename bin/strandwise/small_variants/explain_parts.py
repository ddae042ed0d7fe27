"""Puts together what explains one change: attributions of features, reads and positions, as a table and in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from strandwise.small_variants.explain_attributions import Attribution, Attributor, log_odds, shares_of_reads
from strandwise.small_variants.explain_decisions import Decision, Examined, Examiner
from strandwise.small_variants.explain_reads import ReadEvidence, evidence_of_reads
from strandwise.small_variants.genotypes import LEAST_PROBABILITY


@dataclass
class ReadShare:
    """Phred that one read adds to the log-odds. rows: through its row of the read-level network, of which `evidence` through
    that channel; shared: its part of the features, of which `likelihoods` of sums over what reads say."""

    rows: float = 0.0
    evidence: float = 0.0
    shared: float = 0.0
    likelihoods: float = 0.0

    @property
    def total(self) -> float:
        return self.rows + self.shared


@dataclass
class Explained:
    """One decision with what explains it. attribution: None where no network was asked; reads: those of the window;
    by_read: by index among the used reads; by_position: by 0-based reference position, phred."""

    examined: Examined
    decision: Decision
    features: Sequence[str]
    channels: Sequence[str]
    attribution: Attribution | None = None
    reads: Sequence[ReadEvidence] = ()
    by_read: dict[int, ReadShare] = field(default_factory=dict)
    by_position: dict[int, float] = field(default_factory=dict)

    @property
    def row_reads(self) -> list[int]:
        """Index of the read behind each row of the read-level network, -1 where there is none."""
        return [] if self.decision.index is None else self.examined.found["row_reads"][self.decision.index].tolist()

    @property
    def possible(self) -> tuple[int, ...]:
        """Copies that there can be."""
        return (0, 1, 2) if self.examined.ploidy == 2 else (0, 2)

    @property
    def prior(self) -> float:
        """Phred that the prior of a given allele adds to the log-odds by the networks; 0 where it was not given."""
        if not self.decision.share:
            return 0.0
        chances = np.maximum([self.decision.probabilities, self.decision.by_networks], LEAST_PROBABILITY)
        decided, by_networks = log_odds(np.log(chances), self.decision.copies, self.possible)[0]
        return float(decided - by_networks)

    @property
    def log_odds(self) -> float:
        """Of the copies that were decided on, phred."""
        return (self.attribution.output if self.attribution else 0.0) + self.prior

    def bars(self) -> list[tuple[str, str, float]]:
        """(name, value in words, phred) of features and of channels over all reads, strongest first."""
        if self.attribution is None:
            return []
        values = self.examined.candidates.features[self.decision.index].tolist()
        bars = [
            (name.replace("_", " "), f"{value:.3g}", part)
            for name, value, part in zip(self.features, values, self.attribution.features.tolist(), strict=True)
        ]
        if len(self.attribution.rows):
            for name, part in zip(self.channels, self.attribution.rows.sum(axis=0).tolist(), strict=True):
                bars.append((f"reads: {name.replace('_', ' ')}", "", part))
        if self.decision.share:
            bars.append(("prior of given alleles", f"{self.decision.share:.3g}", self.prior))
        return sorted(bars, key=lambda bar: -abs(bar[2]))

    def main_reasons(self) -> str:
        """What speaks most for the call and against it."""

        def words(chosen: list[tuple[str, str, float]]) -> str:
            return ", ".join(f"{name}{f' {value}' if value else ''} ({part:+.1f})" for name, value, part in chosen)

        bars = self.bars()
        copies = f"{self.decision.copies} {'copy' if self.decision.copies == 1 else 'copies'}"
        text = f"for {copies}: {words([bar for bar in bars if bar[2] > 0][:3])}"
        against = [bar for bar in bars if bar[2] < 0][:2]
        return f"{text}; against: {words(against)}" if against else text


def explained(examiner: Examiner, attributor: Attributor, examined: Examined, decision: Decision) -> Explained:
    """Integrated gradients of what was decided, shared among reads and positions."""
    core = examiner.reader.core
    result = Explained(examined, decision, core.FEATURES, core.CHANNELS)
    index = decision.index
    if index is None:
        return result
    candidates = examined.candidates
    rows = None if decision.settled or candidates.read_rows is None else candidates.read_rows[index]
    kind = int(candidates.kind[index])
    result.attribution = attributor.of(candidates.features[index], rows, kind, decision.copies, result.possible)
    result.reads = evidence_of_reads(examined.found, index)
    result.by_read = _by_read(result)
    result.by_position = _by_position(result)
    return result


def _by_read(one: Explained) -> dict[int, ReadShare]:
    assert one.attribution is not None
    evidence = np.array([read.phred for read in one.reads], dtype=float)
    likelihoods, shared = shares_of_reads(one.attribution.features, one.features, evidence)
    result = {
        read.read: ReadShare(shared=float(all_parts), likelihoods=float(part))
        for read, part, all_parts in zip(one.reads, likelihoods, shared, strict=True)
    }
    channel = list(one.channels).index("evidence")
    for row, read in zip(one.attribution.rows, one.row_reads, strict=False):
        if read >= 0:
            result[read].rows = float(row.sum())
            result[read].evidence = float(row[channel])
    return result


def _by_position(one: Explained) -> dict[int, float]:
    """Attribution of what reads say (evidence channel and likelihoods): each read's part goes to its bases as they add to
    its evidence."""
    result: dict[int, float] = {}
    for read in one.reads:
        part = one.by_read[read.read].evidence + one.by_read[read.read].likelihoods
        if not read.phred or not part:
            continue
        for base in np.flatnonzero(read.by_base).tolist():
            position = int(read.positions[base])
            result[position] = result.get(position, 0.0) + part * float(read.by_base[base]) / read.phred
    return result


def table_rows(one: Explained, examiner: Examiner) -> Iterator[dict[str, Any]]:
    """Rows of the table of one change (EXPLAINED_PART)."""
    attribution, index = one.attribution, one.decision.index
    assert attribution is not None and index is not None
    candidates = one.examined.candidates
    yield {"part": "output", "name": "log_odds", "attribution": one.log_odds}
    yield {"part": "baseline", "name": "log_odds", "attribution": attribution.baseline}
    if one.decision.share:
        yield {"part": "prior", "name": "given", "value": one.decision.share, "attribution": one.prior}
    values = candidates.features[index].tolist()
    for name, value, part in zip(one.features, values, attribution.features.tolist(), strict=True):
        yield {"part": "feature", "name": name, "value": value, "attribution": part}
    names = _names(one, examiner)
    for row, read in enumerate(one.row_reads if len(attribution.rows) else []):
        for channel, name in enumerate(one.channels if read >= 0 else []):
            assert candidates.read_rows is not None
            yield {
                "part": "read",
                "name": names[read],
                "channel": name,
                "value": float(candidates.read_rows[index, row, channel]),
                "attribution": float(attribution.rows[row, channel]),
            }
    for read, share in one.by_read.items():
        yield {"part": "read_share", "name": names[read], "channel": "features", "attribution": share.shared}
        yield {"part": "read_total", "name": names[read], "attribution": share.total}
    for position, phred in sorted(one.by_position.items()):
        yield {"part": "position", "name": str(position + 1), "attribution": phred}


def _names(one: Explained, examiner: Examiner) -> dict[int, str]:
    """Name and strand of each read of the window: the core keeps hashes only, so the file is read once more."""
    import pysam

    used = {read: one.examined.found["used_reads"][read] for read in one.by_read}
    if not used:
        return {}
    known: dict[int, str] = {}
    start = max(0, min(read["position"] - read["left_clip"] for read in used.values()) - 1000)
    end = min(max(read["end"] for read in used.values()) + 1000, examiner.reader.lengths[one.decision.contig])
    for path in examiner.paths:
        with pysam.AlignmentFile(str(path), reference_filename=str(examiner.reference)) as file:
            for read in file.fetch(one.decision.contig, start, end):
                name = read.query_name or ""
                known[name_hash(name)] = name
    return {
        index: f"{known.get(read['name'], format(read['name'], '016x'))} {'-' if read['reverse'] else '+'}"
        for index, read in used.items()
    }


def name_hash(name: str) -> int:
    """The core's hash of a read's name (FNV-1a, mixed), 64 bits."""
    most = 0xFFFFFFFFFFFFFFFF
    value = 1469598103934665603
    for byte in name.encode():
        value = ((value ^ byte) * 1099511628211) & most
    value ^= value >> 32
    value = (value * 0x9E3779B97F4A7C15) & most
    return value ^ (value >> 29)
