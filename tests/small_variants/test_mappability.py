"""Where the reference holds the same stretch twice, against counting in the text."""

import random
from pathlib import Path

import pysam
import pytest
from made_reads import random_bases, write_fasta

from strandwise.small_variants import mappability
from strandwise.small_variants.mappability import STRETCH, found_elsewhere

COMPLEMENT = str.maketrans("ACGT", "TGCA")


def turned(bases: str) -> str:
    return bases.translate(COMPLEMENT)[::-1]


@pytest.fixture
def contigs() -> dict[str, str]:
    """On `a` 300 bases from 1,000 on; again on `a` at 3,000 with one base changed in the middle, and turned round on `b` at 500."""
    rng = random.Random(3)
    first, second, copied = random_bases(6000, rng), random_bases(2000, rng), random_bases(300, rng)
    changed = copied[:150] + ("A" if copied[150] != "A" else "C") + copied[151:]
    first = first[:1000] + copied + first[1300:3000] + changed + first[3300:]
    second = second[:500] + turned(copied) + second[800:1500] + "N" * 20 + second[1520:]
    return {"a": first, "b": second}


def by_counting(contigs: dict[str, str], contig: str, place: int) -> bool:
    begin = place - STRETCH // 2
    stretch = contigs[contig][begin : begin + STRETCH] if begin >= 0 else ""
    if len(stretch) < STRETCH or "N" in stretch:
        return False
    starts = [(name, at) for name, bases in contigs.items() for at in range(len(bases) - STRETCH + 1)
              if bases.startswith(stretch, at) or bases.startswith(turned(stretch), at)]  # fmt: skip
    return len(starts) > 1


@pytest.mark.parametrize("chunk", [mappability.CHUNK, 700])
def test_every_place_by_counting(
    tmp_path: Path, contigs: dict[str, str], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mappability, "CHUNK", chunk)
    mappability._powers.cache_clear()
    places = {
        "a": [0, 20, *range(900, 1400, 7), *range(2950, 3350, 7), 5990],
        "b": [*range(450, 850, 7), 1480, 1530, 1999],
    }
    with pysam.FastaFile(str(write_fasta(tmp_path / "r.fa", contigs))) as fasta:
        found = found_elsewhere(fasta, places)
    mappability._powers.cache_clear()
    expected = {name: [by_counting(contigs, name, place) for place in here] for name, here in places.items()}
    assert found == expected
    assert sum(found["a"]) > 20 and sum(found["b"]) > 20


def test_nothing_asked(tmp_path: Path, contigs: dict[str, str]) -> None:
    with pysam.FastaFile(str(write_fasta(tmp_path / "r.fa", contigs))) as fasta:
        assert found_elsewhere(fasta, {}) == {}
