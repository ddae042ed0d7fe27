"""A small diploid sample with known variants and reads placed as an aligner would place them."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import pysam
from made_reads import MadeRead, random_bases, tiled, write_alignment, write_fasta


@dataclass
class Sample:
    """Paths of a made sample; variants: (0-based position, REF, ALT, genotype with | between)."""

    folder: Path
    reference: str
    fasta: Path
    bam: Path
    truth: Path
    bed: Path
    variants: list[tuple[int, str, str, str]] = field(default_factory=list)
    reads: list[MadeRead] = field(default_factory=list)


def reference_with_repeats(length: int, rng: random.Random) -> str:
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        parts += [random_bases(150, rng), rng.choice(("A", "T", "CA", "GT", "AAAG")) * rng.randrange(3, 9)]
    return "".join(parts)[:length]


def planted(reference: str, gap: int, rng: random.Random) -> list[tuple[int, str, str, str]]:
    variants, at = [], 300
    while at < len(reference) - 300:
        genotype = rng.choice(("0|1", "1|0", "1|1"))
        kind, size = rng.random(), rng.choice((1, 1, 2, 4, 9))
        if kind < 0.6:
            variants.append((at, reference[at], rng.choice([b for b in "ACGT" if b != reference[at]]), genotype))
        elif kind < 0.8:
            variants.append((at, reference[at : at + size + 1], reference[at], genotype))
        else:
            variants.append((at, reference[at], reference[at] + random_bases(size, rng), genotype))
        at += gap + rng.randrange(gap)
    return variants


def haplotype(
    reference: str, variants: list[tuple[int, str, str, str]], copy: int
) -> tuple[str, list[tuple[int, int]]]:
    """The haplotype's bases, and as pairs (haplotype position, shift back to the reference) where the shift changes."""
    pieces, done, length, shifts = [], 0, 0, [(0, 0)]
    for at, old, new, genotype in variants:
        if genotype.split("|")[copy] != "1":
            continue
        pieces += [reference[done:at], new]
        length += at - done + len(new)
        done = at + len(old)
        shifts.append((length, done - length))
    return "".join([*pieces, reference[done:]]), shifts


def placed(bases: str, start: int, shifts: list[tuple[int, int]], reference: str) -> tuple[int, str] | None:
    """Position and CIGAR of a read without errors drawn at `start` of a haplotype; None where it ends in an insertion."""
    pairs = []  # reference position of every base, None when inserted
    for i in range(start, start + len(bases)):
        shift = next(value for begin, value in reversed(shifts) if begin <= i)
        pairs.append(i + shift)
    cigar, previous = [], None
    known = dict(shifts)
    run = 0
    first = pairs[0]
    at = first
    for i, position in zip(range(start, start + len(bases)), pairs, strict=True):
        if i in known and i > start and previous is not None:
            change = position - at
            if change > 0:
                cigar += [f"{run}M", f"{change}D"]
                run, at = 0, position
            elif change < 0:
                kept = run + change
                if kept <= 0:
                    return None
                cigar += [f"{kept}M", f"{-change}I"]
                run, at = 0, position
        run += 1
        at += 1
        previous = position
    cigar.append(f"{run}M")
    return first, "".join(cigar)


def make_sample(
    folder: Path,
    seed: int,
    length: int = 6000,
    gap: int = 120,
    depth: int = 30,
    read_length: int = 100,
    errors: float = 0.0,
) -> Sample:
    """Write reference, reads, truth VCF and BED of a sample into `folder`."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    reference = reference_with_repeats(length, rng)
    variants = planted(reference, gap, rng)
    reads = []
    for copy in (0, 1):
        bases, shifts = haplotype(reference, variants, copy)
        for start, text, name, flag in tiled(bases, depth // 2, read_length, rng, f"h{copy}x"):
            place = placed(text, start, shifts, reference)
            if place is None:
                continue
            qualities = [37] * len(text)
            changed = list(text)
            for i in range(len(changed)):
                if rng.random() < errors:
                    changed[i], qualities[i] = rng.choice("ACGT"), rng.randrange(5, 37)
            reads.append(MadeRead(place[0], "".join(changed), place[1], name, qualities, flag))
    fasta = write_fasta(folder / "reference.fa", {"c": reference})
    bam = write_alignment(folder / "reads.bam", "c", length, reads)
    lines = ["##fileformat=VCFv4.3", f"##contig=<ID=c,length={length}>"]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="GT">']
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS"]
    lines += [f"c\t{at + 1}\t.\t{old}\t{new}\t.\t.\t.\tGT\t{genotype}" for at, old, new, genotype in variants]
    plain = folder / "truth.vcf"
    plain.write_text("\n".join(lines) + "\n")
    truth = Path(pysam.tabix_index(str(plain), preset="vcf", force=True))
    bed = folder / "regions.bed"
    bed.write_text(f"c\t200\t{length - 200}\n")
    return Sample(folder, reference, fasta, bam, truth, bed, variants, reads)
