"""Writes files so that a reader sees all of one or nothing of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` when the block ends well, remove it when not.

    The temporary name keeps all suffixes of `path` (`x.vcf.gz` becomes `.tmp-<pid>.x.vcf.gz`), so that writers
    that go by the suffix do the right thing.
    """
    temporary = path.with_name(f".tmp-{os.getpid()}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
