"""The Explainer of Fig. 2, compiled with the loop: weighted attributions alpha of eq. (2), features as rows.

`reproduction.attribution` computes the same for any model, in float64 and outside the graph; a test keeps both equal.

Differs from the paper: alpha = a / x is computed without dividing where the attribution is a gradient times x. "SHAP"
is the exact Shapley value over the 2^Q coalitions.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from reproduction.attribution.shapley import coalitions, shapley_weights
from reproduction.slicing.settings import Explainer

Predict = Callable[[tf.Tensor], tf.Tensor]
"""features float32 [Q, n] -> prediction float32 [n]."""

Explain = Callable[[Predict, tf.Tensor, tf.Tensor], tf.Tensor]
"""(predict, features float32 [Q, n], baseline float32 [Q, 1]) -> alpha float32 [Q, n]."""


def weighted_attributions(explainer: Explainer, steps: int) -> Explain:
    """Return the explainer as a function to alpha of eq. (2).

    Args:
        explainer: one that the loop offers.
        steps: midpoint nodes of integrated gradients.

    Raises:
        ValueError: for an explainer that the loop does not offer.
    """
    if explainer == "integrated_gradients":
        return lambda predict, features, baseline: _mean_gradient(predict, features, baseline, steps)
    if explainer == "input_x_gradient":
        return lambda predict, features, baseline: _gradient(predict, features)
    if explainer == "shapley_exact":
        return _shapley_over_input
    raise ValueError(f"explainer must be integrated_gradients, input_x_gradient or shapley_exact, got {explainer!r}")


def _gradient(predict: Predict, features: tf.Tensor) -> tf.Tensor:
    """Input x gradient over input: the gradient, float32 [Q, n]."""
    with tf.GradientTape() as tape:
        tape.watch(features)
        total = tf.reduce_sum(predict(features))
    return tape.gradient(total, features)


def _mean_gradient(predict: Predict, features: tf.Tensor, baseline: tf.Tensor, steps: int) -> tf.Tensor:
    """IG over (input - baseline): the gradient's mean over the midpoints of the path, float32 [Q, n]."""
    nodes = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    path = tf.concat([baseline + node * (features - baseline) for node in nodes], axis=1)
    gradients = tf.split(_gradient(predict, path), steps, axis=1)
    return tf.add_n(gradients) / steps


def _shapley_over_input(predict: Predict, features: tf.Tensor, baseline: tf.Tensor) -> tf.Tensor:
    """Exact Shapley values over (input - baseline), 0 where they are equal, float32 [Q, n]."""
    members = coalitions(features.shape[0])
    weights = shapley_weights(members).T.astype(np.float32)
    difference = features - baseline
    inputs = tf.concat([baseline + present[:, None] * difference for present in members.astype(np.float32)], axis=1)
    values = tf.reshape(predict(inputs), (len(members), -1))
    return tf.math.divide_no_nan(tf.matmul(weights, values), difference)
