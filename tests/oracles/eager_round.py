"""One CL's local round a second time: float64, eager, samples as rows, an epoch a paragraph of Algorithm 1.

Keras' own layers and Adam make the W-player; attributions, soft attributions, mutation and confidence are NumPy;
the lambda-player is `tests.oracles.algorithm1`. Only the random draws are shared with the code under test, because
a Bernoulli draw cannot be checked otherwise.

Every decision that is a comparison (a Bernoulli draw against pi, a prediction against a bound) can fall the other
way in float32. `margin` is the closest that any of them came to doing so: a test on rounding error must hold a case
whose margin is far above that error, and says so when it does not.
"""

import functools
import itertools
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf

from tests.oracles import algorithm1


def network(weights, sizes, slope):
    """Build the Keras model, float64; `weights` holds kernel, bias, kernel, bias, ... in one row."""
    layers = [keras.Input((sizes[0],), dtype="float64")]
    for units in sizes[1:-1]:
        layers += [
            keras.layers.Dense(units, dtype="float64"),
            keras.layers.LeakyReLU(negative_slope=slope, dtype="float64"),
        ]
    model = keras.Sequential([*layers, keras.layers.Dense(1, dtype="float64")])
    arrays, position = [], 0
    for array in model.get_weights():
        arrays.append(np.reshape(weights[position : position + array.size], array.shape).astype(float))
        position += array.size
    model.set_weights(arrays)
    return model


def flat(model):
    return np.concatenate([array.ravel() for array in model.get_weights()])


class Plain:
    """The same network in NumPy: predictions and their gradient with respect to the features."""

    def __init__(self, arrays, slope):
        self.kernels, self.biases, self.slope = arrays[0::2], arrays[1::2], slope

    def __call__(self, features):
        signal = features
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            signal = signal @ kernel + bias
            signal = np.where(signal > 0, signal, self.slope * signal)
        return (signal @ self.kernels[-1] + self.biases[-1])[:, 0]

    def gradient(self, features):
        signal, slopes = features, []
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            signal = signal @ kernel + bias
            slopes.append(np.where(signal > 0, 1.0, self.slope))
            signal = signal * slopes[-1]
        back = np.repeat(self.kernels[-1].T, len(features), axis=0)
        for kernel, slope in zip(self.kernels[-2::-1], slopes[::-1], strict=True):
            back = (back * slope) @ kernel.T
        return back


def integrated_gradients(model, features, baseline, steps):
    """a_j / (x_j - b_j) of Sundararajan et al. 2017: the gradient's mean over the midpoints of the path."""
    total = np.zeros_like(features)
    for step in range(steps):
        total += model.gradient(baseline + (step + 0.5) / steps * (features - baseline))
    return total / steps


def input_x_gradient(model, features, baseline, steps):
    return model.gradient(features)


def shapley_exact(model, features, baseline, steps):
    """Shapley 1953: a feature's contribution on joining, averaged over all Q! orders of joining; 0 / 0 is 0."""
    total, orders = np.zeros_like(features), list(itertools.permutations(range(features.shape[1])))
    for order in orders:
        present = np.tile(baseline, (len(features), 1)).astype(float)
        value = model(present)
        for feature in order:
            present[:, feature] = features[:, feature]
            with_feature = model(present)
            total[:, feature] += with_feature - value
            value = with_feature
    difference = features - baseline
    return np.where(difference == 0, 0.0, total / len(orders) / np.where(difference == 0, 1.0, difference))


EXPLAINERS = {
    "integrated_gradients": integrated_gradients,
    "input_x_gradient": input_x_gradient,
    "shapley_exact": shapley_exact,
}


def soft_attributions(weighted):
    """Eq. (2)."""
    exponentials = np.exp(np.abs(weighted))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def shares(weighted):
    """Jha et al.'s normalisation: |alpha| over its sum."""
    return np.abs(weighted) / np.abs(weighted).sum(axis=1, keepdims=True)


def inside(prediction, bounds):
    """Eq. (4): a closed interval."""
    return (bounds[0] <= prediction) & (prediction <= bounds[1])


def kept(mutated_prediction, bounds, literal):
    """The summand of eq. (6): its printed max, or both bounds at once."""
    above, below = mutated_prediction >= bounds[0], mutated_prediction <= bounds[1]
    return np.maximum(above, below) if literal else np.minimum(above, below)


def surrogate(mutated_prediction, bounds, threshold, mu, product):
    """Psi of eqs. (9), (10) over the rows given, differentiable; `product` is S1 * S2 in place of the soft maximum."""
    above = 1.0 / (1.0 + tf.exp(-mu * (mutated_prediction - bounds[0])))
    below = 1.0 / (1.0 + tf.exp(-mu * (bounds[1] - mutated_prediction)))
    soft = above * below if product else tf.math.log(tf.exp(above) + tf.exp(below))
    return threshold - tf.reduce_mean(soft)


@functools.cache
def _threefry(shape):
    """XLA alone has Threefry on a CPU, hence the compilation of this one line."""
    return tf.function(lambda seed: tf.random.stateless_uniform(shape, seed, alg="threefry"), jit_compile=True)


def draws(seed, shape):
    """Return uniform numbers in [0, 1)."""
    return _threefry(shape)(tf.constant(seed, tf.int32)).numpy()


def local_round(
    weights,
    features,
    target,
    *,
    slope,
    hidden,
    epochs,
    rate,
    constrained=True,
    explainer=None,
    steps=None,
    batch=None,
    baseline=None,
    bounds=None,
    threshold=None,
    mu=None,
    radius=None,
    matrix=None,
    seed=None,
    literal=False,
    product=False,
    last=False,
    linear=False,
    mutations=1,
):
    """Run Algorithm 1's inner loop; `features` [D, Q] float32, `target` [D] in %."""
    model = network(weights, (features.shape[1], *hidden, 1), slope)
    adam = keras.optimizers.Adam(rate)
    rows, target = features.astype(float), target.astype(float)
    iterates, confidences, margins, empty = [], [], [], 0
    if constrained:
        matrix = algorithm1.start(1) if matrix is None else np.array(matrix, float)

    for epoch in range(epochs):
        if not constrained:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(rows)[:, 0] - target) ** 2)
        else:
            # The Tester draws a batch, with replacement; `float32` because a draw times D must round as drawn.
            uniform = draws([seed[0], seed[1] + epoch], (1 + mutations * features.shape[1], batch))
            tested = rows[(uniform[0] * np.float32(len(rows))).astype(int)]
            # Attributions, eq. (2), and mutation, eq. (3).
            plain = Plain(model.get_weights(), slope)
            weighted = EXPLAINERS[explainer](plain, tested, baseline, steps)
            probability = shares(weighted) if linear else soft_attributions(weighted)
            copies = [part.T for part in np.split(uniform[1:], mutations)]
            mutated = np.concatenate([np.where(drawn < probability, baseline, tested) for drawn in copies])
            tested = np.concatenate([tested] * mutations)
            # Confidence, eqs. (4) to (6).
            predicted, mutated_predicted = plain(tested), plain(mutated)
            members = inside(predicted, bounds)
            margins += [np.abs(drawn - probability).min() for drawn in copies]
            margins += [np.abs(values - bound).min() for values in (predicted, mutated_predicted) for bound in bounds]
            # lambda from A, then the two players' steps from the same iterate.
            multipliers = algorithm1.top_eigenvector(matrix)
            with tf.GradientTape() as tape:
                loss = multipliers[0] * tf.reduce_mean((model(rows)[:, 0] - target) ** 2)
                if members.any():
                    mutated_prediction = model(mutated[members])[:, 0]
                    loss += multipliers[1] * surrogate(mutated_prediction, bounds, threshold, mu, product)
            constraint = 0.0
            if members.any():
                confidences.append(kept(mutated_predicted[members], bounds, literal).mean())
                constraint = threshold - confidences[-1]
            else:
                empty += 1
            matrix = algorithm1.step(matrix, [constraint], rate, radius)
        gradients = tape.gradient(loss, model.trainable_variables)
        adam.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        iterates.append(flat(model))

    return SimpleNamespace(
        weights=iterates[-1] if last else np.mean(iterates, axis=0),
        matrix=matrix,
        confidence=np.mean(confidences) if confidences else np.nan,
        empty_epochs=empty,
        margin=min(margins, default=np.inf),
    )


def evaluation(
    weights, features, target, *, slope, hidden, explainer, steps, baseline, bounds, seed, width, linear, mutations
):
    """Score a global model on a CL's rows [D, Q], padded to `width` where the draws are concerned: MSE, C, U / D."""
    plain = Plain(network(weights, (features.shape[1], *hidden, 1), slope).get_weights(), slope)
    rows, count, features_count = features.astype(float), *features.shape
    predicted = plain(rows)
    weighted = EXPLAINERS[explainer](plain, rows, baseline, steps)
    probability = shares(weighted) if linear else soft_attributions(weighted)
    uniform = np.split(draws(seed, (features_count * mutations, width)), mutations)
    copies = [drawn.T[:count] for drawn in uniform]
    mutated = np.concatenate([plain(np.where(drawn < probability, baseline, rows)) for drawn in copies])
    members = inside(predicted, bounds)
    stayed = kept(mutated[np.tile(members, mutations)], bounds, literal=False)
    margins = [np.abs(drawn - probability).min() for drawn in copies]
    margins += [np.abs(values - bound).min() for values in (predicted, mutated) for bound in bounds]
    return SimpleNamespace(
        mse=np.mean((predicted - target) ** 2),
        confidence=stayed.mean() if members.any() else np.nan,
        inside=members.mean(),
        margin=min(margins),
    )
