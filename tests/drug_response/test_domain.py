"""in_domain: which samples a model trained on a made screen of four tissues takes for its own kind, and which it does not.

And what is done with cohorts of another platform: spread of the tissue, genes that the platform measures badly.
"""

from pathlib import Path

import numpy as np
import pandas
import pytest
from made_screen import GENE_TABLES, write_layout

from strandwise.drug_response import build
from strandwise.drug_response.domain import denoise, posterior
from strandwise.drug_response.layout import Training
from strandwise.drug_response.model import load
from strandwise.drug_response.reference import Reference, match, standard_scores
from strandwise.drug_response.score import score
from strandwise.drug_response.training import Recipe, make_reference

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


def test_posterior_of_one_component() -> None:
    """Two genes with loadings 1 and 2, SD of the score 2, noise 0.5 and 1: precision 1/4 + 1/0.5 + 4/1 = 6.25."""
    mean, covariance = posterior(
        np.array([[1.0], [2.0]]), np.array([2.0]), np.array([0.5, 1.0]), np.array([[1.0, 3.0]])
    )
    assert covariance == pytest.approx(1 / 6.25)
    assert mean == pytest.approx((1 / 0.5 + 2 * 3 / 1) / 6.25)


def test_spread_of_a_tissue_is_drawn_towards_that_of_all() -> None:
    """One gene (of two: they mirror each other): variance within tissues 1 of 10 lines and 9 of 30, in units of the whole."""
    random = np.random.default_rng(40)
    values = np.concatenate([random.normal(0, 1, 10), random.normal(0, 3, 30)])
    values[:10] -= values[:10].mean()
    values[10:] -= values[10:].mean()
    scores = np.stack([values, -values], axis=1).astype(np.float32)
    nothing = [""] * 2
    screen = Training(
        [f"L{line}" for line in range(40)], np.repeat(["a", "b"], [10, 30]), ["G0", "G1"], scores, ["D0", "D1"], nothing,
        nothing, nothing, np.zeros((40, 2)), [], np.zeros((40, 0), np.float32),
    )  # fmt: skip
    one, three = (values[:10] ** 2).sum(), (values[10:] ** 2).sum()
    within = (one + three) / 38
    expected = [(one + 10 * within) / 20, (three + 10 * within) / 40]
    found = make_reference(screen).tissue_sd
    np.testing.assert_allclose(found[:, 0] ** 2, np.array(expected) / values.var(), rtol=1e-5)


def test_matched_cohort_gets_the_spread_of_its_tissue() -> None:
    """500 samples of one tissue on another platform: each gene lies at its tissue's mean with its tissue's spread."""
    random, genes = np.random.default_rng(41), np.arange(50)
    means, sds = random.normal(0, 1, (2, 50)), random.uniform(0.5, 1.5, (2, 50))
    reference = Reference(
        [f"G{gene}" for gene in genes], np.zeros(50), np.ones(50), ["a", "b"], means.astype(np.float32),
        sds.astype(np.float32),
    )  # fmt: skip
    tissue = np.zeros(500, int)
    values = means[0] + random.standard_normal((500, 50)) * sds[0]
    gain, offset = random.uniform(0.7, 2, 50), random.normal(0, 3, 50)
    found = match(reference, (values * gain + offset).astype(np.float32), genes, tissue)
    assert found.matched
    np.testing.assert_allclose(found.values.mean(axis=0), means[0], atol=0.05)
    np.testing.assert_allclose(found.values.std(axis=0), sds[0], rtol=0.05)


def test_genes_that_a_platform_measures_badly_are_mended_by_the_others(model: Path) -> None:
    """Half the genes with noise of the training lines' own SD or more on top; the other half as it is."""
    fitted, every = load(model), np.arange(GENES)
    values = standard_scores(fitted.reference, BIOLOGY.lines("kidney", 60, 42), every)
    tissue = np.full(60, fitted.reference.tissues.index("kidney"))
    centre, bad = fitted.reference.tissue_means[tissue], every < GENES // 2
    noisy = values + bad * np.random.default_rng(43).standard_normal(values.shape).astype(np.float32) * 1.5
    mended = denoise(fitted.encoder, fitted.domain, noisy, every, centre)
    errors = ((mended - values) ** 2).mean(axis=0)
    assert errors[bad].mean() < 0.5 * 1.5**2
    assert errors[~bad].mean() < 0.1
    # What is well measured stays nearly as it is.
    untouched = denoise(fitted.encoder, fitted.domain, values, every, centre)
    assert ((untouched - values) ** 2).mean() < 0.05


def test_one_sample_of_another_platform_keeps_its_values(model: Path) -> None:
    """A single sample cannot tell noise from biology: the training lines' noise holds."""
    fitted, every = load(model), np.arange(GENES)
    values = standard_scores(fitted.reference, BIOLOGY.lines("kidney", 1, 44), every)
    centre = fitted.reference.tissue_means[[fitted.reference.tissues.index("kidney")]]
    mended = denoise(fitted.encoder, fitted.domain, values, every, centre)
    assert np.corrcoef(mended[0], values[0])[0, 1] > 0.98
