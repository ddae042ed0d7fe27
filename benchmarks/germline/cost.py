#!/usr/bin/env python3
"""How the cost of calling grows with bases and depth, what a second core brings, and a picture of it; bcftools beside it.

`sizes` measures and writes sizes.json, `shards` writes shards.json, `picture` draws from sizes.json. CPU seconds are user + system.
"""

import filecmp
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

from run import PROJECT, command_of, measured, sets_of
from typer import Option, Typer

from strandwise.formats.intervals import Interval, read_bed, write_bed  # (run puts bin/ on the path)
from strandwise.small_variants.gather import gather
from strandwise.small_variants.shards import contig_lengths, cut, pieces_of, work_curves

app = Typer(help=__doc__, pretty_exceptions_enable=False)
Sets = Annotated[Path, Option(help="SETS.tsv of simulate.py", exists=True)]
Output = Annotated[Path, Option(help="folder for calls and figures")]
Model = Annotated[Path, Option(help="our model")]
MODEL = PROJECT / "assets" / "models" / "small_variants"

LARGE, DEPTHS = "cost_5mb", ("test_10x", "test_30x_1", "test_60x")
SIZES = (1_000, 1_000_000, 2_000_000, 5_000_000)
REPEATS = 3


def ours(one: dict[str, str], bed: Path, stem: Path, model: Path, core: int | None = None) -> list[str]:
    """The command of our caller on a BED, with its own account of its cost in STEM.cost.json."""
    command = command_of("strandwise", {**one, "regions": str(bed)}, Path(f"{stem}.vcf.gz"), model, "")
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    return [*pinned, *command.split(), "--cost", f"{stem}.cost.json"]


def account(stem: Path) -> dict[str, float]:
    return json.loads(Path(f"{stem}.cost.json").read_text())


def row_of(one: dict[str, str], name: str, bed: Path, folder: Path, model: Path) -> dict[str, float | str]:
    """Ours (median of REPEATS) and bcftools on the same bases."""
    folder.mkdir(parents=True, exist_ok=True)
    costs = []
    for _ in range(REPEATS):
        measured(" ".join(ours(one, bed, folder / "strandwise", model)), folder / "strandwise.log")
        costs.append(account(folder / "strandwise"))
    mine = {key: statistics.median(cost[key] for cost in costs) for key in ("start_s", "cpu_s", "peak_mb")}
    peer = measured(
        command_of("bcftools", {**one, "regions": str(bed)}, folder / "bcftools.vcf.gz", model, ""),
        folder / "bcftools.log",
    )
    bases = sum(int(line.split()[2]) - int(line.split()[1]) for line in bed.read_text().splitlines())
    row = {"set": name, "depth": float(one["coverage"]), "bases": bases, **mine, "bcftools_cpu_s": peer["cpu_s"]}
    print(row, flush=True)
    return row


@app.command()
def sizes(sets: Sets, output: Output, model: Model = MODEL) -> None:
    """The first 1 kb, 1, 2 and 5 Mb of one sample at 30x, and 2 Mb at 10x, 30x and 60x."""
    known = {one["name"]: one for one in sets_of(sets, [LARGE, *DEPTHS])}
    rows = []
    contig, start, end = Path(known[LARGE]["regions"]).read_text().split()[:3]
    for bases in SIZES:
        folder = output / f"first_{bases}"
        folder.mkdir(parents=True, exist_ok=True)
        bed = folder / "regions.bed"
        bed.write_text(f"{contig}\t{start}\t{min(int(end), int(start) + bases)}\n")
        rows.append(row_of(known[LARGE], LARGE, bed, folder, model))
    rows += [row_of(known[name], name, Path(known[name]["regions"]), output / name, model) for name in DEPTHS]
    (output / "sizes.json").write_text(json.dumps(rows, indent=1) + "\n")
    print("\n".join(size_table(rows)))


def size_table(rows: list[dict[str, float | str]]) -> list[str]:
    lines = [
        "| depth | bases | CPU s | of it start-up | beyond it, per Mb | bcftools CPU s | of bcftools | peak MB |",
        "| --- " * 8 + "|",
    ]
    for row in rows:
        per_mb = f"{(row['cpu_s'] - row['start_s']) / row['bases'] * 1e6:.2f}" if row["bases"] > 100_000 else "–"
        share = f"{row['cpu_s'] / row['bcftools_cpu_s']:.2f}"
        lines.append(
            f"| {row['depth']:g}x | {row['bases']:,} | {row['cpu_s']:.2f} | {row['start_s']:.2f} | {per_mb} | {row['bcftools_cpu_s']:.1f} | {share} | {row['peak_mb']:.0f} |"
        )
    return lines


def halves(one: dict[str, str], folder: Path) -> tuple[Path, list[Path]]:
    """BEDs of all 5 Mb, and of two shards of equal expected work, cut as the pipeline cuts them."""
    reads, fasta = [Path(one["bam"])], Path(one["fasta"])
    intervals: list[Interval] = read_bed(Path(one["regions"]), contig_lengths(fasta))
    curves = work_curves(reads, fasta)
    work = sum(size for interval in intervals for _, size in pieces_of(interval, curves))
    parts = cut(intervals, curves, work / 2 + 1)
    paths = [folder / f"{number:04}.bed" for number in range(len(parts) + 1)]
    for path, part in zip(paths, [intervals, *parts], strict=True):
        write_bed(part, path)
    return paths[0], paths[1:]


@app.command()
def shards(sets: Sets, output: Output, model: Model = MODEL, repeats: int = 5) -> None:
    """5 Mb as one task on one core, and as two tasks at a time on two cores; calls must be the same to the byte."""
    (one,) = sets_of(sets, [LARGE])
    folder = output / "shards"
    folder.mkdir(parents=True, exist_ok=True)
    whole, parts = halves(one, folder)
    found = []
    for _ in range(repeats):
        subprocess.run(ours(one, whole, folder / "0000", model, 0), check=True, capture_output=True)
        running = [
            subprocess.Popen(
                ours(one, part, folder / part.stem, model, core), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for core, part in enumerate(parts)
        ]
        if any(process.wait() for process in running):
            raise RuntimeError("a shard failed")
        single, *pair = (account(folder / name) for name in ["0000", *(part.stem for part in parts)])
        found.append({
            "start_s": [cost["start_s"] for cost in (single, *pair)],
            "cpu_s": [cost["cpu_s"] for cost in (single, *pair)],
            "wall_s": [cost["wall_s"] for cost in (single, *pair)],
            "faster_wall": _beyond(single, "wall_s") / max(_beyond(cost, "wall_s") for cost in pair),
            "faster_cpu": _beyond(single, "cpu_s") / max(_beyond(cost, "cpu_s") for cost in pair),
        })  # fmt: skip
        print(found[-1], flush=True)
    stems = [part.stem for part in parts]
    began = time.process_time()
    calls, gvcfs = ([folder / f"{stem}{ending}" for stem in stems] for ending in (".vcf.gz", ".g.vcf.gz"))
    gather(calls, gvcfs, folder / "joined.vcf.gz", folder / "joined.g.vcf.gz")
    joining = time.process_time() - began
    same = {ending: _same(folder / f"0000{ending}", folder / f"joined{ending}") for ending in (".vcf.gz", ".g.vcf.gz")}
    medians = {key: statistics.median(row[key] for row in found) for key in ("faster_wall", "faster_cpu")}
    (output / "shards.json").write_text(
        json.dumps({"runs": found, **medians, "gather_s": joining, "same": same}, indent=1) + "\n"
    )
    print(medians, f"gather {joining:.2f} s", same)


def _beyond(cost: dict[str, float], key: str) -> float:
    """Seconds beyond start-up, whose processor time is taken for its wall time too."""
    return cost[key] - cost["start_s"]


def _same(one: Path, other: Path) -> bool:
    """Whether two bgzipped files hold the same text (blocks may be cut elsewhere)."""
    plain = []
    for path in (one, other):
        plain.append(path.with_suffix(""))
        with plain[-1].open("wb") as handle:
            subprocess.run(["bgzip", "-dc", str(path)], stdout=handle, check=True)
    return filecmp.cmp(*plain, shallow=False)


# ---- the picture ----------------------------------------------------------------------------------------------------

INK, OURS, PEER = "#444", "#0072B2", "#D55E00"
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 380, 300, 52, 46, 40


@app.command()
def picture(
    output: Output,
    picture: Annotated[Path, Option(help="SVG to write")] = PROJECT / "docs" / "images" / "germline_cost.svg",
) -> None:
    """CPU seconds by bases and by depth, of ours and of bcftools, from sizes.json."""
    rows = json.loads((output / "sizes.json").read_text())
    by_size = [row for row in rows if row["set"] == LARGE]
    by_depth = sorted((row for row in rows if row["set"] != LARGE), key=lambda row: row["depth"])
    panels = [
        _panel(
            "by bases, at 30x", "Mb", [(row["bases"] / 1e6, row["cpu_s"], row["bcftools_cpu_s"]) for row in by_size]
        ),
        _panel("by depth, 2 Mb", "depth", [(row["depth"], row["cpu_s"], row["bcftools_cpu_s"]) for row in by_depth]),
    ]
    body = "".join(f'<g transform="translate({index * WIDTH} 0)">{panel}</g>' for index, panel in enumerate(panels))
    size = f'viewBox="0 0 {2 * WIDTH} {HEIGHT}" width="{2 * WIDTH}" height="{HEIGHT}"'
    font = 'font-family="Helvetica, Arial, DejaVu Sans, sans-serif" font-size="12"'
    picture.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}><rect width="100%" height="100%" fill="#fff"/>{body}</svg>\n'
    )


def _panel(title: str, label: str, points: list[tuple[float, float, float]]) -> str:
    most_x, most_y = max(x for x, *_ in points), max(max(values) for _, *values in points)

    def across(x: float) -> float:
        return LEFT + x / most_x * (WIDTH - LEFT - 24)

    def down(y: float) -> float:
        return HEIGHT - BOTTOM - y / most_y * (HEIGHT - BOTTOM - TOP)

    step = next(step for step in (0.5, 1, 2, 5, 10, 20) if most_y / step <= 6)
    parts = [f'<text x="{LEFT}" y="20" font-weight="bold" fill="{INK}">CPU seconds {title}</text>']
    for number in range(int(most_y / step) + 1):
        y = down(number * step)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 24}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{number * step:g}</text>')
    for x in sorted({round(x, 1) for x, *_ in points}):
        parts.append(
            f'<text x="{across(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="{INK}">{x:g}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - 24) / 2}" y="{HEIGHT - 8}" text-anchor="middle" fill="{INK}">{label}</text>'
    )
    for index, (name, colour) in enumerate((("strandwise", OURS), ("bcftools", PEER)), 1):
        line = [(across(point[0]), down(point[index])) for point in points]
        parts.append(
            f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in line)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in line]
        x, y = line[-1]
        parts.append(
            f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="end" fill="{colour}" font-weight="bold">{name}</text>'
        )
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(app())
