"""The parameters: declared once in the schema, the same defaults in the config, each of them read somewhere."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "nextflow_schema.json").read_text())
RULES: dict[str, dict[str, Any]] = {
    name: rule for group in SCHEMA["$defs"].values() for name, rule in group["properties"].items()
}
CONFIG = (ROOT / "nextflow.config").read_text()


# A default that keeps what is given: the strict parser of Nextflow 25.04 lets the configuration see the command line's values only so.
KEEPING = re.compile(r"^params\.(\w+) = params\.\1 \?: (.+)$", re.MULTILINE)


def config_defaults() -> dict[str, Any]:
    """Parameters that nextflow.config declares, with their values."""
    block = re.search(r"^params \{\n(.*?)^\}", CONFIG, re.MULTILINE | re.DOTALL)
    assert block
    literals = {"null": None, "true": True, "false": False}

    def read(value: str) -> Any:
        if value in literals:
            return literals[value]
        return value[1:-1] if value.startswith("'") else float(value) if "." in value else int(value)

    found: dict[str, Any] = {}
    plain = [tuple(part.strip() for part in line.split("=", 1)) for line in block.group(1).splitlines()]
    for name, value in [*plain, *KEEPING.findall(CONFIG)]:
        assert name not in found, f"{name} stands twice in nextflow.config"
        found[name] = read(value)
    return found


def test_what_the_configuration_reads_keeps_the_value_of_the_command_line() -> None:
    places = {"local", "docker", "podman", "singularity", "apptainer", "slurm", "awsbatch", "googlebatch", "azurebatch"}
    texts = [re.sub(r"^params \{.*?^\}", "", KEEPING.sub("", CONFIG), flags=re.MULTILINE | re.DOTALL)]
    texts += [(ROOT / f"conf/{name}.config").read_text() for name in (*sorted(places), "resources", "gpu")]
    read = {name for text in texts for name in re.findall(r"(?<!\{ \")\bparams\.(\w+)", text)}
    assert read - {name for name, _ in KEEPING.findall(CONFIG)} == set()


def test_config_and_schema_declare_the_same_parameters_with_the_same_defaults() -> None:
    assert config_defaults() == {name: rule.get("default") for name, rule in RULES.items()}


@pytest.mark.parametrize("name", RULES)
def test_every_parameter_is_read(name: str) -> None:
    readers = [ROOT / "main.nf", *(ROOT / "modules").rglob("*.nf"), *(ROOT / "conf").glob("*.config")]
    outside_declarations = re.sub(r"^params \{.*?^\}", "", KEEPING.sub("", CONFIG), flags=re.MULTILINE | re.DOTALL)
    texts = [path.read_text() for path in readers] + [
        outside_declarations,
        *(path.read_text() for path in (ROOT / "bin/strandwise/inputs").glob("*.py")),
    ]
    pattern = re.compile(rf"(?:options|params)\.{name}\b|parameters(?:\.get\(|\[)\"{name}\"|['\"]{name}['\"]")
    assert any(pattern.search(text) for text in texts), f"--{name} is declared and read nowhere"


def test_every_parameter_that_is_read_is_declared() -> None:
    for path in [ROOT / "main.nf", *(ROOT / "modules").rglob("*.nf"), *(ROOT / "conf").glob("*.config")]:
        used = set(re.findall(r"(?<!['/])\b(?:options|params)\.([a-z]\w*)\b", path.read_text()))
        assert used <= set(RULES), f"{path.name} reads {used - set(RULES)}"


def test_rules_are_whole() -> None:
    for name, rule in RULES.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert rule["type"] in ("string", "integer", "number", "boolean"), name
        assert rule["description"].endswith("."), f"{name}: its description is a sentence"
        if rule["type"] == "boolean":
            assert rule["default"] is False, f"{name}: a switch is off until it is given"
        if "pattern" in rule:
            assert "errorMessage" in rule, f"{name}: a pattern needs words for people"
    assert [entry["$ref"].rsplit("/", 1)[-1] for entry in SCHEMA["allOf"]] == list(SCHEMA["$defs"])


def test_the_schema_is_a_schema_and_accepts_the_defaults() -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(SCHEMA)
    given = {name: value for name, value in config_defaults().items() if value is not None}
    assert not list(Draft202012Validator(SCHEMA).iter_errors(given))
    sheet = json.loads((ROOT / "assets" / "schema_input.json").read_text())
    Draft202012Validator.check_schema(sheet)


def test_params_of_profiles_are_declared() -> None:
    for path in (ROOT / "conf").glob("*.config"):
        for block in re.findall(r"^params \{\n(.*?)^\}", path.read_text(), re.MULTILINE | re.DOTALL):
            names = set(re.findall(r"^    (\w+) =", block, re.MULTILINE))
            assert names <= set(RULES), f"{path.name} sets {names - set(RULES)}"
