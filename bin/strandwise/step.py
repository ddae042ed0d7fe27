"""Starts a step's script: answers --version, turns InputError into one message and exit status 65."""

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
    sys.exit(0)
