"""in_domain: which samples a model trained on a made screen of four tissues takes for its own kind, and which it does not."""

from pathlib import Path

import numpy as np
import pandas
import pytest
from made_screen import GENE_TABLES, write_layout

from strandwise.drug_response import build
from strandwise.drug_response.layout import Training
from strandwise.drug_response.score import score
from strandwise.drug_response.training import Recipe

GENES, PATHWAYS, LINES, DRUGS = 400, 12, 240, 12
SEEN, UNSEEN = ["skin", "breast", "kidney", "pancreas"], "thyroid"
NAMES = [f"G{gene}" for gene in range(GENES)]


class MadeBiology:
    """Genes follow pathways, tissues have pathways of their own at a level of their own, genes have levels and spreads."""

    def __init__(self) -> None:
        random = np.random.default_rng(11)
        self.loadings = random.standard_normal((PATHWAYS, GENES)) * (random.random((PATHWAYS, GENES)) < 0.25)
        self.level, self.spread = random.normal(7, 2, GENES), random.uniform(0.4, 1.0, GENES)
        self.tissue = {name: random.normal(0, 0.7, GENES) for name in [*SEEN, UNSEEN]}

    def lines(self, tissue: str, count: int, seed: int, noise: float = 0.7) -> np.ndarray:
        """(count, genes) on a log scale."""
        random = np.random.default_rng(seed)
        values = random.standard_normal((count, PATHWAYS)) @ self.loadings + self.tissue[tissue]
        return (values + noise * random.standard_normal(values.shape)) * self.spread + self.level


BIOLOGY = MadeBiology()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 60 lines of each tissue seen."""
    folder = tmp_path_factory.mktemp("domain")
    values = np.concatenate([BIOLOGY.lines(tissue, LINES // 4, seed) for seed, tissue in enumerate(SEEN)])
    scores = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    random = np.random.default_rng(12)
    response = scores[:, :DRUGS] + 0.5 * random.standard_normal((LINES, DRUGS))
    nothing = [""] * DRUGS
    screen = Training(
        [f"L{line}" for line in range(LINES)], np.repeat(SEEN, LINES // 4), NAMES, scores.astype(np.float32),
        [f"D{drug}" for drug in range(DRUGS)], nothing, nothing, nothing, response, ["TP53_mut"],
        (random.random((LINES, 1)) < 0.3).astype(np.float32),
    )  # fmt: skip
    data = write_layout(screen, folder / "data")
    build.train(data, folder / "model", Recipe(factors=8, components=20, members=0), "made", "0.1")
    return folder / "model"


def share_inside(
    model: Path, folder: Path, values: np.ndarray, scale: str = "log2", tissue: str | None = None
) -> float:
    """Share of the samples (rows of values) that are in the domain; tissue: as the clinical table tells it, if it does."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = [f"S{sample}" for sample in range(len(values))]
    table, clinical = folder / "e.tsv", folder / "c.tsv"
    pandas.DataFrame(values.T, NAMES, samples).to_csv(table, sep="\t", index_label="gene", float_format="%.5g")
    clinical.write_text("sample\ttissue\n" + "".join(f"{sample}\t{tissue}\n" for sample in samples))
    outputs = [folder / name for name in ("response.tsv", "s.json", "n.json")]
    score([table], scale, [], clinical if tissue else None, None, model, GENE_TABLES, *outputs)
    inside = pandas.read_csv(outputs[0], sep="\t").groupby("sample")["in_domain"].first()
    return float(inside.reindex(samples).fillna(False).mean())


@pytest.mark.parametrize("tissue", SEEN)
def test_new_lines_of_a_tissue_are_inside_told_or_not(model: Path, tmp_path: Path, tissue: str) -> None:
    lines = BIOLOGY.lines(tissue, 50, 21)
    assert share_inside(model, tmp_path / "not told", lines) >= 0.94
    assert share_inside(model, tmp_path / "told", lines, tissue=tissue) >= 0.94


def test_lines_of_a_tissue_never_seen_are_outside_more_often(model: Path, tmp_path: Path) -> None:
    """They share the pathways of all lines, so by far not all are strange; 2 % of lines of known tissues are."""
    unseen, seen = BIOLOGY.lines(UNSEEN, 100, 22), BIOLOGY.lines("skin", 100, 22)
    assert share_inside(model, tmp_path / "unseen", unseen) < share_inside(model, tmp_path / "seen", seen) - 0.2


def test_noise_takes_lines_out_of_the_domain_step_by_step(model: Path, tmp_path: Path) -> None:
    """Noise of the training lines is 0.7."""
    shares = [
        share_inside(model, tmp_path / str(noise), BIOLOGY.lines("breast", 50, 23, noise))
        for noise in (0.7, 1.0, 1.5, 3.0)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] >= 0.94
    assert shares[2] <= 0.1
    assert shares[3] == 0


def test_scale_and_offset_of_a_sample_do_not_matter(model: Path, tmp_path: Path) -> None:
    lines, random = BIOLOGY.lines("breast", 50, 24), np.random.default_rng(25)
    before = share_inside(model, tmp_path / "before", lines)
    own = lines * random.uniform(0.5, 1.2, (50, 1)) + random.normal(0, 1, (50, 1))
    scores = (lines - lines.mean(axis=1, keepdims=True)) / lines.std(axis=1, keepdims=True)
    assert before >= 0.94
    assert share_inside(model, tmp_path / "same for all", lines * 0.5 + 4) == before
    assert share_inside(model, tmp_path / "each its own", own) == before
    assert share_inside(model, tmp_path / "scores", scores, "zscore") == before
    assert share_inside(model, tmp_path / "tpm", np.maximum(2**lines - 1, 0), "tpm") == pytest.approx(before, abs=0.05)


def test_shuffled_constant_and_drawn_values_are_outside(model: Path, tmp_path: Path) -> None:
    lines, random = BIOLOGY.lines("breast", 50, 26), np.random.default_rng(27)
    assert share_inside(model, tmp_path / "shuffled", random.permuted(lines, axis=1)) <= 0.1
    assert share_inside(model, tmp_path / "drawn", random.normal(7, 2, lines.shape)) <= 0.1
    # The right level of every gene, and nothing that genes have in common.
    assert share_inside(model, tmp_path / "level", BIOLOGY.level + random.normal(0, 1, lines.shape)) == 0
    mixed = np.concatenate([lines[:10], np.full((3, GENES), 5.0)])
    assert share_inside(model, tmp_path / "constant", mixed) == pytest.approx(10 / 13, abs=0.08)


def test_a_cohort_of_another_platform_is_inside_unless_its_genes_have_no_tie(model: Path, tmp_path: Path) -> None:
    """Each gene with a gain and offset of its own, as on another array; then every gene shuffled over the samples by itself."""
    lines, random = BIOLOGY.lines("breast", 50, 28), np.random.default_rng(29)
    gain, offset = random.uniform(0.5, 1.2, GENES), random.normal(0, 1.5, GENES)
    assert share_inside(model, tmp_path / "not told", lines * gain + offset) >= 0.94
    assert share_inside(model, tmp_path / "told", lines * gain + offset, tissue="breast") >= 0.94
    untied = random.permuted(lines, axis=0) * gain + offset
    assert share_inside(model, tmp_path / "untied", untied) <= 0.05
    renamed = lines[:, random.permutation(GENES)] * gain + offset
    assert share_inside(model, tmp_path / "renamed", renamed, tissue="breast") <= 0.05


def test_a_strange_sample_among_others_of_another_platform_is_outside(model: Path, tmp_path: Path) -> None:
    lines, random = BIOLOGY.lines("breast", 50, 30), np.random.default_rng(31)
    gain, offset = random.uniform(0.5, 1.2, GENES), random.normal(0, 1.5, GENES)
    with_strange = np.concatenate([lines, random.permuted(lines[:5], axis=1)]) * gain + offset
    assert share_inside(model, tmp_path, with_strange) == pytest.approx(50 / 55, abs=0.04)
