"""Phases the heterozygous calls of one sample by the reads that span several of them, with WhatsHap."""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.notes import Note
from strandwise.formats.vcf import index_and_count, written_with_index

PHASE_SET = '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set: position of its first call, 1-based">\n'

Key = tuple[str, ...]
"""CHROM, POS, ID, REF, ALT of a record."""


@dataclass(frozen=True, slots=True)
class Phasing:
    """heterozygotes: PASS calls with two different alleles; phased: those in a set of two and more; blocks: such sets;
    n50: length in bases of the set that holds the middle of all bases in sets, 0 without any."""

    heterozygotes: int
    phased: int
    blocks: int
    n50: int


def phase(calls: Path, alignments: Sequence[Path], reference: Path, sample: str, output: Path) -> list[Note]:
    """Write `calls` with the phase of PASS heterozygotes: GT with |, PS the phase set; all else stays as it is.

    calls: VCF of one sample, bgzipped. Gives a note with what was phased. Raises InputError where WhatsHap cannot
    read the alignments. WhatsHap: Martin et al. 2016, doi:10.1101/085050.
    """
    import pysam

    with written_with_index(output) as temporary:
        chosen = temporary.with_name(f"{temporary.name}.het.vcf")
        phased = temporary.with_name(f"{temporary.name}.phased.vcf")
        try:
            heterozygotes = _write_heterozygotes(calls, chosen)
            if heterozygotes:
                _run_whatshap(chosen, alignments, reference, phased)
            phases = dict(_phases(phased)) if heterozygotes else {}
        finally:
            chosen.unlink(missing_ok=True)
            phased.unlink(missing_ok=True)
        number = 0
        with pysam.BGZFile(str(temporary), "w", None) as file:
            for line in _text(calls):
                number += not line.startswith("#")
                if line.startswith("#CHROM"):
                    file.write(PHASE_SET.encode())
                file.write(_with_phase(line, phases).encode())
        index_and_count(temporary, number)
    found = _measured(heterozygotes, phases)
    share = 100 * found.phased / max(1, found.heterozygotes)
    text = (
        f"{found.phased} of {found.heterozygotes} heterozygous calls ({share:.1f} %) are phased by reads, "
        f"in {found.blocks} blocks with an N50 of {found.n50} bases"
    )
    return [Note("info", text, sample)]


def _text(path: Path) -> Iterator[str]:
    import pysam

    with pysam.BGZFile(str(path), "r", None) as file:
        for line in file:
            yield f"{line.decode()}\n"


def _write_heterozygotes(calls: Path, output: Path) -> int:
    """Records that WhatsHap is asked about: haploid and uncertain ones would stop or mislead it. Gives their number."""
    number = 0
    with output.open("w") as file:
        for line in _text(calls):
            if line.startswith("#"):
                file.write(line)
                continue
            columns = line.rstrip("\n").split("\t")
            alleles = columns[9].split(":")[0].split("/")
            if columns[6] == "PASS" and len(alleles) == 2 and "." not in alleles and alleles[0] != alleles[1]:
                file.write(line)
                number += 1
    return number


def _run_whatshap(calls: Path, alignments: Sequence[Path], reference: Path, output: Path) -> None:
    command = [sys.executable, "-m", "whatshap", "phase", "--ignore-read-groups", "--reference", str(reference)]
    command += ["--output", str(output), str(calls), *map(str, alignments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        names = ", ".join(path.name for path in alignments)
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"{names}: cannot be phased ({reason}); run again without --phase, or mend the alignments")


def _phases(path: Path) -> Iterator[tuple[Key, tuple[str, str]]]:
    """GT and PS of the records that are phased."""
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        columns = line.split("\t")
        values = dict(zip(columns[8].split(":"), columns[9].split(":"), strict=False))
        if "|" in values["GT"] and values.get("PS", ".") != ".":
            yield tuple(columns[:5]), (values["GT"], values["PS"])


def _with_phase(line: str, phases: dict[Key, tuple[str, str]]) -> str:
    """The line with GT and PS where it is phased."""
    if line.startswith("#"):
        return line
    columns = line.rstrip("\n").split("\t")
    found = phases.get(tuple(columns[:5]))
    if not found:
        return line
    _, *others = columns[9].split(":")
    columns[8] += ":PS"
    columns[9] = ":".join([found[0], *others, found[1]])
    return "\t".join(columns) + "\n"


def _measured(heterozygotes: int, phases: dict[Key, tuple[str, str]]) -> Phasing:
    sets: dict[tuple[str, str], list[int]] = {}
    for key, (_, phase_set) in phases.items():
        sets.setdefault((key[0], phase_set), []).append(int(key[1]))
    blocks = [places for places in sets.values() if len(places) > 1]
    return Phasing(
        heterozygotes,
        sum(map(len, blocks)),
        len(blocks),
        n50(max(places) - min(places) + 1 for places in blocks),
    )


def n50(lengths: Iterable[int]) -> int:
    """The length L such that blocks of at least L hold half of all bases; 0 without blocks."""
    ordered = sorted(lengths, reverse=True)
    half, done = sum(ordered) / 2, 0
    for length in ordered:
        done += length
        if done >= half:
            return length
    return 0
