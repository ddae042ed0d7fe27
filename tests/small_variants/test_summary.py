"""What the summary of a sample says of reads that are somebody else's."""

from pathlib import Path

import pysam
import pytest

from strandwise.small_variants.summary import LEAST_HOMOZYGOUS, count_calls, mixture_notes


def calls(path: Path, rows: list[str]) -> Path:
    """A VCF with these values of GT:GQ:AD, one SNV each."""
    with pysam.BGZFile(str(path), "w", None) as file:
        for number, values in enumerate(rows, 1):
            file.write(f"c\t{number}\t.\tA\tG\t50\tPASS\t.\tGT:GQ:AD\t{values}\n".encode())
    return path


def test_reads_of_the_reference_count_at_certain_homozygous_snvs_alone(tmp_path: Path) -> None:
    """Of 0,30 and 1,19 one in fifty reads; a heterozygote, a doubtful, a shallow one and one with a third of the reads do not count."""
    rows = ["1/1:40:0,30", "1/1:40:1,19", "0/1:60:15,15", "1/1:19:1,10", "1/1:40:0,7", "1/1:40:10,20"]
    found = count_calls(calls(tmp_path / "a.vcf.gz", rows))["homozygous_snvs"]
    assert found == {"number": 2, "reference_share": 0.02}


def test_one_copy_per_cell_counts_too(tmp_path: Path) -> None:
    assert count_calls(calls(tmp_path / "a.vcf.gz", ["1:40:1,9"]))["homozygous_snvs"]["reference_share"] == 0.1


@pytest.mark.parametrize(("number", "share", "warned"), [(200, 0.0101, 1), (200, 0.01, 0), (199, 0.05, 0)])
def test_a_mixture_is_told_where_enough_snvs_show_it(number: int, share: float, warned: int) -> None:
    assert LEAST_HOMOZYGOUS == 200
    notes = mixture_notes({"number": number, "reference_share": share}, "S")
    assert [(note.level, note.sample) for note in notes] == [("warning", "S")] * warned
