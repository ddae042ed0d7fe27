"""Result tables: TSV with one header line, UTF-8, missing = empty, last column model_version; one schema per table."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.files import written

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Column:
    """One column: its name, what it means (for docs/output.md), type and range of its values."""

    name: str
    meaning: str
    kind: type = str
    low: float | None = None
    high: float | None = None
    optional: bool = False
    digits: int = 6


@dataclass(frozen=True)
class Table:
    """A table's name and its columns in order; `model_version` is added as the last one."""

    name: str
    columns: Sequence[Column]

    @property
    def all_columns(self) -> list[Column]:
        return [*self.columns, Column("model_version", "model and version that made the row")]


def problems_of(table: Table, frame: "pandas.DataFrame") -> list[str]:
    """Say what in `frame` breaks the schema: columns, missing values, types, ranges."""
    expected = [column.name for column in table.all_columns]
    if list(frame.columns) != expected:
        return [f"{table.name}: columns are {list(frame.columns)}, expected {expected}"]
    problems = []
    for column in table.all_columns:
        values = frame[column.name]
        missing = values.isna()
        if missing.any() and not column.optional:
            problems.append(f"{table.name}: row {missing.argmax() + 1}, {column.name}: no value")
        if column.kind is str:
            continue
        present = values[~missing].astype(float)
        outside = (present < column.low) if column.low is not None else present.isin([])
        if column.high is not None:
            outside = outside | (present > column.high)
        if outside.any():
            row = outside.idxmax()
            allowed = f"{column.low} to {column.high}"
            problems.append(f"{table.name}: row {row}, {column.name}: {present[row]} is not in {allowed}")
        if column.kind is int and (present % 1 != 0).any():
            problems.append(f"{table.name}: {column.name}: not all are whole numbers")
    return problems


def write_table(table: Table, frame: "pandas.DataFrame", model_version: str, path: Path) -> None:
    """Check `frame` (the schema's columns without model_version) and write it; raises ValueError if it breaks the schema."""
    write_parts(table, [frame], model_version, path)


def write_parts(table: Table, frames: Iterable["pandas.DataFrame"], model_version: str, path: Path) -> None:
    """As write_table, for a table too large to be held at once: each frame is checked and written in its turn."""
    with written(path) as temporary, temporary.open("w", newline="") as stream:
        stream.write("\t".join(column.name for column in table.all_columns) + "\n")
        for frame in frames:
            frame = frame.reset_index(drop=True).assign(model_version=model_version)
            problems = problems_of(table, frame)
            if problems:
                raise ValueError("; ".join(problems))
            for column in table.columns:
                if column.kind is int:
                    frame[column.name] = frame[column.name].astype("Int64")
                elif column.kind is float:
                    pattern = f"{{:.{column.digits}g}}"
                    frame[column.name] = frame[column.name].map(pattern.format, na_action="ignore")
            frame.to_csv(stream, sep="\t", index=False, header=False, quoting=csv.QUOTE_NONE, escapechar="\\")


def write_rows(table: Table, rows: Iterable[Mapping[str, object]], model_version: str, path: Path) -> None:
    """Write rows (column name → value, None or absent for missing) without pandas. Raises ValueError on a missing value."""
    with written(path) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar="\\", lineterminator="\n")
        writer.writerow([column.name for column in table.all_columns])
        for number, row in enumerate(rows, 1):
            cells = []
            for column in table.columns:
                value = row.get(column.name)
                if value is None and not column.optional:
                    raise ValueError(f"{table.name}: row {number}, {column.name}: no value")
                is_number = column.kind is float and value is not None
                cells.append("" if value is None else f"{value:.{column.digits}g}" if is_number else str(value))
            writer.writerow([*cells, model_version])


def read_table(table: Table, path: Path) -> "pandas.DataFrame":
    """Read a table that write_table wrote. Raises InputError when its columns are not the schema's."""
    import pandas

    kinds = {column.name: str for column in table.all_columns if column.kind is str}
    frame = pandas.read_csv(path, sep="\t", dtype=kinds, keep_default_na=False, na_values=[""])
    problems = problems_of(table, frame)
    if problems:
        raise InputError(*(f"{path.name}: {problem}" for problem in problems))
    return frame


def markdown(tables: Iterable[Table]) -> str:
    """Render schemas for docs/output.md."""
    parts = []
    for table in tables:
        rows = [f"| `{column.name}` | {column.kind.__name__} | {column.meaning} |" for column in table.all_columns]
        parts.append("\n".join([f"### {table.name}", "", "| column | type | meaning |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"
