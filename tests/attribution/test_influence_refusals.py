"""What influence refuses, in one line: argument, what it must be, what was got, what to do."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from reproduction.attribution import inverses
from reproduction.attribution.influence import Influence

GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=(12, 3)).astype(np.float32), GENERATOR.normal(size=(12, 1)).astype(np.float32)


def network(*last, seed=0):
    keras.utils.set_random_seed(seed)
    first = [keras.Input((3,)), keras.layers.Dense(4, "tanh", name="hidden")]
    return keras.Sequential([*first, *(last or [keras.layers.Dense(1, name="last")])], name="small")


MODEL = network()


class Rounded(keras.layers.Layer):
    """Passes no gradient."""

    def call(self, inputs):
        return tf.stop_gradient(inputs)


class Centred(keras.layers.Layer):
    """Mixes samples."""

    def call(self, inputs):
        return inputs - keras.ops.mean(inputs, axis=0)


@tf.custom_gradient
def once(x):
    def backward(upstream):
        @tf.custom_gradient
        def no_more(given):
            def refuse(*_):
                raise NotImplementedError("no second derivative")

            return given, refuse

        return no_more(2.0 * upstream * x)

    return x**2, backward


def once_only(y_true, y_pred):
    return once(y_pred - y_true)


def two_ends():
    start = keras.Input((3,))
    return keras.Model(start, [keras.layers.Dense(1)(start), keras.layers.Dense(1)(start)], name="two_ends")


def frozen():
    model = network()
    model.trainable = False
    return model


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"hessian": "newton"}, ValueError, "hessian must be one of identity, exact, cg, .* got 'newton'; pick one"),
        ({"damping": -1.0}, ValueError, r"damping must be a finite number >= 0, got -1.0; pass one"),
        ({"damping": np.nan}, ValueError, r"damping must be a finite number >= 0, got nan"),
        ({"damping": "much"}, ValueError, r"damping must be a finite number >= 0, got 'much'"),
        ({"hessian": "identity", "damping": 0.1}, ValueError, r"damping must be 0 for hessian='identity'.*got 0.1"),
        ({"iterations": 0}, ValueError, r"iterations must be a whole number >= 1, got 0"),
        ({"projection": 0}, ValueError, r"projection must be a whole number >= 1, got 0"),
        ({"hessian": "arnoldi", "projection": 3}, ValueError, r"projection must be None for hessian='arnoldi'"),
        ({"projection": 22}, ValueError, r"projection must be at most the 21 weights, got 22; leave it out"),
        ({"batch_size": 1.5}, ValueError, r"batch_size must be a whole number >= 1, got 1.5"),
        ({"seed": -1}, ValueError, r"seed must be a whole number >= 0, got -1"),
        ({"progress": 1}, ValueError, r"progress must be True or False, got 1"),
        (
            {"layers": "last"},
            TypeError,
            r"layers must be None or a list of layers' names, got 'last'; pass \['last'\]",
        ),
        (
            {"layers": ["lost"]},
            ValueError,
            r"layers must be among .* to train, hidden, last, got 'lost'; see .*a frozen layer has",
        ),
        ({"layers": []}, ValueError, r"model must have weights to train, got none in layers \[\]"),
        ({"model": lambda x: x}, TypeError, r"model must be a Keras model, whose weights are known, got function"),
        ({"model": two_ends()}, ValueError, r"model must have one output, got 'two_ends' with 2"),
        ({"model": frozen()}, ValueError, r"model must have weights to train, got none in 'small'; set trainable"),
        ({"loss": "lost"}, ValueError, r"loss must be the name of a Keras loss, got 'lost'; see keras.losses"),
        ({"loss": 3}, TypeError, r"loss must be a Keras loss, its name, or a function .*, got int; pass one"),
        ({"influence_loss": 3}, TypeError, r"influence_loss must be a Keras loss, its name, or .*, got int"),
        (
            {"loss": lambda t, p: tf.reduce_mean((t - p) ** 2)},
            ValueError,
            r"loss must give a number for each of n samples, .*, got the shape \(\); leave out the mean",
        ),
        (
            {"loss": lambda t, p: (t[:, 0] - p) ** 2},
            ValueError,
            r"loss must depend on each sample alone, but among others a sample has another loss; give y the shape",
        ),
        ({"model": network(Centred())}, ValueError, "loss must"),
        ({"loss": lambda t, p: t @ p}, ValueError, r"loss must take y_true \(1,\) per sample and .*, got .*; give y"),
        ({"loss": lambda t, p: p / 0.0}, ValueError, r"loss must be finite, got NaN or infinity; check the model's"),
        ({"model": network(Rounded())}, ValueError, r"differentiable by TensorFlow, but no gradient .* reaches the we"),
        (
            {"loss": keras.losses.MeanSquaredError},
            TypeError,
            r"loss must be a loss, not a class of losses, got MeanSquaredError; pass MeanSquaredError\(\)",
        ),
        (
            {"loss": once_only},
            ValueError,
            r"model and loss must be differentiable twice by TensorFlow, got .*; take hessian='identity'",
        ),
    ],
)
def test_options(options, error, message):
    options = {"model": MODEL, "loss": "mse", "hessian": "cg", "damping": 1.0} | options
    if options["hessian"] == "identity":
        options.setdefault("damping", 0.0)
    with pytest.raises(error, match=message) as caught:
        Influence(options.pop("model"), options.pop("loss"), **options).fit(X, Y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:0], Y[:0], r"x must be \[n, features\] .* with n >= 1 .* got the shape \(0, 3\)"),
        (X[:, :2], Y, r"x must have the 3 features that the model takes, got 2"),
        (X[0], Y, r"x must be \[n, features\] .*got the shape \(3,\); reshape"),
        ([X, X], Y, r"x must be a list of arrays"),
        (
            np.where(X > 2.0, np.nan, X) * np.nan,
            Y,
            r"x must be finite in float32, got .*nan.* at \[0, 0\]; drop or imp",
        ),
        (X, Y[:5], r"y must be \[n, ...\] with n = 12, a row for each sample of x, got the shape \(5, 1\)"),
        (X, 3.0, r"y must be \[n, ...\] with n = 12, .* got the shape \(\)"),
        (X, Y * np.inf, r"y must be finite in float32, got NaN or infinity at \[0, 0\]; drop them"),
        (X, np.array(["a"] * 12), r"y must be real numbers, got dtype <U1; convert to numbers first"),
        (X, np.ones((12, 4)), r"loss must .*; give y the shape"),
    ],
)
def test_samples(x, y, message):
    with pytest.raises(ValueError, match=message) as caught:
        Influence(MODEL, lambda t, p: (t - p) ** 2 if t.shape == p.shape else t @ p, hessian="identity").fit(x, y)
    assert "\n" not in str(caught.value)


LABELS = np.arange(12) % 3
CLASSES = network(keras.layers.Dense(3, name="last"))
SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize("hessian", ["identity", "arnoldi", "gauss_newton"])
def test_a_label_without_a_class(hessian):
    """Beyond the samples that are tried first, too; TensorFlow's own words, without its addresses."""
    labels = np.where(np.arange(12) == 7, 3, LABELS)
    options = {} if hessian == "identity" else {"hessian": hessian, "damping": 1.0}
    with pytest.raises(ValueError, match=r"loss must be finite at every sample, got sample 7: .*; correct") as caught:
        Influence(CLASSES, SPARSE, **{"hessian": hessian} | options).fit(X, labels).self_influence()
    assert not set("\n{[") & set(str(caught.value).split("[0, 3)")[0])
    found = Influence(CLASSES, SPARSE, **{"hessian": hessian} | options).fit(X, LABELS)
    with pytest.raises(ValueError, match=r"loss must be finite at every sample, got sample 7: .*; correct"):
        found.scores(X, labels)


def test_more_numbers_than_the_model_gives():
    """Keras would spread the model's one number over them."""
    with pytest.raises(ValueError, match=r"loss of Keras takes no more numbers than the model gives, \[1\] per sample"):
        Influence(MODEL, "mse", hessian="identity").fit(X, np.ones((12, 3)))
    weighted = lambda t, p: t[:, 1:] * (t[:, :1] - p) ** 2  # noqa: E731
    Influence(MODEL, weighted, hessian="identity").fit(X, np.ones((12, 2)))


def test_steps_without_a_derivative():
    """TensorFlow's derivative of a sign is 0, not none."""
    signs = network(keras.layers.Dense(1), keras.layers.Lambda(tf.sign))
    with pytest.raises(ValueError, match=r"model must have curvature, got 0 along every direction; see that no step"):
        Influence(signs, "mse").fit(X, Y)


def test_a_model_that_was_trained_on_after_fit():
    model = network()
    found = Influence(model, "mse", hessian="identity").fit(X, Y)
    before = found.scores(X, Y)
    trained = model.get_weights()
    model.set_weights([1.5 * one for one in trained])
    for call in (found.self_influence, lambda: found.scores(X, Y), lambda: found.direction(X, Y)):
        with pytest.raises(ValueError, match=r"model must have the weights that it was fitted with, got others; call"):
            call()
    model.set_weights(trained)
    np.testing.assert_array_equal(found.scores(X, Y), before)


def test_files_of_another_loss_at_the_targets(tmp_path):
    plain, mae, own = tmp_path / "plain", tmp_path / "mae", tmp_path / "own"
    with_other_targets = lambda t, p: (tf.gather(t, [3], axis=1) - p) ** 2  # noqa: E731
    Influence(MODEL, "mse", hessian="identity").fit(X, Y).save(plain)
    Influence(MODEL, "mse", hessian="identity", influence_loss="mae").fit(X, Y).save(mae)
    found = Influence(MODEL, "mse", hessian="identity", influence_loss=with_other_targets).fit(X, Y)
    found.save(own)
    with pytest.raises(ValueError, match=r"influence_loss must be given, as .*mae was saved with one; pass the same"):
        Influence.load(mae, MODEL, "mse")
    with pytest.raises(ValueError, match=r"influence_loss must be None, as .*plain was saved without one"):
        Influence.load(plain, MODEL, "mse", influence_loss="mae")
    with pytest.raises(ValueError, match=r"influence_loss must be what .* gradients at its first samples differ"):
        Influence.load(mae, MODEL, "mse", influence_loss=lambda t, p: p)
    Influence.load(mae, MODEL, "mse", influence_loss="mae")
    targets = np.ones((12, 4), np.float32)
    again = Influence.load(own, MODEL, "mse", influence_loss=with_other_targets)
    np.testing.assert_array_equal(again.scores(X, targets), found.scores(X, targets))


def test_before_fit():
    found = Influence(MODEL, "mse")
    for call in (
        found.self_influence,
        lambda: found.scores(X, Y),
        lambda: found.top_k(X, Y, 1),
        lambda: found.save("x"),
    ):
        with pytest.raises(ValueError, match=r"Influence must be fitted first, got no samples; call fit\(x, y\)"):
            call()


def test_at_the_targets():
    found = Influence(MODEL, "mse", hessian="identity").fit(X, Y)
    with pytest.raises(ValueError, match=r"x_t must have the 3 features that the model takes, got 2"):
        found.scores(X[:, :2], Y)
    with pytest.raises(ValueError, match=r"y_t must be \[n, ...\] with n = 12, a row for each sample of x_t"):
        found.scores(X, Y[:3])
    with pytest.raises(
        ValueError, match=r"y_t must be of the form of y, \[targets, 1\], got the shape \(12, 2\); reshape it"
    ):
        found.scores(X, np.ones((12, 2)))
    with pytest.raises(ValueError, match=r"relative must be None, 'theta' or 'loss', got 'much'; pick one"):
        found.scores(X, Y, "much")
    with pytest.raises(ValueError, match=r"k must be a whole number >= 1, got 0"):
        found.top_k(X, Y, 0)
    with pytest.raises(ValueError, match=r"k must be at most the 12 training samples, got 13; ask for fewer"):
        found.top_k(X, Y, 13)
    with pytest.raises(ValueError, match=r"harmful must be True or False, got 'yes'"):
        found.top_k(X, Y, 3, harmful="yes")
    other = Influence(MODEL, "mse", hessian="identity", influence_loss=lambda t, p: tf.reduce_mean(p)).fit(X, Y)
    with pytest.raises(ValueError, match=r"influence_loss must give a number for each of n samples"):
        other.scores(X, Y)


def test_negative_curvature():
    """Far from a minimum the Hessian has negative eigenvalues, and -H has no positive ones."""
    y = 30.0 * Y
    with pytest.raises(ValueError, match=r"damping must exceed .*Hessian's eigenvalues begin at -.*hessian='arnoldi'"):
        Influence(MODEL, "mse", hessian="exact").fit(X, y)
    with pytest.raises(ValueError, match=r"damping must exceed .*curvature is negative along a direction .*'gauss_new"):
        Influence(MODEL, "mse", hessian="cg").fit(X, y).scores(X, y)
    concave = Influence(MODEL, lambda t, p: -(p**2), hessian="arnoldi", layers=["last"])
    with pytest.raises(ValueError, match=r"needs positive curvature, got eigenvalues up to -"):
        concave.fit(X, Y)


def test_too_few_iterations():
    with pytest.raises(ValueError, match=r"iterations must suffice for a residual of 1e-06 .*, but 2 leave .*; raise"):
        Influence(MODEL, "mse", hessian="gauss_newton", damping=1e-3, iterations=2).fit(X, Y).scores(X, Y)


def test_too_many_weights(monkeypatch):
    monkeypatch.setattr(inverses, "MOST_EXACT", 20)
    with pytest.raises(ValueError, match=r"for more than 20 weights, got 'exact' for 21; or name fewer layers"):
        Influence(MODEL, "mse", hessian="exact").fit(X, Y)


def test_curvature_that_is_not_finite():
    loss = lambda t, p: tf.sqrt(tf.abs(p - tf.stop_gradient(p)) + 1e-38)  # noqa: E731
    with pytest.raises(ValueError, match=r"model must have a finite curvature, got NaN or infinity; check its weights"):
        Influence(MODEL, loss, hessian="arnoldi").fit(X, Y)


def test_files(tmp_path):
    path = tmp_path / "influence.npz"
    with pytest.raises(FileNotFoundError, match=r"path must be a file that Influence.save wrote, got .*not there"):
        Influence.load(path, MODEL, "mse")
    for content in (b"", b"nothing", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=r"path must be a file that Influence.save wrote, got .*; fit and save anew"
        ):
            Influence.load(path, MODEL, "mse")
    np.savez(path, about=np.array("{}"))
    with pytest.raises(ValueError, match=r"path must be a file that Influence.save wrote"):
        Influence.load(path, MODEL, "mse")
    Influence(MODEL, "mse", hessian="identity").fit(X, Y).save(path)
    whole = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"model must be the one that .* was saved with, got 'small' with other weights"
    ):
        Influence.load(path, network(seed=1), "mse")
    with pytest.raises(ValueError, match=r"model and loss must be what .* gradients at its first samples differ"):
        Influence.load(path, MODEL, "mae")
    bent = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    bent.set_weights(MODEL.get_weights())
    with pytest.raises(ValueError, match=r"model and loss must be what .* gradients at its first samples differ"):
        Influence.load(path, bent, "mse")
    with pytest.raises(TypeError, match=r"model must be a Keras model, whose weights are known, got function"):
        Influence.load(path, lambda x: x, "mse")
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"path must be a file that Influence.save wrote"):
        Influence.load(path, MODEL, "mse")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot be written"):
        Influence(MODEL, "mse", hessian="identity").fit(X, Y).save(tmp_path / "file" / "influence.npz")


def test_conjugate_gradients_that_only_seem_to_have_solved_are_refused():
    """With a condition of 1e7, float32 products let the iteration's residual run away from the solution's."""
    generator = np.random.default_rng(0)
    turn, _ = np.linalg.qr(generator.normal(size=(30, 30)))
    rows = generator.normal(size=(8, 30))
    for condition in (1e3, 1e7):
        matrix = ((turn * np.logspace(0.0, -np.log10(condition), 30)) @ turn.T).astype(np.float32)
        rounded = SimpleNamespace(times=lambda vectors, m=matrix: (vectors.astype(np.float32) @ m).astype(float))
        solver = inverses.ConjugateGradients(rounded, 0.0, 20_000)
        if condition == 1e3:
            np.testing.assert_allclose(solver.solve(rows) @ matrix, rows, atol=1e-4)
        else:
            with pytest.raises(ValueError, match=r"damping must be so great .* got 0, with which cg leaves 0.0"):
                solver.solve(rows)
