"""Turns probabilities of 0, 1 and 2 copies of each candidate into genotypes, one record per site."""

import itertools
from collections.abc import Callable

import numpy as np

from strandwise.formats.vcf import SiteCall, genotype_order
from strandwise.small_variants.candidates import GIVEN_ONLY, SNV, Candidates
from strandwise.small_variants.priors import copies_prior, genotype_prior

MOST_QUALITY = 99
LEAST_PROBABILITY = 1e-10
MOST_ALTERNATES = 4
LEAST_DEPTH = 2
"""Fewer reads than this are no basis for a genotype; so many are one if its quality reaches LEAST_DEPTH_QUALITY (filter LowDepth)."""

LEAST_DEPTH_QUALITY = 5
"""A genotype of LEAST_DEPTH reads with a quality below this is wrong in a third of the calls."""

LOW_QUALITY = 3
"""A genotype quality below this means that another genotype is as likely (filter LowQual)."""

KEPT_ALTERNATE = 0.05
"""Beside the called alleles a record keeps those whose probability to be there is at least this."""

QUIET = 0.01
"""A candidate shown by a single read whose probability to be there is below this gets no record of its own."""


def plain_probabilities(candidates: Candidates) -> np.ndarray:
    """Probabilities of 0, 1, 2 copies from likelihoods and prior alone, float (n, 3)."""
    prior = np.where((candidates.kind == SNV)[:, None], copies_prior(True), copies_prior(False))
    weights = prior * 10 ** (-candidates.likelihoods.astype(float) / 10)
    return weights / weights.sum(axis=1, keepdims=True)


def phred(probability: float) -> float:
    """-10 log10 of a probability that may be 0."""
    return -10 * float(np.log10(max(probability, LEAST_PROBABILITY)))


def site_calls(
    candidates: Candidates,
    probabilities: np.ndarray,
    sequence: Callable[[int, int], str],
    ploidy: int = 2,
    share: float | None = None,
) -> list[SiteCall]:
    """One SiteCall per site that has something to tell, in order.

    probabilities: float (n, 3), of 0, 1, 2 copies of each candidate; sequence(start, end): reference bases.
    A site is what shares a record: the SNVs of one base, or the indels after one base. Given events are always told,
    with the share at which they were weighed.
    """
    worth = (probabilities[:, 0] < 1 - QUIET) | (candidates.counts[:, 1] > 1) | candidates.is_given
    chosen = np.flatnonzero(worth).tolist()
    record, kind = candidates.record.tolist(), candidates.kind.tolist()
    chosen.sort(key=lambda i: (record[i], kind[i] != SNV, i))
    calls = []
    for _, group in itertools.groupby(chosen, key=lambda i: (record[i], kind[i] != SNV)):
        calls.append(_site_call(candidates, list(group), probabilities, sequence, ploidy, share))
    return calls


def _site_call(
    candidates: Candidates,
    members: list[int],
    probabilities: np.ndarray,
    sequence: Callable[[int, int], str],
    ploidy: int,
    share: float | None,
) -> SiteCall:
    given = [i for i in members if candidates.is_given[i]]
    if len(members) > 1:
        members = sorted(members, key=lambda i: (probabilities[i, 0], i))
        members = [i for rank, i in enumerate(members) if rank < MOST_ALTERNATES or i in given]
    chances = _genotype_chances(probabilities[members], ploidy)
    best = max(chances, key=lambda genotype: chances[genotype])
    if len(members) > 1:
        kept = [
            k for k, i in enumerate(members, 1) if k in best or 1 - probabilities[i, 0] >= KEPT_ALTERNATE or i in given
        ]
        kept = kept or [1]
        if len(kept) < len(members):
            members = [members[k - 1] for k in kept]
            chances = _genotype_chances(probabilities[members], ploidy)
            best = max(chances, key=lambda genotype: chances[genotype])
    alleles = _alleles(candidates, members, sequence)
    counts = candidates.counts[members]
    support = counts[:, 1].tolist()
    reference = int(counts[:, 0].min())
    depth = max(int(counts.sum(axis=1).max()), reference + sum(support))
    shares = tuple(share if i in given else None for i in members) if given else ()
    genotype_quality = min(MOST_QUALITY, int(phred(1 - chances[best]) + 1e-6))
    filters = _filters(best, genotype_quality, depth, candidates, members)
    if not depth and given and not any(best):
        return _without_reads(candidates, members, alleles, ploidy, filters)
    return SiteCall(
        contig=candidates.contig,
        position=int(candidates.record[members[0]]),
        alleles=alleles,
        genotype=best,
        quality=round(phred(chances[(0,) * ploidy]), 2),
        genotype_quality=genotype_quality,
        depth=depth,
        allele_depths=(reference, *support),
        likelihoods=_likelihoods(chances, bool(candidates.kind[members[0]] == SNV), shares),
        filters=filters,
        given=shares,
        reads_only=tuple(
            k for k, i in enumerate(members, 1) if candidates.given is not None and candidates.given[i] == GIVEN_ONLY
        ),
    )


def _without_reads(
    candidates: Candidates, members: list[int], alleles: tuple[str, ...], ploidy: int, filters: tuple[str, ...]
) -> SiteCall:
    """A given site that no read reaches: nothing is known, and nothing is said."""
    return SiteCall(
        contig=candidates.contig,
        position=int(candidates.record[members[0]]),
        alleles=alleles,
        genotype=(None,) * ploidy,
        quality=0.0,
        genotype_quality=0,
        depth=0,
        allele_depths=(0,) * len(alleles),
        likelihoods=(0,) * len(genotype_order(len(alleles), ploidy)),
        filters=tuple(name for name in filters if name != "RefCall"),
        given=(None,) * (len(alleles) - 1),
        reads_only=tuple(range(1, len(alleles))),
    )


def _genotype_chances(probabilities: np.ndarray, ploidy: int) -> dict[tuple[int, ...], float]:
    """Probability of each genotype: the product over alleles of the chance of its copies, normalised.

    With one copy per cell, heterozygotes do not exist: the chances of 0 and of 2 copies are those of 0 and 1.
    """
    chances = {}
    for genotype in genotype_order(len(probabilities) + 1, ploidy):
        chance = 1.0
        for k, of_copies in enumerate(probabilities, 1):
            copies = genotype.count(k) * (3 - ploidy)
            chance *= max(float(of_copies[copies]), LEAST_PROBABILITY)
        chances[genotype] = chance
    total = sum(chances.values())
    return {genotype: chance / total for genotype, chance in chances.items()}


def _likelihoods(chances: dict[tuple[int, ...], float], snv: bool, shares: tuple[float | None, ...]) -> tuple[int, ...]:
    """PL: phred of the genotypes' probabilities divided by the prior that they hold, the smallest 0.

    shares: of given alternates the chance to be carried at which they were weighed, None for others.
    """
    ploidy = len(next(iter(chances)))
    alleles = 1 + max(genotype[-1] for genotype in chances)
    given = tuple((number, share) for number, share in enumerate(shares, 1) if share is not None)
    values = -10 * np.log10(list(chances.values())) - genotype_prior(alleles, snv, ploidy, given)
    return tuple(round(value) for value in (values - values.min()).tolist())


def _alleles(candidates: Candidates, members: list[int], sequence: Callable[[int, int], str]) -> tuple[str, ...]:
    """REF and ALT texts: an SNV's bases, or indels after their common anchor base on the longest deletion."""
    start = int(candidates.record[members[0]])
    if candidates.kind[members[0]] == SNV:
        return sequence(start, start + 1), *(candidates.alternates[i] for i in members)
    longest = int(candidates.reference_length[members].max())
    reference = sequence(start, start + 1 + longest)
    return reference, *(
        reference[0] + candidates.alternates[i] + reference[1 + int(candidates.reference_length[i]) :] for i in members
    )


def _filters(
    genotype: tuple[int, ...], genotype_quality: int, depth: int, candidates: Candidates, members: list[int]
) -> tuple[str, ...]:
    """Why a call is not to be trusted, or RefCall, or PASS."""
    filters = []
    here = int(candidates.record[members[0]]) - candidates.start
    if depth < LEAST_DEPTH or (depth == LEAST_DEPTH and genotype_quality < LEAST_DEPTH_QUALITY):
        filters.append("LowMapQ" if candidates.low_depth[here] > candidates.depth[here] else "LowDepth")
    if not any(genotype):
        filters.append("RefCall")
    elif genotype_quality < LOW_QUALITY:
        filters.append("LowQual")
    return tuple(filters) or ("PASS",)


def reference_quality(depth: np.ndarray, disagreeing: np.ndarray) -> np.ndarray:
    """Phred that a position without a candidate is homozygous reference, uint8 of the shape of `depth`.

    A heterozygote halves the chance of every read (3.01 phred each); a read with another base costs the reference 20.
    """
    quality = 3.0103 * depth - 23.0 * disagreeing
    return np.clip(quality, 0, MOST_QUALITY).astype(np.uint8)
