"""Checks what calling is given beside reads: alleles to genotype, pseudo-autosomal regions, bands of the gVCF."""

from pathlib import Path
from typing import Any

from strandwise.errors import InputError
from strandwise.formats.alleles import allele_problems, outside
from strandwise.formats.intervals import Interval, merged, padded, read_bed
from strandwise.formats.notes import Note
from strandwise.formats.vcf import quality_bands
from strandwise.inputs.files import Files


def check_calling(
    parameters: dict[str, Any], files: Files, contigs: dict[str, int], jobs: list[str]
) -> tuple[list[str], list[Note]]:
    """Returns all problems, one line each, and notes for the report. contigs: the reference's, empty where unknown."""
    problems: list[str] = []
    notes: list[Note] = []
    for name in ("alleles", "par", "phase"):
        if parameters.get(name) and "small_variants" not in jobs:
            problems.append(f"--{name}: given without alignments to call; give --input with a column bam or cram")
    try:
        quality_bands(parameters.get("gvcf_bands") or "10")
    except InputError as error:
        problems += [f"--gvcf_bands: {problem}" for problem in error.problems]
    for file in files.named("par"):
        if file.seen and contigs:
            problems += _par_problems(file.seen, contigs)
    for file in files.named("alleles"):
        if not file.seen or not contigs:
            continue
        found = _allele_problems(file.seen, files, contigs)
        problems += found
        intervals = _intervals(parameters, files, contigs)
        if found or intervals is None:
            continue
        left_out, number = outside(file.seen, intervals)
        if left_out:
            notes.append(
                Note(
                    "warning",
                    f"{file.seen.name}: {left_out} of {number} alleles lie outside of --intervals and are not genotyped; "
                    "add their places to the BED file, or widen --interval_padding",
                )
            )
    return problems, notes


def _par_problems(path: Path, contigs: dict[str, int]) -> list[str]:
    try:
        names = {interval.contig for interval in read_bed(path, contigs)}
    except InputError as error:
        return error.problems
    others = sorted(name for name in names if name.removeprefix("chr") not in ("X", "Y"))
    return [f"{path.name}: contig {name!r} is neither X nor Y; leave its rows out" for name in others]


def _allele_problems(path: Path, files: Files, contigs: dict[str, int]) -> list[str]:
    """Problems of the alleles; REF is compared where the reference lies near enough to be looked into."""
    import pysam

    fasta = next(iter(files.named("fasta")), None)
    if not fasta or not fasta.seen:
        return allele_problems(path, contigs, None)
    indexes = {file.path[-4:]: file.seen for file in files.named("fasta_index") if file.seen}
    index = str(indexes[".fai"]) if ".fai" in indexes else None
    blocks = str(indexes[".gzi"]) if ".gzi" in indexes else None
    try:
        with pysam.FastaFile(str(fasta.seen), filepath_index=index, filepath_index_compressed=blocks) as opened:
            return allele_problems(path, contigs, opened)
    except OSError as error:
        return [f"{fasta.seen.name}: cannot be read ({error}); give the reference genome"]


def _intervals(parameters: dict[str, Any], files: Files, contigs: dict[str, int]) -> list[Interval] | None:
    """What is called, padded; None for all, or where the BED has problems, which are told elsewhere."""
    bed = next(iter(files.named("intervals")), None)
    if not bed or not bed.seen:
        return None
    try:
        found = padded(read_bed(bed.seen, contigs), parameters.get("interval_padding") or 0, contigs)
    except InputError:
        return None
    return merged(found, contigs)
