"""Names, sample by sample, the mutations of driver genes that are likely drivers themselves, and says why."""

from typing import TYPE_CHECKING

import numpy as np

from strandwise.drivers.evidence import Evidence
from strandwise.drivers.mutations import (
    EFFECTS,
    FRAMESHIFT,
    INFRAME,
    MISSENSE,
    NONSENSE,
    SILENT,
    SPLICE,
    START_STOP,
    Cohort,
)
from strandwise.formats.maf import Maf

if TYPE_CHECKING:
    import pandas

KIND = {
    MISSENSE: "missense",
    START_STOP: "missense",
    INFRAME: "inframe",
    NONSENSE: "truncating",
    FRAMESHIFT: "truncating",
    SPLICE: "truncating",
}
# Below this share the mutations of a kind are mostly chance.
LIKELY = 0.5


def likely_drivers(maf: Maf, cohort: Cohort, found: Evidence, drivers: "pandas.DataFrame") -> "pandas.DataFrame":
    """Non-silent mutations of the genes in `drivers` (rows of the driver table) of which more than LIKELY are due to selection.

    The selected share of a kind in a gene is (observed - expected) / observed, of a codon hit by n samples (n - chance) / n, where
    chance is what the gene's other mutations put on an average codon; a mutation gets the larger one. Sorted by sample and rank.
    """
    import pandas

    index = {name: number for number, name in enumerate(cohort.genes)}
    rank_of = np.zeros(cohort.n_genes, int)
    q_of = np.ones(cohort.n_genes)
    for gene, rank, q in zip(drivers["gene"], drivers["rank"], drivers["q_value"], strict=True):
        rank_of[index[gene]], q_of[index[gene]] = rank, q
    chosen = np.flatnonzero((rank_of[cohort.gene] > 0) & (cohort.effect != SILENT))
    gene, effect = cohort.gene[chosen], cohort.effect[chosen]
    background = found.background
    share = np.zeros(len(chosen))
    fold = np.zeros(len(chosen))
    for code, kind in KIND.items():
        mine = effect == code
        observed = background.counts[kind][gene[mine]]
        expected = background.expected[kind][gene[mine]]
        share[mine] = np.clip(1 - expected / np.maximum(observed, 1e-9), 0, 1)
        fold[mine] = observed / np.maximum(expected, 1e-9)
    hits = codon_hits(cohort)[chosen]
    placed = np.isin(effect, (MISSENSE, INFRAME, START_STOP)) & (cohort.codon[chosen] > 0) & (hits > 1)
    total = background.counts["missense"][gene] + background.counts["inframe"][gene]
    chance = np.maximum(total - hits, background.expected["missense"][gene]) / cohort.codons[gene] * 10
    hot = np.where(placed, np.clip(1 - chance / np.maximum(hits, 1), 0, 1), 0)
    reason = [
        f"its codon is hit in {n} samples"
        if is_hot and h > LIKELY
        else f"{KIND[e]} mutations of the gene are {f'{f:.1f}' if f < 100 else 'over 100'} times the expected"
        for n, is_hot, h, e, f in zip(hits, placed, hot, effect, fold, strict=True)
    ]
    rows = maf.mutations.iloc[cohort.row[chosen]]
    table = pandas.DataFrame(
        {
            "sample": rows["sample"].astype("str").to_numpy(),
            "gene": cohort.genes[gene],
            "gene_rank": rank_of[gene],
            "gene_q_value": q_of[gene],
            "chromosome": rows["chromosome"].astype("str").to_numpy(),
            "position": rows["start"].to_numpy(),
            "reference": rows["reference"].astype("str").to_numpy(),
            "alternate": rows["alternate"].astype("str").to_numpy(),
            "effect": [EFFECTS[code] for code in effect],
            "protein_change": rows["protein_change"].astype("str").replace("", None).to_numpy(),
            "selected_share": np.maximum(share, hot),
            "why": reason,
        }
    )
    table = table[table["selected_share"] > LIKELY]
    return table.sort_values(["sample", "gene_rank", "position"], kind="stable").reset_index(drop=True)


def codon_hits(cohort: Cohort) -> np.ndarray:
    """For each mutation the number of samples with a non-silent, non-truncating mutation of the same codon, int (M,)."""
    chosen = np.isin(cohort.effect, (MISSENSE, INFRAME, START_STOP))
    key = (cohort.gene.astype(np.int64) << 20) + cohort.codon
    pairs = np.unique(np.stack([key[chosen], cohort.sample[chosen]]), axis=1)
    sites, counts = np.unique(pairs[0], return_counts=True)
    place = np.searchsorted(sites, key)
    place = np.minimum(place, max(len(sites) - 1, 0))
    return np.where(sites[place] == key, counts[place], 0) if len(sites) else np.zeros(len(key), int)
