"""Tables of drugs and fingerprints."""

from pathlib import Path

import numpy as np
import pytest

from strandwise.errors import InputError
from strandwise.formats.molecules import Drug, fingerprints, parent_smiles, read_drugs, tanimoto


def test_smi_and_tsv_are_read(tmp_path: Path) -> None:
    smi = tmp_path / "d.smi"
    smi.write_text("CCO ethanol alcohol\nc1ccccc1\n")
    assert read_drugs(smi) == [Drug("ethanol alcohol", "CCO"), Drug("c1ccccc1", "c1ccccc1")]
    tsv = tmp_path / "d.tsv"
    tsv.write_text("smiles\tdrug\nCCO\tethanol\n\tLapatinib\n")
    assert read_drugs(tsv) == [Drug("ethanol", "CCO"), Drug("Lapatinib", "")]


def test_bad_rows_are_named_together(tmp_path: Path) -> None:
    path = tmp_path / "d.tsv"
    path.write_text("drug\tsmiles\nA\tC1CC\nB\tCCO\nB\tCC\n\tCC\n")
    with pytest.raises(InputError) as error:
        read_drugs(path)
    assert [problem.split(":")[1].strip() for problem in error.value.problems] == ["row 2", "row 4", "row 5"]
    assert "no SMILES that RDKit can read" in error.value.problems[0]


def test_salts_are_left_aside() -> None:
    assert parent_smiles("[Na+].CC(=O)Oc1ccccc1C(=O)[O-]") == parent_smiles("CC(=O)Oc1ccccc1C(=O)[O-]")


def test_tanimoto_by_hand() -> None:
    one = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], bool)
    other = np.array([[1, 1, 0, 1], [1, 1, 1, 0]], bool)
    np.testing.assert_allclose(tanimoto(one, other), [[0.5, 1.0], [0.0, 0.0]])


def test_writing_a_smiles_another_way_changes_nothing() -> None:
    bits = fingerprints(["OCC", "CCO", "c1ccccc1O", ""])
    np.testing.assert_array_equal(bits[0], bits[1])
    assert (bits[1] != bits[2]).any()
    assert not bits[3].any()
