"""Reasons by gene programme, and the page per drug."""

from pathlib import Path

import numpy as np
from made_screen import made_screen, shipped

from strandwise.drug_response.pages import DrugPage, file_name, listed, write_page
from strandwise.drug_response.programmes import Programmes, find_programmes


def page(**changes) -> DrugPage:
    given = {
        "drug": "Drug <1>", "targets": ["MDM2"], "samples": ["S&1", "S2", "S3"], "tissue": ["skin", "skin", ""],
        "value": np.array([0.5, -2.0, -3.0]), "low": np.array([-1.0, -4.0, -6.0]), "high": np.array([2.0, 0.0, 0.0]),
        "inside": np.array([True, True, False]), "typical": (-1.0, 1.0, 3.0), "genes": [("MDM2", -0.3), ("TP53I3", 0.1)],
        "programmes": [("MDM2·CDKN1A·RPS27L", -0.5)], "reasons": {0: "MDM2 -0.1", 1: "", 2: ""},
    }  # fmt: skip
    return DrugPage(**(given | changes))


def test_a_page_says_who_responds_and_frames_the_target(tmp_path: Path) -> None:
    write_page(page(), "made 1", tmp_path)
    text = (tmp_path / "Drug__1_.html").read_text()
    assert "<title>Drug &lt;1&gt;</title>" in text
    assert "S&amp;1" in text
    # One of the two inside samples lies below the lowest tenth of lines (-1); the one outside does not count.
    assert "1 samples inside the training range score below -1.00" in text
    assert "Framed: a known target (MDM2)." in text
    assert text.count('stroke="#E69F00"') == 1
    # exp(-2.0) µM for S2; lines at exp(1.0) in the middle.
    assert '<td class="n">-2.00</td><td class="n">0.135</td>' in text
    assert "median of the training lines, of all tissues, 1.00 (2.72 µM)" in text
    assert "http" not in text


def test_a_page_without_targets_or_training_lines(tmp_path: Path) -> None:
    write_page(page(targets=[], typical=None, genes=[], programmes=[]), "made 1", tmp_path)
    text = (tmp_path / "Drug__1_.html").read_text()
    assert "Targets: not known here." in text
    assert "of lines" not in text


def test_samples_inside_the_range_are_listed_first() -> None:
    assert listed(np.array([0.5, -2.0, -3.0]), np.array([True, True, False])) == [1, 0, 2]
    assert file_name("Bleomycin (50 uM)/α") == "Bleomycin__50_uM___"


def test_planted_programmes_are_found() -> None:
    """Genes 0-29 and 30-59 of the made screen follow two hidden pathways."""
    training = made_screen(genes=80)
    scores = (training.scores - training.scores.mean(axis=0)) / training.scores.std(axis=0)
    components = np.linalg.svd(scores, full_matrices=False)[0][:, :2]
    found = find_programmes(training.genes, scores, components, seed=1)
    first, second = (set(found.of_gene[part]) - {-1} for part in (slice(0, 30), slice(30, 60)))
    assert first
    assert second
    assert not first & second
    assert all(name.count("·") == 2 for name in found.names)


def test_shares_of_programmes_add_up_to_those_of_genes() -> None:
    programmes = Programmes(["A·B·C", "D·E·F"], np.array([0, 0, 1, -1, 1]))
    shares = np.float32([[1, 2, 3, 4, 5]])
    assert programmes.shares(shares).tolist() == [[3, 8, 4]]
    model = shipped()
    by_gene = np.random.default_rng(1).standard_normal((3, len(model.reference.genes))).astype(np.float32)
    np.testing.assert_allclose(model.programmes.shares(by_gene).sum(axis=1), by_gene.sum(axis=1), atol=1e-3)


def test_programmes_of_the_model_are_known_biology() -> None:
    model = shipped()
    place = {gene: index for index, gene in enumerate(model.reference.genes)}

    def together(*genes: str) -> bool:
        found = {int(model.programmes.of_gene[place[gene]]) for gene in genes}
        return len(found) == 1 and found != {-1}

    assert together("TYR", "MLANA")
    assert together("IFIT3", "PARP9")
    assert together("NCAPH", "NUSAP1")
    assert not together("TYR", "IFIT3")
