"""Twins of a model's layers that compute in float64, whatever its weights are.

So the quotients of LRP and DeepLIFT keep float32's digits near zero. The few operations that TensorFlow has not in
float64, such as pooling in 3D and resizing, compute in float32.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reproduction.attribution.graph import Operation, reason, refusal

OUTWARD = ("_inbound_nodes", "_outbound_nodes", "_tracker")
"""Attributes of a layer that lead to the model around it."""

SLIGHTLY, HARDLY = 2.0**-44, 2.0**-8
"""A change that 256 of float64's roundings make, and one of 10^6 of float32's; the share of numbers that it changes."""


def in_float64(value: Any, twins: dict[int, Any] | None = None) -> Any:
    """Return a twin of a layer that computes in float64, and of the layers and models within it.

    Anything else, such as a function, stays as it is.

    Args:
        value: the layer, or what an attribute of it holds.
        twins: those made already, by the id of what they are a twin of.
    """
    import keras
    import tensorflow as tf

    twins = {} if twins is None else twins
    if id(value) in twins:
        return twins[id(value)]
    if isinstance(value, (keras.Variable, tf.Variable)):
        floating = tf.as_dtype(value.dtype).is_floating
        return tf.constant(np.asarray(value, np.float64)) if floating else value
    if isinstance(value, dict):
        return {name: in_float64(one, twins) for name, one in value.items()}
    if isinstance(value, list) or type(value) is tuple:
        return (tuple if type(value) is tuple else list)(in_float64(one, twins) for one in value)
    is_node = type(value).__name__ == "Node" and isinstance(getattr(value, "operation", None), keras.Operation)
    if not (is_node or isinstance(value, keras.Operation)):
        return value
    twin = twins[id(value)] = object.__new__(type(value))
    for name, one in value.__dict__.items():
        twin.__dict__[name] = one if name in OUTWARD else in_float64(one, twins)
    if isinstance(value, keras.Layer):
        twin.__dict__["_dtype_policy"] = keras.DTypePolicy("float64")
    if hasattr(value, "_convert_inputs_to_tensors"):  # a functional model's, which casts to what it was built with
        twin.__dict__["_convert_inputs_to_tensors"] = list
    return twin


def running(operation: Operation, read: Sequence[Any]) -> tuple[Operation, Any]:
    """Make an operation run in float64, or in float32 if TensorFlow has it, or its gradient, in that alone.

    Args:
        operation: one whose call gives tensors of any type.
        read: what it reads, tensors float64 [1, ...].

    Returns:
        The operation, and what it gives, float64 [1, ...].

    Raises:
        ValueError: it runs in neither.
    """
    import tensorflow as tf

    given: dict[bool, tf.DType] = {}

    def call(*tensors: Any, narrow: bool) -> Any:
        state = operation.call(*(tf.cast(tensor, tf.float32) for tensor in tensors) if narrow else tensors)
        if not state.dtype.is_floating:  # what depends on it bends where no trial would show
            raise TypeError(f"it gives {state.dtype.name}, as masks and comparisons do")
        given[narrow] = state.dtype
        return tf.cast(state, tf.float64)

    wide = replace(operation, call=lambda *tensors: call(*tensors, narrow=False))
    narrow = replace(operation, call=lambda *tensors: call(*tensors, narrow=True), narrow=True)
    failures = []
    for one in (wide, narrow):
        try:
            state, pullback = one.run(read)
            pullback(tf.ones_like(state))
        except Exception as error:  # anyone's layer
            failures.append(error)
        else:
            return replace(one, narrow=one.narrow or given[False] != tf.float64 or _is_narrow(one, read)), state
    for one in (wide, narrow):
        if one.narrow in given:  # without a gradient, which not every method asks for
            return one, one.call(*read)
    raise refusal(f"{operation.what}, which cannot run by itself, on one sample, in float64 ({reason(failures[0])})")


def _is_narrow(operation: Operation, read: Sequence[Any]) -> bool:
    """Tell whether an operation computes in float32 within: what float64 alone tells apart hardly changes it."""
    import tensorflow as tf

    generator = np.random.default_rng(0)
    x = [tf.constant(generator.normal(size=one.shape)) for one in read]
    given, beside = (operation.call(*rows).numpy() for rows in (x, [one * (1.0 + SLIGHTLY) for one in x]))
    counts = np.isfinite(given) & (given != 0.0)
    return bool(counts.any() and (given != beside)[counts].mean() < HARDLY)
