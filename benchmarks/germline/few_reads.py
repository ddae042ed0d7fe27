#!/usr/bin/env python3
"""How far GQ is to be trusted where few reads lie: candidates of thinned samples with known truth, by depth and GQ.

benchmarks/germline/few_reads.py --sets SETS.tsv --only tune_10x --fraction 1 --fraction 0.7 --fraction 0.5 …
"""

import csv
import itertools
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option, Typer

sys.path.insert(0, str(Path(__file__).parents[2] / "bin"))

from strandwise.formats.intervals import Interval, read_bed
from strandwise.models.card import load_card
from strandwise.small_variants.candidates import CandidateReader
from strandwise.small_variants.labels import UNKNOWN, label, read_truth
from strandwise.small_variants.network import Genotyper

MODEL = Path(__file__).parents[2] / "assets" / "models" / "small_variants"
QUALITIES = (0, 3, 5, 8, 15, 100)
MOST = 4

app = Typer(help=__doc__, pretty_exceptions_enable=False)


def judged(row: dict[str, str], fraction: float, genotyper: Genotyper) -> np.ndarray:
    """Depth, called copies, true copies and chance of an error of every candidate with a label, float (n, 4)."""
    reader = CandidateReader([Path(row["bam"])], Path(row["fasta"]), fraction=fraction)
    found = [np.zeros((0, 4))]
    for where in read_bed(Path(row["bed"]), reader.lengths):
        bases = reader.sequence(where.contig, 0, reader.lengths[where.contig])
        for piece in reader.pieces(where.contig, where.start, where.end, genotyper.rows):
            here = Interval(piece.contig, piece.start, piece.end)
            truth = read_truth(Path(row["truth"]), here, bases.__getitem__)
            labels = label(piece, truth, lambda start, end, of=bases: of[start:end])  # type: ignore[misc]
            chances = genotyper.probabilities(piece)
            columns = [piece.counts.sum(axis=1), chances.argmax(axis=1), labels, 1 - chances.max(axis=1)]
            found.append(np.stack(columns, axis=1)[labels != UNKNOWN])
    return np.concatenate(found)


@app.command()
def main(
    sets: Annotated[Path, Option(help="SETS.tsv of simulate.py", exists=True)],
    only: Annotated[list[str], Option(help="set to judge; repeat")],
    fraction: Annotated[list[float], Option(help="share of the molecules to use; repeat")],
    model: Annotated[Path, Option(help="model folder", exists=True)] = MODEL,
) -> None:
    """Print called candidates, errors promised and seen by depth and GQ."""
    with sets.open() as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["name"] in only]
    genotyper = Genotyper(load_card(model, "small_variants"))
    found = np.concatenate([judged(row, share, genotyper) for row in rows for share in fraction])
    depth, called, true, doubt = found.T
    quality = -10 * np.log10(np.maximum(doubt, 1e-10))
    print("| depth | GQ | called | wrong | expected | no such allele | other copies |\n" + "| --- " * 7 + "|")
    for reads in range(1, MOST + 1):
        for low, high in itertools.pairwise(QUALITIES):
            here = (depth == reads) & (called > 0) & (quality >= low) & (quality < high)
            wrong, absent = np.sum(here & (called != true)), np.sum(here & (true == 0))
            numbers = (np.sum(here), wrong, f"{doubt[here].sum():.1f}", absent, wrong - absent)
            print(f"| {reads} | {low}–{high - 1} | {' | '.join(map(str, numbers))} |")


if __name__ == "__main__":
    app()
