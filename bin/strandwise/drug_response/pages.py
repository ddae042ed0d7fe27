"""Draws a page per telling drug: how the samples score, which genes and programmes move them, who responds. Plain SVG, no scripts."""

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.formats.files import written

if TYPE_CHECKING:
    import numpy

# Okabe & Ito's palette, told apart by colour-blind readers.
SENSITIVE, RESISTANT, OUTSIDE, TARGET = "#0072B2", "#D55E00", "#999999", "#E69F00"
WIDTH, LEFT, RIGHT = 860, 60, 20
GENES_SHOWN, PROGRAMMES_SHOWN, SAMPLES_LISTED, BINS = 15, 8, 8, 40

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{drug}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 900px; margin: 2em auto; padding: 0 1em }}
h1 {{ margin: 0 }} h2 {{ font-size: 1.05em; margin: 1.6em 0 .3em }} p {{ margin: .4em 0 }} svg {{ width: 100%; height: auto }}
text {{ font-family: inherit; fill: #444; font-size: 12px }} small {{ color: #666 }} table {{ border-collapse: collapse }}
td, th {{ text-align: left; padding: .15em 1.2em .15em 0; font-weight: normal }} th {{ color: #666 }} td.n {{ text-align: right }}
.key i {{ display: inline-block; width: .8em; height: .8em; margin-right: .35em }} .key span {{ margin-right: 1.2em }}
</style></head><body>
<h1>{drug}</h1>
<p>{targets}</p>
<p>{summary}</p>
<h2>How the samples score</h2>
{histogram}
<p class="key"><span><i style="background:{sensitive}"></i>samples inside the training range</span><span><i style="background:{outside}"></i>outside: guesses</span></p>
<h2>Genes that move the score most</h2>
<p><small>Mean size of a gene's share over these samples (ln units). Blue: the higher the gene, the more sensitive; orange: the more
resistant.{noted}</small></p>
{genes}
<h2>Programmes</h2>
<p><small>The same, summed over genes that go up and down together in the training lines; a programme is named by the genes at its
heart.</small></p>
{programmes}
<h2>Who scores as most sensitive</h2>
{samples}
<p><small>An IC50 is the concentration that halves the growth of a cell line in a dish, not a dose; 90 % intervals are in ln µM. Moved by: the
strongest genes and mutations with their share in ln units; negative is more sensitive, −0.69 halves the IC50.</small></p>
<p><small>{version}. Cell lines are not patients. For research use only.</small></p>
</body></html>
"""


@dataclass
class DrugPage:
    """One drug over all samples. value: (samples,) ln µM; low, high: 90 % interval; inside: in the training domain; tissue: names;
    typical: 10 %, 50 % and 90 % of the training lines, ln µM, None for new drugs; targets: known gene symbols or other words;
    genes, programmes: (name, mean size of its share with the sign of its effect), strongest first; reasons: top_features of
    the samples listed (by their place)."""

    drug: str
    targets: list[str]
    samples: list[str]
    tissue: list[str]
    value: "numpy.ndarray"
    low: "numpy.ndarray"
    high: "numpy.ndarray"
    inside: "numpy.ndarray"
    typical: tuple[float, float, float] | None
    genes: list[tuple[str, float]]
    programmes: list[tuple[str, float]]
    reasons: dict[int, str]


def file_name(drug: str) -> str:
    """The drug's name with anything but letters, digits, dash and dot replaced, for use as a file name."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-.") else "_" for letter in drug)


def write_page(page: DrugPage, version: str, folder: Path) -> None:
    """Write `folder`/<drug>.html."""
    import numpy

    targets = f"Targets: <b>{html.escape(', '.join(page.targets))}</b>." if page.targets else "Targets: not known here."
    middle = float(numpy.median(page.value))
    summary = f"{len(page.samples)} samples, median predicted ln IC50 {middle:.2f} ({numpy.exp(middle):.3g} µM)"
    if page.typical:
        low, median, _ = page.typical
        below = int((page.value <= low)[page.inside].sum())
        summary += (
            f"; median of the training lines, of all tissues, {median:.2f} ({numpy.exp(median):.3g} µM). {below} samples inside the training "
            f"range score below {low:.2f}, like the most sensitive tenth of the training lines"
        )
    known = {target.upper() for target in page.targets}
    told = {name for name, _ in page.genes if name.upper() in known}
    noted = f" Framed: a known target ({html.escape(', '.join(sorted(told)))})." if told else ""
    text = PAGE.format(
        drug=html.escape(page.drug), targets=targets, summary=f"{summary}.", histogram=histogram(page), sensitive=SENSITIVE,
        outside=OUTSIDE, noted=noted, genes=bars(page.genes, known), programmes=bars(page.programmes, known),
        samples=table(page), version=html.escape(version),
    )  # fmt: skip
    with written(folder / f"{file_name(page.drug)}.html") as temporary:
        temporary.write_text(text, encoding="utf-8")


def histogram(page: DrugPage) -> str:
    """SVG: samples by predicted ln IC50, and where 10, 50 and 90 % of the training lines lie."""
    import numpy

    typical = page.typical or ()
    ends = numpy.array([*page.value, *typical])
    edges = numpy.linspace(ends.min() - 0.1, ends.max() + 0.1, BINS + 1)
    inside, outside = (numpy.histogram(page.value[kind], edges)[0] for kind in (page.inside, ~page.inside))
    most = max(int((inside + outside).max()), 1)
    unit = (WIDTH - LEFT - RIGHT) / (edges[-1] - edges[0])
    floor, height = 170, 130

    def place(value: float) -> float:
        return LEFT + (value - edges[0]) * unit

    parts = [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}" stroke="#bbb"/>']
    for start, within, beyond in zip(edges, inside, outside, strict=False):
        top = float(floor)
        for count, colour in ((within, SENSITIVE), (beyond, OUTSIDE)):
            if count:
                tall = height * count / most
                top -= tall
                width = unit * (edges[1] - edges[0]) - 1
                parts.append(
                    f'<rect x="{place(start):.1f}" y="{top:.1f}" width="{width:.1f}" height="{tall:.1f}" fill="{colour}">'
                    f"<title>{count} samples</title></rect>"
                )
    for share, value in zip(("10 %", "50 %", "90 %"), typical, strict=False):
        x = place(value)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="28" y2="{floor}" stroke="#444" stroke-dasharray="3 3"/>')
        parts.append(f'<text x="{min(x, WIDTH - RIGHT - 32):.1f}" y="22" text-anchor="middle">{share} of lines</text>')
    step = max(round((edges[-1] - edges[0]) / 6, 0), 0.5)
    for tick in numpy.arange(numpy.ceil(edges[0] / step) * step, edges[-1], step):
        parts.append(f'<text x="{place(tick):.1f}" y="{floor + 18}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{floor - height + 4}" text-anchor="end">{most}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{floor + 38}" text-anchor="middle">predicted ln IC50 (ln µM), lower is more sensitive</text>'
    )
    return f'<svg viewBox="0 0 {WIDTH} {floor + 46}" role="img">{"".join(parts)}</svg>'


def bars(shares: list[tuple[str, float]], known: set[str]) -> str:
    """SVG of shares as horizontal bars; the names of known targets are framed."""
    if not shares:
        return "<p>Nothing was measured that could be named.</p>"
    unit = (WIDTH - 330) / max(max(abs(share) for _, share in shares), 1e-6)
    parts = []
    for row, (name, share) in enumerate(shares):
        y, width = 6 + 22 * row, abs(share) * unit
        if name.upper() in known:
            parts.append(
                f'<rect x="2" y="{y - 2}" width="{WIDTH - 4}" height="20" rx="4" fill="none" stroke="{TARGET}" stroke-width="2"/>'
            )
        parts.append(f'<text x="212" y="{y + 12}" text-anchor="end">{html.escape(name)}</text>')
        colour = SENSITIVE if share < 0 else RESISTANT
        parts.append(f'<rect x="222" y="{y}" width="{max(width, 0.5):.1f}" height="15" fill="{colour}"/>')
        parts.append(f'<text x="{230 + width:.1f}" y="{y + 12}">{abs(share):.3f}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {22 * len(shares) + 10}" role="img">{"".join(parts)}</svg>'


def listed(value: "numpy.ndarray", inside: "numpy.ndarray") -> list[int]:
    """Places of the most sensitive samples, those inside the training range first."""
    import numpy

    return numpy.lexsort((value, ~inside))[:SAMPLES_LISTED].tolist()


def table(page: DrugPage) -> str:
    """The samples listed, with interval and reasons."""
    import numpy

    rows = [
        f"<tr><td>{html.escape(page.samples[row])}</td><td>{html.escape(page.tissue[row])}</td>"
        f'<td class="n">{page.value[row]:.2f}</td><td class="n">{numpy.exp(page.value[row]):.3g}</td><td>{page.low[row]:.2f} to {page.high[row]:.2f}</td>'
        f"<td>{'inside' if page.inside[row] else 'outside'}</td><td>{html.escape(page.reasons[row])}</td></tr>"
        for row in listed(page.value, page.inside)
    ]
    heads = "".join(
        f"<th>{name}</th>"
        for name in ("sample", "tissue", "ln IC50", "IC50, µM", "90 % interval", "training range", "moved by")
    )
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"
