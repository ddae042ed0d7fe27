"""Follows how the core scored a read: which bases speak for a candidate and which against, along the reference."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import strandwise_core

MATCH, INSERTED = 0, 1
"""CIGAR operations (SAM specification, section 1.4.6); the others that the core keeps leave out reference bases."""

MISFIT = 40
"""Phred above which the core tries further gaps, because the read fits none of the haplotypes."""

FURTHER_GAP = 8


@dataclass(frozen=True)
class ReadEvidence:
    """What one read says about a candidate. read: index among the used reads; phred: cost without minus cost with it.

    positions: 0-based reference position by base of the read (inserted and clipped ones: where they would lie);
    by_base: phred, adds up to `phred`; haplotype: the one that the read fits best, None where it fits two alike.
    """

    read: int
    phred: int
    positions: np.ndarray
    by_base: np.ndarray
    haplotype: int | None


def evidence_of_reads(found: dict[str, Any], index: int) -> list[ReadEvidence]:
    """Each read of the window in which event `index` was judged; found: the core's evidence with details."""
    trace = found["traces"][index]
    carries = np.array([carried >> trace["event"] & 1 for carried in trace["carried"]], dtype=bool)
    penalties = [strandwise_core.gap_open_penalties(haplotype) for haplotype in trace["haplotypes"]]
    result = []
    for read_index, costs in zip(trace["reads"].tolist(), trace["costs"], strict=True):
        read = found["used_reads"][read_index]
        best_with = int(np.flatnonzero(carries)[costs[carries].argmin()])
        best_without = int(np.flatnonzero(~carries)[costs[~carries].argmin()])
        phred = int(costs[best_without] - costs[best_with])
        positions = base_positions(read)
        by_base = np.zeros(len(positions))
        if phred and trace["realigned"]:
            further = costs.min() > MISFIT
            by_base += cost_by_base(read, trace, best_without, penalties[best_without], further)
            by_base -= cost_by_base(read, trace, best_with, penalties[best_with], further)
        if phred and by_base.sum() != phred:  # one position decided, or the cost was capped
            by_base = _scaled(by_base, phred, positions, trace["events"][trace["event"]][0])
        fits = np.flatnonzero(costs == costs.min())
        result.append(ReadEvidence(read_index, phred, positions, by_base, int(fits[0]) if len(fits) == 1 else None))
    return result


def _scaled(by_base: np.ndarray, phred: int, positions: np.ndarray, event: int) -> np.ndarray:
    """The same shares with the sum `phred`; all of it at the event where they have another sign or none."""
    total = by_base.sum()
    if total * phred > 0:
        return by_base * (phred / total)
    alone = np.zeros(len(by_base))
    alone[np.abs(positions - event).argmin()] = phred
    return alone


def base_positions(read: dict[str, Any]) -> np.ndarray:
    """0-based reference position of each base; clipped bases continue the line, inserted ones stay at the base after."""
    positions = [read["position"] - read["left_clip"] + i for i in range(read["left_clip"])]
    at = read["position"]
    for operation, size in read["cigar"]:
        if operation == MATCH:
            positions += range(at, at + size)
            at += size
        elif operation == INSERTED:
            positions += [at] * size
        else:
            at += size
    positions += range(at, at + read["right_clip"])
    return np.array(positions)


def cost_by_base(
    read: dict[str, Any], trace: dict[str, Any], haplotype: int, penalties: np.ndarray, further: bool
) -> np.ndarray:
    """Phred cost of each base on the read's best alignment to a haplotype, as read_cost in core/ finds it.

    The cost of a gap stands at the base after it. further: also try gaps that the aligner's placement does not call for.
    """
    bases, haplotype_bases = read["bases"], trace["haplotypes"][haplotype]
    costs = strandwise_core.mismatch_costs(read["qualities"]).astype(int)
    choices = _diagonals(read, trace, len(haplotype_bases), further)
    found = [_along(bases, costs, haplotype_bases, before, after, penalties) for before, after in choices]
    return min((one for one in found if one is not None), key=np.sum)


def _diagonals(read: dict[str, Any], trace: dict[str, Any], length: int, further: bool) -> list[tuple[int, int]]:
    """Pairs of diagonals (haplotype index minus read index, before and after a gap) that the core compares."""
    start, end, (first, last) = trace["start"], trace["end"], trace["span"]
    left_known, right_known = read["position"] < first, read["end"] > last
    lines = _lines(read)
    left = next((line for _, stop, line in lines if stop > start), lines[-1][2]) - start
    right = next((line for begin, _, line in reversed(lines) if begin < end), lines[0][2]) - end + length
    runs_out_left, runs_out_right = read["position"] <= start, read["end"] >= end
    if not left_known and not right_known:
        return [(left, left), (right, right)]
    choices = []
    if left_known and (not runs_out_right or left == right):
        choices.append((left, left))
    if right_known and not runs_out_left and (left != right or not left_known):
        choices.append((right, right))
    if left_known and right_known and left != right:
        choices.append((left, right))
    gaps = [gap for gap in range(-FURTHER_GAP, FURTHER_GAP + 1) if gap and further]
    if left_known and not runs_out_right:
        choices += [(left, left + gap) for gap in gaps]
    if right_known and not runs_out_left:
        choices += [(right + gap, right) for gap in gaps]
    return choices


def _lines(read: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Aligned stretches of a read between its gaps: reference start and end, reference position minus index of the base."""
    lines, at, base = [], read["position"], read["left_clip"]
    for operation, size in read["cigar"]:
        if operation == MATCH:
            lines.append((at, at + size, at - base))
        at += 0 if operation == INSERTED else size
        base += size if operation in (MATCH, INSERTED) else 0
    return lines


def _along(
    bases: np.ndarray, costs: np.ndarray, haplotype: np.ndarray, before: int, after: int, penalties: np.ndarray
) -> np.ndarray | None:
    """Cost by base with one gap at the cheapest place between two diagonals; None where there is no room for it."""
    left = _mismatches(bases, costs, haplotype, before)
    if before == after:
        return left
    right = _mismatches(bases, costs, haplotype, after)
    inserted, size = max(0, before - after), abs(before - after)
    head = np.concatenate([[0], np.cumsum(left)])
    tail = np.concatenate([np.cumsum(right[::-1])[::-1], [0]])
    places = np.arange(max(1, 1 - before), min(len(bases) - inserted, len(haplotype) - before))
    if not len(places):
        return None
    place = int(places[(head[places] + tail[places + inserted] + penalties[places + before]).argmin()])
    result = np.concatenate([left[:place], np.zeros(inserted, int), right[place + inserted :]])
    result[place] += penalties[place + before] + (20 if size > 6 else 4 * (size - 1))
    return result


def _mismatches(bases: np.ndarray, costs: np.ndarray, haplotype: np.ndarray, diagonal: int) -> np.ndarray:
    places = np.arange(len(bases)) + diagonal
    inside = (places >= 0) & (places < len(haplotype))
    return costs * (inside & (bases != haplotype[np.clip(places, 0, len(haplotype) - 1)]))
