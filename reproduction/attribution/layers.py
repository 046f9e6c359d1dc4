"""A Keras chain read into affine maps and activations, for the methods that look inside a model.

Read: Dense with or without bias and with any activation below, BatchNormalization (at inference), Dropout and its
noise kin (off), Activation, ReLU, LeakyReLU and ELU layers of any slope, InputLayer, nested Sequential and
single-path functional models. Activations: linear, ReLU, leaky ReLU, ELU, tanh, sigmoid, softplus, whether Keras's own,
TensorFlow's or called on a tensor of the model. Anything else is refused by its name: a layer passed by its gradient
would silently turn LRP and DeepLIFT into gradient x input.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from reproduction.attribution.activations import ACTIVATION_LAYERS, entry, read_activation, refusal
from reproduction.attribution.pieces import Dense, Piece, Scaling
from reproduction.attribution.scalar_function import is_keras


@dataclass(frozen=True)
class Layer:
    """A Keras layer, read.

    Attributes:
        name: the layer's own; behind those of the models it is nested in, "encoder/dense" (Keras allows no "/" in a
            name).
        pieces: what it applies one after the other at inference; none for a layer that is off, such as Dropout.
    """

    name: str
    pieces: tuple[Piece, ...]


def read_layers(model: Any) -> tuple[Layer, ...]:
    """Read the layers of a Keras model.

    Args:
        model: a Keras Sequential or single-path functional model over [n, features].

    Returns:
        The layers, from the input to the output, nested models dissolved into theirs.

    Raises:
        TypeError: `model` is not a Keras model.
        ValueError: a layer, an activation or a branch that cannot be read, by its name; or a model not built yet.
    """
    if not is_keras(model):
        raise TypeError(
            f"model must be a Keras model for epsilon_lrp and deeplift, which look at its layers, got "
            f"{type(model).__name__}; take integrated_gradients or a Shapley method for a function."
        )
    return tuple(_read(model, ()))


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
    return tuple(piece for layer in read_layers(model) for piece in layer.pieces)


def _read(layer: Any, path: tuple[str, ...]) -> Iterator[Layer]:
    """Read a layer or a model, which `path` leads to from the outermost model."""
    import keras  # already imported by whoever built the model

    kind = type(layer)  # exact: a subclass may compute something else
    if kind is keras.Sequential:
        inner_layers = layer.layers
    elif isinstance(layer, keras.Model) and kind.__module__.split(".")[0] == "keras" and hasattr(layer, "inputs"):
        inner_layers = _layers_along_the_path(layer)
    else:
        called = isinstance(layer, keras.Operation) and not isinstance(layer, keras.Layer)  # as in keras.ops.relu(x)
        reader = _activation_alone if called else entry(READERS, keras.layers, kind)
        if reader is None:
            raise refusal(f"layer '{layer.name}' of type {kind.__name__}")
        yield Layer("/".join(path or (layer.name,)), reader(layer))
        return
    for inner in inner_layers:
        yield from _read(inner, (*path, inner.name))


def _layers_along_the_path(model: Any) -> list[Any]:
    """Return the layers of a functional model in order, refusing any fork or join by name."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise refusal(f"model '{model.name}' with {len(model.inputs)} inputs and {len(model.outputs)} outputs")
    path: list[Any] = []
    tensor = model.outputs[0]
    while tensor is not model.inputs[0]:
        operation, node_index, _ = tensor._keras_history
        parents = operation._inbound_nodes[node_index].input_tensors
        if len(parents) != 1:
            raise refusal(f"layer '{operation.name}' of type {type(operation).__name__} with {len(parents)} inputs")
        path.insert(0, operation)
        tensor = parents[0]
    return path


def _nothing(layer: Any) -> tuple[Piece, ...]:
    del layer
    return ()


def _dense(layer: Any) -> tuple[Piece, ...]:
    _require_built(layer)
    if getattr(layer, "quantization_mode", None) is not None:
        raise refusal(f"layer '{layer.name}' of type Dense with {layer.quantization_mode} weights")
    kernel = np.asarray(layer.kernel, dtype=np.float64)
    bias = np.zeros(kernel.shape[1]) if layer.bias is None else np.asarray(layer.bias, dtype=np.float64)
    return Dense(kernel, bias), read_activation(layer, layer.activation)


def _batch_normalization(layer: Any) -> tuple[Piece, ...]:
    """Ioffe and Szegedy 2015 (arXiv 1502.03167), Algorithm 2: the affine map of inference."""
    _require_built(layer)
    if layer.axis not in (-1, 1):
        raise refusal(f"layer '{layer.name}' of type BatchNormalization over axis {layer.axis}")
    mean = np.asarray(layer.moving_mean, dtype=np.float64)
    factor = 1.0 / np.sqrt(np.asarray(layer.moving_variance, dtype=np.float64) + layer.epsilon)
    if layer.scale:
        factor = factor * np.asarray(layer.gamma, dtype=np.float64)
    shift = np.asarray(layer.beta, dtype=np.float64) if layer.center else np.zeros_like(mean)
    return (Scaling(factor, shift - mean * factor),)


def _activation_alone(layer: Any) -> tuple[Piece, ...]:
    return (read_activation(layer, layer),)


def _require_built(layer: Any) -> None:
    if not layer.built:
        raise ValueError(
            f"model must be built, but its layer '{layer.name}' has no weights yet; call the model once on a batch, "
            "or begin it with keras.Input."
        )


READERS: Mapping[str, Callable[[Any], tuple[Piece, ...]]] = MappingProxyType(
    {
        "Dense": _dense,
        "BatchNormalization": _batch_normalization,
        **dict.fromkeys(("Activation", *ACTIVATION_LAYERS), _activation_alone),
        **dict.fromkeys(("InputLayer", "Identity"), _nothing),
        **dict.fromkeys(("Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout"), _nothing),  # off at inference
    }
)
"""Readers of all layers but nested models, by their names in `keras.layers`."""
