"""The input files of a run as Nextflow found them: what names them, where they are, and where this task sees them."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class InputFile:
    """One file that the run is given.

    name: the parameter that names it, or `sheet`; given: the text there; path: where it is (a path or an address); missing
    and hint: whether it is not there and what is near it; index: path of the index beside an alignment, if there is one;
    seen: this task's own name for it, None where it is missing or too far away to be looked into.
    """

    name: str
    given: str
    path: str
    missing: bool = False
    hint: str = ""
    index: str | None = None
    seen: Path | None = None


class Files:
    """Finds input files by the parameter or by the sheet's text that names them."""

    def __init__(self, files: list[InputFile]):
        self.files = files

    def named(self, name: str) -> list[InputFile]:
        return [file for file in self.files if file.name == name]

    def of_sheet(self, given: str) -> InputFile:
        """The file that a cell of the sheet names. A cell that Nextflow did not find counts as missing."""
        found = [file for file in self.named("sheet") if file.given == given]
        return found[0] if found else InputFile("sheet", given, given, missing=True)

    def at(self, path: str | None) -> InputFile | None:
        return next((file for file in self.files if file.path == path), None)


def read_files(path: Path, folder: Path) -> Files:
    """Read files.json, which lists the files; those that were staged lie in `folder`."""
    entries = json.loads(path.read_text())
    return Files(
        [InputFile(**{**entry, "seen": folder / entry["seen"] if entry["seen"] else None}) for entry in entries]
    )
