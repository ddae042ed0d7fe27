#!/usr/bin/env python3
"""Simulated germline samples with known truth: haplotypes, reads of several simulators, noise of libraries, alignment.

Needs on PATH: samtools, bwa, minimap2, art_illumina, dwgsim and, for its own sets, mason_simulator (Debian: samtools,
bwa, minimap2, art-nextgen-simulation-tools, dwgsim, seqan-apps). Same arguments and seed give the same reads.
"""

import csv
import gzip
import random
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

import pysam
import pysam.bcftools
from typer import Option, Typer

app = Typer(help=__doc__, pretty_exceptions_enable=False)

ADAPTERS = ("AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT")
HEADER = (
    "##fileformat=VCFv4.3\n##contig=<ID={contig},length={length}>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSIM\n"
)


@dataclass
class Reads:
    """How a sample is sequenced. Rates are per read or pair; fragment sizes and read lengths in bases."""

    coverage: float = 30
    seed: int = 1
    simulator: str = "art"  # art, dwgsim or mason
    profile: str = "HS25"  # of art_illumina
    aligner: str = "bwa"  # bwa or minimap2
    read_length: int = 150
    fragment: int = 400
    fragment_sd: int = 80
    quality_shift: int = 0  # of art_illumina; negative: worse reads
    error_rate: float = 0.006  # of dwgsim, at the last base; of mason, of substitutions
    depth_jitter: float = 0.0  # depth of 10 kb windows is drawn from 1 +/- this
    stutter: float = 0.0  # factor on the rate at which repeats gain or lose a unit; 1 is a PCR library
    chimeras: float = 0.0
    adapters: float = 0.0
    duplicates: float = 0.0  # not marked
    contamination: float = 0.0  # share of reads from another person with other alleles at the same and at other sites
    paralogues: float = 0.0  # share of the region with reads of an unknown diverged copy on top
    systematic: float = 0.0  # factor on errors that a sequence brings about on one strand; 1 is an older machine


@dataclass
class Haplotypes:
    """Two haplotype sequences of a region and the records that went into them."""

    sequences: list[str]
    applied: list[pysam.VariantRecord] = field(default_factory=list)


def parsed(region: str) -> tuple[str, int, int]:
    """contig:first-last (1-based) as contig, 0-based start, end."""
    contig, _, span = region.rpartition(":")
    first, last = span.split("-")
    return contig, int(first) - 1, int(last)


def haplotypes(sequence: str, start: int, records: list[pysam.VariantRecord]) -> Haplotypes:
    """Put phased records into `sequence`, which begins at 0-based `start`; what overlaps an earlier one is left out."""
    pieces: list[list[str]] = [[], []]
    applied = []
    done = 0
    for record in records:
        genotype = record.samples[0].get("GT") or ()
        begin = record.start - start
        end = begin + len(record.ref)
        usable = (
            len(genotype) == 2 and None not in genotype and any(genotype) and begin >= done and end <= len(sequence)
        )
        if not usable or sequence[begin:end] != record.ref.upper():
            continue
        alleles = [record.alleles[index].upper() for index in genotype]
        if any(set(allele) - set("ACGT") for allele in alleles):
            continue
        for haplotype, allele in zip(pieces, alleles, strict=True):
            haplotype += [sequence[done:begin], allele]
        done = end
        applied.append(record)
    return Haplotypes(["".join(haplotype) + sequence[done:] for haplotype in pieces], applied)


# ---- planted variants ---------------------------------------------------------------------------------------------

TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}
TRANSVERSIONS = {"A": "CT", "G": "CT", "C": "AG", "T": "AG"}
TRACT = re.compile(r"([ACGT])\1{4,}|([ACGT]{2})\2{3,}|([ACGT]{3,4})\3{2,}")


def changed_units(units: int, rng: random.Random) -> int:
    """Units gained or lost by a repeat: mostly one, losses as often as gains, never more than it has."""
    size = min(units - 1, 1 + int(rng.expovariate(1.1)))
    return rng.choice((-1, 1)) * max(1, size)


def tract_variant(sequence: str, match: re.Match[str], rng: random.Random) -> tuple[int, str, list[str]] | None:
    """A repeat that gained or lost units on one or both haplotypes, the more likely the longer it is."""
    unit = next(group for group in match.groups() if group)
    units = len(match.group()) // len(unit)
    rate = min(0.35, 0.008 * 1.45 ** (units - 5)) if len(unit) == 1 else min(0.35, 0.02 * 1.4 ** (units - 4))
    if match.start() == 0 or rng.random() > rate:
        return None
    anchor = match.start() - 1
    changes = {changed_units(units, rng)}
    if rng.random() < 2 * rate:
        changes.add(changed_units(units, rng))
    lost = max(0, *(-change for change in changes))
    kept = unit * lost
    alternatives = [sequence[anchor] + unit * (lost + change) for change in sorted(changes)]
    return anchor, sequence[anchor] + kept, alternatives


def background_variant(sequence: str, at: int, rng: random.Random) -> tuple[int, str, list[str]]:
    """An SNP (6 of 7; transitions 2.1 times as often as transversions) or an indel with a long tail of lengths."""
    base = sequence[at]
    if rng.random() < 6 / 7:
        other = TRANSITION[base] if rng.random() < 2.1 / 3.1 else rng.choice(TRANSVERSIONS[base])
        if rng.random() < 0.004:
            other += "," + rng.choice([x for x in "ACGT" if x not in (base, other)])
        return at, base, other.split(",")
    length = rng.choices((1, 2, 3, 4, 5 + int(rng.expovariate(0.12))), (45, 16, 10, 12, 17))[0]
    if rng.random() < 0.5:
        return at, sequence[at : at + length + 1], [base]
    copied = sequence[at + 1 : at + 1 + length] if rng.random() < 0.5 else "".join(rng.choices("ACGT", k=length))
    return at, base, [base + copied]


def genotype_text(alternatives: int, rng: random.Random) -> str:
    """Phased genotype: heterozygous 1.6 times as often as homozygous, both alternatives where there are two."""
    if alternatives == 2:
        return rng.choice(("1|2", "2|1"))
    return rng.choices(("0|1", "1|0", "1|1"), (0.8, 0.8, 1.0))[0]


def planted_variants(sequence: str, start: int, rng: random.Random, per_base: float = 1 / 500) -> list[tuple]:
    """Draw variants for `sequence`: (0-based position, REF, ALT list, genotype), not overlapping, sorted."""
    drawn = [found for match in TRACT.finditer(sequence) if (found := tract_variant(sequence, match, rng))]
    at = 1
    while (at := at + 1 + int(rng.expovariate(per_base))) < len(sequence) - 100:
        places = [at, at + rng.randrange(1, 25)] if rng.random() < 0.06 else [at]
        drawn += [background_variant(sequence, place, rng) for place in places if sequence[place] in TRANSITION]
    variants = []
    done = 1
    for begin, reference, alternatives in sorted(drawn):
        if begin <= done or set(reference) - set(TRANSITION):
            continue
        variants.append((start + begin, reference, alternatives, genotype_text(len(alternatives), rng)))
        done = begin + len(reference)
    return variants


LONG_TRACT = re.compile(r"([ACGT])\1{8,}|([ACGT]{2,3})\2{5,}|([ACGT]{4,6})\3{3,}")


def crowded_variants(
    sequence: str, start: int, rng: random.Random, share: float = 0.15, stretched: bool = False
) -> list[tuple]:
    """Variants as alignments show them worst: repeats that gain up to 60 bases, pure or not, with others close by.

    A share of the long repeats of `sequence` is changed, on one haplotype, on both alike or on each in its own way.
    stretched: repeats of 20 bases or more become 60 to 140 bases long, near the length of a read.
    Gives (0-based position, REF, ALT list, genotype), sorted, none overlapping another on its haplotype.
    """
    drawn = []
    for match in LONG_TRACT.finditer(sequence):
        if rng.random() > share or match.start() < 50 or (stretched and len(match.group()) < 20):
            continue
        unit = next(group for group in match.groups() if group)
        units = len(match.group()) // len(unit)
        anchor = sequence[match.start() - 1]
        texts = []
        for _ in range(rng.choice((1, 1, 2))):
            if stretched:
                change = max(1, rng.randrange(60, 141) // len(unit) - units)
            else:
                change = rng.choice((-1, 1, 1)) * min(1 + int(rng.expovariate(0.25)), 60 // len(unit))
            if change < 0:
                texts.append(unit * max(1, units + change))
                continue
            gained = list(unit * (units + change))
            if rng.random() < 0.4:  # one base of the longer repeat differs
                gained[rng.randrange(len(gained))] = rng.choice("ACGT")
            texts.append("".join(gained))
        genotype = genotype_text(len(set(texts)), rng)
        drawn.append(
            (match.start() - 1, anchor + unit * units, [anchor + text for text in sorted(set(texts))], genotype)
        )
        for side in (-1, 1):
            while rng.random() < 0.4:
                edge = match.start() - 2 if side < 0 else match.start() + len(unit) * units + 1
                at = edge + side * int(rng.expovariate(0.12))
                if 1 < at < len(sequence) - 100 and sequence[at] in TRANSITION:
                    drawn.append((*background_variant(sequence, at, rng), genotype_text(1, rng)))
    taken = 0
    variants = []
    for begin, reference, alternatives, genotype in sorted(drawn):
        alternatives = [text for text in alternatives if text != reference][: 2 if "2" in genotype else 1]
        if begin < taken or set(reference) - set(TRANSITION) or not alternatives:
            continue
        if len(alternatives) == 1:
            genotype = genotype.replace("2", "1")
        variants.append((start + begin, reference, alternatives, genotype))
        taken = begin + len(reference)
    return variants


def stretched_variants(sequence: str, start: int, rng: random.Random) -> list[tuple]:
    """Half of the repeats of 20 bases or more, grown until reads hardly span them."""
    return crowded_variants(sequence, start, rng, share=0.5, stretched=True)


DRAWN = {"planted": planted_variants, "crowded": crowded_variants, "stretched": stretched_variants}


def write_planted(fasta: Path, region: str, seed: int, output: Path, kind: str = "planted") -> None:
    """Write a phased VCF of planted variants of a kind of DRAWN, left-aligned, bgzipped and indexed."""
    with pysam.FastaFile(str(fasta)) as reference:
        contig, start, end = parsed(region)
        variants = DRAWN[kind](reference.fetch(contig, start, end).upper(), start, random.Random(seed))
        length = reference.get_reference_length(contig)
    plain = output.with_suffix("")
    with plain.open("w") as handle:
        handle.write(HEADER.format(contig=contig, length=length))
        for begin, allele, alternatives, genotype in variants:
            handle.write(f"{contig}\t{begin + 1}\t.\t{allele}\t{','.join(alternatives)}\t.\tPASS\t.\tGT\t{genotype}\n")
    pysam.bcftools.norm("-f", str(fasta), "-Oz", "-o", str(output), str(plain), catch_stdout=False)
    pysam.tabix_index(str(output), preset="vcf", force=True)
    plain.unlink()


# ---- reads --------------------------------------------------------------------------------------------------------


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def simulate_pairs(sequence: str, name: str, coverage: float, seed: int, how: Reads, work: Path) -> list[Path]:
    """Run the simulator on one stretch of one haplotype; gives its two FASTQ files."""
    fasta = work / f"{name}.fa"
    fasta.write_text(f">{name}\n{sequence}\n")
    stem = work / name
    if how.simulator == "art":
        command = ["art_illumina", "-q", "-na", "-p", "-ss", how.profile, "-l", how.read_length, "-f", coverage]
        command += ["-m", how.fragment, "-s", how.fragment_sd, "-rs", seed, "-i", fasta, "-o", f"{stem}_", "-d", name]
        run(*command, "-qs", how.quality_shift, "-qs2", how.quality_shift)
        pair = [work / f"{name}_1.fq", work / f"{name}_2.fq"]
    elif how.simulator == "dwgsim":
        rates = f"0.0005-{how.error_rate}"
        command = ["dwgsim", "-r", 0, "-y", 0, "-o", 1, "-H", "-e", rates, "-E", rates, "-Q", 4, "-z", seed, "-P", name]
        command += [
            "-C",
            coverage,
            "-1",
            how.read_length,
            "-2",
            how.read_length,
            "-d",
            how.fragment,
            "-s",
            how.fragment_sd,
        ]
        run(*command, fasta, stem)
        pair = [work / f"{name}.bwa.read1.fastq.gz", work / f"{name}.bwa.read2.fastq.gz"]
    else:
        tool = shutil.which("mason_simulator") or "/usr/lib/seqan/bin/mason_simulator"  # Debian keeps it off PATH
        pair = [work / f"{name}_1.fq", work / f"{name}_2.fq"]
        number = round(coverage * len(sequence) / (2 * how.read_length))
        command = [tool, "-ir", fasta, "-n", number, "--seed", seed, "-o", pair[0], "-or", pair[1]]
        command += ["--illumina-read-length", how.read_length, "--read-name-prefix", name]
        command += ["--illumina-prob-mismatch-scale", how.error_rate / 0.004]
        run(*command, "--fragment-mean-size", how.fragment, "--fragment-size-std-dev", how.fragment_sd)
    fasta.unlink()
    return pair


def windows(length: int, how: Reads, rng: random.Random) -> list[tuple[int, int, float]]:
    """Stretches of a haplotype with their factor on depth."""
    if not how.depth_jitter:
        return [(0, length, 1.0)]
    stretches = [(at, min(length, at + 10_000 + how.fragment)) for at in range(0, length, 10_000)]
    factors = [1 + how.depth_jitter * (2 * rng.random() - 1) for _ in stretches]
    return [
        (begin, end, factor)
        for (begin, end), factor in zip(stretches, factors, strict=True)
        if end - begin >= 2 * how.fragment
    ]


def other_person(sequence: str, sample: Haplotypes, start: int, rng: random.Random) -> Haplotypes:
    """Haplotypes of somebody else: each of the sample's alleles by the toss of a coin, and alleles of their own."""
    own = {begin: (ref, alts) for begin, ref, alts, _ in planted_variants(sequence, start, rng, 1 / 1500)}
    shared = {record.start: (record.ref, list(record.alts or ())) for record in sample.applied}
    sequences = []
    for _ in range(2):
        pieces, done = [], 0
        for begin, (reference, alternatives) in sorted({**own, **shared}.items()):
            if begin - start >= done and rng.random() < 0.5:
                pieces += [sequence[done : begin - start], rng.choice(alternatives)]
                done = begin - start + len(reference)
        sequences.append("".join(pieces) + sequence[done:])
    return Haplotypes(sequences)


def paralogue_copies(sequence: str, share: float, rng: random.Random) -> list[str]:
    """Diverged copies (1 to 4 %) of stretches of 2 to 6 kb that the reference does not know of."""
    copies, total = [], 0
    while total < share * len(sequence):
        begin = rng.randrange(len(sequence) - 6000)
        copy = list(sequence[begin : begin + rng.randrange(2000, 6000)])
        total += len(copy)
        for place in rng.sample(range(len(copy)), int(len(copy) * rng.uniform(0.01, 0.04))):
            change = rng.random()
            old = copy[place] if copy[place] in TRANSITION else "A"
            copy[place] = TRANSITION[old] if change < 0.6 else rng.choice("ACGT") if change < 0.9 else ""
        copies.append("".join(copy))
    return copies


def stutter(read: tuple[str, str], factor: float, rng: random.Random) -> tuple[str, str]:
    """Let repeats in a read gain or lose a unit, as polymerases do: more often where longer, losses twice as often."""
    bases, qualities = read
    for match in TRACT.finditer(bases):
        unit = next(len(group) for group in match.groups() if group)
        units = len(match.group()) / unit
        if rng.random() < factor * min(0.2, (0.0015 if unit == 1 else 0.004) * 1.35 ** (units - 5)):
            at = match.start()
            if rng.random() < 2 / 3:
                return bases[:at] + bases[at + unit :], qualities[:at] + qualities[at + unit :]
            return bases[:at] + bases[at : at + unit] + bases[at:], qualities[:at] + qualities[
                at : at + unit
            ] + qualities[at:]
    return read


Read = tuple[str, str]  # bases, qualities

CONTEXT = 9
HOMOPOLYMER = re.compile(r"([ACGT])\1{7,}")


def error_contexts(rng: random.Random, share: float = 1 / 1200) -> dict[str, tuple[str, float]]:
    """Sequences after which a machine tends to read one wrong base: the base, and how often."""
    number = int(4**CONTEXT * share)
    return {
        "".join(rng.choices("ACGT", k=CONTEXT)): (rng.choice("ACGT"), 0.03 + 0.5 * rng.random() ** 2)
        for _ in range(number)
    }


def low_quality(quality: str, rng: random.Random, most: int) -> str:
    return min(quality, chr(33 + rng.randrange(2, most)))


def systematic_errors(read: Read, factor: float, contexts: dict[str, tuple[str, float]], rng: random.Random) -> Read:
    """Errors that come back at the same place on the same strand, most with low quality.

    After some sequences one wrong base is read again and again; after a long homopolymer the molecules of a cluster are
    out of step, so that its base lingers on and qualities fall.
    """
    bases, qualities = list(read[0]), list(read[1])
    text = read[0]
    for at in range(CONTEXT, len(text)):
        found = contexts.get(text[at - CONTEXT : at])
        if found is None:
            continue
        wrong, often = found
        if rng.random() < factor * often:
            bases[at] = wrong
            qualities[at] = low_quality(qualities[at], rng, 34 if rng.random() < 0.15 else 24)
        elif rng.random() < 2 * often:
            qualities[at] = low_quality(qualities[at], rng, 30)
    for match in HOMOPOLYMER.finditer(text):
        if rng.random() > factor * min(0.9, 0.08 * 1.25 ** (len(match.group()) - 8)):
            continue
        reach = 5 + int(rng.expovariate(1 / 25))
        for step, at in enumerate(range(match.end(), min(len(text), match.end() + reach))):
            qualities[at] = low_quality(qualities[at], rng, 24)
            if rng.random() < (0.45 if step < 2 else 0.06):
                bases[at] = match.group(1) if step < 2 else text[at - 1]
    return "".join(bases), "".join(qualities)


def fastq_records(paths: list[Path]) -> list[list[Read]]:
    """All pairs of two FASTQ files, names dropped."""
    sides = []
    for path in paths:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as handle:
            lines = handle.read().split("\n")
        sides.append(list(zip(lines[1::4], lines[3::4], strict=False)))
    return [list(pair) for pair in zip(*sides, strict=True)]


def add_noise(pairs: list[list[Read]], how: Reads, rng: random.Random) -> list[list[Read]]:
    """Stutter, systematic errors, chimeric reads, adapter tails, duplicates. Length is kept but for stutter at the end."""
    noisy = []
    contexts = error_contexts(rng) if how.systematic else {}
    for pair in pairs:
        if how.stutter:
            pair = [stutter(read, how.stutter, rng) for read in pair]
        if how.systematic:
            pair = [systematic_errors(read, how.systematic, contexts, rng) for read in pair]
        for side in (0, 1):
            bases, qualities = pair[side]
            if rng.random() < how.chimeras:
                cut = rng.randrange(20, len(bases) - 20)
                pair[side] = (
                    bases[:cut] + rng.choice(pairs)[side][0][cut:][: len(bases) - cut].ljust(len(bases) - cut, "N"),
                    qualities,
                )
            if rng.random() < how.adapters:
                cut = rng.randrange(30, len(bases) - 3)
                tail = (ADAPTERS[side] + "A" * len(bases))[: len(bases) - cut]
                pair[side] = (bases[:cut] + tail, qualities)
        noisy.append(pair)
        if rng.random() < how.duplicates:
            noisy.append(pair)
    return noisy


def all_pairs(sequence: str, start: int, sample: Haplotypes, how: Reads, work: Path) -> list[list[Read]]:
    """Reads of the sample, of whoever contaminates it, and of unknown copies; noise added."""
    rng = random.Random(how.seed)
    files: list[list[Path]] = []
    people = [(sample, 1 - how.contamination)]
    if how.contamination:
        people.append((other_person(sequence, sample, start, rng), how.contamination))
    for person, (who, share) in enumerate(people):
        for copy, haplotype in enumerate(who.sequences):
            for part, (begin, end, factor) in enumerate(windows(len(haplotype), how, rng)):
                seed = how.seed * 100_000 + person * 50_000 + copy * 20_000 + part
                name = f"p{person}h{copy}w{part}"
                depth = how.coverage / 2 * share * factor
                files.append(simulate_pairs(haplotype[begin:end], name, depth, seed, how, work))
    for number, copy_sequence in enumerate(paralogue_copies(sequence, how.paralogues, rng)):
        depth = how.coverage * rng.choice((0.5, 1.0))
        seed = how.seed * 100_000 + 90_000 + number
        files.append(simulate_pairs(copy_sequence, f"copy{number}", depth, seed, how, work))
    pairs = []
    for pair in files:
        pairs += fastq_records(pair)
        for path in pair:
            path.unlink()
    return add_noise(pairs, how, rng)


def align(fastq: list[Path], fasta: Path, aligner: str, output: Path, name: str = "SIM") -> None:
    group = f"@RG\\tID:{name}\\tSM:{name}\\tPL:ILLUMINA\\tLB:{name}"
    if aligner == "bwa":
        if not Path(f"{fasta}.bwt").exists():
            run("bwa", "index", fasta)
        command = ["bwa", "mem", "-R", group, fasta, *fastq]
    else:
        command = ["minimap2", "-ax", "sr", "-t", 1, "-R", group, fasta, *fastq]
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as aligning:
        subprocess.run(["samtools", "sort", "-o", output, "-"], stdin=aligning.stdout, check=True, capture_output=True)
    if aligning.returncode:
        raise RuntimeError(f"{aligner} failed with {aligning.returncode}")
    run("samtools", "index", output)


def write_reads(
    sequence: str, start: int, sample: Haplotypes, how: Reads, fasta: Path, bam: Path, name: str = "SIM"
) -> None:
    """Simulate reads of two haplotypes and align them; name: of the sample in the read group."""
    with tempfile.TemporaryDirectory(dir=bam.parent) as folder:
        work = Path(folder)
        pairs = all_pairs(sequence, start, sample, how, work)
        fastq = [work / "1.fq", work / "2.fq"]
        for side, path in enumerate(fastq):
            with path.open("w") as handle:
                handle.writelines(f"@r{n}\n{pair[side][0]}\n+\n{pair[side][1]}\n" for n, pair in enumerate(pairs))
        pairs.clear()
        align(fastq, fasta, how.aligner, bam, name)


def simulate(fasta: Path, vcf: Path, region: str, how: Reads, prefix: Path) -> int:
    """Write PREFIX.bam, PREFIX.truth.vcf.gz (records applied) and PREFIX.bed (where they count); gives their number."""
    with pysam.FastaFile(str(fasta)) as reference:
        contig, start, end = parsed(region)
        sequence = reference.fetch(contig, start, end).upper()
    with pysam.VariantFile(str(vcf)) as variants:
        sample = haplotypes(sequence, start, list(variants.fetch(contig, start, end)))
        truth = f"{prefix}.truth.vcf.gz"
        with pysam.VariantFile(truth, "wz", header=variants.header) as output:
            for record in sample.applied:
                output.write(record)
    pysam.tabix_index(truth, preset="vcf", force=True)
    Path(f"{prefix}.bed").write_text(
        f"{contig}\t{start + how.fragment}\t{end - how.fragment}\n"
    )  # depth fades at the ends
    write_reads(sequence, start, sample, how, fasta, Path(f"{prefix}.bam"))
    return len(sample.applied)


# ---- commands -----------------------------------------------------------------------------------------------------


@app.command()
def planted(
    fasta: Annotated[Path, Option(help="reference, indexed", exists=True)],
    region: Annotated[str, Option(help="contig:first-last, 1-based")],
    output: Annotated[Path, Option(help="VCF to write, .vcf.gz")],
    seed: Annotated[int, Option()] = 1,
) -> None:
    """Draw realistic germline variants, rich in indels of repeats, as a phased VCF."""
    write_planted(fasta, region, seed, output)


@app.command()
def wear(
    alignment: Annotated[Path, Option(help="BAM of simulated reads", exists=True)],
    output: Annotated[Path, Option(help="BAM to write")],
    factor: Annotated[float, Option(help="1 is an older machine")] = 1.0,
    seed: Annotated[int, Option()] = 1,
) -> None:
    """Give aligned reads systematic errors, without aligning them again."""
    rng = random.Random(seed)
    contexts = error_contexts(rng)
    complement = str.maketrans("ACGT", "TGCA")
    with pysam.AlignmentFile(str(alignment)) as reads, pysam.AlignmentFile(str(output), "wb", template=reads) as worn:
        for read in reads:
            if read.query_sequence and read.query_qualities is not None:
                bases = read.query_sequence
                qualities = pysam.qualities_to_qualitystring(read.query_qualities)
                if read.is_reverse:
                    bases, qualities = bases.translate(complement)[::-1], qualities[::-1]
                bases, qualities = systematic_errors((bases, qualities), factor, contexts, rng)
                if read.is_reverse:
                    bases, qualities = bases.translate(complement)[::-1], qualities[::-1]
                read.query_sequence = bases
                read.query_qualities = pysam.qualitystring_to_array(qualities)
            worn.write(read)
    pysam.index(str(output))


def options_of(text: str) -> Reads:
    """Read `name=value` words into Reads, with each field's own type."""
    kinds = {item.name: type(item.default) for item in fields(Reads)}
    words = dict(word.split("=") for word in text.split())
    return Reads(**{name: kinds[name](value) for name, value in words.items()})


@app.command()
def reads(
    fasta: Annotated[Path, Option(help="reference, indexed, plain text", exists=True)],
    vcf: Annotated[Path, Option(help="phased truth, indexed", exists=True)],
    region: Annotated[str, Option(help="contig:first-last, 1-based")],
    prefix: Annotated[Path, Option(help="prefix of what is written")],
    options: Annotated[str, Option(help="'coverage=30 seed=1 profile=HSXt …': fields of Reads")] = "",
) -> None:
    """Simulate and align one sample."""
    print(f"{prefix}: {simulate(fasta, vcf, region, options_of(options), prefix)} truth records applied")


def unpacked(packed: Path, folder: Path) -> Path:
    """The reference as plain text with an index: bwa and freebayes want it so."""
    plain = folder / packed.with_suffix("").name
    if not plain.exists():
        with gzip.open(packed, "rb") as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target)
        pysam.faidx(str(plain))
        run("samtools", "dict", "-o", plain.with_suffix(".dict"), plain)  # GATK wants one
    return plain


COLUMNS = ("name", "bam", "truth", "bed", "fasta", "kind", "coverage", "simulator", "regions")


def made_set(row: dict[str, str], data: Path, output: Path) -> dict[str, object]:
    """Make one set of a plan; gives its row of SETS.tsv."""
    fasta = unpacked(next(data.glob(f"{row['build']}.*.fa.gz")), output)
    truth = data / f"HG001.truth.{row['build']}.chr20.vcf.gz"
    prefix = output / row["name"]
    found: dict[str, object] = {"name": row["name"], "kind": row["kind"], "fasta": fasta}
    if row["truth"] == "real":
        given = dict(word.split("=") for word in row["options"].split())
        regions = Path(f"{prefix}.regions.bed")
        places = [parsed(region) for region in row["region"].split(",")]
        regions.write_text("".join(f"{contig}\t{start}\t{end}\n" for contig, start, end in places))
        bams = ",".join(str(data / name) for name in given["bam"].split(","))
        return {**found, "bam": bams, "truth": truth, "bed": data / given["bed"], "coverage": given["coverage"],
                "simulator": "real", "regions": regions}  # fmt: skip
    how = options_of(row["options"])
    if row["truth"] in DRAWN:
        truth = output / f"{row['name']}.planted.vcf.gz"
        write_planted(fasta, row["region"], how.seed, truth, row["truth"])
    simulate(fasta, truth, row["region"], how, prefix)
    simulator = " ".join([how.simulator, *([how.profile] if how.simulator == "art" else []), how.aligner])
    return {**found, "bam": f"{prefix}.bam", "truth": f"{prefix}.truth.vcf.gz", "bed": f"{prefix}.bed",
            "coverage": how.coverage, "simulator": simulator, "regions": f"{prefix}.bed"}  # fmt: skip


@app.command()
def sets(
    plan: Annotated[Path, Option(help="table of sets: name, kind, build, truth, region, options", exists=True)],
    data: Annotated[Path, Option(help="folder with references, truth and real reads", exists=True)],
    output: Annotated[Path, Option(help="folder for the sets; a list of them goes to SETS.tsv there")],
    only: Annotated[list[str] | None, Option(help="kinds or names to make; default all")] = None,
) -> None:
    """Make all sets of a plan that are not there yet."""
    output.mkdir(parents=True, exist_ok=True)
    listing = output / "SETS.tsv"
    if not listing.exists():
        listing.write_text("\t".join(COLUMNS) + "\n")
    made = {line.split("\t")[0] for line in listing.read_text().splitlines()}
    with plan.open() as handle:
        rows = [row for row in csv.DictReader(handle, delimiter="\t") if row["name"] not in made]
    for row in rows:
        if only and row["name"] not in only and row["kind"] not in only:
            continue
        found = made_set(row, data, output)
        print(f"{row['name']}: made", file=sys.stderr, flush=True)
        with listing.open("a") as handle:
            handle.write("\t".join(str(found[column]) for column in COLUMNS) + "\n")


if __name__ == "__main__":
    app()
