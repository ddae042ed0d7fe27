"""The comparison of two runs finds what differs, and nothing else."""

from pathlib import Path

import pytest
from compare_results import differences, main
from pysam import tabix_compress

HEADER = "##fileformat=VCFv4.3\n{}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def results(
    folder: Path, meta: str = "", quality: str = "30", score: str = "0.123456", gene: str = "FLT3", samples: int = 20000
) -> Path:
    """A folder with calls, a table and what Nextflow records of the run."""
    (folder / "drivers").mkdir(parents=True)
    (folder / "pipeline_info").mkdir()
    (folder / "pipeline_info/trace.txt").write_text(str(folder))
    (folder / "drivers/driver_genes.tsv").write_text(
        f"gene\tscore\treasons\n{gene}\t{score}\thotspots:{score};recurrence:{samples}\n"
    )
    (folder / "plain.vcf").write_text(HEADER.format(meta) + f"1\t100\t.\tA\tG\t{quality}\tPASS\t.\n")
    tabix_compress(str(folder / "plain.vcf"), str(folder / "sample.vcf.gz"), force=True)
    (folder / "plain.vcf").unlink()
    return folder


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return results(tmp_path / "one")


@pytest.mark.parametrize("same", [{}, {"meta": "##source=elsewhere\n"}, {"score": "0.123461"}])
def test_header_lines_and_fifth_digits_may_differ(one: Path, tmp_path: Path, same: dict) -> None:
    assert differences(one, results(tmp_path / "other", **same)) == []


def test_another_quality_is_found(one: Path, tmp_path: Path) -> None:
    (found,) = differences(one, results(tmp_path / "other", quality="31"))
    assert found.startswith("sample.vcf.gz: record 1: ")


@pytest.mark.parametrize("changed", [{"score": "0.1236"}, {"gene": "KIT"}, {"samples": 20001}])
def test_another_number_or_name_in_a_table_is_found(one: Path, tmp_path: Path, changed: dict) -> None:
    (found,) = differences(one, results(tmp_path / "other", **changed))
    assert found.startswith("drivers/driver_genes.tsv: row 2: ")


def test_a_missing_record_row_or_file_is_found(one: Path, tmp_path: Path) -> None:
    other = results(tmp_path / "other")
    table = other / "drivers/driver_genes.tsv"
    table.write_text(table.read_text().splitlines()[0] + "\n")
    (other / "sample.vcf.gz").rename(other / "renamed.vcf.gz")
    assert sorted(line.split(":")[0] for line in differences(one, other)) == [
        "drivers/driver_genes.tsv",
        "renamed.vcf.gz",
        "sample.vcf.gz",
    ]


def test_two_empty_folders_are_not_a_success(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    assert main(tmp_path / "one", tmp_path / "other") == 1
