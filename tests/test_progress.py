"""How far a long loop is."""

import pytest

from strandwise import progress as module
from strandwise.progress import progress


def test_done_total_and_time_left_are_told_every_so_many_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 6.0, 12.0, 18.0, 24.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    assert list(progress("abcd", 4, "genes", every_seconds=10)) == ["a", "b", "c", "d"]
    # 12 s for two of four: 12 s left; at 24 s all are done.
    assert capsys.readouterr().err == "genes: 2/4, 12 s left\ngenes: 4/4, 0 s left\n"


def test_short_loops_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(3), 3, "x")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
