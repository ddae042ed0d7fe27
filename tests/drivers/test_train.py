"""Training: folds, labels, monotone trees, a model folder that loads, and evaluation by hand."""

import json
from dataclasses import replace

import numpy as np
import pandas
import pytest
from made_cohorts import ASSETS, LAML, simulated, with_drivers

from strandwise.drivers.evaluate import Truth, average_precision, bootstrap_interval, metrics
from strandwise.drivers.evidence import GENE_COLUMNS, evidence
from strandwise.drivers.mutations import SILENT
from strandwise.drivers.neutral import relabelled
from strandwise.drivers.ranker import LINEAR_SHARE, load_ranker
from strandwise.drivers.train import (
    COLUMNS,
    FREE,
    LINEAR_COLUMNS,
    SEEN_BY_HALF,
    cohort_files,
    fit,
    fit_boosters,
    gene_fold,
    train,
    training_rows,
)
from strandwise.errors import InputError
from strandwise.models.card import load_card


def test_folds_are_the_md5_of_the_symbol():
    import hashlib

    assert gene_fold("TP53") == int(hashlib.md5(b"TP53").hexdigest(), 16) % 5
    assert {gene_fold(f"G{n}") for n in range(60)} == set(range(5))


def test_training_makes_a_folder_that_ranks(tmp_path):
    cohorts = tmp_path / "cohorts"
    cohorts.mkdir()
    (cohorts / "LAML.maf.tsv.gz").write_bytes(LAML.read_bytes())
    (cohorts / "OTHER.maf.tsv.gz").write_bytes(LAML.read_bytes())
    labels = tmp_path / "labels.tsv"
    labels.write_text(
        "tcga_code\tgene\n" + "".join(f"LAML\t{g}\n" for g in ("FLT3", "NPM1", "DNMT3A", "IDH1", "TP53", "TET2"))
    )
    train(cohorts, labels, ASSETS / "genes", tmp_path / "model", ["OTHER"], "mine", "0.1")
    card = load_card(tmp_path / "model", "drivers")
    assert card.model_version == "mine 0.1"
    assert card.details["trained_on"]["cohorts"] == ["LAML"] and card.details["trained_on"]["drivers"] == 6
    assert load_ranker(tmp_path / "model").mixture.columns == COLUMNS
    assert json.loads((tmp_path / "model" / "columns.json").read_text()) == COLUMNS
    with pytest.raises(InputError, match="no driver genes for cohort OTHER"):
        train(cohorts, labels, ASSETS / "genes", tmp_path / "model", [], "mine", "0.1")


@pytest.fixture(scope="module")
def fitted():
    made, names = with_drivers(simulated(200, 40, 4), 20, 0.08, 4)
    rows = training_rows("X", evidence(made), {"X": set(names)})
    return fit(rows, seeds=(1,)), rows


def test_more_evidence_never_lowers_the_score(fitted):
    mixture, rows = fitted
    few = rows.sample(300, random_state=1)
    before = mixture.score(few)
    for name in COLUMNS:
        if name not in FREE:
            assert (mixture.score(few.assign(**{name: few[name] + 2})) >= before - 1e-6).all(), name


def test_the_linear_model_is_the_optimum_of_its_penalised_likelihood(fitted):
    mixture, rows = fitted
    linear = mixture.linear
    assert linear.columns == LINEAR_COLUMNS and linear.parts(rows).shape == (len(rows), len(LINEAR_COLUMNS))
    assert all(slope >= 0 for name, slope in zip(linear.columns, linear.slopes, strict=True) if name not in FREE)
    # the base is free, so that fitted and seen drivers are as many
    assert (1 / (1 + np.exp(-linear.log_odds(rows)))).sum() == pytest.approx(rows["elsewhere"].sum(), rel=0.01)


def test_trees_know_covariates_by_class_and_half_of_them_fewer():
    assert not set(GENE_COLUMNS) & set(COLUMNS) and set(SEEN_BY_HALF) < set(COLUMNS)
    rows = training_rows("X", evidence(simulated(100, 40, 4)), {"X": set()})
    rows["label"] = rows["HiC_compartment_class"] > 0  # nothing else tells them apart so well
    used = [{COLUMNS[int(name[1:])] for name in booster.get_score()} for booster in fit_boosters(rows, seeds=(1, 2))]
    assert not used[0] & set(SEEN_BY_HALF) and used[1] & set(SEEN_BY_HALF)


def test_lines_add_up_and_both_models_have_their_share(fitted):
    mixture, rows = fitted
    lines, base = mixture.reasons(rows.head(50))
    np.testing.assert_allclose(lines.sum(axis=1) + base, mixture.score(rows.head(50)), atol=1e-3)
    moved = replace(mixture, linear=replace(mixture.linear, base=mixture.linear.base + 1))
    np.testing.assert_allclose(moved.score(rows) - mixture.score(rows), LINEAR_SHARE)


def test_a_table_of_cohorts_and_a_folder_without_mafs(tmp_path):
    (tmp_path / "c.tsv").write_text("cohort\tmaf\nX\tx.maf\n")
    assert cohort_files(tmp_path / "c.tsv") == {"X": tmp_path / "x.maf"}
    with pytest.raises(InputError, match="no file named CODE"):
        cohort_files(tmp_path)


def test_average_precision_and_precision_by_hand():
    # hits at ranks 1, 3 and 4: (1/1 + 2/3 + 3/4) / 3
    assert average_precision(np.array([True, False, True, True, False])) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    truth = Truth({"X": {"A", "C"}}, {"A", "B", "C"}, {"B"})
    found = metrics([*"ABCDEFGHIJ"], "X", truth)
    assert found["p10"] == pytest.approx(0.3) and found["ap_type"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["p20_elsewhere"] == pytest.approx(1 / 20)


def test_bootstrap_interval_of_a_constant_and_of_a_spread():
    assert bootstrap_interval(np.full(20, 0.3)) == pytest.approx((0.3, 0.3))
    low, high = bootstrap_interval(np.arange(20) / 20)
    assert low < 0.475 < high and high - low == pytest.approx(2 * 1.96 * np.std(np.arange(20) / 20) / 20**0.5, rel=0.1)


def test_relabelled_cohorts_hold_silent_places_only():
    cohort = simulated(50, 40, 9)
    made = relabelled(cohort, np.random.default_rng(1))
    silent = cohort.effect == SILENT
    assert len(made.gene) == silent.sum()
    np.testing.assert_array_equal(made.site, cohort.site[silent])
    assert (made.effect == SILENT).mean() == pytest.approx(silent.mean(), abs=0.05)
    assert isinstance(made.features, pandas.DataFrame)
