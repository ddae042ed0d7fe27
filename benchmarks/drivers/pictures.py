#!/usr/bin/env python3
"""Draws what bench.py measured: p-values of neutral genes against chance, power against strength, time against mutations. Plain SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas
from typer import Option, run

BLUE, VERMILION, GREY, GREEN = "#0072B2", "#D55E00", "#999999", "#009E73"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 340, 280, 52, 34, 46


class Panel:
    """Axes from 0 to `x_high` and `y_high` at `left` of a picture; lines and points in data units."""

    def __init__(
        self, left: float, title: str, x: tuple[str, float, Sequence[float]], y: tuple[str, float, Sequence[float]]
    ):
        self.left, self.parts = left + LEFT, []
        self.x_label, self.x_high, x_ticks = x
        self.y_label, self.y_high, y_ticks = y
        right, floor = left + WIDTH - 14, HEIGHT - BOTTOM
        for tick in y_ticks:
            self.parts.append(f'<path d="M{self.left} {self.down(tick):.1f}H{right}" stroke="#e6e6e6"/>')
            self.text(self.left - 6, self.down(tick) + 4, f"{tick:g}", "end")
        for tick in x_ticks:
            self.text(self.across(tick), floor + 16, f"{tick:,g}", "middle")
        self.parts.append(f'<path d="M{self.left} {TOP}V{floor}H{right}" fill="none" stroke="#444"/>')
        self.text(self.left, TOP - 14, title, "start", 'font-weight="bold"')
        self.text((self.left + right) / 2, HEIGHT - 10, self.x_label, "middle")
        middle = (TOP + floor) / 2
        self.text(left + 14, middle, self.y_label, "middle", f'transform="rotate(-90 {left + 14} {middle})"')

    def across(self, value: float) -> float:
        return self.left + value / self.x_high * (WIDTH - LEFT - 14)

    def down(self, value: float) -> float:
        return HEIGHT - BOTTOM - min(value, self.y_high) / self.y_high * (HEIGHT - TOP - BOTTOM)

    def text(self, x: float, y: float, words: str, anchor: str, more: str = "") -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{words}</text>')

    def line(
        self, x: Sequence[float], y: Sequence[float], colour: str, dashed: bool = False, dots: bool = False
    ) -> None:
        places = [(self.across(a), self.down(b)) for a, b in zip(x, y, strict=True)]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        if dots:
            self.parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>' for a, b in places]

    def key(self, names: Sequence[tuple[str, str]], down: float) -> None:
        for number, (name, colour) in enumerate(names):
            y = down + 17 * number
            self.parts.append(f'<path d="M{self.left + 10} {y - 4}h18" stroke="{colour}" stroke-width="3"/>')
            self.text(self.left + 34, y, name, "start")


def write(panels: Sequence[Panel], path: Path) -> None:
    width = WIDTH * len(panels)
    body = "".join("".join(panel.parts) for panel in panels)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" font-family="system-ui, sans-serif" '
        f'font-size="12" fill="#333"><rect width="100%" height="100%" fill="#fff"/>{body}</svg>\n'
    )


def calibration(tables: Path) -> list[Panel]:
    """-log10 p of neutral genes against chance, all cohorts together."""
    panels = []
    names = (("relabelled", "Silent mutations, relabelled"), ("simulated", "Drawn from the background"))
    measured = [(kind, title) for kind, title in names if any(tables.glob(f"p_{kind}_*.npy"))]
    for number, (kind, title) in enumerate(measured):
        panel = Panel(WIDTH * number, title, ("−log10 p expected", 5, range(6)), ("−log10 p seen", 6, range(7)))
        panel.line([0, 5], [0, 5], GREY, dashed=True)
        for path in sorted(tables.glob(f"p_{kind}_*.npy")):
            panel.parts.append('<g opacity="0.28">')
            panel.line(*quantiles(np.load(path)), GREY)
            panel.parts.append("</g>")
        together = np.concatenate([np.load(path) for path in sorted(tables.glob(f"p_{kind}_*.npy"))])
        panel.line(*quantiles(together), BLUE)
        panel.key([("all genes of all cohorts", BLUE), ("each cohort; dashed: exact", GREY)], TOP + 14)
        panels.append(panel)
    return panels


def quantiles(p: np.ndarray) -> tuple[list[float], list[float]]:
    ordered = np.sort(p)
    rank = np.unique(np.geomspace(1, len(ordered), 80).astype(int))
    return (-np.log10((rank - 0.5) / len(ordered))).clip(0, 5).tolist(), (-np.log10(ordered[rank - 1])).tolist()


def power(tables: Path) -> list[Panel]:
    """Planted genes found against the share of samples that carry them, one panel per cohort size."""
    if not (tables / "power.tsv").is_file():
        return []
    table = pandas.read_csv(tables / "power.tsv", sep="\t").sort_values("share")
    panels = []
    for number, (samples, mine) in enumerate(table.groupby("samples")):
        axes = (
            ("samples with the gene, %", 10.5, (1, 2, 5, 10)),
            ("genes at q &lt; 0.1", 30, (0, 5, 10, 15, 20, 25, 30)),
        )
        panel = Panel(WIDTH * number, f"{samples} samples, 20 genes planted", *axes)
        share = (100 * mine["share"]).tolist()
        panel.line(share, mine["rival_found"].tolist(), VERMILION, dots=True)
        panel.line(share, mine["rival_false"].tolist(), VERMILION, dashed=True)
        panel.line(share, mine["found"].tolist(), BLUE, dots=True)
        panel.line(share, mine["false"].tolist(), BLUE, dashed=True)
        panel.key([("Strandwise (dashed: false genes)", BLUE), ("Fisher rival", VERMILION)], TOP + 14)
        panels.append(panel)
    return panels


def time(tables: Path) -> list[Panel]:
    """CPU seconds against mutations."""
    if not (tables / "time.tsv").is_file():
        return []
    table = pandas.read_csv(tables / "time.tsv", sep="\t")
    seconds = (table["read_s"] + table["rank_s"]).tolist()
    thousands = (table["mutations"] / 1000).tolist()
    top = 10 * (1 + max(seconds) // 10)
    axes = (
        ("mutations, thousands", 1.05 * max(thousands), range(0, int(max(thousands)) + 1, 100)),
        ("CPU seconds", top, range(0, int(top) + 1, 10)),
    )
    panel = Panel(0, "Reading, evidence, 8 neutral cohorts", *axes)
    panel.line(thousands, table["read_s"].tolist(), GREY, dots=True)
    panel.line(thousands, seconds, BLUE, dots=True)
    panel.key([("all", BLUE), ("reading the MAF alone", GREY)], TOP + 14)
    return [panel]


def main(
    tables: Annotated[Path, Option(help="folder with the tables of bench.py")],
    pictures: Annotated[Path, Option(help="folder to draw into")],
) -> None:
    for name, draw in (("calibration", calibration), ("power", power), ("time", time)):
        panels = draw(tables)
        if panels:  # else not measured
            write(panels, pictures / f"drivers_{name}.svg")


if __name__ == "__main__":
    run(main)
