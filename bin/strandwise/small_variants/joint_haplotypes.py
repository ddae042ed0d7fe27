"""Records that lie together are genotyped by the haplotypes they spell: relatives may tell the same one with different records."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

from strandwise.small_variants.evaluate import furthest_end
from strandwise.small_variants.genotypes import MOST_QUALITY, phred
from strandwise.small_variants.joint_calls import JointCall, finished
from strandwise.small_variants.joint_genotypes import (
    JointModel,
    Posteriors,
    genotype_index,
    genotypes_of,
)
from strandwise.small_variants.joint_merge import MOST_PHRED, Locus, trimmed
from strandwise.small_variants.priors import ALTERNATE_WEIGHT, genotype_prior

CLUSTER_GAP = 10
"""Records closer than this, after all shifts that repeats allow, tell haplotypes together."""

FURTHEST = 300
"""Bases beyond a record in which its shifts are looked for."""

MOST_GENOTYPES = 24
"""Combinations of genotypes of a sample's records that are tried, the most probable ones."""

MOST_HETEROZYGOUS = 6
"""Of a combination: with more there are too many ways to share them out to two haplotypes."""

MOST_DIFFERENCE = 60.0
"""Phred by which a genotype may be less probable than the best one of its record and be tried."""

MOST_HAPLOTYPES = 12
"""Of a cluster, the reference's among them. Where relatives have more, records are judged one by one."""

NEW_ALLELE = 0.05
"""From this probability to be de novo on a child's allele seems new."""

Description = tuple[int, ...]  # allele number at each locus of a cluster
Fetch = Callable[[str, int, int], str]  # contig, start, end (0-based half-open) → bases in capitals
Models = Callable[[int, bool, Sequence[int], str], JointModel]  # alleles, SNV, copies per sample, contig


def clusters(loci: Sequence[Locus], fetch: Fetch) -> list[list[int]]:
    """Places of the loci, those together whose alleles can touch or come nearer than CLUSTER_GAP. loci: in order."""
    groups: list[list[int]] = []
    contig, end = "", 0
    for place, locus in enumerate(loci):
        if groups and locus.contig == contig and locus.position < end + CLUSTER_GAP:
            groups[-1].append(place)
        else:
            groups.append([place])
            end = 0
        contig, end = locus.contig, max(end, reach(locus, fetch))
    return groups


def reach(locus: Locus, fetch: Fetch) -> int:
    """End of the locus when its indels are shifted as far right as the reference allows."""
    start, end = locus.position, locus.position + len(locus.alleles[0])
    if locus.snv:
        return end
    bases = fetch(locus.contig, start, end + FURTHEST)
    for alternate in locus.alleles[1:]:
        before, reference, text = event(locus.alleles[0], alternate)
        end = max(end, start + furthest_end(bases, before, reference, text))
    return end


def event(reference: str, alternate: str) -> tuple[int, str, str]:
    """What an allele changes: bases before it, bases taken out, bases put in."""
    reference, alternate = trimmed(reference, alternate)
    anchored = len(reference) != len(alternate) and reference[0] == alternate[0]
    return (1, reference[1:], alternate[1:]) if anchored else (0, reference, alternate)


def spelled(loci: Sequence[Locus], description: Description, bases: str) -> str | None:
    """The sequence of a haplotype; None where its alleles exclude each other: what was deleted cannot be changed.

    The base that an indel's record begins with is not part of what it changes. bases: the reference from the first locus on, beyond the last.
    """
    pieces, done, origin = [], 0, loci[0].position
    for locus, allele in zip(loci, description, strict=True):
        if allele:
            before, reference, text = event(locus.alleles[0], locus.alleles[allele])
            start = locus.position - origin + before
            if start < done:
                return None
            pieces += [bases[done:start], text]
            done = start + len(reference)
    return "".join(pieces) + bases[done:]


@dataclass
class Spelled:
    """A pair of haplotypes of one sample. cost: phred by its own reads and prior; own: whether these are the genotypes of its gVCF."""

    cost: float
    own: bool
    sequences: tuple[str, str]
    descriptions: tuple[Description, Description]


@dataclass
class Cluster:
    """Loci that are genotyped together. bases: the reference from the first on, beyond the last; members: numbers of the samples; costs:
    member → phred of its genotypes at each locus, without prior; own: member → genotypes of its gVCF."""

    loci: list[Locus]
    bases: str
    members: list[int]
    costs: dict[int, list[np.ndarray]]
    own: dict[int, tuple[int, ...]]

    @classmethod
    def of(cls, calls: Sequence[JointCall], members: Sequence[int], fetch: Fetch) -> "Cluster":
        loci = [call.locus for call in calls]
        end = max(locus.position + len(locus.alleles[0]) for locus in loci)
        return cls(
            loci,
            fetch(loci[0].contig, loci[0].position, end),
            list(members),
            {i: [likelihoods(call, i) for call in calls] for i in members},
            {i: tuple(locus.samples[i].own or 0 for locus in loci) for i in members},
        )

    def combinations(self, member: int) -> list[tuple[float, tuple[int, ...]]]:
        """The most probable combinations of a member's genotypes by its own reads and prior, with their phred; first its own."""
        found: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
        for locus, costs in zip(self.loci, self.costs[member], strict=True):
            alone = costs + genotype_prior(len(locus.alleles), locus.snv)
            tried = [(float(cost), place) for place, cost in enumerate(alone - alone.min()) if cost <= MOST_DIFFERENCE]
            longer = [(whole + cost, (*places, place)) for whole, places in found for cost, place in tried]
            found = sorted(longer)[:MOST_GENOTYPES]
        own = self.own[member]
        return [(0.0, own), *(entry for entry in found if entry[1] != own)]

    def pairs(self, places: Sequence[int]) -> Iterator[tuple[Description, Description]]:
        """The ways to share a combination of genotypes out to two haplotypes."""
        genotypes = [genotypes_of(len(locus.alleles))[place] for locus, place in zip(self.loci, places, strict=True)]
        mixed = [number for number, (low, high) in enumerate(genotypes) if low != high]
        if len(mixed) > MOST_HETEROZYGOUS:
            return
        for turns in itertools.product((0, 1), repeat=max(0, len(mixed) - 1)):
            turned = {number for number, turn in zip(mixed[1:], turns, strict=True) if turn}
            sides = [pair[::-1] if number in turned else pair for number, pair in enumerate(genotypes)]
            yield tuple(pair[0] for pair in sides), tuple(pair[1] for pair in sides)

    def spelled_pairs(self, member: int) -> list[Spelled]:
        """The pairs of haplotypes that a member's most probable genotypes can be."""
        found = []
        for cost, places in self.combinations(member):
            for pair in self.pairs(places):
                one, other = (spelled(self.loci, description, self.bases) for description in pair)
                if one is not None and other is not None:
                    found.append(Spelled(cost, places == self.own[member], (one, other), pair))
        return found

    def haplotypes(self) -> list[list[Description]] | None:
        """Haplotypes, the reference's first: of each all descriptions that were met.

        Of each member the pair of its own genotypes and the most probable pair whose haplotypes others can have too: how
        genotypes are to be shared out to two haplotypes is seen from the others. None where there are too many.
        """
        pairs = [self.spelled_pairs(member) for member in self.members]
        if not all(pairs):
            return None
        shared: Counter[str] = Counter()
        told: dict[str, dict[Description, None]] = {self.bases: {(0,) * len(self.loci): None}}
        for found in pairs:
            best: dict[str, float] = {}
            for pair in found:
                for text, description in zip(pair.sequences, pair.descriptions, strict=True):
                    best[text] = max(best.get(text, 0.0), 10 ** (-pair.cost / 10))
                    told.setdefault(text, {})[description] = None
            shared.update(best)
        chosen = {self.bases: None}
        for found in pairs:
            for among in ([pair for pair in found if pair.own], found):
                if among:
                    pair = max(among, key=lambda p: (sum(shared[t] for t in p.sequences), -p.cost, p.sequences))
                    chosen |= dict.fromkeys(pair.sequences)
        # How its own genotypes are shared out decides from whom a child has an allele: every way is open, as far as there is room.
        every = chosen | {text: None for found in pairs for pair in found if pair.own for text in pair.sequences}
        chosen = every if len(every) <= MOST_HAPLOTYPES else chosen
        return [list(told[text]) for text in chosen] if len(chosen) <= MOST_HAPLOTYPES else None

    def cost(self, member: int, one: Description, other: Description) -> float:
        """Phred of a member's pair of haplotypes in these descriptions, without prior."""
        alleles = zip(one, other, strict=True)
        return sum(float(costs[genotype_index(pair)]) for costs, pair in zip(self.costs[member], alleles, strict=True))

    def carried(self, told: Sequence[Sequence[Description]]) -> tuple[np.ndarray, np.ndarray]:
        """Which alternates each haplotype has in its most probable description, int (haplotypes, alternates), and the weights of the
        alternates in the prior, float (alternates,)."""
        alternates = [
            (place, allele) for place, locus in enumerate(self.loci) for allele in range(1, len(locus.alleles))
        ]
        weights = np.array([ALTERNATE_WEIGHT[self.loci[place].snv] for place, _ in alternates])
        rows = [
            max(
                ([int(description[place] == allele) for place, allele in alternates] for description in descriptions),
                key=lambda row: (float(np.dot(row, np.log(weights))), row),
            )
            for descriptions in told
        ]
        return np.array(rows), weights


def likelihoods(call: JointCall, sample: int) -> np.ndarray:
    """Phred of a record's genotypes by one sample without prior, reads that do not fit being what they were taken for."""
    data = call.locus.samples[sample]
    values = data.likelihoods if call.shows_reference else data.by_reads
    return np.asarray(np.concatenate([[data.errors], values[1:]]))


def founders_prior(carried: np.ndarray, weights: np.ndarray, copies: tuple[int, int]) -> np.ndarray:
    """Chance of the haplotypes of two parents, float (mother, father), in the order of PL.

    Each alternate has the prior that it has in joint_genotypes, whichever others it comes with: c of n copies in a certain order have
    the chance weight (c - 1)! (n - c)! / n!, the integral of weight/f f^c (1-f)^(n-c). carried, weights: as Cluster.carried gives
    them; copies: 1 or 2 of each parent, of one copy homozygous ones stand for it.
    """
    pairs = genotypes_of(len(carried))
    whole = sum(copies)
    chances = [1.0] + [factorial(c - 1) * factorial(whole - c) / factorial(whole) for c in range(1, whole + 1)]
    counts, ways = [], []
    for number in copies:
        counts.append(np.array([carried[list(pair[:number])].sum(axis=0) for pair in pairs]))
        ways.append(np.array([1 if low == high else 2 * (number == 2) for low, high in pairs]))
    together = counts[0][:, None] + counts[1][None, :]  # (mother, father, alternates)
    of_each = np.where(together > 0, weights, 1.0) * np.array(chances)[together]
    return np.asarray(of_each.prod(axis=2) * np.outer(*ways))


def by_haplotypes(calls: Sequence[JointCall], fetch: Fetch, models: Models) -> list[JointCall]:
    """The calls of loci; where relatives changed a genotype in a cluster that holds an indel, the calls of their haplotypes.

    Records are judged one by one at first. Where two relatives tell the same haplotype with different records, each record by
    itself seems to contradict inheritance, and genotypes turn that were right. A record that has lost its carriers so is still
    part of how their haplotypes are told.
    """
    found = list(calls)
    told = [place for place, call in enumerate(calls) if call.carried or any(data.own for data in call.locus.samples)]
    for group in clusters([calls[place].locus for place in told], fetch):
        cluster = [calls[told[number]] for number in group]
        mixed = any(not call.locus.snv for call in cluster)
        if len(cluster) > 1 and mixed and any(map(changed, cluster)):
            for number, call in zip(group, genotyped(cluster, fetch, models), strict=True):
                found[told[number]] = call
    return found


def changed(call: JointCall) -> bool:
    """Whether the genotype of somebody with relatives is not that of the own gVCF, or a child's allele seems new."""
    samples = [(i, data) for i, data in enumerate(call.locus.samples) if i not in call.model.singles]
    turned = any(not data.missing and data.own != call.best[i] for i, data in samples)
    return turned or any(chance >= NEW_ALLELE for chance in call.de_novo.values())


def genotyped(calls: Sequence[JointCall], fetch: Fetch, models: Models) -> list[JointCall]:
    """Calls of a cluster from the posteriors of the families' haplotypes, which are the alleles of one locus. Samples without relatives, and
    all where there are too many haplotypes, stay as they were called."""
    loci = [call.locus for call in calls]
    ploidy = [data.ploidy for data in loci[0].samples]
    members = [i for i in range(len(ploidy)) if i not in calls[0].model.singles]
    cluster = Cluster.of(calls, members, fetch)
    told = cluster.haplotypes()
    if told is None or any([data.ploidy for data in locus.samples] != ploidy for locus in loci):
        return list(calls)
    pairs = genotypes_of(len(told))
    phreds = np.zeros((len(ploidy), len(pairs)))
    for i in members:
        costs = [min(cluster.cost(i, *two) for two in itertools.product(told[a], told[b])) for a, b in pairs]
        phreds[i] = np.minimum(np.array(costs) - min(costs), MOST_PHRED)
    model = models(len(told), False, ploidy, loci[0].contig)
    prior = cluster.carried(told)
    priors = [founders_prior(*prior, model.copies(family)) for family in model.families]
    posteriors = model.of_haplotypes(10 ** (-phreds / 10), priors)
    best = {i: pairs[posteriors.best[0, i]] for i in members}
    common = [_common(cluster, best, told, haplotype) for haplotype in range(len(told))]
    return [_call(call, place, members, common, posteriors) for place, call in enumerate(calls)]


def _common(
    cluster: Cluster, best: dict[int, tuple[int, ...]], told: Sequence[Sequence[Description]], haplotype: int
) -> Description:
    """The one description of a haplotype that is written: that which fits the records of its carriers best."""

    def cost(description: Description) -> float:
        whole = 0.0
        for member, pair in best.items():
            if haplotype in pair:
                other = pair[1] if pair[0] == haplotype else pair[0]
                others = [description] if other == haplotype else told[other]
                whole += min(cluster.cost(member, description, text) for text in others)
        return whole

    return min(told[haplotype], key=lambda description: (cost(description), description))


def _call(
    call: JointCall, place: int, members: Sequence[int], common: Sequence[Description], posteriors: Posteriors
) -> JointCall:
    """One record of a cluster with the genotypes that the haplotypes have there. common: descriptions; place: of the locus in them."""
    here = np.array([genotype_index((common[a][place], common[b][place])) for a, b in genotypes_of(len(common))])
    best, qualities, quality = list(call.best), list(call.qualities), 0.0
    for i in members:
        chances = np.bincount(here, weights=posteriors.genotypes[0, i])
        best[i] = int(here[posteriors.best[0, i]])
        qualities[i] = min(MOST_QUALITY, int(phred(1 - float(chances[best[i]])) + 1e-6))
        quality = max(quality, phred(float(chances[0])) if 0 in here else float(MOST_QUALITY))
    if any(call.best[i] for i in call.model.singles):
        quality = max(quality, call.quality)
    new = {
        child: min(float(chance[0]), 1.0 if _is_new(call.model, child, best) else call.de_novo[child])
        for child, chance in posteriors.de_novo.items()
    }
    return finished(call.locus, call.model, best, qualities, quality, new)


def _is_new(model: JointModel, child: int, best: Sequence[int]) -> bool:
    """Whether a child's genotype cannot come from those of its parents without mutation."""
    _, unchanged = model.inherited(child)
    family = next(family for family in model.families if child in family.children)
    mother, father = (slice(None) if parent is None else best[parent] for parent in family.parents)
    return bool(np.max(unchanged[mother, father, best[child]]) == 0)


def whole_clusters(windows: Iterable[list[Locus]], fetch: Fetch) -> Iterator[list[Locus]]:
    """The loci of the windows, cut between clusters and not inside of one."""
    held: list[Locus] = []
    for loci in windows:
        together = held + loci
        groups = clusters(together, fetch)
        cut = groups[-1][0] if groups else 0
        yield together[:cut]
        held = together[cut:]
    yield held
