"""Makes what the jobs leave for the report: the same files, with random but seeded numbers, for any number of samples."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from strandwise.drivers.tables import DRIVER_CALIBRATION, DRIVER_GENES, DRIVER_REASONS, GENE_PAIRS, ONCOPLOT
from strandwise.drug_response.tables import RESPONSE, SUMMARY
from strandwise.formats.notes import Note, write_notes
from strandwise.formats.shares import share_interval
from strandwise.formats.tables import Table, write_table
from strandwise.small_variants.reliability import Judged, reliability_of
from strandwise.small_variants.sex import Depths, judged
from strandwise.small_variants.tables import EVALUATION, RELIABILITY

CHROMOSOMES = {f"chr{name}": 250_000_000 - 8_000_000 * index for index, name in enumerate([*range(1, 23), "X", "Y"])}
SHORT_CONTIGS = {f"chrUn_{index}": 20_000 for index in range(400)}


def samtools_stats(random: np.random.Generator) -> str:
    reads = int(random.integers(6e8, 9e8))
    lines = ["# This file was produced by samtools stats (1.21+htslib-1.21) and can be plotted using plot-bamstats"]
    numbers = {
        "raw total sequences": reads,
        "sequences": reads,
        "filtered sequences": 0,
        "reads mapped": int(reads * 0.995),
        "reads mapped and paired": int(reads * 0.99),
        "reads unmapped": reads - int(reads * 0.995),
        "reads properly paired": int(reads * 0.98),
        "reads paired": reads,
        "reads duplicated": int(reads * random.uniform(0.02, 0.2)),
        "reads MQ0": int(reads * 0.02),
        "reads QC failed": 0,
        "non-primary alignments": 0,
        "bases mapped (cigar)": reads * 148,
        "error rate": 3.4e-3,
        "average length": 150,
        "average quality": 36.7,
        "insert size average": 380.2,
        "insert size standard deviation": 90.1,
    }
    lines += [f"SN\t{name}:\t{value}" for name, value in numbers.items()]
    sizes = np.arange(1000)
    pairs = (1e6 * np.exp(-(((sizes - 380) / 90) ** 2)) * random.uniform(0.9, 1.1, 1000)).astype(int)
    lines += [f"IS\t{size}\t{count}\t{count}\t0\t0" for size, count in zip(sizes, pairs, strict=True)]
    lines += [f"COV\t[{depth}-{depth}]\t{depth}\t1000" for depth in range(1, 1000)]
    return "\n".join(lines) + "\n"


def samtools_coverage(random: np.random.Generator) -> str:
    lines = ["#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\tmeanbaseq\tmeanmapq"]
    for contig, length in (CHROMOSOMES | SHORT_CONTIGS).items():
        depth = random.uniform(28, 36)
        lines.append(
            f"{contig}\t1\t{length}\t{int(depth * length / 150)}\t{int(length * 0.95)}\t95\t{depth:.2f}\t36\t55"
        )
    return "\n".join(lines) + "\n"


def bcftools_stats(identifier: str, sample: str, random: np.random.Generator) -> str:
    lines = ["# This file was produced by bcftools stats (1.21+htslib-1.21) and can be plotted using plot-vcfstats."]
    lines += [f"ID\t0\t{identifier}.vcf.gz", "SN\t0\tnumber of samples:\t1", "SN\t0\tnumber of records:\t4800000"]
    lines += ["SN\t0\tnumber of SNPs:\t3900000", "SN\t0\tnumber of indels:\t900000", "SN\t0\tnumber of MNPs:\t0"]
    lines += ["SN\t0\tnumber of others:\t0", "SN\t0\tnumber of multiallelic sites:\t1000"]
    lines += ["TSTV\t0\t2600000\t1300000\t2.00\t2600000\t1300000\t2.00"]
    lines += [f"QUAL\t0\t{quality:.1f}\t{random.integers(1000)}\t500\t200\t60" for quality in np.arange(0, 99, 0.1)]
    lines += [f"IDD\t0\t{length}\t{random.integers(1, 1000)}\t0\t." for length in range(-60, 61) if length]
    bases = [(a, b) for a in "ACGT" for b in "ACGT" if a != b]
    lines += [f"ST\t0\t{a}>{b}\t{random.integers(100_000, 900_000)}" for a, b in bases]
    lines += [f"DP\t0\t{depth}\t0\t0.0\t{random.integers(10_000)}\t{random.uniform():.4f}" for depth in range(500)]
    lines += [f"PSC\t0\t{sample}\t0\t1500000\t2400000\t2600000\t1300000\t900000\t31.0\t0\t0\t0\t0"]
    return "\n".join(lines) + "\n"


def small_variants_summary(sample: str, random: np.random.Generator) -> dict[str, Any]:
    return {
        "sample": sample,
        "model_version": "small_variants 1",
        "records": {
            "snp": int(random.integers(38e5, 40e5)),
            "indel": int(random.integers(8e5, 9e5)),
            "multiallelic": 4100,
        },
        "filters": {"PASS": 4_804_100, "RefCall": 3_100_000, "LowQual": 41_000},
        "ti": 2_600_000,
        "tv": 1_300_000,
        "het": 2_400_000,
        "hom_alt": 1_500_000,
        "gq": {
            "edges": list(range(0, 101, 10)),
            "snp": [int(count) for count in random.integers(1000, 9000, 10)],
            "indel": [int(count) for count in random.integers(1000, 9000, 10)],
        },
        "bases": 2_900_000_000,
        "mean_depth": float(random.uniform(29, 36)),
        "callable_share": 0.953,
    }


def add_sample(folder: Path, identifier: str, sample: str, random: np.random.Generator) -> None:
    (folder / f"{identifier}.samtools_stats.txt").write_text(samtools_stats(random))
    (folder / f"{identifier}.coverage.txt").write_text(samtools_coverage(random))
    (folder / f"{identifier}.bcftools_stats.txt").write_text(bcftools_stats(identifier, sample, random))
    (folder / f"{identifier}.small_variants.json").write_text(json.dumps(small_variants_summary(sample, random)))


def add_small_variants(folder: Path, samples: dict[str, str], failed: tuple[str, ...] = ()) -> None:
    """samples: id → name, all planned; the ids in `failed` leave nothing."""
    random = np.random.default_rng(1)
    for identifier, sample in samples.items():
        if identifier not in failed:
            add_sample(folder, identifier, sample, random)
    plan = {"samples": [{"id": identifier, "sample": sample} for identifier, sample in samples.items()]}
    (folder / "plan.json").write_text(json.dumps(plan))


def add_evaluation(folder: Path, identifier: str, missed: int) -> None:
    """1,000 true SNPs of which `missed` are missed, without false ones; 10 true indels, all found, and one false."""
    rows = []
    for kind, total, fn, fp in (("SNP", 1000, missed, 0), ("INDEL", 10, 0, 1)):
        found = total - fn
        precision, recall = found / (found + fp), found / total
        f1 = 2 * precision * recall / (precision + recall)
        least, most = share_interval(fn + fp, total + found + fp)
        numbers = (total, found + fp, found, found, fn, fp, 0, precision, recall, f1, 1 - most, 1 - least)
        rows += [(*part, kind, *numbers) for part in (("all", "all"), ("genotype", "heterozygous"))]
    frame = pd.DataFrame(rows, columns=[column.name for column in EVALUATION.columns])
    write_table(EVALUATION, frame, "small_variants 1", folder / f"{identifier}.evaluation.tsv")


def add_reliability(path: Path, *sets: str) -> None:
    """Of each set: 1,000 called SNPs at GQ 15 to 20 with 25 errors expected and 60 seen; 500 rejected indels, 2 expected, 1 seen."""
    frames = []
    for name in sets:
        called = [Judged("SNP", 16.0, True, 0.025, number < 60) for number in range(1000)]
        rejected = [Judged("INDEL", 24.0, False, 0.004, number < 1) for number in range(500)]
        frames.append(reliability_of(name, called + rejected))
    write_table(RELIABILITY, pd.concat(frames), "small_variants 1", path)


def add_costs(folder: Path, identifier: str, shards: int) -> None:
    """`shards` shards of 60 s and the tasks around them."""
    tasks = {"shards": ("shards", 0.2, 1.0), "gather": ("gather", 0.2, 2.0), "summary": ("summarise", 0.4, 100.4)}
    tasks |= {f"{number:04}": ("call", 0.5, 60.5) for number in range(1, shards + 1)}
    for name, (task, start, cpu) in tasks.items():
        cost = {"task": task, "start_s": start, "cpu_s": cpu, "wall_s": 2 * cpu, "peak_mb": 100.0}
        (folder / f"{identifier}.{name}.cost.json").write_text(json.dumps(cost))


def add_sex(folder: Path, identifier: str, sheet: str, x: float | None, y: float | None) -> None:
    checked = judged(identifier, sheet, Depths(31.2, x, y))
    (folder / f"{identifier}.sex.json").write_text(json.dumps(asdict(checked)))


def add_history(folder: Path, epochs: int) -> None:
    lines = ["network\tepoch\ttrain_loss\ttrain_accuracy\ttune_loss\ttune_accuracy"]
    lines += [f"summary\t{epoch}\t{1 / epoch}\t0.9\t{1.1 / epoch}\t0.8" for epoch in range(1, epochs + 1)]
    (folder / "history.tsv").write_text("\n".join(lines) + "\n")


def add_drivers(folder: Path, genes: list[str], samples: int = 197) -> None:
    """Tables by their schemas; the first eight genes are drivers."""
    random = np.random.default_rng(2)
    count = len(genes)
    frame = _random_frame(DRIVER_GENES, count, random)
    ranks = np.arange(1, count + 1)
    p_values = np.sort(
        np.concatenate([10.0 ** -random.uniform(5, 14, min(8, count)), random.uniform(size=max(0, count - 8))])
    )
    frame["gene"], frame["rank"], frame["p_value"] = genes, ranks, p_values
    frame["score"] = np.sort(random.normal(-4, 1, count))[::-1] + np.where(ranks <= 8, 6, 0)
    frame["q_value"] = np.minimum(1, p_values * count / ranks)
    frame["n_samples"] = np.maximum(1, (samples * 0.3 / ranks).astype(int))
    frame["top_hotspot"] = [f"R{index} (3)" if index < 5 else None for index in range(count)]
    frame["pancancer_rank"] = ranks[::-1]
    frame["pancancer_why"] = "evidence in 2 other cohorts"
    write_table(DRIVER_GENES, frame, "drivers 1", folder / "driver_genes.tsv")
    quantiles = np.geomspace(1e-4, 1, 30)
    curve = pd.concat(
        pd.DataFrame({"genes": name, "expected": quantiles, "observed": quantiles**power})
        for name, power in (("this cohort", 1.4), ("silent mutations, relabelled", 1.0))
    )
    write_table(DRIVER_CALIBRATION, curve, "drivers 1", folder / "driver_calibration.tsv")
    reasons = _random_frame(DRIVER_REASONS, min(200, count), random)
    reasons["gene"], reasons["rank"] = genes[:200], ranks[:200]
    write_table(DRIVER_REASONS, reasons, "drivers 1", folder / "driver_reasons.tsv")
    hits = [
        (gene, f"T{sample}", str(random.choice(["missense", "nonsense", "frameshift"])))
        for gene, share in zip(genes[:8], np.linspace(0.3, 0.05, 8), strict=True)
        for sample in np.flatnonzero(random.uniform(size=samples) < share)
    ]
    oncoplot = pd.DataFrame(hits, columns=["gene", "sample", "effect"])
    write_table(ONCOPLOT, oncoplot, "drivers 1", folder / "oncoplot.tsv")
    pairs = _random_frame(GENE_PAIRS, 3, random)
    pairs["gene"], pairs["other_gene"] = genes[:3], genes[1:4]
    pairs["kind"], pairs["q_value"] = ["exclusive", "together", "together"], [0.001, 0.05, 0.9]
    write_table(GENE_PAIRS, pairs, "drivers 1", folder / "gene_pairs.tsv")
    summary = {
        "model_version": "drivers 1",
        "samples": samples,
        "mutations": 2_585,
        "genes_tested": count,
        "build": "GRCh37",
        "pages": genes[:1],
        "calibration": {"genes": 412, "genes_below_q": 1, "rates": {"0.05": 1.04, "0.01": 0.9, "0.001": 0.0}},
    }
    (folder / "drivers.json").write_text(json.dumps(summary))


def _random_frame(table: Table, count: int, random: np.random.Generator) -> pd.DataFrame:
    """Small numbers, zeros where the schema asks for at least 0 anyway, and short words."""
    made = {
        int: lambda: random.integers(0, 9, count),
        float: lambda: random.normal(0, 1, count),
        str: lambda: ["word"] * count,
    }
    frame = pd.DataFrame({column.name: made[column.kind]() for column in table.columns})
    for column in table.columns:
        if column.kind is not str:
            frame[column.name] = frame[column.name].clip(column.low, column.high)
    return frame


def add_drug_response(folder: Path, samples: list[str], drugs: int = 286) -> None:
    """Table by its schema; every seventh sample lies outside the training range, the last drug was never screened."""
    random = np.random.default_rng(3)
    drug_effect, sample_effect = random.normal(0, 1, (drugs, 3)), random.normal(0, 0.7, (len(samples), 3))
    delta = (sample_effect @ drug_effect.T + random.normal(0, 0.2, (len(samples), drugs))).ravel()
    screened = np.tile(np.arange(drugs) < drugs - 1, len(samples))
    frame = pd.DataFrame(
        {
            "sample": np.repeat(samples, drugs),
            "drug": [f"Drug {index}" for index in range(1, drugs + 1)] * len(samples),
            "ln_ic50": delta + 2,
            "delta_ln_ic50": delta,
            "ln_ic50_low": delta + 1,
            "ln_ic50_high": delta + 3,
            "percentile": (100 * pd.Series(delta).rank(pct=True)).where(screened),
            "in_domain": np.repeat(["false" if index % 7 == 3 else "true" for index in range(len(samples))], drugs),
            "top_features": "BCL2 -0.30, MCL1 +0.21",
        }
    )
    words = {column.name: "word" for column in RESPONSE.columns if column.name not in frame}
    response = frame.assign(**words)[[column.name for column in RESPONSE.columns]]
    write_table(RESPONSE, response, "drug_response 1", folder / "response.tsv")
    lines = []
    for name, scores in frame.groupby("sample"):
        by_score = scores.sort_values("delta_ln_ic50")
        for kind, chosen in (("sensitive", by_score.head(3)), ("resistant", by_score.tail(3)[::-1])):
            for place, row in enumerate(chosen.itertuples(), 1):
                lines.append((name, kind, place, row.drug, row.delta_ln_ic50, row.delta_ln_ic50 * 2, row.in_domain))
    extremes = pd.DataFrame(lines, columns=[column.name for column in SUMMARY.columns])
    write_table(SUMMARY, extremes, "drug_response 1", folder / "response_summary.tsv")
    summary = {"model_version": "drug_response 1", "samples": len(samples), "drugs": drugs, "licence": "research only"}
    summary["with_expression"] = len(samples) - 1
    summary["tissues"] = dict.fromkeys(samples, "blood")
    (folder / "drug_response.json").write_text(json.dumps(summary))


def add_notes(folder: Path, step: str, *notes: Note) -> None:
    write_notes(list(notes), folder / f"{step}.notes.json")


def write_parameters(path: Path, **parameters: object) -> Path:
    path.write_text(json.dumps({"input": "samples.csv", "outdir": "results", **parameters}))
    return path


def write_versions(path: Path) -> Path:
    path.write_text(
        "SMALL_VARIANTS:CALL\tstrandwise\t0.1.0\nDRIVERS:RANK\txgboost\t3.2.0\nDRIVERS:RANK\tstrandwise\t0.1.0\n"
    )
    return path
