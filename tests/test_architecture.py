"""The house: imports run downwards, jobs do not know each other, tests mirror the package, one version."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import strandwise

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bin" / "strandwise"
JOBS = sorted(
    path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name not in ("formats", "models", "__pycache__")
)
FOUNDATION = {"errors", "progress"}

# What each room may import, besides itself and the foundation.
ALLOWED = {"formats": set(), "models": {"formats"}, "step": set(), "errors": set(), "progress": set()} | {
    job: {"formats", "models", "step"} for job in JOBS
}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of everything that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import; write it from strandwise"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def room(module: str) -> str | None:
    """The room of a module: strandwise.formats.vcf → formats. None outside the package."""
    parts = module.split(".")
    return parts[1] if parts[0] == "strandwise" and len(parts) > 1 and parts[1] != "__version__" else None


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards_only(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        own = "errors"  # the root of the package imports nothing of it
    allowed = ALLOWED[own] | FOUNDATION | {own}
    for line, module in imported(path):
        there = room(module)
        assert there is None or there in allowed, f"{path.name}:{line}: {own} must not import {module}"


@pytest.mark.parametrize("path", sorted((ROOT / "bin").glob("*.py")), ids=lambda path: path.name)
def test_a_script_imports_its_own_job_and_what_lies_below(path: Path) -> None:
    for line, module in imported(path):
        assert room(module) in {None, path.stem, "formats", "models", "step", "errors"}, f"{path.name}:{line}: {module}"


def test_every_job_has_the_same_rooms() -> None:
    for job in JOBS:
        for place in (ROOT / "modules" / job / "main.nf", ROOT / "bin" / f"{job}.py", ROOT / "tests" / job):
            assert place.exists(), f"{job} has no {place.relative_to(ROOT)}"


def test_the_version_is_the_same_everywhere() -> None:
    config = (ROOT / "nextflow.config").read_text()
    assert re.findall(r"^    version = '(.*)'$", config, re.MULTILINE) == [strandwise.__version__]


MODULES = [path for path in sorted((ROOT / "modules").glob("*/*.nf")) if "\nprocess " in path.read_text()]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_processes_keep_to_the_house_rules(path: Path) -> None:
    """Each process: a label, one container of ours, the digest of its code, its version; its command is the job's script."""
    job, text = path.parent.name, path.read_text()
    processes = re.split(r"^process ", text, flags=re.MULTILINE)[1:]
    assert processes
    for process in processes:
        name = process.split()[0]
        body = process.split("\n}\n")[0]
        assert re.search(r"^    label '\w+'$", body, re.MULTILINE), f"{name}: no label"
        image = re.findall(
            r'^    container "\$\{params\.container_registry\}/(\w+):\$\{workflow\.manifest\.version\}"$',
            body,
            re.MULTILINE,
        )
        assert len(image) == 1 and (ROOT / "containers" / image[0]).is_dir(), f"{name}: container"
        assert "val code" in body and "# code ${code}" in body, f"{name}: -resume would not see changed code"
        assert re.search(rf"^    {job}\.py \w+", body, re.MULTILINE), f"{name}: its command is not {job}.py"
        if name != "BUILD_REPORT":  # it reads the topic, and would wait for itself
            assert "topic: versions" in body, f"{name}: tells no version"


def test_only_one_config_knows_the_results_tree() -> None:
    for path in [*(ROOT / "modules").rglob("*.nf"), ROOT / "main.nf", *(ROOT / "conf").glob("*.config")]:
        if path.name != "publish.config":
            assert "publishDir" not in path.read_text(), f"{path}: publishDir belongs into conf/publish.config"


def test_places_of_results_are_read_when_a_task_ends() -> None:
    """The strict parser reads included files before the command line: a path that is no closure would ignore --outdir."""
    text = (ROOT / "conf" / "publish.config").read_text()
    paths = re.findall(r"\bpath: (.)", text)
    assert len(paths) >= text.count("publishDir") and set(paths) == {"{"}
