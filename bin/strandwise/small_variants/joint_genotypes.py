"""Genotypes of relatives and of a cohort together: allele frequency integrated out, transmissions summed exactly."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from strandwise.formats.vcf import genotype_order
from strandwise.small_variants.priors import ALTERNATE_WEIGHT, frequency_grid, genotype_table

MUTATION_RATE = {True: 1.2e-8 / 3, False: 1e-9}
"""Chance that a transmitted allele turns into one certain other, per site and generation: 1.2e-8 over three bases for SNVs
(Kong et al. 2012, doi:10.1038/nature11396), 1e-9 for indels (9.3e-10, Besenbacher et al. 2016, doi:10.1371/journal.pgen.1006315)."""

ARTEFACT_RATE = 1e-4
"""Chance that a site shows an alternate to everybody whatever they carry: reads of another place, repeats that slip."""

OF_ONE_SAMPLE = 0.01
"""Share of the artefacts that relatives need not show: of the library, or of a copy that only one person has."""

ROUNDS = 5
"""Of expectation and maximisation for the shares of several alternates; they settle in two or three."""

TINY = 1e-300


@dataclass(frozen=True)
class Family:
    """Parents and all their children, by number of the sample; None for a parent without data."""

    father: int | None
    mother: int | None
    children: tuple[int, ...]

    @property
    def parents(self) -> tuple[int | None, int | None]:
        return self.mother, self.father


@dataclass
class Posteriors:
    """genotypes: float (loci, samples, genotypes), probabilities; best: int (loci, samples), the most probable genotypes, of a
    family together; reference: float (loci,), phred that nobody carries an alternate; evidence: float (loci,), log of the likelihood of all data; de_novo: child → float (loci,), probability
    that an allele it got had mutated; shows_reference: bool (loci,), whether the site probably shows reads of the reference to everybody."""

    genotypes: np.ndarray
    best: np.ndarray
    reference: np.ndarray
    evidence: np.ndarray
    de_novo: dict[int, np.ndarray] = field(default_factory=dict)
    shows_reference: np.ndarray | None = None


# ---- priors -------------------------------------------------------------------------------------------------------


@cache
def alternate_counts(alleles: int, ploidy: int) -> np.ndarray:
    """Copies of each alternate in each genotype, int (genotypes, alternates)."""
    order = genotypes_of(alleles)
    counts = [[genotype.count(allele) for allele in range(1, alleles)] for genotype in order]
    return np.minimum(counts, 1) if ploidy == 1 else np.array(counts)


def composition(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Chance that alternates, drawn one after the other from Polya's urn, are these: float (..., X).

    weights: float (..., alternates), of the urn at the beginning; counts: int (X, alternates), copies of each drawn.
    """
    most = int(counts.sum(axis=1).max())
    steps = np.arange(most)
    rising = np.concatenate(
        [np.ones((*weights.shape, 1)), np.cumprod(weights[..., None] + steps, axis=-1)], axis=-1
    )  # (..., alternates, most + 1)
    whole = weights.sum(axis=-1)[..., None]
    total = np.concatenate([np.ones_like(whole), np.cumprod(whole + steps, axis=-1)], axis=-1)
    drawn = np.ones((*weights.shape[:-1], len(counts)))
    for allele in range(counts.shape[1]):
        drawn = drawn * rising[..., allele, :][..., counts[:, allele]]
    return drawn / total[..., counts.sum(axis=1)]


# ---- transmission -------------------------------------------------------------------------------------------------


def transmission(alleles: int, by: str, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Chance of a child's genotype given its parents', float (mother, father, child), and the part of it without mutation.

    by: `both` parents, or `mother` or `father` alone where the child has one copy. A parent with one copy counts as homozygous.
    """
    order = genotypes_of(alleles)
    kept = np.array([[genotype.count(allele) / 2 for allele in range(alleles)] for genotype in order])
    without = (1 - rate * (alleles - 1)) * kept
    return _child(without + rate * (1 - kept), by, order), _child(without, by, order)


def _child(given: np.ndarray, by: str, order: Sequence[tuple[int, ...]]) -> np.ndarray:
    table = np.zeros((len(order),) * 3)
    for child, (low, high) in enumerate(order):
        if by == "both":
            table[:, :, child] = np.outer(given[:, low], given[:, high])
            if low != high:
                table[:, :, child] += np.outer(given[:, high], given[:, low])
        elif low == high:
            table[:, :, child] = given[:, None, low] if by == "mother" else given[None, :, low]
    return table


# ---- posteriors ---------------------------------------------------------------------------------------------------


class JointModel:
    """Judges loci of one shape: so many alleles, copies per sample, families.

    ploidy: 1 or 2 per sample; by: `both`, `mother` or `father`, whence a child with one copy has it; families: each sample stands in at
    most one of them as the place where its genotype is decided (homes), but a parent may help in others.
    """

    def __init__(self, alleles: int, snv: bool, ploidy: Sequence[int], families: Sequence[Family] = (), by: str = "both"):  # fmt: skip
        self.alleles = alleles
        self.ploidy = list(ploidy)
        self.families = list(families)
        self.weight = ALTERNATE_WEIGHT[snv]
        self.frequencies, self.chances = frequency_grid(self.weight * (alleles - 1))
        self.tables = {copies: genotype_table(alleles, copies, self.frequencies) for copies in (1, 2)}
        self.counts = {copies: alternate_counts(alleles, copies) for copies in (1, 2)}
        self.by = by
        rate = MUTATION_RATE[snv]
        self.transmissions = {kind: transmission(alleles, kind, rate) for kind in {"both", by}}
        members = {i for family in families for i in (*family.parents, *family.children)}
        self.singles = [i for i in range(len(self.ploidy)) if i not in members]
        self.home = homes(self.families)
        children = {child for family in families for child in family.children}
        self.founders = [i for i in range(len(self.ploidy)) if i not in children]

    def inherited(self, child: int) -> tuple[np.ndarray, np.ndarray]:
        """Transmission tables of a child: all of it, and the part without mutation."""
        return self.transmissions[self.by if self.ploidy[child] == 1 else "both"]

    def _copies(self, parent: int | None, is_father: bool) -> int:
        """Copies of a parent; of one without data those that such a parent has."""
        if parent is not None:
            return self.ploidy[parent]
        return 1 if set(self.ploidy) == {1} or (is_father and self.by == "mother") else 2

    def posteriors(
        self,
        likelihoods: np.ndarray,
        artefacts: np.ndarray | None = None,
        odds: np.ndarray | None = None,
        showing: np.ndarray | None = None,
        clean: np.ndarray | None = None,
    ) -> Posteriors:
        """likelihoods: float (loci, samples, genotypes), not logs, without prior; all 1 where there are no data.

        artefacts: float (loci, samples), likelihood of 0/0 where the site is an artefact, on the scale of `likelihoods`; showing: as
        likelihoods, where the site shows reads of the reference to everybody, with the odds float (loci,); None: no site does. With one
        copy per cell the homozygous genotypes stand for the allele. clean: float (loci, samples), chance that a sample shows no
        alternate where the site is an artefact, 1 where it shows some; it counts for parents of a child that shows some.
        """
        result = self._posteriors(likelihoods)
        if showing is not None and odds is not None and odds.any():
            rows = np.flatnonzero(odds)
            _or_showing(result, self._posteriors(showing[rows]), rows, odds[rows])
        if artefacts is None:
            return result
        return _or_artefact(result, artefacts, 1.0 if clean is None else self._hidden_in_families(clean))

    def _hidden_in_families(self, clean: np.ndarray) -> np.ndarray:
        """Chance that an artefact shows in children and not in their parents as they do, float (loci,); 1 where it is not so.

        Both parents are clean and a child is not, or one of them and the other is not, like a child of theirs.
        """
        chances = np.ones(len(clean))
        for family in self.families:
            if family.mother is None or family.father is None:
                continue
            parents = clean[:, [family.mother, family.father]]
            here = (parents < 1).any(axis=1) & (clean[:, family.children] == 1).any(axis=1)
            chances *= np.where(here, np.maximum(OF_ONE_SAMPLE, parents.prod(axis=1)), 1.0)
        return chances

    def _posteriors(self, likelihoods: np.ndarray) -> Posteriors:
        likelihoods = np.array(likelihoods, dtype=float)
        mixed = [low != high for low, high in genotypes_of(self.alleles)]
        for sample, copies in enumerate(self.ploidy):
            if copies == 1:
                likelihoods[:, sample, mixed] = 0
        result = self._round(likelihoods, None)
        if self.alleles > 2:
            for _ in range(ROUNDS):
                result = self._round(likelihoods, self._expected(result.genotypes))
        return result

    def copies(self, family: Family) -> tuple[int, int]:
        """Of the mother and of the father."""
        return self._copies(family.mother, False), self._copies(family.father, True)

    def of_haplotypes(self, likelihoods: np.ndarray, priors: Sequence[np.ndarray]) -> Posteriors:
        """Posteriors of the families' members at one locus whose alleles are haplotypes.

        likelihoods: float (samples, genotypes), as in posteriors; priors: of each family, float (mother, father).
        """
        mixed = [low != high for low, high in genotypes_of(self.alleles)]
        given = np.array(likelihoods, dtype=float)[None]
        given[:, [i for i, copies in enumerate(self.ploidy) if copies == 1]] *= ~np.array(mixed)
        samples, genotypes = likelihoods.shape
        empty = np.zeros((1, samples, genotypes)), np.zeros((1, samples), dtype=int)
        result = Posteriors(*empty, np.zeros(1), np.zeros(1))
        for number, (family, prior) in enumerate(zip(self.families, priors, strict=True)):
            parts = self._family(family, given, None)
            mother, father = (np.ones((1, genotypes)) if p is None else given[:, p] for p in family.parents)
            pairs = mother[:, :, None] * father[:, None, :] * prior
            for message in parts.messages.values():
                pairs = pairs * message
            ones = np.ones((1, genotypes))
            parts = FamilyParts(pairs, parts.messages, (ones, ones), np.ones((1, 1)), parts.reference)
            self._settle(number, family, parts, np.ones((1, 1)), given, result)
        return result

    def _expected(self, genotypes: np.ndarray) -> np.ndarray:
        """Expected copies of each alternate, float (loci, samples, alternates); 0 for children, whose alleles are their parents'."""
        expected = np.zeros((*genotypes.shape[:2], self.alleles - 1))
        for sample in self.founders:
            expected[:, sample] = genotypes[:, sample] @ self.counts[self.ploidy[sample]]
        return expected

    def _weights(self, expected: np.ndarray | None, members: Sequence[int], loci: int) -> np.ndarray:
        """Weights of the alternates for some samples: what the others show. float (loci, alternates)."""
        weights = np.full((loci, self.alleles - 1), self.weight)
        if expected is None:
            return weights
        others = [i for i in self.founders if i not in members]
        return weights + expected[:, others].sum(axis=1)

    def _round(self, likelihoods: np.ndarray, expected: np.ndarray | None) -> Posteriors:
        """All posteriors, given expected copies of each alternate (None: none seen yet)."""
        loci, samples, genotypes = likelihoods.shape
        log_weight = np.broadcast_to(np.log(self.chances + TINY), (loci, len(self.chances))).copy()
        log_reference = log_weight.copy()
        explained = {}
        for sample in self.singles:
            own = likelihoods[:, sample]
            if self.alleles > 2:
                own = own * composition(self._weights(expected, [sample], loci), self.counts[self.ploidy[sample]])
            table = self.tables[self.ploidy[sample]]
            explained[sample] = own, own @ table.T
            log_weight += np.log(explained[sample][1] + TINY)
            log_reference += np.log(own[:, :1] * table[:, 0] + TINY)
        families = []
        for family in self.families:
            parts = self._family(family, likelihoods, expected)
            families.append(parts)
            log_weight += np.log(parts.explained + TINY)
            log_reference += np.log(parts.reference[:, None] * parts.tables[0][:, 0] * parts.tables[1][:, 0] + TINY)
        whole = _log_sum(log_weight)
        weight = np.exp(log_weight - whole)
        result = Posteriors(
            np.zeros((loci, samples, genotypes)),
            np.zeros((loci, samples), dtype=int),
            -10 / np.log(10) * (_log_sum(log_reference) - whole)[:, 0],
            whole[:, 0],
        )
        for sample, (own, by_frequency) in explained.items():
            table = self.tables[self.ploidy[sample]]
            result.genotypes[:, sample] = _normalised(own * ((weight / (by_frequency + TINY)) @ table))
            result.best[:, sample] = result.genotypes[:, sample].argmax(axis=1)
        for number, (family, parts) in enumerate(zip(self.families, families, strict=True)):
            self._settle(number, family, parts, weight, likelihoods, result)
        return result

    def _family(self, family: Family, likelihoods: np.ndarray, expected: np.ndarray | None) -> "FamilyParts":
        """Likelihood of each pair of parents' genotypes, children summed out."""
        loci, _, genotypes = likelihoods.shape
        mother, father = (
            np.ones((loci, genotypes)) if parent is None else likelihoods[:, parent] for parent in family.parents
        )
        copies = self.copies(family)
        pairs = mother[:, :, None] * father[:, None, :]
        reference = pairs[:, 0, 0].copy()
        messages = {}
        for child in family.children:
            table, _ = self.inherited(child)
            messages[child] = likelihoods[:, child] @ table.reshape(-1, genotypes).T
            messages[child] = messages[child].reshape(loci, genotypes, genotypes)
            pairs = pairs * messages[child]
            reference *= table[0, 0, 0] * likelihoods[:, child, 0]
        if self.alleles > 2:
            weights = self._weights(expected, [i for i in family.parents if i is not None], loci)
            counts = (self.counts[copies[0]][:, None] + self.counts[copies[1]][None, :]).reshape(-1, self.alleles - 1)
            pairs = pairs * composition(weights, counts).reshape(loci, genotypes, genotypes)
        tables = (self.tables[copies[0]], self.tables[copies[1]])
        explained = np.einsum("km,bmk->bk", tables[0], pairs @ tables[1].T)
        return FamilyParts(pairs, messages, tables, explained, reference)

    def _settle(
        self, number: int, family: Family, parts: "FamilyParts", weight: np.ndarray, likelihoods: np.ndarray, result: Posteriors
    ) -> None:  # fmt: skip
        """Write the posteriors of a family's members whose home it is."""
        loci, genotypes = len(weight), likelihoods.shape[2]
        scaled = (weight / (parts.explained + TINY))[:, :, None] * parts.tables[0]
        pairs = _normalised((parts.pairs * (scaled.transpose(0, 2, 1) @ parts.tables[1])).reshape(loci, -1))
        together = pairs.copy()
        most = {}
        for child in family.children:
            table, unchanged = self.inherited(child)
            message = parts.messages[child].reshape(loci, -1)
            rest = pairs / (message + TINY)
            weighted = rest @ table.reshape(-1, genotypes)
            result.genotypes[:, child] = _normalised(weighted * likelihoods[:, child])
            inherited = likelihoods[:, child] @ unchanged.reshape(-1, genotypes).T
            result.de_novo[child] = np.clip(1 - (rest * inherited).sum(axis=1), 0, 1)
            chances = table.reshape(1, -1, genotypes) * likelihoods[:, child, None]
            most[child] = chances.argmax(axis=2)
            together *= chances.max(axis=2) / (message + TINY)
        best = together.argmax(axis=1)
        square = pairs.reshape(loci, genotypes, genotypes)
        for parent, axis, chosen in ((family.mother, 2, best // genotypes), (family.father, 1, best % genotypes)):
            if parent is not None and self.home.get(parent) == number:
                result.genotypes[:, parent] = square.sum(axis=axis)
                result.best[:, parent] = chosen
        for child in family.children:
            result.best[:, child] = np.take_along_axis(most[child], best[:, None], axis=1)[:, 0]


def _or_showing(found: Posteriors, showing: Posteriors, rows: np.ndarray, odds: np.ndarray) -> None:
    """Mix into some rows of `found` what holds where the site shows reads of the reference to everybody. odds: float (rows,)."""
    other = np.log(odds) + showing.evidence
    whole = np.logaddexp(found.evidence[rows], other)
    chance = np.exp(other - whole)
    found.genotypes[rows] += chance[:, None, None] * (showing.genotypes - found.genotypes[rows])
    found.best[rows] = np.where(chance[:, None] > 0.5, showing.best, found.best[rows])
    log_reference = [-one.reference * np.log(10) / 10 for one in (found, showing)]
    reference = np.logaddexp(found.evidence[rows] - whole + log_reference[0][rows], other - whole + log_reference[1])
    found.reference[rows] = -10 / np.log(10) * reference
    found.evidence[rows] = whole
    for child, new in found.de_novo.items():
        new[rows] += chance * (showing.de_novo[child] - new[rows])
    found.shows_reference = np.zeros(len(found.best), dtype=bool)
    found.shows_reference[rows] = chance > 0.5


def _or_artefact(found: Posteriors, artefacts: np.ndarray, chances: np.ndarray | float) -> Posteriors:
    """Posteriors where each site can be an artefact instead, at which everybody is 0/0. chances: of being shown by those who do."""
    log_artefact = np.log(ARTEFACT_RATE) + np.log(artefacts + TINY).sum(axis=1) + np.log(chances)
    whole = np.logaddexp(found.evidence, log_artefact)
    artefact = np.exp(log_artefact - whole)
    genotypes = found.genotypes * (1 - artefact)[:, None, None]
    genotypes[:, :, 0] += artefact[:, None]
    reference = np.logaddexp(found.evidence - whole - found.reference * np.log(10) / 10, log_artefact - whole)
    return Posteriors(
        genotypes,
        np.where(artefact[:, None] > 0.5, 0, found.best),
        -10 / np.log(10) * reference,
        whole,
        {child: chance * (1 - artefact) for child, chance in found.de_novo.items()},
        found.shows_reference,
    )


@dataclass
class FamilyParts:
    """pairs: (loci, mother, father), likelihood with the children summed out; messages: child → the same of that child alone;
    tables: Hardy-Weinberg of mother and father; explained: (loci, frequencies); reference: (loci,), of all being 0/0."""

    pairs: np.ndarray
    messages: dict[int, np.ndarray]
    tables: tuple[np.ndarray, np.ndarray]
    explained: np.ndarray
    reference: np.ndarray


def homes(families: Sequence[Family]) -> dict[int, int]:
    """In which family each sample's genotype is decided: where it is a child, otherwise the first in which it is a parent."""
    found = {child: number for number, family in enumerate(families) for child in family.children}
    for number, family in enumerate(families):
        for parent in family.parents:
            if parent is not None:
                found.setdefault(parent, number)
    return found


def _log_sum(values: np.ndarray) -> np.ndarray:
    """log of the sum of exponentials over the last axis, kept."""
    top = values.max(axis=-1, keepdims=True)
    return np.asarray(top + np.log(np.exp(values - top).sum(axis=-1, keepdims=True)))


def _normalised(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(values.sum(axis=-1, keepdims=True), TINY)


def genotype_index(genotype: Sequence[int]) -> int:
    """Place of a genotype in the order of PL (VCF 4.3, section 1.6.2); one copy counts as homozygous."""
    low, high = min(genotype), max(genotype)
    return high * (high + 1) // 2 + low


@cache
def genotypes_of(alleles: int) -> list[tuple[int, ...]]:
    """Genotypes of two copies in the order of PL."""
    return genotype_order(alleles, 2)


@cache
def subset(alleles: tuple[int, ...]) -> list[int]:
    """Places of the genotypes of some alleles, in their new order, among those of all."""
    number = len(alleles)
    return [
        genotype_index((alleles[low], alleles[high])) for high, low in itertools.product(range(number), range(number)) if low <= high
    ]  # fmt: skip
