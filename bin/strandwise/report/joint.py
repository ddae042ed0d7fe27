"""What joint genotyping tells the report: sites, trios with their Mendelian errors, the likeliest de novo variants."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

if TYPE_CHECKING:
    import pandas

PARENT = Parent("joint", "Joint genotyping", "All samples together, families by inheritance, from their gVCFs.")

METHODS = """Samples were genotyped together from their gVCFs. The prior that the single-sample probabilities hold is divided out; allele
frequencies are integrated over the neutral spectrum, given all samples [{li2011}], and the genotypes of a family are summed exactly over
parents and children with a mutation rate of 1.2 × 10<sup>-8</sup> (indels 10<sup>-9</sup>) per site and generation, as in Polymutt
[{polymutt}]. The probability of a de novo variant is the share of these sums in which a transmitted allele has mutated."""

MOST_CANDIDATES = 50
FOLDER = "small_variants/joint"


def chapter(parts: Parts) -> Chapter | None:
    """None when samples were not genotyped together."""
    summary = parts.json("joint.json")
    if not summary:
        return None
    table = parts.table("de_novo.tsv")
    sections = [_samples(summary), _trios(parts, summary), _candidates(table)]
    return Chapter(
        cards=[_card(summary)],
        sections=[section for section in sections if section],
        methods=METHODS,
        citations=("li2011", "polymutt"),
        folders={f"{FOLDER}/": "all samples in one VCF, Mendelian errors, de novo candidates"},
    )


def _new(trio: Mapping[str, Any]) -> int:
    return sum(trio["de_novo"].values())


def _card(summary: Mapping[str, Any]) -> Card:
    sites = sum(summary["records"].values())
    words = f"{html.number(sites)} sites in {html.plural(len(summary['samples']), 'sample')}"
    details = f"sites in {html.plural(len(summary['samples']), 'sample')}"
    if trios := summary["trios"]:
        found = f"{html.plural(len(trios), 'trio')}, {html.plural(sum(map(_new, trios)), 'de novo variant')}"
        words, details = f"{words}, {found}", f"{details}<br>{found}"
    return Card("Joint genotypes", html.figure(sites), details, html.PURPLE, PARENT.identifier, words)


def _samples(summary: Mapping[str, Any]) -> dict[str, Any]:
    records, changed = summary["records"], summary["changed"]
    passed = summary["filters"].get("PASS", 0)
    lines = [
        f"{html.number(records['SNP'])} SNV and {html.number(records['INDEL'])} indel sites at which somebody carries an alternate "
        f"allele, {html.number(passed)} of them pass.",
        f"Genotypes that the other samples changed: {html.number(changed.get('0/0 to variant', 0))} from 0/0 to a variant, "
        f"{html.number(changed.get('variant to 0/0', 0))} from a variant to 0/0, "
        f"{html.number(changed.get('variant to variant', 0))} to another variant genotype.",
    ]
    files = " · ".join(
        html.link(f"{FOLDER}/{name}", words)
        for name, words in (
            ("joint.vcf.gz", "VCF"),
            ("mendelian.tsv", "Mendelian errors"),
            ("de_novo.tsv", "de novo candidates"),
        )
    )
    names = html.chips(summary["samples"][:20])
    more = len(summary["samples"]) - 20
    names += f'<span class="sw-chip">and {more} more</span>' if more > 0 else ""
    content = "".join(f"<p>{line}</p>" for line in lines) + f"<p>{names}</p><p>{files}</p>"
    return PARENT.html("joint_samples", "All samples", content)


def _trios(parts: Parts, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    table = parts.table("mendelian.tsv")
    if table is None or table.empty:
        return None
    rows: list[list[object]] = []
    for trio in summary["trios"]:
        own = table[(table["child"] == trio["child"]) & (table["type"] == "ALL")]
        cells: list[object] = [trio["child"], trio["father"], trio["mother"]]
        for bound in (0, 20):
            row = own[own["min_gq"] == bound].iloc[0]
            rate = 100 * float(row["rate_alone"]) if row["sites"] else None
            cells += [html.figure_cell(int(row["sites"]), "{:,}"), html.figure_cell(int(row["errors_alone"]), "{:,}")]
            cells.append(html.figure_cell(rate, "{:.3f} %"))
        cells += [html.figure_cell(int(own[own["min_gq"] == 0].iloc[0]["errors"]), "{:,}")]
        cells += [html.figure_cell(trio["de_novo"][kind], "{:,}") for kind in ("SNP", "INDEL")]
        rows.append([*cells, html.figure_cell(trio["listed"], "{:,}")])
    header = ["Child", "Father", "Mother", "Sites", "Errors alone", "Rate", "Sites, GQ 20", "Errors alone", "Rate"]
    header += ["Errors jointly", "De novo SNVs", "De novo indels", "Listed"]
    description = """Sites with a passing genotype of all three. Errors alone: genotypes of the single samples that contradict
    inheritance, which says how good calls are and whether the samples belong together (a trio of good samples has less than 1 %, three
    strangers more than 10 %). Jointly only de novo calls are left. De novo: probability of 0.5 and more; listed: 0.001 and more."""
    content = html.table(header, rows, "sw-trios", range(3, len(header)))
    return PARENT.html("joint_trios", "Trios and Mendelian errors", content, description)


def _candidates(table: "pandas.DataFrame | None") -> dict[str, Any] | None:
    if table is None or table.empty:
        return None
    rows: list[list[object]] = []
    for row in table.head(MOST_CANDIDATES).to_dict("records"):
        share = html.bar(row["probability"], f"{row['probability']:.2g}", html.BLUE)
        place = html.Cell(f"{html.text(row['contig'])}:{row['position']:,}", int(row["position"]))
        change = f"{_short(row['reference'])} → {_short(row['alternate'])}"
        cells: list[object] = [row["child"], place, change, html.Cell(share, row["probability"])]
        cells += [_evidence(row, member) for member in ("child", "father", "mother")]
        rows.append([*cells, row["filter"]])
    more = len(table) - len(rows)
    description = "Evidence: genotype, reads of each allele (the reference first), genotype quality. "
    description += f"The first {len(rows)} of {len(table):,}; the rest is in de_novo.tsv. " if more > 0 else ""
    description += "The probability knows how rare mutations are: with few reads of a parent it stays low, as a heterozygous parent who was missed is likelier. "
    description += "Look at the reads of all three before you believe one: parents with few reads, and repeats, are the usual causes of false ones."
    header = ["Child", "Place", "Change", "Probability", "Child's evidence", "Father's", "Mother's", "Filter"]
    content = html.table(header, rows, "sw-de-novo")
    return PARENT.html("joint_de_novo", "De novo candidates", content, description)


def _evidence(row: Mapping[Any, Any], member: str) -> html.Cell:
    reads = str(row[f"{member}_ad"]).replace(",", " + ")
    return html.Cell(html.text(f"{row[f'{member}_gt']}, {reads}, GQ {row[f'{member}_gq']}"), int(row[f"{member}_gq"]))


def _short(allele: str, most: int = 12) -> str:
    return allele if len(allele) <= most else f"{allele[: most - 4]}…({len(allele)})"
