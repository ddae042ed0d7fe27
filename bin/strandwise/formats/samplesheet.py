"""Reads a samplesheet (CSV, TSV, YAML or JSON) and checks it row by row and across rows."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from strandwise.errors import InputError

FORMATS = ".csv, .tsv, .yaml, .yml or .json"


@dataclass(frozen=True)
class Row:
    """place: how people find the row (`row 3`: the third line, the header being row 1; `item 2` in YAML and JSON).

    values: column → text, without the empty ones.
    """

    place: str
    values: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """columns: all that the sheet names, in order, also those without any value."""

    columns: list[str]
    rows: list[Row]


def read_sheet(path: Path) -> Sheet:
    """Read the sheet as it is. Raises InputError: unknown format, not UTF-8, no header, rows of the wrong length."""
    suffix = path.suffix.lower()
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}: not UTF-8 text (byte {error.start}); save the sheet as UTF-8 {FORMATS}"
        ) from error
    if suffix in (".csv", ".tsv", ".tab", ".txt"):
        return _delimited(path, content, "," if suffix == ".csv" else "\t")
    if suffix in (".yaml", ".yml", ".json"):
        return _items(path, content)
    raise InputError(f"{path.name}: {suffix or 'no ending'} is no format of sheets; save it as {FORMATS}")


def _delimited(path: Path, content: str, delimiter: str) -> Sheet:
    lines = csv.reader(content.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    problems = []
    header: list[str] = []
    rows = []
    for fields in lines:
        fields = [field.strip() for field in fields]
        if not any(fields):
            continue
        if not header:
            header = fields
            problems += _header_problems(path, header, delimiter)
        elif len(fields) != len(header):
            problems.append(
                f"{path.name}: row {lines.line_num} has {len(fields)} fields, the header {len(header)}; "
                f"put the missing or remove the surplus {'commas' if delimiter == ',' else 'tabs'}: {delimiter.join(fields)}"
            )
        else:
            values = dict(zip(header, fields, strict=True))
            rows.append(Row(f"row {lines.line_num}", _filled(values)))
            if values.get(""):
                problems.append(
                    f"{path.name}: row {lines.line_num}: {values['']!r} stands in a column without a name; name it in row 1"
                )
    if not header:
        problems.append(f"{path.name}: empty; the first row names the columns: patient, sample, bam …")
    if problems:
        raise InputError(*problems)
    return Sheet([name for name in header if name], rows)


def _header_problems(path: Path, header: list[str], delimiter: str) -> list[str]:
    problems = [
        f"{path.name}: row 1 names {name!r} twice; remove one"
        for name in sorted({n for n in header if n and header.count(n) > 1})
    ]
    kinds = {",": "commas", "\t": "tabs", ";": "semicolons"}
    if len(header) == 1:
        for other in kinds:
            if other != delimiter and other in header[0]:
                remedy = (
                    f"save it as {'.tsv' if other == chr(9) else '.csv'}"
                    if other != ";"
                    else f"put {kinds[delimiter]} in their place"
                )
                problems.append(f"{path.name}: columns are separated by {kinds[other]}; {remedy}")
                break
    return problems


def _items(path: Path, content: str) -> Sheet:
    import yaml

    try:
        items = json.loads(content) if path.suffix.lower() == ".json" else yaml.safe_load(content)
    except json.JSONDecodeError as error:
        raise InputError(f"{path.name}: line {error.lineno}, character {error.colno}: {error.msg}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, character {mark.column + 1}: " if mark else ""
        raise InputError(f"{path.name}: {where}{getattr(error, 'problem', None) or 'not YAML'}") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InputError(f"{path.name}: needed is a list with one map (patient: …, sample: …, bam: …) per row")
    rows = [Row(f"item {number}", _filled(item)) for number, item in enumerate(items, 1)]
    return Sheet(list(dict.fromkeys(str(name) for item in items for name in item)), rows)


def _filled(values: dict[Any, Any]) -> dict[str, str]:
    return {str(name): str(value).strip() for name, value in values.items() if value not in (None, "")}


def check_sheet(sheet: Sheet, name: str, schema: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Check the sheet called `name` against assets/schema_input.json and its rows against each other.

    Returns problems, by row, and the names of columns that are known from sarek and not used here.
    """
    properties = schema["items"]["properties"]
    rows = sheet.rows
    problems = [] if rows else [f"{name}: no rows below the header; one row per alignment is needed"]
    for column in sheet.columns:
        if column not in properties:
            near = get_close_matches(column.lower(), [n for n in properties if "unused" not in properties[n]], 1, 0.0)
            problems.append(f"{name}: no column {column!r} is known; nearest: {near[0]}. Rename or remove it")
    for row in rows:
        problems += [f"{name}: {row.place}, {problem}" for problem in _row_problems(row.values, schema["items"])]
    problems += _cross_row_problems(rows, name)
    filled = {column for row in rows for column in row.values}
    unused = [column for column in sheet.columns if column in filled and properties.get(column, {}).get("unused")]
    return sorted(problems, key=row_number), unused


def row_number(problem: str) -> int:
    """The row (or item) that a problem names; 0 where it names none. For sorting."""
    found = re.match(r"[^:]*: (?:row|item) (\d+)", problem)
    return int(found.group(1)) if found else 0


def _row_problems(values: dict[str, str], schema: dict[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    properties = schema["properties"]
    for error in sorted(Draft202012Validator(schema).iter_errors(values), key=lambda error: list(error.path)):
        if error.validator == "required":
            missing = next(name for name in schema["required"] if name not in values and f"'{name}'" in error.message)
            yield f"{missing}: no value; {properties[missing]['description'][0].lower()}{properties[missing]['description'][1:]}"
        elif error.validator == "dependentRequired":
            for index, needed in schema["dependentRequired"].items():
                if index in values and needed[0] not in values:
                    yield f"{index}: given without {needed[0]}; add the {needed[0]} or remove the {index}"
        elif error.path:
            column = str(error.path[0])
            yield f"{column}: {values[column]!r}: {properties[column].get('errorMessage', error.message)}"
    used = [column for column in ("bam", "cram", "gvcf", "maf", "expression") if column in values]
    if {"bam", "cram"} <= set(used):
        yield "bam and cram: both are given; leave one of them out"
    if not used and "fastq_1" in values:
        yield "bam: reads come as FASTQ only; align them first (nf-core/sarek does) and give bam or cram"
    elif not used:
        yield "bam: none of bam, cram, gvcf, maf, expression is given; a row needs at least one"


def _cross_row_problems(rows: list[Row], name: str) -> Iterator[str]:
    seen: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(row.values.get(column, "") for column in ("patient", "sample", "lane"))
        if key in seen:
            lane = f"lane {key[2]}" if key[2] else "no lane"
            yield (
                f"{name}: {row.place}, lane: patient {key[0]}, sample {key[1]}, {lane} stands in {seen[key].place} already; "
                "give each alignment of a sample its own lane, or remove one row"
            )
        seen.setdefault(key, row)
    yield from _contradictions(rows, name, "sample", "patient", "use another sample name for the second patient")
    yield from _contradictions(rows, name, "sample", "status", "a sample is normal or tumour in all its rows")
    yield from _contradictions(rows, name, "patient", "sex", "write the same in all rows of the patient")
    files: dict[str, Row] = {}
    for row in rows:
        for column in ("bam", "cram", "gvcf"):
            path = row.values.get(column)
            if path and path in files:
                yield f"{name}: {row.place}, {column}: {path} stands in {files[path].place} already; each alignment belongs to one row"
            elif path:
                files[path] = row


def _contradictions(rows: list[Row], name: str, key: str, column: str, remedy: str) -> Iterator[str]:
    """Rows in which `key` has another value of `column` than in its first row."""
    first: dict[str, Row] = {}
    defaults = {"status": "0", "sex": "NA"}
    for row in rows:
        named = row.values.get(key)
        if not named:
            continue
        before = first.setdefault(named, row)
        value, earlier = (r.values.get(column, defaults.get(column, "")) for r in (row, before))
        if value != earlier and value and earlier:
            yield f"{name}: {row.place}, {column}: {key} {named} has {column} {value} here and {earlier} in {before.place}; {remedy}"
