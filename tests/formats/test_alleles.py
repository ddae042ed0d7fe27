"""Given alleles: every problem told at once, all alleles in the caller's form."""

import gzip
from pathlib import Path

import pysam
import pytest

from strandwise.errors import InputError
from strandwise.formats.alleles import allele_problems, outside, prepare_alleles, read_alleles
from strandwise.formats.intervals import Interval

#            1234567890123456789012345678901
REFERENCE = "ACGTACGTTTTTTACACACACGGATCCATGN"
HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "reference.fa"
    path.write_text(f">c\n{REFERENCE}\n>d\nACGTACGT\n")
    pysam.faidx(str(path))
    return path


def written(folder: Path, *rows: str, name: str = "given.vcf") -> Path:
    path = folder / name
    text = HEAD + "".join("\t".join([*row.split(" "), ".", ".", "."]) + "\n" for row in rows)
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.write(text)
    return path


def problems(path: Path, fasta: Path) -> list[str]:
    with pysam.FastaFile(str(fasta)) as opened:
        return allele_problems(path, dict(zip(opened.references, opened.lengths, strict=True)), opened)


def events(path: Path, fasta: Path, contig: str = "c", start: int = 0, end: int = len(REFERENCE)) -> list:
    output = path.with_name("prepared.vcf.gz")
    prepare_alleles(path, fasta, output)
    return read_alleles(output, contig, start, end)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("c 3 . G T", [(2, 1, "T")]),
        ("c 3 . GTA TTC", [(2, 1, "T"), (4, 1, "C")]),  # two SNVs with a base between them
        ("c 12 . TT T", [(7, 1, "")]),  # the homopolymer begins at base 8
        ("c 12 . TT T,TTT", [(7, 0, "T"), (7, 1, "")]),
        ("c 18 . ACA A", [(13, 2, "")]),  # CA or AC: the repeat ACACACAC begins at base 14
        ("c 26 . C CGA", [(26, 0, "GA")]),
        ("c 3 rs1 gta gtc", [(4, 1, "C")]),  # padded, lower case
        ("c 14 . ACAC G", [(13, 1, "G"), (14, 3, "")]),  # a longer change: one base replaced, three deleted
    ],
)
def test_alleles_in_the_form_of_the_caller(tmp_path: Path, fasta: Path, row: str, expected: list) -> None:
    assert events(written(tmp_path, row), fasta) == expected


def test_order_duplicates_compression_and_contigs(tmp_path: Path, fasta: Path) -> None:
    path = written(tmp_path, "d 3 . G T", "c 24 . A T", "c 3 . G T", "c 3 . G T", name="given.vcf.gz")
    assert events(path, fasta) == [(2, 1, "T"), (23, 1, "T")]
    prepared = tmp_path / "prepared.vcf.gz"
    assert read_alleles(prepared, "d", 0, 8) == [(2, 1, "T")]
    assert read_alleles(prepared, "e", 0, 8) == []


def test_a_deletion_belongs_where_its_record_starts(tmp_path: Path, fasta: Path) -> None:
    """ACAC > A at bases 16 to 19 is left-aligned to base 13, 0-based 12: no shard but that of base 12 has it."""
    path = written(tmp_path, "c 16 . ACAC AC")
    assert events(path, fasta, start=12, end=13) == [(13, 2, "")]
    assert events(path, fasta, start=13, end=31) == []


def test_all_problems_at_once(tmp_path: Path, fasta: Path) -> None:
    rows = ("c 1 . C G", "x 1 . A C", "c 18 . CAC *,<DEL>", "c 31 . NA G", "c 31 . N G", "c 2 . C .", "c 3 . G G")
    found = problems(written(tmp_path, *rows, "c 9 . T " + "T" * 300, "c 5 . A C"), fasta)
    assert [text.split(": ")[1] for text in found] == [f"row {number}" for number in range(3, 11)]
    told = "\n".join(found)
    assert "REF is not the reference's A; give alleles of the same genome build" in found[0]
    assert "contig 'x' is not in the reference, which has 'c', 'd'" in found[1]
    assert "ALT '*' is not spelled in bases" in found[2]
    assert "lies off c, which has 31 bases" in found[3]
    assert "REF must be spelled with A, C, G, T" in found[4]
    assert "ALT G is REF" in found[6]
    assert "longer than 200 bases" in found[7]
    assert "row 11" not in told
    with pytest.raises(InputError) as error:
        prepare_alleles(tmp_path / "given.vcf", fasta, tmp_path / "prepared.vcf.gz")
    assert error.value.problems == found
    assert not (tmp_path / "prepared.vcf.gz").exists()


def test_many_problems_are_counted_and_an_empty_file_is_one(tmp_path: Path, fasta: Path) -> None:
    found = problems(written(tmp_path, *["x 1 . A C"] * 25), fasta)
    assert len(found) == 21 and found[-1] == "given.vcf: 5 more rows with problems"
    assert problems(written(tmp_path), fasta) == [
        "given.vcf: holds no allele; give a VCF with the alleles to genotype, or leave it out"
    ]


def test_a_file_that_was_not_prepared_is_turned_down(tmp_path: Path, fasta: Path) -> None:
    path = Path(pysam.tabix_index(str(written(tmp_path, "c 3 . G T")), preset="vcf", force=True))
    with pytest.raises(InputError, match=r"small_variants\.py alleles"):
        read_alleles(path, "c", 0, 31)
    with pytest.raises(InputError, match="by its index"):
        read_alleles(written(tmp_path, "c 3 . G T", name="plain.vcf"), "c", 0, 31)


def test_alleles_outside_of_intervals_are_counted(tmp_path: Path) -> None:
    """[2, 5) holds bases 3 to 5, [10, 12) bases 11 and 12."""
    path = written(tmp_path, *[f"c {position} . A C" for position in (2, 3, 5, 6, 11, 12, 13)], "d 3 . G T")
    assert outside(path, [Interval("c", 2, 5), Interval("c", 10, 12)]) == (4, 8)
