"""What calling each sample cost, and what a genome would: sums of what its tasks wrote about themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Parent
from strandwise.report.statistics import summary_numbers

GENOME = 3.1e9
"""Bases of a human genome; GENOME_DEPTH of them are sequenced, in GENOME_SHARDS shards of calling (docs/places)."""

GENOME_DEPTH = 30
GENOME_SHARDS = 35
SCALED = ("call", "phase", "summarise")
"""Tasks whose work grows with the genome; the others join and cut, in seconds."""

LEAST_BASES = 20e6
"""Below so many sequenced bases (about 0.7 Mb at 30x) there is no projection: what a task does once, and not per base, would be
multiplied some thousand times."""


@dataclass(frozen=True)
class Cost:
    """Of one sample. tasks: that ended well; cpu, start, wall: seconds, summed over them (start: of cpu, before the work
    began); peak: MB of the largest task; genome: CPU seconds projected, None where less than LEAST_BASES was called."""

    tasks: int
    cpu: float
    start: float
    wall: float
    peak: float
    genome: float | None


def cost_of(costs: Sequence[Mapping[str, Any]], bases: float, depth: float, mapped: float) -> Cost:
    """costs: of the sample's tasks; bases: called; depth: their mean; mapped: bases of reads in its alignments.

    Calling grows with the reference, and above 30x with the reads (below, fewer reads leave more to judge: seconds per Mb are the
    same at 10x and 30x), counting and covering with the bases of all reads:

        genome = (call + phase - start) x 3.1e9 / bases x min(1, 30 / depth)
               + (summarise - start) x 30 x 3.1e9 / mapped + 35 x mean start of a task of calling + rest
    """
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for cost in costs:
        by_task.setdefault(cost["task"], []).append(cost)
    calling, counting = by_task.get("call", []), by_task.get("summarise", [])
    genome = None
    if calling and bases * depth >= LEAST_BASES:
        start = sum(cost["start_s"] for cost in calling) / len(calling)
        genome = (
            _work(calling + by_task.get("phase", [])) * GENOME / bases * min(1.0, GENOME_DEPTH / depth)
            + GENOME_SHARDS * start
        )
        genome += _work(counting) * GENOME * GENOME_DEPTH / mapped if mapped else 0.0
        genome += sum(cost["cpu_s"] for name, rows in by_task.items() if name not in SCALED for cost in rows)
    cpu, start, wall = (sum(cost[key] for cost in costs) for key in ("cpu_s", "start_s", "wall_s"))
    peak = max((cost["peak_mb"] for cost in costs), default=0.0)
    return Cost(len(costs), cpu, start, wall, peak, genome)


def _work(costs: Sequence[Mapping[str, Any]]) -> float:
    return sum(cost["cpu_s"] - cost["start_s"] for cost in costs)


def costs_of(parts: Parts) -> dict[str, Cost]:
    """Cost of each sample that was called, by id; without those whose tasks wrote none."""
    mapped: dict[str, float] = {}
    for path in parts.files("*.samtools_stats.txt"):
        owner = parts.owner(path.name.removesuffix(".samtools_stats.txt"))
        mapped[owner] = mapped.get(owner, 0.0) + summary_numbers(path.read_text()).get("bases mapped (cigar)", 0.0)
    return {
        identifier: cost_of(costs, summary.get("bases", 0), summary.get("mean_depth", 0.0), mapped.get(identifier, 0.0))
        for identifier, summary in parts.called.items()
        if (costs := parts.costs.get(identifier))
    }


def time_text(seconds: float) -> str:
    """3.2 s, 14 min, 2.1 h."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _genome_text(cost: Cost) -> str:
    return "–" if cost.genome is None else time_text(cost.genome)


def card(costs: Mapping[str, Cost], anchor: str) -> Card:
    """Without words: what a run cost differs from run to run, and the plain texts do not."""
    cpu = sum(cost.cpu for cost in costs.values())
    known = sorted(cost.genome for cost in costs.values() if cost.genome is not None)
    details = f"processor time of {html.plural(len(costs), 'sample')}; at most {max(cost.peak for cost in costs.values()):,.0f} MB"
    if known:
        details += f"<br>a 30× genome: about {time_text(known[len(known) // 2])}, projected"
    return Card("Cost of calling", time_text(cpu), details, html.GREY, anchor)


def section(parent: Parent, parts: Parts, costs: Mapping[str, Cost], labels: Mapping[str, str]) -> dict[str, Any]:
    """The table of costs by sample."""
    header = [
        "Sample",
        "Tasks",
        "CPU",
        "of it start-up",
        "Wall, summed",
        "Peak memory",
        "Bases called",
        "Mean depth",
        "30× genome, CPU",
    ]
    rows: list[list[object]] = []
    for identifier, cost in costs.items():
        summary = parts.called[identifier]
        times = [html.Cell(time_text(value), f"{value:.4g}") for value in (cost.cpu, cost.start, cost.wall)]
        genome = html.Cell(_genome_text(cost), "" if cost.genome is None else f"{cost.genome:.4g}")
        measured = [
            html.figure_cell(summary.get("bases"), "{:,}"),
            html.figure_cell(summary.get("mean_depth"), "{:.1f}×"),
        ]
        rows.append(
            [
                html.Cell(labels[identifier]),
                cost.tasks,
                *times,
                html.figure_cell(cost.peak, "{:,.0f} MB"),
                *measured,
                genome,
            ]
        )
    description = """Processor time (user and system) and memory as the tasks of calling measured them themselves, from shards to statistics;
    attempts that failed are not in it. Wall time is summed over tasks, which may have run side by side. The projection is a linear
    extrapolation, not a run: calling (and phasing) beyond its start-up per base called (from more than 30× scaled down to it) times 3.1 Gb, counting beyond its
    start-up per base of the reads times 30 × 3.1 Gb, and 35 starts of a task. From less than 20 Mb of
    sequenced bases (0.7 Mb at 30×) nothing is projected: it would rest on under a second of work."""
    content = html.table(header, rows, "sw-cost", range(1, len(header)))
    return parent.html("small_variants_cost", "Cost", content, description)
