"""Draws why a call is what it is: reads and haplotypes around it, and what each of them adds to its log-odds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.formats.files import written

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

SCALE = 2
"""Pixels of the file per unit of the layout: sharp on fine screens and in print."""

CELL, ROW = 9, 11
"""Width of a base and height of a read."""

LEFT, TOP = 96, 90
READ_BARS, NAMES, FEATURE_BARS = 132, 178, 150
TRACK = 64
"""Height of the attributions by position."""

# Okabe and Ito's palette: told apart by people with any of the common colour deficiencies.
BASE_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00", "N": "#7F7F7F"}
INK, QUIET_INK, LINE, SAME = "#1F2328", "#6B7177", "#D5D9DD", "#DEE2E6"
FOR, AGAINST = "#30363D", "#CC79A7"
"""Bars that raise the log-odds of the call, and bars that lower it; they also point to different sides."""

STEPS, PALEST = 20, 0.72
"""Steps from each colour towards white; paler ones would be taken for white."""

DELETED = "-"


@dataclass(frozen=True)
class Base:
    """What a read shows in a column. text: base, or DELETED; quality: phred; clipped: cut off by the aligner."""

    text: str
    quality: int
    clipped: bool = False


@dataclass
class ReadRow:
    """One read. bases: by column; squeezed: columns before which it has bases that are not drawn; attribution: phred; seen:
    whether the read-level network was shown it."""

    bases: dict[int, Base]
    squeezed: list[int]
    reverse: bool
    mapping_quality: int
    attribution: float
    seen: bool = True


@dataclass
class Group:
    """Reads that favour the same: title, rows in order."""

    title: str
    rows: list[ReadRow]


@dataclass
class Picture:
    """All that is drawn. reference: base by column (blank where reads insert); haplotypes: (label, base by column);
    columns: 0-based reference position of each column, None for inserted bases; by_position: phred by column;
    marked: columns of the change; bars: (name, value in words, phred), strongest first; steps: baseline and output."""

    title: str
    verdict: str
    reason: str
    columns: Sequence[int | None]
    reference: Sequence[str]
    haplotypes: Sequence[tuple[str, Sequence[str]]]
    groups: Sequence[Group]
    by_position: Sequence[float]
    marked: tuple[int, int]
    bars: Sequence[tuple[str, str, float]]
    baseline: float | None
    output: float | None
    omitted: int = 0
    notes: list[str] = field(default_factory=list)


class Canvas:
    """A drawing in layout units; text by the font that Pillow carries."""

    def __init__(self, width: float, height: float):
        from PIL import Image, ImageDraw

        self.image = Image.new("RGB", (int(width * SCALE), int(height * SCALE)), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.fonts: dict[float, FreeTypeFont] = {}

    def box(self, x: float, y: float, width: float, height: float, fill: object = None, outline: object = None) -> None:
        left, right = sorted((x, x + width))
        place = (round(left * SCALE), round(y * SCALE), round(right * SCALE) - 1, round((y + height) * SCALE) - 1)
        if place[2] >= place[0] and place[3] >= place[1]:
            self.draw.rectangle(place, fill=fill, outline=outline)  # type: ignore[arg-type]

    def line(self, x: float, y: float, to_x: float, to_y: float, colour: str = LINE, width: int = 1) -> None:
        self.draw.line([(x * SCALE, y * SCALE), (to_x * SCALE, to_y * SCALE)], fill=colour, width=width)

    def polygon(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def text(self, x: float, y: float, words: str, size: float = 10, colour: object = INK, anchor: str = "lm") -> None:
        self.draw.text((x * SCALE, y * SCALE), words, fill=colour, font=self.font(size), anchor=anchor)  # type: ignore[arg-type]

    def width(self, words: str, size: float) -> float:
        return self.font(size).getlength(words) / SCALE

    def font(self, size: float) -> "FreeTypeFont":
        from PIL import ImageFont

        if size not in self.fonts:
            self.fonts[size] = ImageFont.load_default(size * SCALE)  # type: ignore[assignment]
        return self.fonts[size]

    def save(self, path: Path) -> None:
        """Write as PNG with a palette of the drawing's own colours and their steps to white: small, and quick to make."""
        from PIL import Image

        colours = [*BASE_COLOURS.values(), SAME, INK, QUIET_INK, LINE, FOR, AGAINST]
        palette = Image.new("P", (1, 1))
        steps = [
            part
            for colour in colours
            for step in range(STEPS)
            for part in _towards_white(colour, PALEST * step / STEPS)
        ]
        palette.putpalette([*steps, 255, 255, 255])
        self.image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, format="PNG", compress_level=6)

    def wrapped(self, words: str, size: float, width: float, most: int) -> list[str]:
        lines = [""]
        for word in words.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.width(longer, size) > width:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1] + " …"]


def draw(picture: Picture, path: Path) -> None:
    """Write the picture as PNG."""
    judged = picture.output is not None
    pileup = LEFT + CELL * len(picture.columns)
    track = TRACK if judged else 0
    groups = [len(group.rows) for group in picture.groups if group.rows]
    lines = (
        (ROW + 2) * (1 + len(picture.haplotypes)) + ROW * sum(groups) + 20 * len(groups) + 18 * bool(picture.omitted)
    )
    height = TOP + track + 24 + lines + 56
    if judged:
        height = max(height, TOP + 42 + 17 * len(picture.bars) + 14 * len(picture.notes) + 70)
    right = pileup + READ_BARS + 40
    width = right + NAMES + FEATURE_BARS + 30 if judged else max(pileup + 30, 620)
    canvas = Canvas(width, height)
    _heading(canvas, picture, width - 30)
    if judged:
        _positions(canvas, picture)
        _bars(canvas, picture, right)
    _coordinates(canvas, picture, TOP + track)
    bottom = _haplotypes(canvas, picture, TOP + track + 24)
    bottom = _reads(canvas, picture, bottom + 8)
    _mark(canvas, picture, bottom)
    _legend(canvas, picture, height - 22)
    with written(path) as temporary:
        canvas.save(temporary)


def _heading(canvas: Canvas, picture: Picture, width: float) -> None:
    canvas.text(18, 24, picture.title, 18)
    canvas.text(18 + canvas.width(picture.title, 18) + 16, 26, picture.verdict, 13, QUIET_INK)
    for number, line in enumerate(canvas.wrapped(picture.reason, 11, width - 20, 2)):
        canvas.text(18, 50 + 15 * number, line, 11, QUIET_INK)


def _positions(canvas: Canvas, picture: Picture) -> None:
    """Bars along the reference."""
    most = max((abs(value) for value in picture.by_position), default=0) or 1.0
    positive = max((value for value in picture.by_position), default=0) > 0
    negative = min((value for value in picture.by_position), default=0) < 0
    zero = TOP + TRACK * (0.5 if positive and negative else 0.0 if negative else 1.0)
    room = TRACK * (0.5 if positive and negative else 1.0) - 2
    canvas.text(LEFT - 8, TOP + 6, "by position", 10, QUIET_INK, "rm")
    peak = max(picture.by_position, key=abs)
    canvas.text(LEFT - 8, TOP + 19, f"peak {peak:+.1f}", 9, QUIET_INK, "rm")
    for column, value in enumerate(picture.by_position):
        length = room * value / most
        if abs(length) >= 0.5:
            top = zero - length if value > 0 else zero
            canvas.box(LEFT + CELL * column + 1, top, CELL - 2, abs(length), FOR if value > 0 else AGAINST)
    canvas.line(LEFT, zero, LEFT + CELL * len(picture.columns), zero, QUIET_INK)


def _coordinates(canvas: Canvas, picture: Picture, top: float) -> None:
    """1-based positions, every twentieth, with a tick at every tenth."""
    labelled = -100.0
    for column, position in enumerate(picture.columns):
        if position is not None and (position + 1) % 10 == 0:
            x = LEFT + CELL * (column + 0.5)
            canvas.line(x, top + 2, x, top + 5, QUIET_INK)
            if (position + 1) % 20 == 0 and x - labelled > 70:
                canvas.text(x, top + 12, f"{position + 1:,}", 9, QUIET_INK, "mm")
                labelled = x


def _haplotypes(canvas: Canvas, picture: Picture, top: float) -> float:
    canvas.text(LEFT - 8, top + ROW / 2, "reference", 9, INK, "rm")
    for column, base in enumerate(picture.reference):
        canvas.text(LEFT + CELL * (column + 0.5), top + ROW / 2, base.strip(), 9, BASE_COLOURS.get(base, INK), "mm")
    for number, (label, bases) in enumerate(picture.haplotypes, 1):
        y = top + number * (ROW + 2)
        canvas.text(LEFT - 8, y + ROW / 2, label, 9, INK, "rm")
        for column, base in enumerate(bases):
            if base:
                same = base == picture.reference[column]
                _base(canvas, LEFT + CELL * column, y, Base(base, 40), same)
    return top + (len(picture.haplotypes) + 1) * (ROW + 2)


def _reads(canvas: Canvas, picture: Picture, top: float) -> float:
    """Reads in groups with their bars; gives where they end."""
    bars = LEFT + CELL * len(picture.columns) + 16
    attributions = [row.attribution for group in picture.groups for row in group.rows]
    low, high = min([0.0, *attributions]), max([0.0, *attributions])
    span = (high - low) or 1.0
    zero = bars + (READ_BARS - 34) * -low / span
    y = top
    for group in picture.groups:
        if not group.rows:
            continue
        canvas.text(18, y + 11, group.title, 10)
        canvas.line(18, y + 18, LEFT + CELL * len(picture.columns), y + 18)
        y += 20
        for row in group.rows:
            _read(canvas, picture, row, y)
            length = (READ_BARS - 34) * row.attribution / span
            if abs(length) >= 0.5:
                canvas.box(zero, y + 2, length, ROW - 4, FOR if length > 0 else AGAINST)
            y += ROW
    if picture.output is not None and attributions:
        canvas.text(bars, top + 11, "by read", 10, QUIET_INK)
        canvas.line(zero, top + 20, zero, y, QUIET_INK)
        strongest = max(attributions, key=abs)
        if strongest:
            canvas.text(bars + READ_BARS - 8, top + 11, f"strongest {strongest:+.1f}", 9, QUIET_INK, "rm")
    if picture.omitted:
        canvas.text(18, y + 10, f"{picture.omitted} more reads are not drawn", 10, QUIET_INK)
        y += 18
    return y


def _read(canvas: Canvas, picture: Picture, row: ReadRow, y: float) -> None:
    middle = y + ROW / 2
    tip, back = (22, 30) if row.reverse else (30, 22)
    canvas.polygon([(back, middle - 3.5), (back, middle + 3.5), (tip, middle)], QUIET_INK)
    colour = QUIET_INK if row.mapping_quality >= 30 else AGAINST
    canvas.text(58, middle, f"{row.mapping_quality}", 8, colour, "rm")
    if not row.seen:
        canvas.text(66, middle, "not seen", 7, QUIET_INK)
    columns = sorted(row.bases)
    if columns:
        canvas.line(LEFT + CELL * columns[0], middle, LEFT + CELL * (columns[-1] + 1), middle, LINE)
    for column, base in row.bases.items():
        _base(canvas, LEFT + CELL * column, y, base, base.text == picture.reference[column])
    for column in row.squeezed:
        canvas.box(LEFT + CELL * column - 1, y + 0.5, 2, ROW - 1, INK)


def _base(canvas: Canvas, x: float, y: float, base: Base, same: bool) -> None:
    """A cell: grey where it is the reference's base, coloured where it differs; paler the lower its quality."""
    if base.text == DELETED:
        canvas.box(x, y + ROW / 2 - 1, CELL, 2, INK)
        return
    strength = 0.25 + 0.75 * min(base.quality, 40) / 40
    colour = SAME if same else BASE_COLOURS.get(base.text, BASE_COLOURS["N"])
    shade = _towards_white(colour, 1 - strength)
    if base.clipped:
        canvas.box(x + 0.5, y + 3, CELL - 1, ROW - 6, shade)
        return
    canvas.box(x, y + 0.5, CELL, ROW - 1, shade)
    if not same:
        dark = sum(shade) < 480
        canvas.text(x + CELL / 2, y + ROW / 2, base.text, 8, "white" if dark else INK, "mm")


def _towards_white(colour: str, share: float) -> tuple[int, int, int]:
    """A colour (#RRGGBB) mixed with white."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return round(red + (255 - red) * share), round(green + (255 - green) * share), round(blue + (255 - blue) * share)


def _mark(canvas: Canvas, picture: Picture, bottom: float) -> None:
    """Two thin lines around the change."""
    for column in (picture.marked[0], picture.marked[1]):
        x = LEFT + CELL * column
        canvas.line(x, TOP, x, bottom, INK)


def _bars(canvas: Canvas, picture: Picture, left: float) -> None:
    """What adds to the log-odds, strongest first, between the baseline and the output."""
    if picture.output is None or picture.baseline is None:
        return
    y = TOP + 6
    canvas.text(left, y, "what moves the log-odds of the call (phred)", 10, QUIET_INK)
    values = [value for _, _, value in picture.bars]
    low, high = min([0.0, *values]), max([0.0, *values])
    span = (high - low) or 1.0
    start = left + NAMES + 6
    zero = start + FEATURE_BARS * -low / span
    y += 22
    canvas.text(left, y, "average candidate, neutral reads", 10, INK)
    canvas.text(left + NAMES + FEATURE_BARS, y, f"{picture.baseline:+.1f}", 10, INK, "rm")
    y += 14
    canvas.line(left, y - 4, left + NAMES + FEATURE_BARS, y - 4)
    first = y
    for name, words, value in picture.bars:
        y += 17
        canvas.text(left, y - 6, name, 10, INK)
        canvas.text(left + NAMES - 4, y - 6, words, 9, QUIET_INK, "rm")
        length = FEATURE_BARS * value / span
        canvas.box(zero, y - 11, length, 10, FOR if value > 0 else AGAINST)
        inside = f"{value:+.1f}"
        room = canvas.width(inside, 9) + 6
        if abs(length) > room:
            canvas.text(zero + length / 2, y - 6, inside, 9, "white", "mm")
        elif value > 0 and zero + length + room < start + FEATURE_BARS + 14:
            canvas.text(zero + length + 3, y - 6, inside, 9, QUIET_INK)
        else:
            canvas.text(zero + min(length, 0) - 3, y - 6, inside, 9, QUIET_INK, "rm")
    canvas.line(zero, first + 4, zero, y, QUIET_INK)
    y += 8
    canvas.line(left, y, left + NAMES + FEATURE_BARS, y)
    canvas.text(left, y + 12, "this call", 10, INK)
    canvas.text(left + NAMES + FEATURE_BARS, y + 12, f"{picture.output:+.1f}", 10, INK, "rm")
    for number, note in enumerate(picture.notes):
        canvas.text(left, y + 34 + 14 * number, note, 9, QUIET_INK)


def _legend(canvas: Canvas, picture: Picture, y: float) -> None:
    x = 18.0
    for base in "ACGT":
        _base(canvas, x, y - ROW / 2, Base(base, 40), same=False)
        x += CELL + 4
    words = "differs from the reference; paler: lower base quality"
    canvas.text(x + 2, y, words, 9, QUIET_INK)
    x += canvas.width(words, 9) + 18
    _base(canvas, x, y - ROW / 2, Base("A", 40), same=True)
    canvas.text(x + CELL + 5, y, "the same", 9, QUIET_INK)
    x += CELL + canvas.width("the same", 9) + 20
    _base(canvas, x, y - ROW / 2, Base("A", 40, clipped=True), same=False)
    canvas.text(x + CELL + 5, y, "clipped", 9, QUIET_INK)
    x += CELL + canvas.width("clipped", 9) + 20
    canvas.polygon([(x, y - 3.5), (x, y + 3.5), (x + 8, y)], QUIET_INK)
    canvas.text(x + 13, y, "strand, mapping quality", 9, QUIET_INK)
    x += canvas.width("strand, mapping quality", 9) + 32
    if picture.output is not None:
        for colour, words in ((FOR, "raises"), (AGAINST, "lowers the log-odds of the call")):
            canvas.box(x, y - 5, 10, 10, colour)
            canvas.text(x + 14, y, words, 9, QUIET_INK)
            x += canvas.width(words, 9) + 28
