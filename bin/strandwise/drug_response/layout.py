"""The tables that training reads: a documented layout, and a converter to it from the public GDSC tables.

A training folder holds
    expression.tsv.gz   genes in rows, lines in columns: log-scale values of one platform
    response.tsv.gz     columns line, drug, ln_ic50 (natural log of µM)
    lines.tsv           columns line, tissue
    drugs.tsv           columns drug and smiles (may be empty), targets and pathway (may be empty or absent)
    events.tsv.gz       optional: line, then one column per event (GENE_mut and others), 0 or 1
The same tables as .parquet are read as well.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.files import written

if TYPE_CHECKING:
    import numpy
    import pandas


@dataclass
class Training:
    """Lines × everything. scores: float32 (lines, genes), z score within each line; response: ln µM (lines, drugs), NaN gaps.

    events: (lines, events) 0, 1 or NaN where nothing is known of the line.
    """

    lines: list[str]
    tissues: "numpy.ndarray"
    genes: list[str]
    scores: "numpy.ndarray"
    drugs: list[str]
    smiles: list[str]
    targets: list[str]
    pathways: list[str]
    response: "numpy.ndarray"
    event_names: list[str]
    events: "numpy.ndarray"

    def part(self, lines: "numpy.ndarray") -> "Training":
        """The same with some of the lines (a mask or places)."""
        import numpy

        places = numpy.arange(len(self.lines))[lines]
        return Training(
            [self.lines[place] for place in places], self.tissues[places], self.genes, self.scores[places], self.drugs,
            self.smiles, self.targets, self.pathways, self.response[places], self.event_names, self.events[places],
        )  # fmt: skip


def read_training(folder: Path) -> Training:
    """Read a training folder. Raises InputError where a table or column is missing or no line is in all tables."""
    import numpy
    import pandas

    expression = _table(folder, "expression", ["gene"]).set_index("gene")
    pairs = _table(folder, "response", ["line", "drug", "ln_ic50"])
    lines = _table(folder, "lines", ["line", "tissue"]).set_index("line")
    drugs = _table(folder, "drugs", ["drug"]).set_index("drug")
    measured = set(expression.columns) & set(pairs["line"])
    names = [line for line in lines.index if line in measured]
    if not names:
        raise InputError(f"{folder}: no line is in expression, response and lines; check the names")
    twice = pairs.duplicated(["line", "drug"])
    if twice.any():
        raise InputError(f"{folder}/response: {int(twice.sum())} pairs are given twice; give their mean")
    values = expression[names].to_numpy(numpy.float32).T
    values = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    wide = pairs.pivot(index="line", columns="drug", values="ln_ic50").reindex(index=names, columns=drugs.index)
    events = pandas.DataFrame(index=pandas.Index(names))
    if _path(folder, "events") is not None:
        events = _table(folder, "events", ["line"]).set_index("line").reindex(names)

    def column(name: str) -> list[str]:
        return drugs[name].fillna("").astype(str).tolist() if name in drugs else [""] * len(drugs)

    return Training(
        names, lines.loc[names, "tissue"].to_numpy(str), expression.index.tolist(), values, drugs.index.tolist(),
        column("smiles"), column("targets"), column("pathway"), wide.to_numpy(float), events.columns.tolist(),
        events.to_numpy(numpy.float32),
    )  # fmt: skip


def _path(folder: Path, name: str) -> Path | None:
    found = [folder / f"{name}{end}" for end in (".tsv.gz", ".tsv", ".parquet")]
    return next((path for path in found if path.is_file()), None)


def _table(folder: Path, name: str, columns: list[str]) -> "pandas.DataFrame":
    import pandas

    path = _path(folder, name)
    if path is None:
        raise InputError(
            f"{folder}/{name}.tsv.gz: missing; a training folder holds expression, response, lines and drugs"
        )
    kinds = dict.fromkeys(("gene", "line", "drug", "tissue", "smiles", "targets", "pathway"), str)
    frame = pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path, sep="\t", dtype=kinds)
    missing = [column for column in columns if column not in frame]
    if missing:
        raise InputError(
            f"{path.name}: no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns[:8]))}"
        )
    return frame


def convert(
    responses: Path, expression: Path, annotation: Path, compounds: Path, output: Path, lines: Path | None = None
) -> None:
    """Turn tables as the GDSC site gives them into a training folder.

    responses: fitted dose responses, CSV or TSV, columns CELL_LINE_NAME, DRUG_NAME, LN_IC50 (mean where a pair is repeated);
    expression: TSV, GENE_SYMBOLS (GENE_title is ignored), then one column per line, named `DATA.<COSMIC id>` or by line;
    annotation: TSV line, cosmic_id, tissue; compounds: TSV drug, smiles and, if known, targets, pathway;
    lines: names to keep, one a row, or a TSV with a column line. All others are left out.
    """
    import pandas

    def read(path: Path, columns: list[str]) -> "pandas.DataFrame":
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        separator = "," if ".csv" in path.suffixes else "\t"
        frame = pandas.read_csv(path, sep=separator, dtype={column: str for column in columns if column != "LN_IC50"})
        missing = [column for column in columns if column not in frame]
        if missing:
            raise InputError(
                f"{path.name}: no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns[:8]))}"
            )
        return frame

    pairs = read(responses, ["CELL_LINE_NAME", "DRUG_NAME", "LN_IC50"])
    known = read(annotation, ["line", "cosmic_id", "tissue"])
    drugs = read(compounds, ["drug", "smiles"])
    values = (
        read(expression, ["GENE_SYMBOLS"]).dropna(subset=["GENE_SYMBOLS"]).drop(columns="GENE_title", errors="ignore")
    )
    names = {f"DATA.{cosmic}": line for line, cosmic in zip(known["line"], known["cosmic_id"], strict=True)}
    values = values.rename(columns={"GENE_SYMBOLS": "gene", **names}).drop_duplicates("gene")
    keep = set(known["line"]) & set(values.columns) & set(pairs["CELL_LINE_NAME"])
    if lines is not None:
        keep &= set(_names(lines))
    if not keep:
        raise InputError(
            f"{responses.name}, {expression.name}, {annotation.name}: no line is in all of them; check the names"
        )
    kept = known[known["line"].isin(keep)]
    pairs = pairs[pairs["CELL_LINE_NAME"].isin(keep) & pairs["DRUG_NAME"].isin(set(drugs["drug"]))]
    means = pairs.groupby(["CELL_LINE_NAME", "DRUG_NAME"], as_index=False)["LN_IC50"].mean()
    means.columns = ["line", "drug", "ln_ic50"]
    output.mkdir(parents=True, exist_ok=True)
    tables = {
        "response.tsv.gz": means,
        "lines.tsv": kept,
        "drugs.tsv": drugs,
        "expression.tsv.gz": values[["gene", *kept["line"]]],
    }
    for name, frame in tables.items():
        with written(output / name) as temporary:
            frame.to_csv(temporary, sep="\t", index=False)


def _names(path: Path) -> list[str]:
    rows = [row.split("\t") for row in path.read_text(encoding="utf-8").splitlines() if row.strip()]
    place = rows[0].index("line") if rows and "line" in rows[0] else 0
    return [row[place].strip() for row in rows]
