"""Lines left out on a fresh split, with the settings chosen anew inside the training lines of each fold: figures without flattery."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from strandwise.drug_response.build import fit_model, predict, random_folds
from strandwise.drug_response.figures import per_drug_mean
from strandwise.drug_response.layout import Training
from strandwise.drug_response.rivals import kernel_ridge, kernel_ridge_drug_correlation
from strandwise.drug_response.training import Recipe
from strandwise.progress import progress

# What is chosen, one setting at a time, the others as they ship.
CHOICES = {
    "network_share": (0.0, 0.25, 0.5, 0.75),
    "blood_weight": (0.0, 1.0, 2.0),
    "correction_z": (3.5, 4.0, 5.0),
    "factor_z": (3.0, 3.5, 4.5),
}
SEED = 31
OURS, CHOSEN = "Strandwise, settings as shipped", "Strandwise, settings chosen inside"


def fresh_folds(training: Training, folds: int = 5) -> np.ndarray:
    """A split that no setting was chosen on, balanced over tissues: lines of a tissue are dealt out in random order."""
    random = np.random.default_rng(SEED)
    order = np.lexsort((random.random(len(training.lines)), training.tissues))
    parts = np.empty(len(order), int)
    parts[order] = np.arange(len(order)) % folds
    return parts


def nested(training: Training, members: int, work: Path) -> tuple[np.ndarray, dict[str, np.ndarray], list[Recipe]]:
    """Folds, predictions of lines left out by method (lines, drugs), and the recipe that each fold chose. work: for networks."""
    parts, shipped = fresh_folds(training), Recipe(members=members)
    rivals = {
        "kernel ridge, RBF": kernel_ridge,
        "kernel ridge, RBF and drug correlation": kernel_ridge_drug_correlation,
    }
    found = {name: np.full(training.response.shape, np.nan) for name in (*rivals, OURS, CHOSEN)}
    chosen = []
    for part in progress(range(5), 5, "folds"):
        inside, outside = training.part(parts != part), training.part(parts == part)
        for name, rival in rivals.items():
            found[name][parts == part] = rival(inside, outside)
        chosen.append(choose(inside, shipped, work / f"{part}_inner"))
        for name, recipe in ((OURS, shipped), (CHOSEN, chosen[-1])):
            # The networks do not depend on what is chosen, and are trained once.
            found[name][parts == part] = predict(fit_model(inside, recipe, work / f"{part}"), outside)[0]
    return parts, found, chosen


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
