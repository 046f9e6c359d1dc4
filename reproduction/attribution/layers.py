"""A Keras chain read into affine maps and activations, for the methods that look inside a model.

Read: Dense with or without bias and with any activation below, BatchNormalization (at inference), Dropout and its
noise kin (off), Activation, ReLU, LeakyReLU and ELU layers of any slope, InputLayer, nested Sequential and
single-path functional models. Activations: linear, ReLU, leaky ReLU, ELU, tanh, sigmoid, softplus. Anything else is
refused by its name: a layer passed by its gradient would silently turn LRP and DeepLIFT into gradient x input.

The pieces compute in float64, so that the quotients of LRP and DeepLIFT keep float32's digits near zero.

Differs from the paper: nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.attribution import activations
from reproduction.attribution.activations import Activation
from reproduction.attribution.scalar_function import is_keras


@dataclass(frozen=True)
class Dense:
    """The map x @ kernel + bias.

    Attributes:
        kernel: float64 [inputs, outputs].
        bias: float64 [outputs].
    """

    kernel: np.ndarray
    bias: np.ndarray

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Map float64 [n, inputs] to float64 [n, outputs]."""
        return x @ self.kernel + self.bias

    def pull_back(self, multipliers: np.ndarray) -> np.ndarray:
        """Carry multipliers of the outputs, float64 [n, outputs], to the inputs, float64 [n, inputs]."""
        return multipliers @ self.kernel.T


@dataclass(frozen=True)
class Scaling:
    """The map x * factor + shift, unit by unit.

    Attributes:
        factor: float64 [units].
        shift: float64 [units].
    """

    factor: np.ndarray
    shift: np.ndarray

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Map float64 [n, units] to float64 [n, units]."""
        return x * self.factor + self.shift

    def pull_back(self, multipliers: np.ndarray) -> np.ndarray:
        """Carry multipliers of the outputs to the inputs, both float64 [n, units]."""
        return multipliers * self.factor


Piece = Dense | Scaling | Activation


def read_chain(model: Any) -> tuple[Piece, ...]:
    """Read a Keras model into the pieces it applies one after the other at inference.

    Args:
        model: a Keras Sequential or single-path functional model over [n, features].

    Returns:
        The pieces, from the input to the output.

    Raises:
        TypeError: `model` is not a Keras model.
        ValueError: a layer, an activation or a branch that cannot be read, by its name; or a model not built yet.
    """
    if not is_keras(model):
        raise TypeError(
            f"model must be a Keras model for epsilon_lrp and deeplift, which look at its layers, got "
            f"{type(model).__name__}; take integrated_gradients or a Shapley method for a function."
        )
    return tuple(_read(model))


def _read(layer: Any) -> Iterator[Piece]:
    import keras  # already imported by whoever built the model

    kind = type(layer)  # exact: a subclass may compute something else
    if kind is keras.Sequential:
        for inner in layer.layers:
            yield from _read(inner)
    elif isinstance(layer, keras.Model) and kind.__module__.split(".")[0] == "keras" and hasattr(layer, "inputs"):
        for inner in _layers_along_the_path(layer):
            yield from _read(inner)
    elif kind is keras.layers.Dense:
        yield _dense(layer)
        yield _activation(layer, layer.activation)
    elif kind is keras.layers.BatchNormalization:
        yield _batch_normalization(layer)
    elif kind is keras.layers.Activation:
        yield _activation(layer, layer.activation)
    elif _is_one_of(kind, keras.layers, ("ReLU", "LeakyReLU", "ELU")):
        yield _activation(layer, layer)
    elif not _is_one_of(
        kind, keras.layers, ("InputLayer", "Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout", "Identity")
    ):
        raise _refusal(f"layer '{layer.name}' of type {kind.__name__}")


def _is_one_of(kind: type, namespace: Any, names: tuple[str, ...]) -> bool:
    return any(kind is getattr(namespace, name) for name in names)


def _layers_along_the_path(model: Any) -> list[Any]:
    """Return the layers of a functional model in order, refusing any fork or join by name."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise _refusal(f"model '{model.name}' with {len(model.inputs)} inputs and {len(model.outputs)} outputs")
    path: list[Any] = []
    tensor = model.outputs[0]
    while tensor is not model.inputs[0]:
        operation, node_index, _ = tensor._keras_history
        parents = operation._inbound_nodes[node_index].input_tensors
        if len(parents) != 1:
            raise _refusal(f"layer '{operation.name}' of type {type(operation).__name__} with {len(parents)} inputs")
        path.insert(0, operation)
        tensor = parents[0]
    return path


def _dense(layer: Any) -> Dense:
    _require_built(layer)
    if getattr(layer, "quantization_mode", None) is not None:
        raise _refusal(f"layer '{layer.name}' of type Dense with {layer.quantization_mode} weights")
    kernel = np.asarray(layer.kernel, dtype=np.float64)
    bias = np.zeros(kernel.shape[1]) if layer.bias is None else np.asarray(layer.bias, dtype=np.float64)
    return Dense(kernel, bias)


def _batch_normalization(layer: Any) -> Scaling:
    """Ioffe and Szegedy 2015 (arXiv 1502.03167), Algorithm 2: the affine map of inference."""
    _require_built(layer)
    if layer.axis not in (-1, 1):
        raise _refusal(f"layer '{layer.name}' of type BatchNormalization over axis {layer.axis}")
    mean = np.asarray(layer.moving_mean, dtype=np.float64)
    factor = 1.0 / np.sqrt(np.asarray(layer.moving_variance, dtype=np.float64) + layer.epsilon)
    if layer.scale:
        factor = factor * np.asarray(layer.gamma, dtype=np.float64)
    shift = np.asarray(layer.beta, dtype=np.float64) if layer.center else np.zeros_like(mean)
    return Scaling(factor, shift - mean * factor)


def _activation(layer: Any, function: Any) -> Activation:
    """Read an activation given as a Keras function or as an activation layer."""
    import keras

    kind = type(function)
    if kind is keras.layers.Activation:
        return _activation(layer, function.activation)
    if kind is keras.layers.LeakyReLU:
        return activations.leaky_relu(float(function.negative_slope))
    if kind is keras.layers.ELU:
        return activations.elu(float(function.alpha))
    if kind is keras.layers.ReLU and function.max_value is None and function.threshold == 0:
        return activations.leaky_relu(float(function.negative_slope))
    for name, piece in activations.BY_KERAS_NAME.items():
        if function is getattr(keras.activations, name):
            return piece
    name = getattr(function, "__name__", kind.__name__)
    if kind is keras.layers.ReLU:
        name = f"ReLU(max_value={function.max_value}, threshold={function.threshold})"
    raise _refusal(f"activation '{name}' of layer '{layer.name}' ({type(layer).__name__})")


def _require_built(layer: Any) -> None:
    if not layer.built:
        raise ValueError(
            f"model must be built, but its layer '{layer.name}' has no weights yet; call the model once on a batch, "
            "or begin it with keras.Input."
        )


def _refusal(what: str) -> ValueError:
    return ValueError(
        f"model must be a chain of layers that epsilon_lrp and deeplift know, got {what}; known are Dense, "
        "BatchNormalization, Dropout, Activation, ReLU, LeakyReLU, ELU and nested Sequential, with the activations "
        f"{', '.join(activations.BY_KERAS_NAME)}. Take integrated_gradients or a Shapley method for any other model."
    )
