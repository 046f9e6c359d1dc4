"""What is explained of a model, as the function of arrays that attribution methods see."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from reproduction.attribution.layout import Layout


@dataclass(frozen=True)
class ScalarFunction:
    """A model seen through one of its outputs: a row of features in, a number out. Rows must not influence each other.

    Rows may be several copies of the batch's samples, one whole copy behind the other.

    Attributes:
        model: a Keras model or layer (called with `training=False`), or a function of what `layout` says, float32
            [n, ...], that returns [n] or [n, ...outputs], bare or as the only entry of a dict.
        layout: how the features lie in the model's inputs.
        target: the output unit, by its place along each of the outputs' axes; None if there is but one, or `start`.
        start: in place of it, each output's weight for every sample of the batch, float64 [n, ...outputs].
        graph: the model's operations, for a method that looks inside it.
        differentiated: `_differentiated` as a graph of TensorFlow's, if `compiled`.
    """

    model: Callable[..., Any]
    layout: Layout
    target: tuple[int, ...] | None = None
    start: np.ndarray | None = None
    graph: Any = None
    differentiated: Callable[..., list[Any]] | None = None

    def values(self, rows: np.ndarray) -> np.ndarray:
        """Evaluate the function.

        Args:
            rows: float32 [m, features].

        Returns:
            What is explained, float64 [m].

        Raises:
            ValueError: there are several outputs, the output has the wrong shape or is not finite, or `target` or
                `start` is missing or does not fit.
        """
        return finite("output", np.asarray(self.explained(self.output(rows)), np.float64))

    def output(self, rows: np.ndarray) -> np.ndarray:
        """Evaluate the model at float32 [m, features]; return all of its output, [m, ...outputs].

        Raises:
            ValueError: it does not give a result per row, or several outputs.
        """
        given = rows if is_keras(self.model) else rows.copy()  # a function may work in place
        output = np.asarray(self._call(self.layout.unpack(given)))
        self._require_a_result_per_row(output.shape, len(rows))
        return output

    def gradients(self, rows: np.ndarray) -> np.ndarray:
        """Differentiate the function with TensorFlow.

        Args:
            rows: float32 [m, features].

        Returns:
            The gradient of each row's value with respect to that row, float64 [m, features].

        Raises:
            ValueError: the function is not differentiable by TensorFlow, its gradient is not finite, or what `values`
                refuses.
        """
        import tensorflow as tf  # here and in the walk: importing it costs seconds, and the other methods do without

        tensors = [tf.convert_to_tensor(array) for array in self.layout.unpack(rows)]
        start = None if self.start is None else tf.constant(self.start)
        gradients = (self.differentiated or self._differentiated)(tensors, start)
        if all(one is None for one in gradients):
            raise ValueError(
                "model must be differentiable by TensorFlow for this method, but no gradient reaches its input; "
                "write it with tf.* operations, explain the model behind an embedding, or take occlusion, "
                "shapley_sampling or shapley_exact."
            )
        arrays = [
            np.zeros(tensor.shape) if one is None else tf.convert_to_tensor(one).numpy().astype(np.float64)
            for one, tensor in zip(gradients, tensors, strict=True)
        ]
        return finite("gradient", self.layout.pack(arrays))

    def compiled(self) -> "ScalarFunction":
        """Return the function, of a Keras model, with its gradient as a graph of TensorFlow's, for much work.

        Run as it is written, a convolution differentiates by its weights too.
        """
        import tensorflow as tf

        run: Callable[..., list[Any]] = tf.function(self._differentiated, autograph=False)

        def differentiated(tensors: list[Any], start: Any) -> list[Any]:
            nonlocal run
            try:
                return run(tensors, start)
            except Exception:  # a layer that only runs as it is written; what is wrong there too, says so there
                run = self._differentiated
                return run(tensors, start)

        return replace(self, differentiated=differentiated)

    def _differentiated(self, tensors: list[Any], start: Any) -> list[Any]:
        """Return the gradients of what is explained with respect to each of the model's inputs, or None for some."""
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors)
            output = tf.convert_to_tensor(self._call(tensors))
            self._require_a_result_per_row(tuple(output.shape), tensors[0].shape[0])
            total = tf.reduce_sum(replace(self, start=start).explained(output))
        return tape.gradient(total, tensors)

    def explained(self, output: Any) -> Any:
        """Return what is explained of a model's output, array or tensor [m, ...outputs], of its type, [m].

        Raises:
            ValueError: `target` or `start` is missing or does not fit the outputs.
        """
        if self.start is None:
            return output[(slice(None), *self._unit(tuple(output.shape[1:])))]
        weights = self.weights(output.shape)
        if isinstance(output, np.ndarray):
            return (output * weights).reshape(len(output), -1).sum(axis=1)
        import tensorflow as tf

        return tf.reduce_sum(output * tf.cast(weights, output.dtype), axis=list(range(1, len(output.shape))))

    def weights(self, shape: Sequence[int]) -> Any:
        """Return the weight of each output of this shape [m, ...outputs] in what is explained, float64.

        Raises:
            ValueError: `target` or `start` is missing or does not fit the outputs.
        """
        rows, *sizes = shape
        outputs = tuple(sizes)
        if self.start is None:
            weights = np.zeros((rows, *outputs))
            unit: tuple[Any, ...] = (slice(None), *self._unit(outputs))
            weights[unit] = 1.0
            return weights
        if tuple(self.start.shape[1:]) != outputs:
            raise ValueError(
                f"start must weigh the model's outputs {outputs}, got weights of the shape "
                f"{tuple(self.start.shape[1:])} per sample; give every output a weight."
            )
        copies = (rows // self.start.shape[0], *(1,) * len(outputs))
        if isinstance(self.start, np.ndarray):
            return np.tile(self.start, copies)
        import tensorflow as tf

        return tf.tile(self.start, copies)

    def _unit(self, outputs: tuple[int, ...]) -> tuple[int, ...]:
        """Return where the unit to explain stands among the outputs.

        Raises:
            ValueError: `target` is missing although there are several, or is out of range.
        """
        count = prod(outputs)
        if self.target is None:
            if count != 1:
                last = f"target=0 .. {count - 1}" if len(outputs) == 1 else "an index for each of their axes, or start"
                shown = count if len(outputs) == 1 else outputs
                raise ValueError(f"target must name one of the model's {shown} outputs, got None; pass {last}.")
            return (0,) * len(outputs)
        target = () if not outputs and self.target == (0,) else self.target
        if len(target) != len(outputs):
            raise ValueError(
                f"target must have an index for each axis of the model's outputs {outputs}, got {len(target)}; "
                "pass a tuple of that length."
            )
        for index, size in zip(target, outputs, strict=True):
            if not 0 <= index < size:
                raise ValueError(
                    f"target must lie in 0 .. {size - 1} for a model with {size} output(s), got {index}; "
                    "pass the index of an output unit."
                )
        return target

    def _call(self, arrays: list[Any]) -> Any:
        """Call the model, and take its only output out of a dict."""
        if is_keras(self.model):
            return called(self.model, arrays)
        return _only(self.model(arrays if self.layout.is_list else arrays[0]))

    @staticmethod
    def _require_a_result_per_row(shape: tuple[int, ...], rows: int) -> None:
        if not shape or shape[0] != rows:
            raise ValueError(
                f"model must return [n] or [n, ...outputs] for n = {rows} rows, got the shape {shape}; "
                "let it map each row of features on its own."
            )


def called(model: Any, arrays: list[Any]) -> Any:
    """Call a Keras model as at inference on its inputs, alone or in the list or dict that it was built with.

    Raises:
        ValueError: it returns several outputs in a dict.
    """
    built_with = getattr(model, "_inputs_struct", None)
    if built_with is None:
        given = arrays if len(arrays) > 1 else arrays[0]
    else:
        given = sys.modules["keras"].tree.pack_sequence_as(built_with, arrays)
    return _only(model(given, training=False))


def _only(output: Any) -> Any:
    """Return a model's only output, taken out of a dict."""
    while isinstance(output, Mapping):
        if len(output) != 1:
            raise ValueError(
                f"model must return one output, got a dict with the entries {list(output)}; wrap it in a function "
                "that returns one of them."
            )
        (output,) = output.values()
    if isinstance(output, (list, tuple)) and any(np.ndim(one) > 0 for one in output):
        if len(output) != 1:
            raise ValueError(
                f"model must return one output, got a {type(output).__name__} of {len(output)}; wrap it in a function "
                "that returns one of them."
            )
        (output,) = output
    return output


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
