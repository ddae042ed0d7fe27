"""Joint genotyping of a cohort or of families from gVCFs: one VCF, Mendelian errors, de novo candidates."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from strandwise import __version__
from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.intervals import Interval, merged, read_bed
from strandwise.formats.notes import Note
from strandwise.formats.pedigree import Person, read_pedigree
from strandwise.formats.tables import write_table
from strandwise.formats.vcf import FILTERS, index_and_count, written_with_index
from strandwise.progress import progress
from strandwise.small_variants.genotypes import LOW_QUALITY, MOST_QUALITY, phred
from strandwise.small_variants.joint_genotypes import Family, JointModel, Posteriors, genotypes_of, subset
from strandwise.small_variants.joint_merge import WINDOW, Cohort, GvcfFile, Locus, SampleData, read_headers
from strandwise.small_variants.tables import DE_NOVO, MENDELIAN

LISTED = 0.05
"""De novo candidates are listed from this probability on."""

LIKELY = 0.5
"""From this probability on a candidate counts as de novo in the summary."""

OTHER_ALLELE = "OtherAllele"
"""Filter of a de novo candidate where a parent carries another indel at the same place: in repeats the child's may be that one."""

GENOTYPE_QUALITIES = (0, 20)
"""Mendelian errors are counted over all sites and over those where all three have this GQ in their own gVCFs."""

MANY_ERRORS = 0.03
"""A rate of Mendelian errors beyond this, at GQ 20, says that the trio is none or that a sample is another one."""

MOST_SITE_QUALITY = 9999.0


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


def joint(
    gvcfs: Sequence[Path],
    reference: Path,
    output: Path,
    mendelian: Path,
    de_novo: Path,
    summary: Path,
    pedigree: Path | None = None,
    bed: Path | None = None,
    phased: Sequence[Path] = (),
) -> list[Note]:
    """Genotype all samples together; write the VCF, the two tables and the summary. Gives notes for the report.

    phased: VCFs of some of the samples, phased after calling, whose phase stays where the genotype stays.

    Sites at which nobody carries an alternate allele are not written. Memory does not grow with the number of sites.
    Raises InputError for gVCFs, pedigree or BED that cannot be used.
    """
    files = read_headers(gvcfs, reference)
    names = [file.sample for file in files]
    persons = read_pedigree(pedigree) if pedigree else []
    families, trios = relations(persons, names)
    contigs = _contigs(reference)
    models = sorted({file.model_version for file in files})
    found = Found()
    with Cohort(files, _by_sample(phased, names)) as cohort, written_with_index(output) as temporary:
        import pysam

        intervals = merged(read_bed(bed, contigs), contigs) if bed else [Interval(c, 0, n) for c, n in contigs.items()]
        intervals = [interval for interval in intervals if cohort.holds(interval.contig)]
        with pysam.BGZFile(str(temporary), "w", None) as handle:
            handle.write(header(contigs, names, models).encode())
            for line in joint_lines(cohort, intervals, families, trios, found):
                handle.write(line.encode())
        index_and_count(temporary, found.records.total())
    version = " + ".join(models)
    rates = mendelian_rows(trios, names, found)
    _write_rows(MENDELIAN, rates, version, mendelian)
    _write_rows(DE_NOVO, sorted(found.de_novo, key=lambda row: -float(str(row["probability"]))), version, de_novo)
    told = {"samples": names, "model_version": version, **_figures(found, trios, names, rates)}
    with written(summary) as temporary:
        temporary.write_text(json.dumps(told, indent=1) + "\n")
    return notes_of(files, persons, trios, rates)


def _by_sample(paths: Sequence[Path], names: Sequence[str]) -> dict[str, Path]:
    """VCFs of one sample each, by its name. Raises InputError for one whose sample has no gVCF."""
    import pysam

    found, problems = {}, []
    for path in paths:
        with pysam.VariantFile(str(path)) as variants:
            samples = list(variants.header.samples)
        if len(samples) != 1 or samples[0] not in names:
            problems.append(
                f"{path.name}: holds {', '.join(samples) or 'no sample'}; give phased VCFs of the gVCFs' samples"
            )
        found[samples[0] if samples else ""] = path
    if problems:
        raise InputError(*problems)
    return found


def _contigs(reference: Path) -> dict[str, int]:
    import pysam

    with pysam.FastaFile(str(reference)) as fasta:
        return dict(zip(fasta.references, fasta.lengths, strict=True))


def _write_rows(table: Any, rows: list[dict[str, object]], version: str, path: Path) -> None:
    import pandas

    write_table(table, pandas.DataFrame(rows, columns=[column.name for column in table.columns]), version, path)


# ---- relatives ----------------------------------------------------------------------------------------------------


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


def transmitted_by(contig: str, ploidies: Iterable[int]) -> str:
    """Whence a child with one copy has it: X and mitochondria from the mother, Y from the father."""
    if 1 not in set(ploidies):
        return "both"
    return "father" if contig.removeprefix("chr") == "Y" else "mother"


# ---- sites --------------------------------------------------------------------------------------------------------


def joint_lines(
    cohort: Cohort, intervals: Sequence[Interval], families: list[Family], trios: list[Trio], found: Found
) -> Iterator[str]:
    """Lines of the VCF, in order; what is counted goes to `found`."""
    windows = (loci for interval in intervals for loci in cohort.loci(interval))
    total = sum((interval.end - 1) // WINDOW - interval.start // WINDOW + 1 for interval in intervals)
    models: dict[tuple[Any, ...], JointModel] = {}
    for loci in progress(windows, total, "joint genotyping, windows"):
        calls: list[JointCall | None] = [None] * len(loci)
        shapes = [(len(locus.alleles), locus.snv, *(data.ploidy for data in locus.samples)) for locus in loci]
        for shape, members in groupby(sorted(range(len(loci)), key=lambda i: (shapes[i], i)), key=lambda i: shapes[i]):
            indexes = list(members)
            by = transmitted_by(loci[indexes[0]].contig, shape[2:])
            model = models.get((*shape, by))
            if model is None:
                model = models[(*shape, by)] = JointModel(shape[0], shape[1], shape[2:], families, by)
            phreds = np.stack([[data.likelihoods for data in loci[i].samples] for i in indexes])
            phreds[:, :, 0] = [[data.errors for data in loci[i].samples] for i in indexes]
            artefacts = np.array([[data.artefact for data in loci[i].samples] for i in indexes])
            posteriors = model.posteriors(10 ** (-phreds / 10), 10 ** (-artefacts / 10))
            for row, index in enumerate(indexes):
                calls[index] = joint_call(loci[index], posteriors, row, model)
        for call in calls:
            if call is not None:
                count(call, trios, found)
                yield call.line() + "\n"


@dataclass
class JointCall:
    """One site as it is written. kept: alleles of the locus in the record; genotypes, best: as in Posteriors, of all alleles of the
    locus; qualities: GQ per sample; sample_filters: FT per sample, empty where it passes."""

    locus: Locus
    model: JointModel
    best: list[int]
    qualities: list[int]
    quality: float
    de_novo: dict[int, float]
    kept: list[int]
    sample_filters: list[tuple[str, ...]]

    @property
    def kind(self) -> str:
        return "SNP" if self.locus.snv else "INDEL"

    @property
    def alleles(self) -> list[str]:
        """Of the record, without bases that only alleles left out needed."""
        alleles = [self.locus.alleles[allele] for allele in self.kept]
        while min(map(len, alleles)) > 1 and len({allele[-1] for allele in alleles}) == 1:
            alleles = [allele[:-1] for allele in alleles]
        return alleles

    @property
    def filters(self) -> tuple[str, ...]:
        """PASS where a sample that carries an alternate passes, otherwise what they are filtered for."""
        carriers = [i for i, data in enumerate(self.locus.samples) if not data.missing and self.best[i]]
        if any(not self.sample_filters[i] for i in carriers):
            return ("PASS",)
        return tuple(sorted({name for i in carriers for name in self.sample_filters[i]}))

    def genotype(self, sample: int) -> tuple[int, ...]:
        """Allele numbers of the record; one of them with one copy per cell."""
        whole = genotypes_of(len(self.locus.alleles))[self.best[sample]]
        return tuple(sorted(self.kept.index(allele) for allele in whole[: self.locus.samples[sample].ploidy]))

    def genotype_text(self, sample: int) -> str:
        data = self.locus.samples[sample]
        if data.missing:
            return "/".join("." * data.ploidy)
        if data.phase and data.own == self.best[sample]:
            return "|".join(str(self.kept.index(int(text))) for text in data.phase[0].split("|"))
        return "/".join(map(str, self.genotype(sample)))

    def depths(self, sample: int) -> list[int]:
        return [self.locus.samples[sample].depths[allele] for allele in self.kept]

    def likelihoods(self, sample: int) -> list[int]:
        """PL of the record's genotypes."""
        data = self.locus.samples[sample]
        places = subset(tuple(self.kept))
        if data.ploidy == 1:
            places = [places[allele * (allele + 3) // 2] for allele in range(len(self.kept))]
        values = data.likelihoods[places]
        return [round(value) for value in (values - values.min()).tolist()]

    def line(self) -> str:
        locus, alleles = self.locus, self.alleles
        called = [allele for i, data in enumerate(locus.samples) if not data.missing for allele in self.genotype(i)]
        copies = [called.count(allele) for allele in range(1, len(alleles))]
        shares = ",".join(f"{number / len(called):.4g}" for number in copies)
        information = f"AC={','.join(map(str, copies))};AN={len(called)};AF={shares}"
        phased = any(data.phase for data in locus.samples)
        cells = [self._cell(sample, phased) for sample in range(len(locus.samples))]
        quality = f"{min(self.quality, MOST_SITE_QUALITY):.1f}"
        names = "GT:GQ:DP:AD:PL:FT" + (":PS" if phased else "")
        columns = [locus.contig, str(locus.position + 1), ".", alleles[0], ",".join(alleles[1:]), quality]
        return "\t".join([*columns, ";".join(self.filters), information, names, *cells])

    def _cell(self, sample: int, phased: bool) -> str:
        data = self.locus.samples[sample]
        if data.missing:
            return f"{self.genotype_text(sample)}:.:0"
        text = self.genotype_text(sample)
        values = [text, str(self.qualities[sample]), str(data.depth), ",".join(map(str, self.depths(sample)))]
        values += [",".join(map(str, self.likelihoods(sample))), ";".join(self.sample_filters[sample]) or "PASS"]
        if phased:
            values.append(data.phase[1] if data.phase and "|" in text else ".")
        return ":".join(values)


def joint_call(locus: Locus, posteriors: Posteriors, row: int, model: JointModel) -> JointCall | None:
    """The site as it is written; None where nobody carries an alternate allele."""
    order = genotypes_of(len(locus.alleles))
    best = posteriors.best[row].tolist()
    carried = {
        allele for data, place in zip(locus.samples, best, strict=True) if not data.missing for allele in order[place]
    }
    if not carried - {0}:
        return None
    chances = posteriors.genotypes[row, range(len(best)), best].tolist()
    qualities = [min(MOST_QUALITY, int(phred(1 - chance) + 1e-6)) for chance in chances]
    return JointCall(
        locus,
        model,
        best,
        qualities,
        float(posteriors.reference[row]),
        {child: float(chances[row]) for child, chances in posteriors.de_novo.items()},
        sorted({0, *carried}),
        [
            _sample_filters(data, place, quality)
            for data, place, quality in zip(locus.samples, best, qualities, strict=True)
        ],
    )


def _sample_filters(data: SampleData, best: int, quality: int) -> tuple[str, ...]:
    """Why a sample's genotype is not to be trusted: what its own record said, and a low joint GQ."""
    if data.missing or not best:
        return ()
    kept = [name for name in data.filters if name != "LowQual"]
    return tuple(kept + ["LowQual"] * (quality < LOW_QUALITY))


def header(contigs: dict[str, int], samples: Sequence[str], models: Sequence[str]) -> str:
    """Without dates or paths, so that equal input gives equal files."""
    lines = ["##fileformat=VCFv4.3", f"##source=Strandwise {__version__} joint"]
    lines += [f"##strandwise_model={' + '.join(models)}"]
    lines += [f'##FILTER=<ID={name},Description="{meaning}">' for name, meaning in FILTERS.items()]
    lines += [
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Copies of each alternate allele in the genotypes">',
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Copies of all alleles in the genotypes">',
        '##INFO=<ID=AF,Number=A,Type=Float,Description="AC / AN">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Phred probability that the genotype is wrong, given all samples">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads that count; in a reference block its lowest depth">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads that support each allele">',
        '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Genotype likelihoods of this sample alone, without prior, phred, best 0">',
        '##FORMAT=<ID=FT,Number=1,Type=String,Description="Filter of this sample\'s genotype">',
        '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">',
    ]
    lines += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    return "\n".join([*lines, "\t".join(columns)]) + "\n"


# ---- what is counted ----------------------------------------------------------------------------------------------


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
    reasons = {name for i in trio.members for name in call.sample_filters[i]} | set(call.filters) - {"PASS"}
    if not call.locus.snv and (call.best[trio.father] or call.best[trio.mother]):
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


def _figures(
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
