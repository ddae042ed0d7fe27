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

from strandwise.small_variants.evaluate import compare, counts

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


def reference_of(folder: Path) -> Path:
    """The reference that `reads` unpacked beside what it made."""
    return next(path for path in folder.glob("*.fa"))


@app.command()
def reads(
    data: Annotated[Path, Option(help="folder with references and truth", exists=True)],
    output: Annotated[Path, Option(help="folder to write")],
    coverage: Annotated[list[float], Option(help="of each member; repeat")],
    seed: Annotated[int, Option()] = 1,
    region: Annotated[str, Option(help="contig:first-last of GRCh38, 1-based")] = REGION,
) -> None:
    """Make the trio, its truth, and reads of each member at each coverage; what is there already is kept."""
    contig, start, end = simulate.parsed(region)
    output.mkdir(parents=True, exist_ok=True)
    fasta = simulate.unpacked(next(data.glob("grch38.*.fa.gz")), output)
    vcf = data / "HG001.truth.grch38.chr20.vcf.gz"
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


# ---- callers ------------------------------------------------------------------------------------------------------


OURS = f"{sys.executable} {PROJECT / 'bin' / 'small_variants.py'}"


def our_calls(folder: Path, fasta: Path, depth: str, mark: str = "", more: str = "") -> list[str]:
    """Each member alone, then the three together. mark: between name and depth of the files; more: options of the first."""
    model = PROJECT / "assets" / "models" / "small_variants"
    alone = [
        f"{OURS} call --alignment {folder}/{m}.{depth}.bam --reference {fasta} --model {model} --shard {folder}/regions.bed --sample {m}"
        f" --threads 1 --allow-model-mismatch {more} --output {folder}/{m}{mark}.{depth}.vcf.gz --gvcf {folder}/{m}{mark}.{depth}.g.vcf.gz"
        f" --notes {folder}/{m}{mark}.{depth}.notes.json"
        for m in MEMBERS
    ]
    inputs = " ".join(f"--gvcf {folder}/{m}{mark}.{depth}.g.vcf.gz" for m in MEMBERS)
    outputs = (
        f"--output {folder}/joint{mark}.{depth}.vcf.gz --mendelian {folder}/mendelian{mark}.{depth}.tsv"
        f" --de-novo {folder}/de_novo{mark}.{depth}.tsv --summary {folder}/joint{mark}.{depth}.json"
        f" --notes {folder}/joint{mark}.{depth}.notes.json"
    )
    return [*alone, f"{OURS} joint {inputs} --reference {fasta} --pedigree {folder}/family.ped {outputs}"]


def our_commands(folder: Path, fasta: Path, depth: str) -> list[str]:
    """One round; bcftools merge of the single samples for comparison; a second round that genotypes the joint sites in each sample."""
    alone = " ".join(f"{folder}/{m}.{depth}.vcf.gz" for m in MEMBERS)
    sites = f"{folder}/sites.{depth}.vcf.gz"
    return [
        *our_calls(folder, fasta, depth),
        f"bcftools merge -0 -Oz -o {folder}/merged.{depth}.vcf.gz {alone}",
        f"{OURS} alleles --alleles {folder}/joint.{depth}.vcf.gz --reference {fasta} --output {sites}",
        *our_calls(folder, fasta, depth, "_again", f"--alleles {sites}"),
    ]


def bcftools_commands(folder: Path, fasta: Path, depth: str) -> list[str]:
    """Its multi-sample caller on the reads of all three."""
    reads_ = " ".join(f"{folder}/{m}.{depth}.bam" for m in MEMBERS)
    called = f"{folder}/bcftools.{depth}.vcf.gz"
    return [
        f"bcftools mpileup -a AD,DP -f {fasta} -R {folder}/regions.bed {reads_} | bcftools call -mv -Ou"
        f" | bcftools norm -f {fasta} -Oz -o {called}",
    ]


def gatk_commands(folder: Path, fasta: Path, depth: str, gatk: str) -> list[str]:
    """Its germline workflow for families: gVCFs, combined, genotyped, refined by the pedigree, annotated with PossibleDeNovo."""
    stem = f"{folder}/gatk"
    alone = [
        f"{gatk} HaplotypeCaller -R {fasta} -L {folder}/regions.bed -I {folder}/{m}.{depth}.bam -O {stem}.{m}.{depth}.g.vcf.gz -ERC GVCF"
        " --native-pair-hmm-threads 1"
        for m in MEMBERS
    ]
    inputs = " ".join(f"-V {stem}.{m}.{depth}.g.vcf.gz" for m in MEMBERS)
    return [
        *alone,
        f"{gatk} CombineGVCFs -R {fasta} {inputs} -O {stem}.all.{depth}.g.vcf.gz",
        f"{gatk} GenotypeGVCFs -R {fasta} -V {stem}.all.{depth}.g.vcf.gz -O {stem}.{depth}.vcf.gz",
        f"{gatk} CalculateGenotypePosteriors -V {stem}.{depth}.vcf.gz -ped {folder}/family.ped -O {stem}.cgp.{depth}.vcf.gz",
        f"{gatk} VariantAnnotator -R {fasta} -V {stem}.cgp.{depth}.vcf.gz -ped {folder}/family.ped -A PossibleDeNovo"
        f" -O {stem}_refined.{depth}.vcf.gz",
    ]


def gatk_on_ours_commands(folder: Path, fasta: Path, depth: str, gatk: str) -> list[str]:
    """GATK's joint genotyping of our gVCFs, as they are; needs those of `our_commands`."""
    inputs = " ".join(f"-V {folder}/{m}.{depth}.g.vcf.gz" for m in MEMBERS)
    store = f"{folder}/genomicsdb.{depth}"
    return [
        f"rm -rf {store}",
        f"{gatk} GenomicsDBImport {inputs} --genomicsdb-workspace-path {store} -L {folder}/regions.bed",
        f"{gatk} GenotypeGVCFs -R {fasta} -V gendb://{store} -O {folder}/gatk_on_ours.{depth}.vcf.gz",
        f"{gatk} CombineGVCFs -R {fasta} {inputs} -O {folder}/combined.{depth}.g.vcf.gz",
        f"bcftools merge -g {fasta} -Oz -o {folder}/merged_gvcf.{depth}.vcf.gz {inputs.replace('-V ', '')}",
    ]


@app.command()
def call(
    folder: Annotated[Path, Option(help="folder of `reads`", exists=True)],
    coverage: Annotated[list[float], Option(help="repeat")],
    gatk: Annotated[str, Option(help="command that runs GATK 4.6.2.0; without it GATK is left out")] = "",
    caller: Annotated[list[str] | None, Option(help="strandwise, bcftools, gatk, gatk_on_ours; default all")] = None,
) -> None:
    """Call the trio with ours and the peers, each member alone and together; costs go to costs.json."""
    listing, fasta = folder / "costs.json", reference_of(folder)
    costs = json.loads(listing.read_text()) if listing.exists() else {}
    for number in coverage:
        depth = f"{number:g}x"
        todo = {"strandwise": our_commands(folder, fasta, depth), "bcftools": bcftools_commands(folder, fasta, depth)}
        if gatk:
            todo["gatk"] = gatk_commands(folder, fasta, depth, gatk)
            todo["gatk_on_ours"] = gatk_on_ours_commands(folder, fasta, depth, gatk)
        for name, commands in todo.items():
            if caller and name not in caller:
                continue
            found = [measured(command, folder / f"{name}.{depth}.log") for command in commands]
            costs[f"{name} {depth}"] = [cost["cpu_s"] for cost in found]
            print(name, depth, costs[f"{name} {depth}"], max(cost["peak_mb"] for cost in found), flush=True)
            listing.write_text(json.dumps(costs) + "\n")


# ---- cost ---------------------------------------------------------------------------------------------------------

PIECE = 10_000
"""Blocks of our gVCFs end at multiples of this, so pieces of several samples make a new one."""


def mosaic(sources: list[Path], name: str, rng: random.Random, output: Path) -> None:
    """A gVCF whose pieces are drawn from those of `sources`."""
    lines = []
    with pysam.VariantFile(str(sources[0])) as first:
        contig = next(iter(pysam.TabixFile(str(sources[0])).contigs))
        head = str(first.header).rsplit("\t", 1)[0] + f"\t{name}\n"
        length = first.header.contigs[contig].length
    tabix = [pysam.TabixFile(str(path)) for path in sources]
    for start in range(0, length, PIECE):
        drawn = rng.choice(tabix).fetch(contig, start, min(length, start + PIECE))
        lines += [line for line in drawn if start < int(line.split("\t", 2)[1]) <= start + PIECE]
    with pysam.BGZFile(str(output), "w", None) as file:
        file.write((head + "".join(f"{line}\n" for line in lines)).encode())
    pysam.tabix_index(str(output), preset="vcf", force=True)


@app.command()
def cohort(
    folder: Annotated[Path, Option(help="folder of `reads` and `call`", exists=True)],
    coverage: Annotated[float, Option()] = 30,
    number: Annotated[list[int] | None, Option(help="samples; repeat")] = None,
    kilobases: Annotated[list[int] | None, Option(help="of the region; repeat")] = None,
) -> None:
    """CPU seconds and peak memory of joint genotyping by samples and by length: samples are mosaics of the trio's gVCFs."""
    sources = [folder / f"{member}.{coverage:g}x.g.vcf.gz" for member in MEMBERS]
    work, fasta = folder / "cohort", reference_of(folder)
    work.mkdir(exist_ok=True)
    contig, start, _ = (folder / "regions.bed").read_text().split()
    print("| samples | kb | CPU s | peak MB | sites |", "| --- " * 5 + "|", sep="\n")
    for samples in number or [3, 10, 50]:
        paths = [work / f"S{index}.g.vcf.gz" for index in range(samples)]
        for index, path in enumerate(paths):
            if not path.exists():
                mosaic(sources, f"S{index}", random.Random(index), path)
        for size in kilobases or [500, 1000, 1999]:
            bed = work / "regions.bed"
            bed.write_text(f"{contig}\t{start}\t{int(start) + 1000 * size}\n")
            inputs = " ".join(f"--gvcf {path}" for path in paths)
            outputs = " ".join(
                f"--{name} {work}/{file}"
                for name, file in {
                    "output": "j.vcf.gz",
                    "mendelian": "m.tsv",
                    "de-novo": "d.tsv",
                    "summary": "s.json",
                    "notes": "n.json",
                }.items()
            )
            script = f"{sys.executable} {PROJECT / 'bin' / 'small_variants.py'}"
            found = measured(f"{script} joint {inputs} --reference {fasta} --intervals {bed} {outputs}", work / "log")
            sites = sum(json.loads((work / "s.json").read_text())["records"].values())
            print(f"| {samples} | {size:,} | {found['cpu_s']:.1f} | {found['peak_mb']:.0f} | {sites:,} |", flush=True)


# ---- scores -------------------------------------------------------------------------------------------------------


def one_sample(calls: Path, member: str, output: Path) -> Path:
    """A member's genotypes of a VCF of several samples; what its own filter FT turns down is left out."""
    with pysam.VariantFile(str(calls)) as variants, output.open("w") as handle:
        lengths = {name: contig.length for name, contig in variants.header.contigs.items()}
        handle.write(
            "##fileformat=VCFv4.3\n" + "".join(f"##contig=<ID={n},length={size}>\n" for n, size in lengths.items())
        )
        handle.write(
            '##FILTER=<ID=other,Description="Any filter">\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        )
        handle.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{member}\n")
        for record in variants:
            sample = record.samples[member]
            genotype = [allele for allele in sample["GT"] if allele is not None]
            passes = not set(record.filter.keys()) - {"PASS"} and sample.get("FT", "PASS") in (None, "PASS", ("PASS",))
            if any(genotype) and passes and record.alts:
                text = "/".join(map(str, genotype))
                handle.write(
                    f"{record.chrom}\t{record.pos}\t.\t{record.ref}\t{','.join(record.alts)}\t.\tPASS\t.\tGT\t{text}\n"
                )
    return output


def trio_sites(calls: Path) -> Iterator[tuple[pysam.VariantRecord, list[tuple[int, ...]]]]:
    """Passing records with the genotypes of mother, father and child, where all three have one and one is not 0/0."""
    with pysam.VariantFile(str(calls)) as variants:
        for record in variants:
            genotypes = [tuple(a for a in record.samples[m]["GT"] if a is not None) for m in MEMBERS]
            if (
                not set(record.filter.keys()) - {"PASS"}
                and all(len(g) == 2 for g in genotypes)
                and any(map(any, genotypes))
            ):
                yield record, genotypes


def violates(genotypes: list[tuple[int, ...]]) -> bool:
    """Whether the child cannot have one allele of each parent."""
    mother, father, (one, other) = genotypes
    return not ((one in mother and other in father) or (other in mother and one in father))


def event(position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """A change without the bases that both alleles share at the end."""
    while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return position, ref, alt


def new_events(calls: Path, wanted: str = "") -> set[tuple[int, str, str]]:
    """Alleles of the child that no parent has; wanted: the INFO key of GATK that names de novo calls, or all."""
    found = set()
    for record, (mother, father, child) in trio_sites(calls):
        alleles = {a for a in child if a and a not in mother + father}
        if wanted == "hiConfDeNovo" and "child" not in (record.info.get("hiConfDeNovo") or ()):
            continue
        found |= {event(record.pos, record.ref, record.alleles[a]) for a in alleles}
    return found


def planted_events(folder: Path) -> set[tuple[int, str, str]]:
    """De novo variants inside the regions."""
    _, start, end = (folder / "regions.bed").read_text().split()
    with (folder / "de_novo.tsv").open() as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    return {
        event(int(row["position"]), row["reference"], row["alternate"])
        for row in rows
        if int(start) < int(row["position"]) <= int(end)
    }


def listed_events(table: Path, least: float) -> set[tuple[int, str, str]]:
    """De novo candidates of ours with a probability of at least `least`, without filter."""
    found = set()
    with table.open() as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            if float(row["probability"]) >= least and row["filter"] == "PASS":
                alternates = row["alternate"].split(",")
                parents = set("/".join((row["father_gt"], row["mother_gt"])).replace("|", "/").split("/"))
                new = set(row["child_gt"].replace("|", "/").split("/")) - parents - {"0"}
                chosen = [alternates[int(a) - 1] for a in new] or alternates[:1]
                found |= {event(int(row["position"]), row["reference"], alt) for alt in chosen}
    return found


@app.command()
def score(
    folder: Annotated[list[Path], Option(help="folder of `reads` and `call`; repeat for more trios, which are pooled")],
    coverage: Annotated[list[float], Option(help="repeat")],
) -> None:
    """Print the tables: wrong alleles of all members, Mendelian errors, de novo variants found and false."""
    ways = {
        "each alone": "",
        "joint": "joint",
        "joint, second round": "joint_again",
        "bcftools": "bcftools",
        "GATK on our gVCFs": "gatk_on_ours",
        "GATK": "gatk",
        "GATK, pedigree": "gatk_refined",
    }
    print(
        "| coverage | calls | SNP truth | SNP FN + FP | INDEL truth | INDEL FN + FP | all errors |",
        "| --- " * 7 + "|",
        sep="\n",
    )
    for depth in (f"{number:g}x" for number in coverage):
        for way, stem in ways.items():
            if all((f / f"{stem or 'joint'}.{depth}.vcf.gz").exists() for f in folder):
                _print_errors(folder, depth, way, stem)
    print("\n| coverage | calls | GQ | called alleles | errors expected | errors seen |", "| --- " * 6 + "|", sep="\n")
    for depth in (f"{number:g}x" for number in coverage):
        for way, stem in list(ways.items())[:3]:
            _print_calibration(folder, depth, way, stem)
    print(
        "\n| coverage | calls | sites | Mendelian errors | of these planted | rate without planted |",
        "| --- " * 6 + "|",
        sep="\n",
    )
    for depth in (f"{number:g}x" for number in coverage):
        for way, stem in (("each alone, bcftools merge", "merged"), *list(ways.items())[1:]):
            _print_mendelian(folder, depth, way, stem)
    print("\n| coverage | de novo calls | planted | found | false |", "| --- " * 5 + "|", sep="\n")
    for depth in (f"{number:g}x" for number in coverage):
        sets_ = {
            "joint, probability 0.5": lambda f: listed_events(f / f"de_novo.{depth}.tsv", 0.5),  # noqa: B023
            "joint, probability 0.05": lambda f: listed_events(f / f"de_novo.{depth}.tsv", 0.05),  # noqa: B023
            "joint, probability 0.001": lambda f: listed_events(f / f"de_novo.{depth}.tsv", 0.001),  # noqa: B023
            "joint, second round, probability 0.5": lambda f: listed_events(f / f"de_novo_again.{depth}.tsv", 0.5),  # noqa: B023
            "joint, second round, probability 0.05": lambda f: listed_events(f / f"de_novo_again.{depth}.tsv", 0.05),  # noqa: B023
            "joint, second round, probability 0.001": lambda f: listed_events(f / f"de_novo_again.{depth}.tsv", 0.001),  # noqa: B023
            "each alone, bcftools merge: allele of no parent": lambda f: new_events(f / f"merged.{depth}.vcf.gz"),  # noqa: B023
            "GATK on our gVCFs: allele of no parent": lambda f: new_events(f / f"gatk_on_ours.{depth}.vcf.gz"),  # noqa: B023
            "bcftools: allele of no parent": lambda f: new_events(f / f"bcftools.{depth}.vcf.gz"),  # noqa: B023
            "GATK: allele of no parent": lambda f: new_events(f / f"gatk.{depth}.vcf.gz"),  # noqa: B023
            "GATK, pedigree: hiConfDeNovo": lambda f: new_events(f / f"gatk_refined.{depth}.vcf.gz", "hiConfDeNovo"),  # noqa: B023
        }
        for name, events in sets_.items():
            try:
                pairs = [(planted_events(f), events(f)) for f in folder]
            except (FileNotFoundError, OSError):
                continue
            whole = sum(len(truth) for truth, _ in pairs)
            found, false = sum(len(truth & got) for truth, got in pairs), sum(len(got - truth) for truth, got in pairs)
            print(f"| {depth} | {name} | {whole} | {found} | {false} |")


def _print_errors(folders: list[Path], depth: str, way: str, stem: str) -> None:
    """Wrong alleles of all members, pooled."""
    sides = [_compared(folder, depth, stem, member) for folder in folders for member in MEMBERS]
    cells, errors = [], 0
    for kind in ("SNP", "INDEL"):
        truth, calls = ([a for pair in sides for a in pair[number] if a.kind == kind] for number in (0, 1))
        row = counts(truth, calls)
        cells += [str(row["truth_total"]), f"{row['fn']} + {row['fp']}"]
        errors += row["fn"] + row["fp"]
    print("|", " | ".join([depth, way, *cells, str(errors)]), "|", flush=True)


def _compared(folder: Path, depth: str, stem: str, member: str) -> tuple[list, list]:
    calls = folder / f"{member}.{depth}.vcf.gz"
    if stem:
        calls = one_sample(folder / f"{stem}.{depth}.vcf.gz", member, folder / f"one.{stem}.{member}.{depth}.vcf")
    return compare(folder / f"{member}.truth.vcf.gz", calls, reference_of(folder), folder / "regions.bed")


def _print_calibration(folders: list[Path], depth: str, way: str, stem: str) -> None:
    """What GQ promises of the called alleles, and what is seen: alleles that are false or have the wrong genotype."""
    expected, seen, number = [0.0] * 3, [0] * 3, [0] * 3
    for folder in folders:
        for member in MEMBERS:
            calls = folder / (f"{stem}.{depth}.vcf.gz" if stem else f"{member}.{depth}.vcf.gz")
            with pysam.VariantFile(str(calls)) as variants:
                qualities = {(r.pos, r.ref): r.samples[member].get("GQ") for r in variants}
            for allele in _compared(folder, depth, stem, member)[1]:
                place, change = allele.record.split()[:2]
                quality = qualities.get((int(place.split(":")[1]), change.split(">")[0]))
                if quality is not None:
                    band = min(2, quality // 10)
                    number[band] += 1
                    expected[band] += 10 ** (-quality / 10)
                    seen[band] += not allele.matched
    for band, words in enumerate(("0–9", "10–19", "20 and more")):
        print(f"| {depth} | {way} | {words} | {number[band]} | {expected[band]:.1f} | {seen[band]} |")


def _print_mendelian(folders: list[Path], depth: str, way: str, stem: str) -> None:
    sites = errors = planted = 0
    for folder in folders:
        calls = folder / f"{stem}.{depth}.vcf.gz"
        if not calls.exists():
            return
        truth = planted_events(folder)
        for record, genotypes in trio_sites(calls):
            sites += 1
            if violates(genotypes):
                errors += 1
                planted += any(event(record.pos, record.ref, alt) in truth for alt in record.alts or ())
    print(f"| {depth} | {way} | {sites} | {errors} | {planted} | {(errors - planted) / sites:.3%} |")


if __name__ == "__main__":
    app()
