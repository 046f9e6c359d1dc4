"""Activations of Keras models, read: Keras functions, activation layers, and whatever else computes the same.

An activation that is not Keras's own (`tf.nn.relu`, `keras.ops.relu`) is taken for the known one of its name only if
both agree on a grid of numbers: a function may bear a name and compute something else.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from reproduction.attribution.pieces import ACTIVATIONS, Activation, elu, leaky_relu

Entry = TypeVar("Entry")

_GRID = np.concatenate([sign * np.geomspace(1e-6, 1e4, 101) for sign in (-1.0, 1.0)] + [np.linspace(-8.0, 8.0, 161)])
PROBE = np.stack([_GRID, _GRID[::-1]], axis=1).astype(np.float32)
"""What activations are compared on, float32 [n, 2]: two unlike units, so that what joins units shows itself."""


def read_activation(layer: Any, function: Any) -> Activation:
    """Read an activation of a layer.

    Args:
        layer: to which it belongs; it is named where the activation cannot be read.
        function: a function of a tensor, an activation layer, or an operation of `keras.ops`.

    Raises:
        ValueError: an activation that is not known.
    """
    import keras  # already imported by whoever built the model

    kind = type(function)
    if kind is keras.layers.Activation:
        return read_activation(layer, function.activation)
    reader = entry(ACTIVATION_LAYERS, keras.layers, kind)
    piece = reader(function) if reader else entry(ACTIVATIONS, keras.activations, function)
    if piece is not None:
        return piece
    namesake = _namesake(function)
    if namesake is not None and _agree(function, namesake):
        return namesake
    name = getattr(function, "__name__", kind.__name__)
    if kind is keras.layers.ReLU:
        name = f"ReLU(max_value={function.max_value}, threshold={function.threshold})"
    what = f"activation '{name}' of layer '{layer.name}' ({type(layer).__name__})"
    if function is layer and not isinstance(layer, keras.Layer):
        what = f"layer '{layer.name}' of type {name}"
    if namesake is not None:
        what += ", which computes something else than the known one of that name"
    raise refusal(what)


def entry(table: Mapping[str, Entry], module: Any, member: Any) -> Entry | None:
    """Look up a class or function of a Keras module by its name; None for what only bears such a name."""
    name = getattr(member, "__name__", "")
    return table.get(name) if member is getattr(module, name, None) else None


def refusal(what: str) -> ValueError:
    """Return the error that names what cannot be read."""
    return ValueError(
        f"model must be a chain of layers that epsilon_lrp and deeplift know, got {what}; known are Dense, "
        "BatchNormalization, Dropout, Activation, ReLU, LeakyReLU, ELU and nested Sequential, with the activations "
        f"{', '.join(ACTIVATIONS)}. Take integrated_gradients or a Shapley method for any other model."
    )


def _namesake(function: Any) -> Activation | None:
    """Return the known activation that a function or an operation bears the name of."""
    import keras

    if not isinstance(function, keras.Operation) or isinstance(function, keras.Layer):
        return ACTIVATIONS.get(getattr(function, "__name__", ""))
    name = type(function).__name__.lower()
    if name in ("relu", "leakyrelu"):
        return leaky_relu(float(getattr(function, "negative_slope", 0.0)))
    return elu(float(function.alpha)) if name == "elu" else ACTIVATIONS.get(name)


def _agree(function: Any, known: Activation) -> bool:
    """Tell whether a function of tensors gives what a known activation gives, up to float32's rounding."""
    import keras

    tensor = keras.ops.convert_to_tensor(PROBE)
    try:
        values = np.asarray(function(tensor))
    except Exception:  # anyone's function: what cannot be computed does not agree
        return False
    expected = known.forward(PROBE.astype(np.float64))
    return values.shape == expected.shape and np.allclose(values, expected, rtol=1e-5, atol=1e-6)


def _relu(layer: Any) -> Activation | None:
    """Read a ReLU layer; None if it is capped or shifted."""
    plain = layer.max_value is None and layer.threshold == 0
    return leaky_relu(float(layer.negative_slope)) if plain else None


ACTIVATION_LAYERS: Mapping[str, Callable[[Any], Activation | None]] = MappingProxyType(
    {
        "ReLU": _relu,
        "LeakyReLU": lambda layer: leaky_relu(float(layer.negative_slope)),
        "ELU": lambda layer: elu(float(layer.alpha)),
    }
)
"""Readers of activation layers, by their names in `keras.layers`."""
