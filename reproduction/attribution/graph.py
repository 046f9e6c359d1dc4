"""A Keras model read into the operations that it applies at inference, for the methods that look inside a model.

There is no table of layers. What an operation is, is found out by trying it on random numbers of three magnitudes:

* *affine*: f(x + t (y - x)) = f(x) + t (f(y) - f(x)), of all its inputs together: Dense, convolutions, pooling by the
  mean, normalisation at inference, whatever moves, joins or adds, and anyone's own layer of that kind;
* *element-wise*: every element of the output depends on the same element of the input alone: an activation, written as
  a layer, a string, a function or an operation on a tensor of the model;
* *nothing*: it hands on what it gets, such as Dropout at inference; it is left out;
* *max pooling* is known by its type.

Anything else is refused by its name: passed by its gradient, it would silently turn LRP and DeepLIFT into gradient x
input. So are masks, and what gives no floats, such as comparisons. The activation of a Keras layer that has one is an
operation of its own behind the layer's; a layer of one's own is tried whole.

Trials on random numbers do not show everything: what bends beyond `MAGNITUDES` only looks affine. The walk therefore
holds every batch to the model's own output, and, without max pooling, to contributions that add up. What still passes:
errors that cancel, bends that no input of the batch reaches, and bends in a model with max pooling.

The operations run in float64, whatever the model's weights are, so that the quotients of LRP and DeepLIFT keep
float32's digits near zero. The few that TensorFlow has not in float64 (pooling in 3D) run in float32.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import numpy as np

from reproduction.attribution.scalar_function import called, finite, is_keras

MAGNITUDES = (1e-2, 1.0, 1e2)
"""Of the numbers that operations are tried on: what bends nowhere between the first and the last is affine."""

FEWEST_ELEMENTS = 64
"""How many numbers an operation is tried on at least, at each magnitude: half of them on each side of 0."""

TOLERANCE = 1e-5
"""Per greatest number of a trial: a layer within another may compute in float32."""

SAME = 1e-2
"""How far float16 may take a model's output from that of its layers in float64, per greatest number that the last of
them gives or reads: what it adds up may cancel."""

POOLING = ("MaxPool", "GlobalMaxPool", "AdaptiveMaxPool")
"""How Keras's own types of max pooling begin; the winner takes all, as the gradient has it."""


class Kind(Enum):
    """How multipliers pass an operation: through its gradient, or as a method's rule says."""

    AFFINE = auto()
    POOLING = auto()
    ELEMENT_WISE = auto()


@dataclass(frozen=True)
class Operation:
    """One step of the computation.

    Attributes:
        name: of the layer that it belongs to; behind those of the models it is nested in, "encoder/dense" (Keras allows
            no "/" in a name).
        visit: which layer that is, in the order in which they run; a layer used twice is visited twice.
        what: the layer with its type, for messages.
        sources: which states it reads: the model's inputs come first, then one state per operation.
        call: tensors float64 [n, ...], one per source, to a tensor float64 [n, ...].
        kind: what it is; None if not tried yet.
    """

    name: str
    visit: int
    what: str
    sources: tuple[int, ...]
    call: Callable[..., Any]
    kind: Kind | None = None


@dataclass(frozen=True)
class Graph:
    """A model as operations, each behind those that it reads.

    Attributes:
        inputs: how many the model has.
        operations: in the order in which they run.
        output: the state that the model returns.
    """

    inputs: int
    operations: tuple[Operation, ...]
    output: int

    def states(self, inputs: Sequence[Any], call: Callable[[int, Operation, Sequence[Any]], Any]) -> list[Any]:
        """Run the model.

        Args:
            inputs: tensors float64 [n, ...].
            call: the state's index, an operation and what it reads -> the state.

        Returns:
            All states.
        """
        states = list(inputs)
        for operation in self.operations:
            states.append(call(len(states), operation, [states[source] for source in operation.sources]))
        return states

    def plainly(self, inputs: Sequence[Any]) -> list[Any]:
        """Run the model as it is; see `states`."""
        return self.states(inputs, lambda index, operation, read: operation.call(*read))


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
    graph = Graph(len(inputs), tuple(reader.operations), output)
    kept: list[Operation] = []
    places = list(range(len(inputs)))  # where each state is among those of the operations that do something

    def tried(index: int, operation: Operation, read: Sequence[Any]) -> Any:
        operation, state = _called(operation, read)
        finite("output", state.numpy())
        sources = tuple(places[source] for source in operation.sources)
        if state is read[0]:
            places.append(sources[0])
            return state
        shapes = [tuple(one.shape[1:]) for one in read]
        kind = operation.kind or _kind(operation, shapes, is_last=index == output)
        kept.append(replace(operation, sources=sources, kind=kind))
        places.append(len(inputs) + len(kept) - 1)
        return state

    graph.states([tf.constant(array[:1], tf.float64) for array in inputs], tried)
    return Graph(len(inputs), tuple(kept), places[output])


def require_same(model: Any, graph: Graph, states: Sequence[Any]) -> None:
    """Hold what was read of a model to the model, at the inputs of these states.

    Raises:
        ValueError: the model gives another output.
    """
    import tensorflow as tf

    given = np.asarray(called(model, [tf.cast(state, tf.float32) for state in states[: graph.inputs]]), np.float64)
    read = graph.operations[-1].sources if graph.operations else ()
    size = max(np.abs(state).max() for state in (given, *(states[source].numpy() for source in read)))
    if np.abs(given - states[graph.output].numpy()).max() > SAME * size:
        raise refusal(f"'{model.name}', whose layers one by one in float64 give another output than it gives")


class _Reader:
    """Collects the operations of a model, nested models dissolved into theirs."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.operations: list[Operation] = []
        self.visits = 0

    def read(self, layer: Any, sources: tuple[int, ...], path: tuple[str, ...]) -> tuple[int, ...]:
        """Read a layer or a model, which `path` leads to from the outermost model; return the states it gives."""
        import keras  # already imported by whoever built the model

        kind = type(layer)  # exact: a subclass may compute something else
        if kind is keras.Sequential:
            for inner in layer.layers:
                sources = self.read(inner, sources, (*path, inner.name))
            return sources
        if isinstance(layer, keras.Model) and kind.__module__.split(".")[0] == "keras" and hasattr(layer, "inputs"):
            return self._read_functional(layer, sources, path)
        return (self._read_operation(layer, sources, path or (layer.name,), _alone),)

    def _read_functional(self, model: Any, sources: tuple[int, ...], path: tuple[str, ...]) -> tuple[int, ...]:
        states = {id(tensor): source for tensor, source in zip(model.inputs, sources, strict=True)}
        for node in _nodes(model):
            read = tuple(states[id(tensor)] for tensor in node.input_tensors)
            inner, arguments = node.operation, node.arguments
            name = (*path, inner.name)
            if isinstance(inner, _model_type()):
                given = self.read(inner, read, name)
            else:
                given = tuple(
                    self._read_operation(inner, read, name, _within(arguments, entry))
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
            raise ValueError(
                f"model must be built, but its layer '{layer.name}' has no weights yet; call the model once on a "
                "batch, or begin it with keras.Input."
            )
        self.visits += 1
        what = f"layer '{layer.name}' of type {type(layer).__name__}"
        of_keras = type(layer).__module__.split(".")[0] == "keras"
        if isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False):
            raise refusal(f"{what}, whose mask they do not carry")
        # only Keras's own layers are known to apply their activation once, at the end
        function = getattr(layer, "activation", None) if type(layer) is not keras.layers.Activation else None
        function = function if of_keras else None
        twin = _in_float64(layer)
        if function is not None and function is not keras.activations.linear:
            twin.__dict__["activation"] = keras.activations.linear
            state = self._add("/".join(path), what, sources, arranged(twin))
            name = getattr(function, "__name__", type(function).__name__)
            what = f"activation '{name}' of layer '{layer.name}' ({type(layer).__name__})"
            return self._add("/".join(path), what, (state,), _alone(_in_float64(function)))
        kind = Kind.POOLING if of_keras and type(layer).__name__.startswith(POOLING) else None
        return self._add("/".join(path), what, sources, arranged(twin), kind)

    def _add(
        self, name: str, what: str, sources: tuple[int, ...], call: Callable[..., Any], kind: Kind | None = None
    ) -> int:
        self.operations.append(Operation(name, self.visits, what, sources, call, kind))
        return self.inputs + len(self.operations) - 1


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


def _within(arguments: Any, entry: int) -> Callable[[Any], Callable[..., Any]]:
    """Return, of an operation, its call in a functional model on the tensors that it reads, one entry of its result."""
    import keras

    def arranged(layer: Any) -> Callable[..., Any]:
        call = layer.call
        off = _off(call)

        def on(*tensors: Any) -> Any:
            given = {id(tensor): value for tensor, value in zip(arguments.keras_tensors, tensors, strict=True)}
            args, kwargs = arguments.fill_in(given)
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


def _called(operation: Operation, read: Sequence[Any]) -> tuple[Operation, Any]:
    """Run an operation in float64, or in float32 if TensorFlow has it in that alone; return what did, and its state.

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
            return replace(operation, call=narrow), narrow(*read)
        except Exception:
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            raise refusal(f"{operation.what}, which cannot run by itself in float64 ({reason})") from error


def _kind(operation: Operation, shapes: Sequence[tuple[int, ...]], *, is_last: bool) -> Kind:
    """Find out what an operation is; the shapes are those of what it reads, without the samples.

    Raises:
        ValueError: nothing that these methods know.
    """
    generator = np.random.default_rng(0)
    pairs = math.ceil(FEWEST_ELEMENTS / max(1, min(math.prod(shape) for shape in shapes)))
    size = np.repeat(MAGNITUDES, pairs)

    def drawn() -> list[np.ndarray]:
        return [_by_row(size, shape) * generator.normal(size=(len(size), *shape)) for shape in shapes]

    x, y = drawn(), drawn()
    share = generator.uniform(-1.0, 2.0, len(size))
    between = [a + _by_row(share, a.shape[1:]) * (b - a) for a, b in zip(x, y, strict=True)]
    masks = [generator.integers(0, 2, a.shape) == 1 for a in x]
    mixed = [np.where(mask, a, b) for mask, a, b in zip(masks, x, y, strict=True)]
    at = np.split(_tried(operation, [np.concatenate(parts) for parts in zip(x, y, between, mixed, strict=True)]), 4)
    straight = at[0] + _by_row(share, at[0].shape[1:]) * (at[1] - at[0])
    if _agree(at[2], straight, at):
        return Kind.AFFINE
    if len(shapes) == 1 and at[3].shape == mixed[0].shape and _agree(at[3], np.where(masks[0], at[0], at[1]), at):
        return Kind.ELEMENT_WISE
    hint = ""
    if is_last and "softmax" in operation.what.lower():
        hint = " Of a classifier that ends with softmax, explain the scores before it."
    raise refusal(operation.what, hint)


def _tried(operation: Operation, rows: Sequence[np.ndarray]) -> np.ndarray:
    import tensorflow as tf

    with np.errstate(all="ignore"):
        return _called(operation, [tf.constant(array) for array in rows])[1].numpy()


def _by_row(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return values.reshape(-1, *(1,) * len(shape))


def _agree(found: np.ndarray, expected: np.ndarray, trials: Sequence[np.ndarray]) -> bool:
    """Tell whether two results agree, row by row, to `TOLERANCE` of what the operation gave of the row's trials."""
    size = np.max([np.abs(one).reshape(len(one), -1).max(axis=1) for one in trials], axis=0)
    with np.errstate(invalid="ignore"):
        gap = np.abs(found - expected).reshape(len(found), -1).max(axis=1)
    return bool(np.all(gap <= TOLERANCE * size))


def _model_type() -> type:
    import keras

    return keras.Model


def refusal(what: str, hint: str = "") -> ValueError:
    """Return the error that names what cannot be read."""
    return ValueError(
        f"model must be made of linear layers, max pooling and element-wise activations for epsilon_lrp and deeplift, "
        f"got {what}.{hint} Take integrated_gradients, input_x_gradient, saliency, occlusion or a Shapley method for "
        "any other model."
    )
