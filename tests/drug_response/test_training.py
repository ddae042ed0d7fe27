"""Training on a made screen: what is planted is found; Keras and numpy are one function; nothing of a line is stored."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_screen import made_screen, write_layout

from strandwise.drug_response import build
from strandwise.drug_response import evaluate as evaluate_module
from strandwise.drug_response import training as training_module
from strandwise.drug_response.evaluate import evaluate
from strandwise.drug_response.explain import integrated_gradients
from strandwise.drug_response.figures import agreement
from strandwise.drug_response.layout import convert, read_training
from strandwise.drug_response.model import Model, load, rounded
from strandwise.drug_response.network import delta, keras_encoder, slopes
from strandwise.drug_response.training import Recipe, corrections, factor_ridge
from strandwise.errors import InputError
from strandwise.models import checkpoints

SMALL = Recipe(factors=8, components=10, members=2, hidden=(16, 8), epochs=30, correction_z=3.0)


@pytest.fixture(scope="module")
def model() -> Model:
    return build.fit_model(made_screen(), SMALL)


def test_keras_and_numpy_are_one_function(model: Model) -> None:
    random = np.random.default_rng(3)
    values = random.standard_normal((7, 80)).astype(np.float32)
    blood = np.float32([0, 1, 0, 1, 1, 0, 0])
    keras = keras_encoder(model.encoder)([values, blood[:, None]]).numpy()
    np.testing.assert_allclose(delta(model.encoder, values, blood), keras, atol=2e-5)


def test_slopes_are_the_gradient(model: Model) -> None:
    values = np.random.default_rng(4).standard_normal(80).astype(np.float32)
    gradient = slopes(model.encoder, values, 1.0, np.arange(12))
    for gene in (0, 5, 41, 79):
        step = np.zeros(80, np.float32)
        step[gene] = 0.05
        both = delta(model.encoder, np.stack([values + step, values - step]), np.ones(2))
        np.testing.assert_allclose(gradient[:, gene], (both[0] - both[1]) / 0.1, atol=5e-3)


def test_integrated_gradients_are_complete_and_find_what_was_planted(model: Model) -> None:
    values = np.random.default_rng(9).standard_normal(80).astype(np.float32) * 2
    both = delta(model.encoder, np.stack([values, np.zeros_like(values)]), np.zeros(2))
    for drug in (0, 4, 9):
        shares = integrated_gradients(model.encoder, values, 0.0, drug)
        assert shares.sum() == pytest.approx(both[0, drug] - both[1, drug], abs=0.02)
    # Drugs from 6 on follow pathway two: genes 30 to 59.
    shares = np.abs(
        np.mean(
            [integrated_gradients(model.encoder, np.ones(80, np.float32), 0.0, drug) for drug in range(6, 12)], axis=0
        )
    )
    assert shares[30:60].mean() > 2 * shares[:30].mean()


def test_lines_left_out_are_predicted_and_the_mutation_is_found() -> None:
    training = made_screen()
    parts = build.random_folds(120, 3, seed=1)
    found = build.cross_fit(training, parts, SMALL)
    normalised, per_drug = agreement(training.response, found.prediction, parts)
    assert normalised > 0.75
    assert per_drug > 0.7
    model = build.fit_model(training, SMALL)
    assert model.events.names == ["TP53_mut", "KRAS_mut", "BRAF_mut"]
    assert 0.7 < model.events.correction[0, 3] < 2.0
    assert np.abs(np.delete(model.events.correction, 3, axis=1)).max() < 0.5


def test_left_out_predictions_of_ridge_are_those_of_leaving_out() -> None:
    """The closed form against refitting without each line, one factor, no gaps."""
    random = np.random.default_rng(5)
    features = random.standard_normal((20, 4))
    kernel = features @ features.T
    response = (features @ random.standard_normal((4, 1))) + random.normal(0, 0.3, (20, 1))
    factors = factor_ridge(kernel, response)
    target = (response[:, 0] - response.mean()) / response.std()
    errors = {}
    for regulariser in build_regularisers():
        slow = []
        for line in range(20):
            rest = np.arange(20) != line
            dual = np.linalg.solve(kernel[np.ix_(rest, rest)] + regulariser * np.eye(19), target[rest])
            slow.append(kernel[line, rest] @ dual)
        errors[regulariser] = np.array(slow)
    best = min(errors, key=lambda regulariser: ((errors[regulariser] - target) ** 2).sum())
    np.testing.assert_allclose(factors.left_out[:, 0], response.mean() + response.std() * errors[best], atol=1e-6)


def build_regularisers() -> tuple[float, ...]:
    from strandwise.drug_response.training import REGULARISERS

    return REGULARISERS


def test_corrections_take_planted_features_and_leave_noise() -> None:
    random = np.random.default_rng(6)
    features = random.standard_normal((300, 50)).astype(np.float32)
    left = random.standard_normal((300, 2))
    left[:, 1] += features[:, 7]
    found = corrections(features, left, Recipe(correction_z=5.0, correction_shrinkage=0.0))
    assert np.flatnonzero(found[:, 0]).size == 0
    assert np.flatnonzero(found[:, 1]).tolist() == [7]
    assert found[7, 1] == pytest.approx(1.0, abs=0.2)


def test_training_writes_a_model_that_gives_the_same_scores(tmp_path: Path) -> None:
    training = made_screen()
    folder = write_layout(training, tmp_path / "data")
    figures = build.train(folder, tmp_path / "model", replace(SMALL, members=1), "made", "0.1")
    assert 0.86 <= figures["lines_left_out"]["interval_coverage"] <= 0.94
    model = load(tmp_path / "model")
    assert model.card is not None and model.card.model_version == "made 0.1"
    again = build.fit_model(read_training(folder), replace(SMALL, members=1))
    scores = (training.scores - again.reference.mean) / again.reference.sd
    ours, theirs = (delta(each.encoder, scores, np.zeros(120)) for each in (model, again))
    # 8-bit weights: a hundredth of the spread of the scores.
    assert np.abs(ours - theirs).max() < 0.05 * theirs.std()


def test_what_is_stored_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    """Coefficients only: no array has a place per training line, and none holds a response."""
    sizes = []
    for lines in (113, 131):
        folder = write_layout(made_screen(lines), tmp_path / f"data{lines}")
        build.train(folder, tmp_path / f"model{lines}", replace(SMALL, members=1), "made", "0.1")
        with np.load(tmp_path / f"model{lines}" / "weights.npz") as stored:
            sizes.append(
                {
                    name: stored[name].shape
                    for name in stored.files
                    if not name.startswith(("correction", "molecule_trees"))
                }
            )
    assert sizes[0] == sizes[1]
    assert not any(113 in shape for shape in sizes[0].values())


def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(tmp_path: Path, monkeypatch) -> None:
    """Killed in the second network of the third fold, of 2 networks in each of 5 folds and 2 for the model."""
    folder = write_layout(made_screen(), tmp_path / "data")
    recipe = replace(SMALL, epochs=3)
    trained, member = [], training_module._member

    def counted(*arguments):
        trained.append(arguments[-1])
        if len(trained) == 6 and not killed:
            killed.append(True)
            raise KeyboardInterrupt
        return member(*arguments)

    killed: list[bool] = []
    monkeypatch.setattr(training_module, "_member", counted)
    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        build.train(folder, tmp_path / "model", recipe, "made", "0.1", work=work)
    build.train(folder, tmp_path / "model", recipe, "made", "0.1", work=work)
    assert len(trained) == 12 + 1  # the one that was killed is trained anew, no other
    assert not list(work.iterdir())
    build.train(folder, tmp_path / "whole", recipe, "made", "0.1")
    assert not (tmp_path / "whole" / "training").exists()
    with np.load(tmp_path / "model" / "weights.npz") as ours, np.load(tmp_path / "whole" / "weights.npz") as theirs:
        assert ours.files == theirs.files
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    curves = [(tmp_path / name / "history.tsv").read_text() for name in ("model", "whole")]
    assert curves[0] == curves[1]
    rows = [line.split("\t") for line in curves[0].splitlines()]
    assert rows[0] == ["network", "epoch", "train_loss", "tune_loss"] and [row[1] for row in rows[1:]] == [
        "1",
        "2",
        "3",
    ]
    assert float(rows[3][2]) < float(rows[1][2]) and float(rows[3][3]) < float(rows[1][3])


def test_checkpoints_of_another_screen_are_refused(tmp_path: Path) -> None:
    folder = write_layout(made_screen(), tmp_path / "data")
    checkpoints.begin(tmp_path / "work", {"data": {}, "recipe": {}})
    with pytest.raises(InputError, match="work: a training with other data, recipe was begun here"):
        build.train(folder, tmp_path / "model", SMALL, "made", "0.1", work=tmp_path / "work")


def test_a_screen_of_fewer_genes_and_drugs_than_components_and_factors_is_trained(tmp_path: Path) -> None:
    """80 genes whose scores sum to nothing in each line vary in 79 directions, 12 drugs in 12; the recipe asks for 300 and 96."""
    folder = write_layout(made_screen(), tmp_path / "data")
    figures = build.train(folder, tmp_path / "model", Recipe(members=0), "made", "0.1")
    assert figures["lines_left_out"]["normalised_pearson"] > 0.7
    encoder = load(tmp_path / "model").encoder
    assert encoder.projection.shape == (80, 79) and encoder.factor_drugs.shape == (12, 12)


def test_rounding_keeps_half_a_step() -> None:
    values = np.random.default_rng(8).standard_normal((50, 3)).astype(np.float32) * [1, 100, 0.01]
    whole, scale = rounded(values)
    assert whole.dtype == np.int8
    assert (np.abs(whole * scale - values) <= scale / 2 * 1.001).all()


def test_missing_tables_and_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expression.tsv.gz: missing"):
        read_training(tmp_path)
    folder = write_layout(made_screen(), tmp_path / "data")
    (folder / "lines.tsv").write_text("line\torgan\nL1\tskin\n")
    with pytest.raises(InputError, match=r"lines.tsv: no column tissue"):
        read_training(folder)


def test_public_tables_are_converted_for_the_lines_asked(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("CELL_LINE_NAME,DRUG_NAME,LN_IC50\nA,X,1\nA,X,3\nB,X,5\nC,X,9\n")
    (tmp_path / "e.tsv").write_text(
        "GENE_SYMBOLS\tGENE_title\tDATA.1\tDATA.2\tDATA.3\nTP53\tt\t5\t6\t7\nMDM2\tm\t1\t2\t4\n"
    )
    (tmp_path / "a.tsv").write_text("line\tcosmic_id\ttissue\nA\t1\tskin\nB\t2\tbone\nC\t3\tbone\n")
    (tmp_path / "d.tsv").write_text("drug\tsmiles\nX\tCCO\n")
    (tmp_path / "lines.txt").write_text("line\nA\nB\n")
    convert(*(tmp_path / name for name in ("r.csv", "e.tsv", "a.tsv", "d.tsv", "out", "lines.txt")))
    training = read_training(tmp_path / "out")
    assert training.lines == ["A", "B"]
    assert training.response.tolist() == [[2.0], [5.0]]


def test_rivals_that_are_not_known_are_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rival is called XGB; there are drug mean"):
        evaluate(tmp_path, tmp_path / "folds.tsv", tmp_path / "o.tsv", None, 0, 10, ["XGB"])


def test_a_killed_evaluation_goes_on_and_ends_with_the_same_table(tmp_path: Path, monkeypatch) -> None:
    """Killed after the first of three folds: that one is not fitted again."""
    folder = write_layout(made_screen(), tmp_path / "data")
    folds = tmp_path / "folds.tsv"
    folds.write_text("line\tfold\n" + "".join(f"L{line}\t{line % 3}\n" for line in range(120)))
    fitted, fit_model = [], build.fit_model

    def counted(*arguments):
        if len(fitted) == 1 and not killed:
            killed.append(True)
            raise KeyboardInterrupt
        fitted.append(arguments)
        return fit_model(*arguments)

    killed: list[bool] = []
    monkeypatch.setattr(evaluate_module, "fit_model", counted)
    tables = [tmp_path / name for name in ("whole.tsv", "killed.tsv")]
    settings = (0, 10, ["XGBoost"], tmp_path / "work")
    with pytest.raises(KeyboardInterrupt):
        evaluate(folder, folds, tables[1], None, *settings)
    assert not tables[1].exists()
    with pytest.raises(InputError, match="a training with other members was begun here"):
        evaluate(folder, folds, tables[1], None, 1, *settings[1:])
    evaluate(folder, folds, tables[1], None, *settings)
    assert len(fitted) == 3
    assert not list((tmp_path / "work").iterdir())
    evaluate(folder, folds, tables[0], None, *settings[:3])
    assert tables[0].read_text() == tables[1].read_text()
    methods = [line.split("\t")[0] for line in tables[0].read_text().splitlines()]
    assert methods[-3:] == [
        "Strandwise",
        "linear part of Strandwise, without corrections",
        "networks of Strandwise, alone",
    ]
