"""The plan of a run: which jobs it holds and which samples and files go into each."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from strandwise.formats.files import written
from strandwise.formats.samplesheet import Row
from strandwise.inputs.files import Files

JOBS = ("small_variants", "drivers", "drug_response")


@dataclass
class Indexed:
    """A file and its index files; none where they have still to be made."""

    path: str
    index: list[str]


@dataclass
class Sample:
    """A sample to be called: `id` names its files, all lanes are called together."""

    id: str
    sample: str
    patient: str
    sex: str
    status: str
    lanes: list[Indexed] = field(default_factory=list)


@dataclass
class Gvcf:
    """The gVCF of a sample from an earlier run."""

    sample: str
    path: str
    index: str


@dataclass
class Plan:
    """jobs: those that run; samples: to be called; gvcfs: of earlier runs, for joint genotyping; mafs and expression: tables of the cohort and of single samples."""

    jobs: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    reference: Indexed | None = None
    mafs: list[str] = field(default_factory=list)
    expression: list[str] = field(default_factory=list)
    gvcfs: list[Gvcf] = field(default_factory=list)


def make_plan(jobs: list[str], rows: Iterable[Row], files: Files) -> Plan:
    """Plan from rows without problems."""
    samples: dict[str, Sample] = {}
    for row in rows:
        values = row.values
        alignment = values.get("bam") or values.get("cram")
        if not alignment or "small_variants" not in jobs:
            continue
        name = values["sample"]
        sample = samples.setdefault(
            name, Sample(name, name, values["patient"], values.get("sex", "NA"), values.get("status", "0"))
        )
        file = files.of_sheet(alignment)
        given = values.get("bai") or values.get("crai")
        index = files.of_sheet(given).path if given else file.index
        sample.lanes.append(Indexed(file.path, [index] if index else []))
    return Plan(
        jobs,
        list(samples.values()),
        _reference(files),
        paths_of(rows, files, "maf", "cohort_maf"),
        paths_of(rows, files, "expression", "cohort_expression"),
        gvcfs_of(rows, files) if "small_variants" in jobs else [],
    )


def _reference(files: Files) -> Indexed | None:
    """The FASTA with .fai (and .gzi where it is compressed); without any where one of them is missing."""
    fasta = files.named("fasta")
    if not fasta:
        return None
    path = fasta[0].path
    needed = [f"{path}.fai", f"{path}.gzi"] if path.endswith(".gz") else [f"{path}.fai"]
    there = [file.path for file in files.named("fasta_index") if file.path in needed]
    return Indexed(path, there if len(there) == len(needed) else [])


def gvcfs_of(rows: Iterable[Row], files: Files) -> list[Gvcf]:
    """gVCFs of the sheet with their indexes."""
    found = [(row.values["sample"], files.of_sheet(row.values["gvcf"])) for row in rows if "gvcf" in row.values]
    return [Gvcf(sample, file.path, file.index or "") for sample, file in found]


def paths_of(rows: Iterable[Row], files: Files, column: str, parameter: str) -> list[str]:
    """Tables that a parameter and a column of the sheet name, each once."""
    of_sheet = [files.of_sheet(row.values[column]).path for row in rows if column in row.values]
    return list(dict.fromkeys([file.path for file in files.named(parameter)] + of_sheet))


def write_plan(plan: Plan, path: Path) -> None:
    with written(path) as temporary:
        temporary.write_text(json.dumps(asdict(plan), indent=1) + "\n")
