#!/usr/bin/env python3
"""Reads as other laboratories, machines, kits and aligners make them, and how callers do on them.

`sets` makes them (GRCh38 chr20:2,900,001-3,900,000, the tuning region and the megabase's half before it, never the test
region), `run.py call` calls them, `table` says who made which errors. Same seeds, same reads.
Needs on PATH what simulate.py and run.py need.
"""

import json
import math
import random
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pysam
import simulate
from simulate import ADAPTERS, COLUMNS, Read, haplotypes, options_of, parsed, simulate_pairs, unpacked
from typer import Option, Typer

app = Typer(help=__doc__, pretty_exceptions_enable=False)

PLANTED, OF_HG001 = "chr20:2900001-3400000", "chr20:3400001-3900000"
"""Half of the alleles are drawn (rich in indels; the networks learned other ones there), half are HG001's (never learned)."""

Segments = Iterable[pysam.AlignedSegment]
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


@dataclass(frozen=True)
class Library:
    """How a set is made. reads: fields of simulate.Reads, or with `of` none: the alignments of that set are taken.

    targets: '' (whole genome), 'exome', 'amplicons'; pairs: changes before, alignments: after alignment, as
    'name=value' words of PAIRS and ALIGNMENTS, in this order.
    """

    what: str
    reads: str = ""
    of: str = ""
    targets: str = ""
    aligner: str = "bwa"
    pairs: str = ""
    alignments: str = ""


LIBRARIES = {
    "wgs": Library("2x150 at 30x, as most: the measure of the others", "coverage=30 seed=501"),
    "novaseq": Library("qualities 2, 12, 23, 37", of="wgs", alignments="binned"),
    "duplicates": Library("15 % duplicates, not marked", of="wgs", alignments="duplicates=0.15"),
    "minimap2": Library("the same reads by minimap2", "coverage=30 seed=501", aligner="minimap2"),
    "end_to_end": Library(
        "reads aligned from end to end, mapping quality 42 at most", "coverage=30 seed=501", aligner="end_to_end",
        alignments="mapping_quality=42",
    ),
    "core_facility": Library(
        "PCR library on a NovaSeq: binned, duplicates, stutter, chimeras, adapters, systematic errors, 0.5 % of somebody else",
        "coverage=30 seed=502 stutter=0.6 chimeras=0.003 adapters=0.01 systematic=0.3 contamination=0.005",
        alignments="binned duplicates=0.08",
    ),
    "2x250": Library("2x250, fragments of 420", "coverage=30 seed=503 profile=MSv3 read_length=250 fragment=420 fragment_sd=90"),
    "2x100": Library("2x100, HiSeq 2000", "coverage=30 seed=504 profile=HS20 read_length=100 fragment=300 fragment_sd=50"),
    "2x75": Library("2x75", "coverage=30 seed=505 profile=NS50 read_length=75 fragment=220 fragment_sd=40"),
    "2x50": Library("2x50", "coverage=30 seed=506 profile=HS20 read_length=50 fragment=200 fragment_sd=40"),
    "2x36": Library("2x36", "coverage=30 seed=507 profile=HS20 read_length=36 fragment=180 fragment_sd=30"),
    "single": Library("single-end", of="wgs", alignments="single"),
    "8x": Library("8x", of="wgs", alignments="kept=0.267"),
    "6x": Library("6x", of="wgs", alignments="kept=0.2"),
    "4x": Library("4x", of="wgs", alignments="kept=0.133"),
    "3x": Library("3x", of="wgs", alignments="kept=0.1"),
    "8x_novaseq": Library("8x, binned, 15 % duplicates", of="novaseq", alignments="kept=0.267 duplicates=0.15"),
    "exome": Library(
        "islands of 120 to 400 bases at 30 to 200x with edges, 2x100",
        "coverage=80 seed=508 profile=HS20 read_length=100 fragment=200 fragment_sd=40", targets="exome",
    ),
    "exome_novaseq": Library(
        "likewise, 2x150 of a NovaSeq, 10 % duplicates, stutter",
        "coverage=80 seed=509 fragment=230 fragment_sd=50 stutter=0.6 chimeras=0.003", targets="exome",
        alignments="binned duplicates=0.1",
    ),
    "amplicons_300x": Library(
        "amplicons of 220 bases at 300x, primers left on", "coverage=300 seed=510", targets="amplicons"
    ),
    "amplicons_2000x": Library(
        "likewise at 2,000x, binned", "coverage=2000 seed=511", targets="amplicons", alignments="binned"
    ),
    "umi_consensus": Library(
        "consensus reads of molecules at 100x on islands, qualities 60 to 90",
        "coverage=100 seed=512 quality_shift=10 fragment=200 fragment_sd=40", targets="exome", alignments="consensus",
    ),
    "ffpe_1": Library("C>T of 1 % of the C (formalin), short fragments", "coverage=60 seed=513 fragment=210 fragment_sd=45", alignments="ffpe=0.01"),
    "ffpe_3": Library("C>T of 3 % of the C", of="ffpe_1", alignments="ffpe=0.03"),
    "oxidation": Library("G>T of 1 % of the G, read 1 (oxidised guanine)", of="wgs", alignments="oxidation=0.01"),
    "contamination": Library("5 % of the reads are somebody else's", "coverage=30 seed=514 contamination=0.05"),
    "gc_bias": Library("depth falls with distance from 45 % GC", "coverage=45 seed=515", pairs="gc_bias=0.1"),
    "uneven": Library("depth 0.2- to 1.8-fold in windows of 10 kb", "coverage=30 seed=516 depth_jitter=0.8"),
    "strand_bias": Library("in half of the stretches of 2 kb nine of ten reverse reads are lost", of="wgs", alignments="strand_bias=0.9"),
    "adapters": Library(
        "short fragments, adapters not trimmed", "coverage=30 seed=517 fragment=200 fragment_sd=30",
        pairs="read_through=0.4 adapters_kept",
    ),
    "trimmed": Library(
        "likewise, adapters trimmed", "coverage=30 seed=517 fragment=200 fragment_sd=30", pairs="read_through=0.4"
    ),
    "overstated": Library("qualities 6 higher than true", of="wgs", alignments="quality_shift=6"),
    "understated": Library("qualities 6 lower than true", of="wgs", alignments="quality_shift=-6"),
    "flat_30": Library("all qualities 30", of="wgs", alignments="flat=30"),
    "flat_40": Library("all qualities 40", of="wgs", alignments="flat=40"),
    "no_qualities": Library("qualities are *", of="wgs", alignments="no_qualities"),
    "q2_tails": Library("tails of quality 2 with 15 % errors", of="wgs", alignments="q2_tails=0.3"),
    "eqx": Library("CIGARs of = and X, soft clips made hard", of="wgs", alignments="eqx hard_clips"),
    "n_bases": Library("1 % of the bases are N", of="wgs", alignments="n_bases=0.01"),
    "mapping_255": Library("mapping quality 255 for 60", of="wgs", alignments="mapping_255"),
    "deep": Library("2x150 at 200x", "coverage=200 seed=518"),
}  # fmt: skip

# ---- pairs, before alignment --------------------------------------------------------------------------------------


def reverse(read: Read) -> Read:
    return read[0].translate(COMPLEMENT)[::-1], read[1][::-1]


def with_errors(bases: str, qualities: str, rng: random.Random) -> str:
    """Bases misread as often as their qualities say."""
    return "".join(
        rng.choice("ACGT") if rng.random() < 10 ** ((33 - ord(quality)) / 10) else base
        for base, quality in zip(bases, qualities, strict=True)
    )


def read_through(pairs: list[list[Read]], share: float, rng: random.Random, kept: bool) -> list[list[Read]]:
    """Make fragments of a share of the pairs shorter than a read: both mates hold all of it, then adapters or nothing."""
    found = []
    for pair in pairs:
        if rng.random() < share:
            (bases, qualities), (_, other) = pair
            size = rng.randrange(40, len(bases))
            insert = bases[:size]
            tails = [(text + "A" * len(bases))[: len(bases) - size] if kept else "" for text in ADAPTERS]
            back = with_errors(insert.translate(COMPLEMENT)[::-1], other[:size], rng)
            pair = [
                (insert + tails[0], qualities[: size + len(tails[0])]),
                (back + tails[1], other[: size + len(tails[1])]),
            ]
        found.append(pair)
    return found


def gc_bias(pairs: list[list[Read]], width: float, rng: random.Random) -> list[list[Read]]:
    """Lose pairs the farther their GC content is from 45 % (a normal curve of this standard deviation)."""

    def share(pair: list[Read]) -> float:
        bases = pair[0][0] + pair[1][0]
        return math.exp(-(((bases.count("G") + bases.count("C")) / len(bases) - 0.45) ** 2) / (2 * width**2))

    return [pair for pair in pairs if rng.random() < share(pair)]


def changed_pairs(pairs: list[list[Read]], words: str, rng: random.Random) -> list[list[Read]]:
    """Apply the changes of `words` before alignment, and shuffle: machines read molecules in no order."""
    named = dict(word.partition("=")[::2] for word in words.split())
    if "read_through" in named:
        pairs = read_through(pairs, float(named["read_through"]), rng, "adapters_kept" in named)
    if "gc_bias" in named:
        pairs = gc_bias(pairs, float(named["gc_bias"]), rng)
    rng.shuffle(pairs)
    return pairs


# ---- alignments ---------------------------------------------------------------------------------------------------


def draw(*what: object) -> float:
    """A number in [0, 1) that depends on nothing but `what`: mates see the same damage of their molecule."""
    return (zlib.crc32(":".join(map(str, what)).encode()) * 2654435761 % 2**32) / 2**32


def change_qualities(read: pysam.AlignedSegment, new: Callable[[int], int]) -> None:
    read.query_qualities = [new(quality) for quality in read.query_qualities]


def binned(read: pysam.AlignedSegment) -> None:
    """The four qualities of newer machines."""
    change_qualities(read, lambda q: 2 if q <= 2 else 12 if q < 18 else 23 if q < 30 else 37)


def set_bases(read: pysam.AlignedSegment, bases: list[str]) -> None:
    """Other bases with the same qualities (pysam forgets them)."""
    qualities = read.query_qualities
    read.query_sequence = "".join(bases)
    read.query_qualities = qualities


def damage(read: pysam.AlignedSegment, changes: dict[str, str], share: float, kind: str) -> None:
    """Change bases of the forward strand, the same ones in both mates."""
    bases = list(read.query_sequence)
    for at, place in enumerate(read.get_reference_positions(full_length=True)):
        if bases[at] in changes and place is not None and draw(kind, read.query_name, place) < share:
            bases[at] = changes[bases[at]]
    set_bases(read, bases)


def ffpe(read: pysam.AlignedSegment, share: float) -> None:
    """Deaminated cytosines of one strand of a molecule."""
    changes = {"C": "T"} if draw("damaged", read.query_name) < 0.5 else {"G": "A"}
    damage(read, changes, share, "ffpe")


def oxidation(read: pysam.AlignedSegment, share: float) -> None:
    """Oxidised guanines: G>T as read 1 has it, C>A as read 2 has it."""
    changes = {"G": "T"} if read.is_read1 != read.is_reverse else {"C": "A"}
    damage(read, changes, share, "oxidation")


def single(read: pysam.AlignedSegment) -> None:
    """A read without a mate."""
    read.query_name = f"{read.query_name}.{1 + read.is_read2}"
    read.flag &= ~(1 | 2 | 8 | 32 | 64 | 128)
    read.next_reference_id = read.next_reference_start = -1
    read.template_length = 0


def q2_tails(read: pysam.AlignedSegment, share: float) -> None:
    """Ends that an older machine gave up: quality 2, 15 % wrong."""
    if draw("tail", read.query_name, read.is_read2) >= share:
        return
    size = 5 + int(draw("length", read.query_name, read.is_read2) * 55)
    bases, qualities = list(read.query_sequence), list(read.query_qualities)
    tail = range(min(size, len(bases))) if read.is_reverse else range(max(0, len(bases) - size), len(bases))
    for at in tail:
        qualities[at] = 2
        if draw("base", read.query_name, read.is_read2, at) < 0.15:
            bases[at] = "ACGT"["ACGTN".index(bases[at]) % 4 - 1]
    read.query_sequence = "".join(bases)
    read.query_qualities = qualities


def n_bases(read: pysam.AlignedSegment, share: float) -> None:
    """Bases that the machine could not read."""
    bases, qualities = list(read.query_sequence), list(read.query_qualities)
    for at in range(len(bases)):
        if draw("N", read.query_name, read.is_read2, at) < share:
            bases[at], qualities[at] = "N", 2
    read.query_sequence = "".join(bases)
    read.query_qualities = qualities


def eqx(read: pysam.AlignedSegment, reference: str) -> None:
    """M told apart into = and X; reference: of the whole contig."""
    found: list[list[int]] = []
    at, query = read.reference_start, 0
    for operation, size in read.cigartuples:
        if operation == pysam.CMATCH:
            for _ in range(size):
                same = pysam.CEQUAL if read.query_sequence[query] == reference[at] else pysam.CDIFF
                if found and found[-1][0] == same:
                    found[-1][1] += 1
                else:
                    found.append([same, 1])
                at, query = at + 1, query + 1
        else:
            found.append([operation, size])
            query += size if operation in (pysam.CINS, pysam.CSOFT_CLIP) else 0
            at += size if operation == pysam.CDEL else 0
    read.cigartuples = [(operation, size) for operation, size in found]


def hard_clips(read: pysam.AlignedSegment) -> None:
    """Soft-clipped bases thrown away."""
    cigar = read.cigartuples
    left = cigar[0][1] if cigar[0][0] == pysam.CSOFT_CLIP else 0
    right = cigar[-1][1] if cigar[-1][0] == pysam.CSOFT_CLIP else 0
    if left or right:
        end = read.query_length - right
        bases, qualities = read.query_sequence[left:end], read.query_qualities[left:end]
        read.query_sequence = bases
        read.query_qualities = qualities
        clip = {pysam.CSOFT_CLIP: pysam.CHARD_CLIP}
        read.cigartuples = [(clip.get(operation, operation), size) for operation, size in cigar]


def one_change(name: str, value: float, reference: str) -> Callable[[pysam.AlignedSegment], object]:
    """What a word of `Library.alignments` does to an aligned read."""
    flat = pysam.qualitystring_to_array

    def consensus(read: pysam.AlignedSegment) -> None:
        change_qualities(read, lambda q: 60 + q * 30 // 41)

    def cap(read: pysam.AlignedSegment) -> None:
        read.mapping_quality = min(read.mapping_quality, int(value))

    def unknown(read: pysam.AlignedSegment) -> None:
        read.mapping_quality = 255 if read.mapping_quality >= 60 else read.mapping_quality

    def constant(read: pysam.AlignedSegment) -> None:
        read.query_qualities = flat(chr(33 + int(value)) * read.query_length)

    def none(read: pysam.AlignedSegment) -> None:
        read.query_qualities = None

    return {
        "binned": binned,
        "quality_shift": lambda read: change_qualities(read, lambda q: q if q <= 2 else max(3, q + int(value))),
        "flat": constant,
        "no_qualities": none,
        "consensus": consensus,
        "ffpe": lambda read: ffpe(read, value),
        "oxidation": lambda read: oxidation(read, value),
        "single": single,
        "q2_tails": lambda read: q2_tails(read, value),
        "n_bases": lambda read: n_bases(read, value),
        "eqx": lambda read: eqx(read, reference),
        "hard_clips": hard_clips,
        "mapping_quality": cap,
        "mapping_255": unknown,
    }[name]


def dropped(read: pysam.AlignedSegment, name: str, value: float) -> bool:
    """Whether a library loses this read (kept: molecules; strand_bias: reverse reads of every other 2 kb)."""
    if name == "kept":
        return draw("kept", read.query_name) >= value
    return read.is_reverse and read.reference_start // 2000 % 2 == 0 and draw("strand", read.query_name) < value


def changed_alignments(source: Path, words: str, reference: str, output: Path) -> None:
    """Write the alignments of `source` with all changes of `words`."""
    named = {word.partition("=")[0]: float(word.partition("=")[2] or 0) for word in words.split()}
    losses = [name for name in named if name in ("kept", "strand_bias")]
    copies = named.pop("duplicates", 0.0)
    changes = [one_change(name, value, reference) for name, value in named.items() if name not in losses]
    with pysam.AlignmentFile(str(source)) as reads, pysam.AlignmentFile(str(output), "wb", template=reads) as changed:
        for read in reads:
            if any(dropped(read, name, named[name]) for name in losses):
                continue
            if not read.is_unmapped:
                for change in changes:
                    change(read)
            changed.write(read)
            if draw("copy", read.query_name) < copies:
                read.query_name += ".copy"
                changed.write(read)
    pysam.index(str(output))


# ---- targets ------------------------------------------------------------------------------------------------------

Target = tuple[int, int, float]  # start, end, 0-based; factor on depth


def exome_targets(start: int, end: int, rng: random.Random) -> list[Target]:
    """Islands of 120 to 400 bases, some 900 bases apart, depth 0.4- to 2.5-fold."""
    targets, at = [], start + 1000
    while at < end - 1000:
        size = rng.randrange(120, 401)
        targets.append((at, at + size, 0.4 * (2.5 / 0.4) ** rng.random()))
        at += size + rng.randrange(500, 1300)
    return targets


PRIMER = 24
AMPLICON = 220


def amplicon_targets(start: int, end: int, rng: random.Random) -> list[Target]:
    """What amplicons tell beyond their primers, one in five of 220-base tiles in a row; depth 0.3- to 3-fold."""
    tiles = range(start + 1000, end - 1000, 5 * AMPLICON)
    return [(at + PRIMER, at + AMPLICON - PRIMER, 0.3 * 10 ** rng.random()) for at in tiles]


def exome_pairs(
    sequence: str,
    start: int,
    records: list[pysam.VariantRecord],
    how: simulate.Reads,
    targets: list[Target],
    work: Path,
) -> list[list[Read]]:
    """Fragments that overlap a target: depth fades over a fragment's length on both sides."""
    pairs = []
    reach = how.fragment
    for number, (begin, end, factor) in enumerate(targets):
        inside = [record for record in records if begin - reach <= record.start < end + reach]
        sample = haplotypes(sequence[begin - reach - start : end + reach - start], begin - reach, inside)
        for copy, haplotype in enumerate(sample.sequences):
            seed = how.seed * 100_000 + 2 * number + copy
            files = simulate_pairs(haplotype, f"t{number}h{copy}", how.coverage / 2 * factor, seed, how, work)
            pairs += simulate.fastq_records(files)
            for path in files:
                path.unlink()
    return simulate.add_noise(pairs, how, random.Random(how.seed))


def amplicon_pairs(
    sequence: str,
    start: int,
    records: list[pysam.VariantRecord],
    how: simulate.Reads,
    targets: list[Target],
    work: Path,
) -> list[list[Read]]:
    """Molecules from primer to primer; primers are the reference's, whatever the sample has there."""
    pairs = []
    for number, (begin, end, factor) in enumerate(targets):
        inside = [record for record in records if begin <= record.start and record.stop <= end]
        sample = haplotypes(sequence[begin - start : end - start], begin, inside)
        left, right = sequence[begin - PRIMER - start : begin - start], sequence[end - start : end + PRIMER - start]
        for copy, haplotype in enumerate(sample.sequences):
            name = f"t{number}h{copy}"
            fasta = work / f"{name}.fa"
            fasta.write_text(f">{name}\n{left}{haplotype}{right}\n")
            command = ["art_illumina", "-q", "-na", "-amp", "-p", "-ss", how.profile, "-l", how.read_length]
            command += ["-f", max(1, round(how.coverage / 4 * factor)), "-rs", how.seed * 100_000 + 2 * number + copy]
            simulate.run(*command, "-i", fasta, "-o", work / f"{name}_", "-d", name)
            files = [work / f"{name}_1.fq", work / f"{name}_2.fq"]
            pairs += simulate.fastq_records(files)
            for path in (fasta, *files):
                path.unlink()
    return pairs


TARGETS = {"exome": (exome_targets, exome_pairs), "amplicons": (amplicon_targets, amplicon_pairs)}

# ---- sets ---------------------------------------------------------------------------------------------------------


def write_truth(data: Path, fasta: Path, output: Path) -> None:
    """Phased truth: drawn variants in one half of the region, HG001's in the other."""
    drawn, own = output / "planted.vcf.gz", data / "HG001.truth.grch38.chr20.vcf.gz"
    simulate.write_planted(fasta, PLANTED, 500, drawn)
    with (
        pysam.VariantFile(str(drawn)) as planted,
        pysam.VariantFile(str(own)) as known,
        pysam.VariantFile(str(output / "truth.vcf.gz"), "wz", header=planted.header) as both,
    ):
        for record in planted:
            both.write(record)
        for record in known.fetch(*parsed(OF_HG001)):
            copied = both.new_record(contig=record.contig, start=record.start, alleles=record.alleles, filter="PASS")
            copied.samples[0]["GT"] = record.samples[0]["GT"]
            copied.samples[0].phased = True
            both.write(copied)
    pysam.tabix_index(str(output / "truth.vcf.gz"), preset="vcf", force=True)


def align(fastq: list[Path], fasta: Path, aligner: str, output: Path) -> None:
    """As simulate.align; end_to_end: bwa mem for which a clip costs more than any read is worth."""
    if aligner != "end_to_end":
        return simulate.align(fastq, fasta, aligner, output)
    group = "@RG\\tID:SIM\\tSM:SIM\\tPL:ILLUMINA\\tLB:SIM"
    words = f"bwa mem -L 1000 -R '{group}' {fasta} {fastq[0]} {fastq[1]} | samtools sort -o {output} -"
    simulate.run("bash", "-o", "pipefail", "-c", words)
    pysam.index(str(output))


def make(name: str, library: Library, fasta: Path, output: Path) -> dict[str, object]:
    """Make one set; gives its row of SETS.tsv."""
    contig, start, _ = parsed(PLANTED)
    end = parsed(OF_HG001)[2]
    bam, bed, truth = output / f"{name}.bam", output / "region.bed", output / "truth.vcf.gz"
    bed.write_text(f"{contig}\t{start + 1000}\t{end - 1000}\n")
    with pysam.FastaFile(str(fasta)) as file:
        sequence, whole = file.fetch(contig, start, end).upper(), file.fetch(contig).upper()
    root = library
    while root.of:
        root = LIBRARIES[root.of]
    how = options_of(root.reads)
    if root.targets:
        bed = output / f"{name}.bed"
        targets = TARGETS[root.targets][0](start, end, random.Random(how.seed))
        bed.write_text("".join(f"{contig}\t{begin}\t{stop}\n" for begin, stop, _ in targets))
    source = output / f"{library.of}.bam"
    if not library.of:
        with pysam.VariantFile(str(truth)) as variants, tempfile.TemporaryDirectory(dir=output) as folder:
            work, records = Path(folder), list(variants)
            if library.targets:
                pairs = TARGETS[library.targets][1](sequence, start, records, how, targets, work)
            else:
                pairs = simulate.all_pairs(sequence, start, haplotypes(sequence, start, records), how, work)
            pairs = changed_pairs(pairs, library.pairs, random.Random(how.seed))
            fastq = [work / "1.fq", work / "2.fq"]
            for side, path in enumerate(fastq):
                lines = (f"@r{n}\n{pair[side][0]}\n+\n{pair[side][1]}\n" for n, pair in enumerate(pairs))
                path.write_text("".join(lines))
            source = output / f"{name}.plain.bam" if library.alignments else bam
            align(fastq, fasta, library.aligner, source)
    if library.alignments:
        changed_alignments(source, library.alignments, whole, bam)
        if not library.of:
            source.unlink()
            Path(f"{source}.bai").unlink()
    return {"name": name, "bam": bam, "truth": truth, "bed": bed, "fasta": fasta, "kind": "library",
            "coverage": how.coverage, "simulator": library.what, "regions": bed}  # fmt: skip


@app.command()
def sets(
    data: Annotated[Path, Option(help="folder with references and truth", exists=True)],
    output: Annotated[Path, Option(help="folder for the sets; a list of them goes to SETS.tsv there")],
    only: Annotated[list[str] | None, Option(help="names; default all")] = None,
    fasta: Annotated[Path | None, Option(help="the reference as plain text, if it lies unpacked somewhere")] = None,
) -> None:
    """Make all sets that are not there yet."""
    output.mkdir(parents=True, exist_ok=True)
    reference = fasta or unpacked(next(data.glob("grch38.*.fa.gz")), output)
    if not (output / "truth.vcf.gz.tbi").exists():
        write_truth(data, reference, output)
    listing = output / "SETS.tsv"
    if not listing.exists():
        listing.write_text("\t".join(COLUMNS) + "\n")
    made = {line.split("\t")[0] for line in listing.read_text().splitlines()}
    for name in only or LIBRARIES:
        if name in made:
            continue
        row = make(name, LIBRARIES[name], reference, output)
        with listing.open("a") as handle:
            handle.write("\t".join(str(row[column]) for column in COLUMNS) + "\n")
        print(f"{name}: made", file=sys.stderr, flush=True)


# ---- who made which errors ----------------------------------------------------------------------------------------


def promised(one: dict[str, str], genotyper: object) -> str:
    """Errors among called candidates that GQ promises and those seen, and bins of 20 expected ones off by two."""
    from calibration import judged

    from strandwise.small_variants.reliability import reliability_of

    table = reliability_of(one["name"], judged(one, genotyper))  # type: ignore[arg-type]
    called = table[table["decision"] == "called"]
    off = table[(table["expected"] >= 20) & ~table["observed"].between(table["expected"] / 2, table["expected"] * 2)]
    return f"{called['expected'].sum():.0f} / {called['observed'].sum()} | {len(off) or 'none'}"


@app.command()
def table(
    sets: Annotated[Path, Option(help="SETS.tsv of the command sets", exists=True)],
    calls: Annotated[Path, Option(help="folder with the calls of run.py", exists=True)],
    only: Annotated[list[str] | None, Option(help="names; default all")] = None,
    reliability: Annotated[bool, Option(help="whether to judge GQ as well")] = True,
) -> None:
    """Print errors (SNV and indel, false negatives + false positives) of every caller, and what GQ is worth."""
    import run
    from scipy.stats import binomtest

    from strandwise.models.card import load_card
    from strandwise.small_variants.network import Genotyper

    genotyper = Genotyper(load_card(run.PROJECT / "assets" / "models" / "small_variants", "small_variants"))
    print(
        "| reads | alleles | Strandwise | bcftools | freebayes | GATK | only ours, only best peer's, p | GQ: wrong calls promised / seen | bins off | CPU s, of bcftools | peak MB |"
    )
    print("| --- " * 11 + "|")
    for one in run.sets_of(sets, only):
        errors, cells, costs, total = {}, [], {}, 0
        for caller in run.CALLERS:
            path = calls / one["name"] / f"{caller}.vcf.gz"
            cost = path.parent / f"{caller}.cost.json"
            if not cost.exists():
                cells.append("–")
                continue
            found = [(one, run.compare(Path(one["truth"]), path, Path(one["fasta"]), Path(one["bed"])))]
            errors[caller] = run.errors_of(found)
            costs[caller] = json.loads(cost.read_text())
            rows = [run.counts(*run.of_kind(found, kind)) for kind in ("SNP", "INDEL")]
            total = sum(row["truth_total"] for row in rows)
            cells.append(", ".join(f"{row['fn']}+{row['fp']}" for row in rows))
        ours = errors["strandwise"]
        peer = min((name for name in errors if name != "strandwise"), key=lambda name: len(errors[name]))
        alone = (len(ours - errors[peer]), len(errors[peer] - ours))
        p = binomtest(alone[0], sum(alone)).pvalue if sum(alone) else 1.0
        quality = promised(one, genotyper) if reliability else "– | –"
        cost = costs["strandwise"]
        print(
            f"| {one['name']} | {total} | {' | '.join(cells)} | {alone[0]}, {alone[1]} ({peer}), {p:.2g} | {quality}"
            f" | {cost['cpu_s']:.1f}, {cost['cpu_s'] / costs['bcftools']['cpu_s']:.2f} | {cost['peak_mb']} |",
            flush=True,
        )


if __name__ == "__main__":
    app()
