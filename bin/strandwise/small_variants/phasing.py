"""Phases the heterozygous calls of one sample by the reads that span several of them, with WhatsHap."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.files import written
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


def phase(calls: Path, alignments: Sequence[Path], reference: Path, output: Path, threads: int = 1) -> Phasing:
    """Write `calls` with the phase of PASS heterozygotes: GT with |, PS the phase set; all else stays as it is.

    calls: VCF of one sample, bgzipped; threads: contigs phased at the same time. Raises InputError where WhatsHap cannot
    read the alignments. WhatsHap: Martin et al. 2016, doi:10.1101/085050.
    """
    import pysam

    with written_with_index(output) as temporary, tempfile.TemporaryDirectory(dir=output.parent) as folder:
        heterozygotes = _write_heterozygotes(calls, Path(folder))
        with ThreadPoolExecutor(threads) as pool:
            found = pool.map(lambda chosen: _phased(chosen, alignments, reference), heterozygotes)
            phases = {key: phase for one in found for key, phase in one.items()}
        number = 0
        with pysam.BGZFile(str(temporary), "w", None) as file:
            for line in _text(calls):
                number += not line.startswith("#")
                if line.startswith("#CHROM"):
                    file.write(PHASE_SET.encode())
                file.write(_with_phase(line, phases).encode())
        index_and_count(temporary, number)
    return _measured(sum(heterozygotes.values()), phases)


def write_summary(phasing: Phasing, path: Path) -> None:
    with written(path) as temporary:
        temporary.write_text(json.dumps(asdict(phasing)) + "\n")


def _text(path: Path) -> Iterator[str]:
    import pysam

    with pysam.BGZFile(str(path), "r", None) as file:
        for line in file:
            yield f"{line.decode()}\n"


def _write_heterozygotes(calls: Path, folder: Path) -> dict[Path, int]:
    """Records that WhatsHap is asked about, a file for each contig: haploid and uncertain ones would stop or mislead it.

    Gives the files, in the order of the contigs, with the number of records.
    """
    head: list[str] = []
    numbers: dict[Path, int] = {}
    contig = ""
    with ExitStack() as stack:
        for line in _text(calls):
            if line.startswith("#"):
                head.append(line)
                continue
            columns = line.rstrip("\n").split("\t")
            alleles = columns[9].split(":")[0].split("/")
            if columns[6] != "PASS" or len(alleles) != 2 or "." in alleles or alleles[0] == alleles[1]:
                continue
            if columns[0] != contig:
                contig = columns[0]
                stack.close()
                path = folder / f"{len(numbers)}.vcf"
                numbers[path] = 0
                file = stack.enter_context(path.open("w"))
                file.writelines(head)
            file.write(line)
            numbers[path] += 1
    return numbers


def _phased(calls: Path, alignments: Sequence[Path], reference: Path) -> dict[Key, tuple[str, str]]:
    """GT and PS of what WhatsHap phases."""
    output = calls.with_suffix(".phased.vcf")
    command = [sys.executable, "-m", "whatshap", "phase", "--ignore-read-groups", "--reference", str(reference)]
    command += ["--output", str(output), str(calls), *map(str, alignments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        names = ", ".join(path.name for path in alignments)
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"{names}: cannot be phased ({reason}); run again without --phase, or mend the alignments")
    return dict(_phases(output))


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
