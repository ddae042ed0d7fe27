"""What other cohorts taught: rows by hand, hotspots by codon and residue, a rank of its own beside the default one."""

import numpy as np
import pandas
import pytest
from made_cohorts import MODEL, laml, made

from strandwise.drivers.evidence import evidence
from strandwise.drivers.prior import COLUMNS, HOTSPOT_SAMPLES, lessons, prior_table, read_prior, with_prior, write_prior

REST = [
    (["B", "C", "D"][n % 3], 50 * n, "silent" if n % 3 else "missense", f"s{n % 60}", f"p.L{1 + 13 * n % 900}F")
    for n in range(300)
]


def prior(*rows):
    return pandas.DataFrame(rows, columns=list(COLUMNS))


def test_a_cohort_teaches_its_hotspots_and_its_genes():
    cohort, _ = made([*REST, *(("A", 1000, "missense", f"s{n}", "p.R132H") for n in range(6))], "A B C D")
    table = lessons("X", cohort, evidence(cohort))
    hot = table[(table["gene"] == "A") & (table["codon"] == 132)]
    assert hot[["residue", "samples", "cohort"]].to_numpy().tolist() == [["R", 6, "X"]]
    assert table[(table["gene"] == "A") & (table["codon"] == 0)]["evidence"].item() > 4


def test_mutations_on_hotspots_of_others_raise_a_gene_and_the_same_elsewhere_do_not():
    rows = [*REST, ("A", 1000, "missense", "s1", "p.R132H"), ("E", 1000, "missense", "s1", "p.R50H")]
    cohort, _ = made(rows, "A B C D E")
    taught = prior_table(
        cohort, evidence(cohort),
        prior(("A", 132, "R", "X", 2, 0.0), ("A", 132, "R", "Y", 1, 0.0), ("E", 51, "R", "X", 9, 0.0), ("E", 50, "K", "X", 9, 0.0),
              ("B", 0, "", "X", 4, 9.0)),
    )  # fmt: skip
    assert HOTSPOT_SAMPLES == 3
    assert taught.loc["A", "on_hotspots"] == 1 and taught.loc["A", "hotspot"] > 2
    assert taught.loc["E", "on_hotspots"] == 0 and taught.loc["E", "added"] == 0
    assert taught.loc["B", "cohorts"] == 1 and taught.loc["B", "elsewhere"] == pytest.approx(np.log10(10.0))


def test_the_default_rank_stays_and_the_other_follows_its_score():
    table = pandas.DataFrame({"gene": ["A", "B", "C"], "rank": [1, 2, 3], "score": [3.0, 1.0, 0.5]})
    taught = pandas.DataFrame(
        {"added": [0.0, 0.0, 2.0], "on_hotspots": [0, 0, 1], "cohorts": [0, 0, 2]}, index=["A", "B", "C"]
    )
    both = with_prior(table, taught)
    assert both["rank"].tolist() == [1, 2, 3] and both["pancancer_rank"].tolist() == [1, 3, 2]
    assert both["pancancer_why"].astype(object).where(both["pancancer_why"].notna(), None).tolist() == [
        None,
        None,
        "1 sample on hotspots of other cohorts, evidence in 2 other cohorts",
    ]
    assert with_prior(table, None)["pancancer_rank"].isna().all()


def test_the_shipped_prior_holds_no_data_of_a_cohort_left_out():
    table = read_prior(MODEL)  # the model without LAML
    assert "LAML" not in set(table["cohort"]) and len(set(table["cohort"])) == 19
    assert {"IDH1", "PIK3CA"} <= set(table.loc[table["codon"] > 0, "gene"])


def test_a_prior_is_written_the_same_each_time(tmp_path):
    cohort = laml()
    rows = lessons("LAML", cohort, evidence(cohort))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_prior([rows], tmp_path / name)
    assert (tmp_path / "a" / "pancancer.tsv.gz").read_bytes() == (tmp_path / "b" / "pancancer.tsv.gz").read_bytes()
    assert len(read_prior(tmp_path / "a")) == len(rows)
