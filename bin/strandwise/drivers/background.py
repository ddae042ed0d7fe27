"""How many mutations of each kind a gene would hold without selection: negative-binomial regression on length and covariates."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaln

from strandwise.drivers.mutations import (
    FEW_SILENT,
    FRAMESHIFT,
    INFRAME,
    MISSENSE,
    NONSENSE,
    SILENT,
    SPLICE,
    START_STOP,
    Cohort,
)
from strandwise.formats.genes import COVARIATES

# Kinds of mutations that are counted and expected apart.
KINDS = {
    "missense": (MISSENSE, START_STOP),
    "inframe": (INFRAME,),
    "nonsense": (NONSENSE,),
    "frameshift": (FRAMESHIFT,),
    "splice": (SPLICE,),
    "truncating": (NONSENSE, FRAMESHIFT, SPLICE),
    "nonsilent": (MISSENSE, INFRAME, START_STOP, NONSENSE, FRAMESHIFT, SPLICE),
}
LOWEST_P = 1e-300
SHAPES = np.exp(np.linspace(np.log(0.2), np.log(100.0), 25))
PRIOR_STRENGTH = 10.0  # precision of the coefficients (log rate per standard deviation of a covariate) around no effect
TRIMMED = 0.005  # share of genes with the largest counts for their mean that do not shape the non-silent regression


@dataclass
class Background:
    """Expectation without selection.

    counts: kind (also silent) -> float (G,), weighted mutations. expected: kind -> float (G,), mean given the gene's covariates and
    its own silent mutations. shape: kind -> float (G,), negative-binomial shape of that expectation (variance =
    mean + mean² / shape). typical: kind -> float (G,), mean by the regression of that kind's own counts, which knows
    covariates only and whose shape is typical_shape.
    """

    counts: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]
    shape: dict[str, np.ndarray]
    typical: dict[str, np.ndarray]
    typical_shape: dict[str, float]


def tail(count: np.ndarray, mean: np.ndarray, shape: np.ndarray | float) -> np.ndarray:
    """P(X >= count), X negative binomial of that mean and shape; counts may be weighted (real numbers), 0 gives 1.

    P(X >= n) = I_q(n, shape) with q = mean / (mean + shape), I the regularised incomplete beta function.
    """
    count, mean, shape = np.broadcast_arrays(*(np.asarray(value, float) for value in (count, mean, shape)))
    p = np.ones(count.shape)
    some = count > 0
    p[some] = betainc(count[some], shape[some], mean[some] / (mean[some] + shape[some]))
    return np.clip(p, LOWEST_P, 1.0)


def surprise(count: np.ndarray, mean: np.ndarray, shape: np.ndarray | float) -> np.ndarray:
    """-log10 of `tail`."""
    return -np.log10(tail(count, mean, shape))


def counts_of(cohort: Cohort, weight: np.ndarray) -> dict[str, np.ndarray]:
    """Weighted mutations per gene, by kind; and silent."""
    by_effect = np.bincount(
        cohort.effect.astype(np.int64) * cohort.n_genes + cohort.gene, weight, minlength=(NONSENSE + 1) * cohort.n_genes
    ).reshape(NONSENSE + 1, cohort.n_genes)
    counts = {kind: by_effect[list(effects)].sum(axis=0) for kind, effects in KINDS.items()}
    counts["silent"] = by_effect[SILENT]
    return counts


def design(cohort: Cohort) -> np.ndarray:
    """Regression columns: log length, covariates standardised (missing = mean), whether they are known. Float (G, C)."""
    columns = [np.log(cohort.codons / 450)]
    for name in COVARIATES:
        values = cohort.features[name].to_numpy(float)
        if name in ("expression_CCLE", "noncoding_mutation_rate", "local_gene_density"):
            values = np.log(np.maximum(values, 1e-12 if "rate" in name else 1.0))
        known = ~np.isnan(values)
        if known.sum() < 10 or np.nanstd(values) == 0:
            columns += [np.zeros(cohort.n_genes)]
            continue
        values = (values - np.nanmean(values)) / np.nanstd(values)
        columns.append(np.clip(np.where(known, values, 0.0), -4, 4))
    columns.append(cohort.features["replication_time"].notna().to_numpy(float))
    return np.column_stack(columns)


def fit_counts(count: np.ndarray, columns: np.ndarray, use: np.ndarray) -> tuple[np.ndarray, float]:
    """Negative-binomial regression with log link on the genes in `use`; the first column's coefficient is drawn to 1, others to 0.

    Returns mean (G,) of all genes and the shape. Newton steps on the penalised likelihood for the coefficients in turn with the
    likelihood over a grid for the shape.
    """
    total = count[use].sum()
    if total <= 0:
        return np.zeros(len(count)), SHAPES[-1]
    x = np.column_stack([np.ones(len(count)), columns])
    prior = np.zeros(x.shape[1])
    prior[1] = 1.0
    precision = np.full(x.shape[1], PRIOR_STRENGTH)
    precision[0] = 1e-6
    beta = prior.copy()
    beta[0] = np.log(total / np.exp(x[use] @ prior).sum())
    shape = 2.0
    y, xs = count[use], x[use]
    for _ in range(3):
        for _ in range(5):
            mean = np.exp(np.clip(xs @ beta, -30, 20))
            gradient = xs.T @ ((y - mean) / (1 + mean / shape)) - precision * (beta - prior)
            weight = mean * (1 + y / shape) / (1 + mean / shape) ** 2
            hessian = (xs * weight[:, None]).T @ xs + np.diag(precision)
            step = np.linalg.solve(hessian, gradient)
            beta = beta + np.clip(step, -1, 1)
            if np.abs(step).max() < 0.01:
                break
        mean = np.exp(np.clip(xs @ beta, -30, 20))
        shape = _best_shape(y, mean)
    return np.exp(np.clip(x @ beta, -30, 20)), shape


def _best_shape(y: np.ndarray, mean: np.ndarray) -> float:
    """Shape of largest likelihood on the grid SHAPES: every fourth first, then those around the best."""
    hit = y > 0
    y_hit, mean_hit = y[hit], mean[hit]

    def likelihood(k: float) -> float:
        return float(
            (gammaln(y_hit + k) - gammaln(k) + y_hit * np.log(mean_hit / (mean_hit + k))).sum()
            - k * np.log1p(mean / k).sum()
        )

    coarse = range(0, len(SHAPES), 4)
    best = max(coarse, key=lambda index: likelihood(float(SHAPES[index])))
    near = range(max(best - 3, 0), min(best + 4, len(SHAPES)))
    return float(SHAPES[max(near, key=lambda index: likelihood(float(SHAPES[index])))])


def trimmed(count: np.ndarray, mean: np.ndarray, shape: float) -> np.ndarray:
    """Genes whose count does not stand out: all but the TRIMMED share with the smallest tail probability."""
    p = tail(count, mean, shape)
    return p > min(np.quantile(p, TRIMMED), 1e-3)


def fit_background(cohort: Cohort) -> Background:
    """Fit the background of a cohort.

    Silent counts are regressed on length and covariates; a gene's own silent count then moves its rate (gamma posterior). The
    share of each kind among mutations is the cohort's. Where silent mutations are too few, non-silent ones take their place,
    without the genes that stand out.
    """
    counts = counts_of(cohort, cohort.weight)
    columns = design(cohort)
    everyone = np.ones(cohort.n_genes, bool)
    baseline = counts["silent"]
    if baseline.sum() < FEW_SILENT:
        baseline = np.zeros(cohort.n_genes)
        mean, shape = _robust(counts["nonsilent"], columns)
        posterior, posterior_shape = mean, np.full(cohort.n_genes, shape)
    else:
        mean, shape = fit_counts(baseline, columns, everyone)
        posterior = mean * (shape + baseline) / (shape + mean)
        posterior_shape = shape + baseline
    expected, shapes, typical, typical_shape = {}, {}, {}, {}
    log_rate = np.log(np.maximum(posterior, 1e-9))
    log_rate -= np.log(cohort.codons / 450)
    with_silent = np.column_stack([columns, log_rate - log_rate.mean()])
    for kind in KINDS:
        usual = trimmed(counts[kind], posterior * counts[kind].sum() / max(posterior.sum(), 1e-9), shape)
        ratio = counts[kind][usual].sum() / max(posterior[usual].sum(), 1e-9)
        expected[kind] = np.maximum(posterior * ratio, 1e-7)
        shapes[kind] = posterior_shape
        typical[kind], typical_shape[kind] = _robust(counts[kind], with_silent)
        typical[kind] = np.maximum(typical[kind], 1e-7)
    return Background(counts, expected, shapes, typical, typical_shape)


def _robust(count: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, float]:
    """fit_counts without the genes that stand out in a first fit."""
    mean, shape = fit_counts(count, columns, np.ones(len(count), bool))
    return fit_counts(count, columns, trimmed(count, np.maximum(mean, 1e-9), shape))
