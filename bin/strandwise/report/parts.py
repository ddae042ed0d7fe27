"""Reads what the jobs left for the report: one flat folder of files, the parameters, and the versions."""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.errors import InputError
from strandwise.formats.notes import Note, read_notes

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Version:
    """process: the Nextflow process; tool: what ran in it; version: as the tool says it."""

    process: str
    tool: str
    version: str


@dataclass
class Parts:
    """Everything the report is made from.

    folder: the jobs' files, side by side; parameters: the run's, as the schema types them; versions: one per process
    and tool, sorted.
    """

    folder: Path
    parameters: dict[str, Any] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)

    def path(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None

    def json(self, name: str) -> dict[str, Any]:
        """A summary; empty when the job did not write one."""
        path = self.path(name)
        return json.loads(path.read_text()) if path else {}

    def table(self, name: str) -> "pandas.DataFrame | None":
        """A result table, text where the job wrote text; None when the job did not run."""
        import csv

        import pandas

        path = self.path(name)
        if path is None:
            return None
        names = {"sample": str, "gene": str, "drug": str, "model_version": str}
        form = {"sep": "\t", "quoting": csv.QUOTE_NONE, "escapechar": "\\"}
        return pandas.read_csv(path, dtype=names, keep_default_na=False, na_values=[""], **form)

    @cached_property
    def called(self) -> dict[str, dict[str, Any]]:
        """Summary of each sample whose variants were called, by id."""
        ending = ".small_variants.json"
        return {path.name.removesuffix(ending): json.loads(path.read_text()) for path in self.files(f"*{ending}")}

    @cached_property
    def planned(self) -> dict[str, str]:
        """Samples whose variants were to be called: id → name as the samplesheet has it."""
        rows = self.json("plan.json").get("samples", [])
        return {row["id"]: row.get("sample", row["id"]) for row in rows}

    @property
    def failed(self) -> list[str]:
        """Ids of samples that were to be called and were not."""
        return [identifier for identifier in self.planned if identifier not in self.called]

    @property
    def unfinished(self) -> list[str]:
        """Jobs that were planned and left no table."""
        tables = {"drivers": "driver_genes.tsv", "drug_response": "response.tsv"}
        planned = self.json("plan.json").get("jobs", [])
        return [job for job, table in tables.items() if job in planned and self.path(table) is None]

    def label(self, identifier: str) -> str:
        """The sample's name, with its id where the id had to be another one to be safe in file names."""
        name = self.planned.get(identifier) or self.called.get(identifier, {}).get("sample", identifier)
        return name if name == identifier else f"{name} ({identifier})"

    def owner(self, name: str) -> str:
        """The sample's id where a file's name (without its ending) is of one of its tasks, otherwise the name."""
        words = name.split(".")
        beginnings = (".".join(words[:count]) for count in range(len(words), 0, -1))
        return next((text for text in beginnings if text in self.planned or text in self.called), name)

    @cached_property
    def notes(self) -> list[tuple[str, Note]]:
        """(step, note) of every step: a sample's id where the file is of one of its tasks, otherwise the file's name."""
        return [
            (self.owner(path.name.removesuffix(".notes.json")), note)
            for path in self.files("*.notes.json")
            for note in read_notes(path)
        ]

    @cached_property
    def costs(self) -> dict[str, list[dict[str, Any]]]:
        """What each task of a sample cost, by the sample's id."""
        found: dict[str, list[dict[str, Any]]] = {}
        for path in self.files("*.cost.json"):
            found.setdefault(self.owner(path.name.removesuffix(".cost.json")), []).append(json.loads(path.read_text()))
        return found

    def files(self, pattern: str) -> list[Path]:
        """Files that fit, in the order in which people count: S2 before S10."""
        return sorted(self.folder.glob(pattern), key=lambda path: natural(path.name))


def natural(name: str) -> list[tuple[str, int]]:
    """Sort key that takes runs of digits as numbers."""
    return [(word, int(digits or 0)) for word, digits in re.findall(r"(\D*)(\d*)", name)]


def read_versions(path: Path) -> list[Version]:
    """Read process<TAB>tool<TAB>version lines. Raises InputError with the line that has not three fields."""
    versions = set()
    for line_number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) != 3:
            raise InputError(f"{path}: line {line_number} has {len(fields)} fields, expected process, tool, version")
        versions.add(tuple(fields))
    return [Version(process.split(":")[-1], tool, version) for process, tool, version in sorted(versions)]


def read_parts(folder: Path, parameters: Path, versions: Path) -> Parts:
    """Raises InputError when a file that must be there is not what it should be."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the folder with the jobs' files")
    return Parts(folder, json.loads(parameters.read_text()), read_versions(versions))
