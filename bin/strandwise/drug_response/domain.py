"""Fills gaps of a sample's expression and says how much the sample looks like the training lines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

    from strandwise.drug_response.model import Domain
    from strandwise.drug_response.network import Encoder

# Scores of components are drawn to 0 as if each gene had this much noise (variance in units of the component scores').
NOISE = 0.5


def fill(encoder: "Encoder", domain: "Domain", values: "numpy.ndarray", genes: "numpy.ndarray") -> "numpy.ndarray":
    """Values for all genes of the model from those of some, float32 (samples, all genes).

    A gene that was not measured takes what the principal components of the training lines expect from those that were
    (posterior mean of probabilistic PCA; Tipping and Bishop, J. R. Stat. Soc. B 61:611, 1999).
    """
    import numpy

    every = numpy.zeros((len(values), len(encoder.projection)), numpy.float32)
    every[:, genes] = values
    if len(genes) == len(encoder.projection):
        return every
    absent = numpy.setdiff1d(numpy.arange(len(encoder.projection)), genes)
    basis, spread = loadings(encoder, domain)
    seen = basis[genes]
    posterior = numpy.linalg.solve(seen.T @ seen + NOISE * numpy.diag(1 / spread**2), seen.T @ values.T)
    every[:, absent] = (basis[absent] @ posterior).T
    return every


def loadings(encoder: "Encoder", domain: "Domain") -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Components as an orthonormal basis (genes, components) of the standardised genes, and the SD of scores on it."""
    import numpy

    # Cholesky's triangle of projectionᵀ projection is that of the QR decomposition: scores = (values @ basis) @ triangle.
    triangle = numpy.linalg.cholesky((encoder.projection.T @ encoder.projection).astype(float)).T
    back = numpy.linalg.inv(triangle)
    basis = encoder.projection @ back
    covariance = back.T @ numpy.diag(domain.components_sd.astype(float) ** 2) @ back
    return basis, numpy.sqrt(numpy.diag(covariance))


def novelty(encoder: "Encoder", domain: "Domain", values: "numpy.ndarray") -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """How strange samples are. values: (samples, genes) in units of the training lines, gaps as 0.

    Returns explained: share of the sample's variance around the mean line that the components carry (random values: about
    components / genes), and distance: mean squared score over components, 1 for a typical training line.
    """
    import numpy

    basis, _ = loadings(encoder, domain)
    basis = basis.astype(numpy.float32)
    total = (values**2).sum(axis=1)
    explained = ((values @ basis) ** 2).sum(axis=1) / numpy.maximum(total, 1e-9)
    distance = ((values @ encoder.projection / domain.components_sd) ** 2).mean(axis=1)
    return explained, distance
