"""MAF files: what is read, what is left out and said, and what stops with one line."""

import gzip

import pytest

from strandwise.errors import InputError
from strandwise.formats.maf import read_mafs

HEADER = "Hugo_Symbol\tChromosome\tStart_Position\tEnd_Position\tReference_Allele\tTumor_Seq_Allele2\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short"


def row(symbol="TP53", chromosome="chr17", start="7577120", effect="Missense_Mutation", sample="s1", change="p.R273H"):
    return f"{symbol}\t{chromosome}\t{start}\t{start}\tC\tT\t{effect}\t{sample}\t{change}"


def written(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def problem(path):
    with pytest.raises(InputError) as caught:
        read_mafs([path])
    return str(caught.value)


def test_reads_plain_and_gzip_with_comments_into_the_same_table(tmp_path):
    lines = ["#version 2.4", HEADER, row(), row(symbol="KRAS", chromosome="12", sample="s2", effect="Silent")]
    plain = written(tmp_path / "a.maf", *lines)
    packed = tmp_path / "a.maf.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        maf = read_mafs([path])
        assert maf.mutations["chromosome"].tolist() == ["17", "12"]
        assert maf.mutations["effect"].tolist() == ["missense", "silent"]
        assert maf.mutations["start"].tolist() == [7577120, 7577120]
        assert maf.samples == ["s1", "s2"]
        assert maf.notes == []


def test_several_files_are_one_cohort(tmp_path):
    first = written(tmp_path / "a.maf", HEADER, row())
    second = written(tmp_path / "b.maf", HEADER, row(sample="s2", symbol="KRAS"))
    assert read_mafs([first, second]).samples == ["s1", "s2"]


def test_unknown_classes_are_named_and_counted(tmp_path):
    path = written(
        tmp_path / "a.maf", HEADER, row(), row(effect="Weird_Thing"), row(effect="Weird_Thing"), row(effect="Intron")
    )
    maf = read_mafs([path])
    assert len(maf.mutations) == 1
    texts = [note.text for note in maf.notes]
    assert "Weird_Thing 2" in texts[0] and texts[0].startswith("2 mutations left out")
    assert texts[1].startswith("1 mutations outside coding sequence")


def test_filtered_rows_are_counted_by_reason(tmp_path):
    path = written(tmp_path / "a.maf", HEADER + "\tFILTER", row() + "\tPASS", row(sample="s2") + "\tpanel_of_normals")
    maf = read_mafs([path])
    assert len(maf.mutations) == 1
    assert "panel_of_normals 1" in maf.notes[0].text


def test_build_is_taken_from_the_file_and_may_not_be_mixed(tmp_path):
    path = written(tmp_path / "a.maf", HEADER + "\tNCBI_Build", row() + "\thg38")
    assert read_mafs([path]).build == "GRCh38"
    path = written(tmp_path / "b.maf", HEADER + "\tNCBI_Build", row() + "\thg38", row() + "\t37")
    assert "mixes GRCh37, GRCh38" in problem(path)


def test_no_header_is_said(tmp_path):
    assert problem(written(tmp_path / "a.maf", row(), row())).startswith(
        "a.maf: no header line (the first line begins 'TP53')"
    )


def test_a_missing_column_is_named_with_the_nearest(tmp_path):
    path = written(tmp_path / "a.maf", HEADER.replace("Hugo_Symbol", "HugoSymbols"), row())
    assert problem(path) == "a.maf: no column 'hugo_symbol' (capitals do not matter); nearest column: HugoSymbols"


def test_a_position_that_is_no_number_is_named_by_line(tmp_path):
    message = problem(written(tmp_path / "a.maf", "#v", HEADER, row(), row(start="seven")))
    assert (
        message == "a.maf: line 4, Start_Position: 'seven' is not a position (1 such rows); correct or remove the row"
    )


def test_rows_without_sample_are_named_by_line(tmp_path):
    assert "a.maf: line 2, Tumor_Sample_Barcode: '' is empty" in problem(
        written(tmp_path / "a.maf", HEADER, row(sample=""))
    )


def test_empty_header_only_missing_and_truncated_files(tmp_path):
    assert "empty" in problem(written(tmp_path / "a.maf", ""))
    assert "no mutations" in problem(written(tmp_path / "b.maf", HEADER))
    assert "no such file" in problem(tmp_path / "c.maf")
    packed = gzip.compress(("\n".join([HEADER] + [row(sample=f"s{n}") for n in range(3000)])).encode())
    (tmp_path / "d.maf.gz").write_bytes(packed[: len(packed) // 2])
    assert "cannot be decompressed" in problem(tmp_path / "d.maf.gz")


def test_problems_of_all_files_are_said_at_once(tmp_path):
    first, second = written(tmp_path / "a.maf", row()), written(tmp_path / "b.maf", HEADER, row(start="x"))
    with pytest.raises(InputError) as caught:
        read_mafs([first, second])
    assert len(caught.value.problems) == 2
