"""Starts a step's script: answers --version, turns InputError and a full disk into one message."""

import errno
import os
import sys
import time
from typing import NoReturn

from typer import Typer

from strandwise import __version__
from strandwise.errors import InputError

BEGAN = time.monotonic()
"""When the step began, near enough: this module is the first that a script imports."""


def start(app: Typer) -> NoReturn:
    """Run a step and leave with the exit status that Nextflow acts on: 0, 65 (bad input) or 1 (our bug)."""
    if sys.argv[1:] == ["--version"]:
        print(__version__)
        sys.exit(0)
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(InputError.exit_status)
    except Exception as error:
        if not disk_is_full(error):
            raise
        print(
            "error: no space left on the disk of the work folder; make room or name another disk by -work-dir, then go on with -resume",
            file=sys.stderr,
        )
        sys.exit(1)
    sys.exit(0)


def disk_is_full(error: BaseException | None) -> bool:
    """Whether this, or what it came from, is a write that found no space (libraries wrap it, some into a text)."""
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
