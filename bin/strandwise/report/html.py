"""Small pieces of HTML for the report. Whatever comes from a user or a table goes through `text` first."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Okabe and Ito's palette: told apart by people with any of the common colour deficiencies.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#9AA0A6",
)
# From blue (negative) over white to orange (positive).
DIVERGING = [[0, "#08519c"], [0.25, "#6baed6"], [0.5, "#ffffff"], [0.75, "#fdae6b"], [1, "#b35806"]]
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, YELLOW, GREY)


def text(value: object) -> str:
    """Escape `value` so that a browser shows it as it is, in an element and in an attribute."""
    return html.escape(str(value), quote=True)


def number(value: float) -> str:
    """1234567 as 1,234,567; a float with three significant digits."""
    return f"{value:,}" if isinstance(value, int) or float(value).is_integer() else f"{value:.3g}"


def figure(count: int) -> str:
    """A count for large letters: exact below a million, then 14.3 M."""
    return number(count) if count < 1_000_000 else f"{count / 1_000_000:.1f} M"


def small_number(value: float) -> str:
    """A p-value or q-value as people write it: 0.012, 3e-07, < 1e-300."""
    if value <= 0:
        return "&lt; 1e-300"
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.0e}"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def chips(values: Iterable[object], kind: str = "") -> str:
    """A row of short labels."""
    return "".join(f'<span class="sw-chip {kind}">{text(value)}</span>' for value in values)


def bar(fraction: float, label: str, colour: str) -> str:
    """A label on a horizontal bar that fills `fraction` (0 to 1) of its cell."""
    width = 100 * min(1.0, max(0.0, fraction))
    return f'<span class="sw-bar" style="--w:{width:.1f}%;--c:{colour}">{label}</span>'


def link(path: str, label: str = "") -> str:
    """A link to a file of the results folder, relative to the report."""
    return f'<a href="{text(path)}">{text(label or path)}</a>'


@dataclass(frozen=True)
class Cell:
    """A table cell whose `content` is HTML already; sort: what the column is sorted by."""

    content: str
    sort: float | str = ""


def figure_cell(value: float | None, form: str) -> Cell:
    """A number as `form` writes it, sorted as a number; a dash for none."""
    return Cell("–") if value is None else Cell(form.format(value), f"{value:.6g}")


def table(header: Sequence[str], rows: Iterable[Sequence[object]], identifier: str, numeric: Sequence[int] = ()) -> str:
    """A sortable table. header: HTML; cells: Cell, or anything else, which is escaped. numeric: columns set right."""
    right = set(numeric)

    def cell(index: int, value: object) -> str:
        kind = ' class="sw-number"' if index in right else ""
        if not isinstance(value, Cell):
            return f"<td{kind}>{text(value)}</td>"
        sort = f' data-sorting-val="{text(value.sort)}"' if value.sort != "" else ""
        return f"<td{kind}{sort}>{value.content}</td>"

    head = "".join(
        f'<th scope="col"{" class=sw-number" if index in right else ""}>{name}</th>'
        for index, name in enumerate(header)
    )
    body = "".join(f"<tr>{''.join(cell(i, value) for i, value in enumerate(row))}</tr>" for row in rows)
    return (
        f'<div class="sw-scroll"><table class="sw-table mqc_per_sample_table" id="{identifier}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
