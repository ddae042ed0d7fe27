"""Expression tables: what is read, and what each kind of bad input is told."""

from pathlib import Path

import numpy as np
import pytest

from strandwise.errors import InputError
from strandwise.formats.expression import log_expression, read_expression


def table(folder: Path, text: str) -> Path:
    path = folder / "e.tsv"
    path.write_text(text)
    return path


def test_genes_samples_and_values_are_read_as_they_stand(tmp_path: Path) -> None:
    names = ["a b", "x/y", "$(rm)", "<b>é</b>", "007"]
    path = table(tmp_path, "\t".join(["gene", *names]) + "\nTP53\t1\t2\t3\t4\t5\nMDM2\t0\t0.5\t-1\t2e1\t9\n")
    expression = read_expression(path, "log2")
    assert expression.samples == names
    assert expression.genes == ["TP53", "MDM2"]
    np.testing.assert_array_equal(expression.values, np.float32([[1, 2, 3, 4, 5], [0, 0.5, -1, 20, 9]]))


def test_only_wanted_genes_are_kept(tmp_path: Path) -> None:
    expression = read_expression(table(tmp_path, "gene\ta\nA\t1\nB\t2\nC\t3\n"), "log2", {"C", "A"})
    assert expression.genes == ["A", "C"]
    assert expression.genes_in_file == 3
    assert expression.values.ravel().tolist() == [1, 3]


def test_names_in_quotes_are_names(tmp_path: Path) -> None:
    expression = read_expression(table(tmp_path, '"gene"\t"a b"\n"TP53"\t1\n'), "log2", {"TP53"})
    assert (expression.genes, expression.samples) == (["TP53"], ["a b"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gene\ta\nTp53\t1\n", "its genes are spelled like Tp53; give human HGNC symbols, in capitals"),
        ("gene\ta\nENSG00000141510.18\t1\n", "its genes are Ensembl identifiers (ENSG00000141510.18); add the HGNC symbols as a second column gene_name"),
        ("gene\ta\n7157\t1\n", "none of its 1 genes is known (7157); rows must be genes named by HGNC symbol"),
    ],
)  # fmt: skip
def test_a_table_without_a_wanted_gene_is_told_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_expression(table(tmp_path, text), "log2", {"TP53", "MDM2"})
    assert len(error.value.problems) == 1 and said in error.value.problems[0]


def test_log_scales(tmp_path: Path) -> None:
    tpm = read_expression(table(tmp_path, "gene\ta\tb\nA\t0\t63\nB\t1\t3\n"), "tpm")
    np.testing.assert_allclose(log_expression(tpm), [[0, 6], [1, 2]])
    counts = read_expression(table(tmp_path, "gene\ta\nA\t100\nB\t300\n"), "counts")
    np.testing.assert_allclose(log_expression(counts)[:, 0], np.log2([250001, 750001]), rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "scale", "said"),
    [
        ("gene\ta\tb\nA\t1\tx\n", "log2", "row 2, gene 'A', sample 'b': 'x' is not a finite number"),
        ("gene\ta\tb\nA\t1\t2\nB\tnan\t2\n", "log2", "row 3, gene 'B', sample 'a': 'nan' is not a finite number"),
        ("gene\ta\tb\nA\t1\t\n", "log2", "row 2, gene 'A', sample 'b': no value"),
        ("gene\ta\nA\tinf\n", "log2", "'inf' is not a finite number"),
        ("gene;a;b\nA;1,5;2\n", "log2", "numbers with a decimal comma (1,5); save them with a decimal point"),
        ("gene a\nA 1\n", "log2", "the header has one column; separate columns by tabs or commas"),
        ("gene,a,b\nA,1,x\n", "log2", "row 2, gene 'A', sample 'b': 'x' is not a finite number"),
        ("gene\tgene_name\nA\tB\n", "log2", "no samples"),
        ("\tTP53\tMDM2\tEGFR\ns1\t1\t2\t3\ns1\t1\t2\t3\n", "log2", "row 3: sample 's1' is in row 2 already"),
        ("\tTP53\tMDM2\tEGFR\ns1\t1\t2\t?\n", "log2", "row 2, sample 's1', gene 'EGFR': '?' is not a finite number"),
        ("gene\ta\ta\nA\t1\t2\n", "log2", "column 3: sample 'a' is in column 2 already"),
        ("gene\ta\t\nA\t1\t2\n", "log2", "column 3: a sample without a name"),
        ("gene\ta\nA\t1\t2\n", "log2", "row 2 has 3 columns, the header 2"),
        ("gene\ta\nA\t1\nB\t1\t2\n", "log2", "3 columns, the header has 2"),
        ("gene\ta\n", "log2", "no genes"),
        ("", "log2", "empty"),
        ("gene\ta\nA\t-1\nB\t90\n", "tpm", "never negative"),
        ("gene\ta\nA\t1\nB\t12\n", "counts", "is it log2?"),
        ("gene\ta\nA\t1\nB\t1200\n", "log2", "is it tpm or counts?"),
        ("gene\ta\nA\t1\nB\t1200\n", "zscore", "too large for zscore"),
        ("gene\ta\nA\t1\n", "rpkm", "is not one of tpm, counts, log2, zscore"),
    ],
)
def test_bad_input_is_told_in_one_line(tmp_path: Path, text: str, scale: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_expression(table(tmp_path, text), scale)
    assert any(said in problem for problem in error.value.problems), error.value.problems


def test_all_problems_are_told_at_once_but_not_thousands(tmp_path: Path) -> None:
    rows = "".join(f"G{row}\tx\n" for row in range(100))
    with pytest.raises(InputError) as error:
        read_expression(table(tmp_path, f"gene\ta\n{rows}"), "log2")
    assert len(error.value.problems) == 6
    assert "95 more values" in error.value.problems[-1]


def test_a_cut_gzip_is_an_error(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "e.tsv.gz"
    rows = "".join(f"G{row}\t{row * 0.7123:.4f}\n" for row in range(5000))
    whole = gzip.compress(f"gene\ta\n{rows}".encode())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="copy the file again"):
        read_expression(path, "zscore")


GENES = {"TP53", "MDM2", "EGFR", "HLA-A"}
ROWS = [("TP53", 1.0, 2.0), ("MDM2", 3.0, 4.0), ("EGFR", 5.0, 0.5)]


@pytest.mark.parametrize(
    "text",
    [
        "gene\ta\tb\nTP53\t1\t2\nMDM2\t3\t4\nEGFR\t5\t0.5\n",
        "gene,a,b\nTP53,1,2\nMDM2,3,4\nEGFR,5,0.5\n",
        '\ufeff"gene";"a";"b"\r\n"TP53";1;2\r\n"MDM2";3;4\r\n"EGFR";5;0.5\r\n',
        "a\tb\nTP53\t1\t2\nMDM2\t3\t4\nEGFR\t5\t0.5\n",
        "gene\ta\tb\nTP53|7157\t1\t2\nMDM2 (4193)\t3\t4\nENSG00000146648.21_EGFR\t5\t0.5\n",
        "gene_id\tgene_name\ta\tb\nENSG1.2\tTP53\t1\t2\nENSG2.1\tMDM2\t3\t4\nENSG3\tEGFR\t5\t0.5\n",
        "Hugo_Symbol\tEntrez_Gene_Id\ta\tb\nTP53\t7157\t1\t2\nMDM2\t4193\t3\t4\nEGFR\t1956\t5\t0.5\n",
        "# made by a program\ngene\ta\tb\nTP53\t1\t2\nMDM2\t3\t4\nEGFR\t5\t0.5\n",
        "#1.2\n3\t2\nName\tDescription\ta\tb\nENSG1\tTP53\t1\t2\nENSG2\tMDM2\t3\t4\nENSG3\tEGFR\t5\t0.5\n",
        "\tTP53\tMDM2\tEGFR\na\t1\t3\t5\nb\t2\t4\t0.5\n",
        ",TP53 (7157),MDM2 (4193),EGFR (1956)\na,1,3,5\nb,2,4,0.5\n",
    ],
    ids=["tsv", "csv", "spreadsheet", "R", "decorated", "nf-core", "cBioPortal", "comment", "GCT", "swapped", "DepMap"],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_one_table_as_programs_write_it(tmp_path: Path, text: str, compressed: bool) -> None:
    import gzip

    path = tmp_path / "e.txt"
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    expression = read_expression(path, "log2", GENES)
    assert (expression.genes, expression.samples) == ([row[0] for row in ROWS], ["a", "b"])
    np.testing.assert_array_equal(expression.values, np.float32([row[1:] for row in ROWS]))
    assert (expression.merged, expression.doubts) == ([], [])


def test_samples_named_after_genes_are_samples(tmp_path: Path) -> None:
    """A screen of knock-outs; the rows name genes as well, so nothing is swapped."""
    text = "gene\tTP53\tMDM2\tEGFR\nTP53\t1\t2\t3\nMDM2\t4\t5\t6\nEGFR\t7\t8\t9\n"
    expression = read_expression(table(tmp_path, text), "log2", GENES)
    assert expression.values.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_a_gene_in_several_rows_is_added_up_or_its_highest_row_counts(tmp_path: Path) -> None:
    path = table(tmp_path, "gene\ta\tb\nTP53\t1\t90\nMDM2\t3\t4\nTP53\t7\t2\nTP53\t0\t0\n")
    tpm, log2 = (read_expression(path, "tpm", GENES), read_expression(path.rename(tmp_path / "f"), "counts", GENES))
    assert tpm.genes == ["TP53", "MDM2"] and tpm.merged == ["TP53"]
    assert tpm.values.tolist() == log2.values.tolist() == [[8, 92], [3, 4]]
    path = table(tmp_path, "gene\ta\tb\nTP53\t1\t3\nMDM2\t3\t4\nTP53\t7\t2\nTP53\t0\t0\n")
    assert read_expression(path, "log2", GENES).values.tolist() == [[7, 2], [3, 4]]


def transcriptome(folder: Path, values: np.ndarray, swapped: bool = False) -> Path:
    """genes, samples → file."""
    import pandas as pd

    names = [f"G{gene}" for gene in range(len(values) - 3)] + ["TP53", "MDM2", "EGFR"]
    frame = pd.DataFrame(values, index=names, columns=[f"S{sample}" for sample in range(values.shape[1])])
    path = folder / "t.tsv"
    (frame.T if swapped else frame).to_csv(path, sep="\t")
    return path


@pytest.mark.parametrize("swapped", [False, True])
def test_scales_that_are_possible_but_unlikely_are_doubted(tmp_path: Path, swapped: bool) -> None:
    random = np.random.default_rng(1)
    counts = random.negative_binomial(1, 0.005, (10_000, 6)).astype(float)
    tpm = counts / counts.sum(axis=0) * 1e6
    log2 = np.log2(tpm + 1)
    own, of_genes = (
        (log2 - log2.mean(axis=axis, keepdims=True)) / log2.std(axis=axis, keepdims=True) for axis in (0, 1)
    )
    for values, scale, said in (
        (tpm, "tpm", ""), (counts, "counts", ""), (log2, "log2", ""), (own, "zscore", ""),
        (counts, "tpm", "whole numbers, as counts are"), (tpm * 3, "tpm", "add up to 3,000,000, and TPM of all genes to a million"),
        (tpm, "counts", "add up to a million, as TPM do"), (np.round(log2), "log2", "whole numbers, as counts are"),
        (of_genes, "zscore", "every gene has mean 0 over the samples"), (log2, "zscore", "samples have mean 5.9 and SD 1.7"),
    ):  # fmt: skip
        doubts = read_expression(transcriptome(tmp_path, values, swapped), scale, GENES).doubts
        assert len(doubts) == bool(said) and said in "".join(doubts), (scale, said, doubts)
