"""What drug response tells the report: which drugs stand out in which sample, and where the model is out of its depth."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

if TYPE_CHECKING:
    import pandas

PARENT = Parent(
    "drug_response",
    "Drug response",
    "Predicted sensitivity to drugs, relative to the cell lines that the model was trained on.",
)
DRUGS_SHOWN = 30
SAMPLES_SHOWN = 150
ROWS_SHOWN = 50
FEWEST_COMPARED = 5
STANDS_OUT = 1.0  # standard deviations from the other samples; the strongest drug of a sample may lie below

METHODS = """Drug response was predicted with Strandwise ({models}) from gene expression, mutations or both: the natural logarithm of
the half-maximal inhibitory concentration (ln IC50, µM) as the Genomics of Drug Sensitivity in Cancer screen of cell lines would measure
it (GDSC2 [{gdsc}]). Expression was brought to the scale of the training lines, where needed gene by gene by an empirical-Bayes model in
the manner of ComBat [{combat}]. Predictions are the mean of a kernel ridge, kept as coefficients, and of Keras networks (TensorFlow
[{tensorflow}]), with corrections for single genes and mutations; structures that were never screened are placed by their fingerprints
(RDKit [{rdkit}]). Intervals of 90 % are conformal [{conformal}]. Cell lines are not patients: scores rank hypotheses and say nothing
about dose, access or benefit."""


def chapter(parts: Parts) -> Chapter | None:
    table = parts.table("response.tsv")
    if table is None:
        return None
    summary = parts.json("drug_response.json")
    extremes = parts.table("response_summary.tsv")
    sections: list[dict[str, Any] | None] = [_best(table, extremes, summary)]
    if len(table):
        alone = mutations_only(summary)
        measured = table[~table["sample"].isin(alone)]
        sections += [_heat_map(measured if len(measured) else table, len(alone)), _drugs(table)]
    return Chapter(
        cards=[_card(table, extremes, mutations_only(summary))],
        sections=[section for section in sections if section],
        methods=METHODS,
        citations=("gdsc", "combat", "tensorflow", "rdkit", "conformal"),
        models=sorted(set(table["model_version"].dropna())) or [summary.get("model_version", "")],
        folders={
            "drug_response/": "response.tsv: every sample and drug with interval, percentile and top features; "
            "response_summary.tsv: the drugs that stand out in each sample; drugs/: a page for each of the most telling drugs"
        },
    )


def mutations_only(summary: Mapping[str, Any]) -> list[str]:
    """Samples that were scored without expression: the summary lists samples with expression first."""
    return list(summary.get("tissues", {}))[summary.get("with_expression", 0) :] if "with_expression" in summary else []


def in_domain(table: "pandas.DataFrame") -> "pandas.Series":
    """Truth of column in_domain, however it was written (true/false, yes/no, 1/0), for each row."""
    return table["in_domain"].astype(str).str.lower().isin(("true", "yes", "1", "1.0"))


def _card(table: "pandas.DataFrame", extremes: "pandas.DataFrame | None", alone: list[str]) -> Card:
    if not len(table):
        words = "No sample could be scored."
        return Card("Drug response", "0 samples", words, html.GREEN, PARENT.identifier, words)
    samples = html.plural(table["sample"].nunique(), "sample")
    drugs = html.plural(table["drug"].nunique(), "drug")
    inside = table.loc[in_domain(table), "sample"].nunique()
    details = f"× {drugs}; {html.number(inside)} inside the training range"
    words = f"{samples} × {drugs}"
    if extremes is not None:
        # Mutation-only scores move little and would count for chance; they count where there is nothing else.
        measured = extremes[~extremes["sample"].isin(alone)]
        shown = measured if len(measured) else extremes
        sensitive = shown.loc[(shown["kind"] == "sensitive") & (shown["relative"] <= -STANDS_OUT), "drug"]
        leading = list(sensitive.value_counts().head(4).index)
        if leading:
            details += f"<br>Stand out most often: {html.chips(leading)}"
            words += f"; stand out most often: {', '.join(leading)}"
    return Card("Drug response", samples, details, html.GREEN, PARENT.identifier, words)


def _score(row: Mapping[str, Any], pages: Mapping[str, str], targets: Mapping[str, Sequence[str]]) -> str:
    """A drug and how far its score lies from the other samples'; targets, score, interval, percentile and reasons on hover.

    pages: file of each drug that has a page; targets: of each drug whose targets are known.
    """
    words = [f"targets {', '.join(targets[row['drug']])}"] if row["drug"] in targets else []
    words += [
        f"IC50 {math.exp(row['ln_ic50']):.3g} µM",
        f"ln IC50 {row['ln_ic50']:.2f} ({row['ln_ic50_low']:.2f} to {row['ln_ic50_high']:.2f})",
    ]
    if row["percentile"] == row["percentile"]:
        words.append(f"percentile {row['percentile']:.0f}")
    words.append(f"{row['delta_ln_ic50']:+.2f} against the mean training line")
    words += [row[column] for column in ("top_features", "top_programme") if isinstance(row.get(column), str)]
    title = html.text("; ".join(words))
    file = pages.get(row["drug"])
    name = html.link(f"drug_response/drugs/{file}", row["drug"]) if file else html.text(row["drug"])
    return f'<span class="sw-score" title="{title}">{name} <i>{row["relative"]:+.1f}</i></span>'


def _best(
    table: "pandas.DataFrame", extremes: "pandas.DataFrame | None", summary: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Per sample the drugs that stand out against the other samples.

    Samples inside the training range come first, among them those that stand out most.
    """
    if extremes is None:
        return None
    keys = ["sample", "drug"]
    joined = extremes[[*keys, "kind", "place", "relative"]].merge(table, on=keys).sort_values("place")
    strongest = joined.groupby("sample")["relative"].agg(lambda values: values.abs().max())
    inside = dict(zip(table["sample"], in_domain(table), strict=True))
    alone = set(mutations_only(summary))
    order = sorted(strongest.index, key=lambda name: (not inside[name], name in alone, -strongest[name], name))
    tissues, pages, targets = (summary.get(name, {}) for name in ("tissues", "pages", "targets"))
    rows: list[list[object]] = []
    away = joined["relative"] * joined["kind"].map({"sensitive": -1, "resistant": 1})
    groups = {key: group.to_dict("records") for key, group in joined[away >= STANDS_OUT].groupby(["sample", "kind"])}
    for name in order[:ROWS_SHOWN]:
        flag = "inside" if inside[name] else "outside"
        chip = f'<span class="sw-chip {"good" if inside[name] else "warning"}">{flag}</span>'
        if name in alone:
            chip += '<span class="sw-chip">mutations only</span>'
        cells = [
            html.Cell(
                "".join(_score(score, pages, targets) for score in scores) or "–",
                scores[0]["relative"] if scores else 0,
            )
            for scores in (groups.get((name, "sensitive"), []), groups.get((name, "resistant"), []))
        ]
        tissue = [tissues.get(name, "")] if tissues else []
        rows.append([html.Cell(f"<b>{html.text(name)}</b>"), *tissue, *cells, html.Cell(chip)])
    header = [
        "Sample",
        *(["Tissue"] if tissues else []),
        "Stands out as sensitive",
        "Stands out as resistant",
        "Training range",
    ]
    description = f"""{html.number(len(rows))} of {html.number(len(order))} samples, the most distinct first. The figure says by how many standard
    deviations the drug's score lies below (−, more sensitive) or above (+) the other samples', three drugs at most, from {STANDS_OUT:.0f} on. Hover for targets, IC50, interval
    and reasons. Outside the training range a score is a guess. Everything: {html.link("drug_response/response.tsv")}."""
    if pages:
        links = ", ".join(html.link(f"drug_response/drugs/{file}", drug) for drug, file in pages.items())
        description += f" Pages of the drugs that differ most between samples: {links}."
    if summary.get("licence"):
        description += f" Terms of the model: {html.text(summary['licence'].split(' (')[0])}."
    return PARENT.html("drug_response_best", "Drugs that stand out", html.table(header, rows, "sw-drugs"), description)


def most_telling_drugs(wide: "pandas.DataFrame", count: int) -> list[str]:
    """The drugs (columns of `wide`) whose scores differ most between samples; with one sample the strongest ones."""
    spread = wide.std(ddof=0) if len(wide) > 1 else wide.iloc[0].abs()
    return list(spread.sort_values(ascending=False, kind="stable").index[:count])


def _heat_map(table: "pandas.DataFrame", left_out: int) -> dict[str, Any]:
    """Scores by drug and sample, relative to the run's median sample where there are enough samples for one."""
    wide = table.pivot_table(index="sample", columns="drug", values="delta_ln_ic50", sort=True)
    compared = len(wide) >= FEWEST_COMPARED
    drugs = most_telling_drugs(wide, DRUGS_SHOWN)
    wide = wide[drugs] - wide[drugs].median() if compared else wide[drugs]
    of_all = ""
    if len(wide) > SAMPLES_SHOWN:
        of_all = f" The {SAMPLES_SHOWN} of {html.number(len(wide))} samples with the strongest scores are shown."
        wide = wide.loc[wide.min(axis=1).sort_values(kind="stable").index[:SAMPLES_SHOWN]]
    matrix = [[None if value != value else round(float(value), 2) for value in wide[drug]] for drug in drugs]
    limit = max(0.5, float(wide.abs().quantile(0.98).max()))
    if left_out and len(wide) > 1:
        of_all += f" {html.plural(left_out, 'sample')} with mutations only, whose scores move little, {'is' if left_out == 1 else 'are'} left out."
    reference = "the median of these samples" if compared else "the mean training line"
    return PARENT.plot(
        "drug_response_heat_map",
        "Scores of the most telling drugs",
        "heatmap",
        matrix,
        f"The {len(drugs)} drugs that differ most between samples. Blue: more sensitive than {reference} (lower ln IC50); orange: less. The scale is in ln units: −0.69 is half the concentration.{of_all}",
        helptext=f"Difference of predicted ln IC50 (ln µM) from {reference}. Rows and columns are clustered.",
        settings={
            "xlab": "sample",
            "ylab": "drug",
            "zlab": "Δ ln IC50",
            "min": -limit,
            "max": limit,
            "colstops": html.DIVERGING,
            "square": False,
            "ycats_samples": False,
            "cluster_switch_clustered_active": True,
            "display_values": False,
            "tt_decimals": 2,
            "height": 180 + 18 * len(drugs),
        },
        xcats=[html.text(name) for name in wide.index],
        ycats=[html.text(drug) for drug in drugs],
    )


def _drugs(table: "pandas.DataFrame") -> dict[str, Any] | None:
    """For each of the drugs that reach the lowest percentiles: how many samples lie in the most sensitive tenth."""
    sensitive = table[(table["percentile"] <= 10) & in_domain(table)]
    counts = sensitive.groupby("drug")["sample"].nunique().sort_values(ascending=False, kind="stable").head(20)
    if counts.empty or table["sample"].nunique() < 5:
        return None
    return PARENT.plot(
        "drug_response_sensitive",
        "Drugs with many sensitive samples",
        "bargraph",
        {html.text(drug): {"samples": int(count)} for drug, count in counts.items()},
        "Samples inside the training range that score among the most sensitive tenth of training lines. The lines are of all tissues: "
        "drugs to which a tissue as a whole is sensitive come first.",
        settings={"ylab": "samples", "series_label": "drugs", "cpswitch": False, "sort_samples": False, "height": 460},
        categories={"samples": {"name": "Samples", "color": html.GREEN}},
    )
