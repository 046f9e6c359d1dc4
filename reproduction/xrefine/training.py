"""Training an estimator: Adam on the mean squared error, all epochs in one compiled call."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.seeds import stream
from reproduction.xrefine.network import Weights, forward

BETA_1, BETA_2, SMALLEST = 0.9, 0.999, 1e-7
"""Adam's, as Keras has them."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is trained.

    Attributes:
        epochs: passes over the samples, each in another order.
        batch: samples per step; what is left of an epoch behind its last whole batch is left out.
        learning_rate: Adam's.
    """

    epochs: int = 40
    batch: int = 128
    learning_rate: float = 1e-3


def order_seed(root_seed: int, purpose: str, turn: int = 0) -> int:
    """Return the seed of the orders of one training; its arguments are the run's seed, what for, and how often yet."""
    return int(stream(root_seed, "order", purpose, turn).generate_state(1)[0] >> 1)


def trained(
    weights: Weights, masks: Weights, inputs: np.ndarray, targets: np.ndarray, how: Training, seed: int
) -> Weights:
    """Train a network; the same seed gives the same bits on one machine, with one thread.

    Args:
        weights: to begin with.
        masks: 1 for the weights that are trained, 0 for those that stay 0; see `network.masks_of`.
        inputs: float32 [n, features].
        targets: float32 [n, outputs].
        how: epochs, batch, learning rate.
        seed: of the orders.

    Raises:
        ValueError: there are fewer samples than in a batch, or the weights are no finite numbers in the end.
    """
    if len(inputs) < how.batch:
        raise ValueError(f"samples must be at least a batch of {how.batch}, got {len(inputs)}; give more of them.")
    found = [one.numpy() for one in _compiled(how)(weights, masks, inputs, targets, np.int32(seed))]
    if not all(np.isfinite(one).all() for one in found):
        raise ValueError("weights must stay finite, got NaN or infinity; scale the samples, or learn more slowly.")
    return found


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, Algorithm 1 in the form that ends its Sec. 2), with Keras's constants.

    Attributes:
        learning_rate: of every step.
    """

    learning_rate: float

    def start(self, weights: Any) -> tuple[Any, Any, Any]:
        """Return its state before the first step: means and squares of the gradients, and the time."""
        import tensorflow as tf

        zeros = [tf.zeros_like(weight) for weight in weights]
        return zeros, zeros, 0.0

    def step(self, weights: Any, gradients: Any, means: Any, squares: Any, time: Any) -> tuple[Any, Any, Any, Any]:
        """Return the weights and the state after a step."""
        import tensorflow as tf

        time += 1.0
        means = [BETA_1 * old + (1.0 - BETA_1) * new for old, new in zip(means, gradients, strict=True)]
        squares = [BETA_2 * old + (1.0 - BETA_2) * new**2 for old, new in zip(squares, gradients, strict=True)]
        rate = self.learning_rate * tf.sqrt(1.0 - BETA_2**time) / (1.0 - BETA_1**time)
        changes = [mean / (tf.sqrt(square) + SMALLEST) for mean, square in zip(means, squares, strict=True)]
        return [weight - rate * change for weight, change in zip(weights, changes, strict=True)], means, squares, time


@functools.cache
def _compiled(how: Training) -> Callable[..., Any]:
    """Return the compiled training; a call of other shapes compiles it anew, which takes some seconds."""
    import tensorflow as tf

    adam = Adam(how.learning_rate)

    def run(weights: Any, masks: Any, inputs: Any, targets: Any, seed: Any) -> Any:
        count, steps = inputs.shape[0], inputs.shape[0] // how.batch
        start = [weight * mask for weight, mask in zip(weights, masks, strict=True)]

        def epoch(number: Any, *state: Any) -> Any:
            order = tf.argsort(tf.random.stateless_uniform((count,), (seed, number)))[: steps * how.batch]
            batches = [
                tf.reshape(tf.gather(rows, order), (steps, how.batch, rows.shape[1])) for rows in (inputs, targets)
            ]

            def step(place: Any, weights: Any, *state: Any) -> Any:
                features, wanted = (rows[place] for rows in batches)
                with tf.GradientTape() as tape:
                    tape.watch(weights)
                    loss = tf.reduce_mean((forward(weights, features) - wanted) ** 2)
                gradients = [one * mask for one, mask in zip(tape.gradient(loss, weights), masks, strict=True)]
                return place + 1, *adam.step(weights, gradients, *state)

            _, *state = tf.while_loop(lambda place, *_: place < steps, step, (0, *state))
            return number + 1, *state

        return tf.while_loop(lambda number, *_: number < how.epochs, epoch, (0, start, *adam.start(start)))[1]

    return tf.function(run, jit_compile=True, autograph=False)
