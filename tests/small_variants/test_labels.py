"""Copies of candidates in the truth, however the truth spells them."""

import random
from pathlib import Path

import numpy as np
import pysam
import pytest

from strandwise.formats.intervals import Interval
from strandwise.small_variants.candidates import DELETION, INSERTION, SNV, Candidates
from strandwise.small_variants.labels import UNKNOWN, Event, TruthEvent, label, normalised, read_truth, spell

REFERENCE = "GATTACAGATCCGTTTTTTACGCACACACATGGTCAGCTTAGGACCTGAATCCGATAC"


def candidates(*events: Event) -> Candidates:
    ordered = sorted(events, key=lambda event: (event.position, event.reference_length))
    kind = [
        SNV if len(e.alternate) == e.reference_length else DELETION if not e.alternate else INSERTION for e in ordered
    ]
    n = len(ordered)
    return Candidates(
        contig="c",
        start=0,
        end=len(REFERENCE),
        record=np.array([e.position - (k != SNV) for e, k in zip(ordered, kind, strict=True)]),
        kind=np.array(kind),
        reference_length=np.array([e.reference_length for e in ordered]),
        alternates=[e.alternate for e in ordered],
        features=np.zeros((n, 1), np.float32),
        likelihoods=np.zeros((n, 3), np.float32),
        counts=np.zeros((n, 3), np.int32),
        read_rows=None,
        depth=np.zeros(0),
        disagreeing=np.zeros(0),
        low_depth=np.zeros(0),
    )


def both(*events: Event) -> list[TruthEvent]:
    return [TruthEvent(event, haplotype, True) for event in events for haplotype in (0, 1)]


def labels(shown: list[Event], truth: list[TruthEvent]) -> list[int]:
    return label(candidates(*shown), truth, lambda start, end: REFERENCE[start:end]).tolist()


def test_normalised_trims_splits_and_shifts_left() -> None:
    base = REFERENCE.__getitem__
    assert normalised(0, "GATT", "GCTA", base) == [Event(1, 1, "C"), Event(3, 1, "A")]  # two SNVs
    assert normalised(18, "TA", "A", base) == [Event(13, 1, "")]  # a T of TTTTTT at 13..18
    assert normalised(4, "ACA", "ACA", base) == []


def test_insertion_into_a_repeat_is_put_at_its_left_end() -> None:
    # CACACACA at 22..29; one more CA put at the right end is the same as one put at the left end
    (event,) = normalised(29, "A", "ACA", REFERENCE.__getitem__)
    spelled = REFERENCE[: event.position] + event.alternate + REFERENCE[event.position :]
    assert spelled == REFERENCE[:30] + "CA" + REFERENCE[30:]
    assert REFERENCE[event.position - 1] != event.alternate[-1]


def test_exact_matches() -> None:
    snv, deletion = Event(5, 1, "T"), Event(40, 1, "")
    truth = [TruthEvent(snv, 0, True), *both(deletion)]
    assert labels([snv, deletion, Event(50, 1, "G")], truth) == [1, 2, 0]


def test_a_complex_record_shown_as_a_deletion_and_two_snvs() -> None:
    """CAG at 34 becomes GT: C is lost, A becomes G, G becomes T."""
    truth_event = Event(34, 3, "GT")
    shown = [Event(34, 1, ""), Event(35, 1, "G"), Event(36, 1, "T")]
    assert spell([truth_event], 30, 40, REFERENCE[30:40]) == spell(shown, 30, 40, REFERENCE[30:40]) == "TGGTGTCTT"
    assert labels(shown, [TruthEvent(truth_event, 1, True)]) == [1, 1, 1]
    assert labels(shown, both(truth_event)) == [2, 2, 2]


def test_what_cannot_be_spelled_is_not_judged_but_far_candidates_are() -> None:
    truth = [TruthEvent(Event(34, 3, "AGGGG"), 0, True)]
    assert labels([Event(36, 1, "T"), Event(2, 1, "A")], truth) == [0, UNKNOWN]  # in order of position
    shown = [Event(36, 1, "T")]
    assert labels(shown, [TruthEvent(shown[0], 0, True), TruthEvent(Event(34, 0, "GGG"), 1, True)]) == [1]


def test_unphased_heterozygotes_are_not_searched() -> None:
    truth = [TruthEvent(Event(34, 3, "GT"), 0, False)]
    assert labels([Event(34, 1, ""), Event(35, 1, "G"), Event(36, 1, "T")], truth) == [UNKNOWN] * 3


@pytest.mark.parametrize("seed", range(30))
def test_labels_spell_the_truth(seed: int) -> None:
    """Random events on two haplotypes, all of them shown among others: the labels are the copies."""
    rng = random.Random(seed)
    pool = []
    for position in range(4, 54, rng.choice((5, 9, 14))):
        if rng.random() < 0.6:
            other = rng.choice([base for base in "ACGT" if base != REFERENCE[position]])
            pool.append(Event(position, 1, other))
        elif rng.random() < 0.5:
            pool += normalised(position, REFERENCE[position : position + 2], REFERENCE[position], REFERENCE.__getitem__)
        else:
            pool += normalised(position, "", rng.choice("ACGT") * 2, REFERENCE.__getitem__)
    pool = list(dict.fromkeys(pool))
    copies = [rng.choice((0, 1, 2)) for _ in pool]
    truth = [
        TruthEvent(event, haplotype, True)
        for event, number in zip(pool, copies, strict=True)
        for haplotype in ((0, 1) if number == 2 else (rng.randrange(2),) if number else ())
    ]
    order = sorted(range(len(pool)), key=lambda i: (pool[i].position, pool[i].reference_length))
    assert labels(pool, truth) == [copies[i] for i in order]


def test_truth_vcf_is_read_with_phase(tmp_path: Path) -> None:
    path = tmp_path / "t.vcf"
    lines = ["##fileformat=VCFv4.3", f"##contig=<ID=c,length={len(REFERENCE)}>"]
    lines += [
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="GT">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS",
    ]
    lines += [
        "c\t6\t.\tC\tT\t.\t.\t.\tGT\t0|1",
        "c\t14\t.\tT\tTT,TTT\t.\t.\t.\tGT\t1/2",
        "c\t41\t.\tGG\tG\t.\t.\t.\tGT\t1|1",
    ]
    path.write_text("\n".join(lines) + "\n")
    packed = pysam.tabix_index(str(path), preset="vcf")
    truth = read_truth(Path(packed), Interval("c", 0, 50), REFERENCE.__getitem__)
    assert [(t.event, t.haplotype, t.phased) for t in truth] == [
        (Event(5, 1, "T"), 1, True),
        (Event(13, 0, "T"), 0, False),
        (Event(13, 0, "TT"), 1, False),
        (Event(40, 1, ""), 0, True),
        (Event(40, 1, ""), 1, True),
    ]


def test_of_two_spellings_of_one_haplotype_the_one_that_reads_were_scored_with_is_there() -> None:
    """GATTA CAG becomes GATTA GCCAG: G for the C at 5 and CC before the A at 6, or GC before the C at 5."""
    one = [Event(5, 1, "G"), Event(6, 0, "CC")]
    other = [Event(5, 0, "GC")]
    assert spell(one, 0, 20, REFERENCE[:20]) == spell(other, 0, 20, REFERENCE[:20])
    truth = both(*one)
    shown = candidates(*one, *other)
    order = [
        (e.position, e.reference_length) for e in sorted([*one, *other], key=lambda e: (e.position, e.reference_length))
    ]
    assert order == [(5, 0), (5, 1), (6, 0)]

    def copies() -> list[int]:
        return label(shown, truth, lambda start, end: REFERENCE[start:end]).tolist()

    assert copies() == [0, 2, 2]
    shown.likelihoods[:] = [[0, 50, 90], [90, 40, 0], [90, 40, 0]]
    assert copies() == [0, 2, 2]
    shown.likelihoods[:] = [[90, 40, 0], [0, 50, 90], [0, 50, 90]]
    assert copies() == [2, 0, 0]
