"""What a task says of its own cost."""

import json
import time
from pathlib import Path

import pytest

from strandwise.small_variants.cost import metered, processor_seconds

pytestmark = pytest.mark.usefixtures("calling_image")


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_start_up_is_what_was_used_before_the_work(tmp_path: Path) -> None:
    """0.2 s of loading, then 0.3 s of work."""
    before = processor_seconds()
    with metered(tmp_path / "cost.json", "call") as started:
        burn(0.2)
        started()
        burn(0.3)
    found = json.loads((tmp_path / "cost.json").read_text())
    assert found["task"] == "call"
    assert found["start_s"] - before == pytest.approx(0.2, abs=0.08)
    assert found["cpu_s"] - found["start_s"] == pytest.approx(0.3, abs=0.08)
    assert found["wall_s"] > 0.4 and 10 < found["peak_mb"] < 10_000


def test_a_failed_task_leaves_no_cost(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), metered(tmp_path / "cost.json", "call"):
        raise ValueError("broken")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_where_nothing_is_asked(tmp_path: Path) -> None:
    with metered(None, "gather"):
        pass
    assert list(tmp_path.iterdir()) == []
