"""One output unit of a model, as the function of arrays that attribution methods see."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ScalarFunction:
    """A model seen through one of its outputs: a row of features in, a number out. Rows must not influence each other.

    Attributes:
        model: a Keras model or layer (called with `training=False`), or a function of an array float32 [n, features]
            that returns [n], [n, 1] or [n, outputs], bare or as the only entry of a dict.
        target: the output unit, or None if there is but one.
    """

    model: Callable[..., Any]
    target: int | None

    def values(self, inputs: np.ndarray) -> np.ndarray:
        """Evaluate the function.

        Args:
            inputs: float32 [n, features].

        Returns:
            The chosen output, float64 [n].

        Raises:
            ValueError: there are several outputs, the output has the wrong shape or is not finite, or `target` is
                missing or out of range.
        """
        output = np.asarray(self._call(inputs))
        column = self._column(output.shape, len(inputs))
        values = (output if column is None else output[:, column]).astype(np.float64)
        return finite("output", values)

    def gradients(self, inputs: np.ndarray) -> np.ndarray:
        """Differentiate the function with TensorFlow.

        Args:
            inputs: float32 [n, features].

        Returns:
            The gradient of each row's output with respect to that row, float64 [n, features].

        Raises:
            ValueError: the function is not differentiable by TensorFlow, there are several outputs, its output has the
                wrong shape, its gradient is not finite, or `target` is missing or out of range.
        """
        import tensorflow as tf  # here and nowhere else: importing it costs seconds, and the other methods do without

        tensor = tf.convert_to_tensor(inputs)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            output = tf.convert_to_tensor(self._call(tensor))
            column = self._column(tuple(output.shape), len(inputs))
            total = tf.reduce_sum(output if column is None else output[:, column])
        gradients = tape.gradient(total, tensor)
        if gradients is None:
            raise ValueError(
                "model must be differentiable by TensorFlow for this method, but no gradient reaches its input; "
                "write it with tf.* operations, or take occlusion, shapley_sampling or shapley_exact."
            )
        return finite("gradient", tf.convert_to_tensor(gradients).numpy().astype(np.float64))

    def column_of(self, outputs: int) -> int:
        """Return the output unit to explain among `outputs`.

        Raises:
            ValueError: `target` is missing although there are several outputs, or it is out of range.
        """
        if self.target is None:
            if outputs != 1:
                raise ValueError(
                    f"target must name one of the model's {outputs} outputs, got None; pass target=0 .. {outputs - 1}."
                )
            return 0
        if not 0 <= self.target < outputs:
            raise ValueError(
                f"target must lie in 0 .. {outputs - 1} for a model with {outputs} output(s), got {self.target}; "
                "pass the index of an output unit."
            )
        return self.target

    def _call(self, inputs: Any) -> Any:
        """Call the model, and take its only output out of a dict."""
        output = self.model(inputs, training=False) if is_keras(self.model) else self.model(inputs)
        while isinstance(output, Mapping):
            if len(output) != 1:
                raise ValueError(
                    f"model must return one output, got a dict with the entries {list(output)}; wrap it in a function "
                    "that returns one of them."
                )
            (output,) = output.values()
        return output

    def _column(self, shape: tuple[int, ...], rows: int) -> int | None:
        """Return the column to explain, or None where the output has no columns."""
        if len(shape) not in (1, 2) or shape[0] != rows:
            raise ValueError(
                f"model must return [n], [n, 1] or [n, outputs] for n = {rows} rows, got the shape {shape}; "
                "let it map each row of features on its own."
            )
        column = self.column_of(1 if len(shape) == 1 else shape[1])
        return None if len(shape) == 1 else column


def is_keras(model: object) -> bool:
    """Tell whether the model is a Keras layer or model, without importing Keras for those who do not use it."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(model, keras.Layer)


def finite(what: str, array: np.ndarray) -> np.ndarray:
    """Return the array, float64 [...], `what` naming what the model gave.

    Raises:
        ValueError: it holds NaN or infinity.
    """
    if not np.isfinite(array).all():
        raise ValueError(
            f"model must have a finite {what} at the inputs, the baseline and between them, got NaN or infinity; "
            "check its weights and the range of the inputs."
        )
    return array
