"""Lists of places: BED, VCF and plain lines, with every problem of a list at once; coding regions of BED, GFF and GTF."""

import gzip
from pathlib import Path

import pytest

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.formats.places import Place, read_coding_regions, read_places, toucher

CONTIGS = {"chr1": 1000, "chr2": 500}


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "places.txt"
    path.write_text("# comment\nchr1:1\nchr1:1,000\n\nchr2:10-20\nchr1:5 a>TT\nchr1:7\tAC>A\n")
    assert read_places(path, CONTIGS) == [
        Place("chr1", 0, 1),
        Place("chr1", 999, 1000),
        Place("chr2", 9, 20),
        Place("chr1", 4, 5, "A", "TT"),
        Place("chr1", 6, 8, "AC", "A"),
    ]


@pytest.mark.parametrize("place", [Place("chr1", 9, 20), Place("chr1", 0, 1), Place("chr2", 4, 6, "AC", "A")])
def test_a_place_reads_as_it_is_written(tmp_path: Path, place: Place) -> None:
    path = tmp_path / "places.txt"
    path.write_text(f"{place}\n")
    assert read_places(path, CONTIGS) == [place]


def test_bed(tmp_path: Path) -> None:
    path = tmp_path / "places.bed.gz"
    with gzip.open(path, "wt") as stream:
        stream.write("chr1\t9\t20\tname\n")
    assert read_places(path, CONTIGS) == [Place("chr1", 9, 20)]


def test_vcf_with_several_alternates_and_with_symbols(tmp_path: Path) -> None:
    path = tmp_path / "places.vcf"
    header = "##fileformat=VCFv4.3\n##contig=<ID=chr1,length=1000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    path.write_text(header + "chr1\t10\t.\tA\tT,AC\t.\t.\t.\nchr1\t20\t.\tG\t<DEL>\t.\t.\t.\n")
    assert read_places(path, CONTIGS) == [
        Place("chr1", 9, 10, "A", "T"),
        Place("chr1", 9, 10, "A", "AC"),
        Place("chr1", 19, 20),
    ]


def test_all_problems_at_once(tmp_path: Path) -> None:
    path = tmp_path / "places.txt"
    path.write_text("chr1:5\nchr3:5\nchr2:501\nchr1\nchr1:0\nchr1:5 A-T\n")
    with pytest.raises(InputError) as error:
        read_places(path, CONTIGS)
    told = "\n".join(error.value.problems)
    assert len(error.value.problems) == 5
    for part in (
        "row 4: 'chr1' is no place",
        "row 6: 'chr1:5 A-T'",
        "contig 'chr3' is not in the reference",
        "chr2:501",
        "chr1:0",
    ):
        assert part in told


@pytest.mark.parametrize("content", ["", "# nothing\n"])
def test_an_empty_list(tmp_path: Path, content: str) -> None:
    path = tmp_path / "places.txt"
    path.write_text(content)
    with pytest.raises(InputError, match="holds no place"):
        read_places(path, CONTIGS)


def test_a_vcf_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "places.vcf"
    path.write_text("nothing\n")
    with pytest.raises(InputError, match="cannot be read as VCF"):
        read_places(path, CONTIGS)


def test_coding_regions_of_gff_and_gtf(tmp_path: Path) -> None:
    rows = "chr1\tx\texon\t1\t300\t.\t+\t.\tA\nchr1\tx\tCDS\t101\t200\t.\t+\t0\tA\nchrUn\tx\tCDS\t1\t9\t.\t+\t0\tB\n"
    for name in ("genes.gff3", "genes.gtf"):
        path = tmp_path / name
        path.write_text(f"##gff-version 3\n{rows}")
        assert read_coding_regions(path, CONTIGS) == [Interval("chr1", 100, 200)]
    path.write_text(rows.replace("chr1", "1"))
    with pytest.raises(InputError, match="no row of type CDS on a contig of the reference, which has 'chr1', 'chr2'"):
        read_coding_regions(path, CONTIGS)
    path.write_text("chr1\tCDS\n")
    with pytest.raises(InputError, match="row 1: 2 columns"):
        read_coding_regions(path, CONTIGS)


def test_touching() -> None:
    """Half-open: [10, 20) touches neither [0, 10) nor [20, 30)."""
    touches = toucher([Interval("chr1", 10, 20), Interval("chr1", 15, 40), Interval("chr2", 5, 6)], CONTIGS)
    inside = [("chr1", 39, 40), ("chr1", 0, 11), ("chr1", 12, 13), ("chr2", 5, 6)]
    outside = [("chr1", 40, 41), ("chr1", 0, 10), ("chr2", 6, 7), ("chr3", 5, 6)]
    assert [touches(Place(*place)) for place in inside + outside] == [True] * 4 + [False] * 4
