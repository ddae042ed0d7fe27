"""MAF files: what is read, what is left out and said, and what stops with one line."""

import gzip

import pytest

from strandwise.errors import InputError
from strandwise.formats.maf import read_mafs, short_change

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


def test_column_names_of_other_makers_are_understood(tmp_path):
    """Capitals, spaces and dots do not matter, further columns neither, nor a byte-order mark or Windows line ends."""
    names = "Gene Symbol\tChrom\tStart.Position\tEnd\tReference_Allele\tTumor_Seq_Allele2\tvariant_classification\tSAMPLE_ID\tProtein_Change"
    path = tmp_path / "a.maf"
    path.write_bytes(f"\ufeff{names}\tCenter\r\n{row()}\tX\r\n".encode())
    maf = read_mafs([path])
    assert maf.mutations.iloc[0].to_dict() == {
        "symbol": "TP53", "chromosome": "17", "start": 7577120, "reference": "C", "alternate": "T", "effect": "missense", "sample": "s1",
        "protein_change": "p.R273H",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written_as", "plain"),
    [("chr17", "17"), ("17", "17"), ("17.0", "17"), ("23", "X"), ("chrX", "X"), ("chrM", "MT"), ("CHR24", "Y")],
)
def test_chromosomes_are_named_alike(tmp_path, written_as, plain):
    maf = read_mafs([written(tmp_path / "a.maf", HEADER, row(chromosome=written_as))])
    assert maf.mutations["chromosome"].tolist() == [plain]


@pytest.mark.parametrize(
    ("written_as", "effect"),
    [
        ("MISSENSE_MUTATION", "missense"),
        ("missense mutation", "missense"),
        ("nonsynonymous SNV", "missense"),
        ("missense_variant&splice_region_variant", "missense"),
        ("splice_donor_variant,missense_variant", "splice"),
        ("frame_shift_DEL", "frameshift"),
        ("stopgain", "nonsense"),
    ],
)
def test_classes_in_other_spellings(tmp_path, written_as, effect):
    maf = read_mafs([written(tmp_path / "a.maf", HEADER, row(effect=written_as))])
    assert maf.mutations["effect"].tolist() == [effect] and maf.notes == []


def test_positions_written_as_broken_numbers_and_missing_ones(tmp_path):
    path = written(tmp_path / "a.maf", HEADER, row(start="7577120.0"), row(start="NA"), row(start="-1"), row(start=""))
    maf = read_mafs([path])
    assert maf.mutations["start"].tolist() == [7577120]
    assert [note.text for note in maf.notes] == ["3 mutations left out because they have no Start_Position."]


def test_the_first_tumour_allele_counts_where_the_second_is_the_reference(tmp_path):
    path = written(
        tmp_path / "a.maf", HEADER + "\tTumor_Seq_Allele1", row() + "\tG", row().replace("\tC\tT", "\tC\tC") + "\tA"
    )
    assert read_mafs([path]).mutations["alternate"].tolist() == ["T", "A"]


def test_protein_changes_from_long_names_and_from_vep(tmp_path):
    """HGVSp_Short, where it is empty HGVSp, then Amino_acids and Protein_position."""
    path = written(
        tmp_path / "a.maf",
        HEADER + "\tHGVSp\tAmino_acids\tProtein_position",
        row(change="p.R273H") + "\tp.Gly1Ala\tG/A\t1",
        row(change="") + "\tENSP00000269305.4:p.Arg273His\t\t",
        row(change="") + "\t\tR/H\t273/393",
        row(change="") + "\t\tR\t273",
        row(change="") + "\t.\t-/X\t273-274",
        row(change="MUTATED") + "\t\t\t",
    )
    changes = read_mafs([path]).mutations["protein_change"].tolist()
    assert changes == ["p.R273H", "p.R273H", "p.R273H", "p.R273=", "p.273fs", ""]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("R273H", "p.R273H"),
        ("p.(R273H)", "p.R273H"),
        ("p.Trp53Ter", "p.W53*"),
        ("p.Gly12ValfsTer5", "p.G12Vfs*5"),
        ("p.Ser33%3D", "p.S33="),
        ("TP53:NM_000546:exon8:c.G818A:p.R273H,TP53:NM_001126112:exon8:c.G818A:p.R273H", "p.R273H"),
        ("p.WQ288fs", "p.WQ288fs"),
        ("p.-213fs", "p.-213fs"),
        ("p.?", ""),
        ("NA", ""),
    ],
)
def test_protein_changes_in_other_spellings(text, short):
    assert short_change(text) == short


def test_builds_by_their_patches_and_gaps(tmp_path):
    header = HEADER + "\tNCBI_Build"
    path = written(tmp_path / "a.maf", header, row() + "\tGRCh38.p13", row() + "\t", row() + "\thg38")
    assert read_mafs([path]).build == "GRCh38"


def test_a_row_that_was_cut_is_named(tmp_path):
    path = written(tmp_path / "a.maf", HEADER, row(), "TP53\t17\t757")
    assert problem(path).startswith("a.maf: line 3, Tumor_Sample_Barcode")
