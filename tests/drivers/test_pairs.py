"""Pairs of genes: the Poisson-binomial by hand, exclusive and joint genes."""

import numpy as np
import pytest

from strandwise.drivers.pairs import hit_chances, tails


def test_tails_of_three_events_by_hand():
    # chances 1/2, 1/2, 1/4: P(0) = 3/16, P(1) = 7/16, P(2) = 5/16, P(3) = 1/16
    fewer, more = tails(np.array([0.5, 0.5, 0.25]), 1)
    assert fewer == pytest.approx(10 / 16) and more == pytest.approx(13 / 16)
    fewer, more = tails(np.array([0.5, 0.5, 0.25]), 3)
    assert fewer == pytest.approx(1.0) and more == pytest.approx(1 / 16)


def test_normal_approximation_continues_the_exact_one():
    chance = np.full(400, 0.148)  # mean 59.2: exact below 60, approximate above
    assert tails(chance, 60)[1] == pytest.approx(tails(chance, 61)[1] + 0.056, abs=0.01)


def test_chances_sum_to_the_hits_and_follow_the_burden():
    matrix = np.zeros((1, 100), bool)
    matrix[0, :10] = True
    chance = hit_chances(matrix, np.r_[np.full(50, 20.0), np.full(50, 80.0)])
    assert chance.sum() == pytest.approx(10, abs=1e-6)
    assert chance[0, 99] / chance[0, 0] == pytest.approx(2.0, rel=0.12)  # root of four times the burden, as odds
