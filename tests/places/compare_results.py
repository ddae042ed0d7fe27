#!/usr/bin/env python3
"""Compares the results of two runs: the same files, the same VCF records, the same tables.

compare_results.py FOLDER OTHER prints what differs, a line each, and ends with 1 if anything does.
"""

import csv
import gzip
import json
import math
import re
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

RELATIVE_TOLERANCE = 1e-4  # four significant digits
ABSOLUTE_TOLERANCE = 1e-9
FRACTION = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?|-?\d+[eE][-+]?\d+")


def result_files(folder: Path) -> dict[str, Path]:
    """Every published file by its path below `folder`, without what Nextflow records about the run itself."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path for name, path in named.items() if not name.startswith("pipeline_info/")}


def same_value(one: object, other: object) -> bool:
    """Whether two cells or JSON values agree: fractions to four significant digits, in the midst of text too; all else exactly."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same_value(a, b) for a, b in zip(one, other, strict=True))
    text, rival = str(one), str(other)
    numbers, rivals = FRACTION.findall(text), FRACTION.findall(rival)
    return FRACTION.sub("#", text) == FRACTION.sub("#", rival) and all(
        math.isclose(float(a), float(b), rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
        for a, b in zip(numbers, rivals, strict=True)
    )


def vcf_records(path: Path) -> Iterator[str]:
    """The lines of a bgzipped VCF below its header."""
    with gzip.open(path, "rt") as lines:
        yield from (line.rstrip("\n") for line in lines if not line.startswith("#"))


def table_rows(path: Path) -> list[list[str]]:
    """The rows of a table, its header included."""
    with path.open(newline="") as lines:
        return list(csv.reader(lines, delimiter="\t"))


def file_difference(one: Path, other: Path) -> str | None:
    """The first difference between two published files, or None; reports and indexes need only be there."""
    if one.name.endswith(".vcf.gz"):
        for number, (record, rival) in enumerate(zip_longest(vcf_records(one), vcf_records(other)), start=1):
            if record != rival:
                return f"record {number}: {record} / {rival}"
    elif one.suffix == ".tsv":
        for number, (row, rival_row) in enumerate(zip_longest(table_rows(one), table_rows(other)), start=1):
            if row is None or rival_row is None or not same_value(row, rival_row):
                return f"row {number}: {row} / {rival_row}"
    elif one.suffix == ".json" and not same_value(json.loads(one.read_text()), json.loads(other.read_text())):
        return "other values"
    return None


def differences(folder: Path, other: Path) -> list[str]:
    """What differs between the results in two folders, a line each."""
    files, others = result_files(folder), result_files(other)
    found = [f"{name}: only in {folder}" for name in files.keys() - others.keys()]
    found += [f"{name}: only in {other}" for name in others.keys() - files.keys()]
    for name in sorted(files.keys() & others.keys()):
        difference = file_difference(files[name], others[name])
        if difference:
            found.append(f"{name}: {difference}")
    return found


def main(folder: Path, other: Path) -> int:
    """Prints the differences, or how much was found equal; returns the exit status."""
    found = differences(folder, other)
    for line in found:
        print(line)
    files, others = result_files(folder), result_files(other)
    if not files:
        print(f"{folder}: no results")
        return 1
    equal = [name for name in files.keys() & others.keys() if files[name].read_bytes() == others[name].read_bytes()]
    print(
        f"{len(files)} files in {folder}, {len(others)} in {other}; {len(equal)} equal to the byte; {len(found)} differ"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
