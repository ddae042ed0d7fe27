"""Compares the errors that genotype qualities promise with those that are seen, bin by bin."""

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas

EDGES = (0, 3, 5, 10, 15, 20, 30, 40, 100)
"""Of the bins of GQ, phred."""

TYPES = ("SNP", "INDEL")
DECISIONS = ("called", "rejected")


class Judged(NamedTuple):
    """A genotype with known truth. type: SNP or INDEL; quality: GQ; called: as a variant, otherwise rejected; chance: of
    being wrong, as promised; wrong: whether it is."""

    type: str
    quality: float
    called: bool
    chance: float
    wrong: bool


def reliability_of(name: str, genotypes: Iterable[Judged]) -> "pandas.DataFrame":
    """Rows of the table RELIABILITY for the set `name`: every bin of every type and decision, empty ones too."""
    import pandas

    columns = ["type", "quality", "called", "chance", "wrong"]
    frame = pandas.DataFrame(list(genotypes), columns=columns).astype({"wrong": int})
    rows = []
    for kind, decision in itertools.product(TYPES, DECISIONS):
        chosen = frame[(frame["type"] == kind) & (frame["called"] == (decision == "called"))]
        for low, high in itertools.pairwise(EDGES):
            here = chosen[(chosen["quality"] >= low) & (chosen["quality"] < high)]
            numbers = (len(here), float(here["chance"].sum()), int(here["wrong"].sum()))
            rows.append((name, kind, decision, low, high, *numbers))
    names = ["set", "type", "decision", "gq_from", "gq_to", "genotypes", "expected", "observed"]
    return pandas.DataFrame(rows, columns=names)
