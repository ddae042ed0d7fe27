"""Weighs given alleles: who asks for an allele expects it more often than any one allele of a genome is there."""

import numpy as np

from strandwise.formats.alleles import ALLELES_PRIOR
from strandwise.small_variants.candidates import GIVEN_ONLY, SNV, Candidates
from strandwise.small_variants.priors import copies_prior, given_prior


def weighed(candidates: Candidates, probabilities: np.ndarray, share: float = ALLELES_PRIOR) -> np.ndarray:
    """Probabilities of 0, 1 and 2 copies, float (n, 3), those of given alleles with the prior of given alleles.

    probabilities: by the networks, so with the prior of any one allele of a genome; share: chance that a person carries a
    given allele. By Bayes' rule P(copies | reads) / genome's prior x given prior, normalised. Two bounds: an allele that is
    no candidate was judged by no network, so it has likelihood x given prior; and no candidate becomes likelier than that
    unless it was so before, since in repeats part of what the networks say is knowledge of the place, not evidence.
    """
    prior = given_prior(share)
    genome = np.where((candidates.kind == SNV)[:, None], copies_prior(True), copies_prior(False))
    by_reads = _normalised(10 ** (-candidates.likelihoods.astype(float) / 10) * prior)
    by_networks = _normalised(probabilities / genome * prior)
    carried = 1 - by_networks[:, :1]
    bounded = np.minimum(carried, np.maximum(1 - by_reads[:, :1], 1 - probabilities[:, :1]))
    copies = by_networks[:, 1:] / by_networks[:, 1:].sum(axis=1, keepdims=True)
    result = np.concatenate([1 - bounded, bounded * copies], axis=1)
    if candidates.given is not None:
        result = np.where((candidates.given == GIVEN_ONLY)[:, None], by_reads, result)
    return np.where(candidates.is_given[:, None], result, probabilities)


def _normalised(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
