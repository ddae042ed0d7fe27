"""Checks the cohort's tables: their headers, and that each sample stands in one place only."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.expression import read_layout
from strandwise.formats.maf import sample_column
from strandwise.formats.samplesheet import Row
from strandwise.inputs.files import Files

MOST_NAMED = 10


@dataclass(frozen=True)
class Table:
    """The samples of one table and where it is named (for messages)."""

    where: str
    samples: list[str]
    sheet_sample: str = ""


def check_tables(rows: list[Row], sheet: str, files: Files) -> list[str]:
    """Check MAF, expression and clinical tables against each other and the sheet. Returns problems."""
    problems: list[str] = []
    mutations = _tables("maf", "cohort_maf", rows, sheet, files, problems)
    expression = _tables("expression", "cohort_expression", rows, sheet, files, problems)
    for tables in (mutations, expression):
        problems += _in_two_places(tables)
    for file in files.named("cohort_clinical"):
        if file.seen and "sample" not in (columns := _header(file.seen)):
            problems.append(
                f"--cohort_clinical: {file.given}: no column sample, it has {', '.join(columns[:8])}; name one sample"
            )
    return problems


def _tables(column: str, parameter: str, rows: list[Row], sheet: str, files: Files, problems: list[str]) -> list[Table]:
    """All tables of one kind, with their samples; problems are added to the list."""
    tables = []
    of_sheet = any(column in row.values for row in rows)
    named = [(f"--{parameter}: {file.given}", "", file) for file in files.named(parameter)]
    named += [
        (
            f"{sheet}: {row.place}, {column}: {row.values[column]}",
            row.values.get("sample", ""),
            files.of_sheet(row.values[column]),
        )
        for row in rows
        if column in row.values
    ]
    for where, sample, file in named:
        if not file.seen:
            continue
        # Whole cohorts are read only where rows of the sheet have to be compared with them.
        samples, problem = maf_samples(file.seen, of_sheet) if column == "maf" else expression_samples(file.seen)
        problems += [f"{where}: {problem}"] if problem else _naming_problem(where, sample, samples)
        tables.append(Table(where, samples, sample))
    return tables


def _naming_problem(where: str, sample: str, samples: list[str]) -> list[str]:
    """A table of one row of the sheet must hold that row's sample and no other."""
    if not sample or {join_key(name) for name in samples} == {join_key(sample)}:
        return []
    return [
        f"{where}: holds {_some(samples)}, the row is about {sample}; use the same name in both, or give it as --cohort_…"
    ]


def _in_two_places(tables: list[Table]) -> Iterator[str]:
    """Samples that stand in a table of the sheet and in another table as well."""
    first: dict[str, Table] = {}
    for table in tables:
        for sample in table.samples:
            key = join_key(sample)
            other = first.setdefault(key, table)
            if other.where != table.where and (other.sheet_sample != table.sheet_sample):
                yield f"{table.where}: sample {sample} stands in {other.where} already; leave one of them out"


def join_key(sample: str) -> str:
    """What two names of a sample have in common: all of it; of a TCGA barcode the first 12 characters (the patient)."""
    return sample[:12] if sample.startswith("TCGA-") else sample


def maf_samples(path: Path, all_rows: bool = True) -> tuple[list[str], str]:
    """Barcodes of a MAF in the order of the file, each once (or of its first row only); or what is wrong with its header."""
    with _opened(path) as lines:
        try:
            rows = (line.rstrip("\r\n").split("\t") for line in lines if line.strip() and not line.startswith("#"))
            header = [name.strip().lower() for name in next(rows, [])]
            if not header:
                return [], "empty; a MAF has a header line and one row per mutation"
            column = sample_column(header)
            if column is None:
                shown = ", ".join(header[:3])
                return (
                    [],
                    f"no column Tumor_Sample_Barcode in its first line ({shown} …); a MAF begins with a header line of column names",
                )
            wanted = rows if all_rows else islice(rows, 1)
            samples = list(dict.fromkeys(row[column].strip() for row in wanted if len(row) > column))
        except (EOFError, OSError) as error:
            return [], f"cannot be decompressed ({error}); copy the file again"
    return samples, "" if samples else "no mutations below the header"


def expression_samples(path: Path) -> tuple[list[str], str]:
    """Samples of an expression table, in columns or in rows; or what is wrong with them."""
    try:
        layout = read_layout(path)
    except InputError as error:
        return [], error.problems[0].removeprefix(f"{path.name}: ")
    if layout.across:
        with _opened(path) as lines:
            rows = islice(lines, layout.first_row, None)
            samples = [line.split(layout.separator, 1)[0].strip().strip('"') for line in rows if line.strip()]
    else:
        samples = layout.names
    repeated = len(set(samples)) < len(samples)
    twice = sorted({sample for sample in samples if samples.count(sample) > 1}) if repeated else []
    what = "rows" if layout.across else "columns"
    return samples, f"two {what} are named {_some(twice)}; each sample stands once" if twice else ""


def _header(path: Path) -> list[str]:
    """Fields of the first line that is neither empty nor a comment."""
    with _opened(path) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                return [name.strip() for name in line.rstrip("\r\n").split("\t")]
    return []


def _opened(path: Path):  # type: ignore[no-untyped-def]
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    if compressed:
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8-sig", errors="replace")


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
