"""Indexes that are made where they are missing."""

import gzip
from pathlib import Path

import pysam
import pytest

from strandwise.errors import InputError
from strandwise.inputs.index import make_index


def bam(path: Path, starts: list[int]) -> Path:
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr1", "LN": 1000}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as output:
        for start in starts:
            read = pysam.AlignedSegment(output.header)
            read.query_name, read.reference_id, read.reference_start = "r", 0, start
            read.query_sequence, read.cigarstring = "A" * 10, "10M"
            output.write(read)
    return path


def test_a_bam_gets_an_index_that_finds_its_reads(tmp_path: Path) -> None:
    path = bam(tmp_path / "x y.bam", [10, 500])
    assert make_index(path) == [tmp_path / "x y.bam.bai"]
    with pysam.AlignmentFile(str(path)) as alignment:
        assert [read.reference_start for read in alignment.fetch("chr1", 400, 600)] == [500]


def test_an_unsorted_bam_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^x.bam: cannot be indexed; it must be whole and sorted by coordinate: samtools sort x.bam$"
    ):
        make_index(bam(tmp_path / "x.bam", [500, 10]))
    assert not (tmp_path / "x.bam.bai").exists()


def test_a_fasta_plain_and_bgzipped(tmp_path: Path) -> None:
    path = tmp_path / "r.fa"
    path.write_text(">a\nACGT\nAC\n>b\nGG\n")
    assert make_index(path) == [tmp_path / "r.fa.fai"]
    assert [line.split("\t")[:2] for line in (tmp_path / "r.fa.fai").read_text().splitlines()] == [
        ["a", "6"],
        ["b", "2"],
    ]
    pysam.tabix_compress(str(path), str(tmp_path / "z.fa.gz"))
    assert make_index(tmp_path / "z.fa.gz") == [tmp_path / "z.fa.gz.fai", tmp_path / "z.fa.gz.gzi"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            gzip.compress(b">a\nACGT\n", mtime=0),
            "compressed by gzip, which cannot be indexed; make it anew: gunzip r.fa.gz; bgzip r.fa",
        ),
        (b"", "no FASTA file, or a damaged one; give the reference genome"),
        (b"ACGT\n", "no FASTA file, or a damaged one; give the reference genome"),
    ],
)
def test_what_is_no_reference_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "r.fa.gz"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        make_index(path)
    assert raised.value.problems == [f"r.fa.gz: {message}"]
