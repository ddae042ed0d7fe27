"""Brings patients' expression, from whatever array or sequencer, to the distribution of the training lines.

In three steps, all in units of the training lines (per gene: 0 is their mean, 1 their standard deviation):
1. z score per sample over the genes in common, then the spread that those genes have in a training line.
2. Tissue: told by the user or the nearest of the training tissues. It says where a gene is expected to lie.
3. Gene by gene, what the whole cohort is off from that expectation is taken to be the platform's doing and removed: an
   empirical-Bayes location and scale model in the manner of ComBat (Johnson et al., Biostatistics 8:118, 2007). How much is
   removed depends on how far the cohort is off over all genes. Lines of the training platform are hardly touched.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from strandwise.errors import InputError

if TYPE_CHECKING:
    import numpy

# Fewer genes in common than this share of the model's, and a sample is not scored.
MINIMUM_COVERAGE = 0.25
# Mean squared offset of genes (training SD squared) from which a cohort is taken to come from another platform. Training lines,
# also a single one against its tissue, stay below 0.5; RMA values of another array reach 4.7 (docs/methods.md).
OTHER_PLATFORM = 1.0
# A cohort smaller than this cannot tell its own spread of a gene; the training lines' is mixed in with this weight.
PRIOR_SAMPLES = 10
BLOOD = ("leukemia", "lymphoma", "myeloma")


@dataclass
class Reference:
    """What training lines look like. genes: names; mean, sd: of each gene's z score over the lines; tissues: names.

    tissue_means: (tissues, genes) in units of sd around mean, shrunken; tissue_sd: (tissues, genes) SD inside the tissue in
    units of sd, drawn towards that inside all tissues.
    """

    genes: list[str]
    mean: "numpy.ndarray"
    sd: "numpy.ndarray"
    tissues: list[str]
    tissue_means: "numpy.ndarray"
    tissue_sd: "numpy.ndarray"

    def spread(self, tissue: "numpy.ndarray") -> "numpy.ndarray":
        """SD of each gene around the tissue's mean, over samples of these tissues; (all genes,)."""
        import numpy

        shares = numpy.bincount(tissue, minlength=len(self.tissues)) / max(len(tissue), 1)
        return numpy.sqrt(shares @ self.tissue_sd**2).astype(numpy.float32)


@dataclass
class Aligned:
    """Samples in units of the training lines. values: (samples, genes in common); tissue: index into Reference.tissues.

    genes: index into Reference.genes; offset: mean squared offset of the cohort; matched: whether it was removed.
    """

    values: "numpy.ndarray"
    genes: "numpy.ndarray"
    tissue: "numpy.ndarray"
    offset: float
    matched: bool


def standard_scores(reference: Reference, values: "numpy.ndarray", genes: "numpy.ndarray") -> "numpy.ndarray":
    """Step 1. values: (samples, genes) on a log scale; genes: their places in the reference. Constant samples give NaN."""
    import numpy

    mean, sd = reference.mean[genes], reference.sd[genes]
    spread = numpy.sqrt(numpy.mean(sd**2 + (mean - mean.mean()) ** 2))
    centre = values.mean(axis=1, keepdims=True)
    own = values.std(axis=1, keepdims=True)
    own[own < 1e-6] = numpy.nan
    return (((values - centre) / own * spread + mean.mean() - mean) / sd).astype(numpy.float32)


def nearest_tissues(reference: Reference, scores: "numpy.ndarray", genes: "numpy.ndarray") -> "numpy.ndarray":
    """Step 2. The tissue whose mean profile correlates best with each sample's."""
    import numpy

    profiles = reference.tissue_means[:, genes]
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    profiles /= numpy.linalg.norm(profiles, axis=1, keepdims=True)
    return numpy.argmax((scores - scores.mean(axis=1, keepdims=True)) @ profiles.T, axis=1)


def match(reference: Reference, scores: "numpy.ndarray", genes: "numpy.ndarray", tissue: "numpy.ndarray") -> Aligned:
    """Step 3 on one cohort of one platform."""
    import numpy

    expected = reference.tissue_means[:, genes].astype(numpy.float32)
    within = reference.spread(tissue)[genes]
    samples = len(scores)
    counts = numpy.bincount(tissue, minlength=len(reference.tissues))
    difference = scores.mean(axis=0) - counts @ expected / samples
    # Median of squares over the median of chi-square with one degree of freedom: a mean that outliers cannot move.
    offset = float(numpy.median(difference**2) / 0.4549)
    if offset < OTHER_PLATFORM:
        return Aligned(scores, genes, tissue, offset, False)
    values = scores - expected[tissue]
    squares = ((values - difference) ** 2).sum(axis=0)
    own = numpy.sqrt((squares + PRIOR_SAMPLES * within**2) / (samples + PRIOR_SAMPLES))
    removed = difference * (offset / (offset + own**2 / samples))
    values = (values - removed) / own * reference.tissue_sd[tissue][:, genes] + expected[tissue]
    return Aligned(values.astype(numpy.float32), genes, tissue, offset, True)


def common_genes(reference: Reference, given: list[str], where: str) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Places of the genes that both know: in the reference, in the input. Raises InputError when they are too few."""
    import numpy

    place = {gene: index for index, gene in enumerate(given)}
    pairs = [(index, place[gene]) for index, gene in enumerate(reference.genes) if gene in place]
    if len(pairs) < MINIMUM_COVERAGE * len(reference.genes):
        raise InputError(
            f"{where}: {len(pairs)} of the model's {len(reference.genes)} genes, at least {MINIMUM_COVERAGE:.0%} are needed; "
            "rows must be genes named by HGNC symbol"
        )
    both = numpy.array(pairs)
    return both[:, 0], both[:, 1]
