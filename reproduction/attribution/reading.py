"""Reading a Keras model into its operations, for the methods that look inside it.

There is no table of layers: what an operation is, is found out by trying it (see `trials`), and what is none of the
`Kind`s is refused by its name. So are masks, and what gives no floats, such as comparisons. The activation of a Keras
layer that has one is an operation of its own behind the layer's; a layer of one's own is tried whole. What does
nothing, such as Dropout at inference, is left out.

The operations run in float64, whatever the model's weights are, so that the quotients of LRP and DeepLIFT keep
float32's digits near zero. The few that TensorFlow has not in float64 (pooling in 3D) run in float32.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reproduction.attribution.graph import Graph, Kind, Operation, reason, refusal
from reproduction.attribution.scalar_function import finite, is_keras
from reproduction.attribution.trials import kind_of

POOLING = ("MaxPool", "GlobalMaxPool", "AdaptiveMaxPool")
"""How Keras's own types of max pooling begin; the winner takes all, as the gradient has it."""


def read_graph(model: Any, inputs: Sequence[np.ndarray]) -> Graph:
    """Read a Keras model.

    Args:
        model: a Sequential or functional model, or a layer.
        inputs: what it takes, float [n, ...] each, n >= 1; the first sample shows the shapes.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: an operation that is neither affine, element-wise nor max pooling, by its name; or a model that is
            not built yet.
    """
    import tensorflow as tf

    if not is_keras(model):
        raise TypeError(
            f"model must be a Keras model for epsilon_lrp and deeplift, which look at its layers, got "
            f"{type(model).__name__}; take integrated_gradients or a Shapley method for a function."
        )
    reader = _Reader(len(inputs))
    (output,) = reader.read(model, tuple(range(len(inputs))), ())
    states = [tf.constant(array[:1], tf.float64) for array in inputs]
    kept: list[Operation] = []
    places = list(range(len(inputs)))  # where each state is among those of the operations that do something
    for index, operation in enumerate(reader.operations, start=len(inputs)):
        read = [states[source] for source in operation.sources]
        sources = tuple(places[source] for source in operation.sources)
        operation, state = _running(operation, read)
        finite("output", state.numpy())
        states.append(state)
        if state is read[0]:
            places.append(sources[0])
            continue
        shapes = [tuple(one.shape[1:]) for one in read]
        units = math.prod(state.shape[1:])
        kind = operation.kind or kind_of(operation, shapes, units, is_last=index == output)
        kept.append(replace(operation, sources=sources, kind=kind))
        places.append(len(inputs) + len(kept) - 1)
    return Graph(len(inputs), tuple(kept), places[output])


class _Reader:
    """Collects the operations of a model, nested models dissolved into theirs."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.operations: list[Operation] = []
        self.visits = 0

    def read(self, layer: Any, sources: tuple[int, ...], path: tuple[str, ...]) -> tuple[int, ...]:
        """Read a layer or a model, which `path` leads to from the outermost model; return the states it gives."""
        import keras  # already imported by whoever built the model

        if isinstance(layer, keras.Sequential) and _of_keras(layer):
            for inner in layer.layers:
                sources = self.read(inner, sources, (*path, inner.name))
            return sources
        if isinstance(layer, keras.Model) and _of_keras(layer) and hasattr(layer, "inputs"):
            return self._read_functional(layer, sources, path)
        return (self._read_operation(layer, sources, path or (layer.name,), _alone),)

    def _read_functional(self, model: Any, sources: tuple[int, ...], path: tuple[str, ...]) -> tuple[int, ...]:
        import keras

        states = {id(tensor): source for tensor, source in zip(model.inputs, sources, strict=True)}
        for node in _nodes(model):
            inner, arguments = node.operation, node.arguments
            name = (*path, inner.name)
            if isinstance(inner, keras.Model):
                given = self.read(inner, tuple(states[id(tensor)] for tensor in node.input_tensors), name)
            else:
                tensors = {id(tensor): states[id(tensor)] for tensor in node.input_tensors}  # h * h reads h once
                given = tuple(
                    self._read_operation(
                        inner, tuple(tensors.values()), name, _within(arguments, tuple(tensors), entry)
                    )
                    for entry in range(len(node.outputs))
                )
            states.update({id(tensor): state for tensor, state in zip(node.outputs, given, strict=True)})
        return tuple(states[id(tensor)] for tensor in model.outputs)

    def _read_operation(
        self, layer: Any, sources: tuple[int, ...], path: tuple[str, ...], arranged: Callable[..., Any]
    ) -> int:
        """Read one layer or operation: what it computes, and its activation behind that; return its state."""
        import keras

        if isinstance(layer, keras.Layer) and not layer.built:
            raise _not_built(f"layer '{layer.name}'")
        self.visits += 1
        what = f"layer '{layer.name}' of type {type(layer).__name__}"
        if type(layer) is keras.layers.Activation:
            what = _activation(layer.activation, layer)
        elif isinstance(layer, keras.layers.Embedding):
            raise ValueError(
                f"model must take numbers for epsilon_lrp and deeplift, got {what}, which looks them up; explain the "
                "model behind it, on what it gives, or take occlusion or a Shapley method."
            )
        elif isinstance(layer, keras.layers.Wrapper):
            what += " (give an activation within it a layer of its own)"
        inner = getattr(layer, "function", None) if isinstance(layer, keras.layers.Lambda) else None
        inner = layer.activation if type(layer) is keras.layers.Activation else inner
        of_keras = _of_keras(layer) and (inner is None or _of_keras(inner))
        if isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False) or _masks(layer):
            raise refusal(f"{what}, whose mask they do not carry")
        # only Keras's own layers are known to apply their activation once, at the end
        function = getattr(layer, "activation", None) if type(layer) is not keras.layers.Activation else None
        function = function if of_keras else None
        twin = _in_float64(layer)
        if function is not None and function is not keras.activations.linear:
            twin.__dict__["activation"] = keras.activations.linear
            state = self._add("/".join(path), what, sources, arranged(twin), of_keras=True)
            what = _activation(function, layer)
            if isinstance(function, keras.Layer) and not function.built:
                raise _not_built(what)
            return self._add(
                "/".join(path), what, (state,), _alone(_in_float64(function)), of_keras=_of_keras(function)
            )
        pooling = type(layer).__module__.split(".")[0] == "keras" and type(layer).__name__.startswith(POOLING)
        kind = Kind.POOLING if pooling else None
        return self._add("/".join(path), what, sources, arranged(twin), kind, of_keras=of_keras)

    def _add(
        self,
        name: str,
        what: str,
        sources: tuple[int, ...],
        call: Callable[..., Any],
        kind: Kind | None = None,
        *,
        of_keras: bool,
    ) -> int:
        self.operations.append(Operation(name, self.visits, what, sources, call, kind, of_keras))
        return self.inputs + len(self.operations) - 1


def _activation(function: Any, layer: Any) -> str:
    """Return what an activation is called in messages."""
    name = getattr(function, "__name__", type(function).__name__)
    return f"activation '{name}' of layer '{layer.name}' ({type(layer).__name__})"


def _not_built(what: str) -> ValueError:
    return ValueError(
        f"model must be built, but its {what} has no weights yet; call the model once on a batch, or begin it with "
        "keras.Input."
    )


def _masks(layer: Any) -> bool:
    """Tell whether a layer of one's own, or a Lambda, computes a mask."""
    import keras

    if isinstance(layer, keras.layers.Lambda):
        return getattr(layer, "mask", None) is not None
    definer = next((base for base in type(layer).__mro__ if "compute_mask" in vars(base)), keras.Layer)
    return definer.__module__.split(".")[0] != "keras"


def _of_keras(called: Any) -> bool:
    """Tell whether what a layer, model or function computes is Keras's own, in a subclass too that leaves it alone."""
    if inspect.isfunction(called):
        modules = [called.__module__]
    else:
        bases = type(called).__mro__
        modules = [
            next((base for base in bases if name in vars(base)), bases[0]).__module__ for name in ("call", "__call__")
        ]
    return all(module.split(".")[0] == "keras" for module in modules)


def _nodes(model: Any) -> Iterator[Any]:
    """Yield the calls of a functional model's operations, each behind those that it reads."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if not node.is_input:
                yield node


def _alone(layer: Any) -> Callable[..., Any]:
    """Return the call of a layer or function on one tensor."""
    call = getattr(layer, "call", layer)
    off = _off(call)
    return lambda tensor: call(tensor, **off)


def _within(arguments: Any, places: Sequence[int], entry: int) -> Callable[[Any], Callable[..., Any]]:
    """Return, of an operation, its call in a functional model on the tensors that it reads, one entry of its result."""
    import keras

    def arranged(layer: Any) -> Callable[..., Any]:
        call = layer.call
        off = _off(call)

        def on(*tensors: Any) -> Any:
            args, kwargs = arguments.fill_in(dict(zip(places, tensors, strict=True)))
            return keras.tree.flatten(call(*args, **{**kwargs, **off}))[entry]

        return on

    return arranged


def _off(call: Callable[..., Any]) -> dict[str, bool]:
    """Return what switches training off, where a call knows it."""
    try:
        return {"training": False} if "training" in inspect.signature(call).parameters else {}
    except (TypeError, ValueError):  # a function written in C
        return {}


def _in_float64(layer: Any) -> Any:
    """Return a twin of a layer that computes in float64, and of the layers in it; a function stays as it is."""
    import keras
    import tensorflow as tf

    if not isinstance(layer, keras.Operation):
        return layer
    twin = object.__new__(type(layer))
    for name, value in layer.__dict__.items():
        if isinstance(value, keras.Variable) and value.dtype.startswith(("float", "bfloat")):
            value = tf.constant(np.asarray(value, np.float64))
        elif isinstance(value, keras.Layer):
            value = _in_float64(value)
        twin.__dict__[name] = value
    if isinstance(layer, keras.Layer):
        twin.__dict__["_dtype_policy"] = keras.DTypePolicy("float64")
    return twin


def _running(operation: Operation, read: Sequence[Any]) -> tuple[Operation, Any]:
    """Make an operation run in float64, or in float32 if TensorFlow has it in that alone; return it, and its state.

    Raises:
        ValueError: it runs in neither.
    """
    import tensorflow as tf

    def wide(*tensors: Any) -> Any:
        state = operation.call(*tensors)
        if not state.dtype.is_floating:  # what depends on it bends where no trial would show
            raise TypeError(f"it gives {state.dtype.name}")
        return tf.cast(state, tf.float64)

    def narrow(*tensors: Any) -> Any:
        return wide(*(tf.cast(tensor, tf.float32) for tensor in tensors))

    try:
        return replace(operation, call=wide), wide(*read)
    except Exception as error:  # anyone's layer
        try:
            return replace(operation, call=narrow, narrow=True), narrow(*read)
        except Exception:
            raise refusal(
                f"{operation.what}, which cannot run by itself, on one sample, in float64 ({reason(error)})"
            ) from error
