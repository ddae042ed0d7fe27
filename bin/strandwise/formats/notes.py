"""Notes: what a step wants people to know (skipped input, mismatches), gathered by the report."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from strandwise.formats.files import written


@dataclass(frozen=True)
class Note:
    """level: info, warning or error; sample: an id or empty; text: one sentence with its remedy where there is one."""

    level: str
    text: str
    sample: str = ""


def write_notes(notes: list[Note], path: Path) -> None:
    with written(path) as temporary:
        temporary.write_text(json.dumps([asdict(note) for note in notes], indent=1) + "\n")


def read_notes(path: Path) -> list[Note]:
    return [Note(**note) for note in json.loads(path.read_text())]
