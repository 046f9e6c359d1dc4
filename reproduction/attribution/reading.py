"""Reading a Keras model into its operations, for the methods that look inside it.

There is no table of layers: what an operation is, is found out by trying it (see `trials`), and what is none of the
`Kind`s is refused by its name. So are masks, and what gives no floats, such as comparisons. The activation of a Keras
layer that has one is an operation of its own behind the layer's; a layer of one's own is tried whole. What does
nothing, such as Dropout at inference, is left out.

The operations run in float64 (see `twins`).
"""

import inspect
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reproduction.attribution.graph import Graph, Kind, Operation, nodes_of, refusal
from reproduction.attribution.scalar_function import finite, is_keras
from reproduction.attribution.trials import kind_of, precision_of
from reproduction.attribution.twins import Twins, require_as_own, running, without_activation

POOLING = ("MaxPool", "GlobalMaxPool", "AdaptiveMaxPool")
"""How Keras's own types of max pooling begin; the winner takes all, as the gradient has it."""


def read_graph(model: Any, inputs: Sequence[np.ndarray]) -> Graph:
    """Read a Keras model.

    Args:
        model: a Sequential or functional model, or a layer.
        inputs: what it takes, float [n, ...] each, n >= 1; the sample with the greatest number is looked at.

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
    row = np.argmax(np.max([np.abs(array).reshape(len(array), -1).max(axis=1) for array in inputs], axis=0))
    states = [tf.constant(array[row : row + 1], tf.float64) for array in inputs]
    rounding = precision_of(model)
    kept: list[Operation] = []
    places = list(range(len(inputs)))  # where each state is among those of the operations that do something
    for index, operation in enumerate(reader.operations, start=len(inputs)):
        read = [states[source] for source in operation.sources]
        sources = tuple(places[source] for source in operation.sources)
        operation, state = running(operation, read)
        finite("output", state.numpy())
        if not (operation.narrow or operation.of_keras):
            require_as_own(operation, read, state, rounding)
        states.append(state)
        if state is read[0]:
            places.append(sources[0])
            continue
        units = math.prod(state.shape[1:])
        kind = operation.kind or kind_of(operation, read, units, is_last=index == output)
        kept.append(replace(operation, sources=sources, kind=kind))
        places.append(len(inputs) + len(kept) - 1)
    return Graph(len(inputs), tuple(kept), places[output])


class _Reader:
    """Collects the operations of a model, nested models dissolved into theirs."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.operations: list[Operation] = []
        self.visits = 0
        self.twins = Twins()

    def read(self, layer: Any, sources: tuple[int, ...], path: tuple[str, ...]) -> tuple[int, ...]:
        """Read a layer or a model, which `path` leads to from the outermost model; return the states it gives."""
        import keras  # already imported by whoever built the model

        if isinstance(layer, keras.Sequential) and _of_keras(layer):
            for inner in layer.layers:
                sources = self.read(inner, sources, (*path, inner.name))
            return sources
        if isinstance(layer, keras.Model) and _of_keras(layer) and hasattr(layer, "inputs"):
            return self._read_functional(layer, sources, path)
        self.visits += 1
        return (self._read_operation(layer, sources, "/".join(path or (layer.name,)), _alone),)

    def _read_functional(self, model: Any, sources: tuple[int, ...], path: tuple[str, ...]) -> tuple[int, ...]:
        import keras

        states = {id(tensor): source for tensor, source in zip(model.inputs, sources, strict=True)}
        for node in nodes_of(model):
            inner, arguments = node.operation, node.arguments
            way = (*path, inner.name)
            if isinstance(inner, keras.Model):
                given = self.read(inner, tuple(states[id(tensor)] for tensor in _in_order(inner, node)), way)
            else:
                tensors = {id(tensor): states[id(tensor)] for tensor in node.input_tensors}  # h * h reads h once
                self.visits += 1
                name = "/".join(way)
                names = [name] if len(node.outputs) == 1 else [f"{name}:{entry}" for entry in range(len(node.outputs))]
                given = tuple(
                    self._read_operation(inner, tuple(tensors.values()), one, _within(arguments, tuple(tensors), entry))
                    for entry, one in enumerate(names)
                )
            states.update({id(tensor): state for tensor, state in zip(node.outputs, given, strict=True)})
        return tuple(states[id(tensor)] for tensor in model.outputs)

    def _read_operation(self, layer: Any, sources: tuple[int, ...], name: str, arranged: Callable[..., Any]) -> int:
        """Read one layer or operation: what it computes, and its activation behind that; return its state."""
        import keras

        what = _described(layer)
        twin = self.twins.of(layer)
        function = _activation_behind(layer)
        if function is None or function is keras.activations.linear:
            of_keras = all(_of_keras(one) for one in (layer, *_functions_in(layer)))
            kind = Kind.POOLING if _is_max_pooling(layer) else None
            calls = arranged(_at_inference(twin)), arranged(_as_it_is(layer))
            return self._add(name, what, sources, calls, kind, of_keras=of_keras)
        bare, bare_layer = without_activation(twin), without_activation(layer)
        calls = arranged(_at_inference(bare)), arranged(_as_it_is(bare_layer))
        state = self._add(name, what, sources, calls, of_keras=True)
        what = _activation(function, layer)
        if isinstance(function, keras.Layer) and not function.built:
            raise _not_built(what)
        calls = _at_inference(self.twins.of(function)), _as_it_is(function)
        return self._add(name, what, (state,), calls, of_keras=_of_keras(function))

    def _add(
        self,
        name: str,
        what: str,
        sources: tuple[int, ...],
        calls: tuple[Callable[..., Any], ...],
        kind: Kind | None = None,
        *,
        of_keras: bool,
    ) -> int:
        call, own = calls
        self.operations.append(Operation(name, self.visits, what, sources, call, own, kind, of_keras))
        return self.inputs + len(self.operations) - 1


def _in_order(model: Any, node: Any) -> list[Any]:
    """Return the tensors that a nested model is called on, in the order of its inputs: a dict names them."""
    given = node.arguments.args[0] if node.arguments.args else None
    if isinstance(given, dict) and not isinstance(model._inputs_struct, dict):
        return [given[tensor.name] for tensor in model.inputs]
    return list(node.input_tensors)


def _described(layer: Any) -> str:
    """Return what a layer is called in messages.

    Raises:
        ValueError: it is not built, looks numbers up, or makes a mask.
    """
    import keras

    if isinstance(layer, keras.Layer) and not layer.built:
        raise _not_built(f"layer '{layer.name}'")
    if type(layer) is keras.layers.Activation:
        return _activation(layer.activation, layer)
    what = f"layer '{layer.name}' of type {type(layer).__name__}"
    if isinstance(layer, keras.layers.Embedding):
        raise ValueError(
            f"model must take numbers for epsilon_lrp and deeplift, got {what}, which looks them up; explain the "
            "model behind it, on what it gives, or take occlusion or a Shapley method."
        )
    if isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False) or _masks(layer):
        raise refusal(f"{what}, whose mask they do not carry")
    if getattr(layer, "quantization_mode", None):
        raise refusal(f"{what}, whose weights are quantized ({layer.quantization_mode})")
    if isinstance(layer, keras.layers.Wrapper):
        what += " (give an activation within it a layer of its own)"
    return what


def _activation_behind(layer: Any) -> Any:
    """Return the activation that a layer applies once, at its end, as only Keras's own are known to; None otherwise."""
    import keras

    if type(layer) is keras.layers.Activation or not _of_keras(layer):
        return None
    return getattr(layer, "activation", None)


def _functions_in(layer: Any) -> list[Any]:
    """Return the function that a layer of Keras's only calls."""
    import keras

    if type(layer) is keras.layers.Activation:
        return [layer.activation]
    return [layer.function] if isinstance(layer, keras.layers.Lambda) else []


def _is_max_pooling(layer: Any) -> bool:
    """Tell Keras's own types of it, and subclasses that leave them alone."""
    named = (base for base in type(layer).__mro__ if base.__name__.startswith(POOLING))
    return _of_keras(layer) and any(base.__module__.split(".")[0] == "keras" for base in named)


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
        home = sys.modules.get(called.__module__ or "")
        if getattr(home, called.__name__, None) is not called:  # made elsewhere, or read from a file
            return False
        modules = [called.__module__]
    else:
        bases = type(called).__mro__
        modules = [
            next((base for base in bases if name in vars(base)), bases[0]).__module__ for name in ("call", "__call__")
        ]
    return all(module.split(".")[0] == "keras" for module in modules)


def _alone(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call on one tensor as it is."""
    return call


def _within(arguments: Any, places: Sequence[int], entry: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return, of the call of an operation, that in a functional model on what it reads, one entry of its result."""
    import keras

    def arranged(call: Callable[..., Any]) -> Callable[..., Any]:
        def on(*tensors: Any) -> Any:
            args, kwargs = arguments.fill_in(dict(zip(places, tensors, strict=True)))
            return keras.tree.flatten(call(*args, **kwargs))[entry]

        return on

    return arranged


def _at_inference(layer: Any) -> Callable[..., Any]:
    """Return the call of a layer, operation or function with training switched off.

    Keras tells the layers within a layer of it, and casts; a layer by itself does without, which is ten times as fast.
    """
    import keras

    if isinstance(layer, keras.Layer) and (len(list(layer._flatten_layers())) > 1 or not _of_keras(layer)):
        return _as_it_is(layer)
    call = getattr(layer, "call", layer)
    try:
        off = {"training": False} if "training" in inspect.signature(call).parameters else {}
    except (TypeError, ValueError):  # a function written in C
        off = {}
    return lambda *args, **kwargs: call(*args, **{**kwargs, **off})


def _as_it_is(layer: Any) -> Callable[..., Any]:
    """Return the call of a layer, operation or function as a model makes it at inference."""
    import keras

    if not isinstance(layer, keras.Layer):
        return getattr(layer, "call", layer)
    return lambda *args, **kwargs: layer(*args, **{**kwargs, "training": False})
