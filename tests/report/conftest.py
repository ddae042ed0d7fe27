"""Whole reports in temporary folders."""

from collections.abc import Callable
from pathlib import Path

import pytest
from built_report import Built, build_report


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Built]:
    def make(fill: Callable[[Path], None], **parameters: object) -> Built:
        return build_report(tmp_path_factory.mktemp("report"), fill, **parameters)

    return make
