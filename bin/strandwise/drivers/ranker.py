"""The learned combination: gradient-boosted trees over the lines of evidence, with TreeSHAP."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strandwise.drivers.evidence import Evidence, with_ranks
from strandwise.drivers.tables import LINES
from strandwise.models.card import Card, load_card

if TYPE_CHECKING:
    import pandas
    import xgboost

# What a tenfold smaller Fisher combination adds to the score: orders genes that the trees cannot tell apart.
STRENGTH_BONUS = 0.1


@dataclass
class Ranker:
    """card: of the model folder; boosters: trees of one seed each; columns: of the evidence table, in order."""

    card: Card
    boosters: "list[xgboost.Booster]"
    columns: list[str]

    def score(self, found: Evidence, among: Evidence) -> np.ndarray:
        """Mean log odds of the boosters plus the strength bonus, float (G,); ranks are those among the genes of `among`."""
        return combine(self.boosters, with_ranks(found, among), self.columns)

    def reasons(self, table: "pandas.DataFrame") -> tuple["pandas.DataFrame", float]:
        """TreeSHAP summed over each line of evidence, one row per row of `table`, and the base; their sum is the score."""
        import pandas
        import xgboost

        data = xgboost.DMatrix(table[self.columns].to_numpy(np.float32))
        total = np.mean([booster.predict(data, pred_contribs=True) for booster in self.boosters], axis=0)
        lines = {
            line: total[:, [self.columns.index(name) for name in names if name in self.columns]].sum(axis=1)
            for line, names in LINES.items()
        }
        lines["combined"] = lines["combined"] + bonus(table)
        return pandas.DataFrame(lines, index=table.index), float(total[0, -1])


def bonus(table: "pandas.DataFrame") -> np.ndarray:
    return STRENGTH_BONUS * np.minimum(table["combined_excess"].to_numpy(float), 50.0)


def combine(boosters: "list[xgboost.Booster]", table: "pandas.DataFrame", columns: list[str]) -> np.ndarray:
    """Score of each row of an evidence table."""
    import xgboost

    data = xgboost.DMatrix(table[columns].to_numpy(np.float32))
    margins = [booster.predict(data, output_margin=True) for booster in boosters]
    return np.mean(margins, axis=0).astype(float) + bonus(table)


def load_ranker(folder: Path) -> Ranker:
    """Load a model folder. Raises InputError when it is damaged or another job's."""
    import xgboost

    card = load_card(folder, "drivers")
    columns = json.loads(card.file("columns.json").read_text())
    boosters = []
    for name in sorted(card.details["sha256"]):
        if name.endswith(".ubj"):
            booster = xgboost.Booster()
            booster.load_model(card.file(name))
            booster.set_param({"nthread": 1})
            boosters.append(booster)
    return Ranker(card, boosters, columns)
