"""Do attributed reads matter? Takes the most attributed reads of explained calls out of the file, or as many random ones.

bin/small_variants.py explain --alignment A.bam … --number 30 --output-folder explain
benchmarks/germline/explained_reads.py --folder explain --alignment A.bam --reference R.fa --model MODEL
"""

import csv
import random
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import pysam
import typer
from scipy.stats import wilcoxon

sys.path.insert(0, str(Path(__file__).parents[2] / "bin"))

from strandwise.models.card import load_card
from strandwise.small_variants.candidates import ROWS, CandidateReader
from strandwise.small_variants.explain_attributions import PHRED
from strandwise.small_variants.labels import normalised
from strandwise.small_variants.network import Genotyper

FEWEST = 5
DRAWS = 5
REACH = 1100


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def log_odds(reader: CandidateReader, genotyper: Genotyper, row: dict[str, str], copies: int) -> float:
    contig, at = row["contig"], int(row["position"]) - 1

    def base(position: int) -> str:
        return reader.sequence(contig, position, position + 1)

    (event,) = normalised(at, row["reference"], row["alternate"], base)
    key = (event.position, event.reference_length, event.alternate)
    found = reader.candidates(contig, at, at + 2, ROWS, [key])
    keys = list(zip(found.position.tolist(), found.reference_length.tolist(), found.alternates, strict=True))
    probability = float(genotyper.probabilities(found)[keys.index(key), copies])
    return PHRED * float(np.log(probability / (1 - probability)))


def main(
    folder: Annotated[Path, typer.Option(help="What `explain` wrote")],
    alignment: Annotated[Path, typer.Option()],
    reference: Annotated[Path, typer.Option()],
    model: Annotated[Path, typer.Option()],
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    genotyper, rng = Genotyper(load_card(model, "small_variants")), random.Random(seed)
    changes = []
    with tempfile.TemporaryDirectory() as scratch:
        left = Path(scratch) / "left.bam"

        def without(names: set[str], row: dict[str, str], copies: int) -> float:
            at = int(row["position"])
            with (
                pysam.AlignmentFile(str(alignment)) as file,
                pysam.AlignmentFile(str(left), "wb", header=file.header) as output,
            ):
                for read in file.fetch(row["contig"], max(0, at - REACH), at + REACH):
                    if read.query_name not in names:
                        output.write(read)
            pysam.index(str(left))
            return log_odds(CandidateReader([left], reference), genotyper, row, copies)

        for row in rows_of(folder / "sites.tsv"):
            molecules: dict[str, float] = defaultdict(float)
            for part in rows_of(folder / row["attributions"]) if row["attributions"] else []:
                if part["part"] == "read_total":
                    molecules[part["name"].rsplit(" ", 1)[0]] += float(part["attribution"])
            if len(molecules) < FEWEST:
                continue
            copies = int(np.argmax([float(row[f"probability_{number}"]) for number in range(3)]))
            number = max(1, len(molecules) // 5)
            top = set(sorted(molecules, key=lambda name: -abs(molecules[name]))[:number])
            drawn = [set(rng.sample(sorted(molecules), number)) for _ in range(DRAWS)]
            before = without(set(), row, copies)
            by_top, *by_chance = (abs(before - without(names, row, copies)) for names in (top, *drawn))
            changes.append((by_top, float(np.mean(by_chance))))
    by_top, by_chance = np.array(changes).T
    test = wilcoxon(by_top, by_chance, alternative="greater")
    print(f"calls\t{len(changes)}\ntop fifth, mean change\t{by_top.mean():.1f} phred")
    print(f"random fifth, mean change\t{by_chance.mean():.1f} phred\np, Wilcoxon, one-sided\t{test.pvalue:.2g}")


if __name__ == "__main__":
    typer.run(main)
