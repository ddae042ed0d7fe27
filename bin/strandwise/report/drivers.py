"""What driver ranking tells the report: the top genes, how sure, and which evidence put them there."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from strandwise.report import figures, html
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

if TYPE_CHECKING:
    import pandas

PARENT = Parent(
    "drivers", "Cancer drivers", "Genes ranked by how much more, and how differently, they are mutated than expected."
)
TOP = 20
SAMPLES_DRAWN = 600
PAIRS_SHOWN = 15
COLOURS = {
    "missense": html.BLUE,
    "inframe": html.SKY,
    "nonsense": html.VERMILION,
    "frameshift": html.ORANGE,
    "splice": html.PURPLE,
    "start_stop": "#004D80",
    "several": html.GREEN,
    "silent": html.GREY,
}
SIGNIFICANT = 0.1
OWN_SCALE = ("combined", "standing")  # lines that join others: large, and much the same in all top genes
PLOTTED = 20  # -log10 p that the plot of quantiles ends at

METHODS = """Cancer driver genes were ranked with Strandwise ({models}). Expected numbers of mutations per gene and class come from
the cohort's silent mutations, coding length and gene covariates by a negative-binomial model with fitted over-dispersion, the idea of
dNdScv [{dndscv}]. Lines of evidence (excess of missense, truncating and in-frame mutations, hotspots, clusters, truncation bias,
recurrence over samples, impact on the protein) are joined by gradient-boosted trees (XGBoost [{xgboost}]) and a logistic regression, both
monotone in the evidence and trained on TCGA cohorts with labels from IntOGen [{intogen}], and explained by TreeSHAP [{shap}]. p-values compare a gene's
score with those of neutral cohorts drawn from the same samples and background; q-values are Benjamini–Hochberg [{bh}]."""


def chapter(parts: Parts) -> Chapter | None:
    table = parts.table("driver_genes.tsv")
    if table is None:
        return None
    summary = parts.json("drivers.json")
    table = table.sort_values("rank")
    top = table.head(TOP)
    sections: list[dict[str, Any] | None] = [_top_table(table, top, summary.get("pages", []))]
    if len(table):
        sections += [
            _prior(table, summary.get("pages", [])),
            _significance(table),
            _calibration(parts.table("driver_calibration.tsv"), summary.get("calibration")),
            _classes(top),
            _evidence(top, parts.table("driver_reasons.tsv")),
            *_cohort(parts, summary),
        ]
    return Chapter(
        cards=[_card(table, summary)],
        sections=[section for section in sections if section],
        methods=METHODS,
        citations=("dndscv", "xgboost", "intogen", "shap", "bh"),
        models=sorted(set(table["model_version"].dropna())) or [summary.get("model_version", "")],
        folders={
            "drivers/": "driver_genes.tsv: all genes, ranked; driver_reasons.tsv: why; driver_mutations.tsv: likely drivers "
            "of each sample; gene_pairs.tsv, oncoplot.tsv; genes/: a page per top gene"
        },
    )


def _card(table: "pandas.DataFrame", summary: Mapping[str, Any]) -> Card:
    significant = int((table["q_value"] < SIGNIFICANT).sum())
    leading = list(table["gene"].head(6))
    figure = html.plural(significant, "gene")
    cohort = ""
    if "samples" in summary and "mutations" in summary:
        cohort = f"{html.plural(summary['samples'], 'tumour')}, {html.plural(summary['mutations'], 'mutation')}"
    details = f"at q &lt; {SIGNIFICANT}<br>{cohort}{'<br>' if cohort else ''}{html.chips(leading)}"
    words = f"{figure} at q < {SIGNIFICANT}; first: {', '.join(leading) or 'none'}"
    return Card("Cancer drivers", figure, details, html.VERMILION, PARENT.identifier, words)


def minus_log10(value: float) -> float:
    """-log10 of a p- or q-value; 0 counts as the smallest float, 1e-308."""
    return -math.log10(max(float(value), 1e-308))


def count_columns(table: "pandas.DataFrame") -> list[str]:
    """Columns with observed mutations by class: `n_missense`, `n_truncating`, …"""
    return [name for name in table.columns if name.startswith("n_") and name != "n_samples"]


def _top_table(table: "pandas.DataFrame", top: "pandas.DataFrame", pages: Sequence[str]) -> dict[str, Any]:
    """pages: genes that have a page of their own."""
    counts = [name for name in count_columns(table) if top[name].notna().any()]
    header = ["#", "Gene", "Score", "q", "Samples", *(_label(name) for name in counts), "Hotspot"]
    most = max(1, top["n_samples"].max()) if len(top) else 1
    rows: list[list[object]] = []
    for row in top.to_dict("records"):
        significant = row["q_value"] < SIGNIFICANT
        quality = f"<b>{html.small_number(row['q_value'])}</b>" if significant else html.small_number(row["q_value"])
        score_bar = html.bar(row["score"] / max(1e-9, top["score"].max()), f"{row['score']:.3g}", html.SKY)
        cells = [
            html.Cell(str(int(row["rank"])), row["rank"]),
            html.Cell(f"<b>{_gene(row['gene'], pages)}</b>", row["gene"]),
            html.Cell(score_bar, row["score"]),
            html.Cell(quality, row["q_value"]),
            html.Cell(
                html.bar(row["n_samples"] / most, html.number(int(row["n_samples"])), html.ORANGE), row["n_samples"]
            ),
        ]
        numbers = [html.number(int(row[name])) for name in counts]
        rows.append([*cells, *numbers, row["top_hotspot"] if isinstance(row.get("top_hotspot"), str) else ""])
    note = f"All {html.plural(len(table), 'gene')}: {html.link('drivers/driver_genes.tsv')}."
    if not len(table):
        note = "No gene had a mutation to test."
    description = (
        f"The first {min(TOP, len(table))} of {html.number(len(table))} genes; q below {SIGNIFICANT} in bold. {note}"
    )
    numeric = [0, 3, *range(5, 5 + len(counts))]
    return PARENT.html("drivers_top", "Top genes", html.table(header, rows, "sw-drivers", numeric), description)


def _gene(name: str, pages: Sequence[str]) -> str:
    """The gene's name, as a link where it has a page."""
    return html.link(f"drivers/genes/{name}.html", name) if name in pages else html.text(name)


def _label(column: str) -> str:
    return html.text(column.removeprefix("n_").replace("_", " "))


def _significance(table: "pandas.DataFrame") -> dict[str, Any]:
    """Significance against the number of samples; of the genes that nobody would look at only the first are drawn."""
    shown = table[(table["n_samples"] >= 2) | (table["q_value"] < SIGNIFICANT)].head(300)
    points = [
        figures.Point(
            x=row["n_samples"],
            y=minus_log10(row["q_value"]),
            name=row["gene"],
            colour=html.VERMILION if row["q_value"] < SIGNIFICANT else html.GREY,
            labelled=row["q_value"] < 0.25,
        )
        for row in shown.to_dict("records")
    ]
    x = figures.Axis("samples with a mutation", 0.5, max(5, *(1.08 * point.x for point in points), 0))
    y = figures.Axis("−log10 q", 0.5, min(320, max(2, *(1.1 * point.y for point in points), 0)))
    return PARENT.html(
        "drivers_significance",
        "Significance and frequency",
        figures.labelled_scatter(points, x, y, minus_log10(SIGNIFICANT), f"q = {SIGNIFICANT}"),
        "Each point is a gene. High: unlikely by chance. Right: mutated in many samples. A gene that is high but not far right is "
        "found by how it is mutated, not by how often. Both axes are square-root scaled; hover for the figures.",
    )


def _prior(table: "pandas.DataFrame", pages: Sequence[str]) -> dict[str, Any] | None:
    """The second rank, where it was asked for (--driver_prior)."""
    if "pancancer_rank" not in table or table["pancancer_rank"].isna().all():
        return None
    rows: list[list[object]] = [
        [
            html.Cell(str(int(row["pancancer_rank"])), row["pancancer_rank"]),
            html.Cell(f"<b>{_gene(row['gene'], pages)}</b>", row["gene"]),
            html.Cell(str(int(row["rank"])), row["rank"]),
            html.Cell(f"{row['pancancer_score']:.3g}", row["pancancer_score"]),
            html.text(row["pancancer_why"]) if isinstance(row["pancancer_why"], str) else "",
        ]
        for row in table.sort_values("pancancer_rank").head(TOP).to_dict("records")
    ]
    return PARENT.html(
        "drivers_prior",
        "With what other cohorts taught",
        html.table(
            ["#", "Gene", "# by this cohort alone", "Score", "What other cohorts add"], rows, "sw-drivers", [0, 2, 3]
        ),
        "A second rank (--driver_prior pancancer): the score above, raised for genes with evidence in other cohorts and for mutations on "
        "their hotspots. It favours what is known already; p- and q-values belong to the rank above alone.",
    )


def _calibration(curve: "pandas.DataFrame | None", checked: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Quantiles of the p-values: of the cohort, and of its silent mutations with other effects, which should lie on the diagonal."""
    if curve is None or curve.empty:
        return None
    colours = {"this cohort": html.VERMILION, "silent mutations, relabelled": html.BLUE}
    data: dict[str, dict[float, float]] = {
        str(name): {
            round(minus_log10(row["expected"]), 4): round(min(minus_log10(row["observed"]), PLOTTED), 4)
            for row in points.sort_values("expected", ascending=False).to_dict("records")
        }
        for name, points in curve.groupby("genes", sort=False)
    }
    furthest = max(value for line in data.values() for value in line)
    data["exact"] = {0.0: 0.0, furthest: furthest}
    said = "The cohort has too few silent mutations for a check by them."
    if checked:
        rates = ", ".join(f"{share:.2f} (p ≤ {level})" for level, share in checked["rates"].items())
        below = html.plural(checked["genes_below_q"], "gene")
        verdict = (
            "as it should be" if checked["genes_below_q"] <= 2 else "more than chance: take q-values near 0.1 with care"
        )
        said = (
            f"Of {html.number(checked['genes'])} genes of relabelled silent mutations, where no selection is, {below} reached q &lt; "
            f"{SIGNIFICANT} ({verdict}). Small p-values over those of chance, 1 being exact: {rates}."
        )
    return PARENT.plot(
        "drivers_calibration",
        "Is this cohort calibrated?",
        "linegraph",
        data,
        said + figures.legend({**colours, "exact": html.GREY}),
        helptext="Quantiles of p-values against those of chance, both as −log10. The silent mutations of the cohort were given the effects of "
        "the others and ranked the same way: their line should follow the diagonal. Where it rises far above, p-values are too small "
        "(mapping errors, germline variants); where it stays below, they are cautious. The cohort's own line leaves the diagonal where drivers begin.",
        settings={
            "xlab": "−log10 p expected",
            "ylab": "−log10 p seen",
            "colors": {**colours, "exact": html.GREY},
            "xmin": 0,
            "ymin": 0,
            "smooth_points": 200,
        },
    )


def _classes(top: "pandas.DataFrame") -> dict[str, Any] | None:
    counts = count_columns(top)
    if not counts:
        return None
    categories = {
        name: {"name": _label(name), "color": COLOURS.get(name.removeprefix("n_"), html.YELLOW)} for name in counts
    }
    rows = top[["gene", *counts]].fillna(0).to_dict("records")
    data = {html.text(row["gene"]): {name: int(row[name]) for name in counts} for row in rows}
    return PARENT.plot(
        "drivers_classes",
        "Mutations by class",
        "bargraph",
        data,
        "Mutations of the top genes by what they do to the protein. Truncating ones in tumour suppressors, recurrent missense ones in oncogenes.",
        settings={
            "ylab": "mutations",
            "series_label": "genes",
            "cpswitch_counts_label": "Mutations",
            "sort_samples": False,
        },
        categories=categories,
    )


def _evidence(top: "pandas.DataFrame", reasons: "pandas.DataFrame | None") -> dict[str, Any] | None:
    """What each line of evidence adds to the score (TreeSHAP), a table whose cells are coloured by it.

    Lines of OWN_SCALE would bleach the others.
    """
    if reasons is None or reasons.empty:
        return None
    lines = [name for name in reasons.columns if name not in ("gene", "rank", "base", "model_version")]
    shown = reasons[reasons["gene"].isin(top["gene"])].sort_values("rank")
    own, others = ([name for name in lines if (name in OWN_SCALE) == apart] for apart in (True, False))
    full = _full_colour(shown[others])
    limits = {name: _full_colour(shown[[name]]) for name in own} | dict.fromkeys(others, full)
    rows = [
        [
            html.Cell(f"<b>{html.text(row['gene'])}</b>", row["gene"]),
            *(html.Cell(_shade(row[name], limits[name]), row[name]) for name in limits),
        ]
        for row in shown.to_dict("records")
    ]
    header = ["Gene", *(_label(name).replace(" ", "<br>") + " *" * (name in own) for name in limits)]
    apart = ", ".join(f"{limits[name]:.1f} of {_label(name)}" for name in own)
    starred = f"; * joined from several lines, with a scale of its own: {apart}" if own else ""
    return PARENT.html(
        "drivers_evidence",
        "Why these genes",
        html.table(header, rows, "sw-evidence", range(1, len(header))),
        "What each line of evidence adds to (orange) or takes from (blue) the score of a gene: TreeSHAP values and terms of the ranking models, in "
        f"log-odds. Full colour: {full:.1f}{starred}. Combined: all tests taken as one; standing: the gene's place among all genes "
        f"by them; background: length and other covariates of the gene. Of the first 200 genes: {html.link('drivers/driver_reasons.tsv')}.",
    )


def _full_colour(values: "pandas.DataFrame") -> float:
    """The size from which a cell has the full colour: that of the strongest twentieth."""
    return max(0.5, float(values.abs().stack().quantile(0.95)))


def _shade(value: float, limit: float) -> str:
    """A number on its colour, stronger the larger it is."""
    colour = "230, 120, 0" if value > 0 else "0, 114, 178"
    strength = 0.7 * min(1.0, abs(value) / limit)
    return f'<span class="sw-shade" style="background:rgba({colour}, {strength:.2f})">{value:+.2f}</span>'


def _cohort(parts: Parts, summary: Mapping[str, Any]) -> list[dict[str, Any] | None]:
    """Who carries what: oncoplot, and pairs of genes that go together or exclude each other."""
    oncoplot, pairs = parts.table("oncoplot.tsv"), parts.table("gene_pairs.tsv")
    return [
        None if oncoplot is None or oncoplot.empty else _oncoplot(oncoplot, summary.get("samples", 0)),
        None if pairs is None or pairs.empty else _pairs(pairs),
    ]


def staircase(hits: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Samples in the order of an oncoplot. hits: gene, most frequent first → sample → effect."""
    samples = dict.fromkeys(sample for of_gene in hits.values() for sample in of_gene)
    return sorted(samples, key=lambda sample: [sample not in of_gene for of_gene in hits.values()])


def _oncoplot(table: "pandas.DataFrame", samples: int) -> dict[str, Any]:
    hits: dict[str, dict[str, str]] = {}
    for gene, sample, effect in table[["gene", "sample", "effect"]].itertuples(index=False):
        hits.setdefault(gene, {})[sample] = effect
    order = staircase(hits)
    column = {sample: index for index, sample in enumerate(order[:SAMPLES_DRAWN])}
    rows = [
        (
            gene,
            f"{100 * len(of_gene) / samples:.0f} %" if samples else str(len(of_gene)),
            {column[sample]: effect for sample, effect in of_gene.items() if sample in column},
        )
        for gene, of_gene in hits.items()
    ]
    colours = {kind: colour for kind, colour in COLOURS.items() if kind in set(table["effect"])}
    named = {kind.replace("_", " or "): colour for kind, colour in colours.items()}
    drawn = f" The first {SAMPLES_DRAWN} are drawn." if len(order) > SAMPLES_DRAWN else ""
    share = f" of {html.number(samples)}" if samples else ""
    return PARENT.html(
        "drivers_oncoplot",
        "Oncoplot",
        figures.grid(rows, len(column), colours) + figures.legend(named),
        f"A column is one of the {html.number(len(order))}{share} samples with a mutation in these genes; on the right the share of "
        f"samples.{drawn} Which mutations are likely drivers: {html.link('drivers/driver_mutations.tsv')}.",
    )


def _pairs(table: "pandas.DataFrame") -> dict[str, Any]:
    shown = table[table["q_value"] < SIGNIFICANT].sort_values("p_value").head(PAIRS_SHOWN)
    words = {"exclusive": ("exclude each other", "warning"), "together": ("go together", "good")}
    rows = []
    for row in shown.to_dict("records"):
        said, kind = words.get(row["kind"], (row["kind"], ""))
        expected = f"{int(row['n_both'])} ({row['expected_both']:.1f} expected)"
        rows.append(
            [
                html.Cell(f"<b>{html.text(row['gene'])}</b> · <b>{html.text(row['other_gene'])}</b>"),
                html.Cell(f'<span class="sw-chip {kind}">{html.text(said)}</span>'),
                html.Cell(expected, row["n_both"]),
                f"{int(row['n_gene'])} and {int(row['n_other'])}",
                html.Cell(html.small_number(row["q_value"]), row["q_value"]),
            ]
        )
    header = ["Genes", "", "Samples with both", "With either", "q"]
    content = html.table(header, rows, "sw-pairs", [4]) if rows else "<p>No pair stands out.</p>"
    link = html.link("drivers/gene_pairs.tsv")
    description = (
        f"Pairs of driver genes at q below {SIGNIFICANT}, given how many mutations each sample has. All pairs: {link}."
    )
    return PARENT.html("drivers_pairs", "Genes that go together", content, description)
