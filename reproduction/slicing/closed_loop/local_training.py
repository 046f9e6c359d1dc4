"""Algorithm 1's inner loop: one CL's L local epochs of one round, compiled once for all CLs, slices and rounds.

The CL's data, weights, multipliers, seed and SLA are arguments, never captured; a CL with fewer samples is
padded with samples of weight 0.

Differs from the paper: the oracle of the W-player is one Adam step; both players step from the same iterate, as
in TFCO; the Tester draws its batch with replacement; an epoch with an empty U has no constraint.
"""

from collections.abc import Callable
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
from reproduction.slicing.closed_loop.proxy_lagrangian import Game, multipliers, terms
from reproduction.slicing.settings import Explainer, LocalSettings, ModelSettings

ADAM_DECAY, ADAM_DECAY_SQUARED, ADAM_EPSILON = 0.9, 0.999, 1e-7
"""Keras' defaults; the paper prints only the rate."""


class Local(NamedTuple):
    """What a CL hands back after L epochs; all float32.

    Attributes:
        weights: the mean of the L iterates (or the last), [P].
        state: log A after the last epoch, [2, 2].
        multiplier: lambda_1 after the last epoch.
        confidence: C averaged over the epochs with a non-empty U, NaN if there was none.
        empty_epochs: epochs whose U was empty.
    """

    weights: tf.Tensor
    state: tf.Tensor
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


def weighted_mse(prediction: tf.Tensor, target: tf.Tensor, sample_weights: tf.Tensor) -> tf.Tensor:
    """(7a): mean squared error over the samples of weight 1, in %^2."""
    return tf.reduce_sum(sample_weights * (prediction - target) ** 2) / tf.reduce_sum(sample_weights)


@cache
def in_hoc_round(explainer: Explainer, sizes: tuple[int, ...], model: ModelSettings, local: LocalSettings):
    """Return the compiled in-hoc round, one CL's L epochs.

    It is a function to `Local` of weights float32 [P], features float32 [Q, D] (scaled), target float32 [D] (%),
    sample_weights float32 [D] (0 or 1),
    baseline float32 [Q, 1] (scaled), bounds float32 [2] (alpha_n, beta_n in %), threshold float32 (nu_n),
    state float32 [2, 2] (log A) and seed int32 [2].
    """
    game = Game(local)
    explain = weighted_attributions(explainer, local.integration_steps)

    @tf.function(jit_compile=True, autograph=False)
    def local_round(weights, features, target, sample_weights, baseline, bounds, threshold, state, seed) -> Local:
        samples = tf.reduce_sum(sample_weights)
        game.state.assign(state)

        def epoch(number, weights, adam, total, confidence, empty):
            layers = split(weights, sizes)
            draws = tf.random.stateless_uniform(
                (1 + local.mutations * sizes[0], local.tester_batch),
                tf.stack([seed[0], seed[1] + number]),
                alg="threefry",
            )
            # Tester: a batch of the local data.  Explainer: attributions, eq. (2), and mutation, eq. (3).
            batch = tf.cast(draws[0] * samples, tf.int32)
            tested = tf.gather(features, batch, axis=1)
            weighted = explain(lambda x: predict(layers, x, model.leaky_slope), tested, baseline)
            mutated = mutate(tested, baseline, soft_attributions(weighted, local.normalisation), draws[1:])
            # Learner: both players' Lagrangians, eqs. (8a) and (8b), at this iterate.
            with tf.GradientTape() as tape:
                tape.watch(weights)
                layers = split(weights, sizes)
                prediction = predict(layers, features, model.leaky_slope)
                members = inside_sla(tf.stop_gradient(tf.gather(prediction, batch)), bounds)
                members = of_each_copy(members, local.mutations)
                mutated_prediction = predict(layers, mutated, model.leaky_slope)
                mse = weighted_mse(prediction, target, sample_weights)
                game.problem.terms = terms(mse, members, mutated_prediction, bounds, threshold, local)
                lagrangian = game.loss()
            descent, ascent = tape.gradient(lagrangian, (weights, game.state))
            weights, adam = adam.step(weights, descent, number, local.learning_rate)
            game.ascend(ascent, local.learning_rate)

            kept = mean_over(members, conforms(mutated_prediction, bounds, local.confidence == "literal"))
            is_empty = 1 - tf.sign(tf.reduce_sum(members))
            return number + 1, weights, adam, total + weights, confidence + kept, empty + is_empty

        zeros = tf.zeros_like(weights)
        _, last, _, total, confidence, empty = tf.while_loop(
            lambda number, *_: number < local.epochs,
            epoch,
            (tf.constant(0), weights, Adam(zeros, zeros), zeros, tf.constant(0.0), tf.constant(0.0)),
        )
        return Local(
            weights=total / local.epochs if local.returned_iterate == "mean" else last,
            state=game.state.read_value(),
            multiplier=multipliers(game.state)[1],
            confidence=confidence / (local.epochs - empty),
            empty_epochs=empty,
        )

    return local_round


@cache
def post_hoc_round(sizes: tuple[int, ...], model: ModelSettings, local: LocalSettings):
    """Return the compiled unconstrained round: lambda_0 = 1, lambda_1 = 0, no explainer in the loop.

    A function of the first four arguments of `in_hoc_round`'s to the weights, float32 [P].
    """

    @tf.function(jit_compile=True, autograph=False)
    def local_round(weights, features, target, sample_weights) -> tf.Tensor:
        def loss(weights):
            prediction = predict(split(weights, sizes), features, model.leaky_slope)
            return weighted_mse(prediction, target, sample_weights)

        return descend(loss, weights, local)

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

    def epoch(number, weights, adam, total):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(weights)
        weights, adam = adam.step(weights, tape.gradient(value, weights), number, local.learning_rate)
        return number + 1, weights, adam, total + weights

    zeros = tf.zeros_like(weights)
    _, last, _, total = tf.while_loop(
        lambda number, *_: number < local.epochs, epoch, (tf.constant(0), weights, Adam(zeros, zeros), zeros)
    )
    return total / local.epochs if local.returned_iterate == "mean" else last
