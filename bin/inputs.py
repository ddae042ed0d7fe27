#!/usr/bin/env python3
"""What a run is given: checks it, plans the jobs, makes missing indexes."""

from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from strandwise.step import start

app = Typer(help=__doc__, pretty_exceptions_enable=False)


@app.command()
def check(
    parameters: Annotated[Path, Option(help="Parameters of the run, JSON")],
    files: Annotated[Path, Option(help="The files that parameters and sheet name, JSON")],
    folder: Annotated[Path, Option(help="Folder in which the files lie")],
    schema: Annotated[Path, Option(help="Schema of the sheet, JSON")],
    plan: Annotated[Path, Option(help="Plan to write, JSON: jobs, samples, tables")],
    problems: Annotated[Path, Option(help="List of problems to write, JSON; empty where all is well")],
    notes: Annotated[Path, Option(help="Notes for the report to write, JSON")],
    sheet: Annotated[Path | None, Option(help="Samplesheet: CSV, TSV, YAML or JSON")] = None,
) -> None:
    """Check sheet, tables and headers, and plan the jobs that they allow."""
    from strandwise.inputs.check import write_checked

    write_checked(parameters, files, folder, schema, sheet, plan, problems, notes)


@app.command()
def index(
    file: Annotated[Path, Option(help="BAM, CRAM or FASTA", exists=True)],
) -> None:
    """Make the index of a file beside it."""
    from strandwise.inputs.index import make_index

    make_index(file)


if __name__ == "__main__":
    start(app)
