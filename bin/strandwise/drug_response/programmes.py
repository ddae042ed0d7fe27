"""Gene programmes: groups of genes that go up and down together over the training lines, by which scores are explained.

They are found in the data, not taken from a pathway database; a programme is named by the genes at its heart.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

PROGRAMMES = 60
# A gene whose variance the components carry by less than this share belongs to no programme.
LEAST_SHARED = 0.25
GENES_IN_NAME = 3


@dataclass
class Programmes:
    """names: of the programmes, e.g. `CD3D·CD3E·LCK`; of_gene: (genes,) place in names, -1 for genes that go their own way."""

    names: list[str]
    of_gene: "numpy.ndarray"

    def shares(self, by_gene: "numpy.ndarray") -> "numpy.ndarray":
        """Sums of the genes' shares within each programme, (…, genes) → (…, programmes + 1); the last is of all other genes."""
        import numpy

        return by_gene @ numpy.eye(len(self.names) + 1, dtype=numpy.float32)[self.of_gene]


def find_programmes(genes: list[str], scores: "numpy.ndarray", components: "numpy.ndarray", seed: int) -> Programmes:
    """k-means of the genes' directions in the space of the components (spherical: Dhillon and Modha, Mach. Learn. 42:143, 2001).

    scores: (lines, genes) standardised; components: (lines, components) of the same lines.
    """
    import numpy
    from sklearn.cluster import KMeans

    kept = components[:, : min(components.shape[1], 60)]
    axes = numpy.linalg.svd(kept - kept.mean(axis=0), full_matrices=False)[0]
    # Correlation of each gene with orthogonal axes: squares add up to the share of its variance that they carry.
    loadings = (scores.T @ axes) / numpy.sqrt(len(scores))
    shared = (loadings**2).sum(axis=1)
    inside = numpy.flatnonzero(shared >= LEAST_SHARED)
    of_gene = numpy.full(len(genes), -1, numpy.int16)
    if len(inside) < 2 * GENES_IN_NAME:
        return Programmes([], of_gene)
    directions = loadings[inside] / numpy.sqrt(shared[inside])[:, None]
    count = max(min(PROGRAMMES, len(inside) // (3 * GENES_IN_NAME)), 1)
    found = KMeans(count, n_init=4, random_state=seed).fit(directions)
    names = []
    for programme in range(count):
        members = numpy.flatnonzero(found.labels_ == programme)
        middle = directions[members].mean(axis=0)
        heart = members[numpy.argsort(-(loadings[inside[members]] @ middle), kind="stable")[:GENES_IN_NAME]]
        names.append("·".join(genes[inside[member]] for member in heart))
    of_gene[inside] = found.labels_
    return Programmes(names, of_gene)
