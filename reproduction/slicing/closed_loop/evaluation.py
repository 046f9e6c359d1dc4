"""The global model seen from one CL: squared error and confidence on ALL of its samples, training or test.

This is what Figs. 4 and 5 plot. The post-hoc baseline is explained here and nowhere else.

Differs from the paper: it does not say on which samples a round's confidence is drawn; here on the CL's whole set.
"""

from functools import cache
from typing import NamedTuple

import tensorflow as tf

from reproduction.slicing.closed_loop.client_model import predict, split
from reproduction.slicing.closed_loop.confidence import (
    conforms,
    inside_sla,
    mean_over,
    mutate,
    of_each_copy,
    soft_attributions,
    weighted_attributions,
)
from reproduction.slicing.closed_loop.local_training import weighted_mse
from reproduction.slicing.settings import Explainer, LocalSettings, ModelSettings


class Evaluation(NamedTuple):
    """One CL's view of the global model; scalars, float32.

    Attributes:
        mse: mean squared error, in %^2.
        confidence: C of eq. (6), NaN where U is empty.
        inside: share of the samples predicted inside the SLA, U's size over D.
    """

    mse: tf.Tensor
    confidence: tf.Tensor
    inside: tf.Tensor


@cache
def evaluation(explainer: Explainer, sizes: tuple[int, ...], model: ModelSettings, local: LocalSettings):
    """Return the compiled evaluation of one CL, a function of its arrays to `Evaluation`."""
    explain = weighted_attributions(explainer, local.integration_steps)

    @tf.function(jit_compile=True, autograph=False)
    def evaluate(weights, features, target, sample_weights, baseline, bounds, seed) -> Evaluation:
        layers = split(weights, sizes)
        prediction = predict(layers, features, model.leaky_slope)
        weighted = explain(lambda x: predict(layers, x, model.leaky_slope), features, baseline)
        draws = tf.random.stateless_uniform((local.mutations * sizes[0], features.shape[1]), seed, alg="threefry")
        mutated = mutate(features, baseline, soft_attributions(weighted, local.normalisation), draws)
        members = sample_weights * inside_sla(prediction, bounds)
        kept = conforms(predict(layers, mutated, model.leaky_slope), bounds, local.confidence == "literal")
        size = tf.reduce_sum(members)
        return Evaluation(
            mse=weighted_mse(prediction, target, sample_weights),
            confidence=tf.where(size > 0, mean_over(of_each_copy(members, local.mutations), kept), float("nan")),
            inside=size / tf.reduce_sum(sample_weights),
        )

    return evaluate
