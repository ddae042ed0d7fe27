#!/usr/bin/env python3
"""Run our caller and its peers on the same reads, one thread each, and score them: accuracy, CPU time, peak memory.

Needs on PATH: bcftools 1.16, freebayes 1.3.6; for GATK a command (--gatk) that takes a tool's name and its arguments.
"""

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import pysam
from typer import Option, Typer

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "bin"))

from strandwise.small_variants.evaluate import Allele, compare, counts, discordant  # noqa: E402

app = Typer(help=__doc__, pretty_exceptions_enable=False)
pysam.set_verbosity(0)  # peers' files lack indexes and declare some fields their own way

CALLERS = ("strandwise", "bcftools", "freebayes", "gatk")
Alleles = tuple[list[Allele], list[Allele]]


def command_of(caller: str, one: dict[str, str], output: Path, model: Path, gatk: str) -> str:
    """The shell command of a caller with its defaults; bcftools as `mpileup -a AD,DP | call -mv`."""
    reads, fasta, bed = one["bam"].split(","), one["fasta"], one["regions"]
    if caller == "bcftools":
        piled = f"bcftools mpileup -a AD,DP -f {fasta} -R {bed} {' '.join(reads)}"
        return f"{piled} | bcftools call -mv -Oz -o {output}"
    if caller == "freebayes":
        return f"freebayes -f {fasta} -t {bed} {' '.join(reads)} > {output.with_suffix('')} && bgzip -f {output.with_suffix('')}"
    if caller == "gatk":
        inputs = " ".join(f"-I {path}" for path in reads)
        return f"{gatk} HaplotypeCaller -R {fasta} -L {bed} {inputs} -O {output} --native-pair-hmm-threads 1"
    inputs = " ".join(f"--alignment {path}" for path in reads)
    stem = str(output).removesuffix(".vcf.gz")
    return (
        f"{sys.executable} {PROJECT / 'bin' / 'small_variants.py'} call {inputs} --reference {fasta} --model {model}"
        f" --shard {bed} --sample SIM --threads 1 --allow-model-mismatch"
        f" --output {output} --gvcf {stem}.g.vcf.gz --notes {stem}.notes.json"
    )


def measured(command: str, log: Path) -> dict[str, float]:
    """Run a shell command; CPU seconds (user + system, children included), peak memory of its largest process, wall."""
    began = time.monotonic()
    with log.open("wb") as handle:
        process = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], stdout=handle, stderr=handle)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"failed, see {log}: {command}")
    cpu = usage.ru_utime + usage.ru_stime
    return {
        "cpu_s": round(cpu, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),
        "wall_s": round(time.monotonic() - began, 2),
    }


def sets_of(listing: Path, only: list[str] | None) -> list[dict[str, str]]:
    """Rows of a SETS.tsv (simulate.py sets); a set without column regions is called where it is scored."""
    with listing.open() as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    for row in rows:
        row["regions"] = row.get("regions") or row["bed"]
    return [row for row in rows if row["name"] in only or row["kind"] in only] if only else rows


@app.command()
def call(
    sets: Annotated[Path, Option(help="SETS.tsv", exists=True)],
    output: Annotated[Path, Option(help="folder for calls and costs")],
    model: Annotated[Path, Option(help="our model")] = PROJECT / "assets" / "models" / "small_variants",
    caller: Annotated[list[str] | None, Option(help="which; default all")] = None,
    only: Annotated[list[str] | None, Option(help="names or kinds of sets; default all")] = None,
    gatk: Annotated[str, Option(help="command that runs GATK 4.6.2.0; without it GATK is left out")] = "",
    again: Annotated[bool, Option(help="call again what is there")] = False,
) -> None:
    """Call every set with every caller; what is there already is kept."""
    for one in sets_of(sets, only):
        for name in caller or [name for name in CALLERS if name != "gatk" or gatk]:
            folder = output / one["name"]
            folder.mkdir(parents=True, exist_ok=True)
            calls, cost = folder / f"{name}.vcf.gz", folder / f"{name}.cost.json"
            if cost.exists() and not again:
                continue
            cost.unlink(missing_ok=True)
            found = measured(command_of(name, one, calls, model, gatk), folder / f"{name}.log")
            cost.write_text(json.dumps(found) + "\n")
            print(one["name"], name, found, flush=True)


@app.command()
def score(
    sets: Annotated[Path, Option(help="SETS.tsv", exists=True)],
    output: Annotated[Path, Option(help="folder with calls; scores.json, discordant.tsv and tables go there")],
    only: Annotated[list[str] | None, Option(help="names or kinds of sets; default all")] = None,
) -> None:
    """Score all calls, seeds pooled, and print the tables in Markdown."""
    pools: dict[str, dict[str, list[tuple[dict[str, str], Alleles]]]] = defaultdict(lambda: defaultdict(list))
    costs: dict[str, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for one in sets_of(sets, only):
        for name in CALLERS:
            cost = output / one["name"] / f"{name}.cost.json"
            if cost.exists():
                calls, pool = output / one["name"] / f"{name}.vcf.gz", re.sub(r"_\d$", "", one["name"])
                alleles = compare(Path(one["truth"]), calls, Path(one["fasta"]), Path(one["bed"]))
                pools[pool][name].append((one, alleles))
                costs[pool][name].append(json.loads(cost.read_text()))
    tables = accuracy_table(pools) + cost_table(costs) + pairs_table(pools)
    print("\n".join(tables))
    (output / "tables.md").write_text("\n".join(tables) + "\n")
    write_discordant(pools, output / "discordant.tsv")


def of_kind(found: list[tuple[dict[str, str], Alleles]], kind: str) -> Alleles:
    """All alleles of a kind, of all sets of a pool; contigs are told apart by the set."""
    sides: Alleles = ([], [])
    for _, alleles in found:
        for side in (0, 1):
            sides[side].extend(allele for allele in alleles[side] if kind in (allele.kind, "ALL"))
    return sides


def accuracy_table(pools: dict) -> list[str]:
    """F1 with the 95 % interval that follows from the number of errors as a Poisson count."""
    from scipy.stats import chi2

    lines = ["| set | caller | seeds | type | truth | FN | FP | of these genotype | precision | recall | F1 (95 %) |"]
    lines.append("| --- " * 11 + "|")
    for pool, callers in pools.items():
        for name, found in callers.items():
            for kind in ("SNP", "INDEL"):
                row = counts(*of_kind(found, kind))
                errors, whole = row["fn"] + row["fp"], row["tp_truth"] + row["tp_query"] + row["fn"] + row["fp"]
                most, least = chi2.ppf(0.975, 2 * errors + 2) / 2, chi2.ppf(0.025, 2 * errors) / 2 if errors else 0.0
                interval = f"{max(0, 1 - most / whole):.4f}–{1 - least / whole:.4f}" if whole else "–"
                lines.append(
                    f"| {pool} | {name} | {len(found)} | {kind} | {row['truth_total']} | {row['fn']} | {row['fp']} | {row['genotype_errors']}"
                    f" | {row['precision']:.4f} | {row['recall']:.4f} | {row['f1']:.4f} ({interval}) |"
                )
    return [*lines, ""]


def cost_table(costs: dict) -> list[str]:
    """CPU seconds and memory, means over the sets of a pool; ratio of CPU to bcftools."""
    lines = ["| set | caller | CPU s | of bcftools | peak MB |", "| --- " * 5 + "|"]
    for pool, callers in costs.items():
        mean = {name: sum(cost["cpu_s"] for cost in found) / len(found) for name, found in callers.items()}
        for name, found in callers.items():
            ratio = f"{mean[name] / mean['bcftools']:.2f}" if "bcftools" in mean else "–"
            lines.append(
                f"| {pool} | {name} | {mean[name]:.1f} | {ratio} | {max(cost['peak_mb'] for cost in found):.0f} |"
            )
    return [*lines, ""]


def errors_of(found: list[tuple[dict[str, str], Alleles]]) -> set[tuple]:
    """What a caller got wrong: each missed allele of the truth and each false allele, by set."""
    labelled = [(one["name"], label, alleles[side]) for one, alleles in found for side, label in ((0, "FN"), (1, "FP"))]
    return {(name, label, a.contig, *a.normal) for name, label, side in labelled for a in side if not a.matched}


def pairs_table(pools: dict) -> list[str]:
    """Ours against each peer, error by error (exact binomial test on the errors that only one makes)."""
    from scipy.stats import binomtest

    lines = ["| set | peer | errors ours | errors peer | only ours | only peer | p |", "| --- " * 7 + "|"]
    for pool, callers in pools.items():
        for name, found in callers.items():
            if name == "strandwise":
                continue
            called = {one["name"] for one, _ in found}  # GATK may have been run on some of the seeds only
            ours = errors_of(
                [(one, alleles) for one, alleles in callers.get("strandwise", []) if one["name"] in called]
            )
            peer = errors_of(found)
            only = (len(ours - peer), len(peer - ours))
            p = binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
            lines.append(f"| {pool} | {name} | {len(ours)} | {len(peer)} | {only[0]} | {only[1]} | {p:.2g} |")
    return [*lines, ""]


def write_discordant(pools: dict, path: Path) -> None:
    """Every discordant allele of every caller, side by side: which callers make the error."""
    made: dict[tuple, set[str]] = defaultdict(set)
    for callers in pools.values():
        for name, found in callers.items():
            for one, alleles in found:
                for row in discordant(*alleles):
                    made[(one["name"], *row.values())].add(name)
    with path.open("w") as handle:
        handle.write("set\tcontig\tposition\tlabel\ttype\twhy\trecord\tcallers\n")
        for key, names in sorted(made.items(), key=lambda item: item[0]):
            handle.write("\t".join(map(str, key)) + f"\t{','.join(name for name in CALLERS if name in names)}\n")


if __name__ == "__main__":
    app()
