"""Figures as SVG inside the page, where MultiQC's own plots cannot show what matters (labels at points)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strandwise.report import html

WIDTH, HEIGHT = 960, 430
LEFT, RIGHT, TOP, BOTTOM = 62, 24, 16, 52
LETTER, LINE = 9.0, 15  # width of a wide bold letter and height of a line at 13 px


@dataclass(frozen=True)
class Point:
    """x, y: data; name: shown on hover, and beside the point if labelled; colour: CSS."""

    x: float
    y: float
    name: str
    colour: str
    labelled: bool = False


@dataclass(frozen=True)
class Axis:
    """label: text along the axis; scale: from data to something linear; ticks: data values; their texts are `names`."""

    label: str
    power: float
    high: float

    def place(self, value: float) -> float:
        """Where `value` lies between 0 and `high`: 0 to 1, drawn out at the low end by a root."""
        return (min(value, self.high) / self.high) ** self.power if self.high else 0.0

    @property
    def ticks(self) -> list[float]:
        steps = [0, *(digit * 10**power for power in range(6) for digit in (1, 2, 3, 5))]
        shown: list[float] = []
        for step in steps:
            if step <= self.high and (not shown or self.place(step) - self.place(shown[-1]) > 0.05):
                shown.append(step)
        return shown


def labelled_scatter(points: Sequence[Point], x: Axis, y: Axis, rule: float, rule_label: str) -> str:
    """Points with labels that do not cover each other, and a dashed line at y = `rule`."""

    def across(value: float) -> float:
        return LEFT + x.place(value) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<div class="sw-wide"><svg class="sw-figure-svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.text(y.label)}">'
    ]
    for tick in y.ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {down(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{down(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x.ticks:
        parts.append(f'<text x="{across(tick):.1f}" y="{HEIGHT - BOTTOM + 19}" text-anchor="middle">{tick:g}</text>')
    parts.append(
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{html.text(x.label)}</text>'
    )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text class="axis" transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{html.text(y.label)}</text>'
    )
    parts.append(f'<path class="rule" d="M{LEFT} {down(rule):.1f}H{WIDTH - RIGHT}"/>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{down(rule) - 5:.1f}" text-anchor="end">{html.text(rule_label)}</text>')
    placed = [(across(point.x) - 5, down(point.y) - 5, across(point.x) + 5, down(point.y) + 5) for point in points]
    labels = []
    for point in points:
        cx, cy = across(point.x), down(point.y)
        title = f"{html.text(point.name)}: {html.text(x.label)} {point.x:g}, {html.text(y.label)} {point.y:.3g}"
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="5" fill="{point.colour}"><title>{title}</title></circle>')
        if point.labelled and (box := _free_box(cx, cy, len(point.name) * LETTER, placed)):
            placed.append(box)
            middle_x = (box[0] + box[2]) / 2
            labels.append(f'<text class="name" x="{middle_x:.1f}" y="{box[3] - 3:.1f}">{html.text(point.name)}</text>')
    return "".join([*parts, *labels, "</svg></div>"])


def grid(rows: Sequence[tuple[str, str, Mapping[int, str]]], columns: int, colours: Mapping[str, str]) -> str:
    """Rows of coloured cells, one path per row and colour so that hundreds of columns stay light.

    rows: label on the left, label on the right, column → kind; colours: kind → CSS colour.
    """
    row_height, left, right = 21, 110, 56
    width = (WIDTH - left - right) / max(1, columns)
    height = row_height * len(rows) + 4
    parts = [f'<div class="sw-wide"><svg class="sw-figure-svg" viewBox="0 0 {WIDTH} {height}" role="img">']
    for index, (label, share, cells) in enumerate(rows):
        top = index * row_height + 2
        parts.append(f'<text class="name row" x="{left - 8}" y="{top + 14}">{html.text(label)}</text>')
        parts.append(f'<text x="{WIDTH - right + 8}" y="{top + 14}">{html.text(share)}</text>')
        parts.append(f'<path class="empty" d="M{left} {top}H{WIDTH - right}v{row_height - 3}H{left}z"/>')
        for kind, colour in colours.items():
            boxes = "".join(
                f"M{left + column * width:.1f} {top}h{max(0.6, width * 0.86):.1f}v{row_height - 3}h-{max(0.6, width * 0.86):.1f}z"
                for column, found in sorted(cells.items())
                if found == kind
            )
            if boxes:
                title = f"{html.text(label)}: {html.text(kind)}"
                parts.append(f'<path fill="{colour}" d="{boxes}"><title>{title}</title></path>')
    return "".join([*parts, "</svg></div>"])


def legend(colours: Mapping[str, str]) -> str:
    """Names of colours, in a row under a figure."""
    entries = (f'<span><i style="background:{colour}"></i>{html.text(name)}</span>' for name, colour in colours.items())
    return f'<p class="sw-legend">{"".join(entries)}</p>'


Box = tuple[float, float, float, float]


def _free_box(x: float, y: float, width: float, taken: Sequence[Box]) -> Box | None:
    """A place for a label near (x, y), inside the frame and over nothing; None when there is none."""
    for angle in (0, 180, -90, 90, -45, 45, -135, 135):
        distance_x = (10 + width / 2) * math.cos(math.radians(angle))
        distance_y = 15 * math.sin(math.radians(angle))
        left, top = x + distance_x - width / 2, y + distance_y - LINE / 2
        box = (left, top, left + width, top + LINE)
        inside = box[0] >= LEFT and box[1] >= 0 and box[2] <= WIDTH and box[3] <= HEIGHT - BOTTOM
        free = all(box[0] >= b[2] or box[2] <= b[0] or box[1] >= b[3] or box[3] <= b[1] for b in taken)
        if inside and free:
            return box
    return None


def forest(rows: Sequence[tuple[str, str, float, float, float, str, str]], axis: str) -> str:
    """Values with their intervals, one line each, on a common scale that ends at 1.

    rows: heading (drawn where it changes), label, low, value, high, CSS colour, text shown on hover.
    """
    width, row_height, left, right, top = 600, 19, 222, 22, 8
    floor = math.floor(10 * min((row[2] for row in rows), default=0.0)) / 10
    headings = sum(1 for index, row in enumerate(rows) if not index or rows[index - 1][0] != row[0])
    height = top + row_height * (len(rows) + headings) + 44

    def across(value: float) -> float:
        return left + (max(value, floor) - floor) / (1 - floor) * (width - left - right)

    parts = [f'<div class="sw-wide"><svg class="sw-figure-svg sw-narrow" viewBox="0 0 {width} {height}" role="img">']
    for step in range(6):
        tick = floor + (1 - floor) * step / 5
        parts.append(f'<path class="grid" d="M{across(tick):.1f} {top}V{height - 36}"/>')
        parts.append(f'<text x="{across(tick):.1f}" y="{height - 20}" text-anchor="middle">{tick:.3g}</text>')
    parts.append(
        f'<text class="axis" x="{(left + width - right) / 2}" y="{height - 4}" text-anchor="middle">{axis}</text>'
    )
    y, before = top, None
    for heading, label, low, value, high, colour, said in rows:
        if heading != before:
            parts.append(f'<text class="heading" x="8" y="{y + 15}">{html.text(heading)}</text>')
            y += row_height
            before = heading
        parts.append(
            f'<g><title>{html.text(said)}</title><text x="{left - 10}" y="{y + 14}" text-anchor="end">{html.text(label)}</text>'
        )
        parts.append(
            f'<path stroke="{colour}" stroke-width="2" opacity=".6" d="M{across(low):.1f} {y + 9.5}H{across(high):.1f}"/>'
        )
        parts.append(f'<circle cx="{across(value):.1f}" cy="{y + 9.5}" r="4.5" fill="{colour}"/></g>')
        y += row_height
    return "".join([*parts, "</svg></div>"])
