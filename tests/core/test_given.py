"""Events given from outside: evidence whatever the reads show, and no trace on anything else."""

import random
from pathlib import Path

import numpy as np
import pytest
import strandwise_core
from made_reads import MadeRead, random_bases, tiled, write_alignment, write_fasta

LENGTH = 3000
SNV_AT, DELETION_AT, INSERTION_AT = 700, 1300, 1900
MARGIN = strandwise_core.MARGIN


class Case:
    """A sample with a heterozygous SNV, a deletion of 3 and an insertion, 40 reads of 100 bases deep, some with errors."""

    def __init__(self, folder: Path):
        rng = random.Random(1)
        self.bases = random_bases(LENGTH, rng)
        self.other = "ACGT"[("ACGT".index(self.bases[SNV_AT]) + 1) % 4]
        self.inserted = "GATTACA"
        self.deletion = DELETION_AT  # as far left as the bases allow
        while self.bases[self.deletion - 1] == self.bases[self.deletion + 2]:
            self.deletion -= 1
        reads = []
        for start, text, name, flag in tiled(self.bases, 30, 100, rng, "r"):
            changed = list(text)
            for i in range(100):
                if rng.random() < 0.004:
                    changed[i] = rng.choice("ACGT")
            if start <= SNV_AT < start + 100 and rng.random() < 0.5:
                changed[SNV_AT - start] = self.other
            reads.append(MadeRead(start, "".join(changed), name=name, flag=flag))
        for start in range(DELETION_AT - 80, DELETION_AT - 20, 5):
            left = DELETION_AT - start
            text = self.bases[start:DELETION_AT] + self.bases[DELETION_AT + 3 : DELETION_AT + 103 - left]
            reads.append(MadeRead(start, text, f"{left}M3D{100 - left}M", name=f"d{start}"))
        for start in range(INSERTION_AT - 70, INSERTION_AT - 20, 5):
            left = INSERTION_AT - start
            text = self.bases[start:INSERTION_AT] + self.inserted + self.bases[INSERTION_AT : INSERTION_AT + 93 - left]
            reads.append(MadeRead(start, text, f"{left}M7I{93 - left}M", name=f"i{start}"))
        self.fasta = write_fasta(folder / "r.fa", {"c": self.bases})
        bam = write_alignment(folder / "a.bam", "c", LENGTH, reads)
        self.alignments = strandwise_core.Alignments([bam], self.fasta)

    def evidence(self, given=(), start: int = 0, end: int = LENGTH, rows: int = 8) -> dict:
        sequence = self.bases[max(0, start - MARGIN) : end + MARGIN].encode()
        return self.alignments.evidence("c", start, end, sequence, rows=rows, given=given)

    def snv(self, at: int) -> tuple[int, int, str]:
        return at, 1, "ACGT"[("ACGT".index(self.bases[at]) + 2) % 4]

    def anything(self, rng: random.Random) -> tuple[int, int, str]:
        """An SNV, or a deletion or insertion that cannot be shifted to the left."""
        at, kind = rng.randrange(100, LENGTH - 100), rng.randrange(3)
        if kind == 0:
            return self.snv(at)
        size = rng.randrange(1, 6)
        if kind == 1:
            while self.bases[at - 1] == self.bases[at + size - 1]:
                at += 1
            return at, size, ""
        text = random_bases(size, rng)
        return at, 0, text[:-1] + next(base for base in "ACGT" if base != self.bases[at - 1])


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("given"))


def chosen(found: dict, keep: np.ndarray) -> list:
    """Rows of the events, as values that can be compared."""
    names = ("record", "kind", "reference_length", "alternate_length", "features", "likelihoods", "counts", "read_rows")
    return [found[name][keep].tolist() for name in names]


def test_what_is_given_leaves_no_trace_on_candidates(case: Case) -> None:
    rng = random.Random(2)
    plain = case.evidence()
    given = sorted({case.anything(rng) for _ in range(300)})
    more = case.evidence(given)
    assert chosen(more, more["given"] < 2) == chosen(plain, plain["given"] < 2)
    for name in ("depth", "low_depth", "disagreeing"):
        assert (more[name] == plain[name]).all()
    assert (more["given"] == 2).sum() >= 290


def test_a_given_event_does_not_depend_on_others_that_are_given_elsewhere_nor_on_borders(case: Case) -> None:
    rng = random.Random(3)
    given = sorted({case.anything(rng) for _ in range(60)})
    together = case.evidence(given)
    records = together["record"][together["given"] == 2].tolist()
    for event in given[::6]:
        record = event[0] - (not (event[1] == 1 and event[2]))
        if records.count(record) > 1:
            continue
        alone = case.evidence([event])
        part = case.evidence([event], start=record, end=record + 1)
        here = (together["given"] == 2) & (together["record"] == record)
        assert chosen(alone, alone["given"] == 2) == chosen(together, here) == chosen(part, part["given"] == 2)


def test_a_candidate_that_is_given_is_marked_and_the_same(case: Case) -> None:
    plain = case.evidence()
    assert {SNV_AT, case.deletion - 1, INSERTION_AT - 1} <= set(plain["record"].tolist())
    given = sorted([(SNV_AT, 1, case.other), (case.deletion, 3, ""), (INSERTION_AT, 0, case.inserted)])
    more = case.evidence(given)
    assert chosen(more, more["given"] < 3) == chosen(plain, plain["given"] < 3)
    assert more["record"][more["given"] == 1].tolist() == [SNV_AT, case.deletion - 1, INSERTION_AT - 1]


def test_alleles_that_no_read_shows_have_all_reads_against_them(case: Case) -> None:
    """A read of the reference speaks with 10 log10 2 = 3.01 phred against a heterozygote."""
    for event in (case.snv(500), (500, 4, ""), (500, 0, "GATTACAGATTACA"[: 9 + (case.bases[499] == "T")])):
        found = case.evidence([event])
        row = int(np.flatnonzero(found["given"] == 2)[0])
        reference, shown, _ = found["counts"][row].tolist()
        assert shown == 0 and reference > 15
        assert found["likelihoods"][row][0] == 0
        assert found["likelihoods"][row][1] == pytest.approx(3.0103 * reference, rel=0.25)


def test_a_single_read_that_is_no_candidate_is_counted(case: Case) -> None:
    plain = case.evidence()
    (place,) = [at for at in np.flatnonzero(plain["disagreeing"] == 1).tolist() if at not in plain["record"]][:1]
    counts = []
    for step in (1, 2, 3):
        alternate = "ACGT"[("ACGT".index(case.bases[place]) + step) % 4]
        found = case.evidence([(place, 1, alternate)])
        counts.append(int(found["counts"][found["given"] == 2][0][1]))
    assert sorted(counts) == [0, 0, 1]


def test_given_twice_counts_once_and_two_alleles_of_a_place_are_both_scored(case: Case) -> None:
    first, second = case.snv(500), (500, 1, "ACGT"[("ACGT".index(case.bases[500]) + 1) % 4])
    found = case.evidence(sorted([first, first, second]))
    assert (found["given"] == 2).sum() == 2


def test_without_reads(tmp_path: Path, case: Case) -> None:
    bam = write_alignment(tmp_path / "empty.bam", "c", LENGTH, [])
    alignments = strandwise_core.Alignments([bam], case.fasta)
    found = alignments.evidence("c", 0, LENGTH, case.bases.encode(), given=[case.snv(500)])
    assert found["likelihoods"].tolist() == [[0, 0, 0]] and found["counts"].tolist() == [[0, 0, 0]]
