"""What scoring against a truth set tells the report: accuracy by sample and, over all samples, by stratum."""

from typing import TYPE_CHECKING, Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

if TYPE_CHECKING:
    import pandas

PARENT = Parent("evaluation", "Accuracy", "Calls compared with a truth set by haplotypes; the genotype has to match.")
COUNTS = ["truth_total", "query_total", "tp_truth", "tp_query", "fn", "fp", "genotype_errors"]
TYPES = ("SNP", "INDEL")
ENDING = ".evaluation.tsv"

METHODS = """Calls were compared with truth sets by the haplotypes that both spell within clusters of alleles, as vcfeval does
[{vcfeval}]; a wrong genotype counts as one false negative and one false positive."""


def chapter(parts: Parts) -> Chapter | None:
    tables = {path.name.removesuffix(ENDING): parts.table(path.name) for path in parts.files(f"*{ENDING}")}
    found = {name: table for name, table in tables.items() if table is not None}
    if not found:
        return None
    pooled = pool(list(found.values()))
    return Chapter(
        cards=[_card(pooled)],
        sections=[_by_sample(parts, found), _by_stratum(pooled)],
        methods=METHODS,
        citations=("vcfeval",),
        folders={"evaluation/": "scores of each sample by stratum, and every allele that is wrong"},
    )


def pool(tables: "list[pandas.DataFrame]") -> "pandas.DataFrame":
    """Counts of several evaluations added up by stratum, value and type, with precision, recall and F1 of the sums."""
    import pandas

    keys = ["stratum", "value", "type"]
    total = pandas.concat(tables).groupby(keys, sort=False, dropna=False)[COUNTS].sum().reset_index()
    total["precision"] = (total["tp_query"] / total["query_total"]).where(total["query_total"] > 0)
    total["recall"] = (total["tp_truth"] / total["truth_total"]).where(total["truth_total"] > 0)
    both = total["precision"] + total["recall"]
    total["f1"] = (2 * total["precision"] * total["recall"] / both).where(both > 0)
    return total


def overall(table: "pandas.DataFrame", kind: str) -> dict[str, Any] | None:
    rows = table[(table["stratum"] == "all") & (table["type"] == kind)].to_dict("records")
    return rows[0] if rows else None


def _figure(value: float) -> str:
    return "–" if value != value else f"{value:.4f}"


def _card(pooled: "pandas.DataFrame") -> Card:
    figures = {kind: overall(pooled, kind) for kind in TYPES}
    words = ", ".join(
        f"{kind} F1 {_figure(row['f1'])} ({html.number(int(row['fn']))} missed, {html.number(int(row['fp']))} false)"
        for kind, row in figures.items()
        if row
    )
    snp = figures["SNP"]
    return Card(
        "Accuracy",
        _figure(snp["f1"]) if snp else "–",
        words.replace("), ", ")<br>"),
        html.PURPLE,
        PARENT.identifier,
        words,
    )


def _cells(row: dict[str, Any]) -> list[html.Cell]:
    counts = [html.figure_cell(int(row[name]), "{:,}") for name in ("truth_total", "fn", "fp", "genotype_errors")]
    shares = [html.Cell(_figure(row[name]), row[name]) for name in ("precision", "recall", "f1")]
    return counts + shares


HEADER = ["Type", "True alleles", "Missed", "False", "Wrong genotype", "Precision", "Recall", "F1"]


def _by_sample(parts: Parts, tables: "dict[str, pandas.DataFrame]") -> dict[str, Any]:
    rows: list[list[object]] = [
        [parts.label(name), kind, *_cells(row)]
        for name, table in tables.items()
        for kind in TYPES
        if (row := overall(table, kind))
    ]
    description = "A wrong genotype is among the missed and among the false ones."
    content = html.table(["Sample", *HEADER], rows, "sw-accuracy", range(2, len(HEADER) + 1))
    return PARENT.html("evaluation_samples", "By sample", content, description)


def _by_stratum(pooled: "pandas.DataFrame") -> dict[str, Any]:
    shown = pooled[(pooled["type"] != "ALL") & (pooled["truth_total"] + pooled["query_total"] > 0)]
    rows: list[list[object]] = [
        [row["stratum"], row["value"], row["type"], *_cells(row)] for row in shown.to_dict("records")
    ]
    content = html.table(["Stratum", "Part", *HEADER], rows, "sw-strata", range(3, len(HEADER) + 2))
    return PARENT.html("evaluation_strata", "By stratum", content, "All samples together: where the errors are.")
