#!/usr/bin/env python3
"""Germline small variants: cut into shards, call, join, summarise, evaluate, train."""

from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from strandwise.step import start

app = Typer(help=__doc__, pretty_exceptions_enable=False)

Alignments = Annotated[
    list[Path], Option(help="Sorted, indexed BAM or CRAM; repeat for more of the same sample", exists=True)
]
Reference = Annotated[Path, Option(help="FASTA with .fai (and .gzi) beside it", exists=True)]
Cost = Annotated[Path | None, Option(help="Cost of this task to write, JSON")]
Par = Annotated[
    Path | None,
    Option(help="BED of the pseudo-autosomal regions; default: known by the lengths of X and Y", exists=True),
]
Model = Annotated[Path, Option(help="Model folder with its card", exists=True)]


@app.command()
def shards(
    alignment: Alignments,
    reference: Reference,
    output: Annotated[Path, Option(help="Folder for 0001.bed, 0002.bed, …")],
    notes: Annotated[Path, Option(help="Notes for the report to write, JSON")],
    intervals: Annotated[Path | None, Option(help="BED of what to call; default: all contigs", exists=True)] = None,
    interval_padding: Annotated[int, Option(min=0, help="Bases to add on both sides of each interval")] = 0,
    sample: Annotated[str | None, Option(help="Name of the sample in the sheet")] = None,
    sex: Annotated[str, Option(help="XX, XY or NA, as in the sheet")] = "NA",
    par: Par = None,
    sex_check: Annotated[Path | None, Option(help="What the depth of X and Y says of the sex, to write, JSON")] = None,
    cost: Cost = None,
) -> None:
    """Check the alignments of one sample and cut what is to be called into shards of equal work."""
    from strandwise.formats.notes import write_notes
    from strandwise.small_variants.cost import metered
    from strandwise.small_variants.sex import check_sex
    from strandwise.small_variants.shards import copies_notes, make_shards

    with metered(cost, "shards"):
        found = make_shards(alignment, reference, output, intervals, interval_padding, sample)
        found += copies_notes(reference, sex, par, sample)
        if sex_check:
            found += check_sex(alignment, reference, intervals, interval_padding, sex, sample, sex_check, par)
        write_notes(found, notes)


@app.command()
def call(
    alignment: Alignments,
    reference: Reference,
    model: Model,
    shard: Annotated[Path, Option(help="BED of the shard", exists=True)],
    sample: Annotated[str, Option(help="Name for the sample column")],
    output: Annotated[Path, Option(help="VCF to write, .vcf.gz")],
    gvcf: Annotated[Path, Option(help="gVCF to write, .g.vcf.gz")],
    notes: Annotated[Path, Option(help="Notes for the report to write, JSON")],
    sex: Annotated[str, Option(help="XX, XY or NA: decides how many copies of X and Y there are")] = "NA",
    allow_model_mismatch: Annotated[bool, Option(help="Warn where the reads do not fit the model")] = False,
    alleles: Annotated[
        Path | None, Option(help="VCF by `alleles`: genotype these whatever the reads show", exists=True)
    ] = None,
    alleles_prior: Annotated[
        float, Option(min=0.001, max=0.999, help="Chance that a person carries one of these")
    ] = 0.1,
    par: Par = None,
    gvcf_bands: Annotated[str, Option(help="Lower edges of the gVCF's bands of GQ")] = "10,20,30,40,50",
    threads: Annotated[int, Option(min=1)] = 1,
    cost: Cost = None,
) -> None:
    """Call SNVs and indels of one sample in one shard."""
    from strandwise.formats.notes import write_notes
    from strandwise.formats.vcf import quality_bands
    from strandwise.small_variants.cost import metered
    from strandwise.small_variants.shards import call_to_files

    with metered(cost, "call") as started:
        found = call_to_files(
            alignment,
            reference,
            model,
            shard,
            sample,
            sex,
            allow_model_mismatch,
            threads,
            output,
            gvcf,
            started,
            alleles,
            par,
            quality_bands(gvcf_bands),
            alleles_prior,
        )
        write_notes(found, notes)


@app.command()
def gather(
    calls: Annotated[list[Path], Option(help="VCF of a shard; repeat", exists=True)],
    gvcfs: Annotated[list[Path], Option(help="gVCF of a shard; repeat", exists=True)],
    output: Annotated[Path, Option(help="VCF to write, .vcf.gz")],
    gvcf: Annotated[Path, Option(help="gVCF to write, .g.vcf.gz")],
    cost: Cost = None,
) -> None:
    """Join the shards of one sample, check order and counts, index."""
    from strandwise.small_variants.cost import metered
    from strandwise.small_variants.gather import gather as gather_shards

    with metered(cost, "gather"):
        gather_shards(calls, gvcfs, output, gvcf)


@app.command()
def alleles(
    alleles: Annotated[Path, Option(help="VCF of alleles to genotype, plain or compressed", exists=True)],
    reference: Reference,
    output: Annotated[Path, Option(help="VCF for `call --alleles` to write, .vcf.gz")],
) -> None:
    """Check given alleles, split and left-align them."""
    from strandwise.formats.alleles import prepare_alleles

    prepare_alleles(alleles, reference, output)


@app.command()
def phase(
    calls: Annotated[Path, Option(help="VCF of the sample", exists=True)],
    alignment: Alignments,
    reference: Reference,
    output: Annotated[Path, Option(help="VCF to write, .vcf.gz")],
    summary: Annotated[Path, Option(help="Figures for the report to write, JSON")],
    threads: Annotated[int, Option(min=1, help="Contigs to phase at the same time")] = 1,
    cost: Cost = None,
) -> None:
    """Phase the heterozygous calls of one sample by its reads."""
    from strandwise.small_variants.cost import metered
    from strandwise.small_variants.phasing import phase as phase_calls
    from strandwise.small_variants.phasing import write_summary

    with metered(cost, "phase"):
        write_summary(phase_calls(calls, alignment, reference, output, threads), summary)


@app.command()
def joint(
    gvcf: Annotated[list[Path], Option(help="gVCF of a sample, of this or of an earlier run; repeat", exists=True)],
    reference: Reference,
    output: Annotated[Path, Option(help="VCF of all samples to write, .vcf.gz")],
    mendelian: Annotated[Path, Option(help="Table of Mendelian errors per trio to write, TSV")],
    de_novo: Annotated[Path, Option(help="Table of de novo candidates to write, TSV")],
    summary: Annotated[Path, Option(help="Figures for the report to write, JSON")],
    notes: Annotated[Path, Option(help="Notes for the report to write, JSON")],
    pedigree: Annotated[Path | None, Option(help="Who is whose child: PED, six columns", exists=True)] = None,
    intervals: Annotated[Path | None, Option(help="BED of where to genotype; default: everywhere", exists=True)] = None,
    phased: Annotated[list[Path] | None, Option(help="VCF of a sample by `phase`; repeat", exists=True)] = None,
) -> None:
    """Genotype samples together, families by inheritance, from their gVCFs."""
    from strandwise.formats.notes import write_notes
    from strandwise.small_variants.joint import joint as genotype_jointly

    found = genotype_jointly(gvcf, reference, output, mendelian, de_novo, summary, pedigree, intervals, phased or [])
    write_notes(found, notes)


@app.command()
def summarise(
    calls: Annotated[Path, Option(help="VCF of the sample", exists=True)],
    gvcf: Annotated[Path, Option(help="gVCF of the sample", exists=True)],
    alignment: Alignments,
    reference: Reference,
    sample: Annotated[str, Option(help="Name for files and report")],
    output_folder: Annotated[Path, Option(help="Where to write", exists=True)] = Path(),
    cost: Cost = None,
) -> None:
    """Count what was called and how the reads cover it, for the report."""
    from strandwise.small_variants.cost import metered
    from strandwise.small_variants.summary import summarise as summarise_sample

    with metered(cost, "summarise") as started:
        summarise_sample(calls, gvcf, alignment, reference, sample, output_folder, started)


@app.command()
def explain(
    alignment: Alignments,
    reference: Reference,
    model: Model,
    calls: Annotated[Path, Option(help="VCF of the sample", exists=True)],
    sample: Annotated[str, Option(help="Name of the sample")],
    output_folder: Annotated[Path, Option(help="Folder for sites.tsv, pictures and attributions")],
    notes: Annotated[Path, Option(help="Notes for the report to write, JSON")],
    table: Annotated[Path | None, Option(help="sites.tsv once more, for the report")] = None,
    choose: Annotated[str, Option(help="least_certain, all or coding calls")] = "least_certain",
    number: Annotated[int, Option(min=0, help="How many of the least certain calls")] = 10,
    sites: Annotated[
        Path | None, Option(help="BED, VCF or lines of contig:position to explain instead, called or not", exists=True)
    ] = None,
    coding_regions: Annotated[Path | None, Option(help="BED or GFF, for coding calls", exists=True)] = None,
    intervals: Annotated[Path | None, Option(help="BED of what was called", exists=True)] = None,
    interval_padding: Annotated[int, Option(min=0, help="Bases added on both sides of each interval")] = 0,
    sex: Annotated[str, Option(help="XX, XY or NA, as for calling")] = "NA",
    par: Par = None,
) -> None:
    """Say why calls are what they are, and which step turned down what was not called."""
    from strandwise.formats.notes import write_notes
    from strandwise.small_variants.explain import explain as explain_calls

    found = explain_calls(
        alignment,
        reference,
        model,
        calls,
        sample,
        output_folder,
        choose,
        number,
        sites,
        coding_regions,
        intervals,
        interval_padding,
        sex,
        par,
        table,
    )
    write_notes(found, notes)


@app.command()
def evaluate(
    truth: Annotated[Path, Option(help="VCF of the truth", exists=True)],
    calls: Annotated[Path, Option(help="VCF to score", exists=True)],
    reference: Reference,
    output: Annotated[Path, Option(help="Table to write, TSV")],
    bed: Annotated[Path | None, Option(help="Where the truth is known; default: everywhere", exists=True)] = None,
    alignment: Annotated[Path | None, Option(help="Reads, for strata of depth", exists=True)] = None,
    all_records: Annotated[bool, Option(help="Count calls whatever their FILTER")] = False,
    discordant: Annotated[Path | None, Option(help="List of every wrong allele to write, TSV")] = None,
    reliability: Annotated[Path | None, Option(help="Errors that GQ promises and those seen, to write, TSV")] = None,
) -> None:
    """Score calls against a truth set, overall and by stratum."""
    from strandwise.small_variants.evaluate import evaluate as evaluate_calls

    evaluate_calls(truth, calls, reference, output, bed, alignment, not all_records, discordant, reliability)


@app.command()
def train(
    sets: Annotated[Path, Option(help="Table of training sets, TSV", exists=True)],
    output: Annotated[Path, Option(help="Model folder to write")],
    name: Annotated[str, Option(help="Name of the model")],
    model_version: Annotated[str, Option(help="Version of the model")],
    start_from: Annotated[
        Path | None, Option(help="Model folder to fine-tune; default: from scratch", exists=True)
    ] = None,
    checkpoints: Annotated[
        Path | None, Option(help="Folder in which a killed training goes on; default: training in the model folder")
    ] = None,
    epochs: Annotated[int, Option(min=1, help="Passes over all examples")] = 40,
    batch: Annotated[int, Option(min=1, help="Examples per step")] = 512,
    learning_rate: Annotated[float, Option(min=0, help="At the start; it falls to zero")] = 2e-3,
    seed: Annotated[int, Option()] = 1,
    threads: Annotated[int, Option(min=1)] = 1,
    use_gpu: Annotated[bool, Option(help="Train on a GPU where one is found")] = False,
    notes: Annotated[Path | None, Option(help="Notes for the report to write, JSON")] = None,
) -> None:
    """Train the networks on alignments with known truth, calibrate them, write a model folder."""
    from strandwise.formats.notes import write_notes
    from strandwise.models.card import load_card
    from strandwise.models.device import training_device
    from strandwise.small_variants.training import Recipe
    from strandwise.small_variants.training import train as train_model

    recipe = Recipe(epochs=epochs, batch=batch, learning_rate=learning_rate, seed=seed)
    before = load_card(start_from, "small_variants") if start_from else None
    device = training_device(use_gpu, threads)
    train_model(sets, output, name, model_version, recipe, before, checkpoints)
    if notes:
        write_notes([device], notes)


if __name__ == "__main__":
    start(app)
