"""Runs the pipeline as people do: in a folder of its own, from a copy of the project that a test may edit."""

import csv
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE = 1200  # seconds that a run may take on a busy machine


@dataclass
class Run:
    """status: exit status; output: stdout and stderr; tasks: name → status of the last attempt, from the trace."""

    status: int
    output: str
    tasks: dict[str, str] = field(default_factory=dict)

    def with_status(self, status: str) -> set[str]:
        """Processes (without the names of the workflows around them) of tasks that ended so."""
        return {name.split(" (")[0].split(":")[-1] for name, value in self.tasks.items() if value == status}


def copy_project(target: Path) -> Path:
    """Copy what a clone would hold, changes of the working tree included; .venv is linked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "benchmarks/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / ".venv").symlink_to(ROOT / ".venv")
    return target


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("NXF_SYNTAX", "PYTHON"))}
    return inherited | {"NXF_OFFLINE": "true", "NXF_ANSI_LOG": "false"} | more


def offline() -> list[str]:
    """The words that take the network away from a command, where this machine lets us."""
    words = ["unshare", "--user", "--map-root-user", "--net"]
    done = subprocess.run([*words, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    return words if done and done.returncode == 0 else []


def command(project: Path, *words: str) -> list[str]:
    return [str(ROOT / ".venv/bin/nextflow"), "run", str(project), *words]


def run(project: Path, folder: Path, *words: str, results: Path | None = None, **settings: str) -> Run:
    """Run the pipeline in `folder`. results: where its trace is; settings: environment variables."""
    done = subprocess.run(
        [*offline(), *command(project, *words)],
        cwd=folder,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return Run(done.returncode, done.stdout, read_tasks(results) if results else {})


def run_and_kill(project: Path, folder: Path, when: str, *words: str, **settings: str) -> None:
    """Run the pipeline and kill it, tasks and all, as soon as its log says that the task `when` was submitted."""
    process = subprocess.Popen(
        command(project, *words), cwd=folder, env=environment(**settings), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    began = time.monotonic()
    seen = ""
    while when not in seen:
        line = process.stdout.readline()
        assert line and time.monotonic() - began < DEADLINE, f"{when} was never submitted:\n{seen}"
        seen += line
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def read_tasks(results: Path) -> dict[str, str]:
    with (results / "pipeline_info" / "trace.txt").open() as lines:
        return {row["name"]: row["status"] for row in csv.DictReader(lines, delimiter="\t")}


def published(results: Path) -> set[str]:
    """Every file of the results tree."""
    return {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder
