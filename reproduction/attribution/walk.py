"""Attribution by one backward walk through a Keras model: epsilon-LRP and DeepLIFT.

Both carry multipliers from the output back to the input (Ancona et al. 2018, arXiv 1711.06104, Props. 1 and 2). What is
affine passes them by its own gradient, max pooling too; an element-wise activation passes them by the slope that the
method's rule says, and that rule is all in which the methods differ. What a unit contributed is its multiplier times
its distance to its reference, for the input features and for every unit behind them alike.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reproduction.attribution.graph import Graph, Kind, Operation, Pullback
from reproduction.attribution.method import Method
from reproduction.attribution.reading import read_graph
from reproduction.attribution.scalar_function import ScalarFunction, finite
from reproduction.attribution.trials import require_kinds, require_same

INPUT = "input"
"""How the features are called among the layers."""


@dataclass(frozen=True, kw_only=True)
class WalkMethod(Method):
    """An attribution method that is a rule for activations."""

    @abstractmethod
    def slope(self, activation: Operation, z: Any, a: Any, z0: Any, a0: Any) -> Any:
        """Return by what an activation multiplies multipliers on their way from its output to its input.

        Args:
            activation: an element-wise operation, g.
            z: its input, tensor float64 [n, ...].
            a: its output, g(z).
            z0: its input at the baseline, float64 [n, ...] or [1, ...]; None where `takes_baseline` is False.
            a0: its output there, g(z0).

        Returns:
            Tensor float64 [n, ...].
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
            ValueError: the output is not finite, or the model is at these inputs something else than was read.
        """
        graph: Graph = function.graph
        states, pullbacks = _run(function, inputs)
        references = [None] * len(states)
        if self.takes_baseline:
            references, _ = _run(function, _one_if_all_are_equal(baseline))
        require_kinds(graph, states, references)
        multipliers = self._multipliers(function, states, references, pullbacks)
        return [_contribution(states[index], references[index], multipliers.get(index)) for index in wanted]

    def _multipliers(
        self,
        function: ScalarFunction,
        states: Sequence[Any],
        references: Sequence[Any],
        pullbacks: Sequence[Pullback],
    ) -> dict[int, Any]:
        """Walk back from the output; return the multipliers float64 [n, ...] of every state that counts for it."""
        import tensorflow as tf

        graph: Graph = function.graph
        multipliers = {graph.output: tf.constant(function.weights(states[graph.output].shape))}
        for index in reversed(range(graph.inputs, len(states))):
            if index not in multipliers:
                continue
            operation = graph.operations[index - graph.inputs]
            if operation.kind is Kind.ELEMENT_WISE:
                (source,) = operation.sources
                slope = self.slope(operation, states[source], states[index], references[source], references[index])
                carried = [multipliers[index] * slope]
            else:
                carried = pullbacks[index - graph.inputs](multipliers[index])
            for source, one in zip(operation.sources, carried, strict=True):
                multipliers[source] = multipliers[source] + one if source in multipliers else one
        return multipliers


def _run(function: ScalarFunction, rows: np.ndarray) -> tuple[list[Any], list[Pullback]]:
    """Return all states of the model at float32 [n, features], float64 [n, ...] each, and its operations' pullbacks.

    Raises:
        ValueError: the output is not finite, or is not the model's own.
    """
    import tensorflow as tf

    graph: Graph = function.graph
    states, pullbacks = graph.run([tf.constant(array, tf.float64) for array in function.layout.unpack(rows)])
    finite("output", np.asarray(states[graph.output]))
    require_same(function.model, graph, states)
    return states, pullbacks


def _one_if_all_are_equal(rows: np.ndarray) -> np.ndarray:
    """Return rows [n, features], or the first alone [1, features], which stands for all of them."""
    return rows[:1] if (rows == rows[:1]).all() else rows


def _contribution(state: Any, reference: Any, multipliers: Any) -> np.ndarray:
    """Return what the units of a state contributed: their multipliers times the distance to the reference, float64."""
    if multipliers is None:
        return np.zeros(state.shape)
    return np.asarray((state if reference is None else state - reference) * multipliers)


def states_by_name(graph: Graph) -> dict[str, int]:
    """Return which state is the output of each layer.

    Raises:
        ValueError: a layer stands twice in the model, or is called `INPUT`.
    """
    states: dict[str, int] = {}
    visits: dict[str, int] = {}
    for index, operation in enumerate(graph.operations, start=graph.inputs):
        if operation.name == INPUT:
            raise ValueError(f"model must have no layer called {INPUT!r}, as the features are; rename it.")
        if visits.setdefault(operation.name, operation.visit) != operation.visit:
            raise ValueError(
                f"model must have a name of its own for every layer, got '{operation.name}' twice; rename one, or use "
                "a layer once."
            )
        states[operation.name] = index
    return states
