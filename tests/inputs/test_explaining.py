"""What --explain and --coding_regions may be, every problem in a line of its own."""

from pathlib import Path
from typing import Any

import pytest

from strandwise.inputs.explain import check_explain
from strandwise.inputs.files import Files, InputFile

CONTIGS = {"chr1": 1000}


def problems(*files: InputFile, contigs: dict[str, int] = CONTIGS, **parameters: Any) -> list[str]:
    return check_explain(parameters, Files(list(files)), contigs)


def there(name: str, path: Path, content: str) -> InputFile:
    path.write_text(content)
    return InputFile(name, path.name, str(path), seen=path)


@pytest.mark.parametrize("choice", [None, "least_certain", "all"])
def test_nothing_is_wrong_with_the_words(choice: str | None) -> None:
    assert problems(explain=choice) == []


def test_coding_needs_regions() -> None:
    assert problems(explain="coding") == [
        "--coding_regions: missing; --explain coding needs a BED, GFF or GTF of the coding regions"
    ]


def test_regions_need_coding(tmp_path: Path) -> None:
    regions = there("coding_regions", tmp_path / "c.bed", "chr1\t1\t5\n")
    assert problems(regions, explain="coding", coding_regions="c.bed") == []
    (problem,) = problems(regions, explain="all", coding_regions="c.bed")
    assert problem == "--coding_regions: given with --explain all; give --explain coding or leave it out"


def test_a_word_that_is_neither_choice_nor_file() -> None:
    file = InputFile("explain", "codign", "codign", missing=True, hint="; the folder holds coding.txt")
    assert problems(file, explain="codign") == [
        "--explain: codign: neither least_certain, all, coding nor a file; the folder holds coding.txt"
    ]


def test_lists_are_looked_into_all_problems_at_once(tmp_path: Path) -> None:
    places = there("explain", tmp_path / "p.txt", "chr1:5\nchrX:5\nwhat\n")
    regions = there("coding_regions", tmp_path / "c.gff", "chrX\tx\tCDS\t1\t5\t.\t+\t0\tA\n")
    found = problems(places, regions, explain="p.txt", coding_regions="c.gff")
    assert len(found) == 4
    assert sum(problem.startswith("--explain: p.txt: ") for problem in found) == 2
    assert any(problem.startswith("--coding_regions: c.gff: no row of type CDS") for problem in found)
    assert problems(places, explain="p.txt", contigs={}) == []  # no reference to compare with: said elsewhere
