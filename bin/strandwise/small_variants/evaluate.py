"""Scores calls against a truth set: alleles match when truth and calls spell the same two haplotypes.

Both sides are split into single alleles, trimmed and left-aligned. Alleles that can touch form a cluster; in it the largest
sets of truth and called alleles are sought that spell the same pair of haplotypes, whatever their phase (as in vcfeval:
Cleary et al. 2015, doi:10.1101/023754). What is not in them is a false negative or a false positive; a wrong genotype is one
of each. Only alleles whose left-aligned span lies inside the BED count.
"""

import bisect
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.intervals import Interval, merged, read_bed, some_names
from strandwise.formats.shares import share_interval
from strandwise.formats.tables import write_table
from strandwise.small_variants.reliability import Judged, reliability_of
from strandwise.small_variants.strata import LONGEST_ALLELE, STRATA, mark_mappability, stratify
from strandwise.small_variants.tables import EVALUATION, RELIABILITY

if TYPE_CHECKING:
    import pandas
    import pysam

CLUSTER_GAP = 30
"""Alleles closer than this (after all shifts they allow) are matched together."""

FURTHEST_SHIFT = 2000
MOST_STATES = 4000
TRUTH, QUERY, REJECTED = 0, 1, 2
KINDS = ("SNP", "INDEL", "ALL")


@dataclass(slots=True, eq=False)
class Allele:
    """One alternate allele of one record: at 0-based `start`, `ref` becomes `alt`; shared bases trimmed, so either may be empty.

    homozygous: on all copies. record: where it stands in its file, for people; number: of that record; quality: its GQ.
    normal: (start, ref, alt) left-aligned; low, high: the span over which it can be shifted.
    """

    contig: str
    start: int
    ref: str
    alt: str
    homozygous: bool
    record: str = ""
    number: int = 0
    quality: float | None = None
    normal: tuple[int, str, str] = (0, "", "")
    low: int = 0
    high: int = 0
    inside: bool = True
    matched: bool = False
    strata: dict[str, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.start + len(self.ref)

    @property
    def kind(self) -> str:
        return "SNP" if len(self.ref) == len(self.alt) else "INDEL"


ByContig = dict[str, list[Allele]]


# ---- reading ------------------------------------------------------------------------------------------------------


def trimmed(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Remove shared bases, first from the end, then from the beginning."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    shared = 0
    while shared < min(len(ref), len(alt)) and ref[shared] == alt[shared]:
        shared += 1
    return start + shared, ref[shared:], alt[shared:]


def record_alleles(record: "pysam.VariantRecord", genotype: Sequence[int | None]) -> Iterator[Allele]:
    """Alleles of a genotype; symbolic, missing and too long ones are left out, equal-length ones split into SNPs."""
    present = [index for index in genotype if index is not None]
    assert record.ref is not None and record.alleles is not None
    for index in sorted({index for index in present if index > 0}):
        alternate = record.alleles[index].upper()
        if set(alternate + record.ref.upper()) - set("ACGTN"):
            continue
        start, ref, alt = trimmed(record.start, record.ref.upper(), alternate)
        if (not ref and not alt) or max(len(ref), len(alt)) > LONGEST_ALLELE:
            continue
        homozygous = present.count(index) == len(present)
        text = f"{record.contig}:{record.pos} {record.ref}>{record.alleles[index]} {'hom' if homozygous else 'het'}"
        if len(ref) != len(alt):
            yield Allele(record.contig, start, ref, alt, homozygous, text)
            continue
        for shift, (old, new) in enumerate(zip(ref, alt, strict=True)):
            if old != new:
                yield Allele(record.contig, start + shift, old, new, homozygous, text)


def read_alleles(path: Path, passing: bool = True, min_quality: float = 0.0) -> dict[str, list[Allele]]:
    """Alleles by contig of a VCF's first sample. passing: only records with FILTER PASS or none; min_quality: QUAL."""
    import pysam

    alleles: dict[str, list[Allele]] = defaultdict(list)
    with pysam.VariantFile(str(path)) as variants:
        if not len(variants.header.samples):
            raise InputError(f"{path.name}: has no sample column, so no genotypes to compare; give a VCF with GT")
        for number, record in enumerate(variants):
            filters = record.filter.keys()
            if passing and filters and filters != ["PASS"]:
                continue
            if min_quality > 0 and (record.qual is None or record.qual < min_quality):
                continue
            genotype = record.samples[0].get("GT") or ()
            for allele in record_alleles(record, genotype):
                allele.number, allele.quality = number, genotype_quality(record)
                alleles[record.contig].append(allele)
    return alleles


def genotype_quality(record: "pysam.VariantRecord") -> float | None:
    """GQ of the first sample; None where the file does not give one."""
    try:
        return record.samples[0]["GQ"]
    except KeyError:
        return None


def read_rejected(path: Path) -> dict[str, list[Allele]]:
    """Alternate alleles by contig of the records that the caller looked at and found to be reference (0/0), with their GQ."""
    import pysam

    alleles: dict[str, list[Allele]] = defaultdict(list)
    with pysam.VariantFile(str(path)) as variants:
        for number, record in enumerate(variants):
            genotype = record.samples[0].get("GT") or ()
            if not genotype or any(allele != 0 for allele in genotype) or record.alts is None:
                continue
            for allele in record_alleles(record, range(1, len(record.alts) + 1)):
                allele.number, allele.quality = number, genotype_quality(record)
                alleles[record.contig].append(allele)
    return alleles


# ---- where an allele can lie --------------------------------------------------------------------------------------


def left_aligned(sequence: str, start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Shift a pure insertion or deletion as far left as the sequence allows (Tan et al. 2015)."""
    if bool(ref) == bool(alt):
        return start, ref, alt
    body = ref or alt
    furthest = max(0, start - FURTHEST_SHIFT)
    while start > furthest and sequence[start - 1] == body[-1] and body[-1] in "ACGT":
        body = body[-1] + body[:-1]
        start -= 1
    return (start, body, "") if ref else (start, "", body)


def furthest_end(sequence: str, start: int, ref: str, alt: str) -> int:
    """The end of the allele when it is shifted as far right as the sequence allows."""
    end = start + len(ref)
    if bool(ref) == bool(alt):
        return end
    body = ref or alt
    last = min(len(sequence), end + FURTHEST_SHIFT)
    while end < last and sequence[end] == body[0] and body[0] in "ACGT":
        body = body[1:] + body[0]
        end += 1
    return end


def place(alleles: list[Allele], sequence: str, counted: Sequence[Interval] | None) -> None:
    """Fill in normal form, reach and whether the allele counts; sort."""
    starts = [item.start for item in counted or ()]
    for allele in alleles:
        allele.normal = left_aligned(sequence, allele.start, allele.ref, allele.alt)
        allele.low = allele.normal[0]
        allele.high = max(allele.end, furthest_end(sequence, allele.start, allele.ref, allele.alt))
        if counted is not None:
            start, ref, alt = allele.normal
            first = start if ref and alt else max(0, start - 1)  # the base before an indel belongs to it
            index = bisect.bisect_right(starts, first) - 1
            allele.inside = index >= 0 and max(start, start + len(ref)) <= counted[index].end
    alleles.sort(key=lambda allele: (allele.start, len(allele.ref)))


def clusters(truth: list[Allele], query: list[Allele]) -> Iterator[tuple[list[Allele], list[Allele]]]:
    """Groups of alleles of both sides that lie within CLUSTER_GAP of each other."""
    sided = [(allele, side) for side, alleles in enumerate((truth, query)) for allele in alleles]
    sided.sort(key=lambda pair: (pair[0].low, pair[0].high, pair[1]))
    group: tuple[list[Allele], list[Allele]] = ([], [])
    edge = -CLUSTER_GAP - 1
    for allele, side in sided:
        if allele.low - edge > CLUSTER_GAP and (group[TRUTH] or group[QUERY]):
            yield group
            group = ([], [])
        edge = allele.high if not (group[TRUTH] or group[QUERY]) else max(edge, allele.high)
        group[side].append(allele)
    if group[TRUTH] or group[QUERY]:
        yield group


# ---- the search for equal haplotypes ------------------------------------------------------------------------------

Surplus = tuple[int, str]  # the side that has written more of a haplotype, and what it is ahead by


class State(NamedTuple):
    """Haplotypes written so far.

    written: next reference base for (truth, copy 0), (truth, copy 1), (query, copy 0), (query, copy 1); surplus: by copy;
    used: whether each side has used an allele since both were last level.
    """

    written: tuple[int, ...]
    surplus: tuple[Surplus, ...]
    used: tuple[bool, bool]


class Found(NamedTuple):
    """Alleles used on the way to a state: their number, those of the truth, and (side, index) of each."""

    number: int
    truth: int
    alleles: tuple[tuple[int, int], ...]


def _longer(surplus: Surplus, side: int, text: str) -> Surplus | None:
    """Write `text` on one side of a haplotype; None where the sides then spell different bases."""
    leader, ahead = surplus
    if not text:
        return surplus
    if not ahead or leader == side:
        return side, ahead + text
    shared = min(len(ahead), len(text))
    if ahead[:shared] != text[:shared]:
        return None
    if len(ahead) > shared:
        return leader, ahead[shared:]
    return (side, text[shared:]) if len(text) > shared else (0, "")


def _with_reference(state: State, target: int, sequence: str) -> State | None:
    """Write reference up to `target` everywhere; None where the sides disagree or one alone has used alleles."""
    written, surplus = list(state.written), list(state.surplus)
    for copy in (0, 1):
        for side in (TRUTH, QUERY):
            at = written[2 * side + copy]
            if at < target:
                longer = _longer(surplus[copy], side, sequence[at:target])
                if longer is None:
                    return None
                surplus[copy], written[2 * side + copy] = longer, target
    used = state.used
    if not surplus[0][1] and not surplus[1][1] and len(set(written)) == 1:
        if used[TRUTH] != used[QUERY]:
            return None  # changes of one side that cancel each other are no match
        used = (False, False)
    return State(tuple(written), tuple(surplus), used)


def _with_allele(state: State, side: int, allele: Allele, copies: tuple[int, ...]) -> State | None:
    """Write an allele on some copies of one side; None where that copy is written already or spells other bases."""
    written, surplus = list(state.written), list(state.surplus)
    for copy in copies:
        longer = _longer(surplus[copy], side, allele.alt) if written[2 * side + copy] == allele.start else None
        if longer is None:
            return None
        surplus[copy], written[2 * side + copy] = longer, allele.end
    used = (state.used[TRUTH] or side == TRUTH, state.used[QUERY] or side == QUERY)
    return State(tuple(written), tuple(surplus), used)


def _best(states: Iterable[tuple[State, Found]]) -> dict[State, Found]:
    """The way with most alleles to each state; at most MOST_STATES of them."""
    best: dict[State, Found] = {}
    for state, found in states:
        if state not in best or best[state][:2] < found[:2]:
            best[state] = found
    if len(best) > MOST_STATES:
        order = sorted(best.items(), key=lambda item: (-item[1].number, sum(len(text) for _, text in item[0].surplus)))
        best = dict(order[:MOST_STATES])
    return best


def _extended(states: dict[State, Found], side: int, index: int, allele: Allele) -> Iterator[tuple[State, Found]]:
    """All states with the allele left out or put on the copies it may be on."""
    yield from states.items()
    for state, found in states.items():
        for copies in ((0, 1),) if allele.homozygous else ((0,), (1,)):
            longer = _with_allele(state, side, allele, copies)
            if longer is not None:
                number, truth = found.number + 1, found.truth + (side == TRUTH)
                yield longer, Found(number, truth, (*found.alleles, (side, index)))


def match(truth: list[Allele], query: list[Allele], sequence: str) -> None:
    """Mark the largest sets of alleles of one cluster with which both sides spell the same two haplotypes."""
    if not truth or not query or _same(truth, query):
        return
    both = (truth, query)
    events = [(allele.start, len(allele.ref), side, index) for side in (TRUTH, QUERY)
              for index, allele in enumerate(both[side])]  # fmt: skip
    begin, stop = min(events)[0], max(allele.end for allele in truth + query)
    level: Surplus = (0, "")
    states = {State((begin,) * 4, (level, level), (False, False)): Found(0, 0, ())}
    at = begin
    for start, _, side, index in sorted(events):  # insertions before what replaces the base at the same place
        if start > at:
            states = _moved(states, start, sequence)
            at = start
        states = _best(_extended(states, side, index, both[side][index]))
    ends = _moved(states, stop, sequence) if stop > at else states
    complete = [
        found
        for state, found in ends.items()
        if set(state.written) == {stop}
        and not any(text for _, text in state.surplus)
        and state.used[0] == state.used[1]
    ]
    for side, index in max(complete, key=lambda found: found[:2]).alleles if complete else ():
        both[side][index].matched = True


def _moved(states: dict[State, Found], target: int, sequence: str) -> dict[State, Found]:
    moved = ((_with_reference(state, target, sequence), found) for state, found in states.items())
    return _best((state, found) for state, found in moved if state is not None)


def _same(truth: list[Allele], query: list[Allele]) -> bool:
    """Match at once, without a search, what is the same on both sides: one allele in any notation, or several in one."""
    normal = [sorted((allele.normal, allele.homozygous) for allele in side) for side in (truth, query)]
    if normal[0] != normal[1] or len(set(normal[0])) != len(truth):
        return False
    plain = [sorted((item.start, item.ref, item.alt, item.homozygous) for item in side) for side in (truth, query)]
    if len(truth) > 1 and plain[0] != plain[1]:
        return False
    for allele in truth + query:
        allele.matched = True
    return True


# ---- the whole comparison -----------------------------------------------------------------------------------------


def compare(
    truth: Path,
    calls: Path,
    reference: Path,
    bed: Path | None = None,
    passing: bool = True,
    min_quality: float = 0.0,
    alignment: Path | None = None,
) -> tuple[list[Allele], list[Allele]]:
    """Alleles of truth and calls that count, matched and stratified.

    passing and min_quality choose among the calls; alignment: reads for strata of depth.
    Raises InputError: no sample column, a contig of the BED or of the VCFs that the reference lacks.
    """
    sides = (read_alleles(truth), read_alleles(calls, passing, min_quality))
    compared = _compared(sides, {}, calls.name, reference, bed, alignment)
    return compared[TRUTH], compared[QUERY]


def _compared(
    sides: tuple[ByContig, ByContig],
    rejected: ByContig,
    name: str,
    reference: Path,
    bed: Path | None,
    alignment: Path | None,
) -> list[list[Allele]]:
    """Truth, calls and rejected alleles that lie where they count; the first two matched and stratified, the last placed."""
    import pysam

    found: list[list[Allele]] = [[], [], []]
    with pysam.FastaFile(str(reference)) as fasta, _depth_of(alignment, reference) as depth:
        contigs = dict(zip(fasta.references, fasta.lengths, strict=True))
        counted = merged(read_bed(bed, contigs), contigs) if bed else None
        wanted = set(sides[TRUTH]) | set(sides[QUERY])
        if counted is not None:
            wanted &= {item.contig for item in counted}
        if unknown := wanted - set(contigs):
            raise InputError(f"{name}: contig {some_names(sorted(unknown))} is not in {reference.name}, which has "
                             f"{some_names(contigs)}; give the reference of these calls")  # fmt: skip
        for contig in sorted(wanted):
            sequence = fasta.fetch(contig).upper()
            regions = [item for item in counted if item.contig == contig] if counted is not None else None
            here = [side.get(contig, []) for side in (*sides, rejected)]
            for alleles in here:
                place(alleles, sequence, regions)
            for group in clusters(here[TRUTH], here[QUERY]):
                if any(allele.inside for side in group for allele in side):
                    match(*group, sequence)
            inside = [[allele for allele in alleles if allele.inside] for alleles in here]
            for number, alleles in enumerate(inside):
                if number in (TRUTH, QUERY):
                    stratify(alleles, here[TRUTH], sequence, depth)
                found[number] += alleles
        mark_mappability(found[TRUTH] + found[QUERY], fasta)
    return found


class _depth_of:
    """Depth at a position of an alignment as a function; None without an alignment."""

    def __init__(self, path: Path | None, reference: Path):
        from strandwise.formats.alignment import open_alignment

        self._alignment = open_alignment(path, reference) if path else None

    def __enter__(self) -> Callable[[str, int], int] | None:
        alignment = self._alignment
        return None if alignment is None else lambda contig, place: alignment.count(contig, place, place + 1)

    def __exit__(self, *_: object) -> None:
        if self._alignment:
            self._alignment.close()


def counts(truth: Sequence[Allele], query: Sequence[Allele]) -> dict[str, float]:
    """The figures of EVALUATION for one set of alleles."""
    tp_truth, tp_query = (sum(allele.matched for allele in side) for side in (truth, query))
    missed = {(allele.contig, *allele.normal) for allele in truth if not allele.matched}
    added = {(allele.contig, *allele.normal) for allele in query if not allele.matched}
    errors = len(truth) - tp_truth + len(query) - tp_query
    least, most = share_interval(errors, len(truth) + len(query))
    precision = tp_query / len(query) if query else float(not truth)
    recall = tp_truth / len(truth) if truth else 1.0
    return {
        "truth_total": len(truth),
        "query_total": len(query),
        "tp_truth": tp_truth,
        "tp_query": tp_query,
        "fn": len(truth) - tp_truth,
        "fp": len(query) - tp_query,
        "genotype_errors": len(missed & added),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        "f1_low": 1 - most,
        "f1_high": 1 - least,
    }


def evaluation(truth: Sequence[Allele], query: Sequence[Allele]) -> "pandas.DataFrame":
    """One row per stratum, part and type that holds any allele; `all` always."""
    import pandas

    parts: dict[tuple[str, str], tuple[list[Allele], list[Allele]]] = {("all", "all"): ([], [])}
    for side, alleles in ((TRUTH, truth), (QUERY, query)):
        for allele in alleles:
            for part in allele.strata.items():
                parts.setdefault(part, ([], []))[side].append(allele)
    rows = []
    for stratum, value in sorted(parts, key=lambda part: (STRATA.index(part[0]), _natural(part[1]))):
        for kind in KINDS:
            here = [[a for a in side if kind in (a.kind, "ALL")] for side in parts[stratum, value]]
            if stratum == "all" or here[TRUTH] or here[QUERY]:
                rows.append({"stratum": stratum, "value": value, "type": kind, **counts(*here)})
    return pandas.DataFrame(rows)


def _natural(text: str) -> list[tuple[int, str]]:
    """Sort 5-9 before 10-14."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text)]


def discordant(truth: Sequence[Allele], query: Sequence[Allele]) -> list[dict[str, object]]:
    """Each FN and FP: contig, position (1-based), label, type, why (allele or genotype), record."""
    wrong = [{(a.contig, *a.normal) for a in side if not a.matched} for side in (truth, query)]
    rows: list[dict[str, object]] = []
    for side, label in ((TRUTH, "FN"), (QUERY, "FP")):
        for allele in (truth, query)[side]:
            if not allele.matched:
                why = "genotype" if (allele.contig, *allele.normal) in wrong[1 - side] else "allele"
                place_ = {"contig": allele.contig, "position": allele.normal[0] + 1}
                rows.append({**place_, "label": label, "type": allele.kind, "why": why, "record": allele.record})
    return sorted(rows, key=lambda row: (row["contig"], row["position"], row["label"]))


def model_of(calls: Path) -> str:
    """The model that made the calls, by their header; else the header's source; else `unknown`."""
    import pysam

    with pysam.VariantFile(str(calls)) as variants:
        said = {record.key: record.value for record in variants.header.records if record.type == "GENERIC"}
    return said.get("strandwise_model") or said.get("source") or "unknown"


def evaluate(
    truth: Path,
    calls: Path,
    reference: Path,
    output: Path,
    bed: Path | None = None,
    alignment: Path | None = None,
    passing: bool = True,
    discordant_sites: Path | None = None,
    reliability: Path | None = None,
) -> None:
    """Write the table EVALUATION, and on request a list of all discordant alleles, and the table RELIABILITY."""
    import pandas

    sides = (read_alleles(truth), read_alleles(calls, passing))
    rejected = read_rejected(calls) if reliability else {}
    alleles = _compared(sides, rejected, calls.name, reference, bed, alignment)
    write_table(EVALUATION, evaluation(*alleles[:REJECTED]), model_of(calls), output)
    if discordant_sites:
        columns = ["contig", "position", "label", "type", "why", "record"]
        with written(discordant_sites) as temporary:
            pandas.DataFrame(discordant(*alleles[:REJECTED]), columns=columns).to_csv(temporary, sep="\t", index=False)
    if reliability:
        write_table(RELIABILITY, reliability_of("calls", judged(*alleles)), model_of(calls), reliability)


def judged(truth: Sequence[Allele], query: Sequence[Allele], rejected: Sequence[Allele]) -> list[Judged]:
    """Each record with a GQ, and whether its genotype is wrong: a called one if any of its alleles is not in the truth, a
    rejected one if any of its alleles is a true one that is missing from the calls."""
    missed = {(allele.contig, *allele.normal) for allele in truth if not allele.matched}
    wrong: dict[tuple[bool, int], list[bool]] = defaultdict(list)
    about: dict[tuple[bool, int], tuple[str, float]] = {}
    for called, alleles in ((True, query), (False, rejected)):
        for allele in alleles:
            if allele.quality is None:
                continue
            key = (called, allele.number)
            wrong[key].append(not allele.matched if called else (allele.contig, *allele.normal) in missed)
            about[key] = ("INDEL" if about.get(key, ("",))[0] == "INDEL" else allele.kind, allele.quality)
    return [Judged(*about[key], key[0], 10 ** (-about[key][1] / 10), any(errors)) for key, errors in wrong.items()]
