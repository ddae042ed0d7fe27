"""What training tells the report: learning curves."""

from typing import Any

from strandwise.report import html
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent

PARENT = Parent("training", "Training", "How the model learned. Its card lies in the model folder.")


def chapter(parts: Parts) -> Chapter | None:
    """The model that was trained, and its learning curves if it is a network. None in other modes."""
    if parts.parameters.get("mode") != "train":
        return None
    name, job = (str(parts.parameters.get(key, "")) for key in ("model_name", "model"))
    card = Card(
        "Trained model", html.text(name), f"for {html.text(job)}", html.PURPLE, PARENT.identifier, f"{name}, for {job}"
    )
    where = PARENT.html(
        "training_model", "Model", f"<p>{html.link(f'models/{name}/')}</p>{_facts(parts.json('card.json'))}"
    )
    return Chapter(
        cards=[card],
        sections=[where, *_curves(parts)],
        folders={"models/": "the model folder that was trained: weights and card"},
    )


def _facts(card: dict[str, Any]) -> str:
    """What the model's card says of its making, as a table; nothing where the training left no card."""
    rows: list[tuple[str, str]] = []
    examples = card.get("training", {}).get("examples", {})
    rows += [
        (f"candidates to {use}", f"{html.number(found['candidates'])}; with 0, 1, 2 copies: {found['copies']}")
        for use, found in examples.items()
    ]
    if card.get("training", {}).get("started_from"):
        rows.append(("fine-tuned from", card["training"]["started_from"]))
    for network, found in card.get("networks", {}).items():
        wrong = found["tune_errors"]
        rows.append(
            (
                f"held-out candidates that the {network} network gets wrong",
                f"{html.plural(wrong['snv'], 'SNV')}, {html.plural(wrong['indel'], 'indel')}",
            )
        )
    learned = {
        "cohorts": "cohorts",
        "drivers": "driver genes",
        "lines": "lines",
        "drugs": "drugs",
        "pairs": "pairs of line and drug",
    }
    for key, words in learned.items():
        value = card.get("trained_on", {}).get(key)
        if value is not None:
            rows.append((words, ", ".join(value) if isinstance(value, list) else html.number(value)))
    for split, words in (("lines_left_out", "lines"), ("tissues_left_out", "tissues")):
        found = card.get("figures", {}).get(split)
        if found:
            agreed = f"correlation {found['normalised_pearson']:.3f} (normalised), {found['per_drug_pearson']:.3f} (per drug)"
            rows.append((f"{words} left out", f"{agreed}; 90 % intervals cover {found['interval_coverage']:.1%}"))
    return html.table(["", ""], rows, "training_facts") if rows else ""


def _curves(parts: Parts) -> list[dict[str, Any]]:
    """From history.tsv: network, epoch, and pairs of columns train_X, tune_X."""
    table = parts.table("history.tsv")
    if table is None or table.empty:
        return []
    measures = [name.removeprefix("tune_") for name in table.columns if name.startswith("tune_")]
    curves = []
    for measure in measures:
        series = {}
        for network, rows in table.groupby("network", sort=False):
            for use, words in (("train", "training"), ("tune", "held-out")):
                values = list(zip(rows["epoch"].astype(int), rows[f"{use}_{measure}"].astype(float), strict=True))
                series[html.text(f"{network}, {words} data")] = values
        curves.append(series)
    return [
        PARENT.plot(
            "training_curves",
            "Learning curves",
            "linegraph",
            curves,
            "Held-out data are never trained on; where their curve turns up, training longer makes the model worse.",
            settings={"xlab": "epoch", "data_labels": [{"name": measure, "ylab": measure} for measure in measures]},
        )
    ]
