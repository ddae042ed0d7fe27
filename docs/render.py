#!/usr/bin/env python3
"""Renders the tables of the docs from what the code uses: `docs/render.py` writes them, `--check` says which are stale.

usage.md has the parameters (nextflow_schema.json) and the samplesheet's columns (assets/schema_input.json),
output.md the columns of the result tables (the jobs' tables.py). A block lies between `<!-- begin NAME -->` and
`<!-- end NAME -->`.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

from strandwise.drivers import tables as drivers  # noqa: E402
from strandwise.drug_response import tables as drug_response  # noqa: E402
from strandwise.formats.tables import Table, markdown  # noqa: E402
from strandwise.small_variants import tables as small_variants  # noqa: E402


def cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def parameters() -> str:
    """One table per group of nextflow_schema.json."""
    parts = []
    for group in json.loads((ROOT / "nextflow_schema.json").read_text())["$defs"].values():
        rows = ["| parameter | default | what it is |", "| --- | --- | --- |"]
        for name, rule in group["properties"].items():
            default = rule.get("default")
            shown = "" if default is None else f"`{json.dumps(default) if isinstance(default, bool) else default}`"
            values = f" One of {', '.join(f'`{value}`' for value in rule['enum'])}." if "enum" in rule else ""
            rows.append(f"| `--{name}` | {shown} | {cell(rule['description'] + values)} |")
        parts.append("\n".join([f"### {group['title']}", "", group["description"], "", *rows]))
    return "\n\n".join(parts)


def samplesheet() -> str:
    """The columns of assets/schema_input.json."""
    rules = json.loads((ROOT / "assets" / "schema_input.json").read_text())["items"]
    rows = ["| column | needed | what it is |", "| --- | --- | --- |"]
    for name, rule in rules["properties"].items():
        if "description" in rule:
            needed = "yes" if name in rules["required"] else ""
            values = f" One of {', '.join(f'`{value}`' for value in rule['enum'])}." if "enum" in rule else ""
            rows.append(f"| `{name}` | {needed} | {cell(rule['description'] + values)} |")
    unused = ", ".join(f"`{name}`" for name, rule in rules["properties"].items() if "description" not in rule)
    return "\n".join(
        [*rows, "", f"Columns of sarek that are read over, with one warning: {unused}. Any other column is an error."]
    )


def tables_of(module: object) -> str:
    """Every schema of a job's tables.py."""
    return markdown(value for value in vars(module).values() if isinstance(value, Table)).strip()


BLOCKS = {
    "usage.md": {"parameters": parameters, "samplesheet": samplesheet},
    "output.md": {
        "small_variants tables": lambda: tables_of(small_variants),
        "drivers tables": lambda: tables_of(drivers),
        "drug_response tables": lambda: tables_of(drug_response),
    },
}


def rendered(page: str, blocks: dict) -> str:
    """`page` with each block renewed. Raises ValueError for a block that the page lacks."""
    for name, make in blocks.items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not pattern.search(page):
            raise ValueError(f"no block {name}")
        content = make()
        page = pattern.sub(lambda match, content=content: f"{match[1]}\n{content}\n\n{match[2]}", page)
    return page


def main(check: bool) -> list[str]:
    """Write stale pages, or only name them."""
    stale = []
    for name, blocks in BLOCKS.items():
        path = ROOT / "docs" / name
        page = path.read_text()
        renewed = rendered(page, blocks)
        if renewed != page:
            stale.append(name)
            if not check:
                path.write_text(renewed)
    return stale


if __name__ == "__main__":
    names = main(check="--check" in sys.argv)
    print(
        "\n".join(f"docs/{name}: {'stale' if '--check' in sys.argv else 'renewed'}" for name in names)
        or "docs: in step"
    )
    sys.exit(bool(names) and "--check" in sys.argv)
