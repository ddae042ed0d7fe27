"""Says which step decided what became of a place: the intervals, the reads, the candidate rule, a network, a filter."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from strandwise.formats.intervals import Interval
from strandwise.formats.places import Place, toucher
from strandwise.formats.vcf import SiteCall
from strandwise.small_variants.candidates import BASES, SNV, CandidateReader, Candidates, candidates_of
from strandwise.small_variants.copies import by_copies, pseudo_autosomal
from strandwise.small_variants.explain_given import GivenAlleles, weigh
from strandwise.small_variants.genotypes import (
    LEAST_DEPTH,
    LEAST_DEPTH_QUALITY,
    LOW_QUALITY,
    QUIET,
    reference_quality,
    site_calls,
)
from strandwise.small_variants.labels import normalised
from strandwise.small_variants.network import SETTLED, Genotyper, calibrated, summary_input

LEAST_MAPPING_QUALITY, LEAST_BASE_QUALITY = 5, 10
"""What the core takes for evidence; given to it here, so that the words below are about the same numbers."""

CALLED, FILTERED, REFERENCE, NO_RECORD = "called", "filtered", "reference", "no record"
NOT_A_CANDIDATE, NOT_LOOKED_AT = "not a candidate", "not looked at"


@dataclass
class Decision:
    """What became of one change (or of one position) and why.

    position: 0-based start of the record; step: what decided; cause: in a word or two; reason: in a sentence; site: the
    record, if there is one; copies: of the change in the called genotype; index: of the candidate in the evidence;
    by_networks: probabilities before a given allele was weighed; share: the chance at which it was, 0 where it was not given.
    """

    contig: str
    position: int
    reference: str
    alternate: str
    decision: str
    step: str
    cause: str
    reason: str
    depth: int = 0
    site: SiteCall | None = None
    copies: int = 0
    index: int | None = None
    probabilities: Sequence[float] = ()
    settled: bool = True
    by_networks: Sequence[float] = ()
    share: float = 0.0


@dataclass
class Examined:
    """All that the caller saw and thought at a place. found: the core's evidence with details; by_networks: probabilities before
    given alleles were weighed; shares: by candidate its chance to be carried, 0 where it was not given."""

    place: Place
    ploidy: int
    found: dict[str, Any]
    candidates: Candidates
    by_summary: np.ndarray
    by_networks: np.ndarray
    probabilities: np.ndarray
    shares: Sequence[float]
    sites: list[SiteCall]


class Examiner:
    """Looks at places exactly as calling does, and keeps what it sees.

    intervals: what is called, None for all; sex, par: as calling had them, for the copies per cell; calls: the sample's VCF,
    which tells of given alleles.
    """

    def __init__(
        self,
        alignments: list[Path],
        reference: Path,
        genotyper: Genotyper,
        intervals: Sequence[Interval] | None = None,
        sex: str = "NA",
        par: Path | None = None,
        calls: Path | None = None,
    ):
        self.paths, self.reference = alignments, reference
        self.reader = CandidateReader(alignments, reference)
        self.given = GivenAlleles(calls, self.reader.sequence)
        self.genotyper = genotyper
        self.intervals = intervals
        self.in_intervals = toucher(intervals, self.reader.lengths) if intervals is not None else None
        self.sex = sex
        self.shared = pseudo_autosomal(self.reader.lengths, par)

    def decisions(self, place: Place) -> tuple[Examined | None, list[Decision]]:
        """What became of each candidate of a place, or of the place where there is none."""
        beforehand = self._beforehand(place)
        if beforehand:
            return None, [beforehand]
        examined = self.examine(place)
        wanted = self._wanted(place)
        found = [
            self._judged(examined, index)
            for index in range(len(examined.candidates))
            if _asked(examined.candidates, index, place, wanted) and not _only_given(examined.candidates, index)
        ]
        return examined, found or [self._not_a_candidate(examined, wanted)]

    def examine(self, place: Place) -> Examined:
        """Evidence with details, probabilities and records around a place."""
        given = [(event.position, event.reference_length, event.alternate) for event in self._wanted(place)]
        # in a repeat a change may be written far from where it is when it is left-aligned
        first = min([place.start, *(position for position, _, _ in given)])
        start, end = max(0, first - 1), min(self.reader.lengths[place.contig], place.end + 1)
        asked = self.given.within(place.contig, start, end)
        given = sorted({*given, *asked})
        found = self.reader.evidence(
            place.contig,
            start,
            end,
            max(1, self.genotyper.rows),
            [event for event in given if all(base in BASES for base in event[2])],
            details=True,
            minimum_mapping_quality=LEAST_MAPPING_QUALITY,
            minimum_base_quality=LEAST_BASE_QUALITY,
        )
        candidates = candidates_of(found, place.contig, start, end)
        if not self.genotyper.rows:
            candidates.read_rows = None
        probabilities = by_summary = by_networks = np.zeros((0, 3))
        shares: list[float] = []
        if len(candidates):
            by_networks = self.genotyper.probabilities(candidates)
            probabilities, shares = weigh(candidates, by_networks, asked)
            logits = self.genotyper.summary.logits(summary_input(candidates.features))
            by_summary = calibrated(logits, candidates.kind, self.genotyper.details["summary"])
        ploidy = self._copies(place)
        sites = self._records(candidates, probabilities, ploidy)
        return Examined(place, ploidy, found, candidates, by_summary, by_networks, probabilities, shares, sites)

    def _records(self, candidates: Candidates, probabilities: np.ndarray, ploidy: int) -> list[SiteCall]:
        """Records as calling writes them: without the changes that were only asked for."""
        real = [i for i in range(len(candidates)) if not _only_given(candidates, i)]
        if not real:
            return []
        return site_calls(
            candidates.only(real),
            probabilities[real],
            lambda start, end: self.reader.sequence(candidates.contig, start, end),
            ploidy,
        )

    def _copies(self, place: Place) -> int:
        interval = Interval(place.contig, place.start, place.start + 1)
        return next(copies for _, copies in by_copies([interval], self.reader.lengths, self.sex, self.shared))

    def _wanted(self, place: Place) -> list[Any]:
        """The changes that a place with alleles means, left-aligned; none where any change is meant."""
        if not place.alternate:
            return []

        def base(position: int) -> str:
            return self.reader.sequence(place.contig, position, position + 1)

        return normalised(place.start, place.reference, place.alternate, base)

    # ---- before any read is looked at ----

    def _beforehand(self, place: Place) -> Decision | None:
        """Why a place is not looked at, None where it is."""

        def left_out(step: str, cause: str, reason: str) -> Decision:
            return Decision(
                place.contig, place.start, place.reference, place.alternate, NOT_LOOKED_AT, step, cause, reason
            )

        lengths = self.reader.lengths
        if place.contig not in lengths:
            return left_out("reference", "no such contig", f"the reference has no contig {place.contig}")
        if place.start >= lengths[place.contig]:
            return left_out("reference", "off the contig", f"{place.contig} has {lengths[place.contig]:,} bases")
        bases = self.reader.sequence(place.contig, place.start, place.end)
        if place.alternate and bases != place.reference.upper():
            text = f"the reference has {_short(bases)} here, not {_short(place.reference)}"
            return left_out("reference", "another reference base", f"{text}; was the list made for another build?")
        if self.intervals is not None and self.in_intervals is not None and not self.in_intervals(place):
            here = [one for one in self.intervals if one.contig == place.contig]
            return left_out("intervals", "outside the intervals", _nearest(place, here))
        if self._copies(place) == 0:
            return left_out("copies", "no copy", f"{place.contig} is not called: the sheet says {self.sex}")
        if all(base not in BASES for base in bases):
            letters = "".join(sorted(set(bases)))
            return left_out(
                "reference", "N in the reference", f"the reference base is {letters}, so nothing can differ from it"
            )
        return None

    # ---- candidates ----

    def _judged(self, examined: Examined, index: int) -> Decision:
        candidates, probabilities = examined.candidates, examined.probabilities[index]
        reference, alternate = self._texts(candidates, index)
        position = int(candidates.record[index])
        site, number = _record_of(examined, index, self.reader)
        summary = examined.by_summary[index]
        settled = self.genotyper.reads is None or float(summary.max()) >= SETTLED
        copies = site.genotype.count(number) * (3 - examined.ploidy) if site and number else 0
        network = "summary network" if settled else "both networks"
        by_networks = examined.by_networks[index]
        if by_networks.argmax() != probabilities.argmax():
            network = "prior of given alleles"  # without which the networks would have decided otherwise
        elif not settled and summary.argmax() != probabilities.argmax():
            network = "read-level network"  # which the summary network would not have decided alone
        counts = candidates.counts[index].tolist()
        decision, step, cause = _verdict(site, number, copies, network)
        reason = self._words(examined, index, site, number, settled, decision)
        return Decision(
            contig=candidates.contig,
            position=position,
            reference=reference,
            alternate=alternate,
            decision=decision,
            step=step,
            cause=cause,
            reason=reason,
            depth=sum(counts),
            site=site,
            copies=copies,
            index=index,
            probabilities=probabilities.tolist(),
            settled=settled,
            by_networks=by_networks.tolist(),
            share=examined.shares[index],
        )

    def _words(
        self, examined: Examined, index: int, site: SiteCall | None, number: int, settled: bool, decision: str
    ) -> str:
        candidates, final, summary = examined.candidates, examined.by_networks[index], examined.by_summary[index]
        reference, support, unsure = candidates.counts[index].tolist()
        words = [f"{support} of {reference + support + unsure} reads show it"]
        if settled:
            words.append(f"the summary network is sure: {_share(final)}")
        else:
            words.append(f"summary network {_share(summary)}, with the read-level network {_share(final)}")
        if examined.shares[index]:
            share = f"{examined.shares[index]:.3g}"
            words.append(f"given, with a chance of {share} to be carried: {_share(examined.probabilities[index])}")
        if site is None:
            words.append(f"a change that a single read shows gets no record below {QUIET:.0%}")
        elif not number:
            words.append("the record keeps the likelier alleles of the site")
        else:
            here = int(candidates.record[index]) - candidates.start
            if "LowQual" in site.filters:
                words.append(f"GQ {site.genotype_quality} is below {LOW_QUALITY}")
            if "LowDepth" in site.filters:
                needed = f"{LEAST_DEPTH}, with a GQ of {LEAST_DEPTH_QUALITY}, or more"
                words.append(f"a depth of {site.depth} is no basis for a genotype, which needs {needed}")
            if "LowMapQ" in site.filters:
                low, depth = int(candidates.low_depth[here]), int(candidates.depth[here])
                words.append(f"{low} reads map with a quality below {LEAST_MAPPING_QUALITY}, {depth} with more")
            if decision == REFERENCE and any(site.genotype):
                words.append("the genotype holds other alleles of the site")
        return "; ".join(words)

    def _texts(self, candidates: Candidates, index: int) -> tuple[str, str]:
        """REF and ALT of one candidate, as a record with it alone has them."""
        start, length = int(candidates.record[index]), int(candidates.reference_length[index])
        if candidates.kind[index] == SNV:
            return self.reader.sequence(candidates.contig, start, start + 1), candidates.alternates[index]
        reference = self.reader.sequence(candidates.contig, start, start + 1 + length)
        return reference, reference[0] + candidates.alternates[index]

    # ---- no candidate ----

    def _not_a_candidate(self, examined: Examined, wanted: list[Any]) -> Decision:
        place = examined.place
        found = examined.found
        event = wanted[0] if wanted else None
        down = [one for one in found["turned_down"] if _same(one, event, place, found)]
        best = max(down, key=lambda one: one["score"] - one["needed"], default=None)
        if best is not None:
            position = best["position"] - (best["kind"] != SNV)
        elif event is not None:
            position = event.position - (event.reference_length != len(event.alternate))
        else:
            position = place.start
        base = best["position"] if best else event.position if event else place.start
        shown = BASES[best["alternate"]] if best and best["kind"] == SNV else ""
        if event is not None and len(event.alternate) == event.reference_length:
            shown = event.alternate
        tally = self._tally(place.contig, min(base, self.reader.lengths[place.contig] - 1), shown)
        offset = position - examined.candidates.start
        depth = int(found["depth"][min(max(offset, 0), len(found["depth"]) - 1)])
        disagreeing = int(found["disagreeing"][min(max(offset, 0), len(found["depth"]) - 1)])
        reference, alternate = self._named(place, best, found, position)
        step, cause, reason = _why_no_candidate(best, tally, depth, disagreeing)
        asked = [i for i in range(len(examined.candidates)) if _only_given(examined.candidates, i)]
        if place.end - place.start > 1 and not place.alternate:
            reason = f"nothing in {place} is a candidate; here: {reason}"
        if asked:
            chances = _share(examined.probabilities[asked[0]])
            reason += f"; shown to the networks all the same, it gets {chances}"
        return Decision(
            place.contig, position, reference, alternate, NOT_A_CANDIDATE, step, cause, reason, depth,
            index=asked[0] if asked and self.genotyper.rows else None,
            probabilities=examined.probabilities[asked[0]].tolist() if asked else (),
            settled=bool(asked) and float(examined.by_summary[asked[0]].max()) >= SETTLED,
        )  # fmt: skip

    def _named(
        self, place: Place, best: dict[str, Any] | None, found: dict[str, Any], position: int
    ) -> tuple[str, str]:
        """REF and ALT: those asked for, or those of the difference that came closest."""
        if place.alternate or best is None:
            return place.reference or self.reader.sequence(place.contig, position, position + 1), place.alternate
        anchor = self.reader.sequence(place.contig, position, position + 1)
        if best["kind"] == SNV:
            return anchor, BASES[best["alternate"]]
        if best["kind"] == 1:
            inserted = found["alleles"][best["alternate"] : best["alternate"] + best["length"]]
            return anchor, anchor + "".join("ACGTN"[code] for code in inserted)
        return self.reader.sequence(place.contig, position, position + 1 + best["length"]), anchor

    def _tally(self, contig: str, position: int, shown: str) -> "Tally":
        import pysam

        tally = Tally(shown)
        for path in self.paths:
            with pysam.AlignmentFile(str(path), reference_filename=str(self.reference)) as file:
                if contig not in file.references:
                    continue
                reference = self.reader.sequence(contig, position, position + 1)
                for read in file.fetch(contig, position, position + 1):
                    tally.add(read, position, reference, self.reader.core.MARGIN)
        return tally


def _verdict(site: SiteCall | None, number: int, copies: int, network: str) -> tuple[str, str, str]:
    """Decision, step and cause of a candidate. number: of its allele in the record, 0 where it was left out."""
    if site is None:
        return NO_RECORD, network, "one read, below 1 %"
    if not number:
        return NO_RECORD, "genotype", "another allele of the site"
    if not copies and "RefCall" not in site.filters:
        return REFERENCE, "genotype", "another allele of the site"
    kept = [name for name in site.filters if name not in ("PASS", "RefCall")]
    if kept:
        return FILTERED, f"filter {kept[0]}", "+".join(site.filters)
    if copies:
        return CALLED, network, f"{copies} {'copy' if copies == 1 else 'copies'}"
    return REFERENCE, network, "0 copies"


@dataclass
class Tally:
    """Reads over a position as they lie in the file, by what becomes of them. shown: the base looked for, empty for any
    that differs; kinds: all reads; differing: those that show it."""

    shown: str
    kinds: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)

    def add(self, read: Any, position: int, reference: str, longest: int) -> None:
        kind = _kind(read, longest)
        if kind is None:
            return
        base, quality = _base_at(read, position)
        if kind == "counted" and base and quality < LEAST_BASE_QUALITY:
            kind = f"base quality below {LEAST_BASE_QUALITY}"
        self.kinds[kind] += 1
        if base and (base == self.shown if self.shown else base not in (reference, "N")):
            self.differing[kind] += 1


def _kind(read: Any, longest: int) -> str | None:
    """What the core does with a read: the first rule that leaves it out, or `counted`; None for no aligned read."""
    if read.is_unmapped or not read.cigartuples or not read.query_length:
        return None
    for left_out, name in (
        (read.is_duplicate, "marked as duplicate"),
        (read.is_qcfail, "failed quality control"),
        (read.is_secondary or read.is_supplementary, "secondary or supplementary"),
    ):
        if left_out:
            return name
    clipped = sum(size for operation, size in read.cigartuples if operation == 4)
    if read.reference_length + clipped > longest:
        return f"spans more than {longest:,} bases"
    if read.mapping_quality < LEAST_MAPPING_QUALITY:
        return f"mapping quality below {LEAST_MAPPING_QUALITY}"
    return "counted"


def _base_at(read: Any, position: int) -> tuple[str, int]:
    """Base and quality that a read shows at a position; empty where it shows none."""
    at, query = read.reference_start, 0
    for operation, size in read.cigartuples:
        if operation in (0, 7, 8):
            if at <= position < at + size:
                index = query + position - at
                qualities = read.query_qualities
                return read.query_sequence[index].upper(), 20 if qualities is None else int(qualities[index])
            at += size
            query += size
        elif operation in (1, 4):
            query += size
        elif operation in (2, 3):
            at += size
    return "", 0


def _why_no_candidate(best: dict[str, Any] | None, tally: Tally, depth: int, disagreeing: int) -> tuple[str, str, str]:
    """Step, cause and reason where a place has no candidate."""
    total = sum(tally.kinds.values())
    excluded = {kind: count for kind, count in tally.kinds.items() if kind != "counted"}
    hidden = {kind: count for kind, count in tally.differing.items() if kind != "counted"}
    also = f"; of the others that show it: {_listed(hidden)}" if hidden else ""
    if best is not None:
        what = "reads show it" if best["reads"] != 1 else "reads shows it"
        reason = (
            f"{best['reads']} of {best['depth']} {what}, with evidence of {best['score']:.0f} phred; at this depth "
            f"{best['needed']:.0f} phred are needed, or {best['reads_needed']} reads{also}"
        )
        cause = "too few reads"
        if sum(hidden.values()) >= best["reads_needed"] - best["reads"]:
            cause = max(hidden, key=lambda kind: hidden[kind])
        return "candidate rule", cause, reason
    if not total:
        return "reads", "depth 0", "no read covers it"
    if hidden:
        cause = max(hidden, key=lambda kind: hidden[kind])
        return (
            "reads",
            cause,
            f"no read that counts shows it; of those left out: {_listed(hidden)}; depth that counts {depth}",
        )
    if not depth:
        cause = max(excluded, key=lambda kind: excluded[kind]) if excluded else "beyond the depth limit"
        return "reads", cause, f"all {total} reads are left out: {_listed(excluded) or cause}"
    quality = int(reference_quality(np.array([depth]), np.array([disagreeing]))[0])
    words = (
        "all reads that count agree with the reference"
        if not disagreeing
        else f"no read that counts shows it, {disagreeing} show something else"
    )
    return "candidate rule", "no difference", f"{words}: depth {depth}, reference quality {quality}"


def _listed(kinds: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda item: -item[1]))


def _share(probabilities: np.ndarray) -> str:
    """The likeliest number of copies with its probability: `1 copy 98.2 %`."""
    copies = int(np.argmax(probabilities))
    sure = 100 * float(probabilities[copies])
    return f"{copies} {'copy' if copies == 1 else 'copies'} {min(sure, 99.99):.{2 if sure > 99 else 1}f} %"


def _short(bases: str, most: int = 12) -> str:
    return bases if len(bases) <= most else f"{bases[:most]}… ({len(bases)} bases)"


def _nearest(place: Place, intervals: list[Interval]) -> str:
    if not intervals:
        return f"the intervals hold nothing of {place.contig}"
    apart = [(max(one.start - place.start, place.start - one.end + 1), one) for one in intervals]
    distance, nearest = min(apart, key=lambda pair: pair[0])
    return f"{distance:,} bases from the nearest interval, {nearest}"


def _asked(candidates: Candidates, index: int, place: Place, wanted: list[Any]) -> bool:
    """Whether a candidate is what a place means: the same change, or any that touches it."""
    position, length = int(candidates.position[index]), int(candidates.reference_length[index])
    if wanted:
        key = (position, length, candidates.alternates[index])
        return any(key == (event.position, event.reference_length, event.alternate) for event in wanted)
    record = int(candidates.record[index])
    return place.start <= record < place.end or (place.start < position + length and position < place.end)


def _only_given(candidates: Candidates, index: int) -> bool:
    from strandwise.small_variants.candidates import GIVEN_ONLY

    return candidates.given is not None and int(candidates.given[index]) == GIVEN_ONLY


def _record_of(examined: Examined, index: int, reader: CandidateReader) -> tuple[SiteCall | None, int]:
    """The record that a candidate went into and the number of its allele there; (None, 0), or 0 where it was left out."""
    candidates = examined.candidates
    snv = candidates.kind[index] == SNV
    for site in examined.sites:
        same_kind = all(len(allele) == 1 for allele in site.alleles) == snv
        if site.position != int(candidates.record[index]) or not same_kind:
            continue
        reference, text = site.alleles[0], candidates.alternates[index]
        alternate = text if snv else reference[0] + text + reference[1 + int(candidates.reference_length[index]) :]
        return site, site.alleles.index(alternate) if alternate in site.alleles else 0
    return None, 0


def _same(one: dict[str, Any], event: Any, place: Place, found: dict[str, Any]) -> bool:
    """Whether a difference that was turned down is what a place means."""
    if event is None:
        return place.start <= one["position"] - (one["kind"] != SNV) < place.end
    if one["position"] != event.position:
        return False
    if one["kind"] == SNV:
        return event.reference_length == 1 and event.alternate == BASES[one["alternate"]]
    if one["kind"] == 1:
        inserted = found["alleles"][one["alternate"] : one["alternate"] + one["length"]]
        return event.reference_length == 0 and event.alternate == "".join("ACGTN"[code] for code in inserted)
    return event.reference_length == one["length"] and not event.alternate
