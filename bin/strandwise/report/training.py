"""What training tells the report: learning curves."""

from typing import Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

PARENT = Parent("training", "Training", "How the model learned. Its card and README lie in the model folder.")


def chapter(parts: Parts) -> Chapter | None:
    """From history.tsv: network, epoch, and pairs of columns train_X, tune_X."""
    table = parts.table("history.tsv")
    if table is None or table.empty:
        return None
    measures = [name.removeprefix("tune_") for name in table.columns if name.startswith("tune_")]
    curves = []
    for measure in measures:
        series = {}
        for network, rows in table.groupby("network", sort=False):
            for use in ("train", "tune"):
                values = list(zip(rows["epoch"].astype(int), rows[f"{use}_{measure}"].astype(float), strict=True))
                series[html.text(f"{network}, {'training' if use == 'train' else 'held-out'} data")] = values
        curves.append(series)
    epochs = html.plural(int(table["epoch"].max()), "epoch")
    networks = html.plural(table["network"].nunique(), "network")
    section: dict[str, Any] = PARENT.plot(
        "training_curves",
        "Learning curves",
        "linegraph",
        curves,
        "Held-out data are never trained on; where their curve turns up, training longer makes the model worse.",
        settings={"xlab": "epoch", "data_labels": [{"name": measure, "ylab": measure} for measure in measures]},
    )
    return Chapter(
        cards=[Card("Training", epochs, networks, html.PURPLE, PARENT.identifier, f"{networks}, {epochs}")],
        sections=[section],
        folders={"models/": "the model folder that was trained: weights, card, README"},
    )
