"""The chapters around the jobs: at a glance, what needs attention, methods, parameters, and the research-use notice."""

from collections.abc import Mapping, Sequence
from typing import Any

from strandwise.report import html
from strandwise.report.citations import WORKS
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

RESEARCH_USE = "For research use only. Not for use in diagnostic or treatment decisions: nothing here has been validated clinically."

GLANCE = Parent("glance", "At a glance")
ATTENTION = Parent(
    "attention", "What needs attention", "What was skipped, left out or looks odd, and what can be done about it."
)
METHODS = Parent("methods", "Methods")
PARAMETERS = Parent("parameters", "Parameters")

LEVELS = {"error": "Error", "warning": "Warning", "info": "Note"}
STEPS = {"inputs": "input", "joint": "joint genotyping", "drivers": "drivers", "drug_response": "drug response"}
SAMPLES_NAMED = 8
REASON = "The reason is printed at the end of the run."

Attention = tuple[str, str, list[str], str]


def attention(parts: Parts) -> list[Attention]:
    """(level, step, samples, text), worst first; equal texts of several samples or steps are one entry, of the first step; failed samples lead."""
    grouped: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for step, note in parts.notes:
        known = STEPS.get(step, "small variants" if step in parts.planned or step in parts.called else step)
        _, samples = grouped.setdefault((note.level, note.text), (known, []))
        sample = note.sample or (step if step in parts.called else "")
        if sample and sample not in samples:
            samples.append(sample)
    entries = [
        (level, step, [parts.label(name) for name in names], text) for (level, text), (step, names) in grouped.items()
    ]
    order = list(LEVELS)
    entries.sort(key=lambda entry: order.index(entry[0]) if entry[0] in order else len(order))
    for job in parts.unfinished:
        entries.insert(0, ("error", STEPS[job], [], f"The job did not finish; its results are missing. {REASON}"))
    if parts.failed:
        names = [parts.label(identifier) for identifier in parts.failed]
        text = f"Variant calling failed; the other samples are complete. {REASON}"
        entries.insert(0, ("error", "small variants", names, text))
    return entries


def attention_section(entries: Sequence[Attention]) -> dict[str, Any]:
    def item(entry: Attention) -> str:
        level, step, samples, message = entry
        named = html.chips(samples[:SAMPLES_NAMED])
        if len(samples) > SAMPLES_NAMED:
            rest = html.text(", ".join(samples[SAMPLES_NAMED:]))
            named += f'<span class="sw-chip" title="{rest}">and {len(samples) - SAMPLES_NAMED} more</span>'
        badge = f'<span class="sw-chip {html.text(level)}">{html.text(LEVELS.get(level, level))}</span>'
        return f"<li>{badge}<div><b>{html.text(step)}</b> {named}<br>{html.text(message)}</div></li>"

    urgent = [entry for entry in entries if entry[0] != "info"]
    rest = [entry for entry in entries if entry[0] == "info"]
    content = f'<ul class="sw-notes">{"".join(map(item, urgent))}</ul>' if urgent else "<p>No warnings.</p>"
    if rest:
        count = html.plural(len(rest), "further note")
        content += f'<details><summary>{count}</summary><ul class="sw-notes">{"".join(map(item, rest))}</ul></details>'
    return ATTENTION.html("attention_list", ATTENTION.name, content)


def glance_section(parts: Parts, chapters: Sequence[Chapter], entries: Sequence[Attention]) -> dict[str, Any]:
    cards = [card for chapter in chapters for card in chapter.cards]
    if parts.planned or parts.called:
        failed = len(parts.failed)
        details = "all called" if not failed else f"{len(parts.called)} called, <b>{failed} failed</b>"
        count = len(parts.planned) or len(parts.called)
        names = html.chips(map(parts.label, parts.failed[:3]), "error") + html.chips(
            map(parts.label, [*parts.called][:4])
        )
        cards.insert(
            0, Card("Sequenced samples", html.number(count), f"{details}<br>{names}", html.SKY, "small_variants")
        )
    counts = {level: sum(1 for entry in entries if entry[0] == level) for level in LEVELS}
    urgent = counts["error"] + counts["warning"]
    details = f"{html.plural(counts['error'], 'error')}, {html.plural(counts['warning'], 'warning')}"
    details += f", {html.plural(counts['info'], 'note')}"
    figure, colour = (html.plural(urgent, "point"), html.ORANGE) if urgent else ("nothing", html.GREEN)
    cards.append(Card("Needs attention", figure, details, html.VERMILION if counts["error"] else colour, "attention"))
    body = "".join(
        f'<a class="sw-card" href="#{card.anchor}" style="--c:{card.colour}"><span class="sw-title">{html.text(card.title)}</span>'
        f'<span class="sw-figure">{card.figure}</span><span class="sw-details">{card.details}</span></a>'
        for card in cards
    )
    if not chapters:
        body += "<p>No job produced results.</p>"
    folders = {name: meaning for chapter in chapters for name, meaning in chapter.folders.items()}
    # A name such as small_variants/<sample>/explain/ stands for several folders.
    named = {name: html.text(name) if "<" in name else html.link(name) for name in folders}
    files = "".join(f"<li>{named[name]} {html.text(meaning)}</li>" for name, meaning in folders.items())
    files += f"<li>{html.link('pipeline_info/')} parameters, versions, trace, timeline</li>"
    content = f'<div class="sw-cards">{body}</div><p class="sw-notice">{RESEARCH_USE}</p>'
    content += f'<details class="sw-files"><summary>Files beside this report</summary><ul>{files}</ul></details>'
    return GLANCE.html("glance_cards", GLANCE.name, content)


def methods_section(chapters: Sequence[Chapter], pipeline_version: str) -> dict[str, Any]:
    """Text for a paper's methods, with numbered works in the order in which they are cited."""
    keys = ["nextflow", *(key for chapter in chapters for key in chapter.citations), "multiqc"]
    numbers = {key: str(index) for index, key in enumerate(dict.fromkeys(keys), 1)}
    opening = f"Data were processed with Strandwise {html.text(pipeline_version)}, a Nextflow pipeline [{numbers['nextflow']}]."
    texts = [
        chapter.methods.format(models=html.text(", ".join(chapter.models) or "no model"), **numbers)
        for chapter in chapters
        if chapter.methods
    ]
    texts.append(f"Results were gathered with MultiQC [{numbers['multiqc']}].")
    works = "".join(f"<li>{WORKS[key].html()}</li>" for key in numbers)
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in [opening, *texts])
    content = f'<div class="sw-prose">{paragraphs}<ol class="sw-works">{works}</ol><p class="sw-notice">{RESEARCH_USE}</p></div>'
    return METHODS.html("methods_text", METHODS.name, content, "")


def parameters_section(parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameters that are set, as the run used them."""
    rows = [
        [html.Cell(f"<code>--{html.text(name)}</code>"), html.Cell(f"<code>{html.text(value)}</code>")]
        for name, value in sorted(parameters.items())
        if value not in (None, "", [])
    ]
    if not rows:
        return None
    content = f"<details><summary>{html.plural(len(rows), 'parameter')}</summary>{html.table(['Name', 'Value'], rows, 'sw-parameters')}</details>"
    return PARAMETERS.html("parameters_table", PARAMETERS.name, content)
