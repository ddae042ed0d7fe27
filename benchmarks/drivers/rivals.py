"""Rankings that the field uses or would build in an afternoon, on the same cohorts: counts, length, dN/dS, negative binomial, Fisher, XGBoost.

Definitions follow the published baseline: hypermutated samples (more than 1,000 coding mutations) are dropped and a sample adds at
most three mutations to a gene, except for `sample_count`, which takes all samples.
"""

import numpy as np
import pandas
from scipy.special import chdtrc
from scipy.stats import binom, nbinom, poisson

from strandwise.drivers.background import design, fit_counts
from strandwise.drivers.mutations import FRAMESHIFT, MISSENSE, NONSENSE, SILENT, SPLICE, Cohort
from strandwise.formats.genes import COVARIATES

TRUNCATING = (NONSENSE, FRAMESHIFT, SPLICE)
FLOOR = 1e-300


def usual(cohort: Cohort) -> np.ndarray:
    """Mutations that count: of samples with at most 1,000 coding mutations, at most three per gene and sample."""
    burden = np.bincount(cohort.sample, minlength=cohort.n_samples)
    kept = np.flatnonzero(burden[cohort.sample] <= 1000)
    pair = cohort.gene[kept].astype(np.int64) * cohort.n_samples + cohort.sample[kept]
    order = np.argsort(pair, kind="stable")
    place = np.arange(len(order)) - np.searchsorted(pair[order], pair[order], side="left")
    chosen = np.zeros(len(cohort.gene), bool)
    chosen[kept[order[place < 3]]] = True
    return chosen


def rival_scores(cohort: Cohort) -> pandas.DataFrame:
    """Score of every gene under each rival (larger = more likely a driver), index = genes."""
    g, chosen = cohort.n_genes, usual(cohort)
    gene, effect, sample, site = (values[chosen] for values in (cohort.gene, cohort.effect, cohort.sample, cohort.site))
    silent, truncating = effect == SILENT, np.isin(effect, TRUNCATING)
    count = {
        "N": np.bincount(gene[~silent], minlength=g).astype(float),
        "S": np.bincount(gene[silent], minlength=g).astype(float),
        "T": np.bincount(gene[truncating], minlength=g).astype(float),
    }

    def samples(gene: np.ndarray, sample: np.ndarray) -> np.ndarray:
        return np.bincount(
            np.unique(gene.astype(np.int64) * cohort.n_samples + sample) // cohort.n_samples, minlength=g
        ).astype(float)

    nonsilent_all = cohort.effect != SILENT
    codons = cohort.codons
    scores = {
        "sample_count": samples(cohort.gene[nonsilent_all], cohort.sample[nonsilent_all]),
        "sample_count_filtered": samples(gene[~silent], sample[~silent]),
        "nonsilent_count": count["N"],
        "nonsilent_per_bp": count["N"] / codons,
    }
    mean = count["N"].sum() * codons / codons.sum()
    scores["poisson_length"] = -np.log10(np.maximum(poisson.sf(count["N"] - 1, mean), FLOOR))
    ratio = count["N"].sum() / max(count["S"].sum(), 1)
    scores["dnds_ratio"] = (count["N"] + 1) / (count["S"] + 1) / ratio
    expected_silent = count["S"].sum() * codons / codons.sum()
    shrunk = expected_silent * (2 + count["S"]) / (2 + expected_silent)
    scores["dnds_excess"] = count["N"] - ratio * shrunk
    scores["dnds_shrunk_p"] = _nb(count["N"], ratio * shrunk, 2 + count["S"])
    share = count["T"].sum() / max(count["N"].sum(), 1)
    scores["trunc_count"] = count["T"]
    scores["trunc_fraction"] = np.where(count["N"] >= 3, count["T"] / np.maximum(count["N"], 1), 0)
    scores["trunc_binom"] = -np.log10(np.maximum(binom.sf(count["T"] - 1, count["N"], share), FLOOR))
    scores |= _hotspots(cohort, gene[effect == MISSENSE], site[effect == MISSENSE], sample[effect == MISSENSE])
    fitted, shape = fit_counts(count["S"], design(cohort), np.ones(g, bool))
    posterior, posterior_shape = fitted * (shape + count["S"]) / (shape + fitted), shape + count["S"]
    scores["nb_cov"] = _nb(count["N"], posterior * ratio, posterior_shape)
    scores["nb_cov_trunc"] = _nb(count["T"], posterior * ratio * share, posterior_shape)
    scores["comb_len_trunc_hot"] = _fisher(scores["poisson_length"], scores["trunc_binom"], scores["hotspot_poisson"])
    scores["comb_nb_trunc_hot"] = _fisher(scores["nb_cov"], scores["nb_cov_trunc"], scores["hotspot_poisson"])
    parts = pandas.DataFrame({name: scores[name] for name in ("nb_cov", "nb_cov_trunc", "hotspot_poisson")})
    scores["minrank"] = -parts.rank(ascending=False).min(axis=1).to_numpy()
    return pandas.DataFrame(scores, index=cohort.genes)


def xgboost_columns(cohort: Cohort, scores: pandas.DataFrame) -> pandas.DataFrame:
    """What the XGBoost rival learns from: the scores above, fractions and covariates."""
    table = scores.drop(columns=["sample_count_filtered"]).copy()
    table["log_codons"] = np.log(cohort.codons)
    table["samples_share"] = scores["sample_count_filtered"].to_numpy() / cohort.n_samples
    for name in COVARIATES:
        table[name] = cohort.features[name].to_numpy(float)
    return table


def _nb(count: np.ndarray, mean: np.ndarray, shape: np.ndarray) -> np.ndarray:
    mean = np.maximum(mean, 1e-9)
    return -np.log10(np.maximum(nbinom.sf(count - 1, shape, shape / (shape + mean)), FLOOR))


def _fisher(*surprises: np.ndarray) -> np.ndarray:
    return -np.log10(np.maximum(chdtrc(2 * len(surprises), 2 * np.log(10) * np.sum(surprises, axis=0)), FLOOR))


def _hotspots(cohort: Cohort, gene: np.ndarray, site: np.ndarray, sample: np.ndarray) -> dict[str, np.ndarray]:
    """Most samples on one codon, samples on codons hit twice or more, Poisson maximum with Bonferroni over codons."""
    g = cohort.n_genes
    triple = np.unique(np.stack([gene, site, sample]), axis=1)
    pair, hits = np.unique(triple[:2], axis=1, return_counts=True)
    owner = pair[0].astype(int)
    most, recurrent = np.zeros(g), np.bincount(owner, np.where(hits >= 2, hits, 0), minlength=g)
    np.maximum.at(most, owner, hits)
    total = np.bincount(owner, hits, minlength=g)
    p = poisson.sf(hits - 1, total[owner] / cohort.codons[owner]) * cohort.codons[owner]
    best = np.zeros(g)
    np.maximum.at(best, owner, np.maximum(-np.log10(np.maximum(p, FLOOR)), 0))
    return {"hotspot_max": most, "hotspot_recurrent_sum": recurrent, "hotspot_poisson": best}
