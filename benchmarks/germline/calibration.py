#!/usr/bin/env python3
"""Reliability of the caller's genotype qualities: candidates of samples with known truth, by kind, decision and GQ bin."""

import csv
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option, Typer

sys.path.insert(0, str(Path(__file__).parents[2] / "bin"))

import itertools

from strandwise.formats.intervals import Interval, read_bed
from strandwise.models.card import load_card
from strandwise.small_variants.candidates import SNV, CandidateReader
from strandwise.small_variants.labels import UNKNOWN, label, read_truth
from strandwise.small_variants.network import Genotyper

app = Typer(help=__doc__, pretty_exceptions_enable=False)
EDGES = (0, 3, 5, 10, 15, 20, 30, 40, 100)


def judged(row: dict[str, str], model: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kind, label and probabilities of every candidate of a set that can be judged."""
    genotyper = Genotyper(load_card(model, "small_variants"))
    reader = CandidateReader([Path(row["bam"])], Path(row["fasta"]))
    parts = []
    for interval in read_bed(Path(row["bed"]), reader.lengths):
        contig = reader.sequence(interval.contig, 0, reader.lengths[interval.contig])
        for piece in reader.pieces(interval.contig, interval.start, interval.end, genotyper.rows):
            here = Interval(piece.contig, piece.start, piece.end)
            labels = label(
                piece, read_truth(Path(row["truth"]), here, contig.__getitem__), lambda a, b, c=contig: c[a:b]
            )
            use = labels != UNKNOWN
            parts.append((piece.kind[use], labels[use], genotyper.probabilities(piece)[use]))
    kind, labels, probabilities = (np.concatenate(column) for column in zip(*parts, strict=True))
    return kind, labels, probabilities


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> tuple[list[tuple[str, int, float, int]], float]:
    """Per GQ bin: candidates, expected and seen wrong genotypes; and the expected calibration error."""
    sure = probabilities.max(axis=1)
    wrong = probabilities.argmax(axis=1) != labels
    quality = -10 * np.log10(np.maximum(1 - sure, 1e-10))
    rows, error = [], 0.0
    for low, high in itertools.pairwise(EDGES):
        inside = (quality >= low) & (quality < high)
        expected, seen = float((1 - sure[inside]).sum()), int(wrong[inside].sum())
        error += abs(expected - seen) / max(1, len(labels))
        rows.append((f"{low}-{high}", int(inside.sum()), round(expected, 1), seen))
    return rows, error


@app.command()
def main(
    sets: Annotated[Path, Option(help="SETS.tsv of simulate.py", exists=True)],
    model: Annotated[Path, Option(help="model folder", exists=True)],
    names: Annotated[list[str], Option(help="names of sets")],
) -> None:
    with sets.open() as handle:
        known = {row["name"]: row for row in csv.DictReader(handle, delimiter="\t")}
    print("set\tkind\tdecision\tgq\tcandidates\texpected_wrong\tseen_wrong\texpected_calibration_error")
    for name in names:
        kind, labels, probabilities = judged(known[name], model)
        for text, of_kind in (("SNP", kind == SNV), ("INDEL", kind != SNV)):
            for decision, made in (("called", probabilities.argmax(1) > 0), ("rejected", probabilities.argmax(1) == 0)):
                rows, error = reliability(labels[of_kind & made], probabilities[of_kind & made])
                for row in rows:
                    print("\t".join(map(str, (name, text, decision, *row, round(error, 4)))))


if __name__ == "__main__":
    app()
