"""Coverage of 90 % intervals on folds whose residuals did not set their width: lines left out, tissues left out; no networks."""

from pathlib import Path

import numpy as np
import pandas as pd
from setting import Setting

from strandwise.drug_response.build import cross_fit, read_folds, slope_of_errors, tissue_folds
from strandwise.drug_response.intervals import half_widths, widening
from strandwise.drug_response.layout import read_training
from strandwise.drug_response.training import Recipe


def intervals(setting: Setting, output: Path) -> None:
    training = read_training(setting.data)
    by_line = read_folds(setting.data / "splits_lco.tsv", training.lines)
    kinds = {"lines": by_line, "tissues": tissue_folds(training.tissues, 5)}
    found = {name: cross_fit(training, parts, Recipe(members=0)) for name, parts in kinds.items()}
    sd = np.nanstd(training.response, axis=0)
    residuals = {name: training.response - some.prediction for name, some in found.items()}
    typical = float(np.median(1 - found["lines"].explained))
    strange = {name: (1 - some.explained) / typical for name, some in found.items()}
    least = float(np.quantile(found["lines"].explained, 0.01))
    most = float(np.quantile(found["lines"].distance, 0.99))
    inside = {name: np.full(training.response.shape, np.nan) for name in kinds}
    width = {name: np.ones(len(training.lines)) for name in kinds}
    for name, parts in kinds.items():
        for fold in np.unique(parts):
            # Nothing of the tested lines, in either kind, sets the width.
            kept = parts != fold
            errors = [residuals[kind][kept] for kind in kinds]
            slope = slope_of_errors(
                [np.sqrt(np.nanmean((part / sd) ** 2, axis=1)) for part in errors],
                [strange[kind][kept] for kind in kinds],
            )
            wider = [widening(strange[kind][kept], slope) for kind in kinds]
            half = half_widths(np.vstack(errors), sd, np.concatenate(wider))
            width[name][~kept] = widening(strange[name][~kept], slope)
            inside[name][~kept] = np.abs(residuals[name][~kept]) <= half * width[name][~kept, None]
    rows = []
    for name in kinds:
        covered = np.where(np.isnan(residuals[name]), np.nan, inside[name])
        by_drug = np.nanmean(covered, axis=0)
        row = {"left_out": name, "coverage": np.nanmean(covered)}
        row["in_domain"] = ((found[name].explained >= least) & (found[name].distance <= most)).mean()
        row |= {"drugs_5_percent": np.quantile(by_drug, 0.05), "drugs_least": by_drug.min()}
        order = np.argsort(strange[name])
        for title, part in (("usual", order[: len(order) // 4]), ("strange", order[-(len(order) // 4) :])):
            row |= {f"{title}_width": width[name][part].mean(), f"{title}_coverage": np.nanmean(covered[part])}
        rows.append(row)
    pd.DataFrame(rows).to_csv(output, sep="\t", index=False, float_format="%.4f")
