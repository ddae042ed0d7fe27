#!/usr/bin/env python3
"""Genotype given alleles in simulated reads and count what is told and what is right.

`peers`: ours and the peers' ways, on the true alleles of a region and about as many that nobody has (SNVs, insertions,
deletions at drawn places). `priors`: ours at several priors (--alleles_prior), on the true alleles of whole sets and twenty
times as many that nobody has, also units more or less of the region's repeats and other bases of true SNVs; and reliability of GQ.
"""

import csv
import random
import sys
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pysam
from run import measured
from typer import Option, Typer

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "bin"))

from strandwise.formats.alleles import ALLELES_PRIOR  # noqa: E402
from strandwise.formats.intervals import Interval, read_bed  # noqa: E402
from strandwise.models.card import load_card  # noqa: E402
from strandwise.small_variants.candidates import GIVEN_ONLY, CandidateReader, Candidates  # noqa: E402
from strandwise.small_variants.given import weighed  # noqa: E402
from strandwise.small_variants.labels import Event, label, normalised, read_truth  # noqa: E402
from strandwise.small_variants.network import Genotyper  # noqa: E402

Key = tuple[int, int, str]

app = Typer(help=__doc__, pretty_exceptions_enable=False)
pysam.set_verbosity(0)


@app.command()
def peers(
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


# ---- priors --------------------------------------------------------------------------------------------------------

MODEL = PROJECT / "assets" / "models" / "small_variants"
SHARES = (0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5)
KINDS = ("random", "repeat", "other base")
QUALITIES = (0, 3, 5, 10, 15, 20, 30, 40)


@app.command()
def priors(
    sets: Annotated[Path, Option(help="SETS.tsv of simulate.py", exists=True)],
    only: Annotated[list[str], Option(help="Set to genotype; repeat")],
    model: Annotated[Path, Option(help="Our model", exists=True)] = MODEL,
    seed: Annotated[int, Option(help="Of the alleles that nobody has")] = 7,
) -> None:
    """Count true alleles found and others called at several priors, and errors promised and seen, sets pooled by depth."""
    with sets.open() as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["name"] in only]
    genotyper = Genotyper(load_card(model, "small_variants"))
    by_depth: dict[str, list[Judged]] = {}
    for row in rows:
        found = judged(row, genotyper, random.Random(seed))
        by_depth.setdefault(f"{float(row['coverage']):g}x", []).append(found)
        print_trade_off(row["name"], found)
    for depth, parts in by_depth.items():
        print_reliability(depth, Judged.together(parts))


class Judged:
    """Given alleles of a set, n in all. copies: true ones; kinds: one of KINDS or "true"; pieces: candidates and networks' chances."""

    def __init__(self, copies: np.ndarray, kinds: np.ndarray, pieces: list[tuple[Candidates, np.ndarray, np.ndarray]]):
        self.copies, self.kinds, self.pieces = copies, kinds, pieces

    @classmethod
    def together(cls, parts: "list[Judged]") -> "Judged":
        copies, kinds = (np.concatenate([getattr(part, name) for part in parts]) for name in ("copies", "kinds"))
        return cls(copies, kinds, [piece for part in parts for piece in part.pieces])

    def chances(self, share: float | None) -> np.ndarray:
        """Of 0, 1, 2 copies, float (n, 3), with a prior; None: by the networks as of any allele of a genome, by bare
        likelihoods where no network has judged."""
        found = []
        for candidates, by_networks, known in self.pieces:
            if share is None:
                bare = 10 ** (-candidates.likelihoods.astype(float) / 10)
                bare /= bare.sum(axis=1, keepdims=True)
                chances = np.where((candidates.given == GIVEN_ONLY)[:, None], bare, by_networks)
            else:
                chances = weighed(candidates, by_networks, share)
            found.append(chances[known])
        return np.concatenate(found)


def judged(row: dict[str, str], genotyper: Genotyper, rng: random.Random) -> Judged:
    """All given alleles of a set whose number of copies the truth tells, however it spells them."""
    reader = CandidateReader([Path(row["bam"])], Path(row["fasta"]))
    (where,) = read_bed(Path(row["bed"]), reader.lengths)
    bases = reader.sequence(where.contig, 0, reader.lengths[where.contig])
    truth = {event_key(item.event) for item in read_truth(Path(row["truth"]), where, bases.__getitem__)}
    decoys = {key: kind for key, kind in nobodys(truth, where, bases, rng) if key not in truth}
    given = sorted(key for key in truth | set(decoys) if not key[2] or key[1] == len(key[2]) == 1 or not key[1])
    copies: list[int] = []
    kinds: list[str] = []
    pieces = []
    for piece in reader.pieces(where.contig, where.start, where.end, genotyper.rows, given):
        here = Interval(piece.contig, piece.start, piece.end)
        labels = label(piece, read_truth(Path(row["truth"]), here, bases.__getitem__), lambda a, b: bases[a:b])
        known = np.flatnonzero(piece.is_given & (labels >= 0))
        pieces.append((piece, genotyper.probabilities(piece), known))
        for i in known.tolist():
            key = (int(piece.position[i]), int(piece.reference_length[i]), piece.alternates[i])
            copies.append(int(labels[i]))
            kinds.append("true" if labels[i] else decoys.get(key, "spelled otherwise"))
    return Judged(np.array(copies), np.array(kinds), pieces)


def event_key(event: Event) -> Key:
    return event.position, event.reference_length, event.alternate


def nobodys(truth: set[Key], where: Interval, bases: str, rng: random.Random) -> Iterator[tuple[Key, str]]:
    """Alleles at drawn places every 40 bases; a unit more or less in every repeat; other bases of true SNVs."""
    places = sorted(position for position, _, _ in truth)

    def clear(at: int) -> bool:
        number = bisect_left(places, at)
        return all(abs(place - at) >= 15 for place in places[max(0, number - 1) : number + 1])

    def written(at: int, old: str, new: str, kind: str) -> Iterator[tuple[Key, str]]:
        for event in normalised(at, old, new, bases.__getitem__):
            yield event_key(event), kind

    for begin in range(where.start + 150, where.end - 150, 40):
        at, sort, size = begin + rng.randrange(20), rng.random(), rng.randrange(1, 5)
        if bases[at] == "N" or not clear(at):
            continue
        if sort < 0.7:
            yield from written(at, bases[at], rng.choice([base for base in "ACGT" if base != bases[at]]), "random")
        elif sort < 0.85:
            yield from written(at, bases[at : at + 1 + size], bases[at], "random")
        else:
            yield from written(at, bases[at], bases[at] + "".join(rng.choices("ACGT", k=size)), "random")
    for start, end, size in repeats(where, bases):
        if clear(start) and clear(end):
            short, long = bases[start - 1], bases[start - 1 : start + size]
            yield from written(start - 1, *((short, long) if rng.random() < 0.5 else (long, short)), "repeat")
    for position, length, alternate in sorted(truth):
        if length == len(alternate) == 1:
            others = [base for base in "ACGT" if base not in (alternate, bases[position])]
            yield (position, 1, rng.choice(others)), "other base"


def repeats(where: Interval, bases: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and unit of runs of one base from 6 on and of units of 2 to 4 bases from three on."""
    at, last = where.start + 150, where.end - 150
    while at < last:
        for size in (1, 2, 3, 4):
            end = at + size
            while end < last and bases[end] == bases[end - size]:
                end += 1
            if end - at >= max(6, 3 * size) and "N" not in bases[at:end]:
                yield at, end, size
                at = end
                break
        else:
            at += 1


def print_trade_off(name: str, found: Judged) -> None:
    true = found.copies > 0
    numbers = ", ".join(f"{np.sum(found.kinds == kind):,} {kind}" for kind in KINDS)
    print(f"\n{name}: {true.sum():,} true alleles; nobody's: {numbers}\n")
    print(
        "| prior | with their copies | other copies | missed | " + " | ".join(f"{kind} called" for kind in KINDS) + " |"
    )
    print("| --- " * (4 + len(KINDS)) + "|")
    for share in (None, *SHARES):
        best = found.chances(share).argmax(axis=1)
        right, missed = np.sum(true & (best == found.copies)), np.sum(true & (best == 0))
        called = [np.sum((best > 0) & (found.kinds == kind)) for kind in KINDS]
        told = "as of any allele" if share is None else f"{share:g}"
        print(f"| {told} | {right} | {true.sum() - right - missed} | {missed} | {' | '.join(map(str, called))} |")


def print_reliability(depth: str, found: Judged) -> None:
    """Errors promised and seen with the default prior, drawn alleles counting as if the prior were the share of true ones."""
    use = found.kinds != "repeat"
    copies, chances = found.copies[use], found.chances(ALLELES_PRIOR)[use]
    true = copies > 0
    weight = np.where(true, 1.0, true.sum() * (1 / ALLELES_PRIOR - 1) / (~true).sum())
    best, doubt = chances.argmax(axis=1), 1 - chances.max(axis=1)
    quality = -10 * np.log10(np.maximum(doubt, 1e-10))
    print(f"\n{depth}: true alleles {true.sum():,}, others {(~true).sum():,}, prior {ALLELES_PRIOR:g}\n")
    print("| decision | GQ | alleles | errors expected | errors seen |\n| --- | --- | --- | --- | --- |")
    for decision, called in (("called", best > 0), ("0/0", best == 0)):
        for low, high in zip(QUALITIES, (*QUALITIES[1:], 1e9), strict=True):
            here = called & (quality >= low) & (quality < high)
            bin_name = f"{low}–{high - 1}" if high < 1e9 else f"{low} and more"
            if here.any():
                expected, seen = np.sum((weight * doubt)[here]), np.sum(weight[here & (best != copies)])
                print(f"| {decision} | {bin_name} | {np.sum(weight[here]):,.0f} | {expected:.1f} | {seen:.1f} |")


if __name__ == "__main__":
    app()
