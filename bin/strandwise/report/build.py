"""Builds the report: stages the jobs' files, writes our sections beside them, runs MultiQC once, writes the plain texts."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import yaml

from strandwise import __version__
from strandwise.formats.files import written
from strandwise.report import (
    drivers,
    drug_response,
    evaluation,
    explain,
    html,
    joint,
    overview,
    phasing,
    small_variants,
    training,
)
from strandwise.report.light import lighter, without_prompt
from strandwise.report.parts import Parts, Version, read_parts
from strandwise.report.readme import closing_lines, results_readme
from strandwise.report.section import Chapter

CHAPTERS = (small_variants, phasing, explain, joint, evaluation, drivers, drug_response, training)
ASSETS = Path(__file__).parent


def build(folder: Path, parameters: Path, versions: Path, config: Path, output: Path) -> None:
    """Write the report to `output`, README.txt and summary.txt (for the end of the run) beside it.

    folder: the jobs' files side by side; parameters: JSON, name → value; versions: process<TAB>tool<TAB>version lines;
    config: MultiQC's settings. Raises InputError on files that are not what they should be, RuntimeError when MultiQC fails.
    """
    parts = read_parts(folder, parameters, versions)
    chapters = [chapter for job in CHAPTERS if (chapter := job.chapter(parts))]
    entries = overview.attention(parts)
    with tempfile.TemporaryDirectory(dir=output.resolve().parent) as scratch:  # the one place known to be writable
        stage = Path(scratch) / "parts"
        stage.mkdir()
        _stage_tool_files(parts, stage)
        _write_sections(parts, chapters, entries, stage)
        _write_versions(parts.versions, stage)
        report = _run_multiqc(stage, config, Path(scratch))
        with written(output) as temporary:
            temporary.write_text(without_prompt(report.read_text()))
    with written(output.with_name("README.txt")) as temporary:
        temporary.write_text(results_readme(chapters, parts))
    with written(output.with_name("summary.txt")) as temporary:
        temporary.write_text(closing_lines(chapters, entries))


def _stage_tool_files(parts: Parts, stage: Path) -> None:
    """Copy what MultiQC's own modules read, made harmless (names are shown as HTML there) and light."""
    for kind in ("samtools_stats", "bcftools_stats", "coverage"):
        files = parts.files(f"*.{kind}.txt")
        for path in files:
            content = path.read_text()
            if kind == "bcftools_stats":
                content = re.sub(r"(?m)^ID\t0\t.*", f"ID\t0\t{path.name.removesuffix(f'.{kind}.txt')}", content)
            harmless = content.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
            light = lighter(kind, harmless, len(files))
            # A plot of coverage by contig wants more than one contig.
            if kind != "coverage" or light.count("\n") > 2:
                (stage / path.name).write_text(light)


def _write_sections(
    parts: Parts, chapters: Sequence[Chapter], entries: Sequence[overview.Attention], stage: Path
) -> None:
    sections = [
        overview.glance_section(parts, chapters, entries),
        overview.attention_section(entries),
        *(section for chapter in chapters for section in chapter.sections),
        overview.methods_section(chapters, __version__),
        overview.parameters_section(parts.parameters),
    ]
    for section in sections:
        if section:
            path = stage / f"{section['id']}_mqc.json"
            path.write_text(json.dumps(section, allow_nan=False))


def _write_versions(versions: Sequence[Version], stage: Path) -> None:
    tools: dict[str, dict[str, list[str]]] = {
        "BUILD_REPORT": {"multiqc": [version("multiqc")], "strandwise": [__version__]}
    }
    for entry in versions:
        tools.setdefault(html.text(entry.process), {}).setdefault(html.text(entry.tool), []).append(
            html.text(entry.version)
        )
    (stage / "strandwise_mqc_versions.yml").write_text(yaml.safe_dump(tools))


def _run_multiqc(stage: Path, config: Path, scratch: Path) -> Path:
    """Run MultiQC away from the user's own settings and without network; returns the report's path."""
    report = scratch / "report" / "multiqc_report.html"
    command = [sys.executable, "-m", "multiqc", str(stage), "--config", str(config.resolve()), "--force", "--no-ansi"]
    command += [
        "--outdir",
        str(report.parent),
        "--filename",
        report.name,
        "--custom-css-file",
        str(ASSETS / "report.css"),
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MULTIQC_")}
    environment = inherited | {"HOME": str(scratch), "MPLCONFIGDIR": str(scratch), "TMPDIR": str(scratch)}
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True)
    if done.returncode or not report.is_file():
        raise RuntimeError(f"MultiQC failed (exit status {done.returncode}):\n{done.stdout}\n{done.stderr}")
    for module in re.findall(r"The '(\w+)' MultiQC module broke", done.stdout + done.stderr):
        print(f"warning: MultiQC could not read the files of {module}; the report has no such chapter", file=sys.stderr)
    return report
