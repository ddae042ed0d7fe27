"""The whole job: real drivers first, neutral cohorts quiet, planted genes found, names without meaning, bad input in one line."""

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_cohorts import ASSETS, LAML, MODEL, simulated, with_drivers

from strandwise.drivers import neutral
from strandwise.drivers.evaluate import gene_p_values
from strandwise.drivers.evidence import evidence
from strandwise.drivers.neutral import benjamini_hochberg
from strandwise.drivers.rank import rank
from strandwise.drivers.ranker import load_ranker
from strandwise.drivers.tables import (
    DRIVER_CALIBRATION,
    DRIVER_GENES,
    DRIVER_MUTATIONS,
    DRIVER_REASONS,
    GENE_PAIRS,
    ONCOPLOT,
)
from strandwise.errors import InputError
from strandwise.formats.genes import read_symbols
from strandwise.formats.notes import read_notes
from strandwise.formats.tables import read_table

GENES = ASSETS / "genes"


def run(maf: Path, folder: Path, gene_features: Path | None = None, prior: bool = False):
    folder.mkdir(exist_ok=True)
    rank(
        [maf],
        MODEL,
        GENES,
        gene_features,
        None,
        prior,
        folder / "driver_genes.tsv",
        folder / "drivers.json",
        folder / "drivers.notes.json",
    )
    return read_table(DRIVER_GENES, folder / "driver_genes.tsv")


@pytest.fixture(scope="module")
def laml_results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laml")
    return run(LAML, folder), folder


def rows_of(path):
    with gzip.open(path, "rt") as stream:
        return list(csv.reader(stream, delimiter="\t"))


def test_leukaemia_genes_come_first_though_the_weights_never_saw_them(laml_results):
    table, _ = laml_results
    assert set(table["gene"].head(10)) >= {"DNMT3A", "FLT3", "IDH1", "IDH2", "TP53", "RUNX1"}
    assert (table["q_value"].head(15) < 0.1).all()
    assert table["rank"].tolist() == list(range(1, len(table) + 1))


def test_rank_p_and_q_follow_the_score(laml_results):
    table, _ = laml_results
    assert table["score"].is_monotonic_decreasing
    assert table["p_value"].is_monotonic_increasing and table["q_value"].is_monotonic_increasing
    q = benjamini_hochberg(table["p_value"].to_numpy())
    np.testing.assert_allclose(q, table["q_value"], rtol=1e-4)


def test_counts_are_those_of_the_maf(laml_results):
    table, _ = laml_results
    rows = [row for row in rows_of(LAML)[1:] if row[0] == "IDH1"]
    idh1 = table.set_index("gene").loc["IDH1"]
    assert idh1["n_samples"] == len({row[8] for row in rows if row[6] != "Silent"})
    assert idh1["n_missense"] == len({(row[8], row[2]) for row in rows if row[6] == "Missense_Mutation"})
    assert idh1["top_hotspot"] == f"R132 ({idh1['n_samples']})"


def test_shap_lines_add_up_to_the_score(laml_results):
    table, folder = laml_results
    reasons = read_table(DRIVER_REASONS, folder / "driver_reasons.tsv")
    lines = reasons.drop(columns=["gene", "rank", "model_version"]).sum(axis=1)
    np.testing.assert_allclose(lines, table["score"].head(len(reasons)), atol=1e-3)


def test_the_other_tables_and_pages_are_there(laml_results):
    table, folder = laml_results
    significant = set(table.loc[table["q_value"] < 0.1, "gene"])
    likely = read_table(DRIVER_MUTATIONS, folder / "driver_mutations.tsv")
    assert set(likely["gene"]) <= significant
    hotspot = likely[(likely["gene"] == "IDH1") & (likely["protein_change"] == "p.R132H")]
    assert len(hotspot) and hotspot["why"].str.contains("its codon is hit in 18 samples").all()
    assert set(read_table(ONCOPLOT, folder / "oncoplot.tsv")["gene"]) <= significant
    assert len(read_table(GENE_PAIRS, folder / "gene_pairs.tsv")) == len(significant) * (len(significant) - 1) / 2
    page = (folder / "genes" / "DNMT3A.html").read_text()
    assert "p.R882H" in page and page.count("TCGA-") > 10 and "expected without selection" in page
    assert "R882" in page and "<script" not in page and "http" not in page
    facts = json.loads((folder / "drivers.json").read_text())
    assert facts["samples"] == 193 and facts["build"] == "GRCh37" and facts["genes_below_q"] == len(significant)


@pytest.fixture
def few_neutral_cohorts(monkeypatch):
    """For what does not look at p-values."""
    monkeypatch.setattr(neutral, "NEUTRAL_COHORTS", (2, 2))


def test_ranking_is_the_same_when_all_genes_have_other_names_and_places(few_neutral_cohorts, tmp_path):
    features = rows_of(GENES / "gene_features.tsv.gz")
    current = {row[0] for row in features[1:] if row[0] == row[1]} & set(read_symbols(GENES).approved)
    number = {name: f"G{n:05d}" for n, name in enumerate(sorted({row[1] for row in features[1:]}))}
    maf = rows_of(LAML)
    known = [row for row in maf[1:] if row[0] in current]
    moved = [
        [number[row[0]], row[1], str(int(row[2]) + 6_999_999), str(int(row[3]) + 6_999_999), *row[4:]] for row in known
    ]
    other_features = [
        features[0],
        *([number[row[1]] + "_old" * (row[0] != row[1]), number[row[1]], *row[2:]] for row in features[1:]),
    ]
    for name, rows in (("a", [maf[0], *known]), ("b", [maf[0], *moved]), ("f", other_features)):
        (tmp_path / name).write_text("".join("\t".join(row) + "\n" for row in rows))
    before = run(tmp_path / "a", tmp_path / "before")
    after = run(tmp_path / "b", tmp_path / "after", tmp_path / "f")
    assert [number[gene] for gene in before["gene"].head(30)] == after["gene"].head(30).tolist()
    np.testing.assert_allclose(before["score"], after["score"], rtol=1e-3, atol=1e-3)


def test_neutral_cohorts_are_quiet_and_planted_genes_are_found():
    ranker = load_ranker(MODEL)
    quiet = simulated(300, 40, 1)
    tested, p = gene_p_values(quiet, evidence(quiet), ranker, 5)
    assert (benjamini_hochberg(p) < 0.1).sum() <= 1
    assert (p < 0.05).mean() < 0.07
    made, names = with_drivers(quiet, 20, 0.05, 3)
    tested, p = gene_p_values(made, evidence(made), ranker, 5)
    found = set(made.genes[tested][benjamini_hochberg(p) < 0.1])
    assert len(found & set(names)) >= 15
    assert len(found - set(names)) <= 2


def test_five_thousand_samples_without_selection_are_quiet(few_neutral_cohorts):
    quiet = simulated(5000, 8, 12)
    _, p = gene_p_values(quiet, evidence(quiet), load_ranker(MODEL), 5)
    assert (benjamini_hochberg(p) < 0.1).sum() <= 2


def test_what_other_cohorts_taught_is_a_rank_of_its_own(few_neutral_cohorts, laml_results, tmp_path):
    with_prior = run(LAML, tmp_path / "with", prior=True)
    without, folder = laml_results
    assert with_prior["gene"].tolist() == without["gene"].tolist()
    np.testing.assert_array_equal(with_prior["score"], without["score"])
    assert without["pancancer_rank"].isna().all()
    assert sorted(with_prior["pancancer_rank"]) == list(range(1, len(with_prior) + 1))
    kras = with_prior.set_index("gene").loc["KRAS"]
    assert kras["pancancer_rank"] < kras["rank"] and "hotspots of other cohorts" in kras["pancancer_why"]
    facts = json.loads((folder / "drivers.json").read_text())
    assert facts["calibration"]["genes_below_q"] <= 2 and set(facts["calibration"]["rates"]) == {
        "0.05",
        "0.01",
        "0.001",
    }
    curve = read_table(DRIVER_CALIBRATION, folder / "driver_calibration.tsv")
    assert set(curve["genes"]) == {"this cohort", "silent mutations, relabelled"}


def test_one_sample_claims_nothing(tmp_path):
    table = run(altered(tmp_path / "one.maf", lambda row: row[8] == "TCGA-AB-2802"), tmp_path / "one")
    assert (table["q_value"] >= 0.1).all()


def test_silent_mutations_alone_cannot_be_ranked(tmp_path):
    with pytest.raises(InputError, match="all mutations of known genes are silent"):
        run(altered(tmp_path / "silent.maf", lambda row: row[6] == "Silent"), tmp_path / "out")


def altered(path: Path, change) -> Path:
    rows = rows_of(LAML)
    kept = [rows[0], *(row for row in rows[1:] if change(row))]
    path.write_text("".join("\t".join(row) + "\n" for row in kept))
    return path


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("no_silent", lambda row: row[6] != "Silent", "0 silent mutations only"),
        ("no_indels", lambda row: row[7] == "SNP", "lie in their genes on GRCh37"),
        ("one_sample", lambda row: row[8] == "TCGA-AB-2802", "One sample"),
        (
            "panel",
            lambda row: row[0] in {"TP53", "KRAS", "NRAS", "FLT3", "KIT", "TET2", "WT1"},
            "targeted panel",
        ),
    ],
)
def test_poor_data_run_and_are_told(few_neutral_cohorts, tmp_path, name, change, said):
    table = run(altered(tmp_path / f"{name}.maf", change), tmp_path / name)
    texts = " ".join(note.text for note in read_notes(tmp_path / name / "drivers.notes.json"))
    assert said in texts
    if name == "no_indels":
        assert set(table["gene"].head(10)) >= {"DNMT3A", "IDH1", "IDH2"}


def test_mitochondrial_genes_are_left_out_and_y_genes_stay(few_neutral_cohorts, tmp_path):
    rows = rows_of(LAML)
    rows += [
        ["MT-ND1", "MT", str(3400 + n), str(3400 + n), "A", "G", "Missense_Mutation", "SNP", f"x{n}", ""]
        for n in range(30)
    ]
    rows += [["USP9Y", "chrY", "14821400", "14821400", "A", "G", "Missense_Mutation", "SNP", "x1", "p.A9V"]]
    (tmp_path / "a.maf").write_text("".join("\t".join(row) + "\n" for row in rows))
    table = run(tmp_path / "a.maf", tmp_path / "out")
    assert "MT-ND1" not in set(table["gene"]) and "USP9Y" in set(table["gene"])
    texts = " ".join(note.text for note in read_notes(tmp_path / "out" / "drivers.notes.json"))
    assert "30 mitochondrial mutations left out" in texts


def test_damaged_model_stops(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for path in MODEL.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    booster = next(folder.glob("*.ubj"))
    content = bytearray(booster.read_bytes())
    content[100] ^= 1
    booster.write_bytes(bytes(content))
    with pytest.raises(InputError, match="damaged"):
        load_ranker(folder)


def test_a_model_of_an_earlier_version_stops(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for path in MODEL.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    card = json.loads((folder / "card.json").read_text())
    del card["sha256"]["linear.json"]
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match="earlier version"):
        load_ranker(folder)


def test_the_script_says_one_line_and_leaves_with_65(tmp_path):
    maf = tmp_path / "a.maf"
    maf.write_text("TP53\t17\t7577120\n")
    script = Path(__file__).parents[2] / "bin" / "drivers.py"
    out = [f"--{name}={tmp_path / name}" for name in ("output", "summary", "notes")]
    done = subprocess.run(
        [sys.executable, script, "rank", "--maf", maf, "--model", MODEL, *out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 65
    assert done.stderr.startswith("error: a.maf: no header line") and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "output").exists()
