#!/usr/bin/env python3
"""Measures driver ranking beside its rivals, gene and cohort both held out; false genes on neutral cohorts; power on planted genes; time.

    python benchmarks/drivers/bench.py accuracy --data FOLDER --output FOLDER
    python benchmarks/drivers/bench.py prior --data FOLDER --output FOLDER
    python benchmarks/drivers/bench.py neutral --data FOLDER --output FOLDER
    python benchmarks/drivers/bench.py power --data FOLDER --output FOLDER
    python benchmarks/drivers/bench.py panels --data FOLDER --output FOLDER
    python benchmarks/drivers/bench.py time --data FOLDER --output FOLDER
    python benchmarks/drivers/pictures.py --tables FOLDER --pictures docs/images

FOLDER of --data holds cohorts/CODE.maf.tsv.gz and truth/intogen_2020_{by_type,any}.tsv.
"""

import pickle
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas
from typer import Option, Typer

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bin"), str(Path(__file__).parent)]

from rivals import rival_scores, xgboost_columns  # noqa: E402

from strandwise.drivers.evaluate import (  # noqa: E402
    Truth,
    all_metrics,
    bootstrap_interval,
    gene_p_values,
    held_out_scores,
    planted,
    read_truth,
)
from strandwise.drivers.evidence import evidence  # noqa: E402
from strandwise.drivers.neutral import benjamini_hochberg, neutral_cohort, relabelled  # noqa: E402
from strandwise.drivers.ranker import load_ranker  # noqa: E402
from strandwise.drivers.train import cohort_files, read_cohort, training_rows  # noqa: E402
from strandwise.progress import progress  # noqa: E402

GENES = ROOT / "assets" / "genes"
MODEL = ROOT / "assets" / "models" / "drivers"
PLAIN = (
    "sample_count",
    "poisson_length",
    "nb_cov",
    "nb_cov_trunc",
    "trunc_binom",
    "comb_len_trunc_hot",
    "comb_nb_trunc_hot",
    "minrank",
)
Data = Annotated[Path, Option(help="folder with cohorts/ and truth/")]
Output = Annotated[Path, Option(help="folder for tables")]
app = Typer(help=__doc__, pretty_exceptions_enable=False)


def cohorts_with_evidence(data: Path, output: Path) -> dict:
    """Cohort code -> (cohort, evidence); kept in `output` between the commands."""
    kept = output / "cohorts.pickle"
    if kept.is_file():
        with kept.open("rb") as stream:
            return pickle.load(stream)
    files = cohort_files(data / "cohorts")
    found = {code: read_cohort(path, GENES) for code, path in progress(files.items(), len(files), "cohorts")}
    output.mkdir(parents=True, exist_ok=True)
    with kept.open("wb") as stream:
        pickle.dump(found, stream)
    return found


def cohorts_to_learn_from(data: Path, output: Path) -> tuple[Truth, dict, pandas.DataFrame]:
    """Lists of drivers, what cohorts_with_evidence gives, and the rows of all cohorts that a ranker learns from."""
    truth = read_truth(data / "truth" / "intogen_2020_by_type.tsv", data / "truth" / "intogen_2020_any.tsv")
    found = cohorts_with_evidence(data, output)
    rows = [training_rows(code, each, truth.by_cohort) for code, (_, each) in found.items()]
    return truth, found, pandas.concat(rows, ignore_index=True)


def xgboost_rival(table: pandas.DataFrame, columns: list[str], groups: int) -> np.ndarray:
    """Untuned XGBoost (200 trees of depth 4) on the rivals' scores and covariates, gene and cohort held out as for ours."""
    import xgboost

    names = sorted(set(table["cohort"]))
    group = table["cohort"].map({name: number % groups for number, name in enumerate(names)}).to_numpy()
    fold, x, y = table["fold"].to_numpy(), table[columns].to_numpy(np.float32), table["driver"].to_numpy(float)
    settings = {
        "max_depth": 4,
        "eta": 0.1,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "objective": "binary:logistic",
        "nthread": 1,
    }
    scores = np.full(len(table), np.nan)
    for left_out in range(groups):
        for fold_out in range(5):
            learn, test = (group != left_out) & (fold != fold_out), (group == left_out) & (fold == fold_out)
            booster = xgboost.train(settings, xgboost.DMatrix(x[learn], label=y[learn]), 200)
            scores[test] = booster.predict(xgboost.DMatrix(x[test]), output_margin=True)
    return scores


@app.command()
def accuracy(
    data: Data, output: Output, groups: Annotated[int, Option(help="leave the cohorts out in so many groups")] = 4
) -> None:
    """Precision at 10, 20, 50 and average precision, mean over cohorts with bootstrap intervals."""
    truth, found, rows = cohorts_to_learn_from(data, output)
    rivals = []
    for _code, (cohort, each) in found.items():
        scores = rival_scores(cohort)
        rivals.append(xgboost_columns(cohort, scores)[each.tested])
    rival = pandas.concat(rivals, ignore_index=True)
    columns = list(rival.columns)
    together = pandas.concat([rival, rows[["gene", "cohort", "fold", "driver", "samples"]]], axis=1)
    scored = {name: rival[name].to_numpy(float) for name in PLAIN}
    scored["xgboost"] = xgboost_rival(together, columns, groups)
    scored["fisher_of_ours"] = rows["combined_excess"].to_numpy(float)
    scored["strandwise"] = held_out_scores(rows, groups)
    tables = {name: all_metrics(rows, score, truth) for name, score in scored.items()}
    pandas.concat(tables, names=["ranking", "cohort"]).round(4).to_csv(output / "accuracy_by_cohort.tsv", sep="\t")
    lines = []
    for name, table in tables.items():
        line: dict[str, object] = {"ranking": name}
        for metric in table:
            low, high = bootstrap_interval(table[metric].to_numpy())
            line[metric] = f"{table[metric].mean():.3f} ({low:.3f}-{high:.3f})"
        lines.append(line)
    pandas.DataFrame(lines).to_csv(output / "accuracy.tsv", sep="\t", index=False)
    lines = []
    for name in tables:
        if name == "strandwise":
            continue
        line = {"strandwise minus": name}
        for metric in tables[name]:
            difference = (tables["strandwise"][metric] - tables[name][metric]).to_numpy()
            low, high = bootstrap_interval(difference)
            line[metric] = f"{difference.mean():+.3f} ({low:+.3f} to {high:+.3f})"
        lines.append(line)
    pandas.DataFrame(lines).to_csv(output / "accuracy_differences.tsv", sep="\t", index=False)
    for name in ("accuracy.tsv", "accuracy_differences.tsv"):
        print((output / name).read_text())


@app.command()
def prior(
    data: Data, output: Output, groups: Annotated[int, Option(help="leave the cohorts out in so many groups")] = 4
) -> None:
    """What --driver_prior adds: the same figures for pancancer_rank, the tested cohort's own data not in the prior; and the weights a regression gives."""
    from scipy.optimize import minimize

    from strandwise.drivers.prior import lessons, prior_table

    truth, found, rows = cohorts_to_learn_from(data, output)
    taught = {code: lessons(code, *each) for code, each in found.items()}
    parts = []
    for code, (cohort, each) in found.items():
        others = pandas.concat([table for name, table in taught.items() if name != code])
        parts.append(prior_table(cohort, each, others)[each.tested])
    added = pandas.concat(parts, ignore_index=True)
    score = held_out_scores(rows, groups)
    y = rows["driver"].to_numpy(float)
    x = np.column_stack([np.ones(len(rows)), score, added["elsewhere"], added["hotspot"]])

    def loss(w: np.ndarray) -> float:
        return float((np.logaddexp(0, x @ w) - y * (x @ w)).sum() + 0.05 * (w[1:] ** 2).sum())

    weights = minimize(loss, np.array([0.0, 1.0, 1.0, 0.3])).x
    print("weights by regression, over that of the score:", (weights[2:] / weights[1]).round(2))
    tables = {
        "strandwise": all_metrics(rows, score, truth),
        "with --driver_prior pancancer": all_metrics(rows, score + added["added"].to_numpy(), truth),
    }
    lines = []
    for name, table in tables.items():
        intervals = {metric: bootstrap_interval(table[metric].to_numpy()) for metric in table}
        lines.append(
            {"ranking": name}
            | {m: f"{table[m].mean():.3f} ({low:.3f}-{high:.3f})" for m, (low, high) in intervals.items()}
        )
    pandas.DataFrame(lines).to_csv(output / "prior.tsv", sep="\t", index=False)
    print((output / "prior.tsv").read_text())


@app.command()
def time(data: Data, output: Output) -> None:
    """CPU seconds of reading, evidence and 8 neutral cohorts against the number of mutations: cohorts one after the other joined to one."""
    from time import process_time

    from strandwise.drivers import neutral as drawing
    from strandwise.drivers.mutations import prepare
    from strandwise.formats.genes import read_gene_features, read_symbols
    from strandwise.formats.maf import read_mafs

    drawing.NEUTRAL_COHORTS = (8, 8)
    ranker = load_ranker(MODEL)
    features, symbols = read_gene_features(GENES / "gene_features.tsv.gz"), read_symbols(GENES)
    files = cohort_files(data / "cohorts")
    lines = []
    for codes in (["LAML"], ["PRAD"], ["PRAD", "BRCA"], ["PRAD", "BRCA", "BLCA"], list(files)):
        start = process_time()
        cohort, _ = prepare(read_mafs([files[code] for code in codes]), symbols, features)
        read = process_time()
        gene_p_values(cohort, evidence(cohort), ranker, seed=1)
        lines.append(
            {"cohorts": len(codes), "samples": cohort.n_samples, "mutations": len(cohort.gene),
             "read_s": round(read - start, 1), "rank_s": round(process_time() - read, 1)}
        )  # fmt: skip
        print(lines[-1], flush=True)
        pandas.DataFrame(lines).to_csv(output / "time.tsv", sep="\t", index=False)


@app.command()
def neutral(data: Data, output: Output, draws: int = 2, only: str = "", kinds: str = "relabelled,simulated") -> None:
    """Genes at q < 0.1 and tail rates of p on silent mutations relabelled and on cohorts drawn from the background, hypermutated samples included."""
    ranker = load_ranker(MODEL)
    found = cohorts_with_evidence(data, output)
    lines = []
    chosen = only.split(",") if only else list(found)
    for code in progress(chosen, len(chosen), "neutral cohorts"):
        cohort, observed = found[code]
        for kind in kinds.split(","):
            for draw in range(draws):
                rng = np.random.default_rng(draw)
                made = (
                    relabelled(cohort, rng)
                    if kind == "relabelled"
                    else neutral_cohort(cohort, observed.background, rng)
                )
                _, p = gene_p_values(made, evidence(made), ranker, seed=100 + draw)
                np.save(output / f"p_{kind}_{code}_{draw}.npy", np.sort(p))
                lines.append(
                    {
                        "cohort": code,
                        "kind": kind,
                        "draw": draw,
                        "genes": len(p),
                        "q_below_0.1": int((benjamini_hochberg(p) < 0.1).sum()),
                    }
                    | {f"rate_{level}": round(float((p <= level).mean() / level), 3) for level in (0.05, 0.01, 0.001)}
                )
                pandas.DataFrame(lines).to_csv(output / "neutral.tsv", sep="\t", index=False)
    table = pandas.DataFrame(lines)
    print(
        table.groupby("kind")[["q_below_0.1", "rate_0.05", "rate_0.01", "rate_0.001"]]
        .agg(["mean", "max"])
        .round(3)
        .to_string()
    )


@app.command()
def panels(data: Data, output: Output, codes: str = "PRAD,GBM,BRCA,LUSC", size: int = 400) -> None:
    """Cohorts cut to a panel of 300 drivers and 100 other genes (what is read of a panel's MAF): genes at q < 0.1, among them drivers, real and
    relabelled, as if all genes had been sequenced and as the cohort tells its panel."""
    from strandwise.drivers import mutations
    from strandwise.formats.genes import read_gene_features, read_symbols
    from strandwise.formats.maf import read_mafs

    ranker = load_ranker(MODEL)
    truth = read_truth(data / "truth" / "intogen_2020_by_type.tsv", data / "truth" / "intogen_2020_any.tsv")
    features, symbols = read_gene_features(GENES / "gene_features.tsv.gz"), read_symbols(GENES)
    files = cohort_files(data / "cohorts")
    rng = np.random.default_rng(1)
    drivers = rng.choice(sorted(truth.everywhere), 3 * size // 4, replace=False)
    panel = {*drivers, *rng.choice(sorted(set(features.index) - truth.everywhere), size // 4, replace=False)}
    lines = []
    for code in progress(codes.split(","), codes.count(",") + 1, "panels"):
        maf = read_mafs([files[code]])
        maf.mutations = maf.mutations[maf.mutations["symbol"].astype("str").isin(panel)].reset_index(drop=True)
        for universe, threshold in (("all genes", 0.0), ("the panel's", mutations.PANEL)):
            kept, mutations.PANEL = mutations.PANEL, threshold
            cohort, _ = mutations.prepare(maf, symbols, features)
            mutations.PANEL = kept
            for kind, made in (("real", cohort), ("relabelled", relabelled(cohort, np.random.default_rng(0)))):
                tested, p = gene_p_values(made, evidence(made), ranker, seed=5)
                names = made.genes[tested[benjamini_hochberg(p) < 0.1]]
                lines.append(
                    {"cohort": code, "mutations": len(made.gene), "kind": kind, "universe": universe, "genes": made.n_genes,
                     "q_below_0.1": len(names), "drivers": int(np.isin(names, sorted(truth.everywhere)).sum())}
                )  # fmt: skip
                pandas.DataFrame(lines).to_csv(output / "panels.tsv", sep="\t", index=False)
    print(pandas.DataFrame(lines).to_string(index=False))


@app.command()
def power(data: Data, output: Output, code: str = "PRAD") -> None:
    """Planted genes (10 oncogenes, 10 suppressors) found at q < 0.1 against strength and cohort size, beside the Fisher rival."""
    from strandwise.drivers.mutations import of_samples

    ranker = load_ranker(MODEL)
    cohort, observed = cohorts_with_evidence(data, output)[code]
    lines = []
    for samples in (300, 100, cohort.n_samples):
        for share in (0.05, 0.02, 0.1, 0.01):
            rng = np.random.default_rng(int(1000 * share) + samples)
            base = of_samples(
                neutral_cohort(cohort, observed.background, rng), rng.choice(cohort.n_samples, samples, replace=False)
            )
            usual = np.flatnonzero((cohort.codons > 200) & (cohort.codons < 1500))
            genes = rng.choice(usual, 20, replace=False)
            made = planted(base, genes, share, rng)
            tested, p = gene_p_values(made, evidence(made), ranker, seed=1)
            below = set(tested[benjamini_hochberg(p) < 0.1].tolist())
            rival = 10.0 ** -rival_scores(made)["comb_nb_trunc_hot"].to_numpy()[tested]
            rival_below = set(tested[benjamini_hochberg(rival) < 0.1].tolist())
            planted_genes = set(genes.tolist())
            lines.append(
                {"samples": samples, "share": share, "found": len(below & planted_genes), "false": len(below - planted_genes),
                 "rival_found": len(rival_below & planted_genes), "rival_false": len(rival_below - planted_genes)}
            )  # fmt: skip
            print(lines[-1], flush=True)
            pandas.DataFrame(lines).to_csv(output / "power.tsv", sep="\t", index=False)


if __name__ == "__main__":
    app()
