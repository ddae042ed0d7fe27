"""Checks what is to be explained: the list of places, the coding regions, and that they fit each other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from strandwise.errors import InputError
from strandwise.formats.places import read_coding_regions, read_places
from strandwise.inputs.files import Files

CHOICES = ("least_certain", "all", "coding")


def check_explain(parameters: dict[str, Any], files: Files, contigs: dict[str, int]) -> list[str]:
    """Problems of --explain and --coding_regions, one line each. contigs: of the reference, empty where it is not known."""
    choice = parameters.get("explain") or CHOICES[0]
    problems = []
    if choice == "coding" and not parameters.get("coding_regions"):
        problems.append("--coding_regions: missing; --explain coding needs a BED, GFF or GTF of the coding regions")
    if parameters.get("coding_regions") and choice != "coding":
        problems.append(f"--coding_regions: given with --explain {choice}; give --explain coding or leave it out")
    for file in files.named("explain"):
        if file.missing:
            problems.append(f"--explain: {file.given}: neither {', '.join(CHOICES)} nor a file{file.hint}")
    problems += _unreadable("explain", files, contigs, read_places)
    return problems + _unreadable("coding_regions", files, contigs, read_coding_regions)


def _unreadable(
    name: str, files: Files, contigs: dict[str, int], read: Callable[[Path, dict[str, int]], object]
) -> list[str]:
    problems: list[str] = []
    for file in files.named(name):
        if file.seen and contigs:
            try:
                read(file.seen, contigs)
            except InputError as error:
                problems += [f"--{name}: {problem}" for problem in error.problems]
    return problems
