"""Where mutations fall on a protein: hotspots by codon and by base change, clusters, and the rates that explain them without selection."""

from dataclasses import dataclass

import numpy as np
import pandas

from strandwise.drivers.background import Background, surprise
from strandwise.drivers.mutations import AMINO_ACIDS, INFRAME, MISSENSE, SILENT, START_STOP, Cohort

WINDOWS = (5, 15, 40)  # codons
TYPICAL_SITE_EXCESS = 4.0  # same-codon pairs of silent mutations over chance, in a typical exome cohort
# Residues per 1,000 of human proteins (UniProt, reviewed proteome).
COMPOSITION = {"A": 70, "C": 23, "D": 47, "E": 71, "F": 36, "G": 66, "H": 26, "I": 43, "K": 57, "L": 100, "M": 21, "N": 36,
               "P": 63, "Q": 48, "R": 56, "S": 83, "T": 53, "V": 60, "W": 12, "Y": 27}  # fmt: skip


def site_excess(cohort: Cohort) -> float:
    """Pairs of silent mutations of different samples on one codon, over what a uniform protein would give (shrunk to typical)."""
    silent = (cohort.effect == SILENT) & (cohort.codon > 0)
    gene = cohort.gene[silent]
    n = np.bincount(gene, minlength=cohort.n_genes)
    chance = (n * (n - 1.0) / 2 / cohort.codons).sum()
    _, count = np.unique(cohort.site[silent], return_counts=True)
    seen = count * (count - 1.0) / 2
    seen = np.minimum(seen, 10).sum()
    return max(1.3, (seen + TYPICAL_SITE_EXCESS * 5) / (chance + 5))


def residue_rates(cohort: Cohort) -> np.ndarray:
    """How often missense mutations hit each residue, over the average residue, float (21,); the last entry is for unknown residues.

    Arginine stands out where CpG sites mutate, because four of its codons hold one.
    """
    missense = (cohort.effect == MISSENSE) & (cohort.reference_aa >= 0)
    # one vote per site, so that a driver's hotspot does not speak for its residue
    _, once = np.unique(cohort.site[missense], return_index=True)
    hits = np.bincount(cohort.reference_aa[missense][once], minlength=len(AMINO_ACIDS)).astype(float)
    share = np.array([COMPOSITION[a] for a in AMINO_ACIDS]) / sum(COMPOSITION.values())
    prior = 50.0
    rate = (hits + prior * share) / ((hits.sum() + prior) * share)
    return np.append(rate, 1.0)


@dataclass
class Sites:
    """Codons (places where codons are unknown) with mutations of some effects, one entry per gene and site, sorted by both.

    gene, codon, residue: of the site; votes: weighted samples; hits: samples; silent: samples with a silent mutation there;
    change_…: votes and hits of each kind of substitution at a site; change_odds: how mutable their base contexts are, 1 where unknown.
    """

    gene: np.ndarray
    codon: np.ndarray
    residue: np.ndarray
    votes: np.ndarray
    hits: np.ndarray
    silent: np.ndarray
    change_site: np.ndarray
    change_kind: np.ndarray
    change_votes: np.ndarray
    change_hits: np.ndarray
    change_odds: np.ndarray


def sites_of(cohort: Cohort, effects: tuple[int, ...]) -> Sites:
    """Sites hit by mutations of these effects; one vote per sample."""
    chosen = np.isin(cohort.effect, effects)
    gene, site, sample = cohort.gene[chosen], cohort.site[chosen], cohort.sample[chosen]
    kind = cohort.substitution[chosen]
    order = np.lexsort((kind, sample, site, gene))
    gene, site, sample, kind = gene[order], site[order], sample[order], kind[order]
    codon, residue, weight, odds = (
        values[chosen][order] for values in (cohort.codon, cohort.reference_aa, cohort.weight, cohort.context_odds)
    )
    place = np.cumsum(_changes(gene, site)) - 1
    vote = _changes(gene, site, sample)
    first = _changes(gene, site)
    n = int(first.sum())
    votes = np.bincount(place[vote], weight[vote], minlength=n)
    hits = np.bincount(place[vote], minlength=n)
    silent_sites, silent_samples = samples_per_site(cohort, cohort.effect == SILENT)
    silent = looked_up(site[first], silent_sites, silent_samples)
    single = np.flatnonzero(vote & (kind >= 0))
    code = place[single] * 8 + kind[single]
    changes, inverse = np.unique(code, return_inverse=True)
    return Sites(
        gene[first], codon[first], residue[first], votes, hits, silent, changes // 8, changes % 8,
        np.bincount(inverse, weight[single], minlength=len(changes)), np.bincount(inverse, minlength=len(changes)),
        np.bincount(inverse, odds[single]) / np.maximum(np.bincount(inverse), 1),
    )  # fmt: skip


def samples_per_site(cohort: Cohort, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sites of the chosen mutations, sorted, and in how many samples they occur; int64 (N,) twice."""
    pair = np.unique(np.stack([cohort.site[chosen], cohort.sample[chosen]]), axis=1)
    return np.unique(pair[0], return_counts=True)


def looked_up(keys: np.ndarray, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The value of each key, known being sorted; 0 where it is not known."""
    if not len(known):
        return np.zeros(len(keys), int)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, values[at], 0)


def _changes(*keys: np.ndarray) -> np.ndarray:
    """Where sorted rows differ from the row before, bool."""
    new = np.ones(len(keys[0]), bool)
    new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return new


def change_rates(cohort: Cohort) -> np.ndarray:
    """Missense mutations of each kind of substitution at a residue, per codon of it and over those of an average codon; float (21, 6).

    To be multiplied by the context odds of a change: a row and column's rate is that of odds 1.
    """
    missense = (cohort.effect == MISSENSE) & (cohort.reference_aa >= 0) & (cohort.substitution >= 0)
    # one vote per change, so that a driver's hotspot does not speak for its kind
    _, once = np.unique(cohort.site[missense] * 8 + cohort.substitution[missense], return_index=True)
    code = cohort.reference_aa[missense][once].astype(int) * 6 + cohort.substitution[missense][once]
    hits = np.bincount(code, minlength=120).reshape(20, 6).astype(float)
    odds = np.bincount(code, cohort.context_odds[missense][once], minlength=120).reshape(20, 6)
    share = np.array([COMPOSITION[a] for a in AMINO_ACIDS])[:, None] / sum(COMPOSITION.values())
    prior = 2.0
    rate = (hits + prior * share) / ((hits.sum() + 6 * prior) * share) / ((odds + prior) / (hits + prior))
    return np.vstack([rate, rate.mean(axis=0)])


def _best(owner: np.ndarray, value: np.ndarray, size: int) -> np.ndarray:
    best = np.zeros(size)
    np.maximum.at(best, owner, value)
    return best


def positions(cohort: Cohort, background: Background) -> tuple[dict[str, np.ndarray], "pandas.DataFrame"]:
    """Hotspots by codon and clusters along the protein, against mutations that fall where silent ones would.

    Site rates are gamma variables of the shape that silent recurrence shows; silent mutations at a codon move its rate to that of the
    posterior, (shape + silent) / (shape + expected silent), as they do for genes: where silent mutations recur, it is not selection.
    """
    g = cohort.n_genes
    sites = sites_of(cohort, (MISSENSE, INFRAME, START_STOP))
    total = np.bincount(sites.gene, sites.votes, minlength=g)
    mean_gene = np.maximum(background.typical["missense"] + background.typical["inframe"], 0)
    length = cohort.codons[sites.gene]
    shape = 1.0 / (site_excess(cohort) - 1.0)
    others = np.maximum(mean_gene[sites.gene], total[sites.gene] - sites.votes) / length
    silent_ratio = background.counts["silent"].sum() / max(background.counts["missense"].sum(), 1.0)

    def surprise_at(
        site: np.ndarray, votes: np.ndarray, rate: np.ndarray | float, k: float, tests: np.ndarray
    ) -> np.ndarray:
        mean = others[site] * rate
        silent = sites.silent[site]
        mean = mean * (k + silent) / (k + silent_ratio * others[site])
        return surprise(votes, mean, k + silent) - np.log10(tests)

    everywhere = np.arange(len(sites.gene))
    several = sites.hits >= 2
    excess = np.where(several, np.maximum(surprise_at(everywhere, sites.votes, 1.0, shape, length), 0), 0)
    typed_shape = max(2.0 * shape, 0.3)
    rate = residue_rates(cohort)[sites.residue]
    typed = np.where(several, np.maximum(surprise_at(everywhere, sites.votes, rate, typed_shape, length), 0), 0)
    at = sites.change_site
    change = surprise_at(
        at,
        sites.change_votes,
        change_rates(cohort)[sites.residue[at], sites.change_kind] * sites.change_odds,
        typed_shape,
        6 * length[at],
    )
    change = np.where(sites.change_hits >= 2, np.maximum(change, 0), 0)
    most = _best(sites.gene, sites.votes, g)
    pairs = np.bincount(sites.gene, sites.votes * np.maximum(sites.votes - 1, 0) / 2, minlength=g)
    chance = total * (total - 1) / 2 / cohort.codons * shape_excess(shape)
    recurrent = np.bincount(sites.gene, np.where(several, np.maximum(sites.votes - 1, 0), 0), minlength=g)
    columns = {
        "hotspot": _best(sites.gene, excess, g),
        "hotspot_typed": _best(sites.gene, typed, g),
        "hotspot_change": _best(sites.gene[at], change, g),
        "hotspot_sum": np.bincount(sites.gene, typed, minlength=g),
        "hotspot_samples": np.log1p(most),
        "hotspot_share": most / np.maximum(total, 1),
        "recurrent_codons": np.log1p(recurrent),
        "same_codon_pairs": np.log2((pairs + 0.5) / (np.maximum(chance, 0) + 0.5)),
    }
    columns |= _clusters(cohort, sites, mean_gene, shape)
    hot = (excess > 2) & several
    hotspots = pandas.DataFrame(
        {
            "gene": cohort.genes[sites.gene[hot]],
            "codon": sites.codon[hot],
            "samples": sites.hits[hot],
            "surprise": excess[hot],
        }
    )
    return columns, hotspots


def _clusters(cohort: Cohort, sites: Sites, mean_gene: np.ndarray, shape: float) -> dict[str, np.ndarray]:
    """Densest windows; each codon counts at most twice, so that a window says more than its hotspot."""
    g = cohort.n_genes
    placed = np.flatnonzero(sites.codon > 0)
    placed = placed[np.lexsort((sites.codon[placed], sites.gene[placed]))]
    owner = sites.gene[placed]
    key = owner.astype(np.int64) * 1_000_000 + sites.codon[placed]
    capped = np.minimum(sites.votes[placed], 2.0)
    sums = np.concatenate([[0.0], np.cumsum(capped)])
    capped_total = np.bincount(owner, capped, minlength=g)
    columns, cluster = {}, np.zeros(g)
    for width in WINDOWS:
        last = np.searchsorted(key, key + width, side="left")
        inside = sums[last] - sums[:-1]
        outside = np.maximum(capped_total[owner] - inside, 0)
        mean = np.maximum(mean_gene[owner], outside) * width / cohort.codons[owner]
        several = last - np.arange(len(key)) >= 2
        value = surprise(inside, mean, shape * width**0.5) - np.log10(np.maximum(cohort.codons[owner] / width, 1) * 2)
        columns[f"cluster_{width}"] = _best(owner, np.where(several, np.maximum(value, 0), 0), g)
        cluster = np.maximum(cluster, columns[f"cluster_{width}"])
    return columns | {"cluster": cluster}


def shape_excess(shape: float) -> float:
    """Pairs over chance of a gamma-distributed site rate of that shape."""
    return 1.0 + 1.0 / shape
