#!/usr/bin/env python3
"""Phase calls of simulated reads and hold them against the haplotypes that the reads were drawn from.

Beside our own calls the peers' calls and the true genotypes are phased by the same program from the same reads: what is
lost against the true genotypes is lost by the calls, the rest by the reads.
"""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pysam
from run import measured
from typer import Option, Typer

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "bin"))

from strandwise.small_variants.phasing import n50  # noqa: E402

app = Typer(help=__doc__, pretty_exceptions_enable=False)
CALLS = ("strandwise", "gatk", "bcftools", "freebayes", "truth")
COLUMNS = (
    "set", "calls", "true_heterozygotes", "phased", "share_phased", "blocks", "n50", "pairs", "switch_errors",
    "switch_error_rate", "cpu_seconds",
)  # fmt: skip


@app.command()
def main(
    sets: Annotated[Path, Option(help="SETS.tsv of simulate.py", exists=True)],
    calls: Annotated[Path, Option(help="Folder that run.py wrote calls to: SET/CALLER.vcf.gz", exists=True)],
    output: Annotated[Path, Option(help="Folder for phased calls and phasing.tsv")],
    only: Annotated[list[str] | None, Option(help="Set to phase; repeat")] = None,
) -> None:
    """Phase, compare, write phasing.tsv."""
    with sets.open() as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["name"] in (only or ["test_30x_1"])]
    results = []
    for row in rows:
        for caller in CALLS:
            given = Path(row["truth"]) if caller == "truth" else calls / row["name"] / f"{caller}.vcf.gz"
            if given.exists():
                results.append(one(row, caller, given, output / row["name"]))
                print(*results[-1].values(), sep="\t", flush=True)
    with (output / "phasing.tsv").open("w") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(results)


def one(row: dict[str, str], caller: str, given: Path, folder: Path) -> dict[str, object]:
    """Phase one set's calls of one caller; a row of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    plain, phased = folder / f"{caller}.plain.vcf.gz", folder / f"{caller}.vcf.gz"
    unphased(given, plain, Path(row["bed"]))
    command = (
        f"{sys.executable} {PROJECT / 'bin' / 'small_variants.py'} phase --calls {plain} --alignment {row['bam']}"
        f" --reference {row['fasta']} --output {phased} --summary {folder / caller}.json"
    )
    cost = measured(command, folder / f"{caller}.log")
    table = folder / f"{caller}.compare.tsv"
    whatshap = [sys.executable, "-m", "whatshap", "compare", "--ignore-sample-name", "--names", "truth,calls"]
    subprocess.run([*whatshap, "--tsv-pairwise", table, row["truth"], phased], check=True, capture_output=True)
    with table.open() as lines:
        compared = list(csv.DictReader(lines, delimiter="\t"))
    pairs = sum(int(line["all_assessed_pairs"]) for line in compared)
    errors = sum(int(line["all_switches"]) for line in compared)
    true = heterozygotes(Path(row["truth"]))
    blocks: dict[int, list[int]] = {}
    for place, phase_set in heterozygotes(phased).items():
        if phase_set is not None and place in true:
            blocks.setdefault(phase_set, []).append(place[0])
    several = [places for places in blocks.values() if len(places) > 1]
    count = sum(map(len, several))
    return dict(
        zip(
            COLUMNS,
            (
                row["name"], caller, len(true), count, round(count / len(true), 4), len(several),
                n50(max(places) - min(places) + 1 for places in several), pairs, errors,
                round(errors / max(1, pairs), 5), round(cost["cpu_s"], 1),
            ),
            strict=True,
        )
    )  # fmt: skip


def unphased(given: Path, output: Path, bed: Path) -> None:
    """The calls that passed, inside the region, without any phase: GT alone."""
    contig, start, end = bed.read_text().split()[:3]
    lines = []
    with pysam.VariantFile(str(given)) as calls:
        for record in calls:
            inside = record.chrom == contig and int(start) <= record.start < int(end)
            genotype = record.samples[0]["GT"]
            if inside and None not in genotype and set(record.filter.keys()) <= {"PASS"}:
                text = "/".join(map(str, sorted(genotype)))
                lines.append(
                    f"{contig}\t{record.pos}\t.\t{record.ref}\t{','.join(record.alts or '.')}\t.\tPASS\t.\tGT\t{text}\n"
                )
        length = calls.header.contigs[contig].length or 2**31 - 1
    with pysam.BGZFile(str(output), "w", None) as file:
        file.write(f"##fileformat=VCFv4.3\n##contig=<ID={contig},length={length}>\n".encode())
        file.write(b'##FILTER=<ID=PASS,Description="All filters passed">\n')
        file.write(b'##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        file.write(b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSIM\n")
        file.write("".join(lines).encode())
    pysam.tabix_index(str(output), preset="vcf", force=True)


def heterozygotes(path: Path) -> dict[tuple[int, str, str], int | None]:
    """(POS, REF, ALT) of biallelic heterozygotes, with the phase set where there is one."""
    with pysam.VariantFile(str(path)) as calls:
        return {
            (record.pos, record.ref, record.alts[0]): record.samples[0].get("PS")
            for record in calls
            if record.alts and len(record.alts) == 1 and sorted(record.samples[0]["GT"], key=str) == [0, 1]
        }


if __name__ == "__main__":
    app()
