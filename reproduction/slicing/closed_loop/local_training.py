"""Algorithm 1's inner loop: one CL's L local epochs of one round, compiled once for all CLs, slices and rounds.

The CL's data, weights, log A, seed and SLA are arguments, never captured; a CL with fewer samples is
padded with samples of weight 0.

Differs from the paper: the oracle of the W-player is one Adam step; both players step from the same iterate, as
in TFCO; the Tester draws its batch with replacement; an epoch with an empty U has no constraint.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import tensorflow as tf

from reproduction.slicing.closed_loop.client_model import network, weighted_mse
from reproduction.slicing.closed_loop.confidence import confidence, inside_sla, mutated_samples
from reproduction.slicing.closed_loop.explainers import weighted_attributions
from reproduction.slicing.closed_loop.proxy_lagrangian import Game, multipliers, terms
from reproduction.slicing.settings import Explainer, LocalSettings, ModelSettings

ADAM_DECAY, ADAM_DECAY_SQUARED, ADAM_EPSILON = 0.9, 0.999, 1e-7
"""Keras' defaults; the paper prints only the rate."""


class Local(NamedTuple):
    """What the compiled round returns, as tensors; `client.Update` is the same for the server. All float32.

    Attributes:
        weights: the mean of the L iterates (or the last), [P].
        log_matrix: log A after the last epoch, [2, 2].
        multiplier: lambda_1 after the last epoch.
        confidence: C averaged over the epochs with a non-empty U, NaN if there was none.
        empty_epochs: epochs whose U was empty.
    """

    weights: tf.Tensor
    log_matrix: tf.Tensor
    multiplier: tf.Tensor
    confidence: tf.Tensor
    empty_epochs: tf.Tensor


class Adam(NamedTuple):
    """Adam's state on the flat weights: first and second moments, float32 [P]."""

    mean: tf.Tensor
    square: tf.Tensor

    def step(self, weights: tf.Tensor, gradient: tf.Tensor, epoch: tf.Tensor, rate: float) -> tuple[tf.Tensor, "Adam"]:
        """Take step number `epoch` (from 0) as Keras does, with bias correction."""
        count = tf.cast(epoch + 1, tf.float32)
        mean = self.mean + (gradient - self.mean) * (1 - ADAM_DECAY)
        square = self.square + (gradient**2 - self.square) * (1 - ADAM_DECAY_SQUARED)
        rate = rate * tf.sqrt(1 - ADAM_DECAY_SQUARED**count) / (1 - ADAM_DECAY**count)
        return weights - rate * mean / (tf.sqrt(square) + ADAM_EPSILON), Adam(mean, square)


@cache
def in_hoc_round(explainer: Explainer, sizes: tuple[int, ...], model: ModelSettings, local: LocalSettings):
    """Return the compiled in-hoc round, one CL's L epochs.

    Args:
        explainer: in the loop.
        sizes: the network's widths.
        model: the network.
        local: Algorithm 1's inner loop.

    Returns:
        a function to `Local` of weights float32 [P]; baseline float32 [Q, 1], scaled; bounds float32 [2], alpha_n and
        beta_n in %; threshold float32, nu_n; features float32 [Q, D], scaled; target float32 [D] in %; sample_weights
        float32 [D], 0 or 1; log_matrix float32 [2, 2], log A; seed int32 [2].
    """
    game = Game(local)
    explain = weighted_attributions(explainer, local.integration_steps)

    @tf.function(jit_compile=True, autograph=False)
    def local_round(weights, baseline, bounds, threshold, features, target, sample_weights, log_matrix, seed) -> Local:
        samples = tf.reduce_sum(sample_weights)
        game.state.assign(log_matrix)

        def one_epoch(epoch, weights, adam, confidences, empty):
            # Tester: a batch of the local data.
            shape = (1 + local.mutations * sizes[0], local.tester_batch)
            draws = tf.random.stateless_uniform(shape, tf.stack([seed[0], seed[1] + epoch]), alg="threefry")
            batch = tf.cast(draws[0] * samples, tf.int32)
            tested = tf.gather(features, batch, axis=1)
            # Explainer: attributions and mutation, eqs. (2)-(3).
            predict = network(weights, sizes, model)
            mutated = mutated_samples(explain, predict, tested, baseline, draws[1:], local.normalisation)
            # Confidence Mapper: U and z_hat, eqs. (4)-(5).  Learner: both players' Lagrangians (8) at this iterate.
            with tf.GradientTape() as tape:
                tape.watch(weights)
                predict = network(weights, sizes, model)
                prediction, mutated_prediction = predict(features), predict(mutated)
                members = inside_sla(tf.stop_gradient(tf.gather(prediction, batch)), bounds)
                mse = weighted_mse(prediction, target, sample_weights)
                lagrangian = game.lagrangian(terms(mse, members, mutated_prediction, bounds, threshold, local))
            weights_gradient, log_matrix_gradient = tape.gradient(lagrangian, (weights, game.state))
            weights, adam = adam.step(weights, weights_gradient, epoch, local.learning_rate)
            game.step(log_matrix_gradient, local.learning_rate)

            here = confidence(members, mutated_prediction, bounds, local.confidence)
            is_empty = 1 - tf.sign(tf.reduce_sum(members))
            return weights, adam, confidences + here, empty + is_empty

        weights, confidences, empty = local_epochs(one_epoch, weights, local, tf.constant(0.0), tf.constant(0.0))
        return Local(
            weights=weights,
            log_matrix=game.state.read_value(),
            multiplier=multipliers(game.state)[1],
            confidence=confidences / (local.epochs - empty),
            empty_epochs=empty,
        )

    return local_round


@cache
def post_hoc_round(sizes: tuple[int, ...], model: ModelSettings, local: LocalSettings):
    """Return the compiled unconstrained round: lambda_0 = 1, lambda_1 = 0, no explainer in the loop.

    A function of weights, features, target and sample_weights, as `in_hoc_round`'s, to the weights, float32 [P].
    """

    @tf.function(jit_compile=True, autograph=False)
    def local_round(weights, features, target, sample_weights) -> tf.Tensor:
        return descend(
            lambda weights: weighted_mse(network(weights, sizes, model)(features), target, sample_weights),
            weights,
            local,
        )

    return local_round


def descend(loss: Callable[[tf.Tensor], tf.Tensor], weights: tf.Tensor, local: LocalSettings) -> tf.Tensor:
    """Take L steps of Adam on a loss without constraint; within a `tf.function`.

    Args:
        loss: of the flat weights, float32 [P], to a scalar.
        weights: where to start, float32 [P].
        local: L, the rate, and which iterate to return.

    Returns:
        the mean of the L iterates (or the last), float32 [P].
    """

    def one_epoch(epoch, weights, adam):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(weights)
        return adam.step(weights, tape.gradient(value, weights), epoch, local.learning_rate)

    (weights,) = local_epochs(one_epoch, weights, local)
    return weights


def local_epochs(
    one_epoch: Callable[..., tuple[Any, ...]], weights: tf.Tensor, local: LocalSettings, *tallies: tf.Tensor
) -> tuple[tf.Tensor, ...]:
    """Run epochs l = 0..L-1 from fresh moments of Adam; within a `tf.function`.

    Args:
        one_epoch: (l, weights, Adam's state, *tallies) -> (weights, Adam's state, *tallies) after one step.
        weights: where to start, float32 [P].
        local: L, and which iterate to return.
        *tallies: what else an epoch hands on to the next.

    Returns:
        the mean of the L iterates (or the last), float32 [P], and the tallies after the last epoch.
    """

    def counted(epoch, total, *carried):
        weights, *rest = one_epoch(epoch, *carried)
        return epoch + 1, total + weights, weights, *rest

    zeros = tf.zeros_like(weights)
    start = (tf.constant(0), zeros, weights, Adam(zeros, zeros), *tallies)
    _, total, last, _, *counts = tf.while_loop(lambda epoch, *_: epoch < local.epochs, counted, start)
    return total / local.epochs if local.returned_iterate == "mean" else last, *counts
