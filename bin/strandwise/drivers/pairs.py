"""Finds driver genes that are mutated together, or in different samples, more often than the samples' burdens explain."""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from strandwise.drivers.mutations import EFFECTS, SILENT, Cohort
from strandwise.drivers.neutral import benjamini_hochberg
from strandwise.formats.maf import Maf

if TYPE_CHECKING:
    import pandas

MOST_GENES = 40
# Up to this expected number the distribution of joint hits is computed exactly, beyond it by the normal approximation.
EXACT_UP_TO = 60


def sample_matrix(cohort: Cohort, genes: list[str]) -> np.ndarray:
    """Whether a sample has a non-silent mutation of each gene, bool (genes, samples)."""
    number = {name: row for row, name in enumerate(genes)}
    row = np.array([number.get(name, -1) for name in cohort.genes])
    chosen = (cohort.effect != SILENT) & (row[cohort.gene] >= 0)
    matrix = np.zeros((len(genes), cohort.n_samples), bool)
    matrix[row[cohort.gene[chosen]], cohort.sample[chosen]] = True
    return matrix


def hit_chances(matrix: np.ndarray, burden: np.ndarray) -> np.ndarray:
    """Chance of each gene to be hit in each sample if hits spread by burden, float (genes, samples); rows sum to the gene's hits.

    A sample's odds grow with the square root of its burden: more mutations, but drivers are not passengers.
    """
    pull = np.sqrt(burden / max(burden.mean(), 1e-9)) + 1e-9
    low, high = np.full(len(matrix), -30.0), np.full(len(matrix), 30.0)
    hits = matrix.sum(axis=1)
    for _ in range(60):
        middle = (low + high) / 2
        chance = 1 / (1 + np.exp(-middle[:, None]) / pull)
        more = chance.sum(axis=1) < hits
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return chance


def tails(chance: np.ndarray, observed: int) -> tuple[float, float]:
    """P(X <= observed) and P(X >= observed) of a sum of independent events with these chances."""
    mean, variance = float(chance.sum()), float((chance * (1 - chance)).sum())
    if max(mean, observed) > EXACT_UP_TO:
        deviation = max(np.sqrt(variance), 1e-9)
        return float(ndtr((observed + 0.5 - mean) / deviation)), float(ndtr((mean - observed + 0.5) / deviation))
    probability = np.zeros(observed + 1)
    probability[0] = 1.0
    for p in chance[chance > 1e-12]:
        probability[1:] = probability[1:] * (1 - p) + probability[:-1] * p
        probability[0] *= 1 - p
    below = float(probability[:-1].sum())
    return min(below + float(probability[-1]), 1.0), max(1.0 - below, 0.0)


def gene_pairs(cohort: Cohort, genes: list[str]) -> "pandas.DataFrame":
    """Every pair of the first MOST_GENES genes: samples with both, expected, p and q; sorted by p.

    The expectation is that of independent genes given each sample's burden (as in Canisius et al. 2016, Genome Biology 17:261); q-values by
    Benjamini-Hochberg over all pairs and both directions.
    """
    import pandas

    genes = genes[:MOST_GENES]
    matrix = sample_matrix(cohort, genes)
    burden = np.bincount(cohort.sample[cohort.effect != SILENT], minlength=cohort.n_samples).astype(float)
    chance = hit_chances(matrix, burden)
    rows = []
    for first, second in combinations(range(len(genes)), 2):
        joint = chance[first] * chance[second]
        observed = int((matrix[first] & matrix[second]).sum())
        fewer, more = tails(joint, observed)
        kind = "exclusive" if fewer < more else "together"
        rows.append(
            (genes[first], genes[second], kind, observed, float(joint.sum()), int(matrix[first].sum()), int(matrix[second].sum()),
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
