"""Fills gaps of a sample's expression and says how much the sample looks like the training lines."""

from typing import TYPE_CHECKING

from strandwise.drug_response.reference import PRIOR_SAMPLES

if TYPE_CHECKING:
    import numpy

    from strandwise.drug_response.model import Domain
    from strandwise.drug_response.network import Encoder

# Variance of a gene (in those of the training lines) that components do not carry.
NOISE = 0.5
# Samples without any tie between genes that are drawn to see how much of them the components explain by chance.
NOISE_SAMPLES = 200
# Samples from which a platform's noise is told, and rounds of telling it.
NOISE_FROM, ROUNDS = 1000, 2


def expected(encoder: "Encoder", domain: "Domain", values: "numpy.ndarray", genes: "numpy.ndarray") -> "numpy.ndarray":
    """What the principal components of the training lines expect of every gene, given some; float32 (samples, all genes).

    values: (samples, genes) in units of the training lines. Posterior mean of probabilistic PCA (Tipping and Bishop,
    J. R. Stat. Soc. B 61:611, 1999).
    """
    import numpy

    basis, spread = loadings(encoder, domain)
    scores, _ = posterior(basis[genes], spread, numpy.full(len(genes), NOISE), values)
    return (scores @ basis.T).astype(numpy.float32)


def posterior(
    basis: "numpy.ndarray", spread: "numpy.ndarray", noise: "numpy.ndarray", values: "numpy.ndarray"
) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Scores on the components, given genes: mean (samples, components) and covariance (components, components).

    basis: (genes, components); spread: (components,) SD of the scores; noise: (genes,) variances; values: (samples, genes).
    """
    import numpy

    weighted = basis / noise[:, None]
    covariance = numpy.linalg.inv(weighted.T @ basis + numpy.diag(1 / spread**2))
    return values.astype(float) @ weighted @ covariance, covariance


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


def denoise(
    encoder: "Encoder", domain: "Domain", values: "numpy.ndarray", genes: "numpy.ndarray", centre: "numpy.ndarray"
) -> "numpy.ndarray":
    """Values of all genes for a cohort of another platform, each measured gene trusted as far as the cohort bears it out.

    An array may measure a gene badly. How far the cohort is off what the components expect of a gene is its noise (factor
    analysis by expectation-maximisation, loadings held: Rubin and Thayer, Psychometrika 47:69, 1982; training lines count for
    PRIOR_SAMPLES); what exceeds the noise of training lines is the platform's. Noisy genes count less for the components, and
    of a gene's distance from what these expect that part is kept which is not the platform's. Arguments as in `complete`.
    """
    import numpy

    basis, spread = loadings(encoder, domain)
    seen, own = basis[genes].astype(float), domain.unique[genes].astype(float)
    around = values - centre[:, genes]
    some = around[numpy.unique(numpy.linspace(0, len(around) - 1, NOISE_FROM).astype(int))]
    noise = own
    for _ in range(ROUNDS):
        scores, covariance = posterior(seen, spread, noise, some)
        unsure = ((seen @ covariance) * seen).sum(axis=1)
        squares = ((some - scores @ seen.T) ** 2).sum(axis=0) + len(some) * unsure
        noise = (squares + PRIOR_SAMPLES * own) / (len(some) + PRIOR_SAMPLES)
    every = centre + (posterior(seen, spread, noise, around)[0] @ basis.T).astype(numpy.float32)
    kept = numpy.minimum(own / noise, 1).astype(numpy.float32)
    every[:, genes] += kept * (values - every[:, genes])
    return every


def explained_noise(encoder: "Encoder", domain: "Domain", spread: "numpy.ndarray", genes: "numpy.ndarray") -> float:
    """Share of a sample's variance that the components explain when its genes vary each by itself: highest 1 % (seeded).

    Another array blurs what genes have in common, so a cohort of another platform cannot be held to the share of training
    lines; below this one it has nothing in common with them. spread: (all genes,) SD around the tissue's mean; genes: those measured.
    """
    import numpy

    random = numpy.random.default_rng(0)
    drawn = (random.normal(size=(NOISE_SAMPLES, len(genes))) * spread[genes]).astype(numpy.float32)
    nowhere = numpy.zeros((NOISE_SAMPLES, len(spread)), numpy.float32)
    return float(numpy.quantile(complete(encoder, domain, drawn, genes, nowhere)[1], 0.99))
