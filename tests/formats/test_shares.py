"""Intervals of shares, against published values."""

import pytest

from strandwise.formats.shares import share_interval


def test_wilson_interval_of_newcombe() -> None:
    """81 of 263: 0.2553 to 0.3662; 15 of 148: 0.0624 to 0.1605 (Newcombe 1998, Statistics in Medicine 17:857, table I)."""
    assert share_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert share_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_none_all_and_nothing() -> None:
    """0 of 20: 0 to 0.1611 (the same table); all is its mirror; nothing says nothing."""
    assert share_interval(0, 20) == (0.0, pytest.approx(0.1611, abs=5e-5))
    assert share_interval(20, 20) == (pytest.approx(0.8389, abs=5e-5), 1.0)
    assert share_interval(0, 0) == (0.0, 1.0)
