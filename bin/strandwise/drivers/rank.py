"""Ranks the driver genes of a cohort, from MAF files to tables."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
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
from strandwise.drivers.ranker import Ranker, load_ranker
from strandwise.drivers.tables import (
    DRIVER_CALIBRATION,
    DRIVER_GENES,
    DRIVER_MUTATIONS,
    DRIVER_REASONS,
    GENE_PAIRS,
    ONCOPLOT,
)
from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.genes import read_gene_features, read_symbols
from strandwise.formats.maf import Maf, read_mafs
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


@dataclass
class Ranking:
    """A ranked cohort. table: the driver table, best first; reasons: what each line of evidence adds, from `base` on, to the scores of the
    first EXPLAINED genes (index); likely: mutations of the genes below Q_LIMIT that selection explains; calibrated: the check on
    silent mutations, None where they are too few."""

    maf: Maf
    cohort: Cohort
    found: Evidence
    table: "pandas.DataFrame"
    reasons: "pandas.DataFrame"
    base: float
    likely: "pandas.DataFrame"
    calibrated: Calibration | None

    @property
    def drivers(self) -> "pandas.DataFrame":
        """Rows of the genes below Q_LIMIT."""
        return below_limit(self.table)

    @property
    def paged(self) -> "pandas.DataFrame":
        """Rows of the genes that get a page."""
        return self.table.head(max(len(self.drivers), FEWEST_PAGES)).head(PAGES)


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
    features = read_gene_features(gene_features or genes / "gene_features.tsv.gz")
    maf = read_mafs(mafs)
    cohort, prepared = prepare(maf, read_symbols(genes), features)
    if (cohort.effect == SILENT).all():
        raise InputError(
            "MAF: all mutations of known genes are silent; selection is seen in those that change a protein"
        )
    build, checked = build_notes(maf, cohort, reference)
    if reference:
        checked += with_contexts(maf, cohort, reference)
    ranking = ranked(maf, cohort, ranker, read_prior(model) if prior else None)
    version = ranker.card.model_version
    write_tables(ranking, version, output)
    write_pages(maf, cohort, ranking.paged, ranking.reasons, ranking.base, version, output.with_name("genes"))
    with written(summary) as temporary:
        temporary.write_text(json.dumps(facts(ranking, build, version), indent=1) + "\n")
    write_notes([*maf.notes, *prepared, *checked, *result_notes(ranking)], notes)


def ranked(maf: Maf, cohort: Cohort, ranker: Ranker, prior: "pandas.DataFrame | None") -> Ranking:
    """Score, test and explain the genes of a cohort. prior: what read_prior gives, or None."""
    found = evidence(cohort)
    scores = ranker.score(found, found)
    table = gene_table(cohort, found, scores, neutral_scores(cohort, found, ranker.score, SEED))
    reasons, base = ranker.mixture.reasons(with_ranks(found, found).loc[table["gene"].head(EXPLAINED)])
    table["why"] = why(reasons).reindex(table["gene"]).to_numpy()
    table = with_prior(table, None if prior is None else prior_table(cohort, found, prior))
    likely = likely_drivers(maf, cohort, found, below_limit(table))
    calibrated = calibration(cohort, ranker.score, SEED + 1)
    return Ranking(maf, cohort, found, table, reasons, base, likely, calibrated)


def below_limit(table: "pandas.DataFrame") -> "pandas.DataFrame":
    return table[table["q_value"] < Q_LIMIT]


def write_tables(ranking: Ranking, version: str, output: Path) -> None:
    """Write the driver table and the job's other tables beside it."""
    names = ranking.drivers["gene"].tolist()
    reasons = ranking.reasons.reset_index(names="gene").assign(base=ranking.base)
    reasons.insert(1, "rank", np.arange(1, len(reasons) + 1))
    tables = {
        "driver_reasons.tsv": (DRIVER_REASONS, reasons),
        "driver_mutations.tsv": (DRIVER_MUTATIONS, ranking.likely),
        "gene_pairs.tsv": (GENE_PAIRS, gene_pairs(ranking.cohort, names)),
        "oncoplot.tsv": (ONCOPLOT, oncoplot(ranking.maf, ranking.cohort, names[:PAGES])),
        "driver_calibration.tsv": (
            DRIVER_CALIBRATION,
            calibration_table(ranking.table["p_value"].to_numpy(), ranking.calibrated),
        ),
    }
    write_table(DRIVER_GENES, ranking.table, version, output)
    for name, (schema, table) in tables.items():
        write_table(schema, table, version, output.with_name(name))


def facts(ranking: Ranking, build: str, version: str) -> dict[str, object]:
    """Small numbers for the report."""
    cohort, calibrated = ranking.cohort, ranking.calibrated
    result: dict[str, object] = {
        "samples": cohort.n_samples,
        "mutations": len(cohort.gene),
        "silent_mutations": int((cohort.effect == SILENT).sum()),
        "genes_tested": int(ranking.found.tested.sum()),
        "genes_below_q": len(ranking.drivers),
        "q_limit": Q_LIMIT,
        "samples_with_driver": int(ranking.likely["sample"].nunique()),
        "build": build,
        "top_genes": ranking.table["gene"].head(10).tolist(),
        "pages": [gene for gene in ranking.paged["gene"] if file_name(gene) == gene],
        "model_version": version,
        "seed": SEED,
    }
    if calibrated:
        result["calibration"] = {
            "genes": len(calibrated.p),
            "genes_below_q": calibrated.below,
            "rates": {str(level): round(calibrated.rate(level), 3) for level in LEVELS},
        }
    return result


def result_notes(ranking: Ranking) -> list[Note]:
    """What the result itself gives reason to say."""
    notes = []
    false = ranking.calibrated.below if ranking.calibrated else 0
    if false > MOST_FALSE:
        text = (
            f"{false} genes reach q < {Q_LIMIT} when this cohort's silent mutations are given other effects, where none should: "
            "its q-values are too small; mapping errors or germline variants are likely among the mutations."
        )
        notes.append(Note("warning", text))
    if ranking.drivers.empty:
        notes.append(Note("info", f"No gene is below q = {Q_LIMIT}: the cohort's mutations look like chance."))
    return notes


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
