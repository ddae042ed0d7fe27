"""Reads expression matrices (genes in rows, samples in columns) and says where one is not what its scale promises."""

import gzip
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError

if TYPE_CHECKING:
    import numpy
    import pandas

SCALES = ("tpm", "counts", "log2", "zscore")
ROWS_AT_ONCE = 1000
LISTED = 5
# No array or sequencer gives more: 2^30 reads of one gene; a z score of 50 in one sample of thousands of genes.
LARGEST = {"log2": 30.0, "zscore": 50.0}
# A transcriptome in TPM or counts has some gene above this; log2 values never do.
SMALLEST_MAXIMUM = 31.0


@dataclass
class Expression:
    """values: float32 (genes, samples) as in the file; zscore means within each sample."""

    genes: list[str]
    samples: list[str]
    values: "numpy.ndarray"
    scale: str
    genes_in_file: int


def read_expression(path: Path, scale: str, wanted: Collection[str] | None = None) -> Expression:
    """Read a TSV, plain or gzip: a header with the sample names, then one row per gene with its symbol first.

    wanted: genes to keep (all where None); the others are checked all the same. Names may stand in double quotes.
    Raises InputError, all problems at once: unknown scale, no samples, a sample or gene given twice, a row of another
    length, a value that is missing or no number, values that cannot be of that scale, none of the wanted genes.
    """
    import numpy
    import pandas

    if scale not in SCALES:
        raise InputError(f"expression scale '{scale}' is not one of {', '.join(SCALES)}")
    samples = _header(path)
    problems = _twice(path, "column", samples, "sample")
    if problems:
        raise InputError(*problems)
    genes: list[str] = []
    kept: list[str] = []
    parts = []
    limits = [numpy.inf, -numpy.inf]
    try:
        for chunk in _chunks(path, samples, numpy.float32):
            names = [_bare(name) for name in chunk.index]
            genes += names
            values = chunk.to_numpy(numpy.float32)
            limits = [numpy.minimum(limits[0], values.min()), numpy.maximum(limits[1], values.max())]
            keep = [wanted is None or name in wanted for name in names]
            kept += [name for name, k in zip(names, keep, strict=True) if k]
            parts.append(values[keep])
    except (pandas.errors.ParserError, EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: {_reason(error, len(samples))}") from error
    except ValueError:
        raise InputError(*_not_numbers(path, samples)) from None
    if not numpy.isfinite(limits).all():
        raise InputError(*_not_numbers(path, samples))
    problems += _twice(path, "row", genes, "gene")
    problems += [f"{path.name}: {_no_known_gene(genes, samples, wanted)}"] if wanted and not kept else []
    problems += _scale_problems(path, scale, *limits) if not problems else []
    if problems:
        raise InputError(*problems)
    return Expression(kept, samples, numpy.vstack(parts), scale, len(genes))


def _compression(path: Path) -> str | None:
    with path.open("rb") as stream:
        return "gzip" if stream.read(2) == b"\x1f\x8b" else None


def _header(path: Path) -> list[str]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with gzip.open(path, "rt") if _compression(path) else path.open() as stream:
            line, first_row = stream.readline().rstrip("\r\n"), stream.readline().rstrip("\r\n")
    except (EOFError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); copy the file again") from error
    if not line:
        raise InputError(f"{path.name}: empty; an expression table has a header line and one row per gene")
    if "\t" not in line:
        found = "commas" if "," in line else "semicolons" if ";" in line else "one column"
        raise InputError(
            f"{path.name}: the header has {found}; separate columns by tabs, genes in rows, samples in columns"
        )
    names = [_bare(name) for name in line.split("\t")[1:]]
    if not first_row:
        raise InputError(f"{path.name}: no genes; the file holds a header only")
    if first_row.count("\t") != len(names):
        columns = first_row.count("\t") + 1
        raise InputError(
            f"{path.name}: row 2 has {columns} columns, the header {len(names) + 1}; the header's first column is 'gene'"
        )
    empty = [str(column) for column, name in enumerate(names, 2) if not name]
    if empty:
        raise InputError(f"{path.name}: row 1, column {', '.join(empty[:LISTED])}: a sample without a name")
    return names


def _bare(name: str) -> str:
    return name.strip().removeprefix('"').removesuffix('"')


def _no_known_gene(genes: list[str], samples: list[str], wanted: Collection[str]) -> str:
    """Why no row may be a wanted gene: what is there, and what to do."""
    known = set(wanted)
    first = ", ".join(genes[:3])
    if 2 * sum(name.split(" ")[0] in known for name in samples) > len(samples):
        return "the header names genes; genes must be rows and samples columns: swap them"
    if sum(name.upper() in known for name in genes):
        return f"its genes are spelled like {first}; give human HGNC symbols, in capitals"
    if sum(name.split(" ")[0].split("|")[0] in known for name in genes):
        return f"its genes have more than their symbol ({first}); give the HGNC symbol alone"
    if 2 * sum(name.startswith("ENS") for name in genes) > len(genes):
        return f"its genes are Ensembl identifiers ({first}); give the HGNC symbols that the annotation has for them"
    return f"none of its {len(genes)} genes is known ({first}); rows must be genes named by HGNC symbol"


def _twice(path: Path, where: str, names: list[str], what: str) -> list[str]:
    first: dict[str, int] = {}
    problems = []
    for number, name in enumerate(names, 2):
        if name in first:
            problems.append(
                f"{path.name}: {where} {number}: {what} '{name}' is in {where} {first[name]} already; keep one of them"
            )
        first.setdefault(name, number)
    more = len(problems) - LISTED
    return problems[:LISTED] + ([f"{path.name}: {more} more {what}s given twice"] if more > 0 else [])


def _chunks(path: Path, samples: list[str], kind: type) -> "Iterator[pandas.DataFrame]":
    """Some rows at a time, genes as the index; a cell that is not of this kind is a ValueError."""
    import pandas

    yield from pandas.read_csv(
        path, sep="\t", header=None, skiprows=1, names=["", *samples], index_col=0, chunksize=ROWS_AT_ONCE,
        dtype={"": str} | dict.fromkeys(samples, kind), na_filter=False, compression=_compression(path), quoting=3,
    )  # fmt: skip


def _not_numbers(path: Path, samples: list[str]) -> list[str]:
    """Name the cells that are missing, no numbers, or not finite; slow, for tables that hold some."""
    import numpy
    import pandas

    problems: list[str] = []
    bad_cells = 0
    first = 2
    for chunk in _chunks(path, samples, str):
        values = chunk.apply(pandas.to_numeric, errors="coerce").to_numpy(numpy.float64)
        bad = ~numpy.isfinite(values)
        bad_cells += int(bad.sum())
        for row, column in zip(*numpy.nonzero(bad), strict=True):
            if len(problems) == LISTED:
                break
            said = str(chunk.iat[row, column])
            what = "no value" if not said.strip() else f"'{said}' is not a finite number"
            place = f"{path.name}: row {first + row}, gene '{chunk.index[row]}', sample '{samples[column]}'"
            problems.append(f"{place}: {what}; give a number or leave the gene out")
        first += len(chunk)
    if bad_cells > len(problems):
        problems.append(f"{path.name}: {bad_cells - len(problems)} more values are missing or no numbers")
    return problems


def _scale_problems(path: Path, scale: str, low: float, high: float) -> list[str]:
    where = f"{path.name}: scale {scale}"
    if scale in ("tpm", "counts"):
        if low < 0:
            return [f"{where}: the smallest value is {low:g}, and {scale} are never negative; is it log2 or zscore?"]
        if high < SMALLEST_MAXIMUM:
            return [f"{where}: the largest value is {high:g}, too small for {scale}; is it log2?"]
    elif high > LARGEST[scale]:
        return [f"{where}: the largest value is {high:g}, too large for {scale}; is it tpm or counts?"]
    elif scale == "log2" and low < -LARGEST["log2"]:
        return [f"{where}: the smallest value is {low:g}, too small for log2"]
    return []


def _reason(error: Exception, samples: int) -> str:
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if found:
        return f"row {int(found[2]) + 1}: {found[3]} columns, the header has {samples + 1}; check tabs in that row"
    return f"cannot be read ({error}); copy the file again"


def log_expression(expression: Expression) -> "numpy.ndarray":
    """Values on a log scale, float32 (genes, samples): log2(TPM + 1), log2(counts per million + 1), else as they are.

    The library size of counts is that of the genes kept, so that a table cut to some genes gives the same.
    """
    import numpy

    values = expression.values
    if expression.scale == "tpm":
        return numpy.log2(values + 1)
    if expression.scale == "counts":
        size = values.sum(axis=0, keepdims=True)
        return numpy.log2(values / numpy.maximum(size, 1) * 1e6 + 1)
    return values
