"""Influence against dense Hessians in float64, against retraining without a sample, and by its properties."""

import dataclasses
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution.influence import HESSIANS, Influence
from reproduction.attribution.objective import checked_samples
from reproduction.attribution.sketch import drawn
from tests.oracles import influence as oracle

WIDTHS = (3, 5, 2)
DAMPING = 0.5
DENSE = {"rtol": 1e-4, "atol": 1e-5}
"""float32 derivatives against float64's, solved with a damped H of condition number 10: a few roundings times that."""


def network(seed=0, widths=WIDTHS):
    generator = np.random.default_rng(seed)
    layers = [keras.layers.Dense(width, "tanh") for width in widths[1:-1]]
    model = keras.Sequential([keras.Input((widths[0],)), *layers, keras.layers.Dense(widths[-1])])
    model.set_weights([generator.normal(0.0, 0.5, one.shape) for one in model.get_weights()])
    return model


def flat_weights(model):
    return np.concatenate([one.astype(np.float64).ravel() for one in model.get_weights()])


def near_optimum(model, n, seed, noise=0.1):
    """Draw samples that the model fits up to noise, so that the Hessian is nearly the Gauss-Newton matrix."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(n, model.inputs[0].shape[1])).astype(np.float32)
    return inputs, model(inputs).numpy() + noise * generator.normal(size=(n, model.outputs[0].shape[1]))


MODEL = network()
X, Y = near_optimum(MODEL, 40, 1)
X_T, Y_T = near_optimum(MODEL, 6, 2, noise=0.5)
LABELS = np.random.default_rng(3).integers(0, 2, 40)
LABELS_T = np.random.default_rng(4).integers(0, 2, 6)


def dense(hessian, x=X, y=Y, x_t=X_T, y_t=Y_T, loss=oracle.squared_error, target_loss=None, damping=DAMPING):
    """Return I, |H^-1 g_z| and sqrt(g_z^T H^-1 g_z) in float64."""
    flat = flat_weights(MODEL)
    rows = oracle.gradients(flat, x, y, WIDTHS, loss)
    targets = oracle.gradients(flat, x_t, y_t, WIDTHS, target_loss or loss)
    matrix = {"identity": lambda *_: np.eye(len(flat)), "gauss_newton": oracle.gauss_newton}.get(
        hessian, oracle.hessian
    )
    curved = matrix(flat, x, y, WIDTHS, loss) + (damping if hessian != "identity" else 0.0) * np.eye(len(flat))
    solved = np.linalg.solve(curved, rows.T)  # [P, n]
    return targets @ solved, np.linalg.norm(solved, axis=0), np.sqrt(np.einsum("np,pn->n", rows, solved))


def fitted(hessian, model=MODEL, loss="mse", x=X, y=Y, damping=DAMPING, **options):
    damping = 0.0 if hessian == "identity" else damping
    return Influence(model, loss, hessian=hessian, damping=damping, **options).fit(x, y)


usual = functools.cache(fitted)
"""Fitted once for all tests that change no option."""


@pytest.mark.parametrize("hessian", ["identity", "exact", "cg", "gauss_newton"])
@pytest.mark.parametrize("task", ["regression", "classification", "cross-loss"])
def test_scores_are_those_of_a_dense_hessian(hessian, task):
    if task == "classification":
        given = {"y": LABELS, "y_t": LABELS_T, "loss": oracle.cross_entropy}
        loss, options = keras.losses.SparseCategoricalCrossentropy(from_logits=True), {}
    elif task == "cross-loss":
        given, loss, options = {"target_loss": oracle.absolute_error}, "mse", {"influence_loss": "mae"}
    else:
        given, loss, options = {}, keras.losses.MeanSquaredError(), {}
    expected, theta, root = dense(hessian, **given)
    found = fitted(hessian, loss=loss, y=given.get("y", Y), **options)
    targets = X_T, given.get("y_t", Y_T)
    np.testing.assert_allclose(found.scores(*targets), expected, **DENSE)
    np.testing.assert_allclose(found.scores(*targets, "theta"), expected / theta, **DENSE)
    np.testing.assert_allclose(found.scores(*targets, relative="loss"), expected / root, **DENSE)
    np.testing.assert_allclose(found.self_influence(), root**2, **DENSE)
    assert found.scores(*targets).dtype == found.self_influence().dtype == np.float32
    assert found.vectorised


def test_arnoldi_tends_to_the_dense_hessian_as_its_space_grows():
    """On the directions of positive curvature; in the whole space it is the inverse there, up to float32."""
    flat = flat_weights(MODEL)
    values, vectors = np.linalg.eigh(oracle.hessian(flat, X, Y, WIDTHS, oracle.squared_error))
    kept = values > 1e-5 * values[-1]
    inverse = (vectors[:, kept] / (values[kept] + DAMPING)) @ vectors[:, kept].T
    rows = oracle.gradients(flat, X, Y, WIDTHS, oracle.squared_error)
    expected = oracle.gradients(flat, X_T, Y_T, WIDTHS, oracle.squared_error) @ inverse @ rows.T
    errors = []
    for iterations in (1, 4, 8, 16, len(flat)):
        found = fitted("arnoldi", iterations=iterations).scores(X_T, Y_T)
        errors.append(np.abs(found - expected).max() / np.abs(expected).max())
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.1
    assert errors[-1] < 1e-4  # the tolerance of the other kinds
    relative = fitted("arnoldi", iterations=len(flat))
    np.testing.assert_allclose(relative.self_influence(), np.einsum("np,pq,nq->n", rows, inverse, rows), **DENSE)
    theta = np.linalg.norm(rows @ inverse, axis=1)
    np.testing.assert_allclose(relative.scores(X_T, Y_T, "theta"), expected / theta, **DENSE)


def test_leaving_a_sample_out_raises_the_loss_by_the_influence():
    """Logistic regression with a penalty, which is convex: every sample is left out, and Newton finds the optimum."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 4)).astype(np.float32)
    chance = 1.0 / (1.0 + np.exp(-x @ [2.0, -1.0, 0.5, 0.0]))
    y = (generator.random(200) < chance).astype(np.float32)
    x_t, y_t = generator.normal(size=(3, 4)).astype(np.float32), np.array([0.0, 1.0, 1.0], np.float32)
    penalty, everyone = 0.01, np.arange(200)
    trained = oracle.logistic_regression(x, y, penalty, everyone)
    before = oracle.log_loss(trained, x_t, y_t)
    rises = np.stack(
        [
            oracle.log_loss(oracle.logistic_regression(x, y, penalty, np.delete(everyone, left)), x_t, y_t) - before
            for left in everyone
        ],
        axis=1,
    )
    dense_layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(penalty))
    model = keras.Sequential([keras.Input((4,)), dense_layer])
    model.set_weights([trained[:4, None], trained[4:]])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    for hessian in ("exact", "cg", "gauss_newton", "arnoldi"):
        scores = fitted(hessian, model, loss, x, y, damping=0.0).scores(x_t, y_t)
        for score, rise in zip(scores, rises, strict=True):
            # what is left out has weight 1/n in the mean; the rest of a first-order formula is of order 1/n^2
            assert np.corrcoef(rank(score), rank(rise))[0, 1] >= 0.95
            np.testing.assert_allclose(score / len(x), rise, atol=0.15 * np.abs(rise).max())


def rank(values):
    return np.argsort(np.argsort(values))


@pytest.mark.parametrize("hessian", HESSIANS)
def test_training_on_a_sample_of_positive_influence_helps(hessian):
    """A small step along -H^-1 of the sample's gradient lowers the target's loss by the step times the influence."""
    found = usual(hessian)
    scores = found.scores(X_T[:1], Y_T[:1])[0]
    for sample in (int(scores.argmax()), int(scores.argmin())):
        direction = found.direction(X[sample : sample + 1], Y[sample : sample + 1])
        step = 1e-3 / np.linalg.norm(direction)
        model = network()
        weights = [one.value for one in model.trainable_variables]
        before = float(tf.reduce_mean((model(X_T[:1]) - Y_T[:1]) ** 2))
        parts = np.split(direction, np.cumsum([int(tf.size(one)) for one in weights])[:-1])
        for weight, part in zip(weights, parts, strict=True):
            weight.assign_add(tf.constant(step * part.reshape(weight.shape), tf.float32))
        after = float(tf.reduce_mean((model(X_T[:1]) - Y_T[:1]) ** 2))
        np.testing.assert_allclose((before - after) / step, scores[sample], rtol=0.05, atol=0.01)  # second order
    own = usual(hessian).scores(X[:3], Y[:3])
    assert (np.diag(own[:, :3]) > 0.0).all()  # a sample helps itself


@pytest.mark.parametrize("hessian", HESSIANS)
def test_relative_forms_are_bounded(hessian):
    """Cauchy and Schwarz: |I| <= |g_t| |H^-1 g_z|, and in H^-1's inner product the square roots of both ends."""
    found = usual(hessian)
    lengths = np.linalg.norm(oracle.gradients(flat_weights(MODEL), X_T, Y_T, WIDTHS, oracle.squared_error), axis=1)
    assert (np.abs(found.scores(X_T, Y_T, "theta")) <= lengths[:, None] * (1.0 + 1e-5)).all()
    everything = usual(hessian).scores(X, Y, "loss")
    bound = np.sqrt(found.self_influence())
    assert (np.abs(everything) <= bound[:, None] * (1.0 + 1e-5)).all()  # float32
    np.testing.assert_allclose(np.diag(everything), bound, rtol=1e-4)  # the bound is reached by a sample on itself


@pytest.mark.parametrize("hessian", HESSIANS)
def test_a_duplicate_has_the_same_influence(hessian):
    x, y = np.concatenate([X, X[:3]]), np.concatenate([Y, Y[:3]])
    found = fitted(hessian, x=x, y=y)
    for relative in (None, "theta", "loss"):
        scores = found.scores(X_T, Y_T, relative)
        np.testing.assert_allclose(scores[:, -3:], scores[:, :3], rtol=1e-4, atol=1e-6)  # solved at another place


@pytest.mark.parametrize("hessian", ["exact", "cg", "gauss_newton", "arnoldi"])
def test_a_loss_twice_as_large_has_twice_the_influence(hessian):
    """g_t, g_z and H double, so I does; the damping has to double too."""

    def twice(y_true, y_pred):
        return 2.0 * keras.losses.mean_squared_error(y_true, y_pred)

    once = usual(hessian).scores(X_T, Y_T)
    np.testing.assert_allclose(
        fitted(hessian, loss=twice, damping=2.0 * DAMPING).scores(X_T, Y_T), 2.0 * once, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("hessian", HESSIANS)
def test_blocks_leave_the_result_as_it_is(hessian):
    whole = usual(hessian)
    for batch_size in (1, 11):
        small = fitted(hessian, batch_size=batch_size)
        np.testing.assert_allclose(small.scores(X_T, Y_T, "loss"), whole.scores(X_T, Y_T, "loss"), **DENSE)


def test_what_is_not_kept_is_computed_anew(monkeypatch):
    from reproduction.attribution import training_rows

    kept = fitted("cg")
    expected = [kept.scores(X_T, Y_T, relative) for relative in (None, "theta", "loss")]
    monkeypatch.setattr(training_rows, "KEPT_BYTES", 64)
    found = fitted("cg", batch_size=11)
    for relative, scores in zip((None, "theta", "loss"), expected, strict=True):
        np.testing.assert_allclose(found.scores(X_T, Y_T, relative), scores, **DENSE)


def test_layers_restrict_the_weights():
    flat = flat_weights(MODEL)
    last = slice(20, 32)  # behind 3 x 5 + 5 of the first layer
    rows, targets = (
        oracle.gradients(flat, x, y, WIDTHS, oracle.squared_error)[:, last] for x, y in ((X, Y), (X_T, Y_T))
    )
    matrix = oracle.hessian(flat, X, Y, WIDTHS, oracle.squared_error)[last, last] + DAMPING * np.eye(12)
    found = fitted("exact", layers=[MODEL.layers[-1].name])
    np.testing.assert_allclose(found.scores(X_T, Y_T), targets @ np.linalg.solve(matrix, rows.T), **DENSE)


def test_top_k_is_the_order_of_the_scores():
    found = usual("cg")
    scores = found.scores(X_T, Y_T, "loss")
    places, values = found.top_k(X_T, Y_T, 5, "loss")
    np.testing.assert_array_equal(places, np.argsort(-scores, axis=1, kind="stable")[:, :5])
    np.testing.assert_array_equal(values, np.take_along_axis(scores, places, axis=1))
    places, values = found.top_k(X_T, Y_T, 40, harmful=True)
    assert (np.diff(values, axis=1) >= 0.0).all()
    assert sorted(places[0]) == list(range(40))


@pytest.mark.parametrize("hessian", HESSIANS)
def test_the_same_seed_gives_the_same_bits(hessian):
    first, again = (fitted(hessian, iterations=8 if hessian == "arnoldi" else 100).scores(X_T, Y_T) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_sample_without_gradient_has_no_influence():
    x = np.concatenate([X, X[:1]])
    y = np.concatenate([Y, MODEL(X[:1]).numpy()])  # fitted perfectly
    found = fitted("exact", x=x, y=y)
    for relative in (None, "theta", "loss"):
        np.testing.assert_array_equal(found.scores(X_T, Y_T, relative)[:, -1], 0.0)


def test_a_projection_keeps_influences_as_well_as_it_says():
    """The error's spread over draws is at most sqrt(2 / d) |H^-1 g_t| |g_z|, and its mean is 0."""
    expected = usual("cg").scores(X_T, Y_T)
    flat = flat_weights(MODEL)
    matrix = oracle.hessian(flat, X, Y, WIDTHS, oracle.squared_error) + DAMPING * np.eye(len(flat))
    solved = np.linalg.solve(matrix, oracle.gradients(flat, X_T, Y_T, WIDTHS, oracle.squared_error).T)
    rows = oracle.gradients(flat, X, Y, WIDTHS, oracle.squared_error)
    scale = np.linalg.norm(solved, axis=0)[:, None] * np.linalg.norm(rows, axis=1)
    draws, found = 40, usual("cg").training
    gradients = found.gradients.of(checked_samples(found.gradients.objective, X_T, Y_T, ("x_t", "y_t")))
    errors = []
    for seed in range(draws):
        sketched = dataclasses.replace(found, sketch=drawn(len(flat), 16, seed))
        projected = np.concatenate([part for _, part in sketched.blocks(progress=False)])
        errors.append(sketched.solved(gradients.astype(np.float64)) @ projected.T - expected)
    errors = np.stack(errors)
    spread = np.sqrt((errors**2).mean(axis=0)) / scale
    assert np.median(spread) <= np.sqrt(2.0 / 16)
    assert spread.max() <= 2.0 * np.sqrt(2.0 / 16)  # of 240 estimates from 40 draws each
    assert (np.abs(errors.mean(axis=0)) / scale).max() <= 4.0 * np.sqrt(2.0 / 16 / draws)


@pytest.mark.parametrize("hessian", ["cg", "gauss_newton", "exact"])
def test_a_projection_to_as_many_numbers_as_weights_changes_nothing(hessian):
    """In another order, and with other signs; the lengths of the relative forms come from gradients all the same."""
    found = fitted(hessian, projection=32)
    for relative in (None, "theta", "loss"):
        expected = fitted(hessian).scores(X_T, Y_T, relative)
        np.testing.assert_allclose(found.scores(X_T, Y_T, relative), expected, **DENSE)
    np.testing.assert_allclose(found.self_influence(), fitted(hessian).self_influence(), **DENSE)


@pytest.mark.parametrize("hessian", HESSIANS)
def test_what_is_saved_is_what_is_loaded(hessian, tmp_path):
    found = fitted(hessian, influence_loss="mae", layers=[MODEL.layers[0].name])
    found.save(tmp_path / "influence.npz")
    again = Influence.load(tmp_path / "influence.npz", MODEL, "mse", influence_loss="mae")
    for relative in (None, "theta", "loss"):
        np.testing.assert_array_equal(again.scores(X_T, Y_T, relative), found.scores(X_T, Y_T, relative))
    assert again.layers == found.layers
    assert [path.name for path in tmp_path.iterdir()] == ["influence.npz"]


@pytest.mark.parametrize("hessian", ["exact", "cg", "gauss_newton"])
def test_the_curvature_may_be_that_of_the_first_samples(hessian):
    """Scores are of all samples, over the Hessian of the first: those of a fit to these, where it has them."""
    found = fitted(hessian, curvature_samples=15).scores(X_T, Y_T)
    first = fitted(hessian, x=X[:15], y=Y[:15]).scores(X_T, Y_T)
    np.testing.assert_allclose(found[:, :15], first, **DENSE)
    assert found.shape == (6, 40)
    assert not np.allclose(found, usual(hessian).scores(X_T, Y_T), rtol=0.01)


@pytest.mark.parametrize("hessian", ["identity", "exact", "cg"])
def test_the_direction_is_minus_the_solved_mean_gradient(hessian):
    flat = flat_weights(MODEL)
    curved = oracle.hessian(flat, X, Y, WIDTHS, oracle.squared_error) + DAMPING * np.eye(len(flat))
    mean = oracle.gradients(flat, X_T, Y_T, WIDTHS, oracle.squared_error).mean(axis=0)
    expected = -mean if hessian == "identity" else -np.linalg.solve(curved, mean)
    np.testing.assert_allclose(usual(hessian).direction(X_T, Y_T), expected, **DENSE)


def test_eigenvalues_are_the_hessians_without_damping():
    flat = flat_weights(MODEL)
    expected = np.linalg.eigvalsh(oracle.hessian(flat, X, Y, WIDTHS, oracle.squared_error))
    np.testing.assert_allclose(usual("exact").eigenvalues, expected, **DENSE)
    np.testing.assert_allclose(fitted("arnoldi", iterations=12).eigenvalues[-1], expected[-1], rtol=1e-4)
    with pytest.raises(ValueError, match="hessian must be 'exact' or 'arnoldi' to know eigenvalues, got 'cg'"):
        usual("cg").eigenvalues  # noqa: B018
