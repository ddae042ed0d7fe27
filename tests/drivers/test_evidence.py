"""Lines of evidence: numbers by hand, and that each grows with its own signal."""

import numpy as np
import pytest
from made_cohorts import laml, made, simulated

from strandwise.drivers.evidence import _combined, evidence, impact_table
from strandwise.drivers.mutations import AMINO_ACIDS, MISSENSE, SILENT, SUBSTITUTIONS
from strandwise.drivers.positions import change_rates, residue_rates, sites_of


def test_fishers_combination_by_hand():
    # two p of 0.1: statistic 4 ln 10 = 9.21, P = exp(-4.605) (1 + 4.605) = 0.0561
    assert _combined(np.array([1.0]), np.array([1.0]))[0] == pytest.approx(-np.log10(0.01 * (1 + np.log(100))))
    assert _combined(np.array([0.0]), np.array([0.0]))[0] == pytest.approx(0.0)


def test_impact_is_larger_for_stranger_changes():
    table = impact_table()

    def impact(change):
        return table[AMINO_ACIDS.index(change[0]), AMINO_ACIDS.index(change[1])]

    assert impact("IV") < impact("IN") < impact("WD")
    assert impact("LP") > impact("LM")


def test_residue_rates_follow_the_mutations():
    rng = np.random.default_rng(2)
    rows = [
        ("A", 10 * n, "missense", f"s{n % 50}", f"p.R{n + 1}H" if rng.random() < 0.5 else f"p.L{n + 1}F")
        for n in range(600)
    ]
    rates = residue_rates(made(rows)[0])
    assert rates[AMINO_ACIDS.index("R")] > 5 > rates[AMINO_ACIDS.index("L")] > 1 > rates[AMINO_ACIDS.index("A")]


def test_a_hotspot_is_more_than_the_same_mutations_spread_out():
    background = [
        (
            ["B", "C", "D", "E", "F"][n % 5],
            50 * n,
            "silent" if n % 3 else "missense",
            f"s{n % 60}",
            f"p.L{1 + 13 * n % 900}F",
        )
        for n in range(600)
    ]
    one_codon = [("A", 1000, "missense", f"s{n}", "p.R132H") for n in range(12)]
    spread = [("A", 1000 + 60 * n, "missense", f"s{n}", f"p.R{132 + 60 * n}H") for n in range(12)]
    truncating = [("A", 1000 + 60 * n, "nonsense", f"s{n}", f"p.R{132 + 60 * n}*") for n in range(12)]
    genes = "A B C D E F"
    close = [("A", 1000 + 6 * n, "missense", f"s{n}", f"p.R{132 + 2 * n}H") for n in range(12)]
    hot, even, cut, dense = (
        evidence(made(background + rows, genes)[0]).table.loc["A"] for rows in (one_codon, spread, truncating, close)
    )
    assert hot["hotspot"] > 8 and even["hotspot"] == 0
    assert dense["cluster"] > 5 > even["cluster"] and dense["hotspot"] == 0
    assert cut["truncating_excess"] > 4 > even["truncating_excess"]
    assert cut["truncation_bias"] > 4 > even["truncation_bias"]
    assert even["missense_excess"] == pytest.approx(hot["missense_excess"], rel=0.2)


def test_evidence_does_not_depend_on_names():
    cohort = laml()
    before = evidence(cohort).table
    renamed = type(cohort)(
        **{**vars(cohort), "genes": np.array([f"G{n:05d}" for n in range(cohort.n_genes)], dtype=object)}
    )
    after = evidence(renamed).table
    np.testing.assert_array_equal(before.to_numpy(), after.to_numpy())


def test_real_drivers_stand_out_and_neutral_tails_are_uniform():
    table = evidence(laml()).table
    assert set(table["combined_excess"].nlargest(10).index) >= {
        "DNMT3A",
        "IDH1",
        "IDH2",
        "NPM1",
        "FLT3",
        "TP53",
        "RUNX1",
    }
    found = evidence(simulated(200, 100, 7))
    p = 10.0 ** -found.table["nonsilent_typical_excess"].to_numpy()
    for level in (0.05, 0.01):
        # discrete: at most the level, by a margin of three standard errors
        assert (p <= level).mean() <= level + 3 * np.sqrt(level / len(p))


def test_silent_mutations_at_a_codon_take_its_hotspot_away():
    cohort = simulated(200, 40, 8)
    missense, silent = (np.flatnonzero(cohort.effect == effect) for effect in (MISSENSE, SILENT))
    gene = int(cohort.gene[missense[0]])

    def hotspot(members):
        arrays = {name: getattr(cohort, name).copy() for name in ("gene", "codon", "site")}
        for values in arrays.values():
            values[members] = values[missense[0]]
        return evidence(type(cohort)(**{**vars(cohort), **arrays})).table.iloc[gene]

    alone, beside = hotspot(missense[:500:100]), hotspot([*missense[:500:100], *silent[:300:100]])
    assert alone["hotspot"] > 4 and beside["hotspot"] < alone["hotspot"] - 1.5


def test_sites_count_samples_and_changes():
    rows = [
        ("A", 100, "missense", "s1", "p.R34H"),
        ("A", 101, "missense", "s2", "p.R34H"),
        ("A", 101, "silent", "s3", "p.R34R"),
    ]
    sites = sites_of(made(rows)[0], (MISSENSE,))
    assert sites.hits.tolist() == [2] and sites.silent.tolist() == [1]
    assert [SUBSTITUTIONS[kind] for kind in sites.change_kind] == ["C>T G>A"] and sites.change_hits.tolist() == [2]


def test_a_change_is_measured_by_its_residue_and_kind():
    rows = [("A", 10 * n, "missense", f"s{n % 50}", f"p.R{n + 1}H" if n % 2 else f"p.V{n + 1}E") for n in range(600)]
    rates = change_rates(made(rows)[0])
    kind = next(n for n, pair in enumerate(SUBSTITUTIONS) if "C>T" in pair)
    # half of all changes on 5.6 % and 6 % of residues
    assert rates[AMINO_ACIDS.index("R"), kind] == pytest.approx(0.5 / 0.056, rel=0.1)
    assert rates[AMINO_ACIDS.index("V"), kind] == pytest.approx(0.5 / 0.06, rel=0.1)
    assert rates[AMINO_ACIDS.index("A"), kind] < 0.1 and rates[AMINO_ACIDS.index("R"), (kind + 1) % 6] < 0.1
