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
        ("\tTP53\tMDM2 (4193)\ta\ns1\t1\t2\t3\n", "the header names genes; genes must be rows and samples columns: swap them"),
        ("gene\ta\nTp53\t1\n", "its genes are spelled like Tp53; give human HGNC symbols, in capitals"),
        ("gene\ta\nTP53|7157\t1\n", "its genes have more than their symbol (TP53|7157); give the HGNC symbol alone"),
        ("gene\ta\nTP53 (7157)\t1\n", "its genes have more than their symbol (TP53 (7157)); give the HGNC symbol alone"),
        ("gene\ta\nENSG00000141510.18\t1\n", "its genes are Ensembl identifiers (ENSG00000141510.18); give the HGNC symbols"),
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
        ("gene\ta\tb\nA\t1\t2\nA\t3\t4\n", "log2", "row 3: gene 'A' is in row 2 already"),
        ("gene\ta\ta\nA\t1\t2\n", "log2", "column 3: sample 'a' is in column 2 already"),
        ("gene\ta\t\nA\t1\t2\n", "log2", "column 3: a sample without a name"),
        ("gene\ta\nA\t1\t2\n", "log2", "row 2 has 3 columns, the header 2"),
        ("gene\ta\nA\t1\nB\t1\t2\n", "log2", "3 columns, the header has 2"),
        ("gene,a\nA,1\n", "log2", "the header has commas; separate columns by tabs"),
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
