"""Measures a ranking: precision and average precision against known driver genes, false genes on neutral cohorts, power."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strandwise.drivers.evidence import Evidence
from strandwise.drivers.mutations import FRAMESHIFT, MISSENSE, NONSENSE, Cohort
from strandwise.drivers.neutral import neutral_scores, p_values
from strandwise.drivers.ranker import Ranker
from strandwise.drivers.train import SEEDS, cohort_files, fit, read_cohort, read_labels, training_rows
from strandwise.formats.files import written
from strandwise.progress import progress

if TYPE_CHECKING:
    import pandas


@dataclass
class Truth:
    """by_cohort: driver genes of each cohort's cancer type; everywhere: driver genes of any type; elsewhere: those of
    `everywhere` that cohorts of another project than the tested ones support."""

    by_cohort: dict[str, set[str]]
    everywhere: set[str]
    elsewhere: set[str]


def read_truth(by_type: Path, any_type: Path) -> Truth:
    """Read IntOGen's lists: gene by type (tcga_code, gene) and gene of any type (gene, in_non_tcga)."""
    import pandas

    table = pandas.read_csv(any_type, sep="\t", dtype="str", keep_default_na=False)
    return Truth(read_labels(by_type), set(table["gene"]), set(table.loc[table["in_non_tcga"] == "True", "gene"]))


def average_precision(hits: np.ndarray) -> float:
    """Mean precision at each hit of a ranking (bool, best first); 0 without hits."""
    if not hits.any():
        return 0.0
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def metrics(genes: Sequence[str], cohort: str, truth: Truth) -> dict[str, float]:
    """p@10, p@20, p@50 against drivers of any type, p@20 against those supported elsewhere, AP of the cohort's own list.

    genes: ranked, best first, every gene with a non-silent mutation.
    """
    known = np.array([gene in truth.everywhere for gene in genes])
    own = np.array([gene in truth.by_cohort[cohort] for gene in genes])
    elsewhere = np.array([gene in truth.elsewhere for gene in genes])
    return {
        **{f"p{top}": float(known[:top].sum() / top) for top in (10, 20, 50)},
        "ap_type": average_precision(own),
        "p20_elsewhere": float(elsewhere[:20].sum() / 20),
    }


def ranked(rows: "pandas.DataFrame", score: np.ndarray) -> list[str]:
    """Genes of one cohort's rows, best first; ties go to more samples, then by name."""
    order = np.lexsort((rows["gene"].to_numpy(str), -rows["samples"].to_numpy(), -score))
    return rows["gene"].to_numpy(str)[order].tolist()


def all_metrics(rows: "pandas.DataFrame", score: np.ndarray, truth: Truth) -> "pandas.DataFrame":
    """Metrics of each cohort, one row per cohort."""
    import pandas

    cohorts = rows["cohort"].to_numpy()
    table = {}
    for cohort in dict.fromkeys(cohorts):
        mine = cohorts == cohort
        table[cohort] = metrics(ranked(rows[mine], score[mine]), cohort, truth)
    return pandas.DataFrame.from_dict(table, orient="index")


def held_out_scores(rows: "pandas.DataFrame", groups: int, folds: int = 5, seeds: Sequence[int] = SEEDS) -> np.ndarray:
    """Score each row by models that saw neither its cohort nor its gene, float (rows,).

    rows: training_rows of all cohorts; groups: the cohorts are left out in so many groups (as many as cohorts = one at a time).
    """
    names = sorted(set(rows["cohort"]))
    group = rows["cohort"].map({name: number % groups for number, name in enumerate(names)}).to_numpy()
    fold = rows["fold"].to_numpy()
    scores = np.full(len(rows), np.nan)
    parts = [(left_out, fold_out) for left_out in range(groups) for fold_out in range(folds)]
    for left_out, fold_out in progress(parts, len(parts), "held-out parts"):
        test = (group == left_out) & (fold == fold_out)
        scores[test] = fit(rows[(group != left_out) & (fold != fold_out)], seeds).score(rows[test])
    return scores


def evaluate(cohorts: Path, labels: Path, any_labels: Path, genes: Path, output: Path, groups: int) -> None:
    """Write metrics per cohort and their means with 95 % intervals, tested gene and tested cohort held out of training."""
    import pandas

    truth = read_truth(labels, any_labels)
    files = cohort_files(cohorts)
    rows = pandas.concat(
        [
            training_rows(code, read_cohort(path, genes)[1], truth.by_cohort)
            for code, path in progress(files.items(), len(files), "cohorts")
        ],
        ignore_index=True,
    )
    table = all_metrics(rows, held_out_scores(rows, groups), truth)
    means = {}
    for metric in table:
        low, high = bootstrap_interval(table[metric].to_numpy())
        means[metric] = {"mean": table[metric].mean(), "low": low, "high": high}
    summary = pandas.DataFrame(means)
    with written(output) as temporary:
        pandas.concat([table, summary]).round(4).rename_axis("cohort").to_csv(temporary, sep="\t")
    print(summary.round(3).to_string())


def bootstrap_interval(
    values: np.ndarray, draws: int = 10_000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean of `values` (one per cohort) under resampling of cohorts."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def planted(cohort: Cohort, genes: Sequence[int], share: float, rng: np.random.Generator) -> Cohort:
    """Add selection to a neutral cohort: in `share` of the samples a mutation of each gene in `genes`.

    The first half of the genes are oncogenes (missense on one of two codons), the others suppressors (nonsense or
    frameshift anywhere).
    """
    added: dict[str, list[np.ndarray]] = {name: [] for name in ("gene", "effect", "sample", "codon")}
    for number, gene in enumerate(genes):
        n = max(1, round(share * cohort.n_samples))
        sample = rng.choice(cohort.n_samples, n, replace=False)
        length = int(cohort.codons[gene])
        if number < len(genes) / 2:
            codon = rng.choice(rng.integers(1, length + 1, 2), n)
            effect = np.full(n, MISSENSE)
        else:
            codon = rng.integers(1, length + 1, n)
            effect = rng.choice([NONSENSE, FRAMESHIFT], n)
        for name, values in (("gene", np.full(n, gene)), ("effect", effect), ("sample", sample), ("codon", codon)):
            added[name].append(values)
    new = {name: np.concatenate(values) for name, values in added.items()}
    missense = np.flatnonzero((cohort.effect == MISSENSE) & (cohort.reference_aa >= 0))
    donor = rng.choice(missense, len(new["gene"])) if missense.size else np.zeros(len(new["gene"]), int)

    def joined(name: str, values: np.ndarray) -> np.ndarray:
        old = getattr(cohort, name)
        return np.concatenate([old, values.astype(old.dtype)])

    return replace(
        cohort,
        gene=joined("gene", new["gene"]), effect=joined("effect", new["effect"]), sample=joined("sample", new["sample"]),
        codon=joined("codon", new["codon"]), site=joined("site", new["gene"].astype(np.int64) * 2**32 + new["codon"]),
        reference_aa=joined("reference_aa", cohort.reference_aa[donor]),
        alternate_aa=joined("alternate_aa", cohort.alternate_aa[donor]),
        substitution=joined("substitution", np.where(new["effect"] == FRAMESHIFT, -1, cohort.substitution[donor])),
        context_odds=joined("context_odds", np.ones(len(donor))),
        weight=joined("weight", np.ones(len(donor))), row=joined("row", np.zeros(len(donor))),
    )  # fmt: skip


def gene_p_values(cohort: Cohort, found: Evidence, ranker: Ranker, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of tested genes and their p-values."""
    tested = np.flatnonzero(found.tested)
    neutral = neutral_scores(cohort, found, ranker.score, seed)
    return tested, p_values(ranker.score(found, found)[tested], neutral)
