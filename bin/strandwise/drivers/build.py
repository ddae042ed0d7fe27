"""Says which genome build a MAF is on, and checks its reference alleles against a FASTA."""

from pathlib import Path

import numpy as np

from strandwise.drivers.mutations import Cohort
from strandwise.errors import InputError
from strandwise.formats.maf import Maf, plain_chromosomes
from strandwise.formats.notes import Note

# Share of mutations inside their gene's GRCh37 interval that says the build: measured 0.99 on GRCh37, below 0.4 after a lift to GRCh38.
SURE = 0.9
TOO_FEW = 20
NAMED = 5


def inside_share(maf: Maf, cohort: Cohort) -> float | None:
    """Share of mutations that lie in the interval which the gene table gives their gene; None when too few can tell."""
    table = maf.mutations.iloc[cohort.row]
    start, end = (cohort.features[name].to_numpy(float)[cohort.gene] for name in ("start", "end"))
    position = table["start"].to_numpy(float)
    known = ~np.isnan(start) & ~np.isnan(end)
    if known.sum() < TOO_FEW:
        return None
    return float(((position >= start - 5) & (position <= end + 5))[known].mean())


def build_notes(maf: Maf, cohort: Cohort, reference: Path | None) -> tuple[str, list[Note]]:
    """The build (GRCh37, GRCh38 or unknown) and notes on how it is known and on reference alleles that disagree."""
    share = inside_share(maf, cohort)
    notes = []
    if maf.build:
        build = maf.build
        text = f"The MAF declares build {build}."
        if share is not None and build == "GRCh37" and share < 0.5:
            notes.append(
                Note(
                    "warning",
                    f"The MAF declares GRCh37, but only {100 * share:.0f} % of its mutations lie in their genes there; check the build.",
                )
            )
    elif share is None:
        build, text = (
            "unknown",
            "The MAF does not say its build, and too few of its genes have a known position to guess it.",
        )
    elif share >= SURE:
        build, text = (
            "GRCh37",
            f"The MAF does not say its build; {100 * share:.0f} % of mutations lie in their genes on GRCh37, so it is taken for GRCh37.",
        )
    else:
        build = "unknown"
        text = (
            f"The MAF does not say its build; {100 * share:.0f} % of mutations lie in their genes on GRCh37, so it is another one "
            "(GRCh38, or positions that are not the genome's). The ranking does not depend on it."
        )
    notes.append(Note("info", text))
    if reference:
        notes += reference_notes(maf, reference)
    return build, notes


def reference_notes(maf: Maf, reference: Path) -> list[Note]:
    """Compare the reference alleles of single-base changes with a FASTA (its .fai beside it); count and name what disagrees."""
    import pysam

    table = maf.mutations
    allele = table["reference"].astype("str").str.upper()
    table = table[allele.isin(list("ACGT"))]
    try:
        fasta = pysam.FastaFile(str(reference))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{reference}: cannot be read as FASTA with index ({error}); make one with samtools faidx"
        ) from error
    compared = wrong = outside = 0
    named: list[str] = []
    with fasta:
        contigs = {plain: str(name) for name, plain in plain_chromosomes(fasta.references).items()}
        for chromosome, rows in table.groupby("chromosome", observed=True):
            contig = contigs.get(str(chromosome))
            if contig is None:
                outside += len(rows)
                continue
            length = fasta.get_reference_length(contig)
            sequence = np.frombuffer(fasta.fetch(contig).upper().encode(), dtype="S1")
            position = rows["start"].to_numpy()
            fits = position <= length
            fits[fits] = sequence[position[fits] - 1] != b"N"
            outside += int((~fits).sum())
            given = rows["reference"].astype("str").str.upper().to_numpy()[fits].astype("S1")
            differs = sequence[position[fits] - 1] != given
            compared += int(fits.sum())
            wrong += int(differs.sum())
            for row in np.flatnonzero(fits)[differs][: NAMED - len(named)]:
                named.append(f"{chromosome}:{position[row]} {rows['reference'].iloc[row]}")
    notes = []
    if outside:
        notes.append(
            Note(
                "info",
                f"{outside} mutations lie outside the reference given or on its N; their alleles were not compared.",
            )
        )
    if wrong:
        level = "warning" if wrong > 0.01 * compared else "info"
        notes.append(
            Note(
                level,
                f"{wrong} of {compared} reference alleles disagree with {reference.name} ({', '.join(named)}{', …' if wrong > len(named) else ''}); "
                "many of them mean another build.",
            )
        )
    elif compared:
        notes.append(Note("info", f"All {compared} reference alleles compared agree with {reference.name}."))
    return notes
