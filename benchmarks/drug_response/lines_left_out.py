"""Lines left out, at random and by tissue: Strandwise beside its rivals, by the package's own evaluation."""

from pathlib import Path

from setting import BOOTSTRAPS, Setting

from strandwise.drug_response.evaluate import evaluate


def lines(setting: Setting, output: Path) -> None:
    """Five folds of lines."""
    folds = setting.data / "splits_lco.tsv"
    evaluate(setting.data, folds, output, None, setting.members, BOOTSTRAPS, (), setting.work)


def tissues(setting: Setting, output: Path) -> None:
    """Nineteen tissues. XGBoost, far behind on lines left out, would take as long as all else there."""
    folds = setting.data / "splits_lto.tsv"
    evaluate(setting.data, folds, output, None, setting.members, BOOTSTRAPS, ("XGBoost",), setting.work)
