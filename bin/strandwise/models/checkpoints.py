"""What a long training has done so far, kept in a folder of its own: a killed training goes on, another one is refused."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.errors import InputError
from strandwise.formats.files import written

if TYPE_CHECKING:
    import numpy

BEGUN = "training.json"
ENDS = 1 << 20


def begin(folder: Path, training: dict[str, Any]) -> None:
    """Make `folder` the place of one training, or find the same training there and go on.

    training: everything that its result depends on, as JSON holds it. Raises InputError where the folder holds another
    training, or files that are none of ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.loads(json.dumps(training))
    path = folder / BEGUN
    if path.is_file():
        before = json.loads(path.read_text())
        other = [name for name in wanted.keys() | before.keys() if wanted.get(name) != before.get(name)]
        if other:
            raise InputError(
                f"{folder}: a training with other {', '.join(sorted(other))} was begun here; "
                "give another folder, or delete this one to begin anew"
            )
    elif any(folder.iterdir()):
        raise InputError(f"{folder}: holds files that are not of a training; give a new or an empty folder")
    else:
        with written(path) as temporary:
            temporary.write_text(json.dumps(wanted, indent=1) + "\n")


def end(folder: Path) -> None:
    """Empty the folder of a training that is done. The folder itself may be a container's mount, and stays."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def kept(path: Path | None, make: "Callable[[], dict[str, numpy.ndarray]]") -> "dict[str, numpy.ndarray]":
    """The arrays that `make` gives, kept in `path` (.npz), or those that lie there from a run before. No path: kept nowhere."""
    import numpy

    if path is None:
        return make()
    if not path.is_file():
        made: dict[str, Any] = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as temporary:
            numpy.savez(temporary, **made)
    with numpy.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def fingerprint(path: Path) -> str:
    """Tells one file from another without reading all of a large one: its size, first and last MiB; whatever its path."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        digest = hashlib.sha256(handle.read(ENDS))
        handle.seek(max(0, size - ENDS), os.SEEK_SET)
        digest.update(handle.read(ENDS))
    return f"{size}-{digest.hexdigest()[:16]}"
