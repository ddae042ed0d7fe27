"""Notes are read as they were written."""

from pathlib import Path

from strandwise.formats.notes import Note, read_notes, write_notes


def test_notes_are_read_as_they_were_written(tmp_path: Path) -> None:
    notes = [Note("warning", 'a "quoted" <b>text</b>', "S1"), Note("info", "of no sample")]
    write_notes(notes, tmp_path / "x.notes.json")
    assert read_notes(tmp_path / "x.notes.json") == notes
