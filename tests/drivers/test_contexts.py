"""Base contexts from a FASTA: odds by hand, both strands alike, and what they do to a hotspot."""

import numpy as np
import pysam
import pytest
from made_cohorts import made

from strandwise.drivers import contexts
from strandwise.drivers.contexts import with_contexts
from strandwise.drivers.positions import change_rates
from strandwise.formats.maf import Maf


@pytest.fixture
def genome(tmp_path):
    """2,000 times ACGTTACATT: in every ten bases one CpG and one other C (or its G)."""
    path = tmp_path / "g.fa"
    path.write_text(">1\n" + "AACGTTACAT" * 2000 + "\n")
    pysam.faidx(str(path))
    return path


def cohort_on(positions):
    rows = [("A", position, "missense", f"s{n % 40}", f"p.R{n + 1}H") for n, position in enumerate(positions)]
    cohort, _ = made(rows, codelen=30_000)
    import pandas

    table = pandas.DataFrame(
        {"chromosome": "1", "start": positions, "reference": "C", "alternate": "T"}, index=range(len(positions))
    )
    return cohort, Maf(table, [], "", [])


def test_cpg_changes_have_the_odds_of_their_share(genome):
    # nine of ten changes hit the C of CpG (third base of ten), one the other C (eighth): both contexts are as frequent
    positions = [10 * n + (8 if n % 10 == 9 else 3) for n in range(1000)]
    cohort, maf = cohort_on(positions)
    notes = with_contexts(maf, cohort, genome)
    assert "1000 substitutions" in notes[0].text
    odds = cohort.context_odds[np.argsort(cohort.codon)]
    # each context is about half of the Cs (both strands folded): 900 and 100 of 1,000, of which half would be expected
    other = odds[9]
    assert odds[0] / other == pytest.approx(9, rel=0.5) and odds[0] > 1 > other


def test_rates_times_odds_stay_what_they_were_on_average(genome):
    positions = [10 * n + (8 if n % 10 == 9 else 3) for n in range(1000)]
    cohort, maf = cohort_on(positions)
    before = change_rates(cohort)
    with_contexts(maf, cohort, genome)
    after = change_rates(cohort)
    seen = before > 1
    assert after[seen] * cohort.context_odds.mean() == pytest.approx(before[seen], rel=0.02)


def test_few_or_foreign_substitutions_are_left_as_they_are(genome):
    cohort, maf = cohort_on([10 * n + 4 for n in range(1000)])  # G there, not C
    notes = with_contexts(maf, cohort, genome)
    assert "not used: only 0 substitutions" in notes[0].text and (cohort.context_odds == 1).all()


def test_reverse_complements_of_trinucleotides():
    index = {a + b + c: n for n, (a, b, c) in enumerate((a, b, c) for a in "ACGT" for b in "ACGT" for c in "ACGT")}
    assert (
        contexts._other_strand()[index["ACG"]] == index["CGT"]
        and contexts._other_strand()[index["TTA"]] == index["TAA"]
    )
