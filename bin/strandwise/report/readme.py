"""The report in plain text: README.txt of the results folder, and the few lines that the end of a run prints."""

import textwrap
from collections.abc import Sequence

from strandwise import __version__
from strandwise.report.overview import LEVELS, RESEARCH_USE, Attention
from strandwise.report.parts import Parts
from strandwise.report.section import Chapter


def results_readme(chapters: Sequence[Chapter], parts: Parts) -> str:
    """Plain text, at most 90 characters a line where file names allow it."""
    folders = {"multiqc_report.html": "the report: open it in any browser, it needs no network"}
    for chapter in chapters:
        folders |= chapter.folders
    folders["pipeline_info/"] = "parameters, versions, resources and times of this run"
    width = max(map(len, folders)) + 2
    models = [f"  {model}" for chapter in chapters for model in chapter.models if model] or ["  none"]
    lines = [f"Results of Strandwise {__version__}", "", *textwrap.wrap(RESEARCH_USE, 90), "", "What lies here"]
    lines += [f"  {name:<{width}}{meaning}" for name, meaning in folders.items()]
    lines += ["", "Models", *models]
    if parts.failed:
        lines += [
            "",
            "Failed samples (not in the results)",
            *(f"  {parts.label(identifier)}" for identifier in parts.failed),
        ]
    lines += ["", "Every table has a header line; its columns are explained in docs/output.md of the pipeline."]
    return "\n".join(lines) + "\n"


def closing_lines(chapters: Sequence[Chapter], entries: Sequence[Attention]) -> str:
    """What was found, a line per job, and what needs attention, errors and warnings only."""
    cards = [card for chapter in chapters for card in chapter.cards if card.words]
    width = max((len(card.title) for card in cards), default=0) + 2
    lines = [f"{card.title:<{width}}{card.words}" for card in cards] or ["No job produced results."]
    urgent = [entry for entry in entries if entry[0] != "info"]
    if urgent:
        lines += ["", "What needs attention"]
    for level, step, samples, text in urgent:
        named = f" {', '.join(samples[:5])}{' …' if len(samples) > 5 else ''}" if samples else ""
        lines.append(f"  {LEVELS.get(level, level)}, {step}{named}: {text}")
    return "\n".join(lines) + "\n"
