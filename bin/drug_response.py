#!/usr/bin/env python3
"""Drug response: score drugs for samples, train the model, evaluate it beside its rivals."""

from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from strandwise.step import start

GENES = Path(__file__).resolve().parent.parent / "assets" / "genes"

app = Typer(help=__doc__, pretty_exceptions_enable=False, no_args_is_help=True)


@app.command()
def score(
    model: Annotated[Path, Option(help="model folder")],
    output: Annotated[Path, Option(help="table of samples and drugs; response_summary.tsv lies beside it")],
    summary: Annotated[Path, Option(help="small numbers for the report, JSON")],
    notes: Annotated[Path, Option(help="what was left out and why, JSON")],
    expression: Annotated[
        list[Path] | None, Option(help="TSV or CSV, genes × samples or swapped; may be given several times")
    ] = None,
    expression_scale: Annotated[
        str | None, Option(help="what its values are: tpm, counts, log2 or zscore (per sample)")
    ] = None,
    maf: Annotated[list[Path] | None, Option(help="MAF, plain or gzip; may be given several times")] = None,
    clinical: Annotated[Path | None, Option(help="TSV with the columns sample and tissue")] = None,
    drugs: Annotated[Path | None, Option(help="drugs to score: .smi, or TSV with the columns drug and smiles")] = None,
    genes: Annotated[Path, Option(help="folder of the shipped gene tables")] = GENES,
) -> None:
    """Predict ln IC50 of each drug in each sample, with interval, percentile and reasons."""
    from strandwise.drug_response.score import score as run

    run(expression or [], expression_scale, maf or [], clinical, drugs, model, genes, output, summary, notes)


@app.command()
def explain(
    sample: Annotated[str, Option(help="sample, as in the input")],
    drug: Annotated[str, Option(help="drug, as in response.tsv")],
    model: Annotated[Path, Option(help="model folder")],
    output: Annotated[Path, Option(help="table of genes and mutations with their share in the score")],
    expression: Annotated[
        list[Path] | None, Option(help="TSV or CSV, genes × samples or swapped; may be given several times")
    ] = None,
    expression_scale: Annotated[str | None, Option(help="what its values are: tpm, counts, log2 or zscore")] = None,
    maf: Annotated[list[Path] | None, Option(help="MAF, plain or gzip; may be given several times")] = None,
    clinical: Annotated[Path | None, Option(help="TSV with the columns sample and tissue")] = None,
    genes: Annotated[Path, Option(help="folder of the shipped gene tables")] = GENES,
) -> None:
    """Say what moved one score: integrated gradients over all genes and mutations. Give the whole cohort, as for score."""
    from strandwise.drug_response.explain import explain as run

    run(expression or [], expression_scale, maf or [], clinical, sample, drug, model, genes, output)


@app.command()
def train(
    data: Annotated[Path, Option(help="training folder: expression, response, lines, drugs, events (docs/models.md)")],
    output: Annotated[Path, Option(help="model folder to write")],
    folds: Annotated[Path | None, Option(help="TSV with the columns line and fold, for intervals and figures")] = None,
    predictions: Annotated[
        Path | None, Option(help="keep the predictions of lines left out here (.npz), for evaluate")
    ] = None,
    members: Annotated[int, Option(help="networks in the ensemble", min=0)] = 4,
    name: Annotated[str, Option(help="name on the model card")] = "drug_response",
    version: Annotated[str, Option(help="version on the model card")] = "1.0",
    checkpoints: Annotated[
        Path | None, Option(help="folder in which a killed training goes on; default: training in the model folder")
    ] = None,
    threads: Annotated[int, Option(min=1)] = 1,
    use_gpu: Annotated[bool, Option(help="train the networks on a GPU where one is found")] = False,
    notes: Annotated[Path | None, Option(help="notes for the report to write, JSON")] = None,
) -> None:
    """Train a model and write its folder with card and figures."""
    from strandwise.drug_response.build import train as run
    from strandwise.drug_response.training import Recipe
    from strandwise.formats.notes import write_notes
    from strandwise.models.device import training_device

    device = training_device(use_gpu, threads)
    run(data, output, Recipe(members=members), name, version, folds, predictions, checkpoints)
    if notes:
        write_notes([device], notes)


@app.command()
def convert(
    responses: Annotated[
        Path, Option(help="GDSC fitted dose response, CSV or TSV (CELL_LINE_NAME, DRUG_NAME, LN_IC50)")
    ],
    expression: Annotated[Path, Option(help="GDSC expression (GENE_SYMBOLS, then DATA.<COSMIC id> or line names)")],
    annotation: Annotated[Path, Option(help="cell lines: line, cosmic_id, tissue (TSV)")],
    compounds: Annotated[Path, Option(help="drugs: drug, smiles, and if known targets, pathway (TSV)")],
    output: Annotated[Path, Option(help="training folder to write")],
    lines: Annotated[
        Path | None, Option(help="file of line names, one a row, to keep (a column `line` of a TSV will do)")
    ] = None,
) -> None:
    """Turn the public GDSC tables into a training folder."""
    from strandwise.drug_response.layout import convert as run

    run(responses, expression, annotation, compounds, output, lines)


@app.command()
def evaluate(
    data: Annotated[Path, Option(help="training folder")],
    folds: Annotated[Path, Option(help="TSV with the columns line and fold")],
    output: Annotated[Path, Option(help="table of figures to write, TSV")],
    predictions: Annotated[
        Path | None, Option(help="what `train --predictions` kept for these folds; else trained anew")
    ] = None,
    members: Annotated[int, Option(help="networks in the ensemble", min=0)] = 4,
    bootstraps: Annotated[int, Option(help="resamples of lines for the intervals", min=10)] = 1000,
    without: Annotated[
        list[str] | None, Option(help="rival not to run, e.g. XGBoost; may be given several times")
    ] = None,
    checkpoints: Annotated[Path | None, Option(help="folder in which a killed evaluation goes on")] = None,
) -> None:
    """Measure the model and its rivals on the same folds of lines."""
    from strandwise.drug_response.evaluate import evaluate as run

    run(data, folds, output, predictions, members, bootstraps, without or [], checkpoints)


if __name__ == "__main__":
    start(app)
