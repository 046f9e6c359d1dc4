"""Fine-tuning a receiver on a few frames: gradient steps on their mean loss, running means left as they are.

Influence is a derivative at the trained weights of the network as it runs; so it runs here, too, and steps are plain:
down the gradient by a rate well below 2 / lambda_max of the training's Hessian, where that of the few frames is not
known; or of a length that is given.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from reproduction.attribution.compiled import compiled
from reproduction.attribution.influence import Influence

BLOCK = 50
"""Frames that are differentiated at once: the network's layers then take some 200 MB."""


CURVATURE_STEPS = 10
"""Of Lanczos's iteration, after which its greatest eigenvalue stands."""


def greatest_curvature(model: Any, loss: Callable[[Any, Any], Any], features: np.ndarray, targets: np.ndarray) -> float:
    """Return the greatest eigenvalue of the Hessian of the frames' mean loss, nearly, and from below."""
    return float(Influence(model, loss, iterations=CURVATURE_STEPS).fit(features, targets).eigenvalues.max())


class FineTuner:
    """Fine-tunes one network, from the same weights again and again.

    Args:
        model: whose trained weights are overwritten.
        loss: of (targets, what the model gives), a number per frame.
    """

    def __init__(self, model: Any, loss: Callable[[Any, Any], Any]) -> None:
        self.model, self._loss = model, loss
        self._variables = list(model.trainable_variables)
        self._start = [variable.numpy() for variable in self._variables]
        self._summed = compiled(self._sum_of_gradients)

    def reset(self) -> None:
        """Go back to the weights that the network came with."""
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)

    def first_order(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        rate: float,
        steps: int,
        on_step: Callable[[int], None],
    ) -> float:
        """Step down the gradient of the frames' mean loss; up, if the rate is negative.

        Args:
            features: what the model takes of k frames.
            targets: what the loss takes of them.
            rate: length of a step over the gradient's.
            steps: how many.
            on_step: told the number of each step once it is made, from 1.

        Returns:
            How far the weights have come, the Euclidean norm; no finite number where the steps were too long.
        """
        self.reset()
        for step in range(1, steps + 1):
            gradients = self._gradient(features, targets)
            for variable, gradient in zip(self._variables, gradients, strict=True):
                variable.assign_sub(rate * gradient)
            on_step(step)
        return self._distance()

    def as_far(
        self, features: np.ndarray, targets: np.ndarray, distance: float, steps: int, on_step: Callable[[int], None]
    ) -> float:
        """Step down the gradient of the frames' mean loss, in steps of equal length whatever the gradient's.

        Args:
            features: what the model takes of k frames.
            targets: what the loss takes of them.
            distance: the length of all steps together; up the gradient, if it is negative.
            steps: how many.
            on_step: told the number of each step once it is made, from 1.

        Returns:
            How far the weights have come, the Euclidean norm, at most |distance|.
        """
        self.reset()
        for step in range(1, steps + 1):
            gradients = self._gradient(features, targets)
            length = max(float(np.linalg.norm(_joined(gradients))), 1e-30)
            for variable, gradient in zip(self._variables, gradients, strict=True):
                variable.assign_sub(distance / steps / length * gradient)
            on_step(step)
        return self._distance()

    def along(self, direction: np.ndarray, distance: float, steps: int, on_step: Callable[[int], None]) -> None:
        """Go a distance along a direction, in steps of equal length.

        Args:
            direction: float [P], all trained weights in turn.
            distance: Euclidean, >= 0.
            steps: how many.
            on_step: told the number of each step once it is made, from 1.
        """
        self.reset()
        unit = direction / max(float(np.linalg.norm(direction)), 1e-30)
        parts = self._apart(distance / steps * unit)
        for step in range(1, steps + 1):
            for variable, part in zip(self._variables, parts, strict=True):
                variable.assign_add(part)
            on_step(step)

    def _gradient(self, features: np.ndarray, targets: np.ndarray) -> list[Any]:
        """Return the gradient of the frames' mean loss by each trained weight."""
        total: list[Any] = []
        for start in range(0, len(features), BLOCK):
            part = slice(start, start + BLOCK)
            found = self._summed(features[part], targets[part])
            total = [one + other for one, other in zip(total, found, strict=True)] if total else found
        return [one / len(features) for one in total]

    def _apart(self, vector: np.ndarray) -> list[np.ndarray]:
        sizes = np.cumsum([value.size for value in self._start])[:-1]
        parts = np.split(vector, sizes)
        return [part.reshape(value.shape).astype(np.float32) for part, value in zip(parts, self._start, strict=True)]

    def _distance(self) -> float:
        moved = [variable.numpy() - value for variable, value in zip(self._variables, self._start, strict=True)]
        return float(np.linalg.norm(_joined(moved)))

    def _sum_of_gradients(self, features: Any, targets: Any) -> list[Any]:
        values = [variable.value for variable in self._variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for value in values:
                tape.watch(value)
            loss = tf.reduce_sum(self._loss(targets, self.model(features, training=False)))
        gradients = tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [tf.convert_to_tensor(one) for one in gradients]  # those of a table come as its rows


def _joined(gradients: Sequence[Any]) -> np.ndarray:
    """Return gradients as one vector, float64 [P]."""
    return np.concatenate([np.asarray(one, float).ravel() for one in gradients])
