"""Attribution by one backward walk through a Keras model: epsilon-LRP and DeepLIFT.

Both carry multipliers from the output back to the input (Ancona et al. 2018, arXiv 1711.06104, Props. 1 and 2). What is
affine passes them by its own gradient, max pooling too; an element-wise activation passes them by the slope that the
method's rule says, and that rule is all in which the methods differ. What a unit contributed is its multiplier times
its distance to its reference, for the input features and for every unit behind them alike.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reproduction.attribution.graph import Graph, Kind, Operation, read_graph, refusal, require_same
from reproduction.attribution.method import Method
from reproduction.attribution.scalar_function import ScalarFunction, finite
from reproduction.attribution.secant import Activation, secant_slope

INPUT = "input"
"""How the features are called among the layers."""

ADDS_UP = 1e-4
"""Per sum of the contributions' sizes: how far they may be from adding up. A layer within another may be in float32."""

Rule = Callable[[Activation, Any, Any], Any]
"""See `WalkMethod.slope`."""


@dataclass(frozen=True, kw_only=True)
class WalkMethod(Method):
    """An attribution method that is a rule for activations."""

    @abstractmethod
    def slope(self, activation: Activation, z: Any, reference: Any) -> Any:
        """Return by what an activation multiplies multipliers on their way from its output to its input.

        Args:
            activation: g.
            z: its input, tensor float64 [n, ...].
            reference: its input at the baseline, or 0 where `takes_baseline` is False, of the same form.

        Returns:
            Of the same form.
        """

    def reading(self, function: ScalarFunction, inputs: np.ndarray) -> ScalarFunction:
        """Read the model's operations."""
        return replace(function, graph=read_graph(function.model, function.layout.unpack(inputs)))

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the contributions of the input features, float64 [n, features]."""
        found = self.contributions(function, inputs, baseline, range(function.graph.inputs))
        return function.layout.pack(found)

    def contributions(
        self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray, wanted: Sequence[int]
    ) -> list[np.ndarray]:
        """Return what every unit of some states contributed to what is explained, in one backward walk.

        Args:
            function: the model, with its graph, and what of it is explained.
            inputs: float32 [n, features].
            baseline: float32 [n, features].
            wanted: states of the graph.

        Returns:
            Their contributions, each float64 [n, ...].

        Raises:
            ValueError: the output is not finite.
        """
        import tensorflow as tf

        graph: Graph = function.graph
        tensors, at_baseline = (
            [tf.constant(array, tf.float64) for array in function.layout.unpack(rows)] for rows in (inputs, baseline)
        )
        references = graph.plainly(at_baseline)
        require_same(function.model, graph, references)
        require_same(function.model, graph, graph.plainly(tensors))
        if all(operation.kind is not Kind.POOLING for operation in graph.operations):
            _require_to_add_up(function, tensors, references)
        mine = references if self.takes_baseline else [tf.zeros_like(state) for state in references]
        states, multipliers, _ = _walk(function, tensors, mine, self.slope, wanted)
        return [((states[index] - mine[index]) * one).numpy() for index, one in zip(wanted, multipliers, strict=True)]


def _walk(
    function: ScalarFunction, tensors: Sequence[Any], references: Sequence[Any], rule: Rule, wanted: Sequence[int]
) -> tuple[list[Any], list[Any], Any]:
    """Return all states, the multipliers of those that are wanted, and what is explained."""
    import tensorflow as tf

    graph: Graph = function.graph
    tape = tf.GradientTape()

    def run(index: int, operation: Operation, read: Sequence[Any]) -> Any:
        del index
        if operation.kind is not Kind.ELEMENT_WISE:
            return operation.call(*read)
        with tape.stop_recording():
            slope = rule(operation.call, read[0], references[operation.sources[0]])
        return _passed(operation.call, read[0], slope)

    with tape:
        for tensor in tensors:
            tape.watch(tensor)
        states = graph.states(tensors, run)
        finite("output", states[graph.output].numpy())
        explained = function.explained(states[graph.output])
    shown = [states[index] for index in wanted]
    multipliers = tape.gradient(explained, shown, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return states, multipliers, explained


def _require_to_add_up(function: ScalarFunction, tensors: Sequence[Any], references: Sequence[Any]) -> None:
    """Hold the operations' kinds to these inputs: by secants, contributions add up where all are what was read.

    Errors that cancel pass, and so does all behind max pooling, where nothing need add up.

    Raises:
        ValueError: they do not, so that something is neither affine nor element-wise, or its gradient is another's.
    """
    import tensorflow as tf

    inputs = range(function.graph.inputs)
    states, multipliers, explained = _walk(function, tensors, references, secant_slope, inputs)
    parts = [(states[index] - references[index]) * one for index, one in zip(inputs, multipliers, strict=True)]
    flat = tf.concat([tf.reshape(part, (part.shape[0], -1)) for part in parts], axis=1)
    before = function.explained(references[function.graph.output])
    gap = tf.abs(tf.reduce_sum(flat, axis=1) - (explained - before))
    size = tf.reduce_sum(tf.abs(flat), axis=1) + tf.abs(explained) + tf.abs(before)
    if tf.reduce_any(gap > ADDS_UP * size):
        name = getattr(function.model, "name", "a model")
        raise refusal(
            f"'{name}', in which something is neither affine nor element-wise at these inputs, or has another gradient "
            "than its own"
        )


def _passed(activation: Activation, z: Any, slope: Any) -> Any:
    """Apply an activation so that a gradient passes it by `slope`."""
    import tensorflow as tf

    @tf.custom_gradient
    def applied(z: Any) -> Any:
        return activation(z), lambda upstream: upstream * slope

    return applied(z)


def states_by_name(graph: Graph) -> dict[str, int]:
    """Return which state is the output of each layer.

    Raises:
        ValueError: a layer stands twice in the model, or is called `INPUT`.
    """
    states: dict[str, int] = {}
    visits = {INPUT: 0}
    for index, operation in enumerate(graph.operations, start=graph.inputs):
        if visits.setdefault(operation.name, operation.visit) != operation.visit:
            raise ValueError(
                f"model must have a name of its own for every layer, and none called {INPUT!r}, got "
                f"'{operation.name}' twice; rename one, or use a layer once."
            )
        states[operation.name] = index
    return states
