"""A model refuses reads that it was not made for, or notes it where that is allowed."""

from pathlib import Path

import pytest
from made_reads import MadeRead, write_alignment
from sample import make_sample

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.models.card import Card
from strandwise.small_variants.assay import Reads, check_assay, look, unmarked_duplicates

CARD = Card(
    Path("m"),
    "small_variants",
    "short",
    "1.0",
    {"expects": {"platform": "ILLUMINA", "read_length": [70, 250], "depth": [5, 60]}},
)


def test_look_sees_length_platform_and_depth(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 1, depth=30)
    seen = look([sample.bam], sample.fasta, [Interval("c", 0, 6000)])
    assert seen is not None
    assert (seen.platform, seen.read_length) == ("ILLUMINA", 100)
    assert 15 < seen.depth < 40


def test_fitting_reads_pass_without_a_word() -> None:
    assert check_assay(CARD, Reads("ILLUMINA", 150, 30), False, "S") == []
    assert check_assay(CARD, Reads("", 150, 30), False, "S") == []


def test_long_reads_are_refused_with_both_named(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 2)
    reads = [MadeRead(100, sample.reference[100:2600], name=f"n{i}") for i in range(20)]
    bam = write_alignment(tmp_path / "long.bam", "c", 6000, reads, platform="ONT")
    seen = look([bam], sample.fasta, [Interval("c", 0, 6000)])
    with pytest.raises(InputError) as caught:
        check_assay(CARD, seen, False, "S")
    assert caught.value.problems == [
        "S: reads of platform ONT, model short 1.0 is for ILLUMINA; choose a fitting model, or allow_model_mismatch to go on "
        "with a warning",
        "S: reads of 2500 bases, model short 1.0 was trained on 70 to 250; choose a fitting model, or allow_model_mismatch to "
        "go on with a warning",
    ]


def test_a_mismatch_that_is_allowed_is_a_warning() -> None:
    (note,) = check_assay(CARD, Reads("ILLUMINA", 36, 30), True, "S")
    assert (note.level, note.sample) == ("warning", "S")
    assert "36 bases" in note.text


def test_no_reads_is_a_note(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 3)
    empty = write_alignment(tmp_path / "empty.bam", "c", 6000, [])
    seen = look([empty], sample.fasta, [Interval("c", 0, 6000)])
    (note,) = check_assay(CARD, seen, False, "S")
    assert note.level == "info"


@pytest.mark.parametrize(
    ("copies", "marked", "warned"), [(0, False, 0), (30, False, 1), (30, True, 0), (300, False, 0)], ids=str
)
def test_duplicates_that_nobody_marked_are_told(tmp_path: Path, copies: int, marked: bool, warned: int) -> None:
    """300 pairs, of which 30 are there twice (9 % of 330), or all four times (75 %: amplicons)."""
    sample = make_sample(tmp_path, 4)
    reads = []
    times = 3 if copies == 300 else 1
    starts = [(100 + 19 * number, "") for number in range(300)]
    starts += [(start, f"copy{turn}") for turn in range(times) for start, _ in starts[:copies]]
    for start, turn in starts:
        for flag, at in ((99, start), (147, start + 60)):
            name = f"p{start}{turn}"
            reads.append(
                MadeRead(at, sample.reference[at : at + 50], name=name, flag=flag + 1024 * (marked and bool(turn)))
            )
    bam = write_alignment(tmp_path / "pairs.bam", "c", 6000, reads)
    notes = unmarked_duplicates([bam], sample.fasta, [Interval("c", 0, 3000), Interval("c", 3000, 6000)], "S")
    assert [(note.level, note.sample) for note in notes] == [("warning", "S")] * warned
    assert all(note.text.startswith("9% of the pairs") for note in notes)
