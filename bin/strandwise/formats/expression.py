"""Reads expression matrices, genes in rows or in columns, and says where one is not what its scale promises."""

import csv
import gzip
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from strandwise.errors import InputError

if TYPE_CHECKING:
    import numpy
    import pandas

SCALES = ("tpm", "counts", "log2", "zscore")
VALUES_AT_ONCE = 10_000_000
LISTED = 5
# No array or sequencer gives more: 2^30 reads of one gene; a z score of 50 in one sample of thousands of genes.
LARGEST = {"log2": 30.0, "zscore": 50.0}
# A transcriptome in TPM or counts has some gene above this; log2 values never do.
SMALLEST_MAXIMUM = 31.0
# Genes from which a table is taken for a whole transcriptome, whose TPM add up to a million.
TRANSCRIPTOME, MILLION = 10_000, 1e6
# With fewer, means say little of the scale.
FEW_GENES, FEW_SAMPLES = 100, 5
# Leading columns that describe a gene and are no samples (nf-core/rnaseq, GTEx, cBioPortal, featureCounts), and those with its symbol.
SYMBOL_COLUMNS = ("gene_name", "symbol", "gene_symbol", "gene_symbols", "hgnc_symbol", "hugo_symbol", "description")
GENE_COLUMNS = {
    *SYMBOL_COLUMNS, "gene", "gene_id", "geneid", "gene_title", "name", "ensembl_id", "ensembl_gene_id", "entrez_gene_id", "entrez_id",
    "entrezid", "transcript_id(s)", "chr", "start", "end", "strand", "length",
}  # fmt: skip
# Genes of every transcriptome. Three of them in a header, and the table has its genes in columns.
WELL_KNOWN = frozenset(
    [
        "ACTB",
        "GAPDH",
        "B2M",
        "TP53",
        "MYC",
        "EGFR",
        "ERBB2",
        "PTEN",
        "RB1",
        "BRAF",
        "KRAS",
        "CDKN2A",
        "BCL2",
        "MKI67",
        "CD44",
        "VIM",
        "CDH1",
        "ESR1",
        "STAT3",
        "AKT1",
        "MDM2",
        "PCNA",
    ]
)
FEWEST_ACROSS = 3
DECORATED = re.compile(r"(?:ENS\w*\d(?:\.\d+)?[|_])?([^|]+?)(?:\s*\(\d*\)|\|.*)?")
ROWS_SEEN = 50


@dataclass(frozen=True)
class Layout:
    """How a table is written. names: of the columns of numbers; labels: leading columns without numbers; key: which of them names the row.

    first_row: lines before the first row of values; across: genes are columns and samples are rows.
    """

    separator: str
    names: list[str]
    labels: int
    key: int
    first_row: int
    across: bool


@dataclass
class Expression:
    """values: float32 (genes, samples) as in the file; zscore means within each sample.

    merged: genes that several rows had; doubts: why the scale may be another one, one sentence each.
    """

    genes: list[str]
    samples: list[str]
    values: "numpy.ndarray"
    scale: str
    genes_in_file: int
    merged: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def read_expression(path: Path, scale: str, wanted: Collection[str] | None = None) -> Expression:
    """Read a TSV or CSV, plain or gzip: a header with the sample names, then one row per gene; or genes and samples swapped.

    Columns that describe genes may stand before the samples, and symbols may carry an identifier: `TP53 (7157)`, `TP53|7157`.
    wanted: genes to keep (all where None); the others are checked all the same. A gene that stands in several rows has their
    sum (tpm, counts), else the row that is highest on average. Names may stand in double quotes.
    Raises InputError, all problems at once: unknown scale, no samples, a sample given twice, a row of another
    length, a value that is missing or no number, values that cannot be of that scale, none of the wanted genes.
    """
    import numpy
    import pandas

    if scale not in SCALES:
        raise InputError(f"expression scale '{scale}' is not one of {', '.join(SCALES)}")
    layout = read_layout(path, wanted)
    named: list[str] = []
    parts, seen = [], _Seen(layout.across)
    columns = [symbol(name, wanted) for name in layout.names] if layout.across else layout.names
    keep = [place for place, name in enumerate(columns) if wanted is None or name in wanted]
    try:
        for chunk in _chunks(path, layout, numpy.float32):
            names = [_bare(name) for name in chunk.index]
            values = chunk.to_numpy(numpy.float32)
            seen.add(values)
            if layout.across:
                parts.append(values[:, keep].T)
            else:
                names = [symbol(name, wanted) for name in names]
                parts.append(values[[wanted is None or name in wanted for name in names]])
            named += names
    except (pandas.errors.ParserError, EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: {_reason(error, layout)}") from error
    except ValueError:
        raise InputError(*_not_numbers(path, layout)) from None
    if not numpy.isfinite([seen.low, seen.high]).all():
        raise InputError(*_not_numbers(path, layout))
    genes, samples = (columns, named) if layout.across else (named, columns)
    kept = [name for name in genes if wanted is None or name in wanted]
    problems = _twice(path, "row" if layout.across else "column", samples, layout)
    problems += [f"{path.name}: {_no_known_gene(genes, wanted)}"] if wanted and not kept else []
    problems += _scale_problems(path, scale, seen.low, seen.high) if not problems else []
    if problems:
        raise InputError(*problems)
    values = numpy.hstack(parts) if layout.across else numpy.vstack(parts)
    kept, values, merged = _merged(kept, values, scale)
    return Expression(kept, samples, values, scale, len(genes), merged, seen.doubts(scale))


def read_layout(path: Path, wanted: Collection[str] | None = None) -> Layout:
    """Look at the first rows of a table. Raises InputError where they cannot be those of an expression table.

    wanted: genes that tell whether the header names genes; else well-known ones do.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with _opened(path) as stream:
            lines = [line.rstrip("\r\n") for line in islice(stream, ROWS_SEEN)]
    except (EOFError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); copy the file again") from error
    first = next((number for number, line in enumerate(lines) if line and not line.startswith("#")), len(lines))
    if lines[:1] == ["#1.2"]:  # GCT: its second line gives the numbers of rows and columns
        first += 1
    if first >= len(lines):
        raise InputError(f"{path.name}: empty; an expression table has a header line and one row per gene")
    separator = max("\t,;", key=lambda mark: lines[first].count(mark))
    if separator not in lines[first]:
        raise InputError(
            f"{path.name}: the header has one column; separate columns by tabs or commas, genes in rows, samples in columns"
        )
    header, *rows = ([_bare(name) for name in _fields(line, separator)] for line in lines[first:])
    if not rows:
        raise InputError(f"{path.name}: no genes; the file holds a header only")
    if len(rows[0]) == len(header) + 1 and header[0].lower() not in {*GENE_COLUMNS, ""}:
        header = ["", *header]  # R's write.table has no name for its row names
    if len(rows[0]) != len(header):
        number = first + 2
        raise InputError(
            f"{path.name}: row {number} has {len(rows[0])} columns, the header {len(header)}; the header's first column is 'gene'"
        )
    labels = 1
    while labels < len(header) and header[labels].lower() in GENE_COLUMNS:
        labels += 1
    key = next((place for place in range(labels) if header[place].lower() in SYMBOL_COLUMNS), 0)
    names = header[labels:]
    empty = [str(column) for column, name in enumerate(names, labels + 1) if not name]
    if empty or not names:
        where = (
            f"row {first + 1}, column {', '.join(empty[:LISTED])}: a sample without a name" if empty else "no samples"
        )
        raise InputError(f"{path.name}: {where}")
    if separator == ";" and any("," in value for value in rows[0][labels:]):
        raise InputError(
            f"{path.name}: numbers with a decimal comma ({rows[0][labels]}); save them with a decimal point"
        )
    known = WELL_KNOWN if wanted is None else wanted
    return Layout(
        separator, names, labels, key, first + 1, _across(names, [row[key] for row in rows if len(row) > key], known)
    )


def _across(names: list[str], labels: list[str], known: Collection[str]) -> bool:
    """Whether the header names genes, and the first rows do not."""
    columns, rows = (sum(symbol(name, known) in known for name in some) for some in (names, labels))
    return columns >= FEWEST_ACROSS > rows


def symbol(name: str, known: Collection[str] | None) -> str:
    """Symbol in `TP53 (7157)`, `TP53|7157` or `ENSG00000141510.18_TP53`, where that is known; other names as they are."""
    if known is None or name in known:
        return name
    found = DECORATED.fullmatch(name)
    return found[1] if found and found[1] in known else name


def _fields(line: str, separator: str) -> list[str]:
    return line.split("\t") if separator == "\t" else next(csv.reader([line], delimiter=separator), [])


def _opened(path: Path) -> TextIO:
    """As text; a byte order mark, as spreadsheets write it, is left out."""
    if _compression(path):
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


class _Seen:
    """Range and sums of all values of a table, from which its scale can be told."""

    def __init__(self, across: bool) -> None:
        import numpy

        self.across, self.low, self.high, self.whole = across, numpy.inf, -numpy.inf, True
        # Sums and sums of squares of rows, one array per chunk, and of columns.
        self.rows: list[numpy.ndarray] = []
        self.columns: numpy.ndarray | float = 0.0

    def add(self, values: "numpy.ndarray") -> None:
        import numpy

        # numpy's minimum keeps NaN, which Python's would lose.
        self.low = numpy.minimum(self.low, values.min())
        self.high = numpy.maximum(self.high, values.max())
        self.whole = self.whole and bool((values == numpy.rint(values)).all())
        squares = values**2
        self.rows.append(numpy.stack([part.sum(axis=1, dtype=float) for part in (values, squares)]))
        self.columns = self.columns + numpy.stack([part.sum(axis=0, dtype=float) for part in (values, squares)])

    def doubts(self, scale: str) -> list[str]:
        """Why values that are possible on this scale are more likely of another."""
        import numpy

        both = (numpy.hstack(self.rows), numpy.asarray(self.columns))
        (sums, squares), (of_gene, _) = both if self.across else both[::-1]
        samples, genes = len(sums), len(of_gene)
        total = float(numpy.median(sums))
        if scale == "tpm" and self.whole:
            return ["all its values are whole numbers, as counts are and TPM are not"]
        if scale == "tpm" and genes >= TRANSCRIPTOME and not MILLION / 2 < total < MILLION * 1.5:
            return [
                f"the values of a sample add up to {total:,.0f}, and TPM of all genes to a million; counts, FPKM and arrays do not"
            ]
        if scale == "counts" and not self.whole and abs(total / MILLION - 1) < 0.01:
            return ["the values of a sample add up to a million, as TPM do and counts do not"]
        if scale == "log2" and self.whole:
            return ["all its values are whole numbers, as counts are and log2 values are not"]
        if scale == "zscore" and genes >= FEW_GENES:
            mean = sums / genes
            sd = numpy.sqrt(numpy.maximum(squares / genes - mean**2, 0))
            if samples >= FEW_SAMPLES and numpy.sqrt(((of_gene / samples) ** 2).mean()) < 0.1:
                return [
                    "every gene has mean 0 over the samples, as z scores of genes have; z scores within each sample are wanted"
                ]
            if numpy.median(numpy.abs(mean)) > 0.3 or not 0.5 < numpy.median(sd) < 2:
                return [
                    f"samples have mean {numpy.median(mean):.2g} and SD {numpy.median(sd):.2g}, and z scores within a sample 0 and 1"
                ]
        return []


def _merged(genes: list[str], values: "numpy.ndarray", scale: str) -> tuple[list[str], "numpy.ndarray", list[str]]:
    """One row per gene, in the order of the file; and the genes that had several."""
    import numpy

    rows: dict[str, list[int]] = {}
    for row, gene in enumerate(genes):
        rows.setdefault(gene, []).append(row)
    several = {gene: some for gene, some in rows.items() if len(some) > 1}
    if not several:
        return genes, values, []
    level = values.mean(axis=1)
    first = {
        gene: some[0] if scale in ("tpm", "counts") else max(some, key=lambda row: level[row])
        for gene, some in rows.items()
    }
    one = values[list(first.values())]
    if scale in ("tpm", "counts"):
        for place, some in enumerate(rows.values()):
            one[place] = values[some].sum(axis=0)
    return list(first), numpy.ascontiguousarray(one), list(several)


def _compression(path: Path) -> str | None:
    with path.open("rb") as stream:
        return "gzip" if stream.read(2) == b"\x1f\x8b" else None


def _bare(name: str) -> str:
    return name.strip().removeprefix('"').removesuffix('"')


def _no_known_gene(genes: list[str], known: Collection[str]) -> str:
    """Why no row may be a wanted gene: what is there, and what to do."""
    first = ", ".join(genes[:3])
    if sum(name.upper() in known for name in genes):
        return f"its genes are spelled like {first}; give human HGNC symbols, in capitals"
    if 2 * sum(name.startswith("ENS") for name in genes) > len(genes):
        return f"its genes are Ensembl identifiers ({first}); add the HGNC symbols as a second column gene_name, before the samples"
    return f"none of its {len(genes)} genes is known ({first}); rows must be genes named by HGNC symbol"


def _twice(path: Path, where: str, samples: list[str], layout: Layout) -> list[str]:
    first: dict[str, int] = {}
    problems = []
    for number, name in enumerate(samples, layout.first_row + 1 if layout.across else layout.labels + 1):
        if name in first:
            problems.append(
                f"{path.name}: {where} {number}: sample '{name}' is in {where} {first[name]} already; keep one of them"
            )
        first.setdefault(name, number)
    more = len(problems) - LISTED
    return problems[:LISTED] + ([f"{path.name}: {more} more samples given twice"] if more > 0 else [])


def _chunks(path: Path, layout: Layout, kind: type) -> "Iterator[pandas.DataFrame]":
    """Some rows at a time, their names as the index; a cell that is not of this kind is a ValueError."""
    import pandas

    columns = range(layout.labels + len(layout.names))
    types = {column: str if column < layout.labels else kind for column in columns}
    for chunk in pandas.read_csv(
        path, sep=layout.separator, header=None, skiprows=layout.first_row, names=list(columns), index_col=False, dtype=types,
        chunksize=max(VALUES_AT_ONCE // len(columns), 1), na_filter=False, compression=_compression(path),
        quoting=csv.QUOTE_NONE if layout.separator == "\t" else csv.QUOTE_MINIMAL,
    ):  # fmt: skip
        chunk.index = chunk[layout.key]
        yield chunk.iloc[:, layout.labels :]


def _not_numbers(path: Path, layout: Layout) -> list[str]:
    """Name the cells that are missing, no numbers, or not finite; slow, for tables that hold some."""
    import numpy
    import pandas

    problems: list[str] = []
    bad_cells = 0
    first = layout.first_row + 1
    row_is, column_is = ("sample", "gene") if layout.across else ("gene", "sample")
    for chunk in _chunks(path, layout, str):
        values = chunk.apply(pandas.to_numeric, errors="coerce").to_numpy(numpy.float64)
        bad = ~numpy.isfinite(values)
        bad_cells += int(bad.sum())
        for row, column in zip(*numpy.nonzero(bad), strict=True):
            if len(problems) == LISTED:
                break
            said = str(chunk.iat[row, column])
            what = "no value" if not said.strip() else f"'{said}' is not a finite number"
            place = f"{path.name}: row {first + row}, {row_is} '{_bare(chunk.index[row])}', {column_is} '{layout.names[column]}'"
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


def _reason(error: Exception, layout: Layout) -> str:
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if found:
        columns = layout.labels + len(layout.names)
        return f"row {found[2]}: {found[3]} columns, the header has {columns}; check the separators in that row"
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
