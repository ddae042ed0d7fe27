#!/usr/bin/env python3
"""Driver genes: rank a cohort's genes, train the ranking, evaluate it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from strandwise.step import start

GENES = Path(__file__).resolve().parent.parent / "assets" / "genes"


class Prior(StrEnum):
    """What may be known beside the cohort."""

    none = "none"
    pancancer = "pancancer"


app = Typer(help=__doc__, pretty_exceptions_enable=False, no_args_is_help=True)


@app.command()
def rank(
    maf: Annotated[list[Path], Option(help="MAF, plain or gzip; may be given several times")],
    model: Annotated[Path, Option(help="model folder")],
    output: Annotated[Path, Option(help="table of genes; the job's other tables lie beside it")],
    summary: Annotated[Path, Option(help="small numbers for the report, JSON")],
    notes: Annotated[Path, Option(help="what was left out and why, JSON")],
    genes: Annotated[Path, Option(help="folder of the shipped gene tables")] = GENES,
    gene_features: Annotated[
        Path | None, Option(help="table of gene lengths and covariates in place of the shipped one")
    ] = None,
    reference: Annotated[
        Path | None, Option(help="indexed FASTA to check reference alleles against, and for base contexts")
    ] = None,
    prior: Annotated[
        Prior, Option(help="pancancer: a second rank that knows the model's training cohorts")
    ] = Prior.none,
) -> None:
    """Rank the genes of a cohort by evidence of positive selection."""
    from strandwise.drivers.rank import rank as run

    run(maf, model, genes, gene_features, reference, prior == Prior.pancancer, output, summary, notes)


@app.command()
def train(
    cohorts: Annotated[Path, Option(help="folder of CODE.maf.tsv.gz files, or TSV with the columns cohort and maf")],
    labels: Annotated[Path, Option(help="TSV of driver genes with the columns tcga_code (or cohort) and gene")],
    output: Annotated[Path, Option(help="model folder to write")],
    without: Annotated[list[str] | None, Option(help="cohort to leave out; may be given several times")] = None,
    genes: Annotated[Path, Option(help="folder of gene tables")] = GENES,
    name: Annotated[str, Option(help="name on the model card")] = "drivers",
    version: Annotated[str, Option(help="version on the model card")] = "1.0",
) -> None:
    """Train the learned combination on cohorts with known driver genes."""
    from strandwise.drivers.train import train as run

    run(cohorts, labels, genes, output, without or [], name, version)


@app.command()
def evaluate(
    cohorts: Annotated[Path, Option(help="folder of CODE.maf.tsv.gz files, or TSV with the columns cohort and maf")],
    labels: Annotated[Path, Option(help="TSV of driver genes with the columns tcga_code (or cohort) and gene")],
    any_labels: Annotated[Path, Option(help="TSV of driver genes of any type with the columns gene and in_non_tcga")],
    output: Annotated[Path, Option(help="table of metrics per cohort")],
    groups: Annotated[int, Option(help="leave the cohorts out in so many groups")] = 4,
    genes: Annotated[Path, Option(help="folder of gene tables")] = GENES,
) -> None:
    """Measure the training recipe with the tested gene and the tested cohort both held out."""
    from strandwise.drivers.evaluate import evaluate as run

    run(cohorts, labels, any_labels, genes, output, groups)


if __name__ == "__main__":
    start(app)
