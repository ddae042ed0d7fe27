"""Lines left out on a fresh split, with the settings chosen anew inside the training lines of each fold: figures without flattery."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from setting import BOOTSTRAPS, Setting

from strandwise.drug_response.build import fit_model, predict, random_folds
from strandwise.drug_response.evaluate import bootstrapped, write_figures
from strandwise.drug_response.figures import per_drug_mean
from strandwise.drug_response.layout import Training, read_training
from strandwise.drug_response.rivals import RIVALS
from strandwise.drug_response.training import Recipe
from strandwise.models.checkpoints import kept
from strandwise.progress import progress

# What is chosen, one setting at a time, the others as they ship.
CHOICES = {
    "network_share": (0.0, 0.25, 0.5, 0.75),
    "blood_weight": (0.0, 1.0, 2.0),
    "correction_z": (3.5, 4.0, 5.0),
    "factor_z": (3.0, 3.5, 4.5),
}
SEED = 31
COMPARED = ("kernel ridge, RBF", "kernel ridge, RBF and drug correlation")
OURS, CHOSEN = "Strandwise, settings as shipped", "Strandwise, settings chosen inside"


def fresh_folds(training: Training, folds: int = 5) -> np.ndarray:
    """A split that no setting was chosen on, balanced over tissues: lines of a tissue are dealt out in random order."""
    random = np.random.default_rng(SEED)
    order = np.lexsort((random.random(len(training.lines)), training.tissues))
    parts = np.empty(len(order), int)
    parts[order] = np.arange(len(order)) % folds
    return parts


def nested(setting: Setting, output: Path) -> None:
    """Figures, and beside them in nested_chosen.tsv what each fold chose."""
    training = read_training(setting.data)
    parts, shipped = fresh_folds(training), Recipe(members=setting.members)
    found: dict[str, np.ndarray] = {}
    chosen = []
    for part in progress(range(5), 5, "folds"):
        inside, outside = training.part(parts != part), training.part(parts == part)
        networks = setting.work / f"fold_{part}"
        results = kept(setting.work / f"fold_{part}.npz", partial(one_fold, inside, outside, shipped, networks))
        chosen.append({"fold": part} | {name: float(results.pop(name)) for name in CHOICES})
        for name, guess in results.items():
            found.setdefault(name, np.full(training.response.shape, np.nan))[parts == part] = guess
    figures = bootstrapped(training.response, found, parts, BOOTSTRAPS)
    pd.DataFrame(chosen).to_csv(output.with_name("nested_chosen.tsv"), sep="\t", index=False)
    write_figures(figures, CHOSEN, output)


def one_fold(inside: Training, outside: Training, shipped: Recipe, work: Path) -> dict[str, np.ndarray]:
    """Predictions of lines left out by method (lines, drugs), and by name what was chosen for each of CHOICES. work: for networks."""
    found = {name: RIVALS[name](inside, outside) for name in COMPARED}
    recipe = choose(inside, shipped, work / "inner")
    for name, used in ((OURS, shipped), (CHOSEN, recipe)):
        # The networks do not depend on what is chosen, and are trained once.
        found[name] = predict(fit_model(inside, used, work), outside)[0]
    return found | {name: np.array(getattr(recipe, name)) for name in CHOICES}


def choose(training: Training, shipped: Recipe, work: Path) -> Recipe:
    """For each setting what does best on a quarter of these lines, trained on the others."""
    parts = random_folds(len(training.lines), 4, SEED)
    inside, outside = training.part(parts != 0), training.part(parts == 0)
    known: dict[Recipe, float] = {}

    def quality(recipe: Recipe) -> float:
        if recipe not in known:
            guess = predict(fit_model(inside, recipe, work), outside)[0] - mean
            normalised = np.corrcoef(truth[measured], guess[measured])[0, 1]
            known[recipe] = normalised + per_drug_mean(truth, guess)
        return known[recipe]

    mean = np.nanmean(inside.response, axis=0)
    truth = outside.response - mean
    measured = ~np.isnan(truth)
    best = {
        name: max(values, key=lambda value: quality(replace(shipped, **{name: value})))
        for name, values in CHOICES.items()
    }
    return replace(shipped, **best)
