"""Scoring as users do it, with the shipped model: known differences between leukaemia patients, and the cost of many samples."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu
from setting import CLINICAL, MODEL, PATIENTS, ROOT, Setting

SAMPLES = 10_000


def patients(_: Setting, output: Path) -> None:
    """AUROC of known differences between the shipped leukaemia patients, one-sided Mann-Whitney p, and with half the genes."""
    clinical = pd.read_csv(CLINICAL, sep="\t", dtype=str).set_index("sample")
    lineage, molecular = clinical["lineage"], clinical["molecular"]
    groups = {
        "BCR/ABL": clinical.index[(lineage == "B") & (molecular == "BCR/ABL")],
        "B lineage, NEG": clinical.index[(lineage == "B") & (molecular == "NEG")],
        "T lineage": clinical.index[lineage == "T"],
        "B lineage": clinical.index[lineage == "B"],
    }
    expression = pd.read_csv(PATIENTS, sep="\t", index_col=0)
    whole, half = delta_of(expression), delta_of(expression.sample(frac=0.5, random_state=1))
    rows: list[dict[str, object]] = []
    for drug, sensitive, others in (
        ("Dasatinib", "BCR/ABL", "B lineage, NEG"), ("Nilotinib", "BCR/ABL", "B lineage, NEG"),
        ("Bosutinib", "BCR/ABL", "B lineage, NEG"), ("Nelarabine", "T lineage", "B lineage"),
        ("Venetoclax", "B lineage", "T lineage"),
    ):  # fmt: skip
        row: dict[str, object] = {"drug": drug, "more_sensitive": sensitive, "than": others}
        for title, scores in (("", whole), ("half_genes_", half)):
            low, high = scores.loc[groups[sensitive], drug], scores.loc[groups[others], drug]
            test = mannwhitneyu(high, low, alternative="greater")
            row |= {f"{title}auroc": test.statistic / len(low) / len(high), f"{title}p": test.pvalue}
        rows.append(row | {"half_genes_spearman": whole[drug].corr(half[drug], method="spearman")})
    every = whole.corrwith(half, method="spearman")
    for name, value in (("median of all drugs", every.median()), ("lowest 5 % of drugs", every.quantile(0.05))):
        rows.append({"drug": name, "half_genes_spearman": value})
    pd.DataFrame(rows).to_csv(output, sep="\t", index=False, float_format="%.4g")


def delta_of(expression: pd.DataFrame) -> pd.DataFrame:
    """delta_ln_ic50, samples × drugs."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "e.tsv"
        expression.to_csv(table, sep="\t", index_label="gene")
        rows = pd.read_csv(score(table, CLINICAL), sep="\t", dtype={"sample": str, "drug": str})
    return rows.pivot(index="sample", columns="drug", values="delta_ln_ic50")


def score(table: Path, clinical: Path | None = None) -> Path:
    """Run the step on a table of log2 values; response.tsv is written beside it."""
    output, summary, notes = (table.with_name(name) for name in ("response.tsv", "s.json", "n.json"))
    command = [sys.executable, ROOT / "bin" / "drug_response.py", "score", "--model", MODEL]
    command += ["--expression", table, "--expression-scale", "log2", "--output", output]
    command += ["--summary", summary, "--notes", notes, *(["--clinical", clinical] if clinical else [])]
    subprocess.run(command, check=True)
    return output


def speed(_: Setting, output: Path) -> None:
    """Time and peak memory of scoring many samples (made from the patients' values with noise), all tables and pages."""
    expression = pd.read_csv(PATIENTS, sep="\t", index_col=0)
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "e.tsv"
        many = expression.iloc[:, random.integers(0, expression.shape[1], SAMPLES)].to_numpy()
        noisy = np.clip(many + random.normal(0, 0.3, many.shape), 0, 20)
        frame = pd.DataFrame(noisy, index=expression.index, columns=[f"S{number}" for number in range(SAMPLES)])
        frame.to_csv(table, sep="\t", index_label="gene", float_format="%.2f")
        del many, noisy, frame
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        score(table)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    row = {
        "samples": SAMPLES,
        "seconds": time.monotonic() - began,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_gb": after.ru_maxrss / 1024**2,
    }
    pd.DataFrame([row]).to_csv(output, sep="\t", index=False, float_format="%.4g")
