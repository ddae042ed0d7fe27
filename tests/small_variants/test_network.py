"""LiteRT gives what TensorFlow gives; calibration by hand."""

from pathlib import Path

import numpy as np
import pytest

from strandwise.small_variants.candidates import ROWS
from strandwise.small_variants.network import (
    BATCH,
    LiteNetwork,
    calibrated,
    reads_input,
    reads_network,
    softmax,
    summary_input,
    summary_network,
)

FEATURES, CHANNELS = 56, 10


def random_inputs(n: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    features = summary_input(random.gamma(1.0, 20.0, (n, FEATURES)).astype(np.float32))
    rows = random.integers(0, 256, (n, ROWS, CHANNELS), dtype=np.uint8)
    for i, present in enumerate(random.integers(1, ROWS + 1, n)):
        rows[i, :present, 0] = 255
        rows[i, present:] = 0
    return features, reads_input(rows)


@pytest.fixture(scope="module")
def networks() -> dict:
    mean, deviation = np.full(FEATURES, 2.0), np.full(FEATURES, 1.5)
    return {
        "summary": summary_network(FEATURES, mean, deviation, seed=1),
        "reads": reads_network(FEATURES, CHANNELS, mean, deviation, seed=1),
    }


@pytest.mark.parametrize("name", ["summary", "reads"])
@pytest.mark.parametrize("n", [1, BATCH + 3])
def test_litert_equals_tensorflow(networks: dict, tmp_path: Path, name: str, n: int) -> None:
    path = tmp_path / "network.tflite"
    networks[name].export(str(path), format="litert", verbose=False)
    features, rows = random_inputs(n)
    inputs = [features] if name == "summary" else [features, rows]
    expected = networks[name].predict(inputs, verbose=0)
    found = LiteNetwork(path).logits(*inputs)
    assert np.abs(expected).max() > 0.1
    assert found == pytest.approx(expected, abs=2e-5)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


def test_the_order_of_reads_does_not_matter(networks: dict) -> None:
    features, rows = random_inputs(20)
    turned = rows[:, ::-1]
    one, other = (networks["reads"].predict([features, given], verbose=0) for given in (rows, turned))
    assert one == pytest.approx(other, abs=1e-5)


def test_summary_input_is_log_of_one_plus() -> None:
    assert summary_input(np.array([[0.0, np.e - 1, -3.0]])).tolist()[0] == pytest.approx([0, 1, 0])


def test_calibration_by_hand() -> None:
    """Temperature 2, bias ln 3 on one copy: logits 0, 2, 0 become 0, 1 + ln 3, 0 for an SNV; indels stay."""
    logits = np.array([[0.0, 2.0, 0.0], [0.0, 2.0, 0.0]], np.float32)
    found = calibrated(logits, np.array([0, 1]), {"snv": [2.0, np.log(3), 0.0], "indel": [1.0, 0.0, 0.0]})
    assert found[0].tolist() == pytest.approx((np.array([1, 3 * np.e, 1]) / (2 + 3 * np.e)).tolist())
    assert found[1].tolist() == pytest.approx(softmax(logits)[1].tolist())
