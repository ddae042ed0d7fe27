"""A model folder is taken whole, unchanged and for its own job, or not at all."""

import json
from pathlib import Path

import pytest

from strandwise.errors import InputError
from strandwise.models.card import load_card, write_card

DETAILS = {"job": "drivers", "name": "drivers", "version": "1.0", "limits": ["none"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights.bin").write_bytes(b"weights")
    write_card(tmp_path, DETAILS, ["weights.bin"])
    return tmp_path


def test_a_whole_folder_is_taken(folder: Path) -> None:
    card = load_card(folder, "drivers")
    assert card.model_version == "drivers 1.0"
    assert card.details["limits"] == ["none"]
    assert card.file("weights.bin").read_bytes() == b"weights"
    # printf weights | sha256sum
    assert card.details["sha256"] == {"weights.bin": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"}


def test_one_changed_byte_is_told(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"weightz")
    with pytest.raises(InputError) as raised:
        load_card(folder, "drivers")
    assert raised.value.problems == [
        f"{folder}/weights.bin: damaged (its sha256 is not the card's); fetch the model again"
    ]


def test_a_missing_file_and_another_job_are_told_at_once(folder: Path) -> None:
    (folder / "weights.bin").unlink()
    with pytest.raises(InputError) as raised:
        load_card(folder, "small_variants")
    assert raised.value.problems == [
        f"{folder}/card.json: a model for drivers, not for small_variants",
        f"{folder}/weights.bin: missing; the card lists it",
    ]


def test_a_folder_without_card_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no card.json; give a model folder as in assets/models/drivers"):
        load_card(tmp_path, "drivers")


def test_a_card_that_is_no_json_or_lacks_its_name_is_told(folder: Path) -> None:
    (folder / "card.json").write_text("{")
    with pytest.raises(InputError, match=r"card.json: not readable as JSON"):
        load_card(folder, "drivers")
    (folder / "card.json").write_text(json.dumps({"job": "drivers"}))
    with pytest.raises(InputError, match=r"card.json: without name and version"):
        load_card(folder, "drivers")
