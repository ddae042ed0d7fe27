"""Pairs of driver genes: distributions by hand, and that a sample's burden explains what it should."""

import numpy as np
import pytest
from made_cohorts import made

from strandwise.drivers.pairs import gene_pairs, joint_hits, strata_of


def test_one_stratum_is_fishers_exact_test():
    # 4 samples, 2 with each gene: both in 0, 1, 2 of them with chance 1/6, 4/6, 1/6
    first, second = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    probability, mean = joint_hits(first, second, np.zeros(4))
    assert probability == pytest.approx([1 / 6, 4 / 6, 1 / 6]) and mean == pytest.approx(1.0)


def test_strata_are_convolved():
    first, second = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    probability, mean = joint_hits(np.tile(first, 2), np.tile(second, 2), np.repeat([0, 1], 4))
    assert probability == pytest.approx(
        np.convolve([1 / 6, 4 / 6, 1 / 6], [1 / 6, 4 / 6, 1 / 6])
    ) and mean == pytest.approx(2.0)


def test_strata_hold_burdens_within_a_factor_of_two():
    assert strata_of(np.array([0, 1, 2, 3, 4, 7, 8, 1000])).tolist() == [0, 0, 1, 1, 2, 2, 3, 9]


def rows_with(hits: dict[str, list[int]], burden: dict[int, int]) -> list[tuple]:
    rows = [(gene, 100 * n, "missense", f"s{n}", f"p.R{n + 1}H") for gene, samples in hits.items() for n in samples]
    return rows + [
        ("Z", 10_000 + 50 * (100 * n + k), "missense", f"s{n}", "") for n, more in burden.items() for k in range(more)
    ]


def test_genes_that_exclude_each_other_and_genes_that_go_together():
    hits = {"A": [*range(30)], "B": [*range(30, 60)], "C": [*range(28)]}
    cohort, _ = made(rows_with(hits, dict.fromkeys(range(100), 2)), "A B C Z", 90_000)
    pairs = gene_pairs(cohort, ["A", "B", "C"]).set_index(["gene", "other_gene"])
    assert pairs.loc[("A", "B"), "kind"] == "exclusive" and pairs.loc[("A", "B"), "q_value"] < 0.001
    assert pairs.loc[("A", "C"), "kind"] == "together" and pairs.loc[("A", "C"), "n_both"] == 28
    assert (pairs["q_value"] < 0.001).all()


def test_busy_samples_explain_genes_that_meet_in_them():
    # twenty busy samples have most mutations of everything, eighty quiet ones few
    rng = np.random.default_rng(3)
    hits = {
        name: [*rng.choice(20, 14, replace=False), *rng.choice(range(20, 100), 4, replace=False)] for name in "ABCD"
    }
    cohort, _ = made(rows_with(hits, {n: 70 if n < 20 else 1 for n in range(100)}), "A B C D Z", 90_000)
    assert (gene_pairs(cohort, [*"ABCD"])["q_value"] > 0.1).all()
