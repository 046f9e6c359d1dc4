"""Twins of a model's layers that compute in float64, whatever its weights are.

So the quotients of LRP and DeepLIFT keep float32's digits near zero. What TensorFlow has not in float64, such as
pooling in 3D and resizing, computes in float32. A twin has variables of its own: trials leave the model's alone.
"""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reproduction.attribution.graph import Operation, reason, refusal
from reproduction.attribution.scalar_function import finite

OUTWARD = ("_inbound_nodes", "_outbound_nodes", "_tracker")
"""Attributes of a layer that lead to the model around it."""

SLIGHTLY, HARDLY = 2.0**-44, 2.0**-8
"""A change that 256 of float64's roundings make, and one of 10^6 of float32's; the share of numbers that it changes."""

AS_OWN, ROUNDINGS = 1e-4, 16
"""How far a layer's own precision may take it from its twin, per greatest number that it gives or reads; or as many
roundings of that, and of 1."""


class Twins:
    """The twins of a model's layers, each made once."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._kept_alive: list[Any] = []

    def of(self, value: Any) -> Any:
        """Return a layer's twin in float64, with twins of the layers, models and variables within it.

        Anything else, such as a function, stays as it is.
        """
        import keras
        import tensorflow as tf

        if id(value) in self._made:
            return self._made[id(value)]
        if isinstance(value, (keras.Variable, tf.Variable)):
            return self._remember(value, _variable(value))
        if isinstance(value, dict):
            twin = self._remember(value, {})
            twin.update({name: self.of(one) for name, one in value.items()})
            return twin
        if isinstance(value, list):
            twin = self._remember(value, [])
            twin.extend(map(self.of, value))
            return twin
        if type(value) is tuple:
            return tuple(map(self.of, value))
        is_node = type(value).__name__ == "Node" and isinstance(getattr(value, "operation", None), keras.Operation)
        if not (is_node or isinstance(value, (keras.Operation, keras.Metric))):
            return value
        twin = self._remember(value, object.__new__(type(value)))
        for name, one in value.__dict__.items():
            twin.__dict__[name] = one if name in OUTWARD else self.of(one)
        if isinstance(value, keras.Layer):
            twin.__dict__["_dtype_policy"] = keras.DTypePolicy("float64")
        if hasattr(value, "_convert_inputs_to_tensors"):  # a functional model's, which casts to what it was built with
            twin.__dict__["_convert_inputs_to_tensors"] = list
        return twin

    def _remember(self, value: Any, twin: Any) -> Any:
        self._kept_alive.append(value)  # or another object might get its id
        self._made[id(value)] = twin
        return twin


def _variable(value: Any) -> Any:
    """Return a variable of the same numbers, in float64 if they are floats; a layer's call assigns to no weight."""
    import keras
    import tensorflow as tf

    floating = tf.as_dtype(value.dtype).is_floating
    is_weight = isinstance(value, keras.Variable) and value.trainable
    make = tf.constant if is_weight else functools.partial(tf.Variable, trainable=False)
    inner = make(np.asarray(value, np.float64) if floating else value)
    if not isinstance(value, keras.Variable):
        return inner
    twin = object.__new__(type(value))
    twin.__dict__.update(value.__dict__)
    twin.__dict__["_value"] = inner
    if floating:
        twin.__dict__["_dtype"] = "float64"
    return twin


def without_activation(layer: Any) -> Any:
    """Return a layer that shares everything with another one, but for its activation, which is left out."""
    import keras

    bare = object.__new__(type(layer))
    bare.__dict__.update(layer.__dict__)
    bare.__dict__["activation"] = keras.activations.linear
    return bare


def running(operation: Operation, read: Sequence[Any]) -> tuple[Operation, Any]:
    """Make an operation run in float64, or as it is in the model where TensorFlow has not it, or its gradient, there.

    Args:
        operation: one whose calls give tensors of any type.
        read: what it reads, tensors float64 [1, ...].

    Returns:
        The operation, and what it gives, float64 [1, ...].

    Raises:
        ValueError: it runs in neither, or computes something else in float64.
    """
    import tensorflow as tf

    own = replace(operation, call=_as_float64(operation.own, tf.float32), narrow=True)
    wide = replace(operation, call=_as_float64(operation.call, tf.float64), own=own.call)
    found, failures = None, []
    for one in (wide, own):
        try:
            state, pullback = one.run(read)
            found = found or (one, state)  # without a gradient, which not every method asks for
            pullback(tf.ones_like(state))
        except Exception as error:  # anyone's layer
            failures.append(error)
        else:
            found = one, state
            break
    if found is None:
        what = f"{operation.what}, which cannot run by itself, on one sample, in float64"
        raise refusal(f"{what} ({reason(failures[0])})")
    chosen, state = found
    if not chosen.narrow:
        chosen = replace(chosen, narrow=_is_narrow(chosen, read, state))
    return chosen, state


def require_as_own(operation: Operation, read: Sequence[Any], state: Any, rounding: float) -> None:
    """Hold an operation's twin to the layer itself.

    Args:
        operation: that runs in float64.
        read: what it reads, tensors float64 [1, ...].
        state: what it gives.
        rounding: of the layer's own precision.

    Raises:
        ValueError: the layer gives something else, or nothing finite.
    """
    import tensorflow as tf

    given = tf.constant(finite("output", operation.own(*read).numpy()))
    size = max(float(tf.reduce_max(tf.abs(one))) for one in (*read, state))
    allowed = max(AS_OWN, ROUNDINGS * rounding) * size + ROUNDINGS * rounding
    if not float(tf.reduce_max(tf.abs(given - state))) <= allowed:
        raise refusal(f"{operation.what}, which computes something else in float64")


def _as_float64(call: Any, dtype: Any) -> Any:
    """Return a call on tensors float64, to which it gives this type, that gives one."""
    import tensorflow as tf

    def cast(*tensors: Any) -> Any:
        state = call(*(tf.cast(tensor, dtype) for tensor in tensors))
        if not state.dtype.is_floating:  # what depends on it bends where no trial would show
            raise TypeError(f"it gives {state.dtype.name}, as masks and comparisons do")
        return tf.cast(state, tf.float64)

    return cast


def _is_narrow(operation: Operation, read: Sequence[Any], state: Any) -> bool:
    """Tell whether an operation computes in float32 within.

    What float64 alone tells apart hardly changes its result then, and TensorFlow's graph of it says so. One of Keras's
    own gives nothing but float32's numbers then.
    """
    import tensorflow as tf

    if operation.of_keras and tf.reduce_any(tf.cast(tf.cast(state, tf.float32), tf.float64) != state):
        return False
    generator = np.random.default_rng(0)
    x = [tf.constant(generator.normal(size=one.shape)) for one in read]
    given, beside = (operation.call(*rows).numpy() for rows in (x, [one * (1.0 + SLIGHTLY) for one in x]))
    counts = np.isfinite(given) & (given != 0.0)
    if not counts.any() or (given != beside)[counts].mean() >= HARDLY:
        return False
    try:
        steps = tf.function(operation.call, autograph=False).get_concrete_function(*x).graph.get_operations()
    except Exception:  # anyone's layer
        return True
    return any(one.dtype in (tf.float32, tf.float16, tf.bfloat16) for step in steps for one in step.outputs)
