"""Fills gaps of a sample's expression and says how much the sample looks like the training lines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

    from strandwise.drug_response.model import Domain
    from strandwise.drug_response.network import Encoder

# Variance of a gene (in those of the training lines) that components do not carry.
NOISE = 0.5
# Samples without any tie between genes that are drawn to see how much of them the components explain by chance.
NOISE_SAMPLES = 200


def expected(encoder: "Encoder", domain: "Domain", values: "numpy.ndarray", genes: "numpy.ndarray") -> "numpy.ndarray":
    """What the principal components of the training lines expect of every gene, given some; float32 (samples, all genes).

    values: (samples, genes) in units of the training lines. Posterior mean of probabilistic PCA (Tipping and Bishop,
    J. R. Stat. Soc. B 61:611, 1999).
    """
    import numpy

    basis, spread = loadings(encoder, domain)
    seen = basis[genes]
    posterior = numpy.linalg.solve(seen.T @ seen + NOISE * numpy.diag(1 / spread**2), seen.T @ values.T.astype(float))
    return (basis @ posterior).T.astype(numpy.float32)


def loadings(encoder: "Encoder", domain: "Domain") -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Components as an orthonormal basis (genes, components) of the standardised genes, and the SD of scores on it."""
    import numpy

    # Cholesky's triangle of projectionᵀ projection is that of the QR decomposition: scores = (values @ basis) @ triangle.
    triangle = numpy.linalg.cholesky((encoder.projection.T @ encoder.projection).astype(float)).T
    back = numpy.linalg.inv(triangle)
    covariance = back.T @ numpy.diag(domain.components_sd.astype(float) ** 2) @ back
    return encoder.projection @ back, numpy.sqrt(numpy.diag(covariance))


def complete(
    encoder: "Encoder", domain: "Domain", values: "numpy.ndarray", genes: "numpy.ndarray", centre: "numpy.ndarray"
) -> tuple["numpy.ndarray", "numpy.ndarray", "numpy.ndarray"]:
    """Give genes that were not measured what tissue and measured genes let expect, and say how strange each sample is.

    values: (samples, genes) in units of the training lines; centre: (samples, all genes) mean line of each sample's tissue.
    Returns the values of all genes, float32; explained: share of the sample's variance around the centre that the components
    carry (random values: about components / genes); distance: mean squared score over components, 1 for a typical line.
    """
    import numpy

    around = values - centre[:, genes]
    guess = expected(encoder, domain, around, genes)
    total = (around**2).sum(axis=1)
    explained = 1 - ((around - guess[:, genes]) ** 2).sum(axis=1) / numpy.maximum(total, 1e-9)
    every = (centre + guess).astype(numpy.float32)
    every[:, genes] = values
    distance = ((every @ encoder.projection / domain.components_sd) ** 2).mean(axis=1)
    return every, explained, distance


def explained_noise(encoder: "Encoder", domain: "Domain", within: "numpy.ndarray", genes: "numpy.ndarray") -> float:
    """Share of a sample's variance that the components explain when its genes vary each by itself: highest 1 % (seeded).

    Another array blurs what genes have in common, so a cohort of another platform cannot be held to the share of training
    lines; below this one it has nothing in common with them. within: (all genes,) SD inside a tissue; genes: those measured.
    """
    import numpy

    random = numpy.random.default_rng(0)
    drawn = (random.normal(size=(NOISE_SAMPLES, len(genes))) * within[genes]).astype(numpy.float32)
    nowhere = numpy.zeros((NOISE_SAMPLES, len(within)), numpy.float32)
    return float(numpy.quantile(complete(encoder, domain, drawn, genes, nowhere)[1], 0.99))
