"""Result tables keep to their schema, and are read back as they were written."""

from pathlib import Path

import pandas
import pytest

from strandwise.errors import InputError
from strandwise.formats.tables import Column, Table, markdown, problems_of, read_table, write_rows, write_table

TABLE = Table(
    "genes",
    [
        Column("gene", "symbol"),
        Column("n", "samples", int, 0),
        Column("p_value", "tail", float, 0, 1),
        Column("note", "why", optional=True),
    ],
)


def frame(**columns: list[object]) -> pandas.DataFrame:
    return pandas.DataFrame(
        {"gene": ["TP53", "NA"], "n": [3, 0], "p_value": [1.23456789e-12, 1.0], "note": [None, "x"], **columns}
    )


def test_what_is_written_is_what_the_design_says(tmp_path: Path) -> None:
    path = tmp_path / "genes.tsv"
    write_table(TABLE, frame(), "drivers 1.0", path)
    assert (
        path.read_text()
        == "gene\tn\tp_value\tnote\tmodel_version\nTP53\t3\t1.23457e-12\t\tdrivers 1.0\nNA\t0\t1\tx\tdrivers 1.0\n"
    )


def test_read_back_a_gene_called_na_stays_a_gene(tmp_path: Path) -> None:
    path = tmp_path / "genes.tsv"
    write_table(TABLE, frame(), "drivers 1.0", path)
    read = read_table(TABLE, path)
    assert list(read["gene"]) == ["TP53", "NA"]
    assert list(read["n"]) == [3, 0]
    assert read["note"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"gene": ["TP53", None]}, "genes: row 2, gene: no value"),
        ({"p_value": [0.5, 1.5]}, "genes: row 1, p_value: 1.5 is not in 0 to 1"),
        ({"n": [1.5, 2]}, "genes: n: not all are whole numbers"),
        ({"n": [-1, 2]}, "genes: row 0, n: -1.0 is not in 0 to None"),
    ],
)
def test_values_that_break_the_schema_are_named_and_not_written(
    tmp_path: Path, columns: dict[str, list[object]], problem: str
) -> None:
    broken = frame(**columns).assign(model_version="m")
    assert problems_of(TABLE, broken) == [problem]
    with pytest.raises(ValueError, match="genes: "):
        write_table(TABLE, frame(**columns), "m", tmp_path / "x.tsv")
    assert not (tmp_path / "x.tsv").exists()


def test_another_table_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "genes.tsv"
    path.write_text("gene\tn\nTP53\t1\n")
    with pytest.raises(
        InputError,
        match=r"genes.tsv: genes: columns are \['gene', 'n'\], expected \['gene', 'n', 'p_value', 'note', 'model_version'\]",
    ):
        read_table(TABLE, path)


def test_the_schema_is_rendered_for_the_docs() -> None:
    assert "| `p_value` | float | tail |" in markdown([TABLE])
    assert "| `model_version` | str | model and version that made the row |" in markdown([TABLE])


def test_rows_without_pandas_are_those_with_it(tmp_path: Path) -> None:
    table = Table("t", [Column("name", "n"), Column("value", "v", float, optional=True), Column("count", "c", int)])
    rows = [{"name": "a", "value": 1 / 3, "count": 2}, {"name": "b\tc", "count": 0}]
    write_rows(table, rows, "m 1", tmp_path / "one.tsv")
    write_table(table, pandas.DataFrame(rows), "m 1", tmp_path / "other.tsv")
    assert (tmp_path / "one.tsv").read_text() == (tmp_path / "other.tsv").read_text()
    with pytest.raises(ValueError, match="t: row 1, count: no value"):
        write_rows(table, [{"name": "a"}], "m 1", tmp_path / "one.tsv")
