"""What other cohorts taught: hotspots and evidence seen elsewhere, added to a ranking as a column and rank of their own (--driver_prior)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strandwise.drivers.background import surprise
from strandwise.drivers.evidence import Evidence
from strandwise.drivers.mutations import AMINO_ACIDS, INFRAME, MISSENSE, START_STOP, Cohort
from strandwise.drivers.positions import sites_of
from strandwise.errors import InputError

if TYPE_CHECKING:
    import pandas

FILE = "pancancer.tsv.gz"
COLUMNS = ("gene", "codon", "residue", "cohort", "samples", "evidence")
# A gene is worth a row from this Fisher combination (-log10 p) on; more than MOST in one cohort says no more.
WORTH_A_ROW, MOST = 2.0, 20.0
# A codon is a known hotspot when so many samples of other cohorts hit it.
HOTSPOT_SAMPLES = 3
# Log odds per unit, by logistic regression on the score, gene and cohort held out (benchmarks/drivers/bench.py prior).
ELSEWHERE_WEIGHT, HOTSPOT_WEIGHT = 2.0, 0.4


def lessons(code: str, cohort: Cohort, found: Evidence) -> "pandas.DataFrame":
    """Rows of the prior that a cohort teaches: genes with evidence (codon 0), and codons hit in two samples or more."""
    import pandas

    combined = found.table["combined_excess"].to_numpy(float)
    strong = np.flatnonzero(found.tested & (combined >= WORTH_A_ROW))
    genes = pandas.DataFrame(
        {"gene": cohort.genes[strong], "codon": 0, "residue": "", "samples": np.expm1(found.table["samples"].to_numpy()[strong]).round(),
         "evidence": np.minimum(combined[strong], MOST).round(1)}
    )  # fmt: skip
    sites = sites_of(cohort, (MISSENSE, INFRAME, START_STOP))
    hot = np.flatnonzero((sites.hits >= 2) & (sites.codon > 0) & (sites.silent == 0))
    codons = pandas.DataFrame(
        {"gene": cohort.genes[sites.gene[hot]], "codon": sites.codon[hot], "residue": _letters(sites.residue[hot]),
         "samples": sites.hits[hot], "evidence": 0.0}
    )  # fmt: skip
    table = pandas.concat([genes, codons], ignore_index=True).assign(
        cohort=code, samples=lambda t: t["samples"].astype(int)
    )
    return table[list(COLUMNS)].sort_values(["gene", "codon"], kind="stable")


def write_prior(tables: list["pandas.DataFrame"], folder: Path) -> str:
    """Write the lessons of all cohorts into a model folder, the same bytes for the same lessons; returns the file's name."""
    import pandas

    table = pandas.concat(tables).sort_values(["gene", "codon", "cohort"], kind="stable")
    table.to_csv(folder / FILE, sep="\t", index=False, compression={"method": "gzip", "mtime": 0})
    return FILE


def read_prior(folder: Path) -> "pandas.DataFrame":
    """The lessons that lie with a model. Raises InputError when it has none."""
    import pandas

    if not (folder / FILE).is_file():
        raise InputError(
            f"{folder}: no {FILE}, which --driver_prior needs; train the model again, or leave the parameter out"
        )
    return pandas.read_csv(
        folder / FILE, sep="\t", dtype={"gene": str, "residue": str, "cohort": str}, keep_default_na=False
    )


def prior_table(cohort: Cohort, found: Evidence, prior: "pandas.DataFrame") -> "pandas.DataFrame":
    """Per gene of the cohort (index = cohort.genes) what other cohorts add.

    cohorts: in how many the gene had evidence; elsewhere: log10(1 + its sum); on_hotspots: samples with a mutation of a codon
    that is a hotspot elsewhere; hotspot: -log10 p of as many, if the gene's mutations fell on any codon; added: log odds of both.
    """
    import pandas

    number = {name: index for index, name in enumerate(cohort.genes)}
    prior = prior[prior["gene"].isin(number)]
    of_genes = prior[prior["codon"] == 0]
    gene = of_genes["gene"].map(number).to_numpy(int)
    cohorts = np.bincount(gene, minlength=cohort.n_genes)
    elsewhere = np.log10(1 + np.bincount(gene, of_genes["evidence"], minlength=cohort.n_genes))
    hot = prior[prior["codon"] > 0].groupby(["gene", "codon", "residue"], as_index=False)["samples"].sum()
    hot = hot[hot["samples"] >= HOTSPOT_SAMPLES]
    known = set(zip(hot["gene"].map(number), hot["codon"], hot["residue"], strict=True))
    sites = sites_of(cohort, (MISSENSE, INFRAME, START_STOP))
    places = zip(sites.gene.tolist(), sites.codon.tolist(), _letters(sites.residue), strict=True)
    on = np.array([place in known for place in places], bool)
    votes = np.bincount(sites.gene[on], sites.votes[on], minlength=cohort.n_genes)
    samples = np.bincount(sites.gene[on], sites.hits[on], minlength=cohort.n_genes)
    codons = np.bincount(hot["gene"].map(number).to_numpy(int), minlength=cohort.n_genes)
    expected = np.maximum(found.background.typical["missense"], 1e-6) * codons / cohort.codons
    hotspot = np.minimum(np.maximum(surprise(votes, np.maximum(expected, 1e-9), 1.0), 0), MOST)
    added = ELSEWHERE_WEIGHT * elsewhere + HOTSPOT_WEIGHT * hotspot
    columns = {"cohorts": cohorts, "elsewhere": elsewhere, "on_hotspots": samples, "hotspot": hotspot, "added": added}
    return pandas.DataFrame(columns, index=cohort.genes)


def with_prior(table: "pandas.DataFrame", taught: "pandas.DataFrame | None") -> "pandas.DataFrame":
    """The driver table with pancancer_score, pancancer_rank and pancancer_why, empty where no prior is asked for."""
    if taught is None:
        return table.assign(pancancer_score=np.nan, pancancer_rank=np.nan, pancancer_why=None)
    taught = taught.loc[table["gene"]]
    score = table["score"].to_numpy() + taught["added"].to_numpy()
    rank = np.empty(len(score), int)
    rank[np.lexsort((table["rank"], -score))] = np.arange(1, len(score) + 1)
    return table.assign(
        pancancer_score=score, pancancer_rank=rank, pancancer_why=[_words(row) for row in taught.to_dict("records")]
    )


def _words(row: Mapping[str, float]) -> str | None:
    parts = []
    if row["on_hotspots"]:
        parts.append(
            f"{row['on_hotspots']:.0f} sample{'s' if row['on_hotspots'] > 1 else ''} on hotspots of other cohorts"
        )
    if row["cohorts"]:
        parts.append(f"evidence in {row['cohorts']:.0f} other cohort{'s' if row['cohorts'] > 1 else ''}")
    return ", ".join(parts) or None


def _letters(residue: np.ndarray) -> list[str]:
    return [AMINO_ACIDS[code] if code >= 0 else "" for code in residue.tolist()]
