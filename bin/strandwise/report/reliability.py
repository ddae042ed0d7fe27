"""Whether GQ means what it says: errors promised against errors seen, as a figure and in numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from strandwise.formats.shares import share_interval
from strandwise.report import html

if TYPE_CHECKING:
    import pandas

ENOUGH = 20
"""A bin with so many errors expected must not be off by more than FACTOR."""

FACTOR = 2.0
COLOURS = {"SNP": html.BLUE, "INDEL": html.ORANGE}
SIZE, LEFT, RIGHT, TOP, BOTTOM = 440, 58, 14, 30, 48
LOWEST = -4.0  # of the axes, log10 of an error rate


@dataclass(frozen=True)
class Summary:
    """One set, type and decision. error: expected calibration error, the sum over bins of |expected - observed| / genotypes;
    judged: bins with ENOUGH errors expected; off: those of them, as text, that are off by more than FACTOR."""

    set: str
    type: str
    decision: str
    genotypes: int
    expected: float
    observed: int
    error: float
    judged: int
    off: tuple[str, ...]


def summaries(table: "pandas.DataFrame") -> list[Summary]:
    """From the rows of a table `reliability`, in their order; what holds no genotype is left out."""
    found = []
    for (name, kind, decision), bins in table.groupby(["set", "type", "decision"], sort=False):
        genotypes = int(bins["genotypes"].sum())
        if not genotypes:
            continue
        error = float((bins["expected"] - bins["observed"]).abs().sum() / genotypes)
        enough = bins[bins["expected"] >= ENOUGH]
        off = enough[
            (enough["observed"] > FACTOR * enough["expected"]) | (enough["expected"] > FACTOR * enough["observed"])
        ]
        words = tuple(
            f"GQ {row.gq_from:g} to {row.gq_to:g}: {row.expected:.1f} expected, {row.observed} seen"
            for row in off.itertuples()
        )
        totals = (float(bins["expected"].sum()), int(bins["observed"].sum()))
        found.append(Summary(str(name), str(kind), str(decision), genotypes, *totals, error, len(enough), words))
    return found


def content(table: "pandas.DataFrame") -> str:
    """The figures of called and of rejected genotypes side by side, and the table of summaries."""
    sets = list(dict.fromkeys(table["set"]))
    figures = "".join(
        _figure(f"{decision} genotypes", list(rows.to_dict("records")), sets)
        for decision, rows in table.groupby("decision", sort=False)
        if any(_drawn(row) for row in rows.to_dict("records"))
    )
    header = [
        "Set",
        "Type",
        "Decision",
        "Genotypes",
        "Errors expected",
        "Errors seen",
        "Calibration error",
        "Bins that can be judged",
        "Off",
    ]
    rows: list[list[object]] = []
    for found in summaries(table):
        numbers = [
            html.number(found.genotypes),
            f"{found.expected:.1f}",
            html.number(found.observed),
            f"{found.error:.4f}",
        ]
        verdict = html.Cell(html.chips(found.off, "warning") if found.off else "none" if found.judged else "–")
        rows.append([found.set, found.type, found.decision, *numbers, found.judged, verdict])
    legend = "".join(f'<span><i style="background:{colour}"></i>{name}</span>' for name, colour in COLOURS.items())
    legend += "".join(
        f"<span>{_mark(index, 7, 7, 'currentColor', svg=True)} {html.text(name)}</span>"
        for index, name in enumerate(sets)
        if len(sets) > 1
    )
    drawn = f'<div class="sw-panels">{figures}</div><p class="sw-legend">{legend}</p>'
    return (
        f"{drawn if figures else '<p>Too few genotypes for a figure: no bin has half an error expected or one seen.</p>'}"
        f"{html.table(header, rows, 'sw-reliability', range(3, 8))}"
    )


HELP = f"""A genotype with GQ 20 promises one error in a hundred. Each mark is a bin of GQ: the errors that its genotypes promise on the x-axis,
those that the truth shows on the y-axis, with the 95 % interval. Marks on the diagonal keep the promise; in the shaded band they are off by a
factor of {FACTOR:g} at most; above it errors are more frequent than promised. Bins in which less than half an error is expected and none seen are not drawn.
Calibration error: the mean over genotypes of the difference between both, bin by bin. Bins that can be judged: those with
{ENOUGH} errors expected or more; listed as off if they miss by more than {FACTOR:g} times."""


def _figure(title: str, rows: Sequence[dict[str, Any]], sets: Sequence[str]) -> str:
    """One square panel, both axes log10 error rates from LOWEST to 0."""

    def across(rate: float) -> float:
        return LEFT + _place(rate) * (SIZE - LEFT - RIGHT)

    def down(rate: float) -> float:
        return SIZE - BOTTOM - _place(rate) * (SIZE - TOP - BOTTOM)

    parts = [f'<svg class="sw-panel" viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{html.text(title)}">']
    parts.append(f'<text class="name" x="{(LEFT + SIZE - RIGHT) / 2}" y="18">{html.text(title)}</text>')
    low, right, top = 10**LOWEST, SIZE - RIGHT, TOP
    band = [(low, low), (low, low * FACTOR), (1 / FACTOR, 1), (1, 1), (1, 1 / FACTOR), (low * FACTOR, low)]
    parts.append(f'<path class="band" d="M{"L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in band)}z"/>')
    for power in range(int(LOWEST), 1):
        rate = 10.0**power
        parts.append(
            f'<path class="grid" d="M{LEFT} {down(rate):.1f}H{right}M{across(rate):.1f} {top}V{SIZE - BOTTOM}"/>'
        )
        name = f"{rate:g}" if power > -4 else "0.0001"
        parts.append(f'<text x="{LEFT - 7}" y="{down(rate) + 4:.1f}" text-anchor="end">{name}</text>')
        parts.append(f'<text x="{across(rate):.1f}" y="{SIZE - BOTTOM + 17}" text-anchor="middle">{name}</text>')
    parts.append(f'<path class="diagonal" d="M{across(low):.1f} {down(low):.1f}L{across(1):.1f} {down(1):.1f}"/>')
    middle_x, middle_y = (LEFT + right) / 2, (TOP + SIZE - BOTTOM) / 2
    parts.append(f'<text class="axis" x="{middle_x}" y="{SIZE - 10}" text-anchor="middle">error rate promised</text>')
    parts.append(
        f'<text class="axis" transform="translate(13 {middle_y}) rotate(-90)" text-anchor="middle">error rate seen</text>'
    )
    parts += _marks(rows, sets, across, down)
    return "".join([*parts, "</svg>"])


def _marks(rows: Sequence[dict[str, Any]], sets: Sequence[str], across: Any, down: Any) -> Iterator[str]:
    for row in rows:
        if not _drawn(row):
            continue
        total, expected, observed = row["genotypes"], row["expected"], row["observed"]
        x, y = across(expected / total), down(observed / total)
        low, high = share_interval(observed, total)
        said = (
            f"{row['set']} {row['type']}, GQ {row['gq_from']:g} to {row['gq_to']:g}: {html.plural(total, 'genotype')}, "
        )
        said += f"{expected:.1f} errors expected, {observed} seen"
        colour = COLOURS.get(row["type"], html.GREY)
        yield f'<g><title>{html.text(said)}</title><path class="whisker" stroke="{colour}" d="M{x:.1f} {down(low):.1f}V{down(high):.1f}"/>'
        yield f"{_mark(sets.index(row['set']), x, y, colour)}</g>"


def _drawn(row: dict[str, Any]) -> bool:
    """Whether a bin says anything: one in which less than half an error is expected and none is seen does not."""
    return bool(row["genotypes"]) and (row["expected"] >= 0.5 or row["observed"] > 0)


def _place(rate: float) -> float:
    return min(1.0, max(0.0, 1 - math.log10(max(rate, 1e-12)) / LOWEST))


def _mark(index: int, x: float, y: float, colour: str, svg: bool = False) -> str:
    """Disk, ring, diamond, square: told apart in print too."""
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>',
        f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke="{colour}"/>',
        f'<path fill="{colour}" d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"/>',
        f'<path fill="{colour}" d="M{x - 4.5:.1f} {y - 4.5:.1f}h9v9h-9z"/>',
    )
    shape = shapes[index % len(shapes)]
    return f'<svg class="sw-mark" viewBox="0 0 14 14">{shape}</svg>' if svg else shape


def markdown(table: "pandas.DataFrame") -> str:
    """The summaries as a table for benchmarks/RESULTS.md, then every bin that is off."""
    found = summaries(table)
    lines = [
        "| set | type | decision | genotypes | errors expected | errors seen | calibration error | bins judged | off |",
        "| --- " * 9 + "|",
    ]
    lines += [
        f"| {one.set} | {one.type} | {one.decision} | {one.genotypes:,} | {one.expected:.1f} | {one.observed} | {one.error:.4f} | {one.judged} | {'; '.join(one.off) or 'none'} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"
