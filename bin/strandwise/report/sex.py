"""What the depth of X and Y says of each sample's sex, beside the sheet."""

from collections.abc import Mapping
from typing import Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Parent

CHIPS = {"agrees": "good", "disagrees": "error", "unusual": "warning"}


def section(parent: Parent, parts: Parts, labels: Mapping[str, str]) -> dict[str, Any] | None:
    """One row per sample that was measured, what needs attention first; None where no sample was."""
    checks = {identifier: parts.json(f"{identifier}.sex.json") for identifier in labels}
    checks = {identifier: check for identifier, check in checks.items() if check}
    if not checks:
        return None
    order = ["disagrees", "unusual", "unclear", "suggested", "agrees", "cannot tell"]
    rows: list[list[object]] = []
    for identifier, check in sorted(checks.items(), key=lambda pair: order.index(pair[1]["verdict"])):
        chip = html.Cell(html.chips([check["verdict"]], CHIPS.get(check["verdict"], "")), order.index(check["verdict"]))
        depths = [html.figure_cell(check["autosomes"], "{:.1f}×")]
        depths += [html.figure_cell(check[name], "{:.2f}") for name in ("x", "y")]
        said = (
            ""
            if check["verdict"] == "agrees"
            else html.Cell(f'<span class="sw-text">{html.text(check["text"])}</span>')
        )
        measured = check["measured"] or "–"
        rows.append([html.Cell(labels[identifier]), check["sheet"], measured, chip, *depths, said])
    header = ["Sample", "Sheet", "By depth", "Verdict", "Autosomes", "X", "Y", "What it means"]
    description = """Mean depth at up to 120 places of the autosomes, X and Y among what is called (mapping quality 20 and more,
    pseudo-autosomal regions left out); X and Y in units of the autosomes: a single X is near 0.5, and a Y between 0.2 and 0.5, as
    parts of it look like other places. The copies of X and Y in the calls are those of the sheet, not of this measurement."""
    content = html.table(header, rows, "sw-sex", range(4, 7))
    return parent.html("small_variants_sex", "Sex by depth", content, description)
