"""What explained calls tell the report: what was decided and why, with links to the pictures."""

from collections.abc import Mapping
from typing import Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Chapter
from strandwise.report.small_variants import PARENT

METHODS = """Single calls were explained by integrated gradients [{sundararajan}] of the log-odds of the called genotype, through
both networks and their calibration, from the average candidate with reads that say nothing."""

MOST_ROWS = 100
ENDING = ".explained.tsv"
KINDS = {"called": "good", "filtered": "warning"}


def chapter(parts: Parts) -> Chapter | None:
    """None when nothing was explained."""
    tables = {path.name.removesuffix(ENDING): parts.table(path.name) for path in parts.files(f"*{ENDING}")}
    rows = [
        (identifier, row)
        for identifier, table in tables.items()
        if table is not None
        for row in table.astype(object).where(table.notna(), None).to_dict("records")
    ]
    if not rows:
        return None
    return Chapter(
        sections=[_section(parts, rows)],
        methods=METHODS,
        citations=("sundararajan",),
        folders={
            "small_variants/<sample>/explain/": "pictures of chosen calls and what moved the networks, why others were not called"
        },
    )


def _section(parts: Parts, rows: list[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    header = ["Sample", "Place", "Change", "What became of it", "GT", "GQ", "Why"]
    body = [_row(parts.label(identifier), f"small_variants/{identifier}/explain", row) for identifier, row in rows]
    shown = body[:MOST_ROWS]
    content = html.table(header, shown, "sw-explained", [5])
    if len(body) > len(shown):
        lists = " · ".join(
            html.link(f"small_variants/{identifier}/explain/sites.tsv", parts.label(identifier))
            for identifier in dict.fromkeys(identifier for identifier, _ in rows)
        )
        content += f"<p>{len(body) - len(shown):,} more stand in the lists: {lists}</p>"
    description = """Each place links to a picture: reads and haplotypes around it, and what each read, position and feature adds to
    the log-odds of the call. In brackets: what a feature adds, in units of 10 log10 of the odds (10: ten times as likely). By default these
    are the calls that were least certain; <code>--explain</code> takes other calls or any place, called or not."""
    return PARENT.html("small_variants_explained", "Why these calls", content, description)


def _row(label: str, folder: str, row: Mapping[str, Any]) -> list[object]:
    place = f"{row['contig']}:{int(row['position']):,}"
    picture = row.get("picture")
    linked = html.link(f"{folder}/{picture}", place) if picture else html.text(place)
    if row.get("attributions"):
        linked += "<br>" + html.link(f"{folder}/{row['attributions']}", "attributions")
    change = "–" if row["alternate"] == "." else f"{_short(row['reference'])}&gt;{_short(row['alternate'])}"
    decision = f'<span class="sw-chip {KINDS.get(row["decision"], "")}">{html.text(row["decision"])}</span>'
    step = str(row["step"]) if row["decision"] in ("called", "filtered") else f"{row['step']}: {row['cause']}"
    quality = None if row.get("gq") is None else float(row["gq"])
    decided, _, attributed = str(row["reason"]).partition("; for ")
    why = html.text(decided) + (f"<br><small>for {html.text(attributed)}</small>" if attributed else "")
    return [
        label,
        html.Cell(linked, int(row["position"])),
        html.Cell(change),
        html.Cell(f"{decision}<br><small>{html.text(step)}</small>"),
        row.get("genotype") or "–",
        html.figure_cell(quality, "{:.0f}"),
        html.Cell(f'<span class="sw-text">{why}</span>'),
    ]


def _short(bases: object) -> str:
    text = str(bases)
    return html.text(text if len(text) <= 12 else f"{text[:6]}… ({len(text)})")
