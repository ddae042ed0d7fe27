"""The simple models that ours has to beat, fitted on the same lines: means, ridge on components, kernel ridge, XGBoost."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from strandwise.drug_response.layout import Training
from strandwise.drug_response.training import REGULARISERS, factor_ridge, make_reference, principal_components
from strandwise.formats.molecules import fingerprints

if TYPE_CHECKING:
    import numpy

Rival = Callable[[Training, Training], "numpy.ndarray"]


def drug_mean(training: Training, test: Training) -> "numpy.ndarray":
    import numpy

    return numpy.repeat(numpy.nanmean(training.response, axis=0)[None], len(test.lines), axis=0)


def drug_and_tissue_mean(training: Training, test: Training) -> "numpy.ndarray":
    """Drug mean plus the tissue's mean residual, five pseudo-counts."""
    import numpy

    mean = numpy.nanmean(training.response, axis=0)
    found = numpy.repeat(mean[None], len(test.lines), axis=0)
    for tissue in set(test.tissues):
        residual = training.response[training.tissues == tissue] - mean
        found[test.tissues == tissue] += numpy.nansum(residual, axis=0) / ((~numpy.isnan(residual)).sum(axis=0) + 5)
    return found


def _scores(training: Training, test: Training) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    reference = make_reference(training)
    return (training.scores - reference.mean) / reference.sd, (test.scores - reference.mean) / reference.sd


def ridge_on_components(training: Training, test: Training) -> "numpy.ndarray":
    """Per drug a ridge on the first 50 principal components."""
    ours, theirs = _scores(training, test)
    basis = principal_components(ours, 50)
    ours, theirs = ours @ basis, theirs @ basis
    scale = (ours**2).sum(axis=1).mean()
    return _kernel_ridge(ours @ ours.T / scale, theirs @ ours.T / scale, training.response)


def _distances(one: "numpy.ndarray", other: "numpy.ndarray") -> "numpy.ndarray":
    import numpy

    return numpy.maximum((one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None] - 2 * one @ other.T, 0)


def _rbf(training: Training, test: Training) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    import numpy

    ours, theirs = _scores(training, test)
    inner = _distances(ours, ours)
    scale = numpy.median(inner[numpy.triu_indices(len(inner), 1)])
    return numpy.exp(-inner / (2 * scale)), numpy.exp(-_distances(theirs, ours) / (2 * scale))


def kernel_ridge(training: Training, test: Training) -> "numpy.ndarray":
    """RBF on all genes, median squared distance as scale; regulariser per drug by leave-one-out error."""
    kernel, cross = _rbf(training, test)
    return _kernel_ridge(kernel, cross, training.response)


def kernel_ridge_drug_correlation(training: Training, test: Training) -> "numpy.ndarray":
    """The same kernel times what drugs have in common: a regulariser for each principal component of the responses."""
    kernel, cross = _rbf(training, test)
    factors = factor_ridge(kernel, training.response)
    return factors.drug_mean + cross @ factors.dual @ factors.loadings * factors.drug_sd


def _kernel_ridge(
    kernel: "numpy.ndarray", cross: "numpy.ndarray", response: "numpy.ndarray", passes: int = 3
) -> "numpy.ndarray":
    import numpy

    mean = numpy.nanmean(response, axis=0)
    known = ~numpy.isnan(response)
    target = filled = numpy.where(known, response - mean, 0)
    values, vectors = numpy.linalg.eigh(kernel)
    values = numpy.maximum(values, 0)
    for _ in range(passes):
        turned = vectors.T @ filled
        best = numpy.full(target.shape[1], numpy.inf)
        chosen, left_out = numpy.zeros(target.shape[1]), numpy.zeros_like(target)
        for regulariser in REGULARISERS:
            shrunk = values / (values + regulariser)
            own = ((vectors**2) @ shrunk)[:, None]
            predicted = (vectors @ (shrunk[:, None] * turned) - own * filled) / (1 - own)
            error = numpy.where(known, (target - predicted) ** 2, 0).sum(axis=0)
            better = error < best
            best[better], chosen[better], left_out[:, better] = error[better], regulariser, predicted[:, better]
        filled = numpy.where(known, target, left_out)
    return mean + cross @ (vectors @ (vectors.T @ filled / (values[:, None] + chosen)))


def xgboost(training: Training, test: Training) -> "numpy.ndarray":
    """One model over pairs: 40 components of the line, Morgan bits folded to 512 and mean of the drug; not tuned."""
    import numpy
    from xgboost import XGBRegressor

    ours, theirs = _scores(training, test)
    basis = principal_components(ours, 40)
    bits = fingerprints(training.smiles).reshape(len(training.drugs), 4, 512).any(axis=1)
    mean = numpy.nanmean(training.response, axis=0)
    drug = numpy.hstack([bits, mean[:, None]]).astype(numpy.float32)
    lines, drugs = numpy.nonzero(~numpy.isnan(training.response))

    def pairs(components: "numpy.ndarray", lines: "numpy.ndarray", drugs: "numpy.ndarray") -> "numpy.ndarray":
        return numpy.hstack([components[lines].astype(numpy.float32), drug[drugs]])

    trees = XGBRegressor(
        n_estimators=180, max_depth=6, learning_rate=0.1, tree_method="hist", max_bin=64, n_jobs=1, random_state=1
    )
    trees.fit(pairs(ours @ basis, lines, drugs), (training.response - mean)[lines, drugs])
    every = numpy.indices((len(test.lines), len(drug))).reshape(2, -1)
    return mean + trees.predict(pairs(theirs @ basis, *every)).reshape(len(test.lines), len(drug))


RIVALS: dict[str, Rival] = {
    "drug mean": drug_mean,
    "drug and tissue mean": drug_and_tissue_mean,
    "ridge, 50 components": ridge_on_components,
    "kernel ridge, RBF": kernel_ridge,
    "kernel ridge, RBF and drug correlation": kernel_ridge_drug_correlation,
    "XGBoost": xgboost,
}
