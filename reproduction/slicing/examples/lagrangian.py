"""The confidence constraint by a plain Lagrangian: one differentiable constraint for both players, no proxy.

Cotter, Jiang, Sridharan, "Two-Player Games for Efficient Non-Convex Constrained Optimization", ALT 2019, Definition 1:
minimise MSE + lambda * Psi over the weights, raise lambda >= 0 by ascent on the same Psi. It starts at 0 in every round
and has no bound; the paper's sees Phi = nu - C, starts at 1/2 and shares a total of 1 with the MSE's.

Differs from the paper: as said, and Psi is nu - mean(S1 S2), `surrogate="product"`; eq. (9) as printed is always met.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import tensorflow as tf
import tensorflow_constrained_optimization as tfco

from reproduction.slicing.closed_loop.client_model import network
from reproduction.slicing.closed_loop.confidence import inside_sla, mutated_samples
from reproduction.slicing.closed_loop.explainers import weighted_attributions
from reproduction.slicing.closed_loop.local_training import local_epochs
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
    """A method for `comparison.run_method`, with the attributes of `FedAvg`."""

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
        def one_epoch(epoch, weights, adam):
            shape = (1 + sizes[0], local.tester_batch)
            draws = tf.random.stateless_uniform(shape, [seed[0], seed[1] + epoch], alg="threefry")
            tested = tf.gather(features, tf.cast(draws[0] * features.shape[1], tf.int32), axis=1)
            with tf.GradientTape() as tape:  # none flows through a comparison: not through pi, nor U
                tape.watch(weights)
                predict = network(weights, sizes, model)
                mutated = predict(mutated_samples(explain, predict, tested, baseline, draws[1:], "softmax"))
                mse = tf.reduce_mean((predict(features) - target) ** 2)
                problem.terms = terms(mse, inside_sla(predict(tested), bounds), mutated, bounds, threshold, local)
                loss = lagrangian()
            weights_gradient, multiplier_gradient = tape.gradient(loss, (weights, multiplier))
            multiplier.assign(multiplier.constraint(multiplier - local.learning_rate * multiplier_gradient))
            return adam.step(weights, weights_gradient, epoch, local.learning_rate)

        multiplier.assign([0.0])
        (weights,) = local_epochs(one_epoch, weights, local)
        return weights

    return local_round
