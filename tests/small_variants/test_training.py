"""A small run of the whole training: it learns, goes on after a kill, is fine-tuned, and calls with what it made."""

import csv
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from sample import Sample, make_sample

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.models.card import load_card
from strandwise.small_variants.call import call_shard
from strandwise.small_variants.training import Recipe, calibration_of, read_sets, train

RECIPE = Recipe(epochs=4, batch=64, networks=("summary", "reads"))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    folder = tmp_path_factory.mktemp("samples")
    return {
        name: make_sample(folder / name, seed, length=30_000, gap=60, depth=24, errors=0.01)
        for seed, name in enumerate(("train", "tune"), 21)
    }


@pytest.fixture(scope="module")
def table(samples: dict[str, Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "sets.tsv"
    lines = ["name\talignment\ttruth\tbed\treference\tuse\tfractions"]
    for name, one in samples.items():
        lines.append("\t".join([name, str(one.bam), str(one.truth), str(one.bed), str(one.fasta), name, "1,0.5"]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def model(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained in two goes: the first is killed in its third epoch."""
    output = tmp_path_factory.mktemp("model")
    written = keras.callbacks.CSVLogger.on_epoch_end

    def killed(self: keras.callbacks.CSVLogger, epoch: int, logs: dict | None = None) -> None:
        if epoch == 2:
            raise KeyboardInterrupt
        written(self, epoch, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.callbacks.CSVLogger, "on_epoch_end", killed)
        with pytest.raises(KeyboardInterrupt):
            train(table, output, "small", "1", RECIPE)
    assert not (output / "card.json").exists()
    train(table, output, "small", "1", RECIPE)
    return output


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.tsv").open() as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_a_killed_training_goes_on_and_its_curve_has_every_epoch_once(model: Path) -> None:
    rows = history(model)
    assert [(row["network"], row["epoch"]) for row in rows] == [
        (network, str(epoch)) for network in ("summary", "reads") for epoch in (1, 2, 3, 4)
    ]
    assert float(rows[3]["train_loss"]) < float(rows[0]["train_loss"])
    assert float(rows[3]["tune_accuracy"]) > 0.85


def test_the_card_tells_sets_counts_and_limits(model: Path) -> None:
    details = json.loads((model / "card.json").read_text())
    assert details["training"]["sets"] == [
        {"name": "train", "use": "train", "fractions": [1.0, 0.5]},
        {"name": "tune", "use": "tune", "fractions": [1.0, 0.5]},
    ]
    assert (
        sum(details["training"]["examples"]["train"]["copies"])
        == details["training"]["examples"]["train"]["candidates"]
        > 500
    )
    assert details["expects"]["read_length"] == [70, 125]
    assert set(details["sha256"]) == {
        "history.tsv",
        "summary.tflite",
        "reads.tflite",
        "summary.weights.h5",
        "reads.weights.h5",
    }


def test_the_model_calls_its_held_out_sample(model: Path, samples: dict[str, Sample]) -> None:
    tune = samples["tune"]
    card = load_card(model, "small_variants")
    whole = [Interval("c", 0, len(tune.reference))]
    (calls,) = call_shard([tune.bam], tune.fasta, card, whole)
    called = {site.position for site in calls.sites if site.filters == ("PASS",)}
    snvs = {at for at, old, new, _ in tune.variants if len(old) == len(new) and 300 < at < len(tune.reference) - 300}
    assert len(snvs - called) <= 0.05 * len(snvs)
    (again,) = call_shard([tune.bam], tune.fasta, card, whole, threads=2)
    assert list(again.sites) == list(calls.sites)


def test_fine_tuning_starts_from_the_weights(model: Path, table: Path, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch=64, networks=("summary",))
    details = train(table, tmp_path, "tuned", "2", recipe, start=load_card(model, "small_variants"))
    assert details["training"]["started_from"] == "small 1"
    (tuned,) = history(tmp_path)
    assert float(tuned["train_loss"]) < float(history(model)[0]["train_loss"]) / 2


def test_all_problems_of_a_table_are_told_at_once(tmp_path: Path, samples: dict[str, Sample]) -> None:
    one = samples["train"]
    path = tmp_path / "sets.tsv"
    path.write_text(
        "name\talignment\ttruth\tbed\treference\tuse\n"
        f"a\t{one.bam}\t{one.truth}\tnowhere.bed\t{one.fasta}\ttrain\n"
        f"b\t{one.bam}\t{one.truth}\t{one.bed}\t{one.fasta}\tlearn\n"
    )
    with pytest.raises(InputError) as caught:
        read_sets(path)
    assert caught.value.problems == [
        f"{path}: row 2, bed: no file {tmp_path / 'nowhere.bed'}",
        f"{path}: row 3, use: 'learn' is neither train nor tune",
        f"{path}: no row with use tune; both are needed",
    ]


def test_calibration_finds_the_temperature() -> None:
    """Logits three times too large: a temperature near 3."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (4000, 3))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(3, p=row) for row in chances])
    temperature, one, two = calibration_of(3 * logits, labels)
    assert temperature == pytest.approx(3, rel=0.1)
    assert abs(one) < 0.15
    assert abs(two) < 0.15
