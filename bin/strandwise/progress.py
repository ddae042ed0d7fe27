"""Tells on stderr how far a long loop is and how long it still takes."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], total: int, what: str, every_seconds: float = 10.0) -> Iterator[T]:
    """Yield items; print `what: done/total, time left` at most once in `every_seconds`."""
    began = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= every_seconds:
            left = (now - began) / done * (total - done)
            print(f"{what}: {done}/{total}, {left:.0f} s left", file=sys.stderr, flush=True)
            last = now
