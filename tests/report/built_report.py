"""Whole reports, built once each and read by several tests."""

import base64
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from report_inputs import write_parameters, write_versions

from strandwise.report.build import build

CONFIG = Path(__file__).parents[2] / "assets" / "multiqc_config.yml"


class Elements(HTMLParser):
    """Every element's tag and attributes, and the text outside scripts and styles."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data


@dataclass
class Built:
    """A report: the page, what a reader of it sees, its plots by id, README.txt, summary.txt."""

    page: str
    elements: list[tuple[str, dict[str, str]]]
    text: str
    plots: dict[str, Any]
    readme: str
    summary: str
    size: int

    @property
    def anchors(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.elements if "id" in attributes}


def build_report(folder: Path, fill: Callable[[Path], None], **parameters: object) -> Built:
    """Let `fill` write the jobs' files, build, and read back."""
    parts = folder / "parts"
    parts.mkdir(parents=True)
    fill(parts)
    output = folder / "multiqc_report.html"
    build(
        parts,
        write_parameters(folder / "parameters.json", **parameters),
        write_versions(folder / "versions.tsv"),
        CONFIG,
        output,
    )
    page = output.read_text()
    data = re.search(r'id="mqc_compressed_plotdata">(.*?)</script>', page, re.DOTALL)
    assert data
    parsed = Elements(page)
    plots = json.loads(gzip.decompress(base64.b64decode(data[1])))
    readme = (folder / "README.txt").read_text()
    summary = (folder / "summary.txt").read_text()
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.txt",
        "multiqc_report.html",
        "parameters.json",
        "parts",
        "summary.txt",
        "versions.tsv",
    ]
    return Built(page, parsed.elements, parsed.text, plots, readme, summary, output.stat().st_size)
