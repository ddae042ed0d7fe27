"""Draws a page per driver gene: mutations along the protein as lollipops, and the evidence as bars. Plain SVG, no scripts."""

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strandwise.drivers.mutations import (
    AMINO_ACIDS,
    EFFECTS,
    FRAMESHIFT,
    INFRAME,
    MISSENSE,
    NONSENSE,
    SILENT,
    SPLICE,
    START_STOP,
    Cohort,
)
from strandwise.formats.files import written
from strandwise.formats.maf import Maf

if TYPE_CHECKING:
    import pandas

# Okabe & Ito's palette, told apart by colour-blind readers.
COLOURS = {
    MISSENSE: "#0072B2", START_STOP: "#0072B2", INFRAME: "#56B4E9", NONSENSE: "#D55E00", FRAMESHIFT: "#E69F00",
    SPLICE: "#CC79A7", SILENT: "#999999",
}  # fmt: skip
NAMES = {
    MISSENSE: "missense",
    INFRAME: "in-frame indel",
    NONSENSE: "nonsense",
    FRAMESHIFT: "frameshift",
    SPLICE: "splice site",
}
WIDTH, HEIGHT, LEFT, FLOOR = 860, 250, 46, 200
LABELLED = 4
CHANGES, NAMED = 40, 8  # changes listed on a page, samples named per change

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{gene}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 900px; margin: 2em auto; padding: 0 1em }}
h1 {{ margin: 0 }} h2 {{ font-size: 1.05em; margin: 1.6em 0 .3em }} p {{ margin: .4em 0 }} svg {{ width: 100%; height: auto }}
text {{ font-family: inherit; fill: #444; font-size: 12px }} .key span {{ margin-right: 1.2em }} .key i {{ display: inline-block;
width: .8em; height: .8em; border-radius: 50%; margin-right: .35em }} small {{ color: #666 }} table {{ border-collapse: collapse }} th, td {{ text-align: left; padding: .15em 1.2em .15em 0;
border-bottom: 1px solid #eee; vertical-align: top }} th {{ font-weight: 600 }} td.names {{ color: #666; font-size: 12px }}
</style></head><body>
<h1>{gene}</h1>
<p>Rank {rank}, q = {q}. {samples} of {all_samples} samples have a non-silent mutation.</p>
<h2>Mutations along the protein</h2>
{lollipops}
<p class="key">{key}</p>
<h2>Mutations against what chance explains</h2>
<table><tr><th></th><th>seen</th><th>expected without selection</th></tr>{counts}</table>
<h2>Why it ranks here</h2>
<p><small>What each line of evidence adds to the score (TreeSHAP, log odds); an average gene starts at {base:+.1f}.</small></p>
{bars}
<h2>Samples affected</h2>
<table><tr><th>change</th><th>effect</th><th>samples</th><th></th></tr>{affected}</table>
<p><small>{version}. For research use only.</small></p>
</body></html>
"""


def write_pages(
    maf: Maf,
    cohort: Cohort,
    table: "pandas.DataFrame",
    reasons: "pandas.DataFrame",
    base: float,
    version: str,
    folder: Path,
) -> None:
    """Write `folder`/<gene>.html for each row of `table` (rows of the driver table), reasons indexed by gene."""
    folder.mkdir(exist_ok=True)
    index = {name: number for number, name in enumerate(cohort.genes)}
    for row in table.itertuples():
        gene = str(row.gene)
        page = PAGE.format(
            gene=html.escape(gene), rank=row.rank, q=f"{row.q_value:.2g}", samples=row.n_samples, all_samples=cohort.n_samples,
            lollipops=lollipops(cohort, index[gene]), key=_key(), base=base, bars=bars(reasons.loc[gene]),
            version=html.escape(version), counts=_counts(row), affected=affected(maf, cohort, index[gene]),
        )  # fmt: skip
        with written(folder / f"{file_name(gene)}.html") as temporary:
            temporary.write_text(page, encoding="utf-8")


def file_name(gene: str) -> str:
    """The gene's symbol with anything but letters, digits, dash and dot replaced, for use as a file name."""
    return "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in gene)


def _counts(row: Any) -> str:
    """Observed and expected numbers of a row of the driver table, as rows of a table."""
    truncating = row.n_nonsense + row.n_frameshift + row.n_splice
    lines = (("missense", row.n_missense, row.expected_missense), ("truncating", truncating, row.expected_truncating))
    return "".join(f"<tr><td>{name}</td><td>{seen}</td><td>{expected:.2g}</td></tr>" for name, seen, expected in lines)


def affected(maf: Maf, cohort: Cohort, gene: int) -> str:
    """The gene's non-silent changes with their samples, most frequent first, as rows of a table."""
    mine = np.flatnonzero((cohort.gene == gene) & (cohort.effect != SILENT))
    rows = maf.mutations.iloc[cohort.row[mine]]
    samples: dict[tuple[str, str], list[str]] = {}
    for effect, change, start, sample in zip(
        cohort.effect[mine].tolist(),
        rows["protein_change"].astype("str"),
        rows["start"],
        rows["sample"].astype("str"),
        strict=True,
    ):
        samples.setdefault((change or f"position {start}", EFFECTS[effect].replace("_", " or ")), []).append(sample)
    lines = []
    for (change, effect), names in sorted(samples.items(), key=lambda item: (-len(item[1]), item[0]))[:CHANGES]:
        named = ", ".join(sorted(names)[:NAMED]) + (", …" if len(names) > NAMED else "")
        cells = f"<td>{html.escape(change)}</td><td>{effect}</td><td>{len(names)}</td>"
        lines.append(f'<tr>{cells}<td class="names">{html.escape(named)}</td></tr>')
    if len(samples) > CHANGES:
        lines.append(f'<tr><td colspan="4">and {len(samples) - CHANGES} further changes</td></tr>')
    return "".join(lines)


def lollipops(cohort: Cohort, gene: int) -> str:
    """SVG of a gene's mutations: a stem per codon and effect, its height the root of the samples that have it."""
    mine = (cohort.gene == gene) & (cohort.codon > 0)
    effect = np.where(cohort.effect[mine] == START_STOP, MISSENSE, cohort.effect[mine])
    key = np.stack([cohort.codon[mine], effect])
    with_sample = np.unique(np.vstack([key, cohort.sample[mine]]), axis=1)
    places, counts = np.unique(with_sample[:2], axis=1, return_counts=True)
    length = float(cohort.codons[gene])
    most = max(int(counts.max()) if counts.size else 1, 1)
    residue = dict(zip(cohort.codon[mine].tolist(), cohort.reference_aa[mine].tolist(), strict=True))
    scale = (WIDTH - LEFT - 20) / length
    parts = [f'<rect x="{LEFT}" y="{FLOOR}" width="{length * scale:.0f}" height="12" rx="3" fill="#d9dde2"/>']
    for height in sorted({1, (most + 3) // 4, most}):
        y = FLOOR - 8 - 150 * (height / most) ** 0.5
        parts.append(f'<line x1="{LEFT - 4}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{height}</text>')
    largest = set(np.argsort(-counts, kind="stable")[:LABELLED].tolist())
    labelled: list[float] = []
    for number in np.argsort(-counts, kind="stable"):
        codon, kind, count = int(places[0, number]), int(places[1, number]), int(counts[number])
        x, y = LEFT + codon * scale, FLOOR - 8 - 150 * (count / most) ** 0.5
        if kind == SILENT:
            parts.append(f'<circle cx="{x:.1f}" cy="{FLOOR + 22}" r="2.5" fill="{COLOURS[SILENT]}"/>')
            continue
        parts.append(
            f"<g><title>codon {codon}: {EFFECTS[kind].replace('_', ' ')}, {count} samples</title>"
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{FLOOR}" y2="{y:.1f}" stroke="#9aa3ad"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 2.5 * (count / most) ** 0.5:.1f}" fill="{COLOURS[kind]}"/></g>'
        )
        if number in largest and count > 1 and all(abs(x - other) > 40 for other in labelled):
            labelled.append(x)
            letter = AMINO_ACIDS[residue[codon]] if residue[codon] >= 0 else ""
            parts.append(f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{letter}{codon}</text>')
    parts.append(f'<text x="{LEFT}" y="{FLOOR + 42}">1</text>')
    parts.append(
        f'<text x="{LEFT + length * scale:.0f}" y="{FLOOR + 42}" text-anchor="end">{length:.0f} residues</text>'
    )
    parts.append(
        f'<text x="14" y="{FLOOR - 80}" transform="rotate(-90 14 {FLOOR - 80})" text-anchor="middle">samples</text>'
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'


def bars(reasons: "pandas.Series") -> str:
    """SVG of the lines of evidence as horizontal bars, largest first."""
    lines = reasons.reindex(reasons.abs().sort_values(ascending=False).index)
    widest = max(float(lines.abs().max()), 0.1)
    middle, unit, parts = 320, 230 / widest, []
    for number, (line, value) in enumerate(lines.items()):
        y, width = 8 + 24 * number, abs(value) * unit
        x = middle if value >= 0 else middle - width
        colour = "#009E73" if value >= 0 else "#D55E00"
        parts.append(f'<text x="80" y="{y + 13}">{str(line).replace("_", " ")}</text>')
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{max(width, 0.5):.1f}" height="16" fill="{colour}"/>')
        end = x + width + 6 if value >= 0 else middle + 6
        parts.append(f'<text x="{end:.1f}" y="{y + 13}">{value:+.2f}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {24 * len(lines) + 16}" role="img">{"".join(parts)}</svg>'


def _key() -> str:
    named = [f'<span><i style="background:{COLOURS[kind]}"></i>{name}</span>' for kind, name in NAMES.items()]
    return "".join([*named, f'<span><i style="background:{COLOURS[SILENT]}"></i>silent (below)</span>'])
