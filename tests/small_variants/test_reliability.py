"""The reliability of GQ that is shipped with the model, and how its bins are filled."""

from pathlib import Path

import pytest

from strandwise.formats.tables import read_table
from strandwise.models.card import load_card
from strandwise.report.reliability import ENOUGH, summaries
from strandwise.small_variants.reliability import EDGES, Judged, reliability_of
from strandwise.small_variants.tables import RELIABILITY

MODEL = Path(__file__).parents[2] / "assets" / "models" / "small_variants"


def test_bins_hold_their_lower_edge_and_not_their_upper_one() -> None:
    genotypes = [Judged("SNP", quality, True, 0.1, quality == 10) for quality in (9.99, 10, 14.99, 15)]
    rows = reliability_of("10x", genotypes).query("type == 'SNP' and decision == 'called'").set_index("gq_from")
    assert rows["genotypes"].to_dict() == dict(zip(EDGES[:-1], (0, 0, 1, 2, 1, 0, 0, 0), strict=True))
    assert (rows.loc[10, "expected"], rows.loc[10, "observed"]) == (pytest.approx(0.2), 1)


def test_the_shipped_table_is_of_the_shipped_weights() -> None:
    """Made anew (benchmarks/germline/calibration.py) whenever the model changes: its card takes up the checksum then."""
    card = load_card(MODEL, "small_variants")
    assert "reliability.tsv" in card.details["sha256"]
    table = read_table(RELIABILITY, MODEL / "reliability.tsv")
    assert set(table["model_version"]) == {card.model_version}
    assert set(table["set"]) == {"10x", "30x"}


def test_the_shipped_model_keeps_its_promise() -> None:
    """No bin with 20 errors expected is off by more than two; expected calibration error of SNPs 0.01, of indels 0.03 at most, where
    there are genotypes enough (1,000) for it not to be chance."""
    found = summaries(read_table(RELIABILITY, MODEL / "reliability.tsv"))
    assert not [one.off for one in found if one.off]
    assert sum(one.judged for one in found) >= 5, f"too few bins with {ENOUGH} errors to judge"
    limits = {"SNP": 0.01, "INDEL": 0.03}
    assert not [one for one in found if one.genotypes >= 1000 and one.error > limits[one.type]]
