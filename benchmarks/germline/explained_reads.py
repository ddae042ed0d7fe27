#!/usr/bin/env python3
"""Do attributed reads matter? Takes the most attributed molecules of called alleles out of the file, or as many random ones.

At each call a fifth of its molecules goes, one at least: those with the largest attributions, whatever their sign, then
several random draws from all of them; the place is judged anew from a file without them. Nothing else is read or chosen.
"""

import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import numpy as np
import pysam
import strandwise_core
from scipy.stats import wilcoxon
from typer import Option, Typer

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "bin"))

from strandwise.formats.places import Place  # noqa: E402
from strandwise.models.card import load_card  # noqa: E402
from strandwise.small_variants.candidates import ROWS, CandidateReader  # noqa: E402
from strandwise.small_variants.explain_attributions import PHRED, Attributor  # noqa: E402
from strandwise.small_variants.explain_decisions import Decision, Examiner  # noqa: E402
from strandwise.small_variants.explain_parts import explained, name_hash  # noqa: E402
from strandwise.small_variants.labels import normalised  # noqa: E402
from strandwise.small_variants.network import Genotyper  # noqa: E402

FEWEST = 3
REACH = 1100

app = Typer(help=__doc__, pretty_exceptions_enable=False)


def places_of(calls: Path, number: int, least_certain: bool, rng: random.Random) -> list[Place]:
    """The passing calls with one alternate that are least certain, or random ones."""
    found = []
    with pysam.VariantFile(str(calls)) as records:
        for record in records:
            genotype = record.samples[0]
            if list(record.filter.keys()) == ["PASS"] and len(record.alts or ()) == 1 and any(genotype["GT"]):
                found.append((genotype["GQ"], Place(record.chrom, record.start, record.start + 1, "", "")))
    rng.shuffle(found)
    return [place for _, place in (sorted(found, key=lambda call: call[0]) if least_certain else found)[:number]]


class Removal:
    """The reads around one call, to judge it without some of them."""

    def __init__(self, alignment: Path, reference: Path, genotyper: Genotyper, decision: Decision, folder: Path):
        self.reference, self.genotyper, self.decision, self.path = reference, genotyper, decision, folder / "left.bam"
        at = decision.position
        with pysam.AlignmentFile(str(alignment)) as file:
            self.header = file.header
            self.reads = list(file.fetch(decision.contig, max(0, at - REACH), at + REACH))
        self.before = self.log_odds(())

    def change(self, names: Collection[str]) -> float:
        """Phred by which the log-odds of the called copies change without these molecules, without sign."""
        return abs(self.before - self.log_odds(names))

    def log_odds(self, names: Collection[str]) -> float:
        with pysam.AlignmentFile(str(self.path), "wb", header=self.header) as output:
            for read in self.reads:
                if read.query_name not in names:
                    output.write(read)
        pysam.index(str(self.path))
        reader, decision = CandidateReader([self.path], self.reference), self.decision

        def base(position: int) -> str:
            return reader.sequence(decision.contig, position, position + 1)

        (event,) = normalised(decision.position, decision.reference, decision.alternate, base)
        key = (event.position, event.reference_length, event.alternate)
        found = reader.candidates(decision.contig, decision.position, decision.position + 2, ROWS, [key])
        keys = list(zip(found.position.tolist(), found.reference_length.tolist(), found.alternates, strict=True))
        probability = float(self.genotyper.probabilities(found)[keys.index(key), decision.copies])
        probability = min(max(probability, 1e-9), 1 - 1e-9)
        return float(PHRED * np.log(probability / (1 - probability)))


@app.command()
def main(
    alignment: Annotated[Path, Option(help="Sorted, indexed BAM", exists=True)],
    reference: Annotated[Path, Option(exists=True)],
    calls: Annotated[Path, Option(help="VCF of the sample by `call`", exists=True)],
    model: Annotated[Path, Option(exists=True)] = PROJECT / "assets" / "models" / "small_variants",
    number: Annotated[int, Option(help="Calls to look at")] = 30,
    least_certain: Annotated[
        bool, Option(help="Those of the lowest GQ, as the pipeline explains; or random ones")
    ] = True,
    draws: Annotated[int, Option(help="Random draws at each call")] = 10,
    seed: int = 1,
) -> None:
    """Print a row of a table: calls, changes in phred, at how many calls the attributed molecules matter more."""
    card, rng = load_card(model, "small_variants"), random.Random(seed)
    genotyper, attributor = Genotyper(card), Attributor(card, strandwise_core.CHANNELS)
    examiner = Examiner([alignment], reference, genotyper)
    changes = []
    with tempfile.TemporaryDirectory() as scratch:
        for place in places_of(calls, number, least_certain, rng):
            examined, decisions = examiner.decisions(place)
            for decision in decisions:
                if (
                    examined is None
                    or decision.index is None
                    or not decision.copies
                    or decision.position != place.start
                ):
                    continue
                one = explained(examiner, attributor, examined, decision)
                without = Removal(alignment, reference, genotyper, decision, Path(scratch))
                names = {name_hash(read.query_name or ""): read.query_name or "" for read in without.reads}
                molecules: dict[str, float] = defaultdict(float)
                for read, share in one.by_read.items():
                    molecules[names[examined.found["used_reads"][read]["name"]]] += share.total
                if len(molecules) < FEWEST:
                    continue
                taken = max(1, len(molecules) // 5)
                top = sorted(molecules, key=lambda name: -abs(molecules[name]))[:taken]
                random_ones = [without.change(rng.sample(sorted(molecules), taken)) for _ in range(draws)]
                changes.append((without.change(top), float(np.mean(random_ones))))
    by_top, by_chance = np.array(changes).T
    p = wilcoxon(by_top, by_chance, alternative="greater").pvalue
    print("| calls | top fifth, mean (median) | random fifth, mean (median) | top fifth matters more | p |")
    print("| --- " * 5 + "|")
    described = [f"{values.mean():.1f} ({np.median(values):.1f})" for values in (by_top, by_chance)]
    print(f"| {len(changes)} | {' | '.join(described)} | {np.sum(by_top > by_chance)} | {p:.1g} |", flush=True)


if __name__ == "__main__":
    app()
