"""Lays out the picture of one change: columns of the reference, reads in groups, the haplotypes that they fit."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from strandwise.small_variants.candidates import BASES, DELETION, INSERTION, SNV
from strandwise.small_variants.explain_decisions import Examiner
from strandwise.small_variants.explain_parts import Explained, ReadShare
from strandwise.small_variants.explain_picture import DELETED, Base, Group, Picture, ReadRow
from strandwise.small_variants.explain_reads import INSERTED, MATCH

FLANK, MOST_COLUMNS, MOST_INSERTED, MOST_READS, MOST_BARS, MOST_HAPLOTYPES = 34, 110, 12, 48, 12, 3
"""Bases on both sides of the change, columns, bases of an insertion that are drawn, reads, bars, and haplotypes beside the
reference."""

CLEAR = 5
"""A read favours or opposes a change beyond this evidence, phred: the core's own threshold."""


def picture_of(one: Explained, examiner: Examiner) -> Picture:
    """The picture of one change, or of a position without one."""
    decision, used, attribution = one.decision, one.examined.found["used_reads"], one.attribution
    change_end = decision.position + max(1, len(decision.reference))
    start = decision.position - FLANK
    end = min(change_end + FLANK, start + MOST_COLUMNS)
    groups, omitted = _groups(one)
    inserts = len(decision.alternate) > len(decision.reference)
    drawn = [used[read] for _, members in groups for read in members]
    columns, column_of = _columns(drawn, start, end, decision.position + 1 if inserts else None)
    bases = _reference_bases(examiner, decision.contig, start, end)
    seen = set(one.row_reads)

    def row(read: int) -> ReadRow:
        return ReadRow(
            *_read_bases(used[read], columns, column_of),
            used[read]["reverse"],
            used[read]["mapping_quality"],
            one.by_read.get(read, ReadShare()).total,
            attribution is None or not len(attribution.rows) or read in seen,
        )

    bars = one.bars()
    if len(bars) > MOST_BARS:
        rest = bars[MOST_BARS:]
        bars = [*bars[:MOST_BARS], (f"{len(rest)} others", "", sum(part for _, _, part in rest))]
    settled = attribution is not None and not len(attribution.rows)
    return Picture(
        title=_title(one),
        verdict=_verdict(one),
        reason=decision.reason,
        columns=columns,
        reference=[" " if position is None else bases[position - start] for position in columns],
        haplotypes=_haplotypes(one, bases, columns, column_of, start, end),
        groups=[Group(title, [row(read) for read in members]) for title, members in groups],
        by_position=[0.0 if position is None else one.by_position.get(position, 0.0) for position in columns],
        marked=_marked(one, len(columns), column_of),
        bars=bars,
        baseline=attribution.baseline if attribution else None,
        output=one.log_odds if attribution else None,
        omitted=omitted,
        notes=["The summary network was sure: it decided alone."] if settled else [],
    )


def _title(one: Explained) -> str:
    decision = one.decision
    change = f" {_short(decision.reference)}>{_short(decision.alternate)}" if decision.alternate else ""
    return f"{decision.contig}:{decision.position + 1:,}{change}"


def _short(bases: str) -> str:
    return bases if len(bases) <= 16 else f"{bases[:8]}... ({len(bases)} bases)"


def _verdict(one: Explained) -> str:
    decision, site = one.decision, one.decision.site
    words = [decision.decision]
    if site:
        words += ["/".join(map(str, site.genotype)), f"GQ {site.genotype_quality}", ";".join(site.filters)]
    return "  |  ".join([*words, f"decided by: {decision.step}"])


def _marked(one: Explained, columns: int, column_of: dict[int, int]) -> tuple[int, int]:
    """Columns of the change: its replaced bases, or the room that inserted ones have before the next base."""
    decision = one.decision
    indel = max(len(decision.reference), len(decision.alternate)) > 1
    if len(decision.alternate) > len(decision.reference):
        return column_of[decision.position] + 1, column_of.get(decision.position + 1, columns)
    last = column_of.get(decision.position + max(1, len(decision.reference)) - 1, columns - 1)
    return column_of[decision.position + indel], last + 1


def _reference_bases(examiner: Examiner, contig: str, start: int, end: int) -> str:
    """Bases of a window, blank beyond the contig's ends."""
    length = examiner.reader.lengths[contig]
    inside = examiner.reader.sequence(contig, max(0, start), min(length, end))
    return " " * max(0, -start) + inside + " " * max(0, end - length)


def _groups(one: Explained) -> tuple[list[tuple[str, list[int]]], int]:
    """Reads in the order of what they say, in groups with titles; and how many are too many to be drawn."""
    at, used = one.decision.position, one.examined.found["used_reads"]

    def covers(read: int) -> bool:
        return bool(used[read]["position"] <= at < used[read]["end"])

    if one.decision.index is None:
        over = [read for read in range(len(used)) if covers(read)]
        over.sort(key=lambda read: (_shown_base(used[read], at) == one.decision.reference[:1], used[read]["position"]))
        counted = [read for read in over if not used[read]["low"]]
        low = [read for read in over if used[read]["low"]]
        groups = [(f"{_reads(counted)} that count", counted), (f"{_reads(low)} of low mapping quality", low)]
    else:
        order = sorted(one.reads, key=lambda read: (-read.phred, used[read.read]["position"]))
        order = [read for read in order if read.phred or covers(read.read)]
        favour = [read.read for read in order if read.phred >= CLEAR]
        unsure = [read.read for read in order if abs(read.phred) < CLEAR]
        oppose = [read.read for read in order if read.phred <= -CLEAR]
        groups = [
            (f"{_reads(favour)} for the change", favour),
            (f"{_reads(unsure)} undecided", unsure),
            (f"{_reads(oppose)} for something else", oppose),
        ]
    groups = [(title, members) for title, members in groups if members]
    total = sum(len(members) for _, members in groups)
    if total > MOST_READS:
        groups = [(title, _evenly(members, max(2, MOST_READS * len(members) // total))) for title, members in groups]
    return groups, total - sum(len(members) for _, members in groups)


def _evenly(members: list[int], number: int) -> list[int]:
    number = min(number, len(members))
    return [members[i * len(members) // number] for i in range(number)]


def _reads(members: Sequence[int]) -> str:
    return f"{len(members)} {'read' if len(members) == 1 else 'reads'}"


def _shown_base(read: dict[str, Any], position: int) -> str:
    at, query = read["position"], read["left_clip"]
    for operation, size in read["cigar"]:
        if operation == MATCH and at <= position < at + size:
            return "ACGTN"[read["bases"][query + position - at]]
        at += size if operation != INSERTED else 0
        query += size if operation in (MATCH, INSERTED) else 0
    return ""


def _columns(
    reads: Sequence[dict[str, Any]], start: int, end: int, insertion: int | None
) -> tuple[list[int | None], dict[int, int]]:
    """Columns of a window: reference positions, with room before those where at least two reads insert, or where the change
    itself does (`insertion`); and position → column."""
    sizes: dict[int, list[int]] = {}
    for read in reads:
        at = read["position"]
        for operation, size in read["cigar"]:
            if operation == INSERTED:
                sizes.setdefault(at, []).append(min(size, MOST_INSERTED))
            else:
                at += size
    room = {at: max(found) for at, found in sizes.items() if len(found) > 1 or at == insertion}
    columns: list[int | None] = []
    column_of: dict[int, int] = {}
    for position in range(start, end):
        columns += [None] * room.get(position, int(position == insertion))
        column_of[position] = len(columns)
        columns.append(position)
    return columns, column_of


def _read_bases(
    read: dict[str, Any], columns: Sequence[int | None], column_of: dict[int, int]
) -> tuple[dict[int, Base], list[int]]:
    """What a read shows, by column; and the columns before which it inserts bases for which there is no room."""
    result: dict[int, Base] = {}
    squeezed = []
    bases, qualities = read["bases"].tolist(), read["qualities"].tolist()

    def put(column: int | None, query: int, clipped: bool = False) -> None:
        if column is not None and 0 <= column < len(columns):
            result[column] = Base("ACGTN"[bases[query]], qualities[query], clipped)

    at, query = read["position"], read["left_clip"]
    for i in range(read["left_clip"]):
        put(column_of.get(at - read["left_clip"] + i), i, clipped=True)
    for operation, size in read["cigar"]:
        if operation == MATCH:
            for i in range(size):
                put(column_of.get(at + i), query + i)
            at += size
            query += size
        elif operation == INSERTED:
            room = _room(at, column_of)
            for i in range(min(size, room)):
                put(column_of[at] - room + i, query + i)
            if at in column_of and not room:
                squeezed.append(column_of[at])
            query += size
        else:
            for position in range(at, at + size):
                if position in column_of:
                    result[column_of[position]] = Base(DELETED, 40)
            at += size
    for i in range(read["right_clip"]):
        put(column_of.get(at + i), query + i, clipped=True)
    return result, squeezed


def _room(position: int, column_of: dict[int, int]) -> int:
    """Columns for inserted bases before a position."""
    return column_of[position] - column_of.get(position - 1, -1) - 1 if position in column_of else 0


def _haplotypes(
    one: Explained, bases: str, columns: Sequence[int | None], column_of: dict[int, int], start: int, end: int
) -> list[tuple[str, list[str]]]:
    """The haplotypes that reads fit best, the reference apart, as (label, base by column; empty outside).

    bases: of the reference over [start, end).
    """
    if one.decision.index is None:
        return []
    trace = one.examined.found["traces"][one.decision.index]
    votes = Counter(read.haplotype for read in one.reads)
    changed = [number for number, carried in enumerate(trace["carried"]) if carried]
    carriers = [number for number in changed if trace["carried"][number] >> trace["event"] & 1]
    chosen = sorted((number for number in changed if votes[number]), key=lambda number: -votes[number])[
        :MOST_HAPLOTYPES
    ]
    if not set(chosen) & set(carriers):
        chosen = [max(carriers, key=lambda number: votes[number]), *chosen[: MOST_HAPLOTYPES - 1]]
    middle = one.decision.position
    reach = (trace["start"], trace["end"]) if trace["realigned"] else (middle - 8, middle + 9)
    result = []
    for number in chosen:
        row = [""] * len(columns)
        for position in range(max(start, reach[0]), min(end, reach[1])):
            row[column_of[position]] = bases[position - start].strip()
        for k, event in enumerate(trace["events"]):
            if trace["carried"][number] >> k & 1:
                _spell(row, event, one.examined.found["alleles"], column_of)
        label = "with change" if number in carriers else "without"
        result.append((f"{label}: {votes[number]}", row))
    return result


def _spell(row: list[str], event: tuple[int, ...], alleles: Any, column_of: dict[int, int]) -> None:
    """Write an event of the core into a haplotype's row."""
    position, kind, deleted, inserted, alternate = event
    if kind == SNV and position in column_of:
        row[column_of[position]] = BASES[alternate]
    elif kind == INSERTION and position in column_of:
        room = _room(position, column_of)
        for i, code in enumerate(alleles[alternate : alternate + min(inserted, room)]):
            row[column_of[position] - room + i] = "ACGTN"[code]
    elif kind == DELETION:
        for gone in range(position, position + deleted):
            if gone in column_of:
                row[column_of[gone]] = DELETED
