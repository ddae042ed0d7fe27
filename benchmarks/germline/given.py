#!/usr/bin/env python3
"""Genotype given alleles in simulated reads, ours and the peers' ways, and count what is told and what is right.

Given are the true alleles of a region and about as many that nobody has (SNVs, insertions, deletions at drawn places).
"""

import random
import sys
from pathlib import Path
from typing import Annotated

import pysam
from run import measured
from typer import Option, Typer

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "bin"))

from strandwise.formats.intervals import Interval  # noqa: E402
from strandwise.small_variants.labels import normalised, read_truth  # noqa: E402

Key = tuple[int, int, str]

app = Typer(help=__doc__, pretty_exceptions_enable=False)
pysam.set_verbosity(0)


@app.command()
def main(
    fasta: Annotated[Path, Option(help="Reference", exists=True)],
    bam: Annotated[Path, Option(help="Simulated reads", exists=True)],
    truth: Annotated[Path, Option(help="Their truth", exists=True)],
    output: Annotated[Path, Option(help="Folder to write to")],
    region: Annotated[str, Option(help="contig:start-end, 1-based")] = "chr20:4000001-4500000",
    seed: Annotated[int, Option(help="Of the alleles that nobody has")] = 9,
    gatk: Annotated[str, Option(help="Command that takes a tool of GATK and its arguments")] = "",
) -> None:
    """Genotype, print a table."""
    contig, span = region.split(":")
    start, end = int(span.split("-")[0]) - 1, int(span.split("-")[1])
    output.mkdir(parents=True, exist_ok=True)
    (output / "region.bed").write_text(f"{contig}\t{start}\t{end}\n")
    with pysam.FastaFile(str(fasta)) as opened:
        bases = opened.fetch(contig).upper()
    copies: dict[Key, int] = {}
    for item in read_truth(truth, Interval(contig, start, end), bases.__getitem__):
        key = (item.event.position, item.event.reference_length, item.event.alternate)
        copies[key] = copies.get(key, 0) + 1
    write_alleles(output / "given.vcf", truth, Interval(contig, start, end), bases, random.Random(seed))
    print("caller", "given", "told", "true", "right", "wrong copies", "missed", "nobody's", "called", "cpu_s", sep="\t")
    for caller, command in commands(output, fasta, bam, region, gatk).items():
        cost = measured(command, output / f"{caller}.log")
        given = {key for _, key in events(output / "alleles.vcf.gz", bases)}
        found = told_copies(output / f"{caller}.vcf.gz", bases)
        true = [key for key in given if copies.get(key)]
        missed = sum(not found.get(key) for key in true)
        right = sum(found.get(key) == copies[key] for key in true)
        false = sum(bool(found.get(key)) for key in given if not copies.get(key))
        told = sum(key in found for key in given)
        numbers = (
            len(given),
            told,
            len(true),
            right,
            len(true) - right - missed,
            missed,
            len(given) - len(true),
            false,
        )
        print(caller, *numbers, cost["cpu_s"], sep="\t", flush=True)


def write_alleles(path: Path, truth: Path, where: Interval, bases: str, rng: random.Random) -> None:
    """True alleles, and 1,500 drawn ones at least 15 bases from any other, as a VCF."""
    with pysam.VariantFile(str(truth)) as records:
        fetched = records.fetch(where.contig, where.start, where.end)
        rows = {(record.pos, record.ref, allele) for record in fetched for allele in record.alts or ()}
    places = {position for position, _, _ in rows}
    for _ in range(1500):
        at, kind, size = rng.randrange(where.start + 100, where.end - 100), rng.random(), rng.randrange(1, 5)
        base = bases[at]
        if base == "N" or any(abs(at + 1 - place) < 15 for place in places):
            continue
        places.add(at + 1)
        if kind < 0.7:
            rows.add((at + 1, base, rng.choice([other for other in "ACGT" if other != base])))
        elif kind < 0.85:
            rows.add((at + 1, bases[at : at + 1 + size], base))
        else:
            rows.add((at + 1, base, base + "".join(rng.choices("ACGT", k=size))))
    text = "".join(f"{where.contig}\t{at}\t.\t{old}\t{new}\t.\t.\t.\n" for at, old, new in sorted(rows))
    path.write_text(f"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{text}")


def commands(output: Path, fasta: Path, bam: Path, region: str, gatk: str) -> dict[str, str]:
    """The shell command of each caller; ours comes first, as its alleles are given to the others too."""
    ours = f"{sys.executable} {PROJECT / 'bin' / 'small_variants.py'}"
    alleles, table = output / "alleles.vcf.gz", output / "alleles.tsv.gz"
    found = {
        "strandwise": f"{ours} alleles --alleles {output / 'given.vcf'} --reference {fasta} --output {alleles} && "
        f"{ours} call --alignment {bam} --reference {fasta} --model {PROJECT / 'assets/models/small_variants'} "
        f"--shard {output / 'region.bed'} --sample S --alleles {alleles} --notes {output / 'notes.json'} "
        f"--output {output / 'strandwise.vcf.gz'} --gvcf {output / 'strandwise.g.vcf.gz'}",
        "bcftools": f"bcftools norm -m +any {alleles} | bcftools query -f '%CHROM\\t%POS\\t%REF,%ALT\\n' | bgzip > {table} && "
        f"tabix -f -s1 -b2 -e2 {table} && bcftools mpileup -a AD,DP -f {fasta} -r {region} {bam} | "
        f"bcftools call -m -A -C alleles -T {table} -i -Oz -o {output / 'bcftools.vcf.gz'}",
    }
    if gatk:
        found["gatk"] = (
            f"{gatk} HaplotypeCaller -R {fasta} -I {bam} -L {output / 'region.bed'} --alleles {alleles} "
            f"-O {output / 'gatk.vcf.gz'} --native-pair-hmm-threads 1"
        )
    return found


def events(path: Path, bases: str) -> list[tuple[int | None, Key]]:
    """Left-aligned alleles of a VCF with their copies: None for no call, and where there is no sample."""
    found: list[tuple[int | None, Key]] = []
    with pysam.VariantFile(str(path)) as records:
        for record in records:
            genotype = record.samples[0]["GT"] if len(record.samples) else (None,)
            for number, allele in enumerate(record.alts or (), 1):
                if set(allele.upper()) <= set("ACGT"):
                    copies = None if None in genotype else genotype.count(number)
                    for event in normalised(record.start, record.ref.upper(), allele.upper(), bases.__getitem__):
                        found.append((copies, (event.position, event.reference_length, event.alternate)))
    return found


def told_copies(path: Path, bases: str) -> dict[Key, int | None]:
    """Copies of every allele that a VCF names."""
    found: dict[Key, int | None] = {}
    for copies, key in events(path, bases):
        found[key] = copies if found.get(key) is None else max(found[key] or 0, copies or 0)
    return found


if __name__ == "__main__":
    app()
