"""Checks what joint genotyping is given: gVCFs of earlier runs, and the pedigree against the samples."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from strandwise.formats.pedigree import parse_pedigree, pedigree_problems
from strandwise.formats.samplesheet import Row
from strandwise.inputs.files import Files

FOLDER = "joint"
"""Folder of the joint results beside those of the samples."""


def check_joint(parameters: dict[str, Any], rows: list[Row], sheet: str, files: Files) -> list[str]:
    """Compare --joint and --pedigree with each other, the gVCFs of the sheet, and the pedigree with its samples."""
    wanted = bool(parameters.get("joint"))
    problems = []
    if parameters.get("pedigree") and not wanted:
        problems.append("--pedigree: given without --joint; add --joint or leave the pedigree out")
    if wanted and not any(name in row.values for row in rows for name in ("bam", "cram", "gvcf")):
        problems.append("--joint: needs --input with a column bam, cram or gvcf")
    problems += _gvcf_problems(rows, sheet, files, wanted)
    if wanted and any(row.values.get("sample") == FOLDER for row in rows):
        problems.append(f"{sheet}: a sample is called {FOLDER}, as the folder of the joint results is; rename it")
    file = next(iter(files.named("pedigree")), None)
    if wanted and file and file.seen:
        sexes = {row.values["sample"]: row.values.get("sex", "NA") for row in rows if "sample" in row.values}
        persons, found = parse_pedigree(file.seen)
        problems += found + pedigree_problems(Path(file.given).name, persons, sexes)
    return problems


def _gvcf_problems(rows: list[Row], sheet: str, files: Files, wanted: bool) -> Iterator[str]:
    aligned = {row.values.get("sample"): row for row in rows if "bam" in row.values or "cram" in row.values}
    first: dict[str, Row] = {}
    for row in rows:
        if "gvcf" not in row.values:
            continue
        where = f"{sheet}: {row.place}, gvcf: {row.values['gvcf']}"
        sample = row.values.get("sample", "")
        if not wanted:
            yield f"{where}: takes part in joint genotyping alone; add --joint or leave the column out"
        if sample in aligned:
            yield f"{where}: sample {sample} has an alignment in {aligned[sample].place}; give one or the other"
        if sample in first:
            yield f"{where}: sample {sample} has a gVCF in {first[sample].place} already; leave one of them out"
        first.setdefault(sample, row)
        file = files.of_sheet(row.values["gvcf"])
        if file.missing:
            continue
        if not file.index:
            yield f"{where}: has no index beside it; make one with: bcftools index --tbi {Path(file.given).name}"
        names = _sample_names(file.seen) if file.seen else None
        if names is not None and names != [sample]:
            held = ", ".join(names) or "no sample"
            yield f"{where}: holds {held}, the row is about {sample}; use the same name in both"


def _sample_names(path: Path) -> list[str] | None:
    """Samples of a VCF's header; none where it is no VCF."""
    import pysam

    from strandwise.formats.alignment import quiet

    try:
        with quiet(), pysam.VariantFile(str(path)) as variants:
            return list(variants.header.samples)
    except (OSError, ValueError):
        return []
