"""Measures what a task costs: processor time, wall time, peak memory, its start-up apart."""

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from strandwise.formats.files import written
from strandwise.step import BEGAN


def processor_seconds() -> float:
    """User and system time of this process and of the children that it has waited for, from its very beginning."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_megabytes() -> float:
    """Largest resident memory of this process or of one of its children, in MB of 1024 x 1024 bytes."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(usage.ru_maxrss for usage in usages) / 1024


@contextmanager
def metered(path: Path | None, task: str) -> Iterator[Callable[[], None]]:
    """Write the cost of this process to `path` when the block has ended without an error; None: nowhere.

    task: what it did. The block is given a function to call when start-up is over, if that is later than its beginning.
    The file, JSON: task, start_s and cpu_s (processor seconds of start-up and of all), wall_s, peak_mb.
    """
    start = processor_seconds()

    def started() -> None:
        nonlocal start
        start = processor_seconds()

    yield started
    if path:
        cost = {
            "task": task,
            "start_s": round(start, 3),
            "cpu_s": round(processor_seconds(), 3),
            "wall_s": round(time.monotonic() - BEGAN, 3),
            "peak_mb": round(peak_megabytes(), 1),
        }
        with written(path) as temporary:
            temporary.write_text(json.dumps(cost) + "\n")
