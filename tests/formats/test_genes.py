"""Gene tables and the search for current symbols."""

import pytest

from strandwise.errors import InputError
from strandwise.formats.genes import Symbols, read_gene_features, spellings

SYMBOLS = Symbols(
    aliases={"MLL2": [("KMT2B", "19"), ("KMT2D", "12")], "OLD": [("NEW", "5")]},
    approved={"KMT2B": "19", "KMT2D": "12", "NEW": "5", "TP53": "17"},
)


def features(tmp_path, text):
    path = tmp_path / "genes.tsv"
    path.write_text(text)
    return read_gene_features(path)


def test_a_symbol_of_two_genes_goes_by_chromosome(tmp_path):
    table = features(tmp_path, "gene\tcodelen\nMLL2\t16000\nKMT2D\t16000\nKMT2B\t8000\n")
    assert SYMBOLS.current("MLL2", "12", table) == "KMT2D"
    assert SYMBOLS.current("MLL2", "19", table) == "KMT2B"


def test_current_old_own_and_unknown_symbols(tmp_path):
    table = features(tmp_path, "gene\tcodelen\nG0001\t900\n")
    assert SYMBOLS.current("TP53", "17", table) == "TP53"
    assert SYMBOLS.current("OLD", "5", table) == "NEW"
    assert SYMBOLS.current("G0001", "3", table) == "G0001"
    assert SYMBOLS.current("NOBODY", "1", table) == ""
    assert SYMBOLS.current("MLL2", "7", table) == ""  # neither of its two genes is there


def test_rows_of_one_gene_are_joined_and_gaps_stay_missing(tmp_path):
    table = features(
        tmp_path, "gene\tapproved\tchr\tcodelen\treplication_time\nOLD\tNEW\t\t1200\t\nNEW\tNEW\tchr5\t\t300\n"
    )
    assert table.index.tolist() == ["NEW"]
    assert table.loc["NEW", "codelen"] == 1200 and table.loc["NEW", "replication_time"] == 300
    assert table.loc["NEW", "chr"] == "5"
    assert table["expression_CCLE"].isna().all()


def test_text_in_a_number_and_a_missing_column_are_said(tmp_path):
    with pytest.raises(InputError, match="line 3, codelen: 'long' is not a number"):
        features(tmp_path, "gene\tcodelen\nA\t900\nB\tlong\n")
    with pytest.raises(InputError, match="no column 'codelen'"):
        features(tmp_path, "gene\tlength\nA\t900\n")


def test_spellings_are_old_and_current_symbols_that_can_mean_one_gene_alone():
    symbols = Symbols(
        aliases={
            "MLL2": [("KMT2B", "19"), ("KMT2D", "12")],
            "OLD": [("NEW", "5")],
            "OLDER": [("NEW", "5")],
            "TWO": [("NEW", "5"), ("TP53", "17")],
            "P53": [("TP53", "17")],
            "NEW": [("TP53", "17")],
        },
        approved={"KMT2B": "19", "KMT2D": "12", "NEW": "5", "TP53": "17", "HLA-A": "6"},
    )
    found = spellings(["OLD", "TP53", "HLA.A", "MLL2", "FUSION"], symbols)
    assert found == {
        "OLD": "OLD",
        "NEW": "OLD",  # current, though it was once a name of TP53 too
        "OLDER": "OLD",
        "TP53": "TP53",
        "P53": "TP53",
        "HLA.A": "HLA.A",
        "HLA-A": "HLA.A",
        "MLL2": "MLL2",
        "KMT2D": "MLL2",  # what the cancer gene lists meant
        "FUSION": "FUSION",
    }


def test_where_both_symbols_of_a_gene_are_known_each_means_itself():
    assert spellings(["OLD", "NEW"], SYMBOLS) == {"OLD": "OLD", "NEW": "NEW"}
