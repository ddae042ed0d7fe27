"""How a step's script starts and ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from strandwise import __version__

BIN = Path(__file__).parents[1] / "bin"
SCRIPTS = sorted(path.name for path in BIN.glob("*.py"))

STEP = """
from typer import Typer
from strandwise.errors import InputError
from strandwise.step import start

app = Typer(pretty_exceptions_enable=False)

@app.command()
def bad() -> None:
    raise InputError("a.bam: is truncated; copy it again", "b.bam: is empty; copy it again")

@app.command()
def bug() -> None:
    raise KeyError("ours")

@app.command()
def full() -> None:
    with open("/dev/full", "w", buffering=1) as disk:
        print("a line", file=disk)

@app.command()
def wrapped() -> None:
    import shutil
    raise shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")])

@app.command()
def fine() -> None:
    pass

start(app)
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", STEP, *words]
    return subprocess.run(command, env={"PYTHONPATH": str(BIN)}, capture_output=True, text=True, check=False)


def test_bad_input_ends_with_65_and_one_line_each_without_traceback() -> None:
    done = run("bad")
    assert done.returncode == 65
    assert done.stderr == "error: 2 problems\n  a.bam: is truncated; copy it again\n  b.bam: is empty; copy it again\n"


def test_a_bug_keeps_its_traceback_and_ends_with_1() -> None:
    done = run("bug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "KeyError: 'ours'" in done.stderr


@pytest.mark.parametrize("command", ["full", "wrapped"])
def test_a_full_disk_is_one_line_and_worth_another_try(command: str) -> None:
    done = run(command)
    assert done.returncode == 1
    assert done.stderr == (
        "error: no space left on the disk of the work folder; make room or name another disk by -work-dir, then go on with -resume\n"
    )


def test_a_good_end_is_0() -> None:
    assert run("fine").returncode == 0


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_answers_version_and_help_at_once(script: str) -> None:
    """Nextflow asks for the version in every task: no heavy import may stand in the way."""
    command = [sys.executable, str(BIN / script)]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"{__version__}\n"
    helped = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "Usage" in helped.stdout
    heavy = subprocess.run(
        [sys.executable, "-X", "importtime", str(BIN / script), "--help"], capture_output=True, text=True, check=True
    ).stderr
    imported = {line.rsplit("|", 1)[-1].strip() for line in heavy.splitlines() if "|" in line}
    assert not imported & {"tensorflow", "keras", "pandas", "sklearn", "scipy", "rdkit", "xgboost", "multiqc", "pysam"}


def test_scripts_can_be_started_by_name() -> None:
    for script in SCRIPTS:
        path = BIN / script
        assert path.stat().st_mode & 0o111, f"{script} is not executable"
        assert path.read_text().startswith("#!/usr/bin/env python3\n")
