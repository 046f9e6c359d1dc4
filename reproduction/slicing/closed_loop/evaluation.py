"""The global model seen from one CL: squared error and confidence on ALL of its samples, training or test.

This is what Figs. 4 and 5 plot. The post-hoc baseline is explained here and nowhere else.

Differs from the paper: it does not say on which samples a round's confidence is drawn; here on the CL's whole set.
"""

from functools import cache
from typing import NamedTuple

import tensorflow as tf

from reproduction.slicing.closed_loop.client_model import network, weighted_mse
from reproduction.slicing.closed_loop.confidence import confidence, inside_sla, mutated_samples
from reproduction.slicing.closed_loop.explainers import weighted_attributions
from reproduction.slicing.settings import Explainer, LocalSettings, ModelSettings


class Evaluation(NamedTuple):
    """One CL's view of the global model, as tensors; `client.Score` is the same for the server. Scalars, float32.

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
    """Return the compiled evaluation of one CL, a function to `Evaluation` of arrays as `in_hoc_round` takes them."""
    explain = weighted_attributions(explainer, local.integration_steps)

    @tf.function(jit_compile=True, autograph=False)
    def evaluate(weights, baseline, bounds, features, target, sample_weights, seed) -> Evaluation:
        predict = network(weights, sizes, model)
        prediction = predict(features)
        draws = tf.random.stateless_uniform((local.mutations * sizes[0], features.shape[1]), seed, alg="threefry")
        mutated = mutated_samples(explain, predict, features, baseline, draws, local.normalisation)
        members = sample_weights * inside_sla(prediction, bounds)
        size = tf.reduce_sum(members)
        kept = confidence(members, predict(mutated), bounds, local.confidence)
        return Evaluation(
            mse=weighted_mse(prediction, target, sample_weights),
            confidence=tf.where(size > 0, kept, float("nan")),
            inside=size / tf.reduce_sum(sample_weights),
        )

    return evaluate
