"""The chapter on joint genotyping: counts, trios, candidates, and names that try to be HTML."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from built_report import Built
from report_inputs import add_notes

from strandwise.formats.notes import Note
from strandwise.formats.tables import write_table
from strandwise.report.joint import chapter
from strandwise.report.parts import Parts
from strandwise.small_variants.tables import DE_NOVO, MENDELIAN

HOSTILE = "<img src=x>&"


def add_joint(folder: Path, trio: bool = True) -> None:
    names = ["C", "F", HOSTILE]
    shared = {"child": "C", "father": "F", "mother": HOSTILE}
    rates = [
        {**shared, "type": kind, "min_gq": bound, "sites": 5000 - 10 * bound, "errors_alone": 45 - bound, "rate_alone": 0.009, "errors": 3, "rate": 0.0006}
        for kind in ("SNP", "INDEL", "ALL")
        for bound in (0, 20)
    ]  # fmt: skip
    evidence = {"gt": "0/1", "gq": 32, "ad": "8,11", "dp": 19, "pl": "90,0,80"}
    candidate = {
        "contig": "chr20",
        "position": 5279937,
        "reference": "A",
        "alternate": "G",
        "type": "SNP",
        **shared,
        "probability": 0.93,
    }
    candidate |= {"filter": "PASS"} | {
        f"{m}_{key}": value for m in ("child", "father", "mother") for key, value in evidence.items()
    }
    candidates = [{**candidate, "position": 1000 + n, "probability": 0.9 - n / 100} for n in range(60)]
    for table, rows, name in ((MENDELIAN, rates, "mendelian"), (DE_NOVO, candidates, "de_novo")):
        frame = pd.DataFrame(rows if trio else [], columns=[column.name for column in table.columns])
        write_table(table, frame, "m 1", folder / f"{name}.tsv")
    told = {"child": "C", "father": "F", "mother": HOSTILE, "de_novo": {"SNP": 28, "INDEL": 12}, "listed": 60}
    summary = {
        "samples": names,
        "records": {"SNP": 4101, "INDEL": 904},
        "filters": {"PASS": 5000, "LowQual": 5},
        "changed": {"0/0 to variant": 11},
        "trios": [told] if trio else [],
    }
    (folder / "joint.json").write_text(json.dumps(summary))


@pytest.fixture(scope="module")
def joint(reports: Callable[..., Built]) -> Built:
    def fill(folder: Path) -> None:
        add_joint(folder)
        add_notes(folder, "joint", Note("warning", "pedigree: no gVCF of aunt: taken as relatives without data"))

    return reports(fill, joint=True)


def test_what_the_chapter_says(joint: Built) -> None:
    for words in ("5,005", "1 trio, 40 de novo variants", "11 from 0/0 to a variant", "5,000 of them pass", "0.900 %"):
        assert words in joint.text
    assert "chr20:1,000" in joint.text and "0/1, 8 + 11, GQ 32" in joint.text
    assert "The first 50 of 60" in joint.text
    assert "joint genotyping" in joint.text and "no gVCF of aunt" in joint.text
    assert "A likelihood-based framework for variant calling and de novo mutation detection in families" in joint.text
    assert "small_variants/joint/" in joint.readme
    assert "5,005 sites in 3 samples, 1 trio, 40 de novo variants" in joint.summary


def test_names_are_shown_as_they_are(joint: Built) -> None:
    assert "<img src=x>" not in joint.page
    assert HOSTILE in joint.text


def test_a_cohort_without_trios(tmp_path: Path) -> None:
    add_joint(tmp_path, trio=False)
    made = chapter(Parts(tmp_path))
    assert made and [section["id"] for section in made.sections] == ["joint_samples"]
    assert made.cards[0].words == "5,005 sites in 3 samples"


def test_no_chapter_without_joint_genotyping(tmp_path: Path) -> None:
    assert chapter(Parts(tmp_path)) is None
