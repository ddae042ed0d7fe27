"""Shares the makers of small alignments with the tests of the core; the image that calling runs in."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

sys.path.insert(0, str(ROOT / "tests" / "core"))


@pytest.fixture
def calling_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the image `calling` does not hold cannot be imported."""
    held = (ROOT / "containers" / "calling" / "requirements.txt").read_text()
    for package, modules in {
        "pandas": ["pandas"],
        "tensorflow": ["tensorflow", "keras"],
        "scikit-learn": ["sklearn"],
    }.items():
        assert f"\n{package}==" not in held
        for module in modules:
            monkeypatch.setitem(sys.modules, module, None)
