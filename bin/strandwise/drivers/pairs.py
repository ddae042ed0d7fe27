"""Finds driver genes that are mutated together, or in different samples, more often than the samples' burdens explain."""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import hypergeom

from strandwise.drivers.mutations import EFFECTS, SILENT, Cohort
from strandwise.drivers.neutral import benjamini_hochberg
from strandwise.formats.maf import Maf

if TYPE_CHECKING:
    import pandas

MOST_GENES = 40


def sample_matrix(cohort: Cohort, genes: list[str]) -> np.ndarray:
    """Whether a sample has a non-silent mutation of each gene, bool (genes, samples)."""
    number = {name: row for row, name in enumerate(genes)}
    row = np.array([number.get(name, -1) for name in cohort.genes])
    chosen = (cohort.effect != SILENT) & (row[cohort.gene] >= 0)
    matrix = np.zeros((len(genes), cohort.n_samples), bool)
    matrix[row[cohort.gene[chosen]], cohort.sample[chosen]] = True
    return matrix


def strata_of(burden: np.ndarray) -> np.ndarray:
    """Stratum of each sample: samples whose burdens differ less than twofold, int."""
    return np.floor(np.log2(np.maximum(burden, 1))).astype(int)


def joint_hits(first: np.ndarray, second: np.ndarray, stratum: np.ndarray) -> tuple[np.ndarray, float]:
    """Distribution of the number of samples with both genes if they were independent within strata, and its mean.

    Given how many samples of a stratum have each gene, the joint ones are hypergeometric; strata are convolved (the exact form of
    Mantel & Haenszel's test). first, second: bool (samples,). Returns P(X = k) for k = 0, 1, …
    """
    probability, mean = np.ones(1), 0.0
    for name in np.unique(stratum[first | second]):
        here = stratum == name
        n, a, b = int(here.sum()), int(first[here].sum()), int(second[here].sum())
        probability = np.convolve(probability, hypergeom.pmf(np.arange(min(a, b) + 1), n, a, b))
        mean += a * b / n
    return probability, mean


def gene_pairs(cohort: Cohort, genes: list[str]) -> "pandas.DataFrame":
    """Every pair of the first MOST_GENES genes: samples with both, expected, p and q; sorted by p.

    The expectation is that of genes which are independent among samples of about the same burden; q-values by Benjamini-Hochberg over
    all pairs and both directions.
    """
    import pandas

    genes = genes[:MOST_GENES]
    matrix = sample_matrix(cohort, genes)
    burden = np.bincount(cohort.sample[cohort.effect != SILENT], minlength=cohort.n_samples).astype(float)
    rows = []
    for first, second in combinations(range(len(genes)), 2):
        # the two genes do not count: who has them would have more mutations by that alone
        stratum = strata_of(burden - matrix[first] - matrix[second])
        probability, expected = joint_hits(matrix[first], matrix[second], stratum)
        observed = int((matrix[first] & matrix[second]).sum())
        fewer, more = float(probability[: observed + 1].sum()), float(probability[observed:].sum())
        kind = "exclusive" if fewer < more else "together"
        rows.append(
            (genes[first], genes[second], kind, observed, expected, int(matrix[first].sum()), int(matrix[second].sum()),
             min(1.0, 2 * min(fewer, more)))
        )  # fmt: skip
    names = ["gene", "other_gene", "kind", "n_both", "expected_both", "n_gene", "n_other", "p_value"]
    table = pandas.DataFrame(rows, columns=names)
    table["q_value"] = benjamini_hochberg(table["p_value"].to_numpy(float)) if len(table) else []
    return table.sort_values("p_value", kind="stable").reset_index(drop=True)


def oncoplot(maf: Maf, cohort: Cohort, genes: list[str]) -> "pandas.DataFrame":
    """One row per gene and affected sample, genes by affected samples, samples in the staircase order of an oncoplot."""
    import pandas

    matrix = sample_matrix(cohort, genes)
    by_hits = np.argsort(-matrix.sum(axis=1), kind="stable")
    genes, matrix = [genes[number] for number in by_hits], matrix[by_hits]
    order = np.lexsort([~row for row in matrix[::-1]]) if genes else np.empty(0, int)
    name_of = np.empty(cohort.n_samples, dtype=object)
    name_of[cohort.sample] = maf.mutations["sample"].astype("str").to_numpy()[cohort.row]
    number = {name: row for row, name in enumerate(genes)}
    row_of = np.array([number.get(name, -1) for name in cohort.genes])
    chosen = np.flatnonzero((cohort.effect != SILENT) & (row_of[cohort.gene] >= 0))
    gravest: dict[tuple[int, int], str] = {}
    for mutation in chosen:
        key = (int(row_of[cohort.gene[mutation]]), int(cohort.sample[mutation]))
        gravest[key] = "several" if key in gravest else EFFECTS[cohort.effect[mutation]]
    rows = [
        (name, name_of[sample], gravest[row, sample])
        for row, name in enumerate(genes) for sample in order.tolist() if (row, sample) in gravest
    ]  # fmt: skip
    return pandas.DataFrame(rows, columns=["gene", "sample", "effect"])
