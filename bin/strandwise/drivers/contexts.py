"""How mutable the neighbouring bases make a substitution, from the cohort's own mutations and a FASTA."""

from pathlib import Path

import numpy as np

from strandwise.drivers.mutations import Cohort
from strandwise.formats.maf import Maf, plain_chromosomes
from strandwise.formats.notes import Note

FLANK = 10  # bases on either side of a mutation that say how often each context occurs where mutations are called
PRIOR = 20.0  # mutations of average rate that a context is taken to have had before
FEWEST = 200  # substitutions that a cohort needs


def with_contexts(maf: Maf, cohort: Cohort, reference: Path) -> list[Note]:
    """Set `cohort.context_odds` from the trinucleotides of a FASTA (its .fai beside it).

    The odds of a substitution in a context are its mutations per occurrence of that context around mutated positions, over those of the
    same substitution in any context (drawn to 1); a change on the other strand counts as its complement. Each change of one
    place counts once.
    """
    import pysam

    rows = np.flatnonzero(cohort.substitution >= 0)
    table = maf.mutations.iloc[cohort.row[rows]]
    chromosome, position = table["chromosome"].astype("str").to_numpy(), table["start"].to_numpy()
    given = table["reference"].astype("str").str.upper().to_numpy().astype("S1")
    around = np.full((len(rows), 2 * FLANK + 1), b"N", "S1")
    with pysam.FastaFile(str(reference)) as fasta:
        contigs = {plain: str(name) for name, plain in plain_chromosomes(fasta.references).items()}
        for name in np.unique(chromosome):
            if name not in contigs:
                continue
            sequence = np.frombuffer(("N" * FLANK + fasta.fetch(contigs[name]).upper() + "N" * FLANK).encode(), "S1")
            mine = np.flatnonzero((chromosome == name) & (position + 2 * FLANK < len(sequence)))
            around[mine] = sequence[position[mine, None] - 1 + np.arange(2 * FLANK + 1)]
    agrees = around[:, FLANK] == given
    code = np.full(256, -1)
    code[np.frombuffer(b"ACGT", np.uint8)] = range(4)
    bases = code[around.view(np.uint8).reshape(around.shape)]
    pyrimidine = (bases[:, FLANK] == 1) | (bases[:, FLANK] == 3)
    bases = np.where(pyrimidine[:, None] | (bases < 0), bases, 3 - bases)
    bases = np.where(pyrimidine[:, None], bases, bases[:, ::-1])
    known = agrees & (bases[:, FLANK - 1 : FLANK + 2] >= 0).all(axis=1)
    if known.sum() < FEWEST:
        return [
            Note(
                "info", f"Base contexts are not used: only {int(known.sum())} substitutions lie on the reference given."
            )
        ]
    trio = bases[:, :-2] * 16 + bases[:, 1:-1] * 4 + bases[:, 2:]
    trio[(bases[:, :-2] < 0) | (bases[:, 1:-1] < 0) | (bases[:, 2:] < 0)] = -1
    beside = np.delete(trio[known], FLANK - 1, axis=1)
    occurs = np.bincount(beside[beside >= 0], minlength=64).astype(float)
    occurs = (occurs + occurs[_other_strand()]) / 2
    context, kind = trio[known, FLANK - 1], cohort.substitution[rows[known]].astype(int)
    _, once = np.unique(cohort.site[rows[known]] * 8 + kind, return_index=True)
    hits = np.bincount(kind[once] * 64 + context[once], minlength=6 * 64).reshape(6, 64).astype(float)
    middle = (np.arange(64) // 4) % 4
    fits = middle[None, :] == np.array([1, 1, 1, 3, 3, 3])[:, None]
    share = np.where(fits, occurs, 0) / np.maximum(np.where(fits, occurs, 0).sum(axis=1, keepdims=True), 1)
    expected = hits.sum(axis=1, keepdims=True) * share
    odds = (hits + PRIOR) / (expected + PRIOR)
    cohort.context_odds[rows[known]] = odds[kind, context]
    wide = odds[fits]
    text = f"Hotspots are weighed by base context ({int(known.sum())} substitutions; contexts differ {wide.max() / wide.min():.0f}-fold in mutability)."
    return [Note("info", text)]


def _other_strand() -> np.ndarray:
    """Index of the reverse complement of each trinucleotide, int (64,)."""
    index = np.arange(64)
    return (3 - index % 4) * 16 + (3 - index // 4 % 4) * 4 + (3 - index // 16)
