"""A small run of the whole training: it learns, goes on after a kill, is fine-tuned, and calls with what it made."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest
import strandwise_core
from sample import Sample, make_sample

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.models import checkpoints
from strandwise.models.card import load_card
from strandwise.small_variants import training
from strandwise.small_variants.call import call_shard
from strandwise.small_variants.network import LiteNetwork, summary_network
from strandwise.small_variants.training import Recipe, beyond_doubt, calibration_of, load_start, read_sets, train

RECIPE = Recipe(epochs=4, batch=64, networks=("summary", "reads"))


@pytest.mark.parametrize(
    ("copies", "likelihoods", "reads", "left_out"),
    [
        (0, (60, 0, 90), (16, 4), True),  # 4 of 20 reads show what the truth denies, by 60 phred
        (0, (59, 0, 90), (16, 4), False),
        (0, (60, 0, 90), (17, 4), False),  # 4 of 21 are less than a fifth: contamination or errors, to be learned
        (2, (300, 0, 60), (5, 20), True),  # 5 of 25 show the reference where both haplotypes have the variant
        (2, (300, 0, 59), (5, 20), False),
        (2, (300, 0, 60), (5, 21), False),
        (1, (300, 0, 300), (20, 20), False),
        (1, (300, 200, 0), (0, 40), False),  # a heterozygote of which one haplotype was not read
        (1, (0, 60, 200), (20, 0), True),
        (1, (0, 59, 200), (20, 0), False),
    ],
)
def test_what_reads_deny_beyond_doubt_is_left_out(
    copies: int, likelihoods: tuple[int, int, int], reads: tuple[int, int], left_out: bool
) -> None:
    """Copies in the truth, phred likelihoods of 0, 1 and 2 copies, reads for the reference and for the event."""
    shown = SimpleNamespace(likelihoods=np.array([likelihoods], float), counts=np.array([[*reads, 0]]))
    assert beyond_doubt(shown, np.array([copies])).tolist() == [left_out]


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
    """Trained in two goes: the first is killed after two epochs of the second network."""
    output, work = tmp_path_factory.mktemp("model") / "small", tmp_path_factory.mktemp("checkpoints")
    keep = training._checkpoint

    def killed(network: keras.Model, work: Path, name: str, curve: list[dict[str, float]]) -> None:
        if name == "reads" and len(curve) == 3:
            raise KeyboardInterrupt
        keep(network, work, name, curve)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_checkpoint", killed)
        with pytest.raises(KeyboardInterrupt):
            train(table, output, "small", "1", RECIPE, work=work)
    assert not (output / "card.json").exists()
    assert (work / "summary.weights.h5").exists() and (work / "reads-2.weights.h5").exists()
    train(table, output, "small", "1", RECIPE, work=work)
    assert not list(work.iterdir())
    return output


@pytest.fixture(scope="module")
def uninterrupted(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("model") / "whole"
    train(table, output, "small", "1", RECIPE)
    return output


def weights(folder: Path, network: str) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(folder / f"{network}.weights.h5") as stored:
        stored.visititems(lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None)
    return found


@pytest.mark.parametrize("network", ["summary", "reads"])
def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(
    model: Path, uninterrupted: Path, network: str
) -> None:
    once, twice = weights(uninterrupted, network), weights(model, network)
    assert len(once) > 6 and once.keys() == twice.keys()
    for name, values in once.items():
        np.testing.assert_array_equal(values, twice[name], err_msg=name)
    assert history(model) == history(uninterrupted)


def test_checkpoints_of_other_data_or_another_recipe_are_refused(table: Path, tmp_path: Path) -> None:
    checkpoints.begin(tmp_path / "begun", {"data": [], "recipe": {}, "start": None})
    with pytest.raises(
        InputError, match=r"begun: a training with other data, recipe was begun here; give another folder"
    ):
        train(table, tmp_path / "model", "small", "1", RECIPE, work=tmp_path / "begun")


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


def test_fine_tuning_starts_from_the_whole_function(model: Path, samples: dict[str, Sample], tmp_path: Path) -> None:
    """One sample at a third of the depth: its features have another mean, and at rate 0 the network must not change."""
    one = samples["tune"]
    path = tmp_path / "sets.tsv"
    rows = [
        "\t".join([use, *map(str, (one.bam, one.truth, one.bed, one.fasta)), use, "0.4"]) for use in ("train", "tune")
    ]
    path.write_text("\n".join(["name\talignment\ttruth\tbed\treference\tuse\tfractions", *rows]) + "\n")
    recipe = Recipe(epochs=1, batch=64, learning_rate=0.0)
    details = train(path, tmp_path / "tuned", "tuned", "2", recipe, start=load_card(model, "small_variants"))
    assert details["training"]["started_from"] == "small 1"
    features = np.random.default_rng(1).uniform(0, 4, (5, len(strandwise_core.FEATURES))).astype(np.float32)
    before, after = (LiteNetwork(folder / "summary.tflite").logits(features) for folder in (model, tmp_path / "tuned"))
    np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-5)


def test_weights_of_another_layout_are_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"reads.weights.h5: not weights of this version's networks"):
        load_start(summary_network(56, np.zeros(56), np.ones(56), 1), model / "reads.weights.h5")


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
