"""The background: tail probabilities by hand, and rates that come back."""

import numpy as np
import pytest

from strandwise.drivers.background import fit_counts, tail


def test_tail_of_the_negative_binomial_by_hand():
    # shape 1 is the geometric distribution: P(X >= n) = (mean / (1 + mean))^n
    assert tail(np.array([0.0, 1.0, 3.0]), np.array(1.0), 1.0) == pytest.approx([1.0, 0.5, 0.125])
    # shape 2, mean 2: P(X = 0) = (2/4)^2, so P(X >= 1) = 0.75; P(X = 1) = 2 x 0.25 x 0.5, so P(X >= 2) = 0.5
    assert tail(np.array([1.0, 2.0]), np.array(2.0), 2.0) == pytest.approx([0.75, 0.5])


def test_weighted_counts_lie_between_whole_ones():
    p = tail(np.array([2.0, 2.5, 3.0]), np.array(0.5), 5.0)
    assert p[0] > p[1] > p[2]


def test_regression_finds_rate_covariate_and_dispersion():
    rng = np.random.default_rng(1)
    n = 8000
    log_length, covariate = rng.normal(0, 0.8, n), rng.normal(0, 1, n)
    mean = 2.0 * np.exp(log_length + 0.4 * covariate)
    count = rng.poisson(mean * rng.gamma(3.0, 1 / 3.0, n))
    fitted, shape = fit_counts(count.astype(float), np.column_stack([log_length, covariate]), np.ones(n, bool))
    assert np.median(fitted / mean) == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(np.log(fitted), np.log(mean))[0, 1] > 0.999
    assert 2.3 < shape < 4.0


def test_no_mutations_of_a_kind_give_no_expectation():
    mean, _ = fit_counts(np.zeros(50), np.zeros((50, 1)), np.ones(50, bool))
    assert (mean == 0).all()
