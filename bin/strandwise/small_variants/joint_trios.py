"""What relatives show: families of a pedigree, Mendelian errors, de novo candidates, and what people should know of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from strandwise.formats.notes import Note
from strandwise.formats.pedigree import Person
from strandwise.small_variants.joint_calls import JointCall
from strandwise.small_variants.joint_genotypes import Family, genotypes_of
from strandwise.small_variants.joint_merge import GvcfFile

LISTED = 0.001
"""De novo candidates are listed from this probability on: with few reads a parent is more often a missed heterozygote than a child
mutated, and who knows more of the disease than the rate of mutation wants to see them."""

LIKELY = 0.5
"""From this probability on a candidate counts as de novo in the summary."""

OTHER_ALLELE = "OtherAllele"
"""Filter of a de novo candidate where a parent carries another indel at the same place: in repeats the child's may be that one."""

GENOTYPE_QUALITIES = (0, 20)
"""Mendelian errors are counted over all sites and over those where all three have this GQ in their own gVCFs."""

MANY_ERRORS = 0.03
"""A rate of Mendelian errors beyond this, at GQ 20, says that the trio is none or that a sample is another one."""


@dataclass(frozen=True)
class Trio:
    """Numbers of samples."""

    child: int
    father: int
    mother: int

    @property
    def members(self) -> tuple[int, int, int]:
        return self.child, self.father, self.mother


@dataclass
class Found:
    """What is counted while the sites are written. errors: (trio, type, least GQ) → sites, errors alone, errors jointly."""

    records: Counter[str] = field(default_factory=Counter)
    filters: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    errors: dict[tuple[int, str, int], np.ndarray] = field(default_factory=dict)
    de_novo: list[dict[str, object]] = field(default_factory=list)


def relations(persons: Sequence[Person], names: Sequence[str]) -> tuple[list[Family], list[Trio]]:
    """Families (parents and their common children) and trios (child and both parents have data) among the samples.

    A family needs a child and something that tells about it: a parent with data, or a brother or sister.
    """
    number = {name: index for index, name in enumerate(names)}
    groups: dict[tuple[str, ...], list[int]] = {}
    couples: dict[tuple[str, ...], tuple[str | None, str | None]] = {}
    trios = []
    for person in persons:
        if person.name not in number or not (person.father or person.mother):
            continue
        # Of children with one parent named nobody knows whether they share the other one.
        key: tuple[str, ...] = (
            person.father or "",
            person.mother or "",
            "" if person.father and person.mother else person.name,
        )
        couples[key] = person.father, person.mother
        groups.setdefault(key, []).append(number[person.name])
        if person.father in number and person.mother in number:
            trios.append(Trio(number[person.name], number[person.father], number[person.mother]))
    families = []
    for key, children in groups.items():
        father, mother = (number.get(name) if name else None for name in couples[key])
        if father is not None or mother is not None or len(children) > 1:
            families.append(Family(father, mother, tuple(children)))
    return families, trios


def count(call: JointCall, trios: Sequence[Trio], found: Found) -> None:
    """Add a site to the figures."""
    samples = call.locus.samples
    found.records[call.kind] += 1
    found.filters[";".join(call.filters)] += 1
    for data, best in zip(samples, call.best, strict=True):
        if not data.missing and data.own != best:
            found.changed[f"{'0/0' if not data.own else 'variant'} to {'0/0' if not best else 'variant'}"] += 1
    for number, trio in enumerate(trios):
        members = [samples[i] for i in trio.members]
        if any(data.missing for data in members):
            continue
        if call.de_novo[trio.child] >= LISTED:
            found.de_novo.append(_candidate(call, trio))
        filtered = any(call.sample_filters[i] for i in trio.members) or any(data.filters for data in members)
        alone = [data.own or 0 for data in members]
        jointly = [call.best[i] for i in trio.members]
        if filtered or call.filters != ("PASS",) or not any(alone + jointly):
            continue
        _, unchanged = call.model.inherited(trio.child)
        wrong = [unchanged[mother, father, child] == 0 for child, father, mother in (alone, jointly)]
        least = min(data.own_quality for data in members)
        for kind in (call.kind, "ALL"):
            for bound in GENOTYPE_QUALITIES:
                if least >= bound:
                    counted = found.errors.setdefault((number, kind, bound), np.zeros(3, dtype=int))
                    counted += [1, *wrong]


def _candidate(call: JointCall, trio: Trio) -> dict[str, object]:
    """The row of a de novo candidate but for the names of the samples, which are numbers still."""
    alleles = call.alleles
    reasons = set(call.sample_filters[trio.child]) | set(call.filters) - {"PASS"}
    # A parent's unsure genotype is in the probability.
    reasons |= {name for i in (trio.father, trio.mother) for name in call.sample_filters[i]} - {"LowQual"}
    if not call.locus.snv and _carry_others(call, trio):
        reasons.add(OTHER_ALLELE)
    row: dict[str, object] = {
        "contig": call.locus.contig,
        "position": call.locus.position + 1,
        "reference": alleles[0],
        "alternate": ",".join(alleles[1:]),
        "type": call.kind,
        "child": trio.child,
        "father": trio.father,
        "mother": trio.mother,
        "probability": call.de_novo[trio.child],
        "filter": ";".join(sorted(reasons)) or "PASS",
    }
    for role, sample in zip(("child", "father", "mother"), trio.members, strict=True):
        row[f"{role}_gt"] = call.genotype_text(sample)
        row[f"{role}_gq"] = call.qualities[sample]
        row[f"{role}_ad"] = ",".join(map(str, call.depths(sample)))
        row[f"{role}_dp"] = call.locus.samples[sample].depth
        row[f"{role}_pl"] = ",".join(map(str, call.likelihoods(sample)))
    return row


def _carry_others(call: JointCall, trio: Trio) -> bool:
    """Whether a parent carries another alternate than the child's new one: not the same, which a parent may have been given jointly."""

    def alternates(members: Sequence[int], places: Sequence[int | None]) -> set[int]:
        return {allele for i in members for allele in genotypes_of(len(call.locus.alleles))[places[i] or 0]} - {0}

    parents = (trio.father, trio.mother)
    of_child, of_parents = alternates([trio.child], call.best), alternates(parents, call.best)
    new = of_child - of_parents or of_child - alternates(parents, [data.own for data in call.locus.samples])
    return bool(of_parents - new)


def mendelian_rows(trios: Sequence[Trio], names: Sequence[str], found: Found) -> list[dict[str, object]]:
    """Rows of MENDELIAN; puts the samples' names into the de novo candidates."""
    for row in found.de_novo:
        row |= {role: names[int(str(row[role]))] for role in ("child", "father", "mother")}
    rows: list[dict[str, object]] = []
    for number, trio in enumerate(trios):
        for bound in GENOTYPE_QUALITIES:
            for kind in ("SNP", "INDEL", "ALL"):
                sites, alone, jointly = found.errors.get((number, kind, bound), np.zeros(3, dtype=int)).tolist()
                rows.append(
                    {
                        **dict(zip(("child", "father", "mother"), (names[i] for i in trio.members), strict=True)),
                        "type": kind,
                        "min_gq": bound,
                        "sites": sites,
                        "errors_alone": alone,
                        "rate_alone": alone / sites if sites else None,
                        "errors": jointly,
                        "rate": jointly / sites if sites else None,
                    }
                )
    return rows


def figures(
    found: Found, trios: Sequence[Trio], names: Sequence[str], rates: Sequence[dict[str, object]]
) -> dict[str, Any]:
    """What the report shows of the whole."""
    told = []
    for trio in trios:
        child = names[trio.child]
        likely = [
            row for row in found.de_novo
            if row["child"] == child and float(str(row["probability"])) >= LIKELY and row["filter"] == "PASS"
        ]  # fmt: skip
        of_all = [row for row in rates if row["child"] == child and row["type"] == "ALL"]
        told.append(
            {
                "child": child,
                "father": names[trio.father],
                "mother": names[trio.mother],
                "de_novo": {kind: sum(row["type"] == kind for row in likely) for kind in ("SNP", "INDEL")},
                "listed": sum(row["child"] == child for row in found.de_novo),
                "rate_alone": {str(row["min_gq"]): row["rate_alone"] for row in of_all},
            }
        )
    return {
        "records": {kind: found.records[kind] for kind in ("SNP", "INDEL")},
        "filters": dict(sorted(found.filters.items())),
        "changed": dict(sorted(found.changed.items())),
        "trios": told,
    }


def notes_of(
    files: Sequence[GvcfFile], persons: Sequence[Person], trios: Sequence[Trio], rates: Sequence[dict[str, object]]
) -> list[Note]:
    """What people should know of the samples and of their relations."""
    names = [file.sample for file in files]
    models = sorted({file.model_version for file in files})
    notes = []
    if len(models) > 1:
        notes.append(Note("warning", f"the gVCFs come from different models ({', '.join(models)}): call all with one"))
    known = {person.name for person in persons}
    without = sorted({name for p in persons for name in (p.name, p.father, p.mother) if name and name not in names})
    if without:
        notes.append(Note("warning", f"pedigree: no gVCF of {', '.join(without)}: taken as relatives without data"))
    if persons and (alone := [name for name in names if name not in known]):
        notes.append(Note("info", f"pedigree: does not name {', '.join(alone)}: taken as unrelated"))
    if persons and not trios:
        notes.append(
            Note("warning", "pedigree: no child has gVCFs of both parents, so no Mendelian errors were counted")
        )
    for row in rates:
        rate = row["rate_alone"]
        if (
            row["type"] == "ALL"
            and row["min_gq"] == GENOTYPE_QUALITIES[-1]
            and isinstance(rate, float)
            and rate > MANY_ERRORS
        ):
            text = f"{row['child']}, {row['father']} and {row['mother']}: {rate:.1%} of the sites contradict inheritance; a trio has less than 1 %: check pedigree and samples"
            notes.append(Note("warning", text, str(row["child"])))
    return notes
