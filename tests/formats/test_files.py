"""Files are there whole or not at all."""

from pathlib import Path

import pytest

from strandwise.formats.files import written


def test_the_file_gets_its_name_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "x.vcf.gz"
    with written(path) as temporary:
        temporary.write_text("all")
        assert not path.exists()
        assert temporary.parent == tmp_path and temporary.name.endswith(".x.vcf.gz")
    assert path.read_text() == "all"
    assert [file.name for file in tmp_path.iterdir()] == ["x.vcf.gz"]


def test_a_failure_leaves_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written(path) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.tsv"]
