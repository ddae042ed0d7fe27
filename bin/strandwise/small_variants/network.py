"""The two networks that judge candidates: their input, their layers (Keras), and their run by LiteRT."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strandwise.models.card import Card
from strandwise.small_variants.candidates import ROWS, SNV, Candidates

if TYPE_CHECKING:
    import keras

SUMMARY_WEIGHTS = "summary.tflite"
READS_WEIGHTS = "reads.tflite"
BATCH = 512
CLASSES = 3
"""Copies of the candidate: 0, 1, 2."""

MEMBERS = 5
"""Networks that are averaged in the summary network."""

TOGETHER = "together"
"""Name of the layer that holds the logits of all members."""

MOST_PHRED = 60.0
"""Likelihoods are told apart on a linear scale up to this."""

SETTLED = 0.9999
"""A candidate of which the summary network is surer than this is not shown to the read-level network."""


def summary_input(features: np.ndarray) -> np.ndarray:
    """What the summary network sees of features (n, features): counts and likelihoods on a log scale, float32.

    log(1 + x) keeps the difference between 1 and 2 reads, or 3 and 6 phred, as visible as that between 30 and 60.
    """
    return np.log1p(np.maximum(features, 0.0)).astype(np.float32)


def reads_input(read_rows: np.ndarray) -> np.ndarray:
    """What the read-level network sees of read_rows uint8 (n, ROWS, channels): float32 in 0..1."""
    return read_rows.astype(np.float32) / np.float32(255)


def summary_network(features: int, mean: np.ndarray, deviation: np.ndarray, seed: int) -> "keras.Model":
    """Summary features (batch, features) to logits of 0, 1, 2 copies (batch, 3): two hidden layers and a direct path.

    MEMBERS networks that begin with other weights are averaged (Lakshminarayanan et al. 2017, Simple and scalable
    predictive uncertainty estimation using deep ensembles, section 2.4), so that chance in training weighs less.
    """
    import keras

    keras.utils.set_random_seed(seed)
    given = keras.Input((features,), name="features")
    scaled = _scaled(given, mean, deviation)
    members = []
    for _ in range(MEMBERS):
        hidden = keras.layers.Dense(96, activation="relu")(scaled)
        hidden = keras.layers.Dense(64, activation="relu")(hidden)
        members.append(keras.layers.Dense(CLASSES)(keras.layers.Concatenate()([scaled, hidden])))
    together = keras.layers.Reshape((MEMBERS, CLASSES), name=TOGETHER)(keras.layers.Concatenate()(members))
    return keras.Model(given, keras.ops.mean(together, axis=1), name="summary")


def learner_of(network: "keras.Model") -> "keras.Model":
    """What is trained: a network's members side by side (batch, MEMBERS, 3), each by its own loss, or the network."""
    import keras

    names = [layer.name for layer in network.layers]
    return keras.Model(network.inputs, network.get_layer(TOGETHER).output) if TOGETHER in names else network


def reads_network(features: int, channels: int, mean: np.ndarray, deviation: np.ndarray, seed: int) -> "keras.Model":
    """Summary features and read rows (batch, ROWS, channels) to logits of 0, 1, 2 copies (batch, 3).

    Each read is encoded alone; reads are pooled by attention that the encoded read itself gives (Ilse et al. 2018,
    Attention-based deep multiple instance learning, eq. 8), so that neither their order nor their number matters.
    """
    import keras

    keras.utils.set_random_seed(seed)
    given = keras.Input((features,), name="features")
    rows = keras.Input((ROWS, channels), name="read_rows")
    scaled = _scaled(given, mean, deviation)
    encoded = keras.layers.Dense(32, activation="relu")(rows)
    encoded = keras.layers.Dense(32, activation="relu")(encoded)
    present = rows[:, :, :1]
    heads = keras.layers.Dense(4)(encoded) + (present - 1.0) * 1e4
    attention = keras.layers.Softmax(axis=1)(heads)
    pooled = keras.layers.Flatten()(keras.layers.Dot(axes=1)([attention, encoded]))
    summed = keras.ops.sum(encoded * present, axis=1) / 16.0
    hidden = keras.layers.Dense(96, activation="relu")(keras.layers.Concatenate()([scaled, pooled, summed]))
    hidden = keras.layers.Dense(64, activation="relu")(hidden)
    logits = keras.layers.Dense(CLASSES)(keras.layers.Concatenate()([scaled, hidden]))
    return keras.Model([given, rows], logits, name="reads")


def _scaled(given: Any, mean: np.ndarray, deviation: np.ndarray) -> Any:
    """Features by mean and deviation of the training examples, and the three likelihoods as phred numbers once more.

    On a log scale 20 and 40 phred are close; what a likelihood says of odds is linear in phred. Mean and deviation are
    weights, so that fine-tuning keeps them.
    """
    import keras

    layer = keras.layers.Normalization(name="scaled")
    layer.build(given.shape)
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(deviation**2)
    layer.finalize_state()
    phred = keras.ops.minimum(keras.ops.exp(given[:, :CLASSES]) - 1.0, MOST_PHRED) / 20.0
    return keras.layers.Concatenate()([layer(given), phred])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, 3) of logits (n, 3), in double precision."""
    shifted = logits.astype(float) - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    return weights / weights.sum(axis=1, keepdims=True)


class LiteNetwork:
    """A network exported for LiteRT, run in batches of BATCH with one or more threads."""

    def __init__(self, path: Path, threads: int = 1):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self.inputs = sorted(self.interpreter.get_input_details(), key=lambda detail: len(detail["shape"]))
        for detail in self.inputs:
            self.interpreter.resize_tensor_input(detail["index"], [BATCH, *detail["shape"][1:]])
        self.interpreter.allocate_tensors()
        self.output = self.interpreter.get_output_details()[0]["index"]

    def logits(self, *inputs: np.ndarray) -> np.ndarray:
        """Logits float32 (n, 3) for inputs of n candidates: the features first, then the read rows."""
        n = len(inputs[0])
        result = np.empty((n, CLASSES), np.float32)
        for start in range(0, n, BATCH):
            stop = min(n, start + BATCH)
            for detail, values in zip(self.inputs, inputs, strict=True):
                batch = np.zeros((BATCH, *values.shape[1:]), np.float32)
                batch[: stop - start] = values[start:stop]
                self.interpreter.set_tensor(detail["index"], batch)
            self.interpreter.invoke()
            result[start:stop] = self.interpreter.get_tensor(self.output)[: stop - start]
        return result


class Genotyper:
    """The networks of a model folder: probabilities of 0, 1, 2 copies, calibrated.

    A candidate that the summary network has settled stays so; the others are judged by both networks together where
    the model has two.
    """

    def __init__(self, card: Card, threads: int = 1):
        self.details: dict[str, Any] = card.details["networks"]
        self.summary = LiteNetwork(card.file(SUMMARY_WEIGHTS), threads)
        self.reads = LiteNetwork(card.file(READS_WEIGHTS), threads) if "reads" in self.details else None
        self.rows = ROWS if self.reads else 0

    def probabilities(self, candidates: Candidates) -> np.ndarray:
        """Probabilities float (n, 3) of 0, 1 and 2 copies of each candidate."""
        features = summary_input(candidates.features)
        result = calibrated(self.summary.logits(features), candidates.kind, self.details["summary"])
        if self.reads is None or candidates.read_rows is None:
            return result
        open_ones = np.flatnonzero(result.max(axis=1) < SETTLED)
        if len(open_ones):
            logits = self.reads.logits(features[open_ones], reads_input(candidates.read_rows[open_ones]))
            by_reads = calibrated(logits, candidates.kind[open_ones], self.details["reads"])
            result[open_ones] = together(result[open_ones], by_reads)
        return result


def together(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Geometric mean of two networks' probabilities (n, 3), normalised: the mean of their calibrated logits."""
    product = np.sqrt(one * other)
    return product / product.sum(axis=1, keepdims=True)


def calibrated(logits: np.ndarray, kind: np.ndarray, calibration: dict[str, list[float]]) -> np.ndarray:
    """Probabilities (n, 3) of logits: divided by a temperature, shifted by a bias, by kind.

    calibration: for "snv" and "indel" the temperature and the biases of 1 and of 2 copies (Guo et al. 2017, On
    calibration of modern neural networks, section 4.2, with the biases of vector scaling).
    """
    values = np.where((kind == SNV)[:, None], calibration["snv"], calibration["indel"])
    scaled = logits / values[:, :1]
    scaled[:, 1:] += values[:, 1:]
    return softmax(scaled)
