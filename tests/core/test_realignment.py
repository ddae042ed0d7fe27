"""Scoring of reads against haplotypes, by numbers worked out by hand and against slow versions."""

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
import strandwise_core
from made_reads import MadeRead, random_bases, tiled, write_alignment, write_fasta
from strandwise_core import FEATURES, encode, gap_open_penalties, one_gap_cost


def test_gap_open_is_45_in_plain_sequence_and_falls_with_the_length_of_a_repeat() -> None:
    assert gap_open_penalties(encode("ACGTCAGTAC")).tolist() == [45] * 10
    twelve = gap_open_penalties(encode("GC" + "A" * 12 + "CG")).tolist()
    assert twelve == [45, 45] + [22] * 12 + [45, 45]
    dinucleotide = gap_open_penalties(encode("GGT" + "CA" * 6 + "GTT")).tolist()
    assert dinucleotide[4:14] == [32] * 10  # six copies
    assert (
        gap_open_penalties(encode("GGT" + "CAGT" * 3 + "CC")).tolist()[4:12] == [41] * 8
    )  # three copies of four bases


def slow_one_gap(
    bases: list[int], costs: list[int], haplotype: list[int], before: int, after: int, gap_open: list[int]
) -> int:
    def cost(i: int, diagonal: int) -> int:
        h = i + diagonal
        return costs[i] if 0 <= h < len(haplotype) and bases[i] != haplotype[h] else 0

    if before == after:
        return sum(cost(i, before) for i in range(len(bases)))
    inserted, size = max(0, before - after), abs(after - before)
    extension = 20 if size > 6 else 4 * (size - 1)
    best = 100_000
    for gap in range(1, len(bases)):
        if not 1 <= gap + before < len(haplotype) or gap + inserted >= len(bases):
            continue
        total = sum(cost(i, before) for i in range(gap)) + gap_open[gap + before]
        total += sum(cost(i, after) for i in range(gap + inserted, len(bases)))
        best = min(best, total)
    return best + extension


@pytest.mark.parametrize("seed", range(60))
def test_one_gap_cost_equals_the_slow_one(seed: int) -> None:
    rng = random.Random(seed)
    haplotype = encode(random_bases(60, rng) + "CA" * rng.randrange(1, 12) + random_bases(60, rng))
    start = rng.randrange(-10, 70)
    bases = [int(haplotype[h]) if 0 <= h < len(haplotype) else rng.randrange(4) for h in range(start, start + 70)]
    if rng.random() < 0.5:
        del bases[30 : 30 + rng.randrange(1, 9)]
    bases = [rng.randrange(4) if rng.random() < 0.05 else base for base in bases]
    costs = [rng.randrange(0, 46) for _ in bases]
    before, after = start, start + rng.randrange(-9, 10)
    gap_open = gap_open_penalties(haplotype).tolist()
    expected = slow_one_gap(bases, costs, haplotype.tolist(), before, after, gap_open)
    assert one_gap_cost(np.array(bases), np.array(costs), haplotype, before, after) == expected


def evidence_of(tmp_path: Path, reference: str, reads: list[MadeRead], **options: object) -> dict:
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "a.bam", "c", len(reference), reads)
    return strandwise_core.Alignments([bam], fasta).evidence("c", 0, len(reference), reference.encode(), **options)


def events(found: dict) -> list[tuple[int, int, int, str]]:
    letters = "".join("ACGTN"[code] for code in found["alleles"])
    result = []
    for i in range(len(found["record"])):
        place, length = found["alternate"][i], found["alternate_length"][i]
        text = "ACGT"[place] if found["kind"][i] == 0 else letters[place : place + length]
        result.append((int(found["position"][i]), int(found["kind"][i]), int(found["reference_length"][i]), text))
    return result


def test_snv_likelihoods_by_hand(tmp_path: Path) -> None:
    """Two reads with the base (Q30), two without (Q30), mapped at 60.

    A mismatch costs 34. Reference: 2 x 34 = 68; two copies the same. One copy: each read 3.01 - 10 log10(1 + 10^-3.4)
    = 3.0086, in the scale of 1/256 phred (771 - 0) / 256 = 3.0117; four of them 12.047. Relative: 68 - 12.047 = 55.953.
    """
    rng = random.Random(7)
    reference = random_bases(1200, rng)
    base = "ACGT"[("ACGT".index(reference[600]) + 2) % 4]
    plain = reference[560:660]
    changed = plain[:40] + base + plain[41:]
    reads = [MadeRead(560, text, qualities=30) for text in (plain, changed, plain, changed)]
    found = evidence_of(tmp_path, reference, reads)
    assert events(found) == [(600, 0, 1, base)]
    # log_sum(34) is 0: 34 phred apart
    assert found["likelihoods"][0].tolist() == pytest.approx([55.953, 0, 55.953], abs=0.01)
    assert found["counts"][0].tolist() == [2, 2, 0]
    feature = dict(zip(FEATURES, found["features"][0].tolist(), strict=True))
    assert feature["fraction_for"] == 0.5
    assert feature["quality_for_mean"] == 30
    assert feature["end_distance_for"] == 40


def haplotype_reads(
    reference: str, haplotypes: list[str], depth: int, rng: random.Random, clip: int = 0
) -> list[MadeRead]:
    """Reads as an aligner would place them that sees only the part left of the change at 1000 and clips the rest."""
    reads = []
    for number, haplotype in enumerate(haplotypes):
        for start, bases, name, flag in tiled(haplotype, depth // len(haplotypes), 100, rng, f"h{number}x"):
            if start + 100 <= 1000 or haplotype == reference:
                reads.append(MadeRead(start, bases, name=name, flag=flag))
            elif start < 1000:
                kept = 1000 - start
                if kept >= 20:
                    reads.append(MadeRead(start, bases, f"{kept}M{100 - kept}S", name, flag=flag))
    return reads


def slow_read_cost(
    read: dict, haplotype: list[int], window: tuple[int, int], span: tuple[int, int], further: bool
) -> int:
    """Every base of a read paired with the reference, then the cheapest way along `haplotype` that keeps to it at both ends."""
    start, end = window
    bases, costs = read["bases"].tolist(), strandwise_core.mismatch_costs(read["qualities"]).tolist()
    pairs, at, base = [], read["position"], read["left_clip"]  # (reference position, index of the base)
    for operation, size in read["cigar"]:
        if operation == 0:
            pairs += [(at + i, base + i) for i in range(size)]
        at += size if operation != 1 else 0
        base += size if operation != 2 else 0
    position, base = min((pair for pair in pairs if pair[0] >= start), default=pairs[-1])
    left = position - start - base
    position, base = max((pair for pair in pairs if pair[0] < end), default=pairs[0])
    right = len(haplotype) - (end - position) - base
    gap_open = gap_open_penalties(np.array(haplotype, dtype=np.uint8)).tolist()
    left_known, right_known = read["position"] < span[0], read["end"] > span[1]
    held_left, held_right = read["position"] <= start, read["end"] >= end
    if not (left_known or right_known):
        ways = {(left, left), (right, right)}
    else:
        ways = {(left, right)} if left_known and right_known else set()
        for gap in range(-8, 9) if further else (0,):
            if left_known and not held_right:
                ways.add((left, left + gap))
            if right_known and not held_left:
                ways.add((right + gap, right))
    return min(slow_one_gap(bases, costs, haplotype, before, after, gap_open) for before, after in ways)


def two_windows(rng: random.Random) -> tuple[str, str, list[MadeRead]]:
    """A reference, a haplotype with two indels 40 to 60 bases apart, and its reads as an aligner places them."""
    reference = random_bases(1000, rng)
    second = 500 + rng.randrange(40, 60)
    changes = [(place, rng.choice((-6, -3, -1, 1, 4, 9))) for place in (500, second)]
    haplotype, at, line, lines = "", 0, 0, []
    for place, size in changes:
        haplotype += reference[at:place] + (random_bases(size, rng) if size > 0 else "")
        at = place + max(0, -size)
        lines.append((place + line, size))
        line += size
    haplotype += reference[at:]
    reads = []
    for start, bases, name, flag in tiled(haplotype, 20, 150, rng, "r"):
        if not 350 < start < 500 - 12 or not start + 150 > second + line + 25:
            continue  # runs through both, so that an aligner finds both gaps
        cigar, used = "", start
        for place, size in lines:
            cigar += f"{place - used}M{abs(size)}{'I' if size > 0 else 'D'}"
            used = place + max(0, size)
        reads.append(MadeRead(start, bases, f"{cigar}{start + 150 - used}M", name, flag=flag))
    return reference, haplotype, reads


@pytest.mark.parametrize("seed", range(12))
def test_a_gap_in_the_neighbouring_window_costs_nothing_in_this_one(tmp_path: Path, seed: int) -> None:
    """Reads without errors, all of one haplotype with indels in two windows: each window has a haplotype that costs 0."""
    reference, _, reads = two_windows(random.Random(seed))
    found = evidence_of(tmp_path, reference, reads, details=True)
    windows = [trace for trace in found["traces"] if trace["realigned"]]
    assert len({trace["start"] for trace in windows}) == 2
    for trace in windows:
        every = (1 << len(trace["events"])) - 1
        assert trace["costs"][:, trace["carried"].index(every)].tolist() == [0] * len(trace["reads"])
    assert found["likelihoods"].argmin(axis=1).tolist() == [2] * len(found["likelihoods"])


@pytest.mark.parametrize("seed", range(4))
def test_costs_of_reads_equal_the_slow_ones(tmp_path: Path, seed: int) -> None:
    """Base errors, and reads of the reference beside those of the changed haplotype, clipped or not."""
    rng = random.Random(100 + seed)
    reference, _, reads = two_windows(rng)
    for number in range(10):
        start, clip = rng.randrange(380, 520), 15 if number == 0 else 0
        text = random_bases(clip, rng) + reference[start + clip : start + 150]
        reads.append(MadeRead(start + clip, text, f"{clip}S{150 - clip}M" if clip else "150M", f"n{number}"))
    for read in reads:
        read.bases = "".join(rng.choice("ACGT") if rng.random() < 0.02 else base for base in read.bases)
    found = evidence_of(tmp_path, reference, reads, details=True)
    compared = 0
    for trace in found["traces"]:
        if not trace["realigned"]:
            continue
        for index, costs in zip(trace["reads"].tolist(), trace["costs"].tolist(), strict=True):
            read = found["used_reads"][index]
            further = min(costs) > 40
            slow = [
                slow_read_cost(read, haplotype.tolist(), (trace["start"], trace["end"]), trace["span"], further)
                for haplotype in trace["haplotypes"]
            ]
            most = min(slow) + min(max(read["mapping_quality"], 10), 45)
            assert costs == [min(cost, most) for cost in slow]
            compared += len(costs)
    assert compared > 50


@pytest.mark.parametrize("size", [7, 18, 30])
def test_an_insertion_that_only_clips_show_is_found_with_realignment_and_not_without(tmp_path: Path, size: int) -> None:
    rng = random.Random(size)
    reference = random_bases(2000, rng)
    inserted = random_bases(size, rng)
    changed = reference[:1000] + inserted + reference[1000:]
    reads = haplotype_reads(reference, [reference, changed], 40, rng)
    found = evidence_of(tmp_path, reference, reads)
    indels = [event for event in events(found) if event[1] == 1]
    assert len(indels) == 1
    at, _, _, text = indels[0]
    assert reference[:at] + text + reference[at:] == changed
    i = events(found).index(indels[0])
    assert found["likelihoods"][i].argmin() == 1
    assert not [event for event in events(evidence_of(tmp_path, reference, reads, realign=False)) if event[1] == 1]


def test_a_deletion_that_only_clips_show_is_found(tmp_path: Path) -> None:
    rng = random.Random(11)
    reference = random_bases(2000, rng)
    changed = reference[:1000] + reference[1045:]
    reads = haplotype_reads(reference, [changed], 30, rng)
    found = evidence_of(tmp_path, reference, reads)
    deletions = [event for event in events(found) if event[1] == 2]
    assert [(size, reference[:at] + reference[at + size :]) for at, _, size, _ in deletions] == [(45, changed)]
    assert found["likelihoods"][events(found).index(deletions[0])].argmin() == 2


def test_reads_that_end_inside_a_repeat_say_nothing_about_its_length(tmp_path: Path) -> None:
    """Deletion of CA in (CA)10: a read that ends after six copies fits both haplotypes."""
    rng = random.Random(12)
    reference = random_bases(800, rng) + "G" + "CA" * 10 + "TG" + random_bases(800, rng)
    changed = reference[:801] + reference[803:]
    across = [MadeRead(760, changed[760:860], "41M2D59M", f"a{i}", flag=16 * (i % 2)) for i in range(6)]
    inside = [MadeRead(713, reference[713:813], name=f"i{i}") for i in range(5)]
    found = evidence_of(tmp_path, reference, across + inside)
    assert events(found) == [(801, 2, 2, "")]
    assert found["counts"][0].tolist() == [0, 6, 5]
    assert found["likelihoods"][0].argmin() == 2


def test_two_alleles_of_one_place_are_one_copy_each(tmp_path: Path) -> None:
    """Half of the reads lack one CA, half two: neither event is homozygous."""
    rng = random.Random(13)
    reference = random_bases(800, rng) + "G" + "CA" * 8 + "TG" + random_bases(800, rng)
    reads = []
    for i in range(10):
        lost = 2 + 2 * (i % 2)
        changed = reference[:801] + reference[801 + lost :]
        reads.append(
            MadeRead(750 + i, changed[750 + i : 850 + i], f"{51 - i}M{lost}D{49 + i}M", f"a{i}", flag=16 * (i // 2 % 2))
        )
    found = evidence_of(tmp_path, reference, reads)
    assert events(found) == [(801, 2, 2, ""), (801, 2, 4, "")]
    assert found["likelihoods"].argmin(axis=1).tolist() == [1, 1]


def test_evidence_is_the_same_however_the_interval_is_cut(tmp_path: Path) -> None:
    """Deletions across the borders and clusters beside them included."""
    rng = random.Random(14)
    reference = random_bases(6000, rng) + "AG" * 30 + random_bases(3000, rng)
    haplotypes = []
    for _ in range(2):
        text, at = "", 0
        for place in range(900, 8000, 45):
            size = rng.choice((0, 0, 1, 3, 12))
            text += reference[at:place] + (rng.choice("ACGT") if size == 0 else "")
            at = place + (1 if size == 0 else size)
        haplotypes.append(text + reference[at:])
    reads = []
    for number, haplotype in enumerate(haplotypes):
        for _start, bases, name, flag in tiled(haplotype, 15, 100, rng, f"h{number}x"):
            place = reference.find(bases[:20])
            if place >= 0:
                reads.append(MadeRead(place, bases, name=name, flag=flag))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "a.bam", "c", len(reference), reads)
    alignments = strandwise_core.Alignments([bam], fasta)

    def table(start: int, end: int) -> list[tuple]:
        sequence = reference[max(0, start - strandwise_core.MARGIN) : end + strandwise_core.MARGIN].encode()
        found = alignments.evidence("c", start, end, sequence, rows=8)
        return [
            (event, found["features"][i].tobytes(), found["likelihoods"][i].tobytes(), found["read_rows"][i].tobytes())
            for i, event in enumerate(events(found))
        ]

    whole = table(0, len(reference))
    borders = [0, 1011, 2022, 2027, 4000, 5555, 6020, 6031, len(reference)]
    pieces = [row for start, end in itertools.pairwise(borders) for row in table(start, end)]
    assert len(whole) > 50
    assert pieces == whole
