"""Reads a model folder's card and refuses a folder that is damaged or meant for another job."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strandwise.errors import InputError
from strandwise.formats.files import written


@dataclass(frozen=True)
class Card:
    """`card.json`: job, name and version, sha256 of each file, what input is expected, training data, limits, licence.

    folder: where it lies; details: the whole of card.json.
    """

    folder: Path
    job: str
    name: str
    version: str
    details: dict[str, Any]

    @property
    def model_version(self) -> str:
        """What stands in the column model_version."""
        return f"{self.name} {self.version}"

    def file(self, name: str) -> Path:
        return self.folder / name


def load_card(folder: Path, job: str) -> Card:
    """Read and verify `folder`/card.json.

    Raises InputError, all problems at once: no card, another job's model, a file missing or with another sha256.
    """
    path = folder / "card.json"
    if not path.is_file():
        raise InputError(f"{folder}: no card.json; give a model folder as in assets/models/{job}")
    try:
        details = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: not readable as JSON ({error}); fetch the model again") from error
    if not {"job", "name", "version"} <= details.keys():
        raise InputError(f"{path}: without name and version of the model; fetch the model again")
    problems = []
    if details.get("job") != job:
        problems.append(f"{path}: a model for {details.get('job')}, not for {job}")
    for name, expected in details.get("sha256", {}).items():
        file = folder / name
        if not file.is_file():
            problems.append(f"{file}: missing; the card lists it")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            problems.append(f"{file}: damaged (its sha256 is not the card's); fetch the model again")
    if problems:
        raise InputError(*problems)
    return Card(folder, details["job"], details["name"], details["version"], details)


def write_card(folder: Path, details: dict[str, Any], files: list[str]) -> None:
    """Write card.json with the sha256 of `files`; job, name and version must be among the details."""
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    with written(folder / "card.json") as temporary:
        temporary.write_text(json.dumps({**details, "sha256": sums}, indent=1) + "\n")
