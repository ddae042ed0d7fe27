"""Genotypes, qualities and records from probabilities of copies."""

import numpy as np
import pytest

from strandwise.formats.vcf import genotype_order
from strandwise.small_variants.candidates import DELETION, INSERTION, SNV, Candidates
from strandwise.small_variants.genotypes import plain_probabilities, reference_quality, site_calls

#            0123456789012345678901234567890
REFERENCE = "GATTACAGATCCGTTTTTTACGCACACACAT"


def made(
    rows: list[tuple[int, int, int, str]], counts: list[tuple[int, int, int]], likelihoods: list | None = None
) -> Candidates:
    """rows: record position, kind, reference length, alternate."""
    n = len(rows)
    return Candidates(
        contig="c",
        start=0,
        end=len(REFERENCE),
        record=np.array([row[0] for row in rows], int),
        kind=np.array([row[1] for row in rows], int),
        reference_length=np.array([row[2] for row in rows], int),
        alternates=[row[3] for row in rows],
        features=np.zeros((n, 1), np.float32),
        likelihoods=np.array(likelihoods or np.zeros((n, 3)), np.float32),
        counts=np.array(counts, np.int32).reshape(n, 3),
        read_rows=None,
        depth=np.full(len(REFERENCE), 20),
        disagreeing=np.zeros(len(REFERENCE), int),
        low_depth=np.zeros(len(REFERENCE), int),
    )


def calls(candidates: Candidates, probabilities: list[list[float]], ploidy: int = 2) -> list:
    return site_calls(candidates, np.array(probabilities, float), lambda start, end: REFERENCE[start:end], ploidy)


def test_a_heterozygous_snv() -> None:
    """P(0/1) = 0.999: GQ 30; P(0/0) = 0.0009: QUAL 30.46. PL without the prior 1, 1/3000, 1/6000 of one base's change: 0/0 is
    0.999 x 3000 / 0.0009 times less likely, 65.2 phred, 1/1 0.999 x 3000 / (0.0001 x 6000) times, 37.0."""
    (site,) = calls(made([(5, SNV, 1, "T")], [(9, 11, 0)]), [[0.0009, 0.999, 0.0001]])
    assert (site.position, site.alleles, site.genotype) == (5, ("C", "T"), (0, 1))
    assert (site.quality, site.genotype_quality, site.likelihoods) == (30.46, 30, (65, 0, 37))
    assert (site.depth, site.allele_depths, site.filters) == (20, (9, 11), ("PASS",))


def test_order_of_genotypes_is_that_of_the_vcf_specification() -> None:
    assert genotype_order(3, 2) == [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)]
    assert genotype_order(3, 1) == [(0,), (1,), (2,)]


def test_two_deletions_of_one_place_share_a_record() -> None:
    candidates = made([(12, DELETION, 1, ""), (12, DELETION, 2, "")], [(0, 8, 9), (0, 9, 8)])
    (site,) = calls(candidates, [[0.001, 0.998, 0.001], [0.001, 0.998, 0.001]])
    assert site.alleles == ("GTT", "GT", "G")
    assert site.genotype == (1, 2)
    assert site.allele_depths == (0, 8, 9)
    assert len(site.likelihoods) == 6
    assert site.likelihoods[4] == 0
    # 1/2: .998^2; 0/1 with p2(0) = .001: 10 log10(.998/.001) = 30, and 40 as the prior expects a second deletion in 1 of 10,000
    assert site.likelihoods[1] == 70
    # 0/0: both alleles so. QUAL ends at 100 phred, PL do not
    assert site.likelihoods[0] == 140


def test_pl_reach_beyond_the_highest_quality() -> None:
    """P(0/0) of nothing counts as 1e-10, QUAL 100; its PL is 100 + 37.8 against 1/1, whose prior is 1/6000."""
    (site,) = calls(made([(5, SNV, 1, "T")], [(0, 40, 0)]), [[0.0, 0.0001, 0.9999]])
    assert (site.genotype, site.quality, site.likelihoods[0]) == ((1, 1), 100.0, 138)


def test_an_insertion_and_a_deletion_of_one_place_share_a_record() -> None:
    candidates = made([(12, INSERTION, 0, "T"), (12, DELETION, 2, "")], [(0, 8, 0), (0, 9, 0)])
    (site,) = calls(candidates, [[0.01, 0.98, 0.01], [0.01, 0.98, 0.01]])
    assert site.alleles == ("GTT", "GTTT", "G")


def test_an_snv_and_a_deletion_after_it_are_two_records_in_order() -> None:
    candidates = made([(12, DELETION, 1, ""), (12, SNV, 1, "A")], [(9, 9, 0), (9, 9, 0)])
    first, second = calls(candidates, [[0.01, 0.98, 0.01], [0.01, 0.98, 0.01]])
    assert (first.alleles, second.alleles) == (("G", "A"), ("GT", "G"))


def test_an_allele_that_is_not_there_is_left_out_of_the_record() -> None:
    candidates = made([(12, DELETION, 1, ""), (12, DELETION, 2, "")], [(9, 10, 2), (19, 2, 0)])
    (site,) = calls(candidates, [[0.001, 0.998, 0.001], [0.99, 0.009, 0.001]])
    assert site.alleles == ("GT", "G")
    assert site.genotype == (0, 1)


def test_a_candidate_judged_reference_stays_as_refcall_unless_one_read_alone_shows_it() -> None:
    (site,) = calls(made([(5, SNV, 1, "T")], [(20, 2, 0)]), [[0.999, 0.0009, 0.0001]])
    assert (site.genotype, site.filters, site.genotype_quality) == ((0, 0), ("RefCall",), 30)
    assert calls(made([(5, SNV, 1, "T")], [(20, 1, 0)]), [[0.999, 0.0009, 0.0001]]) == []


def test_filters() -> None:
    (few,) = calls(made([(5, SNV, 1, "T")], [(0, 1, 0)]), [[0.01, 0.09, 0.9]])
    assert few.filters == ("LowDepth",)
    (two,) = calls(made([(5, SNV, 1, "T")], [(0, 2, 0)]), [[0.01, 0.09, 0.9]])
    assert two.filters == ("PASS",)
    for chance, wanted in ((0.68, "LowDepth"), (0.69, "PASS")):  # GQ 4.9 and 5.1
        (two,) = calls(made([(5, SNV, 1, "T")], [(0, 2, 0)]), [[0.01, 0.99 - chance, chance]])
        assert (two.genotype, two.filters) == ((1, 1), (wanted,))
        (three,) = calls(made([(5, SNV, 1, "T")], [(0, 3, 0)]), [[0.01, 0.99 - chance, chance]])
        assert three.filters == ("PASS",)
    unmapped = made([(5, SNV, 1, "T")], [(0, 1, 0)])
    unmapped.low_depth[5] = 30
    (low,) = calls(unmapped, [[0.01, 0.09, 0.9]])
    assert low.filters == ("LowMapQ",)
    (unsure,) = calls(made([(5, SNV, 1, "T")], [(9, 9, 0)]), [[0.3, 0.45, 0.25]])
    assert (unsure.filters, unsure.genotype_quality) == (("LowQual",), 2)


def test_one_copy_has_no_heterozygotes() -> None:
    """P(0) = .2, P(2) = .3 of two copies: one copy 0.2 / 0.5 and 0.3 / 0.5. PL: 0.6 x 6000 / 0.4 is 39.5 phred."""
    (site,) = calls(made([(5, SNV, 1, "T")], [(4, 8, 0)]), [[0.2, 0.5, 0.3]], ploidy=1)
    assert site.genotype == (1,)
    assert site.likelihoods == (40, 0)
    assert site.quality == pytest.approx(3.98, abs=0.01)


def test_plain_probabilities_by_hand() -> None:
    """SNV: prior 1, 1/3000, 1/6000; 40 phred against the reference, 0 for one copy, 20 against two."""
    (row,) = plain_probabilities(made([(5, SNV, 1, "T")], [(9, 9, 0)], [[40, 0, 20]]))
    weights = np.array([1e-4, 1 / 3000, 1e-2 / 6000])
    assert row.tolist() == pytest.approx((weights / weights.sum()).tolist(), rel=5e-3)


def test_reference_quality_is_three_per_read_and_falls_with_other_bases() -> None:
    depth, other = np.array([0, 1, 10, 50, 10, 2]), np.array([0, 0, 0, 0, 1, 1])
    assert reference_quality(depth, other).tolist() == [0, 3, 30, 99, 7, 0]
