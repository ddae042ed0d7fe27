"""The learned combination: gradient-boosted trees and a linear model over the lines of evidence, and what each line adds."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strandwise.drivers.evidence import Evidence, with_ranks
from strandwise.drivers.tables import LINES
from strandwise.errors import InputError
from strandwise.models.card import Card, load_card

if TYPE_CHECKING:
    import pandas
    import xgboost

# What a tenfold smaller Fisher combination adds to the score: orders genes that the trees cannot tell apart.
STRENGTH_BONUS = 0.1
# The linear model's share of the score, the trees having the rest.
LINEAR_SHARE = 0.35


@dataclass
class Linear:
    """Log odds as a sum: base + Σ slope × (asinh(value) - centre). columns: of the evidence table; slopes, centres: float (C,)."""

    columns: list[str]
    slopes: np.ndarray
    centres: np.ndarray
    base: float

    def parts(self, table: "pandas.DataFrame") -> np.ndarray:
        """What each column adds, float (rows, C)."""
        return (bent(table, self.columns) - self.centres) * self.slopes

    def log_odds(self, table: "pandas.DataFrame") -> np.ndarray:
        return self.base + self.parts(table).sum(axis=1)


def bent(table: "pandas.DataFrame", columns: list[str]) -> np.ndarray:
    """Evidence on the scale of the linear model: asinh, which is a logarithm on either side of 0; what is missing counts 0."""
    return np.arcsinh(np.nan_to_num(table[columns].to_numpy(float)))


@dataclass
class Mixture:
    """boosters: trees of one seed each; columns: of the evidence table, in the trees' order; linear: the other model."""

    boosters: "list[xgboost.Booster]"
    columns: list[str]
    linear: Linear

    def score(self, table: "pandas.DataFrame") -> np.ndarray:
        """Score of each row of an evidence table: mean log odds of the two models plus the strength bonus."""
        import xgboost

        data = xgboost.DMatrix(table[self.columns].to_numpy(np.float32))
        trees = np.mean([booster.predict(data, output_margin=True) for booster in self.boosters], axis=0).astype(float)
        return (1 - LINEAR_SHARE) * trees + LINEAR_SHARE * self.linear.log_odds(table) + bonus(table)

    def reasons(self, table: "pandas.DataFrame") -> tuple["pandas.DataFrame", float]:
        """What each line of evidence adds (TreeSHAP of the trees, terms of the sum), one row per row of `table`, and the base; base,
        lines and bonus add up to the score."""
        import pandas
        import xgboost

        data = xgboost.DMatrix(table[self.columns].to_numpy(np.float32))
        trees = np.mean([booster.predict(data, pred_contribs=True) for booster in self.boosters], axis=0).astype(float)
        terms = self.linear.parts(table)
        lines = {
            line: (1 - LINEAR_SHARE) * trees[:, [n for n, name in enumerate(self.columns) if name in names]].sum(axis=1)
            + LINEAR_SHARE * terms[:, [n for n, name in enumerate(self.linear.columns) if name in names]].sum(axis=1)
            for line, names in LINES.items()
        }
        lines["combined"] = lines["combined"] + bonus(table)
        base = (1 - LINEAR_SHARE) * float(trees[0, -1]) + LINEAR_SHARE * self.linear.base
        return pandas.DataFrame(lines, index=table.index), base


@dataclass
class Ranker:
    """card: of the model folder; mixture: the models in it."""

    card: Card
    mixture: Mixture

    def score(self, found: Evidence, among: Evidence) -> np.ndarray:
        """Score of each gene, float (G,); ranks are those among the genes of `among`."""
        return self.mixture.score(with_ranks(found, among))


def bonus(table: "pandas.DataFrame") -> np.ndarray:
    return STRENGTH_BONUS * np.minimum(table["combined_excess"].to_numpy(float), 50.0)


def load_ranker(folder: Path) -> Ranker:
    """Load a model folder. Raises InputError when it is damaged or another job's."""
    import xgboost

    card = load_card(folder, "drivers")
    if "linear.json" not in card.details["sha256"]:
        raise InputError(f"{folder}: made by an earlier version of Strandwise, without a linear model; train it again")
    columns = json.loads(card.file("columns.json").read_text())
    linear = json.loads(card.file("linear.json").read_text())
    boosters = []
    for name in sorted(card.details["sha256"]):
        if name.endswith(".ubj"):
            booster = xgboost.Booster()
            booster.load_model(card.file(name))
            booster.set_param({"nthread": 1})
            boosters.append(booster)
    terms = linear["terms"]
    slopes, centres = (np.array([term[key] for term in terms.values()]) for key in ("slope", "centre"))
    return Ranker(card, Mixture(boosters, columns, Linear(list(terms), slopes, centres, linear["base"])))
