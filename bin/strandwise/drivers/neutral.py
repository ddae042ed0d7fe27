"""Draws neutral cohorts from a cohort's own background, and turns scores into p-values by what those neutral cohorts score."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from strandwise.drivers.background import Background
from strandwise.drivers.evidence import Evidence, evidence
from strandwise.drivers.mutations import FRAMESHIFT, NONSENSE, SILENT, SPLICE, Cohort
from strandwise.drivers.positions import looked_up, samples_per_site, site_excess

# Neutral genes to score before p-values are said, and bounds on the number of neutral cohorts drawn for that.
NEUTRAL_GENES = 150_000
NEUTRAL_COHORTS = (8, 20)
# A drawn cohort looks more even than the one it is drawn from: fits leave out the genes that stand out, and recurrent sites have a
# longer tail than gamma rates. So draws get this share of the fitted shape of genes, and this multiple of the sites' excess of
# pairs (chosen on PRAD, GBM, DLBC and BRCA).
GENE_SHAPE_SHARE, SITE_EXCESS_MULTIPLE = 0.6, 4.0
# The largest neutral scores to which the exponential tail is fitted.
TAIL_SIZE = 250
# A clump is a site hit in at least so many samples without selection: so many per silent mutation in a typical cohort (seen in 20 TCGA
# cohorts), which count as much as CLUMP_WEIGHT silent mutations of the cohort itself.
CLUMPS = ((2, 1e-3), (3, 6e-4))
CLUMP_WEIGHT = 400.0
MOST_CLUMPS = 150
# Silent mutations that a check of the calibration needs.
ENOUGH_SILENT = 300


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


def relabelled(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """A neutral cohort of real places: the silent mutations only, each with an effect drawn from the cohort's effects.

    Base changes and residues stay; what a residue becomes is drawn with the effect, from mutations that have it.
    """
    silent = np.flatnonzero(cohort.effect == SILENT)
    donor = rng.integers(0, len(cohort.effect), len(silent))
    return replace(
        cohort,
        gene=cohort.gene[silent], effect=cohort.effect[donor], sample=cohort.sample[silent], codon=cohort.codon[silent],
        site=cohort.site[silent], reference_aa=cohort.reference_aa[silent], alternate_aa=cohort.alternate_aa[donor],
        substitution=cohort.substitution[silent], context_odds=cohort.context_odds[silent], weight=cohort.weight[silent], row=cohort.row[silent],
    )  # fmt: skip


@dataclass
class Neutral:
    """Scores of tested genes in neutral cohorts: plain ones, float (N,), and those with a clump of each kind in CLUMPS, with the share
    of genes that have one."""

    plain: np.ndarray
    clumped: list[tuple[float, np.ndarray]]


def clumps(cohort: Cohort) -> np.ndarray:
    """Sites of each kind in CLUMPS that hold a silent mutation, int (kinds,): hit in two samples; in three or more, silent ones an eighth or more.

    No selection explains these: mapping errors between paralogues, repeats, germline variants that were not filtered.
    """
    site, silent = samples_per_site(cohort, cohort.effect == SILENT)
    everything, samples = samples_per_site(cohort, np.isin(cohort.site, site))
    samples = samples[looked_up(everything, site, silent) >= samples / 8]
    edges = [least for least, _ in CLUMPS]
    return -np.diff([int((samples >= least).sum()) for least in edges] + [0])


def with_clumps(cohort: Cohort, least: int, number: int, rng: np.random.Generator, source: np.ndarray) -> np.ndarray:
    """Move non-silent mutations of one effect to the site of one of them, `number` times; returns genes with one, bool (G,).

    `source` says for each mutation whose place it takes and is changed. `least` mutations or more, of the largest clumps each further
    one half as likely.
    """
    hit = np.zeros(cohort.n_genes, bool)
    free = np.flatnonzero((cohort.effect != SILENT) & (source == np.arange(len(source))))
    pools = {
        effect: list(rng.permutation(free[cohort.effect[free] == effect])) for effect in np.unique(cohort.effect[free])
    }
    for seed in rng.choice(free, min(number, len(free)), replace=False):
        size = least + (rng.geometric(0.5) - 1 if least == CLUMPS[-1][0] else 0)
        pool = pools[cohort.effect[seed]]
        if len(pool) < size:
            continue
        for _ in range(size - 1):
            source[pool.pop()] = seed
        hit[cohort.gene[seed]] = True
    return hit


def neutral_scores(
    cohort: Cohort, observed: Evidence, score: Callable[[Evidence, Evidence], np.ndarray], seed: int
) -> Neutral:
    """Scores of tested genes in neutral cohorts, enough of them for small p-values."""
    rng = np.random.default_rng(seed)
    plain: list[np.ndarray] = []
    clumped: list[list[np.ndarray]] = [[] for _ in CLUMPS]
    nonsilent = int((cohort.effect != SILENT).sum())
    silent = len(cohort.effect) - nonsilent
    by_chance = np.zeros(len(CLUMPS))
    fewest, most = NEUTRAL_COHORTS
    while len(plain) < most and (len(plain) < fewest or sum(map(len, plain)) < NEUTRAL_GENES):
        made = neutral_cohort(cohort, observed.background, rng)
        by_chance += clumps(made)
        source = np.arange(len(made.gene))
        hits = [with_clumps(made, least, min(MOST_CLUMPS, nonsilent // 80), rng, source) for least, _ in CLUMPS]
        while (source != source[source]).any():
            source = source[source]
        names = ("gene", "codon", "site", "reference_aa", "alternate_aa", "substitution")
        drawn = evidence(replace(made, **{name: getattr(made, name)[source] for name in names}))
        scores = score(drawn, observed)
        plain.append(scores[drawn.tested & ~np.any(hits, axis=0)])
        for kept, hit in zip(clumped, hits, strict=True):
            kept.append(scores[drawn.tested & hit])
    seen = np.maximum(clumps(cohort) - by_chance / len(plain), 0.0)
    tested = max(int(observed.tested.sum()), 1)
    shares = [
        min((CLUMP_WEIGHT * typical + n) / (CLUMP_WEIGHT + silent) * nonsilent / tested, 0.5)
        for n, (_, typical) in zip(seen, CLUMPS, strict=True)
    ]
    return Neutral(np.concatenate(plain), list(zip(shares, map(np.concatenate, clumped), strict=True)))


def p_values(scores: np.ndarray, neutral: Neutral) -> np.ndarray:
    """P(neutral score >= score): that of plain genes, and of clumped ones as often as there are some."""
    p = tail_share(scores, neutral.plain)
    for share, clumped in neutral.clumped:
        if len(clumped) >= 20:
            p = p + share * tail_share(scores, clumped)
    return np.clip(p, 1e-300, 1.0)


def tail_share(scores: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """The share of neutral scores at least as large; beyond the TAIL_SIZE largest an exponential tail through them.

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
    return p


@dataclass
class Calibration:
    """p-values of genes without selection: the cohort's own silent mutations with other effects; float (N,). below: how many of these
    genes have q < 0.1."""

    p: np.ndarray
    below: int

    def rate(self, level: float) -> float:
        """Share of p-values up to `level`, over `level`: 1 is exact, more is too many."""
        return float((self.p <= level).mean() / level)


def calibration(cohort: Cohort, score: Callable[[Evidence, Evidence], np.ndarray], seed: int) -> Calibration | None:
    """What the method says of the cohort's silent mutations, relabelled; None when there are fewer than ENOUGH_SILENT."""
    if (cohort.effect == SILENT).sum() < ENOUGH_SILENT:
        return None
    made = relabelled(cohort, np.random.default_rng(seed))
    found = evidence(made)
    p = p_values(score(found, found)[found.tested], neutral_scores(made, found, score, seed))
    return Calibration(p, int((benjamini_hochberg(p) < 0.1).sum()))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """q-values (Benjamini & Hochberg 1995) of p-values, float (N,)."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    result = np.empty_like(q)
    result[order] = q
    return result
