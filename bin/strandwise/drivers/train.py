"""Trains the learned combination across cohorts whose driver genes are known."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from strandwise import __version__
from strandwise.drivers.evidence import GENE_COLUMNS, Evidence, evidence, with_ranks
from strandwise.drivers.mutations import Cohort, prepare
from strandwise.drivers.prior import lessons, write_prior
from strandwise.drivers.ranker import LINEAR_SHARE, Linear, Mixture, bent
from strandwise.drivers.tables import LINES
from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.genes import read_gene_features, read_symbols
from strandwise.formats.maf import read_mafs
from strandwise.models.card import write_card
from strandwise.progress import progress

if TYPE_CHECKING:
    import pandas
    import xgboost

# Columns that may lower or raise a score; every other line of evidence may only raise it.
FREE = {
    *LINES["background"],
    "impact",
    "truncating_share",
    "truncating_repeats",
    "hotspot_share",
    "samples",
    "sample_share",
}
# What trees learn from: exact covariates would let them remember genes.
COLUMNS = [column for columns in LINES.values() for column in columns if column not in GENE_COLUMNS]
# Classes of covariates that half of the boosters do without: the two halves err on other genes.
SEEN_BY_HALF = [
    f"{name}_class" for name in ("noncoding_mutation_rate", "local_GC_content", "HiC_compartment", "local_gene_density")
]
ROUNDS = 200
SEEDS = (1, 2, 3, 4)
SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic", "max_depth": 3, "eta": 0.08, "min_child_weight": 3, "subsample": 0.7,
    "colsample_bytree": 0.3, "reg_lambda": 3, "tree_method": "hist", "max_bin": 64, "nthread": 1,
}  # fmt: skip
# What the linear model learns from: the combinations, standing, and what tells genes of like strength apart; and the precision of its
# slopes' prior, per standard deviation of a column.
LINEAR_COLUMNS = [
    "combined", "combined_excess", "combined_wide", "combined_typed", "combined_all", "strongest", "rank_combined_excess",
    "rank_combined_typed", "rank_nonsilent_typical_excess", "rank_samples", "missense_ratio", "truncating_ratio", "truncation_bias",
    "truncating_spread", "hotspot_sum", "hotspot_share", "recurrence_missense", "recurrence_truncating", "cluster", "impact",
    "sample_share", "quiet_samples", *GENE_COLUMNS,
]  # fmt: skip
PENALTY = 3.0
# Of genes without a sign of selection this share is enough to learn what they look like.
PLAIN_SHARE = 0.08
# A driver of another cancer type counts as this much of a driver per unit of combined evidence in the cohort, up to the limit:
# lists by type are incomplete, and a known driver with evidence is more likely a driver here than not.
ELSEWHERE, ELSEWHERE_LIMIT = 0.25, 0.6


def cohort_files(cohorts: Path) -> dict[str, Path]:
    """Cohort code -> MAF: of a folder with CODE.maf… files, or of a TSV with the columns cohort and maf."""
    import pandas

    if cohorts.is_dir():
        files = {path.name.split(".")[0]: path for path in sorted(cohorts.glob("*.maf*"))}
    elif cohorts.is_file():
        table = pandas.read_csv(cohorts, sep="\t", dtype="str", keep_default_na=False)
        missing = [name for name in ("cohort", "maf") if name not in table]
        if missing:
            raise InputError(*(f"{cohorts.name}: no column {name!r}" for name in missing))
        files = {code: cohorts.parent / maf for code, maf in zip(table["cohort"], table["maf"], strict=True)}
    else:
        raise InputError(f"{cohorts}: no such file or folder")
    if not files:
        raise InputError(f"{cohorts}: no file named CODE.maf…; one MAF per cohort is needed")
    return files


def read_labels(path: Path) -> dict[str, set[str]]:
    """Driver genes by cohort code, from a TSV with the columns tcga_code (or cohort) and gene."""
    import pandas

    table = pandas.read_csv(path, sep="\t", dtype="str", keep_default_na=False)
    code = next((name for name in ("tcga_code", "cohort") if name in table), None)
    if code is None or "gene" not in table:
        raise InputError(f"{path.name}: needs the columns tcga_code (or cohort) and gene")
    return {name: set(genes) for name, genes in table[table[code] != ""].groupby(code)["gene"]}


def read_cohort(path: Path, genes: Path, gene_features: Path | None = None) -> tuple[Cohort, Evidence]:
    """A cohort and its evidence, with the gene tables of the folder `genes`."""
    features = read_gene_features(gene_features or genes / "gene_features.tsv.gz")
    cohort, _ = prepare(read_mafs([path]), read_symbols(genes), features)
    return cohort, evidence(cohort)


def gene_fold(gene: str, folds: int = 5) -> int:
    """Fold of a gene for gene-wise cross-validation: md5 of its symbol modulo `folds`."""
    return int(hashlib.md5(gene.encode(), usedforsecurity=False).hexdigest(), 16) % folds


def training_rows(code: str, found: Evidence, labels: dict[str, set[str]]) -> "pandas.DataFrame":
    """Evidence of a cohort's tested genes with gene, cohort, fold, driver (of this type), elsewhere (of any) and label (0 to 1)."""
    table = with_ranks(found, found)[found.tested]
    driver = table.index.isin(labels[code])
    elsewhere = table.index.isin(set().union(*labels.values()))
    partly = np.clip(ELSEWHERE * table["combined_excess"].to_numpy(float), 0, ELSEWHERE_LIMIT) * elsewhere
    return table.assign(
        gene=table.index.astype(str), cohort=code, fold=[gene_fold(str(gene)) for gene in table.index],
        driver=driver, elsewhere=elsewhere, label=np.maximum(driver, partly),
    ).reset_index(drop=True)  # fmt: skip


def worth_learning(rows: "pandas.DataFrame", seed: int = 0) -> np.ndarray:
    """Rows to learn from: drivers of any type, genes with some evidence, and a share of the plain rest."""
    some = (rows["combined"] > 0.7) | (rows["combined_excess"] > 0.7) | (rows["samples"] > np.log(3.5))
    lucky = np.random.default_rng(seed).random(len(rows)) < PLAIN_SHARE
    return (rows["elsewhere"] | some).to_numpy() | lucky


def fit(rows: "pandas.DataFrame", seeds: Sequence[int] = SEEDS) -> Mixture:
    """Train on training rows: boosters, one per seed, for drivers of the cohort's cancer type, the linear model for drivers of any type.

    Evidence is monotone in both, covariates are free.
    """
    return Mixture(fit_boosters(rows[worth_learning(rows)], seeds), COLUMNS, fit_linear(rows))


def fit_boosters(rows: "pandas.DataFrame", seeds: Sequence[int]) -> "list[xgboost.Booster]":
    """One booster per seed; those of odd seeds do not see SEEN_BY_HALF (constant columns are never split on)."""
    import xgboost

    monotone = tuple(0 if name in FREE else 1 for name in COLUMNS)
    settings = {**SETTINGS, "monotone_constraints": monotone}
    label = rows["label"].to_numpy(float)
    seen = {
        0: xgboost.DMatrix(rows[COLUMNS].to_numpy(np.float32), label=label),
        1: xgboost.DMatrix(rows[COLUMNS].assign(**dict.fromkeys(SEEN_BY_HALF, 0.0)).to_numpy(np.float32), label=label),
    }
    return [xgboost.train({**settings, "seed": seed}, seen[seed % 2], ROUNDS) for seed in seeds]


def fit_linear(rows: "pandas.DataFrame") -> Linear:
    """Logistic regression on standardised columns, slopes of evidence not below 0, drawn to 0 by a Gaussian prior (PENALTY)."""
    from scipy.optimize import minimize

    values, label = bent(rows, LINEAR_COLUMNS), rows["elsewhere"].to_numpy(float)
    centres, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    x = np.column_stack([np.ones(len(values)), (values - centres) / spread])
    penalty = np.append(0.0, np.full(len(LINEAR_COLUMNS), PENALTY))

    def loss(slopes: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = x @ slopes
        value = (np.logaddexp(0, log_odds) - label * log_odds).sum() + 0.5 * (penalty * slopes**2).sum()
        return float(value), x.T @ (expit(log_odds) - label) + penalty * slopes

    bounds = [(None, None), *((None if name in FREE else 0.0, None) for name in LINEAR_COLUMNS)]
    start = np.append(-4.0, np.zeros(len(LINEAR_COLUMNS)))
    slopes = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}).x
    return Linear(LINEAR_COLUMNS, slopes[1:] / spread, centres, float(slopes[0]))


def train(
    cohorts: Path, labels: Path, genes: Path, output: Path, without: Sequence[str], name: str, version: str
) -> None:
    """Train on all cohorts but `without`, and write the model folder with its card."""
    import pandas

    drivers = read_labels(labels)
    files = {code: path for code, path in cohort_files(cohorts).items() if code not in without}
    unlabelled = [code for code in files if code not in drivers]
    if unlabelled:
        raise InputError(*(f"{labels.name}: no driver genes for cohort {code}" for code in unlabelled))
    tables, taught = [], []
    for code, path in progress(files.items(), len(files), "cohorts"):
        cohort, found = read_cohort(path, genes)
        tables.append(training_rows(code, found, drivers))
        taught.append(lessons(code, cohort, found))
    rows = pandas.concat(tables)
    fitted = fit(rows)
    output.mkdir(parents=True, exist_ok=True)
    for stale in output.glob("booster_*.ubj"):
        stale.unlink()
    names = ["columns.json", "linear.json", write_prior(taught, output)]
    linear = fitted.linear
    terms = zip(linear.columns, linear.slopes.tolist(), linear.centres.tolist(), strict=True)
    content = {
        "base": linear.base,
        "terms": {name: {"slope": slope, "centre": centre} for name, slope, centre in terms},
    }
    for file, values in (("columns.json", fitted.columns), ("linear.json", content)):
        with written(output / file) as temporary:
            temporary.write_text(json.dumps(values, indent=1) + "\n")
    for number, booster in enumerate(fitted.boosters):
        names.append(f"booster_{number}.ubj")
        with written(output / names[-1]) as temporary:
            booster.save_model(temporary)
    details = {
        "job": "drivers",
        "name": name,
        "version": version,
        "made_by": f"strandwise {__version__}, drivers.py train",
        "method": f"mean of {len(fitted.boosters)} XGBoost models, {ROUNDS} trees each, and a logistic regression (share {LINEAR_SHARE}), monotone in the evidence",
        "trained_on": {
            "cohorts": sorted(files),
            "left_out": sorted(without),
            "labels": labels.name,
            "genes": len(rows),
            "drivers": int(rows["driver"].sum()),
        },
        "input": "somatic coding mutations of a cohort (MAF) with silent mutations; any build",
        "limits": "whole exomes of 30 to 1,000 tumours were seen in training; panels and single tumours rank by less evidence",
        "licence": "Apache-2.0; labels IntOGen 2020 (CC0 1.0), mutations TCGA open access",
        "prior": "pancancer.tsv.gz: hotspots and evidence of the training cohorts, used with --driver_prior alone",
        "settings": SETTINGS,
        "seeds": list(SEEDS),
    }
    write_card(output, details, names)
