"""The confidence constraint by a plain Lagrangian: one differentiable constraint for both players, no proxy.

Cotter, Jiang, Sridharan, "Two-Player Games for Efficient Non-Convex Constrained Optimization", ALT 2019, Definition 1:
minimise MSE + lambda * Psi over the weights, raise lambda >= 0 by ascent on the same Psi. It starts at 0 in every round
and has no bound; the paper's sees Phi = nu - C, starts at 1/2 and shares a total of 1 with the MSE's.

Differs from the paper: as said, and Psi is nu - mean(S1 S2), `surrogate="product"`; eq. (9) as printed is always met.
"""

from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import tensorflow as tf
import tensorflow_constrained_optimization as tfco

from reproduction.slicing.closed_loop.client_model import predict, split
from reproduction.slicing.closed_loop.confidence import inside_sla, mutate, soft_attributions, weighted_attributions
from reproduction.slicing.closed_loop.local_training import Adam
from reproduction.slicing.closed_loop.proxy_lagrangian import ConfidenceProblem, terms
from reproduction.slicing.closed_loop.weights import layer_sizes
from reproduction.slicing.settings import PAPER, LocalSettings, ModelSettings


class WithoutProxy(ConfidenceProblem):
    """Problem (7) with Psi for the lambda-player too."""

    def constraints(self) -> tf.Tensor:
        """Return Psi, [1]."""
        return self.terms.surrogate[None]


@dataclass(frozen=True, kw_only=True)
class Lagrangian:
    """A method for `own_method.evaluate`, with the attributes of `FedAvg`."""

    local: LocalSettings = PAPER.local
    model: ModelSettings = PAPER.model
    name: str = "Lagrangian"

    def local_update(self, weights, client_data, round_number, rng) -> np.ndarray:
        """Return the mean of the CL's L iterates, float32 [P]."""
        bounds = np.array([client_data.lower_percent, client_data.upper_percent], np.float32)
        sla = client_data.baseline[:, None], bounds, np.float32(client_data.confidence_threshold)
        seed = rng.integers(2**31, size=2, dtype=np.int32)
        local_round = _compiled(len(client_data.feature_names), self.model, replace(self.local, surrogate="product"))
        return local_round(weights, client_data.features.T, client_data.target, *sla, seed).numpy()


@cache
def _compiled(features: int, model: ModelSettings, local: LocalSettings):
    sizes = layer_sizes(features, model)
    lagrangian, _, multiplier = tfco.create_lagrangian_loss(problem := WithoutProxy())
    explain = weighted_attributions("integrated_gradients", local.integration_steps)

    @tf.function(jit_compile=True, autograph=False)
    def local_round(weights, features, target, baseline, bounds, threshold, seed):
        def epoch(number, weights, adam, total):
            shape = (1 + sizes[0], local.tester_batch)
            draws = tf.random.stateless_uniform(shape, [seed[0], seed[1] + number], alg="threefry")
            tested = tf.gather(features, tf.cast(draws[0] * features.shape[1], tf.int32), axis=1)
            with tf.GradientTape() as tape:  # none flows through a comparison: not through pi, nor U
                tape.watch(weights)
                forward = partial(predict, split(weights, sizes), leaky_slope=model.leaky_slope)
                pi = soft_attributions(explain(forward, tested, baseline), "softmax")
                mutated = forward(mutate(tested, baseline, pi, draws[1:]))
                mse = tf.reduce_mean((forward(features) - target) ** 2)
                problem.terms = terms(mse, inside_sla(forward(tested), bounds), mutated, bounds, threshold, local)
                loss = lagrangian()
            descent, ascent = tape.gradient(loss, (weights, multiplier))
            multiplier.assign(multiplier.constraint(multiplier - local.learning_rate * ascent))
            weights, adam = adam.step(weights, descent, number, local.learning_rate)
            return number + 1, weights, adam, total + weights

        multiplier.assign([0.0])
        start = tf.constant(0), weights, Adam(0 * weights, 0 * weights), 0 * weights
        return tf.while_loop(lambda number, *_: number < local.epochs, epoch, start)[3] / local.epochs

    return local_round
