"""From a MAF to the cohort: patients, duplicates, neighbours, weights, protein changes."""

import numpy as np
import pandas
import pytest
from made_cohorts import NO_SYMBOLS, made

from strandwise.drivers.mutations import (
    HYPERMUTATED,
    MISSENSE,
    NONSENSE,
    SILENT,
    of_samples,
    prepare,
    protein_changes,
    sample_names,
)
from strandwise.errors import InputError
from strandwise.formats.maf import Maf
from strandwise.formats.notes import Note


def test_tcga_barcodes_are_cut_to_patients_and_others_kept():
    names = pandas.Series(["TCGA-AB-2802-03B-01W", "TCGA-AB-2802-11A-01D", "patient 7", "TCGA-like"])
    assert sample_names(names).tolist() == ["TCGA-AB-2802", "TCGA-AB-2802", "patient 7", "TCGA-like"]


def test_protein_changes_of_every_kind():
    texts = pandas.Series(
        ["p.R132H", "p.S276*", "p.I4440fs", "p.D501del", "p.X252_splice", "p.141_142LL>L", "", "p.G12D"]
    )
    parsed = protein_changes(texts)
    assert parsed["codon"].tolist() == [132, 276, 4440, 501, 252, 141, 0, 12]
    letters = [("ACDEFGHIKLMNPQRSTVWY" + "-")[code] for code in parsed["reference_aa"]]
    assert "".join(letters) == "RSID---G"
    assert (parsed["alternate_aa"] >= 0).tolist() == [True, False, False, False, False, False, False, True]


def test_the_same_change_twice_and_neighbours_are_one_event():
    cohort, notes = made(
        [
            ("A", 100, "missense", "s1", "p.R34H"),
            ("A", 100, "missense", "s1", "p.R34H"),  # given twice
            ("A", 101, "silent", "s1", "p.R34R"),  # beside it: one event, the graver effect
            ("A", 100, "missense", "s2", "p.R34H"),  # another sample
            ("B", 500, "nonsense", "s1", "p.Q9*"),
        ]
    )
    assert sorted(cohort.effect.tolist()) == [MISSENSE, MISSENSE, NONSENSE]
    texts = " ".join(note.text for note in notes)
    assert "1 rows left out: the same change in the same patient" in texts and "1 changes within two bases" in texts


def test_hypermutated_samples_count_less_and_one_sample_cannot_fill_a_gene():
    busy = [("A" if n % 2 else "B", 1000 * n, "silent", "busy", "") for n in range(1, 4 * HYPERMUTATED + 1)]
    cohort, _ = made([*busy, ("C", 5, "missense", "quiet", "p.G2D")])
    quiet = cohort.effect == MISSENSE
    assert cohort.weight[quiet].tolist() == [1.0]
    # a quarter for the burden; of one gene's silent mutations at most two count
    assert cohort.weight[~quiet].sum() == pytest.approx((2 + 2) / 4, rel=0.01)


def test_unknown_symbols_are_counted_and_named():
    cohort, notes = made([("A", 9, "missense", "s1", ""), ("ZZZ9", 9, "missense", "s1", "")])
    assert len(cohort.gene) == 1
    assert any("1 mutations (50.0 %) left out" in note.text and "ZZZ9" in note.text for note in notes)
    with pytest.raises(InputError, match="none of 1 coding mutations lies in a known gene"):
        made([("ZZZ9", 9, "missense", "s1", "")])


def test_one_sample_and_no_silent_mutations_are_said():
    _, notes = made([("A", 9, "missense", "s1", "p.G2D")])
    texts = " ".join(note.text for note in notes)
    assert "One sample" in texts and "0 silent mutations only" in texts


def test_a_codon_beyond_the_length_stretches_the_protein():
    cohort, _ = made([("A", 9, "missense", "s1", "p.G4000D")], codelen=3000)
    assert cohort.codons.tolist() == [4000.0, 1000.0, 1000.0]


def test_some_samples_of_a_cohort():
    cohort, _ = made([("A", 9, "missense", "s1", ""), ("B", 9, "silent", "s2", ""), ("C", 9, "silent", "s3", "")])
    part = of_samples(cohort, np.array([2, 0]))
    assert part.n_samples == 2 and sorted(zip(part.sample.tolist(), part.effect.tolist(), strict=True)) == [
        (0, SILENT),
        (1, MISSENSE),
    ]


def test_a_maf_whose_rows_are_all_left_out_says_why():
    empty = pandas.DataFrame(columns=["symbol", "chromosome", "start", "reference", "alternate", "effect", "sample"])
    maf = Maf(empty, ["s1"], "", [Note("info", "9 mutations left out because FILTER is not PASS (germline 9).")])
    with pytest.raises(
        InputError, match=r"no coding mutation is left. 9 mutations left out because FILTER is not PASS"
    ):
        prepare(maf, NO_SYMBOLS, pandas.DataFrame())


def test_a_panel_is_told_by_its_few_genes_and_compared_within():
    genes = " ".join(f"G{n:03d}" for n in range(500))
    panel = [(f"G{n % 50:03d}", 1000 * n, "missense", f"s{n}", "") for n in range(200)]
    cohort, notes = made(panel, genes)
    assert cohort.genes.tolist() == [f"G{n:03d}" for n in range(50)]
    assert len(cohort.features) == len(cohort.codons) == 50 and set(cohort.gene) == set(range(50))
    # of 500 genes alike 200 mutations hit 500 (1 - exp(-200 / 500)) = 165
    assert any("lie in 50 genes, where as many in whole exomes would lie in 165" in note.text for note in notes)
    exome = [(f"G{(37 * n) % 500:03d}", 1000 * n, "missense", f"s{n}", "") for n in range(200)]
    cohort, notes = made(exome, genes)
    assert len(cohort.genes) == 500 and not any("panel" in note.text for note in notes)
