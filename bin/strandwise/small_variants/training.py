"""Trains the caller's networks on alignments with known truth, calibrates them, and writes a model folder."""

import csv
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.intervals import read_bed
from strandwise.models import checkpoints
from strandwise.models.card import Card, write_card
from strandwise.progress import progress
from strandwise.small_variants.candidates import ROWS, SNV, CandidateReader, Candidates
from strandwise.small_variants.labels import UNKNOWN, label, read_truth
from strandwise.small_variants.network import (
    READS_WEIGHTS,
    SUMMARY_WEIGHTS,
    learner_of,
    reads_input,
    reads_network,
    summary_input,
    summary_network,
)

if TYPE_CHECKING:
    import keras

COLUMNS = ("name", "alignment", "truth", "bed", "reference", "use", "fractions")
LEAST_EXAMPLES = 50
UNCHANGED = [1.0, 0.0, 0.0]
HISTORY = "history.tsv"

DENIED_LIKELIHOOD, DENIED_SUPPORT = 60, 0.2
"""A candidate without copies in the truth is left out where its reads disfavour the reference by so many phred, and
are at least this share; a homozygous one where the reference's reads do and are; one with copies where they favour the
reference by so many."""


@dataclass(frozen=True)
class TrainingSet:
    """One row of the table of sets. use: "train", or "tune" for calibration and the learning curve; fractions: shares
    of the molecules at which the set is used, so that one deep sample teaches several depths."""

    name: str
    alignment: Path
    truth: Path
    bed: Path
    reference: Path
    use: str
    fractions: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. epochs: passes over all examples, of each network; learning_rate: at the start, falling
    to zero along a cosine; weight_decay: of AdamW; batch: examples per step; networks: which of the two are trained."""

    epochs: int = 40
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    batch: int = 512
    seed: int = 1
    networks: tuple[str, ...] = ("summary", "reads")


@dataclass
class Examples:
    """Labelled candidates: features float32 (n, features), read_rows uint8 (n, ROWS, channels), kind and labels
    int8 (n,), and the truth alleles that no candidate shows (missed)."""

    features: np.ndarray
    read_rows: np.ndarray
    kind: np.ndarray
    labels: np.ndarray
    missed: int = 0
    depths: list[float] = field(default_factory=list)
    read_lengths: list[float] = field(default_factory=list)


def read_sets(table: Path) -> list[TrainingSet]:
    """Read the table of sets (TSV: name, alignment, truth, bed, reference, use, fractions; paths relative to it).

    Raises InputError, all problems at once: missing columns, missing files, unknown use, no set to train on.
    """
    with table.open() as handle:
        reader = csv.DictReader(handle, delimiter="\t")
        missing = [name for name in COLUMNS[:6] if name not in (reader.fieldnames or [])]
        if missing:
            raise InputError(f"{table}: no column {', '.join(missing)}; needed are {', '.join(COLUMNS[:6])}")
        rows = list(reader)
    problems, sets = [], []
    for number, row in enumerate(rows, 2):
        paths = {name: table.parent / row[name] for name in ("alignment", "truth", "bed", "reference")}
        problems += [
            f"{table}: row {number}, {name}: no file {path}" for name, path in paths.items() if not path.is_file()
        ]
        if row["use"] not in ("train", "tune"):
            problems.append(f"{table}: row {number}, use: {row['use']!r} is neither train nor tune")
        fractions = tuple(float(value) for value in (row.get("fractions") or "1").split(","))
        sets.append(TrainingSet(name=row["name"], use=row["use"], fractions=fractions, **paths))
    for use in ("train", "tune"):
        if not any(one.use == use for one in sets):
            problems.append(f"{table}: no row with use {use}; both are needed")
    if problems:
        raise InputError(*problems)
    return sets


def examples_of(one: TrainingSet, fraction: float) -> Examples:
    """Candidates of a set inside its BED, with labels; those that cannot be judged are left out."""
    reader = CandidateReader([one.alignment], one.reference, fraction=fraction)
    parts: list[tuple[np.ndarray, ...]] = []
    missed, depths = 0, []
    for interval in read_bed(one.bed, reader.lengths):
        contig = reader.sequence(interval.contig, 0, reader.lengths[interval.contig])
        for piece in reader.pieces(interval.contig, interval.start, interval.end, ROWS):
            truth = read_truth(one.truth, type(interval)(piece.contig, piece.start, piece.end), contig.__getitem__)
            labels = label(piece, truth, lambda start, end, contig=contig: contig[start:end])  # type: ignore[misc]
            rows = piece.read_rows if piece.read_rows is not None else np.zeros(0)
            use = (labels != UNKNOWN) & ~beyond_doubt(piece, labels)
            parts.append((piece.features[use], rows[use], piece.kind[use].astype(np.int8), labels[use]))
            missed += _missed(piece, truth)
            depths.append(float(piece.depth.mean()))
    features, rows, kind, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    lengths = features[:, _feature("read_length")]
    return Examples(features, rows, kind, labels, missed, [float(np.mean(depths))], [float(np.median(lengths))])


def beyond_doubt(candidates: Candidates, labels: np.ndarray) -> np.ndarray:
    """Candidates of which the reads say the opposite of the truth, as clearly as of any variant: bool (n,).

    Where the truth denies what reads show, they come from copies of the sequence that reference and truth do not know:
    reads of an alternate allele that is not there, or reads of the reference at a homozygote. No caller can tell them
    from variants; trained on, they teach a network to deny variants, and heterozygotes whose other haplotype has
    variants of its own. Where the truth has what reads deny, the haplotype was scored in another spelling that the
    labels did not find.
    """
    shares = candidates.counts[:, :2] / np.maximum(1, candidates.counts[:, :2].sum(axis=1, keepdims=True))
    denied = candidates.likelihoods >= DENIED_LIKELIHOOD
    other_allele = (labels == 0) & denied[:, 0] & (shares[:, 1] >= DENIED_SUPPORT)
    reference_too = (labels == 2) & denied[:, 2] & (shares[:, 0] >= DENIED_SUPPORT)
    unshown = (labels > 0) & (
        candidates.likelihoods[:, 1:].min(axis=1) - candidates.likelihoods[:, 0] >= DENIED_LIKELIHOOD
    )
    return other_allele | reference_too | unshown


def _missed(piece: Any, truth: list[Any]) -> int:
    shown = set(zip(piece.position.tolist(), piece.reference_length.tolist(), piece.alternates, strict=True))
    return sum(
        (item.event.position, item.event.reference_length, item.event.alternate) not in shown
        for item in truth
        if piece.start <= item.event.position < piece.end
    )


def _feature(name: str) -> int:
    import strandwise_core

    return strandwise_core.FEATURES.index(name)


def identity(one: TrainingSet) -> dict[str, Any]:
    """What examples of a set depend on: its name, use and fractions, the content of its files, and the core's features."""
    import strandwise_core

    files = {name: checkpoints.fingerprint(getattr(one, name)) for name in ("alignment", "truth", "bed", "reference")}
    settings = {"name": one.name, "use": one.use, "fractions": list(one.fractions)}
    return {**settings, **files, "features": list(strandwise_core.FEATURES)}


def gather_examples(sets: list[TrainingSet], use: str, work: Path) -> Examples:
    """Examples of all sets of a use; what was made before lies in `work` and is taken from there."""
    jobs = [(one, fraction) for one in sets if one.use == use for fraction in one.fractions]
    gathered = []
    for one, fraction in progress(jobs, len(jobs), f"examples to {use}"):
        key = hashlib.sha256(repr((identity(one), fraction)).encode()).hexdigest()[:16]
        path = work / f"examples-{one.name}-{fraction}-{key}.npz"
        if not path.exists():
            made = examples_of(one, fraction)
            with written(path) as temporary:
                np.savez(temporary, **asdict(made))
        with np.load(path) as stored:
            gathered.append(Examples(**{name: stored[name] for name in stored.files}))
    total = sum(len(part.labels) for part in gathered)
    if total < LEAST_EXAMPLES:
        raise InputError(
            f"sets to {use}: {total} candidates, {LEAST_EXAMPLES} needed; give larger regions or more sets"
        )
    return Examples(
        features=np.concatenate([part.features for part in gathered]),
        read_rows=np.concatenate([part.read_rows for part in gathered]),
        kind=np.concatenate([part.kind for part in gathered]),
        labels=np.concatenate([part.labels for part in gathered]),
        missed=int(sum(part.missed for part in gathered)),
        depths=[float(value) for part in gathered for value in part.depths],
        read_lengths=[float(value) for part in gathered for value in part.read_lengths],
    )


def train(
    table: Path,
    output: Path,
    name: str,
    version: str,
    recipe: Recipe,
    start: Card | None = None,
    work: Path | None = None,
) -> dict[str, Any]:
    """Train, calibrate and write a model folder; gives the card's details.

    start: a model whose weights are the starting point (fine-tuning), or None. work: folder of checkpoints, by default
    output/training; killed and started again with the same data and recipe, training goes on there from the last whole
    epoch. Raises InputError for unusable sets and for checkpoints of other data or another recipe.
    """
    sets = read_sets(table)
    work = work or output / "training"
    data = [identity(one) for one in sets]
    begun = {"data": data, "recipe": asdict(recipe), "start": start.details["sha256"] if start else None}
    checkpoints.begin(work, begun)
    output.mkdir(parents=True, exist_ok=True)
    to_train, to_tune = gather_examples(sets, "train", work), gather_examples(sets, "tune", work)
    networks: dict[str, Any] = {}
    for network_name in recipe.networks:
        network = fit(network_name, to_train, to_tune, recipe, work, start)
        logits = network.predict(inputs_of(network_name, to_tune), batch_size=2048, verbose=0)
        networks[network_name] = {
            **{
                kind: calibration_of(logits[rows], to_tune.labels[rows], _calibration_before(start, network_name, kind))
                for kind, rows in _by_kind(to_tune).items()
            },
            "tune_errors": {
                kind: int((logits[rows].argmax(1) != to_tune.labels[rows]).sum())
                for kind, rows in _by_kind(to_tune).items()
            },
        }
        export(network, output / {"summary": SUMMARY_WEIGHTS, "reads": READS_WEIGHTS}[network_name])
    details = _details(name, version, recipe, sets, to_train, to_tune, networks, start)
    _write_history(work, output / HISTORY, recipe)
    files = [HISTORY, *(f"{network}.{ending}" for network in networks for ending in ("tflite", "weights.h5"))]
    write_card(output, details, files)
    checkpoints.end(work)
    if work.parent == output:
        work.rmdir()
    return details


def inputs_of(network: str, examples: Examples) -> Any:
    """The network's inputs: features, and for the read-level one the rows of its reads."""
    features = summary_input(examples.features)
    return features if network == "summary" else (features, reads_input(examples.read_rows))


def fit(
    name: str, to_train: Examples, to_tune: Examples, recipe: Recipe, work: Path, start: Card | None
) -> "keras.Model":
    """Train one network; weights and curve are kept in `work` after every epoch, so that a killed run goes on."""
    import keras

    features = summary_input(to_train.features)
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    if name == "summary":
        network = summary_network(features.shape[1], mean, deviation, recipe.seed)
    else:
        network = reads_network(features.shape[1], to_train.read_rows.shape[2], mean, deviation, recipe.seed)
    finished = work / f"{name}.weights.h5"
    if finished.exists():
        network.load_weights(finished)
        return network
    if start is not None:
        load_start(network, start.file(f"{name}.weights.h5"))
    steps = -(-len(features) // recipe.batch) * recipe.epochs
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    learner = learner_of(network)
    learner.compile(
        keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    learner.optimizer.build(learner.trainable_variables)
    curve = _resume(learner, work, name)
    members = learner.output_shape[1:-1]
    held_out = (inputs_of(name, to_tune), _targets(to_tune.labels, members))
    left = range(len(curve), recipe.epochs)
    for epoch in progress(left, len(left), f"epochs of the {name} network"):
        batches = _batches(name, to_train, recipe, epoch, members)
        found = learner.fit(
            batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, validation_data=held_out, verbose=0
        )
        curve.append({key: float(values[0]) for key, values in found.history.items()})
        _checkpoint(learner, work, name, curve)
    learner.optimizer = network.optimizer = (
        None  # its moments are of no use to anybody else and twice the size of the weights
    )
    with written(finished) as temporary:
        network.save_weights(temporary)
    return network


def _targets(labels: np.ndarray, members: tuple[int, ...]) -> np.ndarray:
    """Labels (n,) for each of a network's members (n, members), or as they are where it has none."""
    return np.repeat(labels[:, None], members[0], axis=1) if members else labels


def _batches(
    name: str, examples: Examples, recipe: Recipe, epoch: int, members: tuple[int, ...]
) -> "keras.utils.PyDataset":
    """All examples once, in an order that depends on seed and epoch alone, so that a resumed training sees the same."""
    import keras

    order = np.random.default_rng((recipe.seed, epoch)).permutation(len(examples.labels))

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return -(-len(order) // recipe.batch)

        def __getitem__(self, place: int) -> tuple[Any, np.ndarray]:
            rows = order[place * recipe.batch : (place + 1) * recipe.batch]
            features = summary_input(examples.features[rows])
            given = features if name == "summary" else (features, reads_input(examples.read_rows[rows]))
            return given, _targets(examples.labels[rows], members)

    return Batches()


def _checkpoint(network: "keras.Model", work: Path, name: str, curve: list[dict[str, float]]) -> None:
    """Keep weights and moments after an epoch, then what the curve is so far; a kill in between repeats the epoch."""
    with written(work / f"{name}-{len(curve)}.weights.h5") as temporary:
        network.save_weights(temporary)
    with written(work / f"{name}.curve.json") as temporary:
        temporary.write_text(json.dumps(curve))
    (work / f"{name}-{len(curve) - 1}.weights.h5").unlink(missing_ok=True)


def _resume(network: "keras.Model", work: Path, name: str) -> list[dict[str, float]]:
    """Load the last checkpoint, if there is one; gives the curve up to it."""
    path = work / f"{name}.curve.json"
    curve: list[dict[str, float]] = json.loads(path.read_text()) if path.is_file() else []
    if curve:
        network.load_weights(work / f"{name}-{len(curve)}.weights.h5")
    return curve


def load_start(network: "keras.Model", path: Path) -> None:
    """Take the weights that fine-tuning starts from. Raises InputError where they are of another layout."""
    try:
        network.load_weights(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not weights of this version's networks; start from a newer model, or from scratch"
        ) from error


def _by_kind(examples: Examples) -> dict[str, np.ndarray]:
    return {"snv": examples.kind == SNV, "indel": examples.kind != SNV}


def _calibration_before(start: Card | None, network: str, kind: str) -> list[float]:
    return start.details["networks"].get(network, {}).get(kind, UNCHANGED) if start else UNCHANGED


def calibration_of(logits: np.ndarray, labels: np.ndarray, before: list[float] = UNCHANGED) -> list[float]:
    """Temperature and biases of 1 and 2 copies that make held-out labels most likely: [temperature, bias, bias].

    before: what stays where there are too few labels to tell.
    """
    from scipy.optimize import minimize

    if len(labels) < LEAST_EXAMPLES:
        return before

    def loss(parameters: np.ndarray) -> float:
        scaled = logits.astype(float) / np.exp(parameters[0])
        scaled[:, 1:] += parameters[1:]
        shifted = scaled - scaled.max(axis=1, keepdims=True)
        chosen = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
        return float(-chosen.sum() + 2.0 * np.square(parameters).sum())

    found = minimize(loss, np.zeros(3), method="Nelder-Mead").x
    return [round(float(np.exp(found[0])), 4), round(float(found[1]), 4), round(float(found[2]), 4)]


def export(network: "keras.Model", path: Path) -> None:
    """Write a network for LiteRT, and its weights beside it for fine-tuning."""
    network.export(str(path), format="litert", verbose=False)
    network.save_weights(path.with_name(f"{path.stem}.weights.h5"))


def _write_history(work: Path, output: Path, recipe: Recipe) -> None:
    """Learning curves of all networks as one TSV: network, epoch, loss and accuracy on both uses."""
    lines = ["network\tepoch\ttrain_loss\ttrain_accuracy\ttune_loss\ttune_accuracy"]
    for name in recipe.networks:
        for epoch, row in enumerate(json.loads((work / f"{name}.curve.json").read_text()), 1):
            values = [row[key] for key in ("loss", "accuracy", "val_loss", "val_accuracy")]
            lines.append("\t".join([name, str(epoch), *(f"{value:.6f}" for value in values)]))
    output.write_text("\n".join(lines) + "\n")


def _details(
    name: str,
    version: str,
    recipe: Recipe,
    sets: list[TrainingSet],
    to_train: Examples,
    to_tune: Examples,
    networks: dict[str, Any],
    start: Card | None,
) -> dict[str, Any]:
    """What card.json says."""
    lengths = [*to_train.read_lengths, *(start.details["expects"]["read_length"] if start else [])]
    depths = [*to_train.depths, *(start.details["expects"]["depth"] if start else [])]
    return {
        "job": "small_variants",
        "name": name,
        "version": version,
        "networks": networks,
        "expects": {
            "assay": "Illumina short reads, whole genome, germline, diploid",
            "platform": "ILLUMINA",
            "read_length": [round(0.7 * min(lengths)), round(1.25 * max(lengths))],
            "depth": [round(0.6 * min(depths)), round(1.3 * max(depths))],
            "builds": "any: no feature is a position; trained on GRCh37 and GRCh38",
        },
        "training": {
            "recipe": asdict(recipe),
            "started_from": start.model_version if start else None,
            "sets": [{"name": one.name, "use": one.use, "fractions": one.fractions} for one in sets],
            "examples": {
                use: {
                    "candidates": len(examples.labels),
                    "copies": [int((examples.labels == copies).sum()) for copies in range(3)],
                    "truth_events_without_candidate": examples.missed,
                }
                for use, examples in (("train", to_train), ("tune", to_tune))
            },
        },
        "licence": "Apache-2.0",
    }


def describe(details: dict[str, Any]) -> str:
    """The card's numbers in one line, for the end of a run."""
    examples = details["training"]["examples"]
    return json.dumps({use: examples[use]["candidates"] for use in examples})
