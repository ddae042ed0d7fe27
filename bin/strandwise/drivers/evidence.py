"""Lines of evidence that a gene is under positive selection in a cohort, one number each, larger = more evidence."""

from dataclasses import dataclass

import numpy as np
import pandas
from scipy.special import chdtrc

from strandwise.drivers.background import Background, design, fit_background, surprise
from strandwise.drivers.mutations import AMINO_ACIDS, FRAMESHIFT, MISSENSE, NONSENSE, SILENT, SPLICE, Cohort
from strandwise.drivers.positions import positions
from strandwise.formats.genes import COVARIATES

RANKED = ("combined_excess", "combined_typed", "nonsilent_typical_excess", "samples")
# What is known of a gene beforehand, as the regression of the background has it.
GENE_COLUMNS = ("log_length", *COVARIATES, "covariates_known")
EARLY = 0.9  # a truncation in the first 90 % of the protein is early

# Residue properties: Kyte & Doolittle 1982 hydropathy, side chain volume (Å3, Zamyatnin 1972), charge at pH 7.
HYDROPATHY = dict(zip("ARNDCQEGHILKMFPSTWYV", [1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5, 3.8, -3.9, 1.9, 2.8, -1.6, -0.8, -0.7, -0.9, -1.3, 4.2], strict=True))  # fmt: skip
VOLUME = dict(zip("ARNDCQEGHILKMFPSTWYV", [88.6, 173.4, 114.1, 111.1, 108.5, 143.8, 138.4, 60.1, 153.2, 166.7, 166.7, 168.6, 162.9, 189.9, 112.7, 89.0, 116.1, 227.8, 193.6, 140.0], strict=True))  # fmt: skip
CHARGE = {"R": 1.0, "K": 1.0, "H": 0.3, "D": -1.0, "E": -1.0}
BURIED = "CWYFGPILMV"  # residues whose change disturbs a fold more often


@dataclass
class Evidence:
    """table: one row per gene of the cohort (index = cohort.genes), the columns of the model; background: its expectations;
    tested: bool (G,), genes with at least one non-silent mutation; hotspots: codons hit more often than chance, for
    figures and driver mutations (gene, codon, samples, surprise)."""

    table: "pandas.DataFrame"
    background: Background
    tested: np.ndarray
    hotspots: "pandas.DataFrame"


def impact_table() -> np.ndarray:
    """How strange each amino-acid change is, float (20, 20): distance in hydropathy, volume and charge, each scaled to its spread."""
    properties = np.array([[HYDROPATHY[a] / 3.0, VOLUME[a] / 40.0, 1.5 * CHARGE.get(a, 0.0)] for a in AMINO_ACIDS])
    distance = np.sqrt(((properties[:, None, :] - properties[None, :, :]) ** 2).sum(axis=2))
    fold = np.array([0.7 if a in BURIED else 0.0 for a in AMINO_ACIDS])
    proline = np.array([0.7 if a == "P" else 0.0 for a in AMINO_ACIDS])
    return distance + fold[:, None] + proline[None, :]


def evidence(cohort: Cohort) -> Evidence:
    """All lines of evidence of a cohort."""
    background = fit_background(cohort)
    counts = background.counts
    columns: dict[str, np.ndarray] = {}
    for kind in ("missense", "truncating", "nonsilent", "inframe", "nonsense", "frameshift", "splice"):
        columns[f"{kind}_excess"] = surprise(counts[kind], background.expected[kind], background.shape[kind])
        columns[f"{kind}_typical_excess"] = surprise(
            counts[kind], background.typical[kind], background.typical_shape[kind]
        )
    for kind in ("missense", "truncating", "nonsilent"):
        columns[f"{kind}_ratio"] = np.log2((counts[kind] + 0.5) / (background.typical[kind] + 0.5))
    columns |= _recurrence(cohort, background)
    positional, hotspots = positions(cohort, background)
    columns |= positional
    columns |= _truncations(cohort, background)
    columns |= _impact(cohort)
    columns["combined"] = _combined(
        columns["missense_typical_excess"], columns["truncating_typical_excess"], columns["hotspot"]
    )
    columns["combined_excess"] = _combined(
        columns["nonsilent_excess"], columns["truncating_excess"], columns["hotspot"]
    )
    columns["combined_wide"] = _combined(
        columns["recurrence_missense"], columns["recurrence_truncating"], columns["cluster"]
    )
    columns["combined_typed"] = _combined(
        columns["nonsilent_typical_excess"], columns["truncating_spread"], columns["hotspot_typed"]
    )
    columns["combined_all"] = _combined(
        0.5 * (columns["missense_excess"] + columns["missense_typical_excess"]),
        0.5 * (columns["truncating_excess"] + columns["truncating_spread"]),
        0.5 * (columns["hotspot"] + columns["hotspot_typed"]),
        columns["cluster"],
        columns["inframe_typical_excess"],
    )
    columns["strongest"] = np.max(
        [columns[name] for name in ("nonsilent_excess", "truncating_excess", "hotspot")], axis=0
    )
    covariates = dict(zip(GENE_COLUMNS, design(cohort).T, strict=True))
    columns |= covariates
    # Coarse on purpose, for trees: a prior for long and for expressed genes, too blunt to tell genes apart.
    columns["length_class"] = np.round(2 * np.log(cohort.codons)) / 2
    expression = cohort.features["expression_CCLE"].to_numpy(float)
    columns["expression_class"] = np.round(2 * np.log10(np.maximum(expression, 1.0))) / 2
    columns["replication_class"] = np.round(cohort.features["replication_time"].to_numpy(float) / 150)
    for name in ("noncoding_mutation_rate", "local_GC_content", "HiC_compartment", "local_gene_density"):
        columns[f"{name}_class"] = np.round(covariates[name])
    nonsilent = cohort.effect != SILENT
    tested = np.bincount(cohort.gene[nonsilent], minlength=cohort.n_genes) > 0
    table = pandas.DataFrame({name: values.astype(np.float32) for name, values in columns.items()}, index=cohort.genes)
    return Evidence(table, background, tested, hotspots)


def with_ranks(found: Evidence, among: Evidence) -> "pandas.DataFrame":
    """The evidence table with a column rank_X for X in RANKED: minus the log of the rank that the value would have among the tested
    genes of `among` (the cohort itself, or for neutral cohorts the real one, so that both are measured alike)."""
    ranks = {}
    for name in RANKED:
        ordered = np.sort(among.table[name].to_numpy()[among.tested])
        values = found.table[name].to_numpy()
        below_left = np.searchsorted(ordered, values, side="left")
        below_right = np.searchsorted(ordered, values, side="right")
        rank = len(ordered) - 0.5 * (below_left + below_right) + 0.5
        ranks[f"rank_{name}"] = -np.log(np.maximum(rank, 1.0)).astype(np.float32)
    return found.table.assign(**ranks)


def _combined(*surprises: np.ndarray) -> np.ndarray:
    """Fisher's combination of independent p-values, -log10."""
    statistic = 2 * np.log(10) * np.sum(surprises, axis=0)
    return -np.log10(np.maximum(chdtrc(2 * len(surprises), statistic), 1e-300))


def _recurrence(cohort: Cohort, background: Background) -> dict[str, np.ndarray]:
    """Affected samples, each weighed by how few mutations it has: a hit in a quiet tumour says more than one in a busy tumour."""
    burden = np.bincount(cohort.sample, minlength=cohort.n_samples).astype(float)
    quiet = np.median(burden[burden > 0]) if (burden > 0).any() else 1.0
    vote = 1.0 / (burden + 0.5 * quiet)
    columns = {}
    nonsilent = cohort.effect != SILENT
    truncating = nonsilent & np.isin(cohort.effect, (NONSENSE, FRAMESHIFT, SPLICE))
    log_burden = np.log(np.maximum(burden, 1.0))
    for kind, chosen in (("missense", nonsilent & ~truncating), ("truncating", truncating), ("nonsilent", nonsilent)):
        pair = np.unique(cohort.gene[chosen].astype(np.int64) * cohort.n_samples + cohort.sample[chosen])
        gene, sample = pair // cohort.n_samples, pair % cohort.n_samples
        votes = np.bincount(gene, vote[sample], minlength=cohort.n_genes)
        of_sample = np.bincount(cohort.sample[chosen], minlength=cohort.n_samples).astype(float)
        total = max((of_sample * vote).sum(), 1e-12)
        unit = (of_sample * vote**2).sum() / total or 1.0
        mean = background.typical[kind] * (total / max(background.typical[kind].sum(), 1e-9))
        columns[f"recurrence_{kind}"] = surprise(votes / unit, mean / unit, background.typical_shape[kind])
        n = np.bincount(gene, minlength=cohort.n_genes)
        if kind == "nonsilent":
            columns["samples"] = np.log1p(n)
            columns["sample_share"] = n / cohort.n_samples
            usual = (of_sample * log_burden).sum() / max(of_sample.sum(), 1)
            spread = np.sqrt(max((of_sample * (log_burden - usual) ** 2).sum() / max(of_sample.sum(), 1), 1e-6))
            sums = np.bincount(gene, log_burden[sample], minlength=cohort.n_genes)
            columns["quiet_samples"] = (n * usual - sums) / (spread * np.sqrt(np.maximum(n, 1)))
    return columns


def _truncations(cohort: Cohort, background: Background) -> dict[str, np.ndarray]:
    """Truncation bias (truncating among non-silent), early truncations, and how many places they fall on."""
    g = cohort.n_genes
    counts = background.counts
    share = background.typical["truncating"] / np.maximum(background.typical["nonsilent"], 1e-9)
    n = counts["nonsilent"]
    bias = surprise(counts["truncating"], np.clip(share, 1e-4, 0.9) * np.maximum(n, 1e-9), 30.0)
    truncating = np.isin(cohort.effect, (NONSENSE, FRAMESHIFT, SPLICE))
    early = truncating & (cohort.codon < EARLY * cohort.codons[cohort.gene])
    early_count = np.bincount(cohort.gene[early], cohort.weight[early], minlength=g)
    places = np.unique(
        cohort.site[truncating].astype(np.int64) ^ (cohort.gene[truncating].astype(np.int64) << 42), return_index=True
    )[1]
    spread = np.bincount(cohort.gene[truncating][places], minlength=g)
    # recurrent truncations at one place: a hotspot of its own (NPM1), or a slippery repeat
    pair = np.unique(np.stack([cohort.site[truncating], cohort.gene[truncating], cohort.sample[truncating]]), axis=1)
    _, first, hits = np.unique(pair[0], return_index=True, return_counts=True)
    repeated = np.zeros(g)
    np.maximum.at(repeated, pair[1][first], hits)
    return {
        "truncating_repeats": repeated / np.maximum(np.bincount(pair[1], minlength=g), 1) * (repeated > 1),
        "truncating_recurrent": np.log1p(repeated),
        "truncation_bias": np.where(n > 0, bias, 0.0),
        "early_truncations": surprise(
            early_count, EARLY * background.typical["truncating"], background.typical_shape["truncating"]
        ),
        "truncating_share": (counts["truncating"] + 0.15) / (n + 1),
        "truncating_places": np.log1p(spread),
        "truncating_spread": surprise(spread, background.typical["truncating"], background.typical_shape["truncating"]),
    }


def _impact(cohort: Cohort) -> dict[str, np.ndarray]:
    """Mean strangeness of a gene's amino-acid changes as a z-score against the cohort's missense mutations."""
    table = impact_table()
    missense = (cohort.effect == MISSENSE) & (cohort.reference_aa >= 0) & (cohort.alternate_aa >= 0)
    if missense.sum() < 20:
        return {"impact": np.zeros(cohort.n_genes)}
    gene, weight = cohort.gene[missense], cohort.weight[missense]
    value = table[cohort.reference_aa[missense], cohort.alternate_aa[missense]]
    mean = np.average(value, weights=weight)
    deviation = np.sqrt(np.average((value - mean) ** 2, weights=weight)) or 1.0
    # each change counts once per gene: a hotspot's change is not many
    change = gene.astype(np.int64) * 1_000_000 + cohort.codon[missense]
    _, once = np.unique(change, return_index=True)
    n = np.bincount(gene[once], minlength=cohort.n_genes)
    sums = np.bincount(gene[once], (value[once] - mean) / deviation, minlength=cohort.n_genes)
    return {"impact": sums / np.sqrt(np.maximum(n, 1))}
