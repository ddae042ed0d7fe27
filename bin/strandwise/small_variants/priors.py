"""What is expected of a person's genotype before any read: the neutral spectrum of frequencies, and alleles that were asked for."""

from functools import cache

import numpy as np

from strandwise.formats.vcf import genotype_order

ALTERNATE_WEIGHT = {True: 1e-3 / 3, False: 1e-4}
"""Weight of one alternate allele against 1 of the reference (Dirichlet) for SNVs (True) and indels: the neutral spectrum,
a density of weight/f for an allele of frequency f. Its chance to be heterozygous in one person is the weight, to be homozygous
half of it. SNVs: heterozygosity 1e-3 over three bases."""

GRID = np.arange(-14.0, 10.0 + 1e-9, 0.25)
"""Logits of the frequencies, from 1 in a million on, over which the sum is taken in place of the integral."""


def frequency_grid(weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and their prior chances, float (K,): Beta(weight, 1), that is cumulative f^weight; the first one is 0."""
    edges = 1 / (1 + np.exp(-(GRID[:-1] + GRID[1:]) / 2))
    cumulative = np.concatenate([edges, [1.0]]) ** weight
    frequencies = np.concatenate([[0.0], 1 / (1 + np.exp(-GRID[1:]))])
    return frequencies, np.diff(cumulative, prepend=0.0)


def genotype_table(alleles: int, ploidy: int, frequencies: np.ndarray) -> np.ndarray:
    """Hardy-Weinberg chances (K, genotypes) of reference and alternates without regard to which alternate it is.

    With one copy per cell the homozygous genotypes stand for the allele, heterozygous ones have chance 0.
    """
    columns = []
    for low, high in genotype_order(alleles, 2):
        if ploidy == 1:
            columns.append(np.where(low == high, frequencies if high else 1 - frequencies, 0.0))
        else:
            alternates = (low > 0) + (high > 0)
            columns.append((1 + (low != high)) * frequencies**alternates * (1 - frequencies) ** (2 - alternates))
    return np.stack(columns, axis=1)


@cache
def copies_prior(snv: bool) -> np.ndarray:
    """Prior of 0, 1 and 2 copies of one alternate in one person, float (3,)."""
    frequencies, chances = frequency_grid(ALTERNATE_WEIGHT[snv])
    return chances @ genotype_table(2, 2, frequencies)


def given_prior(share: float) -> np.ndarray:
    """Prior of 0, 1 and 2 copies of an alternate that a person carries with chance `share`, float (3,): two in three carriers
    have one copy, as in the neutral spectrum."""
    return np.array([1 - share, share * 2 / 3, share / 3])


@cache
def genotype_prior(alleles: int, snv: bool, ploidy: int = 2, given: tuple[tuple[int, float], ...] = ()) -> np.ndarray:
    """Phred of one person's prior of each genotype, in the order of PL, 0 for the reference: the product over the alternates.

    given: numbers of alternates that were asked for, with the chance to be carried at which they are weighed. With one
    copy per cell an allele has the prior of two copies, as it has their probability.
    """
    shares = dict(given)
    phred = np.zeros(len(genotype_order(alleles, ploidy)))
    for number in range(1, alleles):
        prior = given_prior(shares[number]) if number in shares else copies_prior(snv)
        copies = [genotype.count(number) * (3 - ploidy) for genotype in genotype_order(alleles, ploidy)]
        phred += -10 * np.log10(prior / prior[0])[copies]
    return phred
