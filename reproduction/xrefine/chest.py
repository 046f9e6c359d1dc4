"""XAI-CHEST: how much noise each input of an estimator tolerates.

Gizzini, Medjahdi, Ghandour and Clavier (arXiv 2307.00952, 2407.07009), as third parties describe it: a second network
says how much noise to add to each input, and learns to add as much as it can without making the estimator worse; inputs
that tolerate much are dropped. What the noise is worth in its loss is not known; ours is `REWARD`.
"""

import functools
from typing import Any

import numpy as np

from reproduction.xrefine.network import FEATURES, Weights, first_weights, forward, hidden_of
from reproduction.xrefine.rankings import Subject
from reproduction.xrefine.relevance import Scores, of_subcarriers
from reproduction.xrefine.training import Adam

REWARD = 0.1
"""What a standard deviation of noise is worth, in units of the standardised outputs' squared error."""

STEPS, BATCH, LEARNING_RATE = 2000, 128, 1e-3
"""Of the noise network's training."""


def tolerance(subject: Subject) -> Scores:
    """Return how little noise each subcarrier tolerates, greater is better; of neurons it says nothing."""
    generator = np.random.default_rng(subject.seed)
    first = first_weights(hidden_of(subject.weights), generator)
    noise = _compiled()(first, subject.weights, subject.features, subject.targets, np.int32(subject.seed))
    spread = 1.0 / (1.0 + np.exp(-forward(noise, subject.features).numpy().astype(float)))
    return Scores(-of_subcarriers(spread.mean(axis=0)), ())


@functools.cache
def _compiled() -> Any:
    """Return the training of the noise network, whose outputs are log-odds of standard deviations below 1."""
    import tensorflow as tf

    adam = Adam(LEARNING_RATE)

    def run(first: Weights, estimator: Weights, inputs: Any, targets: Any, seed: Any) -> Any:
        def step(number: Any, weights: Any, *state: Any) -> Any:
            places = tf.random.stateless_uniform((BATCH,), (seed, number), 0, inputs.shape[0], tf.int32)
            features, wanted = tf.gather(inputs, places), tf.gather(targets, places)
            drawn = tf.random.stateless_normal((BATCH, FEATURES), (seed, -1 - number))
            with tf.GradientTape() as tape:
                tape.watch(weights)
                spread = tf.sigmoid(forward(weights, features))
                error = tf.reduce_mean((forward(estimator, features + spread * drawn) - wanted) ** 2)
                loss = error - REWARD * tf.reduce_mean(spread)
            return number + 1, *adam.step(weights, tape.gradient(loss, weights), *state)

        return tf.while_loop(lambda number, *_: number < STEPS, step, (0, first, *adam.start(first)))[1]

    return tf.function(run, jit_compile=True, autograph=False)
