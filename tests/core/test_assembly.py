"""Local assembly against haplotypes made by hand, from reads whose single alignments do not show them."""

import itertools
import random
from pathlib import Path

import pytest
import strandwise_core
from made_reads import MadeRead, random_bases, tiled, write_alignment, write_fasta

PLACE = 1000
"""Where the changes of most tests begin; the reference before and after it is random."""


def clipped_reads(haplotype: str, end: int, depth: int, length: int, rng: random.Random, name: str) -> list[MadeRead]:
    """Reads of a haplotype that differs from the reference in [PLACE, end of the change) only, as an aligner would place
    them that clips whatever lies beyond the first difference. end: first equal reference base after the change."""
    reads = []
    for start, bases, read_name, flag in tiled(haplotype, depth, length, rng, name):
        stop = start + length
        right = len(haplotype) - PLACE  # first base of the right part, on the haplotype
        if stop <= PLACE or start >= right:
            position, cigar = (start, f"{length}M") if stop <= PLACE else (start - right + end, f"{length}M")
        elif PLACE - start >= stop - right and PLACE - start >= length // 5:
            position, cigar = start, f"{PLACE - start}M{stop - PLACE}S"
        elif stop - right >= length // 5:
            position, cigar = end, f"{right - start}S{stop - right}M"
        else:
            continue
        reads.append(MadeRead(position, bases, cigar, read_name, flag=flag))
    return reads


def evidence_of(folder: Path, reference: str, reads: list[MadeRead], **options: object) -> dict:
    fasta = write_fasta(folder / "r.fa", {"c": reference})
    bam = write_alignment(folder / "a.bam", "c", len(reference), reads)
    alignments = strandwise_core.Alignments([bam], fasta)
    return alignments.evidence("c", 0, len(reference), reference.encode(), details=True, **options)


def spelled(reference: str, events: list[tuple[int, int, str]]) -> str:
    """The reference with events (position, number of bases replaced, bases put in), which must not overlap."""
    text, at = "", 0
    for position, length, bases in sorted(events):
        assert position >= at
        text, at = text + reference[at:position] + bases, position + length
    return text + reference[at:]


def sequences(reference: str, found: dict) -> set[str]:
    return {spelled(reference, events) for _, _, _, events in found["assembled"]}


def best_pair(reference: str, found: dict, near: int) -> set[str]:
    """The two haplotypes that the likelihoods favour at a place, spelled over the whole reference."""
    trace = min(found["traces"], key=lambda trace: abs(trace["events"][trace["event"]][0] - near))
    costs = trace["costs"]
    pairs = itertools.combinations_with_replacement(range(costs.shape[1]), 2)
    best = min(pairs, key=lambda pair: costs[:, list(pair)].min(axis=1).sum() + 3 * (pair[0] != pair[1]))
    letters = ["".join("ACGTN"[code] for code in trace["haplotypes"][h]) for h in best]
    return {reference[: trace["start"]] + text + reference[trace["end"] :] for text in letters}


def changed(rng: random.Random, before: str, after: str) -> tuple[str, str, int]:
    """A reference that holds `before` at PLACE, the haplotype that holds `after` there, and where `before` ends."""
    left, right = random_bases(PLACE - 1, rng) + "G", "G" + random_bases(PLACE - 1, rng)
    return left + before + right, left + after + right, PLACE + len(before)


@pytest.mark.parametrize("size", [25, 60, 90])
@pytest.mark.parametrize("copies", [1, 2])
def test_a_long_insertion_among_other_changes_that_reads_only_clip(tmp_path: Path, size: int, copies: int) -> None:
    """Three SNVs, a lost base and up to 90 gained ones: no read of 100 bases shows them all in its alignment."""
    rng = random.Random(size + copies)
    before = "ACGTTGCATTCGAGCTAGGATCCA"
    after = "TCGTAGCATTG" + random_bases(size, rng) + "GAGCAGGATCCT"
    reference, haplotype, end = changed(rng, before, after)
    reads = clipped_reads(haplotype, end, 24 * copies, 100, rng, "h")
    if copies == 1:
        reads += clipped_reads(reference, end, 24, 100, rng, "r")
    found = evidence_of(tmp_path, reference, reads)
    assert haplotype in sequences(reference, found)
    assert best_pair(reference, found, PLACE) == ({haplotype} if copies == 2 else {haplotype, reference})


def test_two_indels_and_a_substitution_inside_a_repeat(tmp_path: Path) -> None:
    """(CTTT)9 loses two units, gains CA in the fourth and has a G for a T in the last: one haplotype, one reference."""
    rng = random.Random(21)
    reference, haplotype, end = changed(rng, "CTTT" * 9, "CTTT" * 3 + "CTCATT" + "CTTT" * 2 + "CTGT")
    reads = clipped_reads(haplotype, end, 20, 100, rng, "h") + clipped_reads(reference, end, 20, 100, rng, "r")
    found = evidence_of(tmp_path, reference, reads)
    assert best_pair(reference, found, PLACE) == {haplotype, reference}
    copies = [likelihoods.argmin() for likelihoods in found["likelihoods"]]
    carried = [
        (int(found["position"][i]), int(found["reference_length"][i]), text_of(found, i))
        for i in range(len(copies))
        if copies[i] == 1
    ]
    assert spelled(reference, carried) == haplotype
    assert 2 not in copies


def text_of(found: dict, i: int) -> str:
    place, length = int(found["alternate"][i]), int(found["alternate_length"][i])
    if found["kind"][i] == 0:
        return "ACGT"[place]
    return "".join("ACGT"[code] for code in found["alleles"][place : place + length])


def test_a_duplication_of_forty_bases_is_a_cycle_for_short_words_only(tmp_path: Path) -> None:
    rng = random.Random(22)
    unit = random_bases(40, rng)
    reference, haplotype, end = changed(rng, unit, unit * 2)
    reads = clipped_reads(haplotype, end, 20, 150, rng, "h") + clipped_reads(reference, end, 20, 150, rng, "r")
    found = evidence_of(tmp_path, reference, reads)
    assert haplotype in sequences(reference, found)
    assert best_pair(reference, found, PLACE) == {haplotype, reference}


def test_a_repeat_longer_than_words_is_read_by_reads_that_run_through(tmp_path: Path) -> None:
    """(CA)20 becomes (CA)45, with a T in between: reads show it from end to end, whatever words do."""
    rng = random.Random(23)
    reference, haplotype, end = changed(rng, "CA" * 20, "CA" * 30 + "T" + "CA" * 15)
    reads = clipped_reads(haplotype, end, 30, 150, rng, "h") + clipped_reads(reference, end, 30, 150, rng, "r")
    found = evidence_of(tmp_path, reference, reads)
    through = {spelled(reference, events) for _, _, n, events in found["assembled"] if n >= 2}
    assert haplotype in through
    assert best_pair(reference, found, PLACE) == {haplotype, reference}


def placed(haplotype: str, start: int, length: int, end: int, name: str, **more: object) -> MadeRead:
    """One read of such a haplotype, from `start` on it, clipped on the side that holds less of what is unchanged."""
    bases = haplotype[start : start + length]
    before, behind = PLACE - start, start + length - (len(haplotype) - PLACE)
    if before >= behind:
        return MadeRead(start, bases, f"{before}M{length - before}S" if before < length else f"{length}M", name, **more)
    position = end if behind < length else start - (len(haplotype) - PLACE) + end
    return MadeRead(position, bases, f"{length - behind}S{behind}M" if behind < length else f"{length}M", name, **more)


def not_spanning(haplotype: str, end: int, length: int, inside: int) -> list[MadeRead]:
    """Two reads at every fifth base that hold at most `inside` bases of the change, from either side."""
    first, last = PLACE + inside - length, len(haplotype) - PLACE - inside
    starts = list(range(PLACE - 200, first + 1, 5)) + list(range(last, last + 200, 5))
    return [placed(haplotype, start, length, end, f"{pair}{start}") for start in starts for pair in "ab"]


@pytest.mark.parametrize(("length", "spanned"), [(112, True), (111, False)])
def test_one_read_with_a_base_more_on_each_side_tells_how_long_a_repeat_is(
    tmp_path: Path, length: int, spanned: bool
) -> None:
    """(CA)20 becomes (CA)55: 110 bases, longer than any word; other reads hold 100 of them at most."""
    reference, haplotype, end = changed(random.Random(31), "CA" * 20, "CA" * 55)
    reads = [*not_spanning(haplotype, end, 120, 100), placed(haplotype, PLACE - 1, length, end, "one")]
    found = evidence_of(tmp_path, reference, reads)
    assert (haplotype in sequences(reference, found)) == spanned


@pytest.mark.parametrize(("longer", "kept"), [(4, True), (5, False)])
def test_one_read_among_six_that_go_on_with_the_repeat_is_an_error(tmp_path: Path, longer: int, kept: bool) -> None:
    """Where one read leaves the repeat after 60 bases, a fifth of the reads has to: 1 of 5 does, 1 of 6 does not."""
    reference, haplotype, end = changed(random.Random(32), "CA" * 20, "CA" * 50)
    shorter = haplotype[: PLACE + 60] + haplotype[PLACE + 100 :]
    reads = [*not_spanning(haplotype, end, 120, 58), placed(shorter, PLACE - 10, 90, end, "odd")]
    reads += [placed(haplotype, PLACE - 5, 115, end, f"s{number}") for number in range(longer)]
    found = sequences(reference, evidence_of(tmp_path, reference, reads))
    assert haplotype in found
    assert (shorter in found) == kept


@pytest.mark.parametrize(("wrong", "spanned"), [(False, True), (True, False)])
def test_poor_bases_that_go_on_with_a_repeat_do_not_end_it(tmp_path: Path, wrong: bool, spanned: bool) -> None:
    """Three reads span (CA)45; each has a base of quality 5 in it, which is as the repeat goes on, or is not."""
    reference, haplotype, end = changed(random.Random(33), "CA" * 20, "CA" * 45)
    reads = not_spanning(haplotype, end, 120, 70)
    for number in range(3):
        read = placed(haplotype, PLACE - 4, 98, end, f"s{number}")
        poor = 40 + 7 * number
        read.qualities = [37] * poor + [5] + [37] * (97 - poor)
        if wrong:
            read.bases = read.bases[:poor] + "G" + read.bases[poor + 1 :]
        reads.append(read)
    found = evidence_of(tmp_path, reference, reads)
    assert (haplotype in sequences(reference, found)) == spanned


@pytest.mark.parametrize(("start", "joined"), [(16, True), (17, False)])
def test_a_read_that_begins_at_an_interruption_goes_on_from_the_reads_before_it(
    tmp_path: Path, start: int, joined: bool
) -> None:
    """(CTTT)10 becomes (CTTT)4 G (CTTT)24: no read holds all of it, one holds the G, the 24 units and what follows."""
    reference, haplotype, end = changed(random.Random(34), "CTTT" * 10, "CTTT" * 4 + "G" + "CTTT" * 24)
    reads = [*not_spanning(haplotype, end, 120, 90), placed(haplotype, PLACE + start, 110, end, "one")]
    found = evidence_of(tmp_path, reference, reads)
    assert (haplotype in sequences(reference, found)) == joined


def test_likelihoods_choose_two_alleles_that_few_reads_span(tmp_path: Path) -> None:
    """(CTTT)20 has 24 units on one haplotype and 30, with a G after the second, on the other: 96 and 121 of 150 bases."""
    rng = random.Random(35)
    reference, one, end = changed(rng, "CTTT" * 20, "CTTT" * 24)
    two = one[:PLACE] + "CTTT" * 2 + "G" + "CTTT" * 28 + reference[end:]
    reads = [
        placed(text, start, 150, end, f"{name}{start}")
        for text, name in ((one, "a"), (two, "b"))
        for start in range(PLACE - 180, len(text) - PLACE + 40, 9)
    ]
    found = evidence_of(tmp_path, reference, reads)
    assert {one, two} <= sequences(reference, found)
    assert best_pair(reference, found, PLACE) == {one, two}


def test_unknown_and_poor_bases_of_reads_are_not_assembled(tmp_path: Path) -> None:
    """A third of the reads has an N, a third a wrong base of quality 5 within the change."""
    rng = random.Random(24)
    reference, haplotype, end = changed(rng, "ACGTTGCATT", "TCGTAGC" + random_bases(30, rng) + "CTT")
    reads = clipped_reads(haplotype, end, 45, 100, rng, "h")
    at = haplotype.index(haplotype[PLACE + 10 : PLACE + 30])
    for number, read in enumerate(reads):
        place = read.bases.find(haplotype[at : at + 20])
        if place >= 0 and number % 3:
            wrong = "N" if number % 3 == 1 else "ACGT"[("ACGT".index(read.bases[place]) + 1) % 4]
            read.bases = read.bases[:place] + wrong + read.bases[place + 1 :]
            read.qualities = [37] * place + [5] + [37] * (len(read.bases) - place - 1)
    found = evidence_of(tmp_path, reference, reads)
    assert sequences(reference, found) == {haplotype}


def test_no_haplotype_is_made_across_unknown_reference(tmp_path: Path) -> None:
    rng = random.Random(25)
    reference, haplotype, end = changed(rng, "ACGTTGCATT", "TCGTAGC" + random_bases(30, rng) + "CTT")
    masked = reference[: PLACE - 5] + "NNNNN" + reference[PLACE:]
    found = evidence_of(tmp_path, masked, clipped_reads(haplotype, end, 30, 100, rng, "h"))
    assert found["assembled"] == []


@pytest.mark.parametrize("length", [36, 300])
def test_short_and_long_reads(tmp_path: Path, length: int) -> None:
    """A deletion of 3 and an SNV 6 bases on: with 36 bases by words of 21, with 300 by any."""
    rng = random.Random(length)
    before = "ACGTTGCATTCGAG"
    reference, haplotype, end = changed(rng, before, "TGTTGCATGAG")
    reads = clipped_reads(haplotype, end, 40, length, rng, "h") + clipped_reads(reference, end, 40, length, rng, "r")
    found = evidence_of(tmp_path, reference, reads)
    assert haplotype in sequences(reference, found)
    assert best_pair(reference, found, PLACE) == {haplotype, reference}


def test_without_assembly_there_is_none(tmp_path: Path) -> None:
    rng = random.Random(26)
    reference, haplotype, end = changed(rng, "CTTT" * 9, "CTTT" * 3 + "CTCATT" + "CTTT" * 2 + "CTGT")
    reads = clipped_reads(haplotype, end, 20, 100, rng, "h")
    found = evidence_of(tmp_path, reference, reads, assemble=False)
    assert found["assembled"] == []


def test_plain_reads_of_the_reference_give_no_haplotype(tmp_path: Path) -> None:
    rng = random.Random(27)
    reference, _, end = changed(rng, "CA" * 20, "")
    found = evidence_of(tmp_path, reference, clipped_reads(reference, end, 40, 100, rng, "r"))
    assert found["assembled"] == []
    assert len(found["record"]) == 0


def test_assembled_events_do_not_depend_on_how_the_interval_is_cut(tmp_path: Path) -> None:
    """Crowded repeats every 300 bases, borders inside, beside and between them."""
    rng = random.Random(28)
    units = ["CTTT", "CA", "A", "GATA", "TTCCC"]
    reference, haplotype = random_bases(1500, rng), ""
    haplotype = reference
    for number in range(24):
        unit = units[number % len(units)]
        tract = unit * (24 // len(unit))
        longer = unit * rng.randrange(2, 9) + rng.choice("ACGT") + tract[rng.randrange(8) :]
        left, right = random_bases(140, rng), random_bases(140, rng)
        reference += left + tract + right
        haplotype += left + longer + "".join("ACGT"["ACGT".index(right[0]) - 1]) + right[1:]
    tail = random_bases(1500, rng)
    reference, haplotype = reference + tail, haplotype + tail
    reads = []
    for text, name in ((haplotype, "h"), (reference, "r")):
        for start, bases, read_name, flag in tiled(text, 15, 150, rng, name):
            place = reference.find(bases[:24])
            if place >= 0 and reference.count(bases[:24]) == 1:
                same = next((i for i in range(150) if bases[i] != reference[place + i]), 150)
                cigar = f"{same}M{150 - same}S" if same < 145 else "150M"
                reads.append(MadeRead(place, bases, cigar, read_name, flag=flag))
            assert start >= 0
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    alignments = strandwise_core.Alignments([write_alignment(tmp_path / "a.bam", "c", len(reference), reads)], fasta)

    def table(start: int, end: int) -> list[tuple]:
        sequence = reference[max(0, start - strandwise_core.MARGIN) : end + strandwise_core.MARGIN].encode()
        found = alignments.evidence("c", start, end, sequence, rows=8)
        return [
            (
                int(found["position"][i]),
                int(found["reference_length"][i]),
                text_of(found, i),
                found["features"][i].tobytes(),
                found["likelihoods"][i].tobytes(),
                found["read_rows"][i].tobytes(),
            )
            for i in range(len(found["record"]))
        ]

    whole = table(0, len(reference))
    assert sum(row[3][-4:] != b"\0\0\0\0" for row in whole) > 20  # is_assembled, the last feature
    for step in (97, 613, 1511):
        borders = [*range(0, len(reference), step), len(reference)]
        assert [row for start, end in itertools.pairwise(borders) for row in table(start, end)] == whole
