"""What scoring against a truth set tells the report: accuracy by sample and, over all samples, by stratum."""

from typing import TYPE_CHECKING, Any

from strandwise.formats.shares import share_interval
from strandwise.report import figures, html, reliability
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

if TYPE_CHECKING:
    import pandas

PARENT = Parent("evaluation", "Accuracy", "Calls compared with a truth set by haplotypes; the genotype has to match.")
COUNTS = ["truth_total", "query_total", "tp_truth", "tp_query", "fn", "fp", "genotype_errors"]
TYPES = ("SNP", "INDEL")
ENDING = ".evaluation.tsv"
RELIABILITY_ENDING = ".reliability.tsv"
FEWEST_ALLELES = 5
"""A part of a stratum with fewer alleles on both sides together is in the table and not in the figure."""

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
        sections=[
            section
            for section in (
                _by_sample(parts, found),
                _figure_by_stratum(pooled),
                _by_stratum(pooled),
                _reliability(parts),
            )
            if section
        ],
        methods=METHODS,
        citations=("vcfeval",),
        folders={
            "evaluation/": "scores of each sample by stratum, reliability of its GQ, and every allele that is wrong"
        },
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
    errors, whole = total["fn"] + total["fp"], total["truth_total"] + total["query_total"]
    intervals = [share_interval(*pair) for pair in zip(errors, whole, strict=True)]
    total["f1_low"], total["f1_high"] = ([1 - pair[end] for pair in intervals] for end in (1, 0))
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
    return [*counts, *shares, html.Cell(f"{row['f1_low']:.4f}–{row['f1_high']:.4f}", row["f1_low"])]


HEADER = ["Type", "True alleles", "Missed", "False", "Wrong genotype", "Precision", "Recall", "F1", "95 % interval"]


def _by_sample(parts: Parts, tables: "dict[str, pandas.DataFrame]") -> dict[str, Any]:
    rows: list[list[object]] = [
        [parts.label(name), kind, *_cells(row)]
        for name, table in tables.items()
        for kind in TYPES
        if (row := overall(table, kind))
    ]
    description = """A wrong genotype is among the missed and among the false ones. Interval of F1: Wilson's, of the errors among
    all alleles of both sides."""
    content = html.table(["Sample", *HEADER], rows, "sw-accuracy", range(2, len(HEADER) + 1))
    return PARENT.html("evaluation_samples", "By sample", content, description)


def _by_stratum(pooled: "pandas.DataFrame") -> dict[str, Any]:
    shown = pooled[(pooled["type"] != "ALL") & (pooled["truth_total"] + pooled["query_total"] > 0)]
    rows: list[list[object]] = [
        [row["stratum"], row["value"], row["type"], *_cells(row)] for row in shown.to_dict("records")
    ]
    content = html.table(["Stratum", "Part", *HEADER], rows, "sw-strata", range(3, len(HEADER) + 2))
    return PARENT.html("evaluation_strata", "By stratum", content, "All samples together.")


STRATA = {
    "context": "Repeats",
    "mappability": "Mappability (100 bases around)",
    "depth": "Depth",
    "neighbours": "Other true variants",
    "length": "Length of indels",
    "genotype": "Genotype",
}
COLOURS = {"SNP": html.BLUE, "INDEL": html.ORANGE}


def _figure_by_stratum(pooled: "pandas.DataFrame") -> dict[str, Any] | None:
    rows = []
    for row in pooled.to_dict("records"):
        enough = row["truth_total"] + row["query_total"] >= FEWEST_ALLELES
        if row["type"] not in TYPES or row["f1"] != row["f1"] or not enough:
            continue
        heading = STRATA.get(row["stratum"], "All")
        label = f"{row['value']}, {row['type']} ({html.number(int(row['truth_total']))})"
        said = f"{label}: F1 {row['f1']:.4f} ({row['f1_low']:.4f}–{row['f1_high']:.4f}), {int(row['fn'])} missed, {int(row['fp'])} false"
        rows.append((heading, label, row["f1_low"], row["f1"], row["f1_high"], COLOURS[row["type"]], said))
    if not rows:
        return None
    description = """F1 with its 95 % interval; in brackets the number of true alleles. Homopolymers: 6 bases and more; tandem repeats: 3
    copies and more of 2 to 6 bases; low mappability: the 100 bases around the allele occur a second time in the reference."""
    return PARENT.html(
        "evaluation_figure", "Where the errors are", figures.forest(rows, "F1") + figures.legend(COLOURS), description
    )


def _reliability(parts: Parts) -> dict[str, Any] | None:
    """Of all scored samples together; None where the calls have no GQ."""
    import pandas

    tables = [table for path in parts.files(f"*{RELIABILITY_ENDING}") if (table := parts.table(path.name)) is not None]
    if not tables or not sum(table["genotypes"].sum() for table in tables):
        return None
    keys = ["set", "type", "decision", "gq_from", "gq_to"]
    pooled = pandas.concat(tables).groupby(keys, sort=False)[["genotypes", "expected", "observed"]].sum().reset_index()
    description = """Errors that the GQ of these calls promises, and errors by the truth. Rejected genotypes are sites in the file that are called
    like the reference; files of other callers seldom hold any."""
    section = PARENT.html(
        "evaluation_reliability", "Does GQ mean what it says?", reliability.content(pooled), description
    )
    return section | {"helptext": reliability.HELP}
