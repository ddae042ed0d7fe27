#!/usr/bin/env python3
"""Simulate X, Y and mitochondria of a man and a woman, call them, and count genotypes that are wrong.

A toy genome is cut from an autosome, as no real X, Y or M reads are at hand: X of 300 kb, the first 60 kb of it
pseudo-autosomal and also the first of Y (150 kb), and 16 kb of M. Variants are drawn, reads too (art_illumina, bwa).
"""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import pysam
from typer import Option, Typer

PROJECT = Path(__file__).resolve().parents[2]
SHARED, CONTIGS = 60_000, {"chrX": 300_000, "chrY": 150_000, "chrM": 16_000}
Alleles = dict[tuple[str, int, str, str], int]

app = Typer(help=__doc__, pretty_exceptions_enable=False)


@app.command()
def main(
    fasta: Annotated[Path, Option(help="FASTA to cut the toy genome from", exists=True)],
    output: Annotated[Path, Option(help="Folder to write to")],
    start: Annotated[int, Option(help="Where to cut on its first contig, 0-based")] = 4_000_000,
    depth: Annotated[float, Option(help="Of two copies")] = 30,
    seed: Annotated[int, Option()] = 1,
) -> None:
    """Simulate, call with --par and the sex, print a table."""
    output.mkdir(parents=True, exist_ok=True)
    genome = toy_genome(fasta, start, output)
    (output / "par.bed").write_text(f"chrX\t0\t{SHARED}\n")
    rng = random.Random(seed)
    print(
        "sex",
        "contig",
        "part",
        "copies",
        "true alleles",
        "found with their copies",
        "wrong or missed",
        "false",
        sep="\t",
    )
    for sex in ("XY", "XX"):
        haplotypes, truth = person(genome, sex, rng)
        bam = reads(haplotypes, output, sex, depth, seed)
        found, ploidies = called(bam, output, sex)
        for contig, first, last, part in parts():
            inside = [
                {key: n for key, n in table.items() if key[0] == contig and first <= key[1] < last}
                for table in (truth, found)
            ]
            right = sum(inside[1].get(key) == copies for key, copies in inside[0].items())
            false = sum(key not in inside[0] for key in inside[1])
            seen = Counter(ploidies[contig, at] for c, at in ploidies if c == contig and first <= at < last)
            print(sex, contig, part, dict(seen), len(inside[0]), right, len(inside[0]) - right, false, sep="\t")


def parts() -> list[tuple[str, int, int, str]]:
    return [
        ("chrX", 0, SHARED, "pseudo-autosomal"), ("chrX", SHARED, CONTIGS["chrX"], "X alone"),
        ("chrY", 0, CONTIGS["chrY"], "Y"), ("chrM", 0, CONTIGS["chrM"], "M"),
    ]  # fmt: skip


def toy_genome(fasta: Path, start: int, output: Path) -> dict[str, str]:
    genome, at = {}, start
    with pysam.FastaFile(str(fasta)) as source:
        for name, length in CONTIGS.items():
            genome[name] = source.fetch(source.references[0], at, at + length).upper()
            at += length + 100_000
    path = output / "toy.fa"
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    pysam.faidx(str(path))
    subprocess.run(["bwa", "index", path], check=True, capture_output=True)
    return genome


def person(genome: dict[str, str], sex: str, rng: random.Random) -> tuple[list[tuple[str, str, float]], Alleles]:
    """Haplotypes (contig, bases, copies per cell) and the alleles of both with their copies. Y's own start is its own.

    The part of X that a man has on Y too is drawn twice for him, the rest of X once.
    """
    haplotypes, truth = [], Counter()
    both = [("chrX", 0, CONTIGS["chrX"])]
    second = [("chrX", 0, CONTIGS["chrX"] if sex == "XX" else SHARED)]
    single = [("chrM", 0, CONTIGS["chrM"])] + ([("chrY", 0, CONTIGS["chrY"])] if sex == "XY" else [])
    for contig, first, last in [*both, *second, *single]:
        bases, alleles = mutated(genome[contig][first:last], rng)
        haplotypes.append((contig, bases, 20.0 if contig == "chrM" else 1.0))
        truth.update({(contig, first + at, old, new): 1 for at, old, new in alleles})
    return haplotypes, truth


def mutated(bases: str, rng: random.Random) -> tuple[str, list[tuple[int, str, str]]]:
    """An SNV or, one in six, an indel that cannot be shifted, every 700 bases or so."""
    alleles, pieces, done, at = [], [], 0, 300
    while at < len(bases) - 300:
        old, new = bases[at], rng.choice([base for base in "ACGT" if base != bases[at]])
        size = rng.randrange(1, 5)
        if rng.random() < 1 / 6 and bases[at] != bases[at + size]:
            old, new = bases[at : at + size + 1], bases[at]
        if "N" not in old:
            alleles.append((at, old, new))
            pieces += [bases[done:at], new]
            done = at + len(old)
        at += 100 + rng.randrange(1200)
    return "".join([*pieces, bases[done:]]), alleles


def reads(haplotypes: list[tuple[str, str, float]], output: Path, sex: str, depth: float, seed: int) -> Path:
    bam, toy = output / f"{sex}.bam", output / "toy.fa"
    for end in (1, 2):
        (output / f"{sex}_{end}.fq").write_text("")
    for number, (contig, bases, copies) in enumerate(haplotypes):
        (output / "hap.fa").write_text(f">{contig}_{number}\n{bases}\n")
        art = [
            "art_illumina",
            "-q",
            "-na",
            "-p",
            "-ss",
            "HS25",
            "-l",
            "150",
            "-m",
            "400",
            "-s",
            "80",
            "-d",
            f"h{number}_",
        ]
        art += ["-f", str(depth / 2 * copies), "-rs", str(seed * 100 + number), "-i", "hap.fa", "-o", "hap"]
        subprocess.run(art, check=True, capture_output=True, cwd=output)
        for end in (1, 2):
            with (output / f"{sex}_{end}.fq").open("a") as file:
                file.write((output / f"hap{end}.fq").read_text())
    pipe = f"bwa mem -R '@RG\\tID:r\\tSM:{sex}\\tPL:ILLUMINA' {toy} {output}/{sex}_1.fq {output}/{sex}_2.fq | samtools sort -o {bam} -"
    subprocess.run(["bash", "-o", "pipefail", "-c", pipe], check=True, capture_output=True)
    pysam.index(str(bam))
    return bam


def called(bam: Path, output: Path, sex: str) -> tuple[Alleles, dict[tuple[str, int], int]]:
    """Alleles that pass with their copies, and the copies of all genotypes by place."""
    command = [sys.executable, PROJECT / "bin" / "small_variants.py"]
    common = [
        "--alignment",
        bam,
        "--reference",
        output / "toy.fa",
        "--sex",
        sex,
        "--par",
        output / "par.bed",
        "--sample",
        sex,
    ]
    notes = ["--notes", output / "notes.json"]
    subprocess.run([*command, "shards", *common, *notes, "--output", output / "shards"], check=True)
    vcf = output / f"{sex}.vcf.gz"
    files = ["--output", vcf, "--gvcf", output / f"{sex}.g.vcf.gz", "--shard", output / "shards" / "0001.bed"]
    model = ["--model", PROJECT / "assets" / "models" / "small_variants", "--allow-model-mismatch"]
    subprocess.run([*command, "call", *common, *notes, *files, *model], check=True, stderr=subprocess.DEVNULL)
    found: Alleles = {}
    ploidies = {}
    with pysam.VariantFile(str(vcf)) as records:
        for record in records:
            genotype = record.samples[0]["GT"]
            ploidies[record.chrom, record.start] = len(genotype)
            for number, allele in enumerate(record.alts or (), 1):
                if "PASS" in record.filter and number in genotype:
                    found[trimmed(record.chrom, record.start, record.ref, allele)] = genotype.count(number)
    return found, ploidies


def trimmed(contig: str, at: int, old: str, new: str) -> tuple[str, int, str, str]:
    while len(old) > 1 and len(new) > 1 and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return contig, at, old, new


if __name__ == "__main__":
    app()
