"""The compiled scan against a slow, obvious one, on random reads of every kind."""

import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pysam
import pytest
import strandwise_core
from made_reads import MadeRead, random_bases, write_alignment, write_fasta

LEAST_QUALITY = 10
LEAST_MAPPING = 5


def random_reference(rng: random.Random) -> str:
    """2.4 kb with homopolymers, a dinucleotide repeat, a run of N and single IUPAC codes."""
    parts = [random_bases(300, rng), "A" * 14, random_bases(300, rng), "CA" * 12, random_bases(300, rng), "N" * 40]
    parts += [random_bases(300, rng), "R", random_bases(300, rng), "TTTG" * 6, random_bases(500, rng), "Y"]
    return "".join(parts) + random_bases(300, rng)


def random_read(reference: str, number: int, rng: random.Random) -> MadeRead:
    """A read of 36 to 300 bases with random errors, gaps, clips, flags and qualities (or none)."""
    length = rng.choice((36, 75, 101, 150, 300))
    start = rng.randrange(0, len(reference) - 320)
    at, bases, cigar = start, [], []
    if rng.random() < 0.3:
        clip = rng.randrange(1, 9)
        bases.append(random_bases(clip, rng))
        cigar.append(f"{clip}S")
    matched = 0
    while sum(map(len, bases)) < length and at < len(reference) - 40:
        block = rng.randrange(5, 60)
        text = [base if base in "ACGT" else "A" for base in reference[at : at + block]]
        for i in range(len(text)):
            if rng.random() < 0.02:
                text[i] = rng.choice("ACGTN")
        bases.append("".join(text))
        cigar.append(f"{len(text)}M")
        at += len(text)
        matched += 1
        gap = rng.random()
        if gap < 0.15:
            size = rng.randrange(1, 6)
            at += size
            cigar.append(f"{size}D")
        elif gap < 0.3:
            size = rng.randrange(1, 6)
            bases.append(random_bases(size, rng))
            cigar.append(f"{size}I")
        else:
            break
    if cigar[-1][-1] in "DI":  # end aligned
        bases.append(reference[at : at + 6].replace("N", "C").replace("R", "C").replace("Y", "C"))
        cigar.append("6M")
    text = "".join(bases)
    flag = rng.choices((0, 16, 1024, 256, 2048, 512, 4), (40, 40, 3, 3, 3, 3, 1))[0]
    qualities = None if rng.random() < 0.1 else [rng.randrange(2, 42) for _ in text]
    return MadeRead(start, text, "".join(cigar), f"n{number}", qualities, flag, rng.choice((0, 3, 5, 20, 60)))


class SlowScan:
    """What the compiled scan must find: depth, disagreeing bases, low-quality depth, and every read's events."""

    def __init__(self, bam: Path, reference: str):
        self.reference = reference
        self.depth, self.low, self.disagreeing = Counter(), Counter(), Counter()
        self.snvs: dict[tuple[int, str], list[int]] = defaultdict(list)
        self.indels: Counter = Counter()
        with pysam.AlignmentFile(str(bam)) as file:
            for read in file:
                if not read.flag & (4 | 256 | 512 | 1024 | 2048):
                    self.add(read)

    def add(self, read: pysam.AlignedSegment) -> None:
        qualities = read.query_qualities
        quality = [20] * read.query_length if qualities is None else list(qualities)
        bases = read.query_sequence
        quality = [0 if base not in "ACGT" else value for base, value in zip(bases, quality, strict=True)]
        at, query = read.reference_start, 0
        first = next(i for i, (op, _) in enumerate(read.cigartuples) if op == 0)
        last = max(i for i, (op, _) in enumerate(read.cigartuples) if op == 0)
        for i, (op, size) in enumerate(read.cigartuples):
            if op == 0:
                for k in range(size):
                    self.base(at + k, bases[query + k], quality[query + k], read.mapping_quality)
                at, query = at + size, query + size
            elif op == 1:
                if (
                    first < i < last
                    and read.mapping_quality >= LEAST_MAPPING
                    and quality[query - 1]
                    and quality[query + size]
                ):
                    self.insertion(at, bases[query : query + size])
                query += size
            elif op == 2:
                flanked = read.mapping_quality >= LEAST_MAPPING and quality[query - 1] and quality[query]
                if flanked:
                    for k in range(size):
                        self.depth[at + k] += 1
                    self.deletion(at, size)
                elif read.mapping_quality < LEAST_MAPPING:
                    for k in range(size):
                        self.low[at + k] += 1
                at += size
            elif op == 4:
                query += size

    def base(self, at: int, base: str, quality: int, mapping: int) -> None:
        if mapping < LEAST_MAPPING:
            self.low[at] += 1
            return
        if quality < LEAST_QUALITY:
            return
        self.depth[at] += 1
        if base in "ACGT" and self.reference[at] in "ACGT" and base != self.reference[at]:
            self.disagreeing[at] += 1
            self.snvs[at, base].append(quality)

    def insertion(self, at: int, text: str) -> None:
        if set(text) - set("ACGT") or {self.reference[at - 1], self.reference[at]} - set("ACGT"):
            return
        while self.reference[at - 1] == text[-1]:
            at, text = at - 1, text[-1] + text[:-1]
        self.indels[at, 0, text] += 1

    def deletion(self, at: int, size: int) -> None:
        if set(self.reference[at - 1 : at + size + 1]) - set("ACGT"):
            return
        while self.reference[at - 1] == self.reference[at + size - 1]:
            at -= 1
        self.indels[at, size, ""] += 1


@pytest.mark.parametrize("seed", range(12))
def test_scan_equals_the_slow_one(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    reference = random_reference(rng)
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    reads = [random_read(reference, number, rng) for number in range(rng.choice((5, 60, 250)))]
    bam = write_alignment(tmp_path / "a.bam", "c", len(reference), reads)
    slow = SlowScan(bam, reference)
    found = strandwise_core.Alignments([bam], fasta).evidence("c", 0, len(reference), reference.encode(), realign=False)
    for name, expected in (("depth", slow.depth), ("low_depth", slow.low), ("disagreeing", slow.disagreeing)):
        assert found[name].tolist() == [expected[at] for at in range(len(reference))], name
    letters = "".join("ACGTN"[code] for code in found["alleles"])
    snvs, indels = set(), {}
    for i in range(len(found["record"])):
        at, kind, length = found["position"][i], found["kind"][i], found["alternate_length"][i]
        place = found["alternate"][i]
        if kind == 0:
            snvs.add((at, "ACGT"[place]))
        else:
            text = letters[place : place + length] if kind == 1 else ""
            indels[at, found["reference_length"][i], text] = found["support"][i]
    expected_snvs = set()
    for (at, base), qualities in slow.snvs.items():
        evidence = sum(quality + 5 for quality in qualities) - 3.0103 * slow.depth[at]
        enough = len(qualities) >= 3 and len(qualities) * 100 >= 12 * slow.depth[at]
        if evidence >= 5 or enough:
            expected_snvs.add((at, base))
    assert snvs == expected_snvs
    for key, support in indels.items():  # what is kept is counted right
        assert slow.indels[key] == support, key
    for (at, size, text), count in slow.indels.items():  # and what at least two of few reads show is kept
        if count >= 2 and count * 100 >= 6 * slow.depth[at - 1] and at > 0:
            assert (at, size, text) in indels


def test_positions_beyond_all_reads_have_depth_zero(tmp_path: Path) -> None:
    reference = random_bases(2000, random.Random(1))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "a.bam", "c", 2000, [MadeRead(100, reference[100:200])])
    found = strandwise_core.Alignments([bam], fasta).evidence("c", 500, 700, reference.encode())
    assert found["depth"].tolist() == [0] * 200
    assert len(found["record"]) == 0


def test_mates_count_once_where_they_overlap(tmp_path: Path) -> None:
    """Two mates of one molecule over the same 50 bases: depth 1; where they differ the better base stays."""
    reference = random_bases(1500, random.Random(2))
    other = "ACGT"[("ACGT".index(reference[620]) + 1) % 4]
    changed = reference[600:620] + other + reference[621:650]
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    reads = [
        MadeRead(550, reference[550:650], name="m", qualities=20, flag=99),
        MadeRead(600, changed + reference[650:700], name="m", qualities=32, flag=147),
    ]
    bam = write_alignment(tmp_path / "a.bam", "c", 1500, reads)
    found = strandwise_core.Alignments([bam], fasta).evidence("c", 540, 710, reference.encode()[:1500], realign=False)
    depth = found["depth"].tolist()
    assert depth[10 : 10 + 150] == [1] * 150
    assert depth[:10] == [0] * 10
    # 32 against 20: the changed base stays with quality 12, one of one reads
    assert [(int(at), "ACGT"[int(base)]) for at, base in zip(found["position"], found["alternate"], strict=True)] == [
        (620, other)
    ]


@pytest.mark.parametrize("beyond", [0, 2, 30])
def test_of_mates_the_one_speaks_that_shows_the_gap(tmp_path: Path, beyond: int) -> None:
    """Amplicons from 400 to 620: forward reads end 0, 2 or 30 bases beyond an insertion, too few for their aligner to open a
    gap (bases behind are out of place), their mates show it in the middle. Ten molecules show it, ten do not; each counts once."""
    reference = random_bases(1500, random.Random(4))
    place = 550 - beyond
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    inserted = "CAT" + "ACGT"[("ACGT".index(reference[place - 1]) + 1) % 4]  # cannot be shifted to the left
    carrier = reference[400:place] + inserted + reference[place:620]
    reads = []
    for number in range(10):
        reads.append(MadeRead(400, carrier[:150], name=f"i{number}", flag=99))
        reads.append(MadeRead(474, carrier[74:], f"{place - 474}M4I{620 - place}M", f"i{number}", flag=147))
        reads.append(MadeRead(400, reference[400:550], name=f"r{number}", flag=99))
        reads.append(MadeRead(470, reference[470:620], name=f"r{number}", flag=147))
    bam = write_alignment(tmp_path / "a.bam", "c", 1500, reads)
    found = strandwise_core.Alignments([bam], fasta).evidence("c", 300, 700, reference.encode(), realign=False)
    columns = (found["kind"], found["position"], found["support"])
    assert [tuple(map(int, row)) for row in zip(*columns, strict=True)] == [(1, place, 10)]
    assert found["depth"].tolist() == [0] * 100 + [20] * 220 + [0] * 80


def test_the_same_reads_are_left_out_of_too_many_however_the_interval_is_cut(tmp_path: Path) -> None:
    rng = random.Random(3)
    reference = random_bases(3000, rng)
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    reads = []
    for number in range(2500):
        start = rng.randrange(1000, 1200)
        reads.append(MadeRead(start, reference[start : start + 100], name=f"d{number}"))
    bam = write_alignment(tmp_path / "a.bam", "c", 3000, reads)
    alignments = strandwise_core.Alignments([bam], fasta)
    whole = alignments.evidence("c", 900, 1400, reference[: 1400 + 1000].encode(), maximum_depth=300)["depth"]
    pieces = [
        alignments.evidence(
            "c", start, start + 50, reference[max(0, start - 1000) : start + 50 + 1000].encode(), maximum_depth=300
        )["depth"]
        for start in range(900, 1400, 50)
    ]
    assert np.concatenate(pieces).tolist() == whole.tolist()
    assert 200 < whole.max() < 420  # drawn, so about 300


def test_a_file_cut_off_is_an_error(tmp_path: Path) -> None:
    rng = random.Random(4)
    reference = random_bases(3000, rng)
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    reads = [
        MadeRead(i, reference[i : i + 150], qualities=[rng.randrange(2, 40) for _ in range(150)])
        for i in range(0, 2800, 1)
    ]
    bam = write_alignment(tmp_path / "a.bam", "c", 3000, reads)
    data = bam.read_bytes()
    bam.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(OSError, match="damaged or cut off"):
        strandwise_core.Alignments([bam], fasta).evidence("c", 1500, 2800, reference[500:3000].encode())


def test_a_missing_index_and_an_unknown_contig_are_errors(tmp_path: Path) -> None:
    reference = random_bases(500, random.Random(5))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "a.bam", "c", 500, [MadeRead(10, reference[10:60])])
    with pytest.raises(OSError, match="no contig chrZ"):
        strandwise_core.Alignments([bam], fasta).evidence("chrZ", 0, 500, reference.encode())
    Path(f"{bam}.bai").unlink()
    with pytest.raises(OSError, match="no index"):
        strandwise_core.Alignments([bam], fasta)
