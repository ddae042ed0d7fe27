#!/usr/bin/env python3
"""Reliability of the caller's genotype qualities: candidates of samples with known truth, by kind, decision and GQ bin.

Writes reliability.tsv (the table RELIABILITY), by default into the model's folder, where the report finds it.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option, Typer

sys.path.insert(0, str(Path(__file__).parents[2] / "bin"))

from strandwise.formats.intervals import Interval, read_bed
from strandwise.formats.tables import write_table
from strandwise.models.card import load_card, write_card
from strandwise.report.reliability import markdown
from strandwise.small_variants.candidates import SNV, CandidateReader
from strandwise.small_variants.labels import UNKNOWN, label, read_truth
from strandwise.small_variants.network import Genotyper
from strandwise.small_variants.reliability import Judged, reliability_of
from strandwise.small_variants.tables import RELIABILITY

app = Typer(help=__doc__, pretty_exceptions_enable=False)


def judged(row: dict[str, str], genotyper: Genotyper) -> list[Judged]:
    """Every candidate of a set whose number of copies the truth tells."""
    reader = CandidateReader([Path(row["bam"])], Path(row["fasta"]))
    found = []
    for interval in read_bed(Path(row["bed"]), reader.lengths):
        contig = reader.sequence(interval.contig, 0, reader.lengths[interval.contig])
        for piece in reader.pieces(interval.contig, interval.start, interval.end, genotyper.rows):
            here = Interval(piece.contig, piece.start, piece.end)
            truth = read_truth(Path(row["truth"]), here, contig.__getitem__)
            labels = label(piece, truth, lambda a, b, c=contig: c[a:b])
            probabilities = genotyper.probabilities(piece)
            best, chance = probabilities.argmax(1), 1 - probabilities.max(1)
            quality = np.minimum(-10 * np.log10(np.maximum(chance, 1e-10)), 99)
            kinds = np.where(piece.kind == SNV, "SNP", "INDEL")
            columns = (kinds, quality, best > 0, chance, best != labels)
            rows = zip(*(column.tolist() for column in columns), labels.tolist(), strict=True)
            found += [Judged(*fields) for *fields, known in rows if known != UNKNOWN]
    return found


@app.command()
def main(
    sets: Annotated[Path, Option(help="SETS.tsv of simulate.py", exists=True)],
    model: Annotated[Path, Option(help="model folder", exists=True)],
    only: Annotated[list[str] | None, Option(help="names or kinds of sets; default: heldout")] = None,
    output: Annotated[Path | None, Option(help="table to write; default: reliability.tsv of the model")] = None,
) -> None:
    """Sets of one depth are taken together, as 10x, 30x, …; the model's card takes up the checksum of its table."""
    import pandas

    wanted = only or ["heldout"]
    with sets.open() as handle:
        rows = [row for row in csv.DictReader(handle, delimiter="\t") if row["name"] in wanted or row["kind"] in wanted]
    card = load_card(model, "small_variants")
    genotyper = Genotyper(card)
    by_depth: dict[float, list[Judged]] = {}
    for row in rows:
        by_depth.setdefault(float(row["coverage"]), []).extend(judged(row, genotyper))
        print(f"{row['name']}: judged", file=sys.stderr, flush=True)
    table = pandas.concat([reliability_of(f"{depth:g}x", found) for depth, found in sorted(by_depth.items())])
    path = output or model / "reliability.tsv"
    write_table(RELIABILITY, table, card.model_version, path)
    if path.parent.samefile(model):
        details = json.loads((model / "card.json").read_text())
        files = [*dict.fromkeys([*details.pop("sha256"), path.name])]
        write_card(model, details, files)
    print(markdown(table))


if __name__ == "__main__":
    app()
