"""Strandwise's compiled part: the reads of an interval become candidate events with evidence."""

import pysam  # noqa: F401  loads the htslib that the extension is linked against

from strandwise_core.evidence import (
    CHANNELS,
    FEATURES,
    MARGIN,
    READ_CHANNELS,
    Alignments,
    encode,
    gap_open_penalties,
    mismatch_costs,
    one_gap_cost,
)

__all__ = [
    "CHANNELS",
    "FEATURES",
    "MARGIN",
    "READ_CHANNELS",
    "Alignments",
    "encode",
    "gap_open_penalties",
    "mismatch_costs",
    "one_gap_cost",
]
__version__ = "0.1.0"
