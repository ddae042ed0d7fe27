"""What read-backed phasing tells the report: how much of each sample is phased."""

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Chapter
from strandwise.report.small_variants import PARENT

METHODS = """Heterozygous calls were phased by the reads that span several of them, with WhatsHap [{whatshap}]."""
ENDING = ".phasing.json"


def chapter(parts: Parts) -> Chapter | None:
    """None when nothing was phased."""
    found = {path.name.removesuffix(ENDING): parts.json(path.name) for path in parts.files(f"*{ENDING}")}
    if not found:
        return None
    rows: list[list[object]] = []
    for identifier, one in found.items():
        share = one["phased"] / one["heterozygotes"] if one["heterozygotes"] else 0.0
        cell = html.Cell(html.bar(share, f"{100 * share:.1f} %", html.SKY), share)
        counts = [html.figure_cell(one[name], "{:,.0f}") for name in ("heterozygotes", "phased")]
        blocks = [html.figure_cell(one[name], "{:,.0f}") for name in ("blocks", "n50")]
        rows.append([html.Cell(html.text(parts.label(identifier))), *counts, cell, *blocks])
    header = ["Sample", "Heterozygous calls", "Phased by reads", "Share", "Blocks", "N50, bases"]
    description = """Calls of one block (PS in the VCF) have their alleles sorted onto two chromosomes; between blocks nothing is
    known. Half of all bases in blocks lie in blocks of N50 bases or more."""
    content = html.table(header, rows, "sw-phasing", range(1, 6))
    return Chapter(
        sections=[PARENT.html("small_variants_phasing", "Phasing", content, description)],
        methods=METHODS,
        citations=("whatshap",),
    )
