"""Counts what was called in a sample and how reads cover it, with samtools and bcftools where they do."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from strandwise.formats.files import written
from strandwise.formats.notes import Note, write_notes
from strandwise.small_variants.evaluate import model_of

QUALITY_EDGES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
TRANSITIONS = ("AG", "GA", "CT", "TC")
CALLABLE_QUALITY = 20

MIXED_SHARE = 0.01
"""More of the reads than this have the reference's base at homozygous SNVs: reads of two people (benchmarks/RESULTS.md)."""

LEAST_HOMOZYGOUS = 200
"""Fewer homozygous SNVs say nothing of a mixture."""

MOST_AT_ONE = 0.2
"""An SNV with a larger share of the reference's reads is one of an unknown copy of the sequence, not of a second person."""


def summarise(
    calls: Path,
    gvcf: Path,
    alignments: Sequence[Path],
    reference: Path,
    sample: str,
    folder: Path,
    started: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Write SAMPLE.small_variants.json, .bcftools_stats.txt, .samtools_stats.txt, .coverage.txt and, if there are any,
    .summary.notes.json; gives the first.

    samtools stats reads one file, so lanes have one table each: SAMPLE.2.samtools_stats.txt and so on. started: called when
    all is loaded.
    """
    import pysam.bcftools
    import pysam.samtools

    started()

    def tool(run: Any, name: str, *arguments: str) -> None:
        with written(folder / f"{sample}.{name}.txt") as temporary:
            temporary.write_text(run(*arguments))

    tool(pysam.bcftools.stats, "bcftools_stats", "--apply-filters", "PASS", "--samples", "-", str(calls))
    for number, path in enumerate(alignments, 1):
        name = "samtools_stats" if number == 1 else f"{number}.samtools_stats"
        tool(pysam.samtools.stats, name, "--reference", str(reference), str(path))
    lanes = map(str, alignments)
    tool(pysam.samtools.coverage, "coverage", "--reference", str(reference), *lanes)
    found = {"sample": sample, "model_version": model_of(calls), **count_calls(calls), **count_reference(gvcf)}
    with written(folder / f"{sample}.small_variants.json") as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n")
    notes = mixture_notes(found["homozygous_snvs"], sample)
    if notes:
        write_notes(notes, folder / f"{sample}.summary.notes.json")
    return found


def mixture_notes(found: dict[str, Any], sample: str) -> list[Note]:
    """A warning where reads of somebody else lie among the sample's. found: `homozygous_snvs` of count_calls."""
    if found["number"] < LEAST_HOMOZYGOUS or found["reference_share"] <= MIXED_SHARE:
        return []
    text = (
        f"{found['reference_share']:.1%} of the reads at homozygous SNVs have the reference's base (up to 0.4% in a clean sample): reads of "
        "somebody else are probably among them, and genotype qualities promise too much; estimate the contamination before "
        "you rely on these calls"
    )
    return [Note("warning", text, sample)]


def lines_of(path: Path) -> Iterator[list[str]]:
    """Columns of each record of a bgzipped VCF."""
    import pysam

    with pysam.BGZFile(str(path), "r", None) as file:
        for line in file:
            if not line.startswith(b"#"):
                yield line.decode().split("\t")


def kind_of(reference: str, alternates: Sequence[str]) -> str:
    """snp, indel or multiallelic."""
    if len(alternates) > 1:
        return "multiallelic"
    return "snp" if len(reference) == len(alternates[0]) else "indel"


def count_calls(calls: Path) -> dict[str, Any]:
    """Figures of a VCF of ours.

    filters: sites by FILTER; of the sites that pass: records by kind (snp, indel, multiallelic), ti and tv of biallelic SNPs,
    het and hom_alt genotypes, gq: histogram by kind, edges in phred; homozygous_snvs: number of certain ones with 8 reads or
    more, and the share of their reads with the reference's base.
    """
    filters: Counter[str] = Counter()
    kinds: Counter[str] = Counter({"snp": 0, "indel": 0, "multiallelic": 0})
    changes: Counter[str] = Counter()
    genotypes: Counter[bool] = Counter()
    homozygous = [0, 0, 0]  # SNVs, their reads of the reference, all their reads
    quality = {"snp": [0] * (len(QUALITY_EDGES) - 1), "indel": [0] * (len(QUALITY_EDGES) - 1)}
    for _, _, _, reference, alternate, _, filtered, _, names, values in lines_of(calls):
        filters.update(filtered.split(";"))
        if filtered != "PASS":
            continue
        kind = kind_of(reference, alternate.split(","))
        fields = dict(zip(names.split(":"), values.rstrip("\n").split(":"), strict=True))
        alleles = set(fields["GT"].split("/"))
        kinds[kind] += 1
        genotypes[len(alleles) > 1] += 1
        if kind == "snp":
            changes["ti" if reference + alternate in TRANSITIONS else "tv"] += 1
            depths = [int(depth) for depth in fields["AD"].split(",")]
            certain = alleles == {"1"} and int(fields["GQ"]) >= CALLABLE_QUALITY and sum(depths) >= 8
            if certain and depths[0] <= MOST_AT_ONE * sum(depths):
                homozygous = [sum(pair) for pair in zip(homozygous, (1, depths[0], sum(depths)), strict=True)]
        if kind in quality:
            quality[kind][min(int(fields["GQ"]) // 10, len(QUALITY_EDGES) - 2)] += 1
    return {
        "records": dict(kinds),
        "ti": changes["ti"],
        "tv": changes["tv"],
        "het": genotypes[True],
        "hom_alt": genotypes[False],
        "homozygous_snvs": {
            "number": homozygous[0],
            "reference_share": round(homozygous[1] / homozygous[2], 5) if homozygous[2] else 0.0,
        },
        "gq": {"edges": list(QUALITY_EDGES), **quality},
        "filters": dict(sorted(filters.items())),
    }


def count_reference(gvcf: Path) -> dict[str, Any]:
    """From a gVCF: bases called, their mean depth, and the share with a genotype quality of 20 or more."""
    bases = depth = callable_bases = 0
    for columns in lines_of(gvcf):
        fields = dict(zip(columns[8].split(":"), columns[9].rstrip("\n").split(":"), strict=True))
        end = int(columns[7][4:]) if columns[7].startswith("END=") else int(columns[1])
        length = end - int(columns[1]) + 1
        bases += length
        depth += length * int(fields["DP"])
        callable_bases += length * (int(fields["GQ"]) >= CALLABLE_QUALITY)
    return {
        "bases": bases,
        "mean_depth": round(depth / bases, 3) if bases else 0.0,
        "callable_share": round(callable_bases / bases, 5) if bases else 0.0,
    }
