"""Neutral cohorts, p-values and q-values."""

import numpy as np
import pytest
from made_cohorts import MODEL, laml, made, simulated

from strandwise.drivers.evidence import evidence
from strandwise.drivers.mutations import SILENT
from strandwise.drivers.neutral import (
    CLUMPS,
    TAIL_SIZE,
    Neutral,
    _urn,
    benjamini_hochberg,
    calibration,
    clumps,
    p_values,
    tail_share,
    with_clumps,
)
from strandwise.drivers.ranker import load_ranker


def test_q_values_by_hand():
    # sorted p x 4 / rank: .04, .06, .0533, .8; each then the smallest of those behind it
    assert benjamini_hochberg(np.array([0.03, 0.01, 0.8, 0.04])) == pytest.approx([0.16 / 3, 0.04, 0.8, 0.16 / 3])


def test_p_is_the_share_of_neutral_scores_at_least_as_large():
    neutral = np.arange(1, 100, dtype=float)  # too few for a tail of its own
    assert tail_share(np.array([50.0, 99.0, 200.0, 0.0]), neutral) == pytest.approx([51 / 100, 2 / 100, 1 / 100, 1.0])


def test_the_tail_of_exponential_scores_is_continued():
    rng = np.random.default_rng(3)
    neutral = rng.exponential(1.0, 100_000)
    p = tail_share(np.array([np.log(100_000), np.log(10_000_000)]), neutral)
    assert p[0] == pytest.approx(1e-5, rel=0.4)
    assert p[1] == pytest.approx(1e-7, rel=0.8)


def test_p_falls_with_the_score_also_where_the_tail_begins():
    neutral = np.random.default_rng(4).normal(size=50_000)
    scores = np.linspace(-4, 8, 500)
    assert (np.diff(tail_share(scores, neutral)) <= 1e-12).all()
    assert TAIL_SIZE < 50_000 / 20


def test_urn_repeats_codons_as_gamma_rates_do():
    # two mutations in a gene of L codons with rates of shape k meet with probability (1 + 1/k) / (L + 1/k), here 2 / 101
    genes = np.repeat(np.arange(40_000), 2)
    codon = _urn(genes, np.full(40_000, 100.0), 1.0, np.random.default_rng(5)).reshape(-1, 2)
    assert (codon[:, 0] == codon[:, 1]).mean() == pytest.approx(2 / 101, abs=0.002)
    assert codon.min() == 1 and codon.max() == 100


def test_clumped_genes_add_their_share_by_hand():
    plain, clumped = np.arange(1, 100, dtype=float), np.arange(101, 200, dtype=float)
    # 150: 1 of 100 plain (none is as large), 50 + 1 of 100 clumped, which one gene in ten is
    assert p_values(np.array([150.0]), Neutral(plain, [(0.1, clumped)])) == pytest.approx([0.01 + 0.1 * 0.51])
    # too few clumped scores to say anything
    assert p_values(np.array([150.0]), Neutral(plain, [(0.1, clumped[:5])])) == pytest.approx([0.01])


def test_sites_where_silent_mutations_recur_are_clumps():
    def cohort(*effects):
        rows = [
            ("A", 100, effect, f"s{n}", "p.L34L" if effect == "silent" else "p.L34F")
            for n, effect in enumerate(effects)
        ]
        return made([*rows, ("B", 5, "silent", "s9", "p.L2L")])[0]

    assert clumps(cohort("silent", "silent", "silent")).tolist() == [0, 1]
    assert clumps(cohort("silent", "missense", "missense")).tolist() == [0, 1]
    assert clumps(cohort("silent", "silent")).tolist() == clumps(cohort("silent", "missense")).tolist() == [1, 0]
    assert clumps(cohort("missense", "missense", "missense")).tolist() == [0, 0]
    assert clumps(cohort("silent", *["missense"] * 8)).tolist() == [
        0,
        0,
    ]  # a hotspot beside which one silent mutation lies


def test_clumps_gather_mutations_of_one_effect_at_one_place():
    cohort = simulated(60, 40, 2)
    source = np.arange(len(cohort.gene))
    hit = with_clumps(cohort, CLUMPS[-1][0], 5, np.random.default_rng(1), source)
    moved = np.flatnonzero(source != np.arange(len(source)))
    seeds, size = np.unique(source[moved], return_counts=True)
    assert len(seeds) == 5 and (size >= CLUMPS[-1][0] - 1).all()
    np.testing.assert_array_equal(cohort.effect[moved], cohort.effect[source[moved]])
    assert not (cohort.effect[moved] == SILENT).any() and hit[cohort.gene[seeds]].all()


def test_the_check_on_silent_mutations_is_quiet_and_says_when_it_cannot_be_made():
    ranker = load_ranker(MODEL)
    checked = calibration(laml(), ranker.score, 3)
    assert len(checked.p) > 300 and checked.below <= 2
    assert checked.rate(0.05) == pytest.approx((checked.p <= 0.05).mean() / 0.05) and checked.rate(0.05) < 1.6
    assert calibration(simulated(10, 20, 1), ranker.score, 3) is None


def test_artefacts_at_one_place_are_not_called():
    # paralogues that are mistaken for one another: few places, many samples, every effect that the codon allows, silent ones too
    rng = np.random.default_rng(6)
    quiet = simulated(300, 40, 6)
    order = rng.permutation(np.flatnonzero(quiet.effect != SILENT))
    gene, codon, site, effect = (getattr(quiet, name).copy() for name in ("gene", "codon", "site", "effect"))
    for number in range(12):
        members = order[number * 5 : number * 5 + 5]
        gene[members], codon[members], site[members] = gene[members[0]], codon[members[0]], site[members[0]]
        effect[members[:2]] = SILENT
    cohort = type(quiet)(**{**vars(quiet), "gene": gene, "codon": codon, "site": site, "effect": effect})
    found = evidence(cohort)
    ranker = load_ranker(MODEL)
    from strandwise.drivers.evaluate import gene_p_values

    _, p = gene_p_values(cohort, found, ranker, 5)
    assert (benjamini_hochberg(p) < 0.1).sum() <= 2
