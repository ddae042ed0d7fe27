"""Drugs that were never screened: what likeness of structure, targets and pathway is worth, and what the user is told."""

from pathlib import Path

import numpy as np
import pytest
from made_screen import SMILES, shipped

from strandwise.drug_response.molecules import (
    drug_groups,
    drugs_left_out,
    fit_molecules,
    panel_of,
    place_new,
    word_features,
)
from strandwise.drug_response.targets import family, target_genes, tokens
from strandwise.errors import InputError
from strandwise.formats.molecules import Drug, count_fingerprints, descriptors, fingerprints, tanimoto_of_counts


def test_targets_are_told_as_genes() -> None:
    assert target_genes("MEK1, MEK2") == ["MAP2K1", "MAP2K2"]
    assert target_genes("egfr; HER2;  ERBB2, others") == ["egfr", "ERBB2"]
    assert target_genes("Microtubule  stabiliser") == ["Microtubule stabiliser"]
    assert target_genes("") == []


def test_families_are_what_symbols_begin_with() -> None:
    assert [family(gene) for gene in ("CDK4", "CDK6", "HDAC1", "ERBB2", "EGFR", "KDR", "FLT1")] == [
        "CDK", "CDK", "HDAC", "EGFR", "EGFR", "VEGFR", "VEGFR",
    ]  # fmt: skip
    assert tokens("CDK4, CDK6", "Cell cycle") == ["target CDK4", "target CDK6", "family CDK", "pathway cell cycle"]


def test_words_in_common_are_a_cosine_in_each_kind() -> None:
    one, other = tokens("CDK4, CDK6", "Cell cycle"), tokens("CDK4", "Cell cycle")
    words = sorted({*one, *other})
    features = word_features([one, other], words)
    # Targets: 1 in common, lengths √2 and 1; family: the same; pathway: the same, at half.
    assert features[0] @ features[1] == pytest.approx(1 / 2**0.5 + 1 + 0.5)
    assert features[0] @ features[0] == pytest.approx(2.5)
    assert not word_features([["target XYZ1"]], words).any()


def test_count_tanimoto_by_hand() -> None:
    one, other = np.array([[2, 0, 1]], np.uint16), np.array([[1, 1, 1], [0, 0, 0]], np.uint16)
    # Smaller counts 1 + 0 + 1, larger ones 2 + 1 + 1.
    np.testing.assert_allclose(tanimoto_of_counts(one, other), [[0.5, 0.0]])


def test_descriptors_and_counts_of_ethanol() -> None:
    weight, logp = descriptors(["CCO", ""])[0, :2]
    assert weight == pytest.approx(46.07, abs=0.01)
    assert -0.1 < logp < 0.1
    assert np.isnan(descriptors([""])).all()
    assert all(counts[0].sum() > 0 and not counts[1].any() for counts in count_fingerprints(["CCO", ""]))


def made_drugs(lines: int = 60) -> tuple[list[str], list[str], np.ndarray]:
    """Twenty-four structures; those with target AAA1 follow one profile of lines, those with BBB1 another, whatever the structure."""
    random = np.random.default_rng(11)
    smiles = [*SMILES, *(f"{text}N" if text[-1] in "CO" else f"C{text}" for text in SMILES)]
    targets = ["AAA1", "BBB1"] * 12
    profiles = random.standard_normal((lines, 2))
    response = profiles[:, np.arange(24) % 2] + random.normal(0, 0.3, (lines, 24)) + 2.0
    return smiles, targets, response


def test_a_new_drug_takes_the_profile_of_its_target() -> None:
    smiles, targets, response = made_drugs()
    rest = np.arange(22)
    molecules = fit_molecules(smiles[:22], targets[:22], [""] * 22, response[:, rest], rest % 8)
    new = place_new(
        molecules, smiles[:22], [Drug("a", smiles[22], "AAA1"), Drug("b", smiles[23], "BBB1"), Drug("c", "CCCO")]
    )
    scores = response[:, rest] @ new.mix.T
    assert new.told.tolist() == [True, True, False]
    np.testing.assert_allclose(new.mix.sum(axis=1), 1, atol=1e-5)
    # Around what all drugs share, as figures are: the two targets go opposite ways.
    shared = response[:, rest].mean(axis=1)
    for place, drug in ((0, 22), (1, 23)):
        assert np.corrcoef(scores[:, place] - shared, response[:, drug] - shared)[0, 1] > 0.8
    assert new.similarity[2] == 1
    assert new.nearest[2] == smiles.index("CCCO")


def test_drugs_left_out_are_told_by_targets_and_not_by_chance() -> None:
    smiles, targets, response = made_drugs()
    folds = np.arange(24) // 2 % 4
    alone, told, nearest = drugs_left_out(smiles, targets, [""] * 24, response, response, folds)
    shared = response.mean(axis=1, keepdims=True)

    def mean(guess: np.ndarray) -> float:
        return float(np.mean([np.corrcoef((response - shared)[:, d], (guess - shared)[:, d])[0, 1] for d in range(24)]))

    assert mean(told) > 0.8
    assert abs(mean(alone)) < 0.4
    assert ((nearest >= 0) & (nearest <= 1)).all()


def test_similar_drugs_stay_in_one_fold() -> None:
    known = fingerprints([*SMILES, "CCO", "c1ccccc1"])
    groups = drug_groups(known, 3)
    assert groups[0] == groups[12]
    assert groups[2] == groups[13]
    assert set(groups.tolist()) == {0, 1, 2}


def test_targets_of_known_drugs_are_read_back() -> None:
    model = shipped()
    words = dict(zip(model.drugs, model.molecules.words_of(), strict=True))
    assert {"target EGFR", "target ERBB2"} <= set(words["Lapatinib"])
    assert {"target MAP2K1", "target MAP2K2", "pathway erk mapk signaling"} <= set(words["Trametinib"])


def test_a_table_with_targets_moves_a_new_drug_and_notes_unknown_ones(tmp_path: Path) -> None:
    model = shipped()
    path = tmp_path / "d.tsv"
    path.write_text(
        "drug\tsmiles\ttargets\tpathway\nplain\tCCOc1ccccc1\t\t\nmek\tCCOc1ccccc1\tMEK1, MEK2\tERK MAPK signaling\n"
        "odd\tCCOc1ccccc1\tFOO1\tNo such pathway\ntrametinib\t\t\t\n"
    )
    panel = panel_of(model.drugs, model.smiles, model.molecules, model.encoder.drug_mean, path)
    assert panel.told.tolist() == [False, True, False, True]
    trametinib = model.drugs.index("Trametinib")
    assert panel.place.tolist() == [-1, -1, -1, trametinib]
    assert panel.mix[1, trametinib] > 0.05 > abs(panel.mix[0, trametinib])
    np.testing.assert_allclose(panel.mix[0], panel.mix[2], atol=1e-6)
    (note,) = panel.notes
    assert "target FOO1" in note.text
    assert "pathway no such pathway" in note.text


def test_new_drugs_without_structure_are_refused(tmp_path: Path) -> None:
    model = shipped()
    path = tmp_path / "d.tsv"
    path.write_text("drug\ttargets\nmystery\tEGFR\n")
    with pytest.raises(InputError, match="'mystery' has no SMILES"):
        panel_of(model.drugs, model.smiles, model.molecules, model.encoder.drug_mean, path)
