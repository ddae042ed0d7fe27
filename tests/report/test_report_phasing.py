"""Phasing in the report: a row per sample, nothing where nothing was phased."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from built_report import Built
from report_inputs import add_small_variants


def fill(folder: Path) -> None:
    add_small_variants(folder, {"S1": "S1", "S2": "S2"})
    for name, values in (("S1", (2250, 1848, 421, 878)), ("S2", (0, 0, 0, 0))):
        phased = dict(zip(("heterozygotes", "phased", "blocks", "n50"), values, strict=True))
        (folder / f"{name}.phasing.json").write_text(json.dumps(phased))


@pytest.fixture(scope="module")
def phased(reports: Callable[..., Built]) -> Built:
    return reports(fill)


def test_shares_are_worked_out_and_the_program_is_cited(phased: Built) -> None:
    """1848 of 2250 are 82.1 %."""
    assert "Phased by reads" in phased.page and "82.1 %" in phased.page
    assert "0.0 %" in phased.page
    assert "10.1101/085050" in phased.page


def test_without_phasing_there_is_no_word_of_it(reports: Callable[..., Built]) -> None:
    plain = reports(lambda folder: add_small_variants(folder, {"S1": "S1"}))
    assert "Phased by reads" not in plain.page and "WhatsHap" not in plain.page
