"""Training a receiver: Adam on the binary cross-entropy of the data cells' bits, epoch by epoch, kept after each.

A training is a value: weights, running means, Adam's moments, epochs done. So one that was stopped after an epoch goes
on to the same bits. On one thread of one machine the same seed gives the same bits.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reproduction.receiver.network import features
from reproduction.receiver.samples import Learned
from reproduction.receiver.settings import Training
from reproduction.seeds import generator


@dataclass(frozen=True)
class State:
    """A training after some epochs.

    Attributes:
        epochs: that are done.
        weights: of the network, running means included, as `model.get_weights` has them.
        adam: Adam's means and squares of each trained weight, in turn; none before the first step.
        losses: mean cross-entropy of each epoch, in nats per bit.
    """

    epochs: int
    weights: list[np.ndarray]
    adam: list[np.ndarray]
    losses: list[float]


def started(model: keras.Model) -> State:
    """Return the state before the first step: the model's weights as they are."""
    trained = [variable.numpy() for variable in model.trainable_variables]
    return State(0, model.get_weights(), [np.zeros_like(one) for one in trained for _ in range(2)], [])


def cross_entropy(soft_bits: Any, bits: Any, is_data: Any) -> Any:
    """Return the mean binary cross-entropy of each frame's data cells, in nats per bit, float32 [n].

    Args:
        soft_bits: float32 [n, symbols, subcarriers, bits per cell].
        bits: that were sent, of that shape, float32.
        is_data: float32 [symbols, subcarriers], 1 where a cell carries data.
    """
    of_cells = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(bits, soft_bits), axis=-1)
    return tf.reduce_sum(of_cells * is_data, axis=(1, 2)) / tf.reduce_sum(is_data)


class Trainer:
    """Trains one model; a step is compiled once.

    Args:
        model: whose weights are overwritten.
        how: epochs, batch, learning rate.
        learned: frames to learn from.
        pilots: of the grid, complex64 [symbols, subcarriers], 0 where it carries data.
        seed: of the orders.
    """

    def __init__(self, model: keras.Model, how: Training, learned: Learned, pilots: np.ndarray, seed: int) -> None:
        self.model, self.how, self.learned, self.pilots, self.seed = model, how, learned, pilots, seed
        self._is_data = tf.constant(pilots == 0, tf.float32)
        self._steps = len(learned.received) // how.batch
        rates = keras.optimizers.schedules.CosineDecay(how.learning_rate, self._steps * how.epochs)
        self._adam = keras.optimizers.Adam(rates)
        self._adam.build(model.trainable_variables)

    def epoch(self, state: State, left_out: Sequence[int] | np.ndarray = ()) -> State:
        """Return the state after one more epoch.

        Args:
            state: before it.
            left_out: places of frames that teach nothing: they stay in their batches, where only the normalisation
                sees them, so that all others are met as they would be with them.

        Raises:
            ValueError: the weights or the cross-entropy are no finite numbers any more.
        """
        self._restore(state)
        order = generator(self.seed, "order", state.epochs).permutation(len(self.learned.received))
        teaches = ~np.isin(order, np.asarray(left_out, int))
        total = tf.constant(0.0)
        steps = len(order) // self.how.batch
        for step in range(steps):
            part = slice(step * self.how.batch, (step + 1) * self.how.batch)
            received, bits = self.learned.received[order[part]], self.learned.bits[order[part]]
            if teaches[part].all():
                total += self._step(received, bits)
            else:
                total += self._step_of_some(received, bits, teaches[part].astype(np.float32))
        weights, loss = self.model.get_weights(), float(total) / steps
        if not (math.isfinite(loss) and all(np.isfinite(one).all() for one in weights)):
            raise ValueError(
                f"weights must stay finite, got NaN or infinity in epoch {state.epochs}; check the frames, or learn "
                "more slowly."
            )
        return State(state.epochs + 1, weights, [moment.numpy() for moment in self._moments()], [*state.losses, loss])

    def _moments(self) -> list[Any]:
        """Return Adam's variables but for the step."""
        return self._adam.variables[1:]

    def _restore(self, state: State) -> None:
        self.model.set_weights(state.weights)
        self._adam.iterations.assign(state.epochs * self._steps)
        for variable, value in zip(self._moments(), state.adam, strict=True):
            variable.assign(value)

    @tf.function
    def _step(self, received: Any, bits: Any) -> Any:
        return self._stepped(received, bits, tf.reduce_mean)

    @tf.function
    def _step_of_some(self, received: Any, bits: Any, teaches: Any) -> Any:
        count = tf.maximum(tf.reduce_sum(teaches), 1.0)
        return self._stepped(received, bits, lambda losses: tf.reduce_sum(teaches * losses) / count)

    def _stepped(self, received: Any, bits: Any, mean: Callable[[Any], Any]) -> Any:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            soft_bits = self.model(features(received, self.pilots), training=True)
            loss = mean(cross_entropy(soft_bits, tf.cast(bits, tf.float32), self._is_data))
        self._adam.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return loss
