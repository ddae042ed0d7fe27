"""Checks everything that a run is given, so that all problems are told before anything is computed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from strandwise.errors import InputError
from strandwise.formats.files import written
from strandwise.formats.notes import Note, write_notes
from strandwise.formats.samplesheet import Row, check_sheet, read_sheet, row_number
from strandwise.inputs.alignments import check_headers, read_contigs
from strandwise.inputs.calling import check_calling
from strandwise.inputs.cohort import check_tables
from strandwise.inputs.explain import check_explain
from strandwise.inputs.files import Files, read_files
from strandwise.inputs.joint import check_joint
from strandwise.inputs.plan import JOBS, Plan, make_plan, write_plan


def write_checked(
    parameters: Path,
    files: Path,
    folder: Path,
    schema: Path,
    sheet: Path | None,
    plan: Path,
    problems: Path,
    notes: Path,
) -> None:
    """Check, and write plan (where there are no problems), problems and notes."""
    made, found, told = check(json.loads(parameters.read_text()), sheet, schema, read_files(files, folder))
    write_notes(told, notes)
    write_plan(made or Plan(), plan)
    with written(problems) as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n")


def check(
    parameters: dict[str, Any], sheet: Path | None, schema: Path, files: Files
) -> tuple[Plan | None, list[str], list[Note]]:
    """Check parameters against each other, the sheet, and what its files hold.

    Returns the plan (None where there are problems), all problems, one line each, and notes for the report.
    """
    rows, problems, notes = _read_sheet(sheet, schema) if sheet else ([], [], [])
    problems += _file_problems(rows, files, sheet)
    jobs, conflicts = plan_jobs(parameters, rows, files)
    problems += conflicts
    contigs, found = read_contigs(files)
    problems += found
    if "small_variants" in jobs:
        found, more = check_headers(rows, sheet.name if sheet else "", files, contigs)
        problems += found
        notes += more
        problems += check_explain(parameters, files, contigs)
    found, more = check_calling(parameters, files, contigs, jobs)
    problems += found
    notes += more
    problems += check_joint(parameters, rows, sheet.name if sheet else "", files)
    problems += check_tables(rows, sheet.name if sheet else "", files)
    problems = sorted(dict.fromkeys(problems), key=row_number)
    return (None if problems else make_plan(jobs, rows, files)), problems, notes


def _read_sheet(sheet: Path, schema: Path) -> tuple[list[Row], list[str], list[Note]]:
    try:
        read = read_sheet(sheet)
    except InputError as error:
        return [], error.problems, []
    problems, unused = check_sheet(read, sheet.name, json.loads(schema.read_text()))
    notes = []
    if unused:
        notes.append(Note("warning", f"{sheet.name}: columns of sarek that are not used here: {', '.join(unused)}."))
    return read.rows, problems, notes


def _file_problems(rows: list[Row], files: Files, sheet: Path | None) -> Iterator[str]:
    for row in rows:
        for column in ("bam", "bai", "cram", "crai", "gvcf", "maf", "expression"):
            if column not in row.values:
                continue
            file = files.of_sheet(row.values[column])
            where = f"{sheet.name if sheet else ''}: {row.place}, {column}: {file.given}"
            if file.missing:
                yield f"{where}: no such file{file.hint}"
            elif re.search(r"[$\x00-\x1f\x7f]", file.path):
                yield f"{where}: the path holds a dollar sign or a control character, which cannot be passed on to tasks; rename it"


def plan_jobs(parameters: dict[str, Any], rows: list[Row], files: Files) -> tuple[list[str], list[str]]:
    """Choose the jobs that --tools asks for, or all that the input allows. Returns them and what is missing for them."""
    aligned = any("bam" in row.values or "cram" in row.values for row in rows)
    called = aligned or (bool(parameters.get("joint")) and any("gvcf" in row.values for row in rows))
    mutations = bool(files.named("cohort_maf")) or any("maf" in row.values for row in rows)
    expression = bool(files.named("cohort_expression")) or any("expression" in row.values for row in rows)
    needs = {
        "small_variants": (called, "--input with a column bam or cram"),
        "drivers": (mutations, "--cohort_maf, or --input with a column maf"),
        "drug_response": (
            expression or mutations,
            "--cohort_expression or --cohort_maf, or --input with a column expression or maf",
        ),
    }
    asked = [job for job in JOBS if job in parameters["tools"].split(",")] if parameters.get("tools") else None
    jobs = [job for job in JOBS if needs[job][0]] if asked is None else asked
    problems = [f"--tools: {job} needs {needs[job][1]}" for job in jobs if not needs[job][0]]
    if not jobs and not rows and not parameters.get("input"):
        problems.append(
            "--input, --cohort_maf, --cohort_expression: nothing is given; give at least one of them (--help lists all)"
        )
    if "small_variants" in jobs and called and not parameters.get("fasta"):
        problems.append("--fasta: missing; calling needs the reference genome that the reads were aligned to")
    if "drug_response" in jobs and expression and not parameters.get("expression_scale"):
        problems.append("--expression_scale: missing; say what the expression values are: tpm, counts, log2 or zscore")
    if parameters.get("interval_padding") and not parameters.get("intervals"):
        problems.append("--interval_padding: given without --intervals; give the BED file or leave the padding out")
    return jobs, problems
