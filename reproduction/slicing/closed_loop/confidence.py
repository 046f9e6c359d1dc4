"""Tester and Confidence Mapper of Fig. 2: soft attributions, mutation and confidence, eqs. (2)-(6).

All arrays have features as rows. No gradient flows through anything here but the prediction of the mutated
samples, which `proxy_lagrangian` differentiates.

Differs from the paper: the softmax of eq. (2) runs over the Q features; a sample may be mutated S times, S = 1 being
the paper's; eq. (6)'s max is an AND unless `confidence="literal"`.
"""

import tensorflow as tf

from reproduction.slicing.closed_loop.explainers import Explain, Predict
from reproduction.slicing.settings import ConfidenceReading, Normalisation


def soft_attributions(weighted: tf.Tensor, normalisation: Normalisation) -> tf.Tensor:
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


def mutated_samples(
    explain: Explain,
    predict: Predict,
    features: tf.Tensor,
    baseline: tf.Tensor,
    uniform: tf.Tensor,
    normalisation: Normalisation,
) -> tf.Tensor:
    """Eqs. (2)-(3): explain a model's predictions, and mutate the features that matter most.

    Args:
        explain: from `explainers.weighted_attributions`.
        predict: the model.
        features: float32 [Q, n].
        baseline: float32 [Q, 1].
        uniform: draws in [0, 1), float32 [S * Q, n].
        normalisation: what turns |alpha| into pi.

    Returns:
        x_hat, float32 [Q, S * n].
    """
    probability = soft_attributions(explain(predict, features, baseline), normalisation)
    return mutate(features, baseline, probability, uniform)


def inside_sla(prediction: tf.Tensor, bounds: tf.Tensor) -> tf.Tensor:
    """Eq. (4): whether a prediction lies in the closed interval [alpha_n, beta_n]; float32 0 or 1, [n]."""
    return tf.cast((prediction >= bounds[0]) & (prediction <= bounds[1]), tf.float32)


def conforms(prediction: tf.Tensor, bounds: tf.Tensor, reading: ConfidenceReading) -> tf.Tensor:
    """The summand of eq. (6), float32 [n]: inside the SLA, or if "literal" the printed max, which is always 1."""
    if reading == "literal":
        return tf.cast((prediction >= bounds[0]) | (prediction <= bounds[1]), tf.float32)
    return inside_sla(prediction, bounds)


def mean_over(members: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Mean of `values` [S * n], S copies one after another, over the `members` (0 or 1, [n]) of U; 0 if U is empty."""
    members = tf.tile(members, (values.shape[0] // members.shape[0],))
    return tf.math.divide_no_nan(tf.reduce_sum(members * values), tf.reduce_sum(members))


def confidence(
    members: tf.Tensor, mutated_prediction: tf.Tensor, bounds: tf.Tensor, reading: ConfidenceReading
) -> tf.Tensor:
    """Eq. (6): C, the share of U whose prediction stays inside the SLA when it is mutated; 0 if U is empty.

    Args:
        members: U of eq. (4), 0 or 1, float32 [n].
        mutated_prediction: z_hat of eq. (5), float32 [S * n], in %.
        bounds: alpha_n and beta_n, float32 [2], in %.
        reading: of eq. (6).
    """
    return mean_over(members, conforms(mutated_prediction, bounds, reading))
