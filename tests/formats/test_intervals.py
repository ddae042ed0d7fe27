"""BED files: what is read, and what each wrong row is told."""

import gzip

import pytest

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval, merged, padded, read_bed, write_bed

CONTIGS = {"chr2": 1000, "chr1": 500}


def problems(path):
    with pytest.raises(InputError) as caught:
        read_bed(path, CONTIGS)
    return caught.value.problems


def test_reads_three_columns_of_plain_and_gzipped_files(tmp_path):
    text = "# made by hand\ntrack name=x\nchr1\t10\t20\tname\t0\t+\n\nchr2\t0\t1000\n"
    plain, packed = tmp_path / "a.bed", tmp_path / "a.bed.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert (
        read_bed(plain, CONTIGS) == read_bed(packed, CONTIGS) == [Interval("chr1", 10, 20), Interval("chr2", 0, 1000)]
    )


@pytest.mark.parametrize("text", ["", "\n\n", "#only a comment\n"])
def test_empty(tmp_path, text):
    path = tmp_path / "a.bed"
    path.write_text(text)
    assert problems(path) == ["a.bed: holds no interval; give contig, start and end by row, or leave the intervals out"]


def test_each_wrong_row_by_its_number(tmp_path):
    path = tmp_path / "a.bed"
    path.write_text("chr1\t10\t20\nchr1\t30\t30\nchr1\t400\t501\n1\t0\t5\nchr2 0 5\nchr2\t-1\tx\n")
    assert problems(path) == [
        "a.bed: row 2: start 30 is not before end 30",
        "a.bed: row 3: end 501 lies off the end of chr1, which has 500 bases",
        "a.bed: row 4: contig '1' is not in the reference, which has 'chr2', 'chr1'; give the same names",
        "a.bed: row 5: 1 columns between tabs, 3 needed: contig, start, end",
        "a.bed: row 6: start '-1' and end 'x' must be whole numbers, 0-based start and end",
    ]


def test_many_problems_are_counted(tmp_path):
    path = tmp_path / "a.bed"
    path.write_text("chr1\t9\t9\n" * 25)
    found = problems(path)
    assert len(found) == 21
    assert found[-1] == "a.bed: 5 more rows with problems"


def test_padding_stays_on_the_contig():
    assert padded([Interval("chr1", 5, 495)], 10, CONTIGS) == [Interval("chr1", 0, 500)]


def test_merging_sorts_by_the_reference_and_joins_what_touches():
    given = [Interval("chr1", 20, 30), Interval("chr2", 5, 9), Interval("chr1", 0, 20), Interval("chr1", 31, 40)]
    assert merged(given, CONTIGS) == [Interval("chr2", 5, 9), Interval("chr1", 0, 30), Interval("chr1", 31, 40)]


def test_written_bed_is_read_back(tmp_path):
    intervals = [Interval("chr1", 0, 1), Interval("chr2", 999, 1000)]
    write_bed(intervals, tmp_path / "a.bed")
    assert read_bed(tmp_path / "a.bed", CONTIGS) == intervals


def test_people_read_intervals_one_based():
    assert str(Interval("chr1", 0, 10)) == "chr1:1-10"
