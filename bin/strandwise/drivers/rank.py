"""Ranks the driver genes of a cohort, from MAF files to tables."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strandwise.drivers.build import build_notes
from strandwise.drivers.contexts import with_contexts
from strandwise.drivers.evidence import Evidence, evidence, with_ranks
from strandwise.drivers.figures import file_name, write_pages
from strandwise.drivers.likely import likely_drivers
from strandwise.drivers.mutations import (
    AMINO_ACIDS,
    FRAMESHIFT,
    INFRAME,
    MISSENSE,
    NONSENSE,
    SILENT,
    SPLICE,
    START_STOP,
    Cohort,
    prepare,
)
from strandwise.drivers.neutral import Calibration, Neutral, benjamini_hochberg, calibration, neutral_scores, p_values
from strandwise.drivers.pairs import gene_pairs, oncoplot
from strandwise.drivers.prior import prior_table, read_prior, with_prior
from strandwise.drivers.ranker import load_ranker
from strandwise.drivers.tables import (
    DRIVER_CALIBRATION,
    DRIVER_GENES,
    DRIVER_MUTATIONS,
    DRIVER_REASONS,
    GENE_PAIRS,
    ONCOPLOT,
)
from strandwise.formats.files import written
from strandwise.formats.genes import read_gene_features, read_symbols
from strandwise.formats.maf import read_mafs
from strandwise.formats.notes import Note, write_notes
from strandwise.formats.tables import write_table

if TYPE_CHECKING:
    import pandas

SEED = 20
Q_LIMIT = 0.1
LEVELS = (0.05, 0.01, 0.001)
MOST_FALSE = 2  # genes below Q_LIMIT among relabelled silent mutations that pass without a warning
CURVE = 60  # points of a quantile plot
EXPLAINED = 200  # genes whose reasons are written out
PAGES, FEWEST_PAGES = 25, 5  # gene pages: of the genes below Q_LIMIT, within these bounds


def rank(
    mafs: Sequence[Path],
    model: Path,
    genes: Path,
    gene_features: Path | None,
    reference: Path | None,
    prior: bool,
    output: Path,
    summary: Path,
    notes: Path,
) -> None:
    """Rank the genes of a cohort; write the tables, gene pages, summary and notes beside `output`.

    prior: whether to add what the model's training cohorts taught about genes and hotspots, as columns of their own.

    Raises InputError for input that cannot be used.
    """
    ranker = load_ranker(model)
    version = ranker.card.model_version
    features = read_gene_features(gene_features or genes / "gene_features.tsv.gz")
    maf = read_mafs(mafs)
    cohort, found_notes = prepare(maf, read_symbols(genes), features)
    build, checked = build_notes(maf, cohort, reference)
    if reference:
        checked += with_contexts(maf, cohort, reference)
    found = evidence(cohort)
    scores = ranker.score(found, found)
    neutral = neutral_scores(cohort, found, ranker.score, SEED)
    table = gene_table(cohort, found, scores, neutral)
    reasons, base = ranker.mixture.reasons(with_ranks(found, found).loc[table["gene"].head(EXPLAINED)])
    table["why"] = why(reasons).reindex(table["gene"]).to_numpy()
    table = with_prior(table, prior_table(cohort, found, read_prior(model)) if prior else None)
    write_table(DRIVER_GENES, table, version, output)
    shown = reasons.reset_index(names="gene")
    shown.insert(1, "rank", np.arange(1, len(shown) + 1))
    write_table(DRIVER_REASONS, shown.assign(base=base), version, output.with_name("driver_reasons.tsv"))

    drivers = table[table["q_value"] < Q_LIMIT]
    likely = likely_drivers(maf, cohort, found, drivers)
    write_table(DRIVER_MUTATIONS, likely, version, output.with_name("driver_mutations.tsv"))
    names = drivers["gene"].tolist()
    write_table(GENE_PAIRS, gene_pairs(cohort, names), version, output.with_name("gene_pairs.tsv"))
    write_table(ONCOPLOT, oncoplot(maf, cohort, names[:PAGES]), version, output.with_name("oncoplot.tsv"))
    paged = table.head(max(len(drivers), FEWEST_PAGES)).head(PAGES)
    write_pages(maf, cohort, paged, reasons, base, version, output.with_name("genes"))

    checked_on = calibration(cohort, ranker.score, SEED + 1)
    curve = calibration_table(table["p_value"].to_numpy(), checked_on)
    write_table(DRIVER_CALIBRATION, curve, version, output.with_name("driver_calibration.tsv"))
    facts: dict[str, object] = {
        "samples": cohort.n_samples,
        "mutations": len(cohort.gene),
        "silent_mutations": int((cohort.effect == SILENT).sum()),
        "genes_tested": int(found.tested.sum()),
        "genes_below_q": len(drivers),
        "q_limit": Q_LIMIT,
        "samples_with_driver": int(likely["sample"].nunique()),
        "build": build,
        "top_genes": table["gene"].head(10).tolist(),
        "pages": [gene for gene in paged["gene"] if file_name(gene) == gene],
        "model_version": version,
        "seed": SEED,
    }
    if checked_on:
        facts["calibration"] = {
            "genes": len(checked_on.p),
            "genes_below_q": checked_on.below,
            "rates": {str(level): round(checked_on.rate(level), 3) for level in LEVELS},
        }
        if checked_on.below > MOST_FALSE:
            found_notes.append(
                Note(
                    "warning",
                    f"{checked_on.below} genes reach q < {Q_LIMIT} when this cohort's silent mutations are given other effects, where none should: "
                    "its q-values are too small; mapping errors or germline variants are likely among the mutations.",
                )
            )
    with written(summary) as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n")
    all_notes = [*maf.notes, *found_notes, *checked]
    if drivers.empty:
        all_notes.append(Note("info", f"No gene is below q = {Q_LIMIT}: the cohort's mutations look like chance."))
    write_notes(all_notes, notes)


def gene_table(cohort: Cohort, found: Evidence, scores: np.ndarray, neutral: Neutral) -> "pandas.DataFrame":
    """The driver table of tested genes, best first, without the column why."""
    import pandas

    tested = np.flatnonzero(found.tested)
    order = tested[
        np.lexsort((cohort.genes[tested].astype(str), -found.table["samples"].to_numpy()[tested], -scores[tested]))
    ]
    p = p_values(scores[order], neutral)
    count = {
        effect: np.bincount(cohort.gene[cohort.effect == effect], minlength=cohort.n_genes)[order]
        for effect in (SILENT, MISSENSE, INFRAME, START_STOP, SPLICE, FRAMESHIFT, NONSENSE)
    }
    evidence_of = found.table.iloc[order]
    columns = {
        "gene": cohort.genes[order],
        "rank": np.arange(1, len(order) + 1),
        "score": scores[order],
        "p_value": p,
        "q_value": benjamini_hochberg(p),
        "chromosome": cohort.features["chr"].iloc[order].replace("", None).to_numpy(),
        "n_samples": np.round(np.expm1(evidence_of["samples"])).astype(int).to_numpy(),
        "n_missense": count[MISSENSE] + count[START_STOP],
        "n_inframe": count[INFRAME],
        "n_nonsense": count[NONSENSE],
        "n_frameshift": count[FRAMESHIFT],
        "n_splice": count[SPLICE],
        "n_silent": count[SILENT],
        "expected_missense": found.background.expected["missense"][order],
        "expected_truncating": found.background.expected["truncating"][order],
        "missense_excess": evidence_of["missense_excess"].to_numpy(),
        "truncating_excess": evidence_of["truncating_excess"].to_numpy(),
        "hotspot": evidence_of["hotspot"].to_numpy(),
        "top_hotspot": top_hotspots(cohort)[order],
        "clustering": evidence_of["cluster"].to_numpy(),
        "truncation_bias": evidence_of["truncation_bias"].to_numpy(),
        "recurrence": evidence_of["recurrence_nonsilent"].to_numpy(),
        "impact": evidence_of["impact"].to_numpy(),
    }
    table = pandas.DataFrame(columns)
    for name in ("missense_excess", "truncating_excess", "hotspot", "clustering", "truncation_bias", "recurrence"):
        table[name] = table[name].clip(lower=0) + 0.0
    return table


def calibration_table(p: np.ndarray, checked_on: Calibration | None) -> "pandas.DataFrame":
    """p-values at CURVE ranks, the smallest first and closer together, against those of a uniform distribution."""
    import pandas

    parts = []
    for name, values in (
        ("this cohort", p),
        ("silent mutations, relabelled", checked_on.p if checked_on else np.empty(0)),
    ):
        ordered = np.sort(values)
        rank = np.unique(np.geomspace(1, max(len(ordered), 1), CURVE).astype(int))[: len(ordered)]
        parts.append(
            pandas.DataFrame(
                {"genes": name, "expected": (rank - 0.5) / max(len(ordered), 1), "observed": ordered[rank - 1]}
            )
        )
    return pandas.concat(parts, ignore_index=True)


def top_hotspots(cohort: Cohort) -> np.ndarray:
    """Per gene the codon that most samples hit by missense or in-frame changes, as `R132 (10)`; None below two samples."""
    chosen = np.isin(cohort.effect, (MISSENSE, INFRAME, START_STOP)) & (cohort.codon > 0)
    key = (cohort.gene[chosen].astype(np.int64) << 20) + cohort.codon[chosen]
    pair = np.unique(np.stack([key, cohort.sample[chosen]]), axis=1)
    sites, hits = np.unique(pair[0], return_counts=True)
    residue = dict(zip(key.tolist(), cohort.reference_aa[chosen].tolist(), strict=True))
    result = np.full(cohort.n_genes, None, dtype=object)
    best = np.ones(cohort.n_genes, int)
    for site, count in zip(sites[hits > 1].tolist(), hits[hits > 1].tolist(), strict=True):
        gene, codon = site >> 20, site & ((1 << 20) - 1)
        if count > best[gene]:
            best[gene] = count
            letter = AMINO_ACIDS[residue[site]] if residue[site] >= 0 else ""
            result[gene] = f"{letter}{codon} ({count})"
    return result


def why(reasons: "pandas.DataFrame") -> "pandas.Series":
    """The three lines that raise a gene most, as text."""

    def text(row: "pandas.Series") -> str:
        largest = row.drop(["background"]).nlargest(3)
        return ", ".join(f"{line.replace('_', ' ')} {value:+.1f}" for line, value in largest.items() if value > 0.05)

    return reasons.apply(text, axis=1)
