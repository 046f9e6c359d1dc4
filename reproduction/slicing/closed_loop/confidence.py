"""Tester, Explainer and Confidence Mapper of Fig. 2: soft attributions, mutation and confidence, eqs. (2)-(6).

All arrays have features as rows. No gradient flows through anything here but the prediction of the mutated
samples, which `proxy_lagrangian` differentiates.

Differs from the paper: alpha = a / x is computed without dividing where the attribution is a gradient times x;
eq. (6)'s max is an AND unless `confidence="literal"`; the softmax runs over the Q features.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from reproduction.attribution.shapley import coalitions, shapley_weights
from reproduction.slicing.settings import Explainer

Predict = Callable[[tf.Tensor], tf.Tensor]


def weighted_attributions(explainer: Explainer, steps: int) -> Callable[[Predict, tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the explainer as a function (predict, features [Q, n], baseline [Q, 1]) -> alpha [Q, n] of eq. (2).

    `reproduction.attribution` computes the same for any model; these serve the compiled loop.

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


def soft_attributions(weighted: tf.Tensor, normalisation: str) -> tf.Tensor:
    """Eq. (2): pi = softmax over the Q features of |alpha|, or |alpha| over its sum, float32 [Q, n]."""
    size = tf.abs(weighted)
    if normalisation == "linear":
        return tf.math.divide_no_nan(size, tf.reduce_sum(size, axis=0))
    return tf.nn.softmax(size, axis=0)


def mutate(features: tf.Tensor, baseline: tf.Tensor, probability: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Eq. (3), S times per sample: a feature goes to its baseline with probability pi.

    Args:
        features: float32 [Q, n].
        baseline: float32 [Q, 1], zero in the paper.
        probability: pi, float32 [Q, n].
        uniform: draws in [0, 1), float32 [S * Q, n].

    Returns:
        x_hat, float32 [Q, S * n], the S copies one after another; S = 1 in the paper.
    """
    copies = tf.split(uniform, uniform.shape[0] // features.shape[0])
    return tf.concat([tf.where(draws < probability, baseline, features) for draws in copies], axis=1)


def of_each_copy(members: tf.Tensor, copies: int) -> tf.Tensor:
    """Repeat U's membership, float32 [n], for the S mutated copies, float32 [S * n]."""
    return tf.tile(members, (copies,))


def inside_sla(prediction: tf.Tensor, bounds: tf.Tensor) -> tf.Tensor:
    """Eq. (4): whether a prediction lies in the closed interval [alpha_n, beta_n]; float32 0 or 1, [n]."""
    return tf.cast((prediction >= bounds[0]) & (prediction <= bounds[1]), tf.float32)


def conforms(prediction: tf.Tensor, bounds: tf.Tensor, literal: bool) -> tf.Tensor:
    """The summand of eq. (6), float32 [n]: inside the SLA, or with `literal` the printed max, always 1."""
    if literal:
        return tf.cast((prediction >= bounds[0]) | (prediction <= bounds[1]), tf.float32)
    return inside_sla(prediction, bounds)


def mean_over(members: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Mean of `values` [n] over the `members` (0 or 1, [n]) of U; 0 where U is empty."""
    return tf.math.divide_no_nan(tf.reduce_sum(members * values), tf.reduce_sum(members))
