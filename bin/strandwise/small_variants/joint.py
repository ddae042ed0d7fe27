"""Joint genotyping of a cohort or of families from gVCFs: one VCF, Mendelian errors, de novo candidates."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.intervals import Interval, contig_lengths, merged, read_bed
from strandwise.formats.notes import Note
from strandwise.formats.pedigree import read_pedigree
from strandwise.formats.tables import write_rows
from strandwise.formats.vcf import AMBIGUOUS, index_and_count, written_with_index
from strandwise.progress import progress
from strandwise.small_variants.joint_calls import JointCall, header, joint_call
from strandwise.small_variants.joint_genotypes import Family, JointModel
from strandwise.small_variants.joint_haplotypes import Models, by_haplotypes, whole_clusters
from strandwise.small_variants.joint_merge import WINDOW, Cohort, Locus, read_headers, shown_reference
from strandwise.small_variants.joint_trios import Found, Trio, count, figures, mendelian_rows, notes_of, relations
from strandwise.small_variants.tables import DE_NOVO, MENDELIAN

if TYPE_CHECKING:
    import pysam


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
    contigs = contig_lengths(reference)
    models = sorted({file.model_version for file in files})
    found = Found()
    import pysam

    with (
        pysam.FastaFile(str(reference)) as fasta,
        Cohort(files, _by_sample(phased, names)) as cohort,
        written_with_index(output) as temporary,
    ):
        intervals = merged(read_bed(bed, contigs), contigs) if bed else [Interval(c, 0, n) for c, n in contigs.items()]
        intervals = [interval for interval in intervals if cohort.holds(interval.contig)]
        with pysam.BGZFile(str(temporary), "w", None) as handle:
            handle.write(header(contigs, names, models).encode())
            for line in joint_lines(cohort, intervals, families, trios, found, fasta):
                handle.write(line.encode())
        index_and_count(temporary, found.records.total())
    version = " + ".join(models)
    rates = mendelian_rows(trios, names, found)
    write_rows(MENDELIAN, rates, version, mendelian)
    write_rows(DE_NOVO, sorted(found.de_novo, key=lambda row: -float(str(row["probability"]))), version, de_novo)
    told = {"samples": names, "model_version": version, **figures(found, trios, names, rates)}
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


def joint_lines(
    cohort: Cohort,
    intervals: Sequence[Interval],
    families: list[Family],
    trios: list[Trio],
    found: Found,
    fasta: "pysam.FastaFile",
) -> Iterator[str]:
    """Lines of the VCF, in order; what is counted goes to `found`."""
    windows = (loci for interval in intervals for loci in cohort.loci(interval))
    total = sum((interval.end - 1) // WINDOW - interval.start // WINDOW + 1 for interval in intervals)
    known: dict[tuple[Any, ...], JointModel] = {}

    def models(alleles: int, snv: bool, ploidy: Sequence[int], contig: str) -> JointModel:
        by = transmitted_by(contig, ploidy)
        key = (alleles, snv, *ploidy, by)
        if key not in known:
            known[key] = JointModel(alleles, snv, ploidy, families, by)
        return known[key]

    def bases(contig: str, start: int, end: int) -> str:
        return fasta.fetch(contig, start, end).upper().translate(AMBIGUOUS)

    for loci in whole_clusters(progress(windows, total, "joint genotyping, windows"), bases):
        for call in by_haplotypes(by_records(loci, models), bases, models):
            if call.carried:
                count(call, trios, found)
                yield call.line() + "\n"


def by_records(loci: Sequence[Locus], models: Models) -> list[JointCall]:
    """Calls of the loci, each judged by itself."""
    calls: dict[int, JointCall] = {}
    shapes = [
        (len(locus.alleles), locus.snv, tuple(data.ploidy for data in locus.samples), locus.contig) for locus in loci
    ]
    for shape, members in groupby(sorted(range(len(loci)), key=lambda i: (shapes[i], i)), key=lambda i: shapes[i]):
        indexes = list(members)
        model = models(*shape)
        samples = [loci[i].samples for i in indexes]
        by_reads, showing = (
            np.array([[data.by_reads for data in row] for row in samples]),
            np.array([[data.showing for data in row] for row in samples]),
        )
        for phreds in (by_reads, showing):
            phreds[:, :, 0] = [[data.errors for data in row] for row in samples]
        artefacts = np.array([[data.artefact for data in row] for row in samples])
        posteriors = model.posteriors(
            10 ** (-by_reads / 10),
            10 ** (-artefacts / 10),
            *shown_reference(by_reads, showing),
            np.array([[data.clean for data in row] for row in samples]),
        )
        for row, index in enumerate(indexes):
            calls[index] = joint_call(loci[index], posteriors, row, model)
    return [calls[index] for index in range(len(loci))]


def transmitted_by(contig: str, ploidies: Iterable[int]) -> str:
    """Whence a child with one copy has it: X and mitochondria from the mother, Y from the father."""
    if 1 not in set(ploidies):
        return "both"
    return "father" if contig.removeprefix("chr") == "Y" else "mother"
