"""The folder of a training: begun once, gone on with by the same training only, emptied at its end."""

import re
from pathlib import Path

import pytest

from strandwise.errors import InputError
from strandwise.models.checkpoints import begin, end, fingerprint


def test_the_same_training_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    begin(folder, {"data": ("a", 1), "recipe": {"epochs": 3}})
    begin(folder, {"data": ["a", 1], "recipe": {"epochs": 3}})
    wanted = (
        f"{folder}: a training with other recipe was begun here; give another folder, or delete this one to begin anew"
    )
    with pytest.raises(InputError, match=re.escape(wanted)):
        begin(folder, {"data": ["a", 1], "recipe": {"epochs": 4}})


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="holds files that are not of a training"):
        begin(tmp_path, {"data": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_end_empties_the_folder_and_keeps_it(tmp_path: Path) -> None:
    begin(tmp_path, {"data": 1})
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / ".tmp-1.x.h5").write_text("x")
    end(tmp_path)
    assert tmp_path.is_dir() and not list(tmp_path.iterdir())


def test_a_fingerprint_follows_content_not_path(tmp_path: Path) -> None:
    """Three MiB and a byte: a change in the first or last MiB, or of the size, is seen."""
    content = bytearray(3 * (1 << 20) + 1)
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(content)
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")
    seen = {fingerprint(tmp_path / "one")}
    for place in (0, len(content) - 1):
        changed = content.copy()
        changed[place] = 1
        (tmp_path / "two").write_bytes(changed)
        seen.add(fingerprint(tmp_path / "two"))
    (tmp_path / "two").write_bytes(content + b"0")
    seen.add(fingerprint(tmp_path / "two"))
    assert len(seen) == 4
