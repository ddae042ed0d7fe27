"""Trains the omics encoder: reduced-rank kernel ridge in primal form, an ensemble of networks, corrections by few genes.

Every choice (regularisation per factor, number of networks' epochs, share of the networks) is made from the lines given.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.drug_response.layout import Training
from strandwise.drug_response.network import Encoder, keras_member
from strandwise.drug_response.reference import BLOOD, PRIOR_SAMPLES, Reference
from strandwise.models import checkpoints
from strandwise.progress import progress

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True)
class Recipe:
    """Sizes and settings of training; docs/methods.md says how they were chosen."""

    factors: int = 96
    components: int = 300
    members: int = 4
    hidden: tuple[int, ...] = (512, 256)
    dropout: tuple[float, float] = (0.1, 0.3)
    epochs: int = 25
    batch: int = 32
    learning_rate: float = 1e-3
    network_share: float = 0.5
    blood_weight: float = 1.0
    correction_z: float = 4.0
    correction_shrinkage: float = 1.0
    correction_genes: int = 20
    factor_z: float = 3.5
    factor_shrinkage: float = 4.0
    factor_genes: int = 40
    corrected_factors: int = 40
    seed: int = 20261124


# Of the first component's sum of squares; less than this is rounding.
NO_SPREAD = 1e-5
REGULARISERS = tuple(0.003 * (10 / 0.003) ** (step / 17) for step in range(18))


def make_reference(training: Training) -> Reference:
    """Mean, SD and tissue means of the training lines. Tissues of fewer than 10 lines are left out."""
    import numpy

    mean = training.scores.mean(axis=0)
    sd = numpy.maximum(training.scores.std(axis=0), 1e-3)
    scores = (training.scores - mean) / sd
    tissues, means, squares, left = [], [], [], scores.copy()
    for tissue in sorted(set(training.tissues)):
        inside = training.tissues == tissue
        count = int(inside.sum())
        left[inside] -= scores[inside].mean(axis=0)
        if count >= 10:
            tissues.append(str(tissue))
            means.append(scores[inside].mean(axis=0) * count / (count + 5))
            squares.append((count, (left[inside] ** 2).sum(axis=0)))
    within = (left**2).sum(axis=0) / max(len(scores) - len(set(training.tissues)), 1)
    if not tissues:
        tissues, means, squares = ["any"], [numpy.zeros(len(mean))], [(0, numpy.zeros(len(mean)))]
    tissue_sd = [numpy.sqrt((own + PRIOR_SAMPLES * within) / (count + PRIOR_SAMPLES)) for count, own in squares]
    return Reference(
        training.genes, mean, sd, tissues, numpy.array(means, numpy.float32), numpy.array(tissue_sd, numpy.float32)
    )


def is_blood(tissues: "numpy.ndarray") -> "numpy.ndarray":
    import numpy

    return numpy.isin(tissues, BLOOD).astype(numpy.float32)


@dataclass
class Factors:
    """Responses of the training lines as factors, and the kernel ridge on them.

    loadings: (factors, drugs) in units of drug_sd; left_out: (lines, drugs) prediction of each line without it, ln µM;
    filled: responses with gaps filled by left_out; dual: (lines, factors) coefficients over training lines (never shipped).
    """

    drug_mean: "numpy.ndarray"
    drug_sd: "numpy.ndarray"
    loadings: "numpy.ndarray"
    dual: "numpy.ndarray"
    left_out: "numpy.ndarray"
    filled: "numpy.ndarray"


def factor_ridge(
    kernel: "numpy.ndarray", response: "numpy.ndarray", factors: int | None = None, passes: int = 3
) -> Factors:
    """Kernel ridge on the principal components of the response matrix, each with its own regulariser.

    kernel: (lines, lines); response: (lines, drugs) with gaps, which are filled by the model itself in some passes. The
    regulariser of a factor is that with the least leave-one-out error, which is closed-form for ridge.
    """
    import numpy

    mean = numpy.nanmean(response, axis=0)
    sd = numpy.maximum(numpy.nanstd(response, axis=0), 1e-6)
    known = ~numpy.isnan(response)
    target = numpy.where(known, (response - mean) / sd, 0)
    values, vectors = numpy.linalg.eigh(kernel)
    values = numpy.maximum(values, 0)
    filled = target = target.astype(values.dtype)
    for _ in range(passes + 1):
        loadings = principal_components(filled, factors or filled.shape[1]).T
        goal = filled @ loadings.T
        best = numpy.full(len(loadings), numpy.inf)
        chosen, left_out, turned = numpy.zeros(len(loadings)), numpy.zeros_like(goal), vectors.T @ goal
        for regulariser in REGULARISERS:
            shrunk = values / (values + regulariser)
            own = ((vectors**2) @ shrunk)[:, None]
            predicted = (vectors @ (shrunk[:, None] * turned) - own * goal) / (1 - own)
            error = ((goal - predicted) ** 2).sum(axis=0)
            better = error < best
            best[better], chosen[better], left_out[:, better] = error[better], regulariser, predicted[:, better]
        predictions = left_out @ loadings
        used, filled = filled, numpy.where(known, target, predictions)
    dual = vectors @ (turned / (values[:, None] + chosen))
    return Factors(mean, sd, loadings, dual, mean + predictions * sd, mean + used * sd)


def principal_components(values: "numpy.ndarray", count: int) -> "numpy.ndarray":
    """The first right singular vectors of (lines, genes), as columns, by way of the lines' inner products.

    Fewer than `count` where there are fewer lines or genes: directions in which nothing varies are left out.
    """
    import numpy

    squares, vectors = numpy.linalg.eigh(values @ values.T)
    first = numpy.argsort(-squares)[: min(count, len(values) - 1)]
    kept = first[squares[first] >= NO_SPREAD * squares[first[0]]]
    return values.T @ (vectors[:, kept] / numpy.sqrt(numpy.maximum(squares[kept], 1e-12)))


def fit(
    training: Training, recipe: Recipe, work: Path | None = None, held_out: Training | None = None
) -> tuple[Encoder, Factors]:
    """Train the encoder on all lines of `training`.

    work: folder in which trained networks are kept, so that a killed training goes on; held_out: lines for their curves.
    """
    import numpy

    reference = make_reference(training)
    scores = (training.scores - reference.mean) / reference.sd
    # Genes that hardly vary are mostly noise of the array: they enter with the square root of their spread.
    weight = numpy.sqrt(reference.sd)
    weighted = scores * weight
    weight, weighted = (part / numpy.sqrt((weighted**2).sum(axis=1).mean()) for part in (weight, weighted))
    blood = is_blood(training.tissues)
    both = numpy.equal.outer(blood > 0, blood > 0)
    similar = weighted @ weighted.T / 2
    factors = factor_ridge(1 + similar * (1 + recipe.blood_weight * both), training.response, recipe.factors)
    all_lines = weight[:, None] * (weighted.T @ factors.dual) / 2
    # Coefficients for samples of solid tissues, then what blood adds to them.
    solid = recipe.blood_weight * weight[:, None] * (weighted.T @ (factors.dual * (1 - blood[:, None]))) / 2
    inside = recipe.blood_weight * weight[:, None] * (weighted.T @ (factors.dual * blood[:, None])) / 2
    components = principal_components(weighted, recipe.components)
    size = numpy.sqrt(((weighted @ components) ** 2).sum(axis=1).mean() / components.shape[1])
    projection = weight[:, None] * components / (2 * size)
    seen, *unseen = [
        (
            (part.scores - reference.mean) / reference.sd @ projection,
            (part.response - factors.drug_mean) / factors.drug_sd,
        )
        for part in (training, held_out)
        if part is not None
    ]
    networks = _networks(seen, unseen, recipe, work)
    left = (training.response - factors.left_out) / factors.drug_sd
    share = recipe.network_share if recipe.members else 0.0
    linear = all_lines + solid
    # A few genes say more of what drugs share than their part in the ridge; added in full beside the networks.
    some = slice(0, recipe.corrected_factors)
    linear[:, some] += factor_corrections(scores, left, factors.loadings[some], recipe) / (1 - share)
    encoder = Encoder(
        linear=linear.astype(numpy.float32),
        linear_blood=(inside - solid).astype(numpy.float32),
        factor_drugs=factors.loadings.astype(numpy.float32),
        projection=projection.astype(numpy.float32),
        networks=networks,
        correction=corrections(scores, left, recipe),
        drug_mean=factors.drug_mean.astype(numpy.float32),
        drug_sd=factors.drug_sd.astype(numpy.float32),
        network_share=share,
    )
    return encoder, factors


def corrections(scores: "numpy.ndarray", left: "numpy.ndarray", recipe: Recipe) -> "numpy.ndarray":
    """Per drug a small ridge on the features that correlate with what the ridge on all genes leaves unexplained.

    scores: (lines, features) standardised; left: (lines, drugs) leave-one-out residuals in units of drug_sd, with gaps.
    Returns (features, drugs).
    """
    import numpy

    known = ~numpy.isnan(left)
    residual = numpy.where(known, left, 0)
    count = known.sum(axis=0)
    spread = numpy.sqrt((residual**2).sum(axis=0) / count)
    z = scores.T @ residual / (spread * numpy.sqrt(count))
    coefficients = numpy.zeros(z.shape, numpy.float32)
    for drug in range(z.shape[1]):
        strongest = numpy.argsort(-numpy.abs(z[:, drug]), kind="stable")[: recipe.correction_genes]
        chosen = strongest[numpy.abs(z[strongest, drug]) > recipe.correction_z]
        if not len(chosen):
            continue
        features = scores[:, chosen][known[:, drug]]
        penalty = recipe.correction_shrinkage * count[drug] * numpy.eye(len(chosen))
        moment = features.T @ residual[known[:, drug], drug]
        coefficients[chosen, drug] = numpy.linalg.solve(features.T @ features + penalty, moment)
    return coefficients


def factor_corrections(
    scores: "numpy.ndarray", left: "numpy.ndarray", loadings: "numpy.ndarray", recipe: Recipe
) -> "numpy.ndarray":
    """The same for the factors that drugs share, (genes, factors); loadings: (factors, drugs)."""
    import numpy

    rules = replace(
        recipe,
        correction_z=recipe.factor_z,
        correction_shrinkage=recipe.factor_shrinkage,
        correction_genes=recipe.factor_genes,
    )
    return corrections(scores, numpy.nan_to_num(left) @ loadings.T, rules)


def _networks(
    seen: tuple["numpy.ndarray", "numpy.ndarray"],
    unseen: list[tuple["numpy.ndarray", "numpy.ndarray"]],
    recipe: Recipe,
    work: Path | None,
) -> list[list[tuple["numpy.ndarray", "numpy.ndarray"]]]:
    """Train the members of the ensemble, or take them from `work`, where each is kept as it is done.

    seen, unseen: components (lines, components) and responses in units of drug_sd (lines, drugs), with gaps.
    """

    members = []
    for member in progress(range(recipe.members), recipe.members, "networks"):
        train = partial(_member, seen, unseen, recipe, recipe.seed + member)
        stored = checkpoints.kept(work / f"member_{member}.npz" if work else None, train)
        weights = [stored[f"weights_{place}"] for place in range(len(stored) - 1)]
        members.append(list(zip(weights[::2], weights[1::2], strict=True)))
    return members


def _member(
    seen: tuple["numpy.ndarray", "numpy.ndarray"],
    unseen: list[tuple["numpy.ndarray", "numpy.ndarray"]],
    recipe: Recipe,
    seed: int,
) -> dict[str, "numpy.ndarray"]:
    """Train one network: weights_0, …, and curve, its mean squared error (epochs, 1 or 2) on lines seen and, if given, unseen."""
    import keras
    import numpy
    import tensorflow

    parts = [
        [
            tensorflow.constant(values, tensorflow.float32)
            for values in (components, numpy.nan_to_num(target), ~numpy.isnan(target))
        ]
        for components, target in (seen, *unseen)
    ]
    keras.utils.set_random_seed(seed)
    model = keras_member(seen[0].shape[1], recipe.hidden, seen[1].shape[1], recipe.dropout)
    steps = -(-len(seen[0]) // recipe.batch) * recipe.epochs
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4)
    optimizer.build(model.trainable_variables)

    def loss(part: list[Any], training: bool) -> Any:
        given, truth, mask = part
        error = model(given, training=training) - truth
        return tensorflow.reduce_sum(mask * error**2) / tensorflow.reduce_sum(mask)

    @tensorflow.function
    def step(places: Any) -> None:
        with tensorflow.GradientTape() as tape:
            found = loss([tensorflow.gather(values, places) for values in parts[0]], training=True)
        gradient = tape.gradient(found, model.trainable_variables)
        optimizer.apply_gradients(zip(gradient, model.trainable_variables, strict=True))

    random = numpy.random.default_rng(seed)
    curve = []
    for _ in range(recipe.epochs):
        order = random.permutation(len(seen[0]))
        for first in range(0, len(order), recipe.batch):
            step(tensorflow.constant(order[first : first + recipe.batch]))
        curve.append([float(loss(part, training=False)) for part in parts])
    weights = {f"weights_{place}": part for place, part in enumerate(model.get_weights())}
    return weights | {"curve": numpy.array(curve)}


def learning_curve(work: Path) -> list[tuple[float, float]]:
    """Mean over all kept networks that had unseen lines: (error on lines seen, on lines unseen) by epoch."""
    import numpy

    curves = [numpy.load(path)["curve"] for path in sorted(work.rglob("member_*.npz"))]
    both = [curve for curve in curves if curve.shape[1] == 2]
    return [(float(row[0]), float(row[1])) for row in numpy.mean(both, axis=0)] if both else []
