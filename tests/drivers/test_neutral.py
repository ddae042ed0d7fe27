"""Neutral cohorts, p-values and q-values."""

import numpy as np
import pytest

from strandwise.drivers.neutral import TAIL_SIZE, _urn, benjamini_hochberg, p_values


def test_q_values_by_hand():
    # sorted p x 4 / rank: .04, .06, .0533, .8; each then the smallest of those behind it
    assert benjamini_hochberg(np.array([0.03, 0.01, 0.8, 0.04])) == pytest.approx([0.16 / 3, 0.04, 0.8, 0.16 / 3])


def test_p_is_the_share_of_neutral_scores_at_least_as_large():
    neutral = np.arange(1, 100, dtype=float)  # too few for a tail of its own
    assert p_values(np.array([50.0, 99.0, 200.0, 0.0]), neutral) == pytest.approx([51 / 100, 2 / 100, 1 / 100, 1.0])


def test_the_tail_of_exponential_scores_is_continued():
    rng = np.random.default_rng(3)
    neutral = rng.exponential(1.0, 100_000)
    p = p_values(np.array([np.log(100_000), np.log(10_000_000)]), neutral)
    assert p[0] == pytest.approx(1e-5, rel=0.4)
    assert p[1] == pytest.approx(1e-7, rel=0.8)


def test_p_falls_with_the_score_also_where_the_tail_begins():
    neutral = np.random.default_rng(4).normal(size=50_000)
    scores = np.linspace(-4, 8, 500)
    assert (np.diff(p_values(scores, neutral)) <= 1e-12).all()
    assert TAIL_SIZE < 50_000 / 20


def test_urn_repeats_codons_as_gamma_rates_do():
    # two mutations in a gene of L codons with rates of shape k meet with probability (1 + 1/k) / (L + 1/k), here 2 / 101
    genes = np.repeat(np.arange(40_000), 2)
    codon = _urn(genes, np.full(40_000, 100.0), 1.0, np.random.default_rng(5)).reshape(-1, 2)
    assert (codon[:, 0] == codon[:, 1]).mean() == pytest.approx(2 / 101, abs=0.002)
    assert codon.min() == 1 and codon.max() == 100
