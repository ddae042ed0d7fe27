"""Draws neutral cohorts from a cohort's own background, and turns scores into p-values by what those neutral cohorts score."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from strandwise.drivers.background import Background
from strandwise.drivers.evidence import Evidence, evidence, site_excess
from strandwise.drivers.mutations import FRAMESHIFT, NONSENSE, SILENT, SPLICE, Cohort

# Neutral genes to score before p-values are said, and bounds on the number of neutral cohorts drawn for that.
NEUTRAL_GENES = 150_000
NEUTRAL_COHORTS = (8, 20)
# A drawn cohort looks more even than the one it is drawn from: fits leave out the genes that stand out, and recurrent sites have a
# longer tail than gamma rates. So draws get this share of the fitted shape of genes, and this multiple of the sites' excess of
# pairs (chosen on PRAD, GBM, DLBC and BRCA).
GENE_SHAPE_SHARE, SITE_EXCESS_MULTIPLE = 0.6, 4.0
# The largest neutral scores to which the exponential tail is fitted.
TAIL_SIZE = 250


def neutral_cohort(cohort: Cohort, background: Background, rng: np.random.Generator) -> Cohort:
    """A cohort without selection: every mutation keeps its sample, effect and amino-acid change, and gets another gene and codon.

    Gene rates are the background's means times gamma variables of its fitted shapes (shared between kinds as far as
    silent mutations show it); codon rates are gamma variables of the shape that silent recurrence shows.
    """
    shape = 1.0 / (SITE_EXCESS_MULTIPLE * (site_excess(cohort) - 1.0))
    gene = np.empty_like(cohort.gene)
    truncating = np.isin(cohort.effect, (NONSENSE, FRAMESHIFT, SPLICE))
    for kind, chosen in (
        ("silent", cohort.effect == SILENT),
        ("missense", (cohort.effect != SILENT) & ~truncating),
        ("truncating", truncating),
    ):
        if kind == "silent":
            rate = np.maximum(background.typical["nonsilent"], 1e-9)
        else:
            k = GENE_SHAPE_SHARE * background.typical_shape[kind]
            rate = np.maximum(background.typical[kind], 1e-9) * rng.standard_gamma(k, cohort.n_genes) / k
        edges = np.cumsum(rate)
        gene[chosen] = np.searchsorted(edges, rng.random(int(chosen.sum())) * edges[-1], side="right")
    gene = np.minimum(gene, cohort.n_genes - 1)
    codon = _urn(gene, cohort.codons, shape, rng)
    site = gene.astype(np.int64) * 2**32 + codon
    codon = np.where(cohort.codon > 0, codon, 0).astype(np.int32)
    return replace(cohort, gene=gene, codon=codon, site=site)


def _urn(gene: np.ndarray, codons: np.ndarray, shape: float, rng: np.random.Generator) -> np.ndarray:
    """Codons (1-based, int32) as if each gene's codons had gamma-distributed rates of that shape.

    Pólya's urn, which is that distribution: the j-th mutation of a gene takes the codon of an earlier one with probability
    (j - 1) / (codons x shape + j - 1), else any codon.
    """
    n = len(gene)
    order = np.lexsort((rng.random(n), gene))
    ordered = gene[order]
    first = np.searchsorted(ordered, ordered, side="left")
    earlier = np.arange(n) - first
    repeats = rng.random(n) < earlier / (codons[ordered] * shape + earlier)
    source = np.where(repeats, first + np.floor(rng.random(n) * earlier).astype(np.int64), np.arange(n))
    while (source != source[source]).any():
        source = source[source]
    fresh = np.floor(rng.random(n) * codons[ordered]).astype(np.int32) + 1
    result = np.empty(n, np.int32)
    result[order] = fresh[source]
    return result


def neutral_scores(
    cohort: Cohort, observed: Evidence, score: Callable[[Evidence, Evidence], np.ndarray], seed: int
) -> np.ndarray:
    """Scores of tested genes in neutral cohorts, enough of them for small p-values; float (N,)."""
    rng = np.random.default_rng(seed)
    scores: list[np.ndarray] = []
    fewest, most = NEUTRAL_COHORTS
    while len(scores) < most and (len(scores) < fewest or sum(map(len, scores)) < NEUTRAL_GENES):
        drawn = evidence(neutral_cohort(cohort, observed.background, rng))
        scores.append(score(drawn, observed)[drawn.tested])
    return np.concatenate(scores)


def p_values(scores: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """P(neutral score >= score): the share of neutral scores, beyond the TAIL_SIZE largest an exponential tail through them.

    The tail's slope is that of the excesses over its threshold (Davison & Smith 1990, with shape 0), which continues the
    empirical distribution without a step.
    """
    ordered = np.sort(neutral)
    n = len(ordered)
    above = n - np.searchsorted(ordered, scores, side="left")
    p = (above + 1.0) / (n + 1.0)
    size = min(TAIL_SIZE, n // 20)
    if size >= 20:
        threshold = ordered[-size]
        scale = max(float((ordered[-size:] - threshold).mean()), 1e-9)
        beyond = scores > threshold
        p = np.where(beyond, (size / (n + 1.0)) * np.exp(-(scores - threshold) / scale), p)
    return np.clip(p, 1e-300, 1.0)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """q-values (Benjamini & Hochberg 1995) of p-values, float (N,)."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    result = np.empty_like(q)
    result[order] = q
    return result
