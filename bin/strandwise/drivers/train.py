"""Trains the learned combination across cohorts whose driver genes are known."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strandwise import __version__
from strandwise.drivers.evidence import Evidence, evidence, with_ranks
from strandwise.drivers.mutations import Cohort, prepare
from strandwise.drivers.prior import lessons, write_prior
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
FREE = {"length_class", "expression_class", "replication_class", "impact", "truncating_share", "truncating_repeats", "hotspot_share", "samples",
        "sample_share"}  # fmt: skip
COLUMNS = [column for columns in LINES.values() for column in columns]
ROUNDS = 200
SEEDS = (1, 2, 3)
SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic", "max_depth": 3, "eta": 0.08, "min_child_weight": 3, "subsample": 0.7,
    "colsample_bytree": 0.3, "reg_lambda": 3, "tree_method": "hist", "max_bin": 64, "nthread": 1,
}  # fmt: skip
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


def fit_boosters(rows: "pandas.DataFrame", columns: list[str], seeds: Sequence[int] = SEEDS) -> "list[xgboost.Booster]":
    """Train one booster per seed on training rows; evidence is monotone, covariates are free."""
    import xgboost

    rows = rows[worth_learning(rows)]
    monotone = tuple(0 if name in FREE else 1 for name in columns)
    data = xgboost.DMatrix(rows[columns].to_numpy(np.float32), label=rows["label"].to_numpy(float))
    settings = {**SETTINGS, "monotone_constraints": monotone}
    return [xgboost.train({**settings, "seed": seed}, data, ROUNDS) for seed in seeds]


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
    boosters = fit_boosters(rows, COLUMNS)
    output.mkdir(parents=True, exist_ok=True)
    for stale in output.glob("booster_*.ubj"):
        stale.unlink()
    names = ["columns.json", write_prior(taught, output)]
    with written(output / "columns.json") as temporary:
        temporary.write_text(json.dumps(COLUMNS, indent=1) + "\n")
    for number, booster in enumerate(boosters):
        names.append(f"booster_{number}.ubj")
        with written(output / names[-1]) as temporary:
            booster.save_model(temporary)
    details = {
        "job": "drivers",
        "name": name,
        "version": version,
        "made_by": f"strandwise {__version__}, drivers.py train",
        "method": f"mean of {len(boosters)} XGBoost models, {ROUNDS} trees each, monotone in the evidence",
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
