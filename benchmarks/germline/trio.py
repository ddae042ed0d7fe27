#!/usr/bin/env python3
"""A simulated trio with planted de novo variants: genotypes, Mendelian errors and de novo calls before and after joint calling.

Needs on PATH what simulate.py needs; to compare with peers bcftools 1.16 with its plugin mendelian, and a command of GATK.
"""

import csv
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pysam
import pysam.bcftools
import simulate
from run import PROJECT, measured
from simulate import Haplotypes, Reads
from typer import Option, Typer

from strandwise.small_variants.evaluate import compare, counts  # noqa: I001  (run puts bin/ on the path)

app = Typer(help=__doc__, pretty_exceptions_enable=False)

MEMBERS = ("mother", "father", "child")
REGION = "chr20:3900001-5900000"
CROSSOVERS = 3
"""Of each parental pair of haplotypes; a real 2 Mb has 0.02: more of them make more tests of one parent against the other."""

DE_NOVO = {"SNP": 28, "INDEL": 12}
"""Planted in the child. A genome has 70 in 3,100 Mb, here are 40 in 2 Mb, so that they can be counted."""

SPACE = 30
"""Bases between a de novo variant and any other one, so that its record is its own."""

Site = tuple[int, str, list[str]]  # 0-based position, REF, ALT


@dataclass
class Trio:
    """Sites in order, not overlapping; alleles: member → one row of allele numbers per haplotype; de_novo: indexes of sites."""

    sites: list[Site]
    alleles: dict[str, list[list[int]]]
    de_novo: list[int]


def truth_sites(sequence: str, start: int, records: list[pysam.VariantRecord]) -> list[tuple[Site, tuple[int, int]]]:
    """Records that simulate.haplotypes can apply, with their phased genotype."""
    applied = simulate.haplotypes(sequence, start, records).applied
    return [
        ((r.start, r.ref.upper(), [alt.upper() for alt in r.alts or ()]), tuple(r.samples[0]["GT"])) for r in applied
    ]


def without_overlaps(given: list[tuple[Site, object]], further: list[tuple[Site, object]]) -> list[tuple[Site, object]]:
    """`given`, and of `further` what does not touch it or what was kept before; sorted by position."""
    taken = {at for (begin, ref, _), _ in given for at in range(begin, begin + len(ref) + 1)}
    kept = list(given)
    for site, value in further:
        span = range(site[0], site[0] + len(site[1]) + 1)
        if not taken.intersection(span):
            taken.update(span)
            kept.append((site, value))
    return sorted(kept, key=lambda pair: pair[0][0])


def recombined(pair: list[list[int]], rng: random.Random) -> list[int]:
    """One haplotype out of two, with CROSSOVERS changes at random sites."""
    number = len(pair[0])
    cuts = sorted(rng.sample(range(1, number), CROSSOVERS))
    side, made = rng.randrange(2), []
    for begin, end in zip([0, *cuts], [*cuts, number], strict=True):
        made += pair[side][begin:end]
        side = 1 - side
    return made


def planted_de_novo(sequence: str, start: int, sites: list[Site], rng: random.Random) -> list[Site]:
    """Draw DE_NOVO variants at least SPACE bases away from all sites and from each other."""
    taken = {at for begin, ref, _ in sites for at in range(begin - SPACE, begin + len(ref) + SPACE)}
    wanted, drawn = dict(DE_NOVO), []
    while any(wanted.values()):
        at = rng.randrange(1000, len(sequence) - 1000)
        if sequence[at] not in simulate.TRANSITION:
            continue
        begin, ref, alts = simulate.background_variant(sequence, at, rng)
        kind = "SNP" if len(ref) == len(alts[0]) else "INDEL"
        span = range(start + begin, start + begin + len(ref))
        usable = len(alts) == 1 and len(ref) + len(alts[0]) < 40 and set(ref + alts[0]) <= set("ACGT")
        if wanted[kind] and usable and not taken.intersection(span):
            wanted[kind] -= 1
            taken.update(range(span.start - SPACE, span.stop + SPACE))
            drawn.append((start + begin, ref, alts))
    return drawn


def make_trio(sequence: str, start: int, records: list[pysam.VariantRecord], seed: int) -> Trio:
    """Mother: the truth's haplotypes. Father: each of its alleles by the toss of a coin, and alleles of his own. Child: a
    recombined haplotype of each, and de novo variants."""
    rng = random.Random(seed)
    of_mother = truth_sites(sequence, start, records)
    own = [
        ((b, ref, list(alts)), None) for b, ref, alts, _ in simulate.planted_variants(sequence, start, rng, 1 / 1500)
    ]
    merged = without_overlaps(of_mother, own)
    sites = [site for site, _ in merged]
    mother = [[genotype[side] if genotype else 0 for _, genotype in merged] for side in (0, 1)]
    father = [[rng.randrange(1, len(alts) + 1) * rng.randrange(2) for _, _, alts in sites] for _ in range(2)]
    child = [recombined(mother, rng), recombined(father, rng)]
    new = planted_de_novo(sequence, start, sites, rng)
    order = sorted(range(len(sites) + len(new)), key=lambda i: (sites + new)[i][0])
    alleles = {"mother": mother, "father": father, "child": child}
    for name, rows in alleles.items():
        carried = [rng.randrange(2) if name == "child" else -1 for _ in new]
        for side, row in enumerate(rows):
            full = row + [int(side == carrier) for carrier in carried]
            rows[side] = [full[i] for i in order]
    return Trio([(sites + new)[i] for i in order], alleles, [k for k, i in enumerate(order) if i >= len(sites)])


def spelled(sequence: str, start: int, trio: Trio, member: str) -> Haplotypes:
    """The two haplotype sequences of a member."""
    sequences = []
    for row in trio.alleles[member]:
        pieces, done = [], 0
        for (begin, ref, alts), allele in zip(trio.sites, row, strict=True):
            if allele:
                pieces += [sequence[done : begin - start], alts[allele - 1]]
                done = begin - start + len(ref)
        sequences.append("".join(pieces) + sequence[done:])
    return Haplotypes(sequences)


def write_truth(trio: Trio, contig: str, length: int, fasta: Path, folder: Path) -> None:
    """MEMBER.truth.vcf.gz of each, and de_novo.tsv; left-aligned."""
    for member, rows in trio.alleles.items():
        plain = folder / f"{member}.truth.vcf"
        with plain.open("w") as handle:
            handle.write(simulate.HEADER.format(contig=contig, length=length).replace("SIM", member))
            for (begin, ref, alts), *genotype in zip(trio.sites, *rows, strict=True):
                if any(genotype):
                    text = "|".join(map(str, genotype))
                    handle.write(f"{contig}\t{begin + 1}\t.\t{ref}\t{','.join(alts)}\t.\tPASS\t.\tGT\t{text}\n")
        packed = f"{plain}.gz"
        pysam.bcftools.norm("-f", str(fasta), "-Oz", "-o", packed, str(plain), catch_stdout=False)
        pysam.tabix_index(packed, preset="vcf", force=True)
        plain.unlink()
    with pysam.FastaFile(str(fasta)) as reference, (folder / "de_novo.tsv").open("w") as handle:
        handle.write("contig\tposition\treference\talternate\n")
        for index in trio.de_novo:
            begin, ref, alts = left_aligned(reference, contig, *trio.sites[index][:2], trio.sites[index][2][0])
            handle.write(f"{contig}\t{begin + 1}\t{ref}\t{alts}\n")


def left_aligned(reference: pysam.FastaFile, contig: str, begin: int, ref: str, alt: str) -> tuple[int, str, str]:
    """An allele as bcftools norm writes it."""
    while len(ref) != len(alt) and ref[-1] == alt[-1]:
        if min(len(ref), len(alt)) == 1:
            begin -= 1
            base = reference.fetch(contig, begin, begin + 1).upper()
            ref, alt = base + ref, base + alt
        ref, alt = ref[:-1], alt[:-1]
    return begin, ref, alt


@app.command()
def reads(
    fasta: Annotated[Path, Option(help="reference, indexed, plain text", exists=True)],
    vcf: Annotated[Path, Option(help="phased truth, indexed", exists=True)],
    output: Annotated[Path, Option(help="folder to write")],
    coverage: Annotated[list[float], Option(help="of each member; repeat")],
    seed: Annotated[int, Option()] = 1,
    region: Annotated[str, Option(help="contig:first-last, 1-based")] = REGION,
) -> None:
    """Make the trio, its truth, and reads of each member at each coverage; what is there already is kept."""
    contig, start, end = simulate.parsed(region)
    output.mkdir(parents=True, exist_ok=True)
    with pysam.FastaFile(str(fasta)) as reference, pysam.VariantFile(str(vcf)) as variants:
        sequence = reference.fetch(contig, start, end).upper()
        length = reference.get_reference_length(contig)
        trio = make_trio(sequence, start, list(variants.fetch(contig, start, end)), seed)
    write_truth(trio, contig, length, fasta, output)
    (output / "regions.bed").write_text(f"{contig}\t{start + 400}\t{end - 400}\n")  # depth fades at the ends
    (output / "family.ped").write_text("trio mother 0 0 2 0\ntrio father 0 0 1 0\ntrio child father mother 1 0\n")
    for depth in coverage:
        for number, member in enumerate(MEMBERS):
            bam = output / f"{member}.{depth:g}x.bam"
            if not bam.exists():
                how = Reads(coverage=depth, seed=1000 * seed + 10 * int(depth) + number)
                simulate.write_reads(sequence, start, spelled(sequence, start, trio, member), how, fasta, bam, member)
                print(f"{bam}: made", file=sys.stderr, flush=True)


if __name__ == "__main__":
    app()
