#!/usr/bin/env python3
"""The report: one HTML file made of what all jobs of a run left for it."""

from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from strandwise.step import start

app = Typer(help=__doc__, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """The report: one HTML file made of what all jobs of a run left for it."""


@app.command()
def build(
    folder: Annotated[Path, Option(help="Folder with the jobs' summaries, tables, statistics and notes, side by side")],
    parameters: Annotated[Path, Option(help="Parameters of the run, JSON")],
    versions: Annotated[Path, Option(help="Lines of process, tool and version, separated by tabs")],
    config: Annotated[Path, Option(help="MultiQC settings, YAML")],
    output: Annotated[Path, Option(help="HTML file to write; README.txt and summary.txt are written beside it")],
) -> None:
    """Build the MultiQC report and the plain texts that go with it."""
    from strandwise.report.build import build as build_report

    build_report(folder, parameters, versions, config, output)


if __name__ == "__main__":
    start(app)
