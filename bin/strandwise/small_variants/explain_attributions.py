"""Integrated gradients of a call: what each feature, read and position adds to the log-odds of the called genotype."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from strandwise.errors import InputError
from strandwise.models.card import Card
from strandwise.small_variants.candidates import SNV
from strandwise.small_variants.explain_network import TracedNetwork
from strandwise.small_variants.network import READS_WEIGHTS, SUMMARY_WEIGHTS, reads_input, summary_input

STEPS = 256
"""Points along the path from the baseline to the candidate."""

PHRED = 10 / np.log(10)
"""Phred in one unit of the natural logarithm."""

NEUTRAL_READ = {
    "evidence": 128,
    "base_quality": 175,
    "mapping_quality": 240,
    "reverse_strand": 127.5,
    "end_distance": 120,
    "mismatches": 0,
    "clipped": 0,
    "proper_pair": 255,
}
"""A read that says nothing, as the core encodes it (0 to 255): evidence of 0 phred, base quality 35, mapping quality 60,
neither strand, 30 bases from its end, no mismatch, no clip, properly paired. Other channels: the mean of the site's reads."""


@dataclass(frozen=True)
class Attribution:
    """Phred; output - baseline = sum(features) + sum(rows), up to the error of the numerical integral.

    output: log-odds of the called copies, 10 log10 [P / (1 - P)]; baseline: the same where the path begins; features:
    (features,); rows: (ROWS, channels), zeros where the read-level network had no part.
    """

    output: float
    baseline: float
    features: np.ndarray
    rows: np.ndarray

    @property
    def residual(self) -> float:
        """What the integral misses, phred."""
        return self.output - self.baseline - float(self.features.sum() + self.rows.sum())


def log_odds(scores: np.ndarray, copies: int, possible: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Phred log-odds (n,) of `copies` against the other possible numbers of copies, and their gradient (n, 3).

    scores: logarithms of probabilities, or logits, (n, 3).
    """
    others = [number for number in possible if number != copies]
    highest = scores[:, others].max(axis=1, keepdims=True)
    weights = np.exp(scores[:, others] - highest)
    total = weights.sum(axis=1, keepdims=True)
    gradient = np.zeros(scores.shape)
    gradient[:, copies] = PHRED
    gradient[:, others] = -PHRED * weights / total
    return PHRED * (scores[:, copies] - (highest + np.log(total))[:, 0]), gradient


class Attributor:
    """The networks of a model folder, differentiated through their calibration and the mean of both."""

    def __init__(self, card: Card, channels: Sequence[str]):
        self.calibration: dict[str, Any] = card.details["networks"]
        self.channels = list(channels)
        self.networks = {"summary": TracedNetwork(card.file(SUMMARY_WEIGHTS), STEPS)}
        if "reads" in self.calibration:
            self.networks["reads"] = TracedNetwork(card.file(READS_WEIGHTS), STEPS)
        self.mean = mean_of_training(self.networks["summary"])

    def of(
        self, features: np.ndarray, rows: np.ndarray | None, kind: int, copies: int, possible: Sequence[int] = (0, 1, 2)
    ) -> Attribution:
        """Integrated gradients for one candidate.

        features (features,), rows uint8 (ROWS, channels) as the core gives them; rows None where the summary network
        decided alone. kind: SNV, INSERTION or DELETION; copies: of the call; possible: with two copies per cell 0, 1, 2.
        """
        end = [summary_input(features[None])[0].astype(float)]
        start = [self.mean]
        if rows is not None:
            end.append(reads_input(rows).astype(float))
            start.append(self.neutral_rows(rows) / 255)

        def function(*inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
            return self._log_odds(list(inputs), kind, copies, possible)

        output, baseline = (float(function(*_repeated(values))[0][0]) for values in (end, start))
        parts = integrated_gradients(function, start, end)
        found_rows = parts[1] if rows is not None else np.zeros((0, len(self.channels)))
        return Attribution(output, baseline, parts[0], found_rows)

    def neutral_rows(self, rows: np.ndarray) -> np.ndarray:
        """The baseline of read rows (ROWS, channels), 0 to 255: as many reads, all neutral."""
        present = rows[:, self.channels.index("present")] > 0
        neutral = rows.astype(float)
        if present.any():
            for channel, name in enumerate(self.channels):
                if name != "present":
                    neutral[present, channel] = NEUTRAL_READ.get(name, rows[present, channel].mean())
        return neutral

    def _log_odds(
        self, inputs: list[np.ndarray], kind: int, copies: int, possible: Sequence[int]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Log-odds (n,) of inputs (n, ...) and their gradients: both networks' calibrated logits, averaged."""
        names = ["summary", "reads"][: len(inputs)]
        share = 1 / len(names)
        scores = 0.0
        temperatures = {}
        for name in names:
            temperature, *biases = self.calibration[name]["snv" if kind == SNV else "indel"]
            logits = self.networks[name].logits(*(inputs[:1] if name == "summary" else inputs))
            scores = scores + share * (logits / temperature + np.array([0.0, *biases]))
            temperatures[name] = temperature
        value, pull = log_odds(np.asarray(scores), copies, possible)
        gradients = [np.zeros(values.shape) for values in inputs]
        for name in names:
            for total, part in zip(
                gradients, self.networks[name].gradients(pull * share / temperatures[name]), strict=False
            ):
                total += part
        return value, gradients


def integrated_gradients(
    function: Callable[..., tuple[np.ndarray, list[np.ndarray]]], start: list[np.ndarray], end: list[np.ndarray]
) -> list[np.ndarray]:
    """Attribution of each input along the straight path from `start` to `end`, by the midpoint rule.

    Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks, eq. 1. function: values (n,) and gradients
    of inputs (n, ...), n = STEPS.
    """
    places = (np.arange(STEPS) + 0.5) / STEPS
    path = [a + places.reshape(-1, *[1] * a.ndim) * (b - a) for a, b in zip(start, end, strict=True)]
    _, gradients = function(*path)
    return [(b - a) * part.mean(axis=0) for a, b, part in zip(start, end, gradients, strict=True)]


def _repeated(values: list[np.ndarray]) -> list[np.ndarray]:
    return [np.repeat(one[None], STEPS, axis=0) for one in values]


def mean_of_training(network: TracedNetwork) -> np.ndarray:
    """Mean of the features over the training examples, (features,): what the network takes away from them.

    Raises InputError for a network that takes nothing away.
    """
    given = network.inputs[0]["index"]
    for name, operation in network.operations:
        if name == "SUB" and operation.inputs[0] == given:
            return network.value(operation.inputs[1])[0]
    raise InputError(
        f"{network.path}: does not take the mean of training from its features, the baseline of every explanation, so that "
        "its calls cannot be explained; run with --explain_sites 0"
    )


# ---- reads and positions ---------------------------------------------------------------------------------------------

LIKELIHOOD = ("likelihood_", "evidence_")
"""Features with these beginnings are sums over what reads say: their attribution is spread over reads and positions."""


def added_to_likelihoods(evidence: np.ndarray) -> np.ndarray:
    """Phred by which each read changes the likelihoods of 0, 1 and 2 copies against that of the best, without sign, (3, n).

    A read with evidence e costs max(e, 0) on the reference, max(-e, 0) on the allele, and half of the molecules are each in a
    heterozygote: a read of the allele speaks against 0 copies with e - 3, one of the reference for them with 3. The best
    copies cost nothing more than themselves: there the whole evidence counts.
    """
    without, with_it = np.maximum(evidence, 0.0), np.maximum(-evidence, 0.0)
    either = -PHRED * np.log((10 ** (-without / 10) + 10 ** (-with_it / 10)) / 2)
    costs = np.stack([without, either, with_it])
    best = int(costs.sum(axis=1).argmin())
    added = np.abs(costs - costs[best])
    added[best] = np.abs(evidence)
    return added


def shares_of_reads(features: np.ndarray, names: Sequence[str], evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide attributions of features (features,) that speak of reads among the n reads; what is left belongs to the place.

    evidence: phred for the candidate, by read (n,). Features of reads for the candidate (`_for`) go to the reads that
    favour it, those of the reference (`_reference`) to the others, each by weight of evidence; a likelihood to all, by what
    each read adds to it. Returns the shares of likelihoods and of all such features, each (n,).
    """
    weight = np.abs(evidence)
    added = added_to_likelihoods(evidence)
    likelihoods, everything = np.zeros(len(evidence)), np.zeros(len(evidence))
    for name, attribution in zip(names, features.tolist(), strict=True):
        is_likelihood = name.startswith(LIKELIHOOD)
        if "_for" in name:
            chosen = weight * (evidence > 0)
        elif "_reference" in name:
            chosen = weight * (evidence < 0)
        elif is_likelihood:
            chosen = added[int(name.removeprefix("likelihood_")[0])]
        else:
            continue
        if chosen.sum() > 0:
            part = attribution * chosen / chosen.sum()
            everything += part
            likelihoods += part * is_likelihood
    return likelihoods, everything
