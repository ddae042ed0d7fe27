"""Calls of whole intervals on made samples, with genotypes from likelihoods alone."""

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from made_reads import MadeRead, random_bases, write_alignment, write_fasta
from sample import Sample, make_sample

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.formats.vcf import check_site
from strandwise.small_variants.call import NEAR, call_shard, together
from strandwise.small_variants.labels import normalised

pytestmark = pytest.mark.usefixtures("calling_image")


def called(
    sample: Sample, intervals: list[Interval] | None = None, alignment: Path | None = None, ploidy: int = 2
) -> list:
    whole = intervals or [Interval("c", 0, len(sample.reference))]
    return list(call_shard([alignment or sample.bam], sample.fasta, None, whole, ploidy=ploidy))


def table(pieces: list, reference: str) -> dict[tuple, int]:
    """Copies of each left-aligned event of the PASS calls."""
    copies: dict[tuple, int] = {}
    for piece in pieces:
        for site in piece.sites:
            check_site(site, piece, reference[piece.start :])
            if site.filters != ("PASS",):
                continue
            for allele in set(site.genotype) - {0}:
                for event in normalised(site.position, site.alleles[0], site.alleles[allele], reference.__getitem__):
                    key = (event.position, event.reference_length, event.alternate)
                    copies[key] = copies.get(key, 0) + site.genotype.count(allele)
    return copies


def truth_table(sample: Sample) -> dict[tuple, int]:
    copies: dict[tuple, int] = {}
    for at, old, new, genotype in sample.variants:
        for event in normalised(at, old, new, sample.reference.__getitem__):
            key = (event.position, event.reference_length, event.alternate)
            copies[key] = copies.get(key, 0) + genotype.count("1")
    return copies


@pytest.mark.parametrize(("seed", "read_length", "depth"), [(1, 100, 40), (2, 36, 60), (3, 300, 40), (4, 150, 30)])
def test_planted_variants_are_called_with_their_genotypes(
    tmp_path: Path, seed: int, read_length: int, depth: int
) -> None:
    sample = make_sample(tmp_path, seed, depth=depth, read_length=read_length)
    found, truth = table(called(sample), sample.reference), truth_table(sample)
    inside = {key: copies for key, copies in truth.items() if 350 < key[0] < 5650}
    wrong = {key for key in inside if found.get(key) != inside[key]}
    wrong |= {key for key in found if 350 < key[0] < 5650 and key not in truth}
    assert len(inside) > 20
    assert len(wrong) <= len(inside) * (0.1 if read_length == 36 else 0.04), wrong


def test_cram_gives_the_calls_of_bam(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 5)
    cram = write_alignment(tmp_path / "reads.cram", "c", len(sample.reference), sample.reads, sample.fasta)
    assert [piece.sites for piece in called(sample, alignment=cram)] == [piece.sites for piece in called(sample)]


def test_seven_shards_give_the_calls_of_one(tmp_path: Path) -> None:
    """Borders lie inside deletions, repeats and clusters too: every variant's own position is one."""
    sample = make_sample(tmp_path, 6, gap=60, errors=0.005)
    (whole,) = called(sample)
    rng = random.Random(6)
    for _ in range(4):
        borders = sorted(rng.sample([at + rng.randrange(3) for at, *_ in sample.variants], 6))
        cuts = [0, *borders, len(sample.reference)]
        pieces = [piece for a, b in itertools.pairwise(cuts) for piece in called(sample, [Interval("c", a, b)])]
        assert [site for piece in pieces for site in piece.sites] == list(whole.sites)
        assert np.concatenate([piece.depth for piece in pieces]).tolist() == whole.depth.tolist()
        assert (
            np.concatenate([piece.reference_quality for piece in pieces]).tolist() == whole.reference_quality.tolist()
        )


def test_intervals_that_are_read_together_give_what_each_gives_alone(tmp_path: Path) -> None:
    """Targets of an exome lie close: gaps of 0, 1 and 40 bases, and borders on variants."""
    sample = make_sample(tmp_path, 8, gap=60, errors=0.005)
    ats = [at for at, *_ in sample.variants]
    targets = [
        Interval("c", *pair)
        for pair in [(ats[1], ats[4]), (ats[4], ats[7] + 1), (ats[7] + 2, ats[12]), (ats[12] + 40, 5000)]
    ]
    assert list(together([*targets, Interval("c", 5001 + NEAR, 5002 + NEAR), Interval("d", 1, 2)])) == [
        [0, 1, 2, 3],
        [4],
        [5],
    ]
    alone = [piece for target in targets for piece in called(sample, [target])]
    for one, other in zip(called(sample, targets), alone, strict=True):
        assert (one.start, one.end, one.sites) == (other.start, other.end, other.sites)
        assert one.depth.tolist() == other.depth.tolist()
        assert one.reference_quality.tolist() == other.reference_quality.tolist()
    assert sum(len(piece.sites) for piece in alone) > 8


def test_two_files_of_one_sample_are_called_together(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 7)
    halves = [
        write_alignment(tmp_path / f"half{part}.bam", "c", len(sample.reference), sample.reads[part::2])
        for part in (0, 1)
    ]
    joined = list(call_shard(halves, sample.fasta, None, [Interval("c", 0, len(sample.reference))]))
    assert table(joined, sample.reference) == table(called(sample), sample.reference)


def test_one_copy_per_cell_gives_one_allele(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 8)
    sites = [site for piece in called(sample, ploidy=1) for site in piece.sites]
    assert sites
    assert {len(site.genotype) for site in sites} == {1}
    assert all(len(site.likelihoods) == len(site.alleles) for site in sites)


def test_no_reads_no_sites_and_quality_zero(tmp_path: Path) -> None:
    reference = random_bases(3000, random.Random(9))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "a.bam", "c", 3000, [])
    (piece,) = call_shard([bam], fasta, None, [Interval("c", 0, 3000)])
    assert list(piece.sites) == []
    assert piece.depth.tolist() == [0] * 3000
    assert piece.reference_quality.tolist() == [0] * 3000


def test_nothing_is_called_on_n_and_iupac_bases_but_beside_them_it_is(tmp_path: Path) -> None:
    rng = random.Random(10)
    bases = random_bases(2000, rng)
    reference = bases[:900] + "N" * 20 + bases[920:1000] + "R" + bases[1001:]
    other = "ACGT"[("ACGT".index(bases[950]) + 1) % 4]
    carried = bases[:950] + other + bases[951:]
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    reads = [MadeRead(start, carried[start : start + 100], name=f"q{start}") for start in range(840, 1000, 5)]
    bam = write_alignment(tmp_path / "a.bam", "c", 2000, reads)
    (piece,) = call_shard([bam], fasta, None, [Interval("c", 0, 2000)])
    assert [(site.position, site.alleles, site.genotype) for site in piece.sites] == [
        (950, (bases[950], other), (1, 1))
    ]


def test_alignments_cut_off_are_told_in_one_line(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 11, depth=200)
    data = sample.bam.read_bytes()
    sample.bam.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"reads\.bam: damaged or cut off in c:"):
        called(sample)
