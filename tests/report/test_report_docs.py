"""The docs say what the code does: tables in step with the schemas, links that lead somewhere, works that are cited."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from strandwise.report.citations import WORKS

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CITATIONS.md", "docs/usage.md", "docs/output.md", "docs/index.md"]


def test_tables_in_the_docs_are_those_of_the_schemas() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "render.py", "--check"], capture_output=True, text=True)
    assert done.stdout == "docs: in step\n", "run docs/render.py"


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    places = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    assert [place for place in places if place and not (path.parent / place).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_within_a_page_meet_a_heading(page: str) -> None:
    content = (ROOT / page).read_text()
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in content.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", content)) <= headings


def test_citations_page_lists_what_the_report_cites() -> None:
    content = (ROOT / "CITATIONS.md").read_text()
    for work in WORKS.values():
        assert f"{work.title}." in content
        assert work.doi in content


def test_every_parameter_in_the_docs_exists() -> None:
    """Names with two dashes in usage.md and README.md are parameters of the schema (or Nextflow's and make's own)."""
    schema = (ROOT / "nextflow_schema.json").read_text()
    for page in ("README.md", "docs/usage.md"):
        unquoted = re.sub(r"'--[^'\n]*'", "", (ROOT / page).read_text())
        for name in set(re.findall(r"(?<![\w-])--([a-z][a-z_]+)", unquoted)):
            assert f'"{name}": {{' in schema, f"{page}: --{name}"
