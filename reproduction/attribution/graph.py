"""A Keras model as the operations that it applies at inference, for the methods that look inside a model."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from reproduction.attribution.secant import ROUNDING

Pullback = Callable[[Any], list[Any]]
"""Multipliers float64 [n, ...] of what an operation gives -> those of each of the tensors that it reads."""


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
            no "/" in a name); with the number of the output of a layer that has several, "split:1".
        visit: which layer that is, in the order in which they run; a layer used twice is visited twice.
        what: the layer with its type, for messages.
        sources: which states it reads: the model's inputs come first, then one state per operation.
        call: tensors float64 [n, ...], one per source, to a tensor float64 [n, ...].
        own: the same in the layer's own precision.
        kind: what it is; None if not tried yet.
        of_keras: whether it is one of Keras's own.
        narrow: whether it computes in float32.
    """

    name: str
    visit: int
    what: str
    sources: tuple[int, ...]
    call: Callable[..., Any]
    own: Callable[..., Any]
    kind: Kind | None = None
    of_keras: bool = True
    narrow: bool = False

    @property
    def rounding(self) -> float:
        """What it may be off by, per greatest number that it gives, or 1."""
        return 2.0**-20 if self.narrow else ROUNDING

    def run(self, read: Sequence[Any]) -> tuple[Any, Pullback]:
        """Return what the operation gives, float64 [n, ...], and how multipliers of that come back by its gradient."""
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(read)
            state = self.call(*read)

        def pullback(multipliers: Any) -> list[Any]:
            zero = tf.UnconnectedGradients.ZERO
            return tape.gradient(state, read, output_gradients=multipliers, unconnected_gradients=zero)

        return state, pullback


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

    def run(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Pullback]]:
        """Run the model on tensors float64 [n, ...].

        Returns:
            The states: the inputs, and behind them what every operation gives. And the operations' pullbacks.
        """
        states, pullbacks = list(inputs), []
        for operation in self.operations:
            state, pullback = operation.run([states[source] for source in operation.sources])
            states.append(state)
            pullbacks.append(pullback)
        return states, pullbacks


def nodes_of(model: Any) -> Iterator[Any]:
    """Yield the calls of a functional model's operations, each behind those that it reads."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if not node.is_input:
                yield node


def refusal(what: str, hint: str = "") -> ValueError:
    """Return the error that names what cannot be read."""
    return ValueError(
        f"model must be made of linear layers, max pooling and element-wise activations for epsilon_lrp and deeplift, "
        f"got {what}.{hint} Take integrated_gradients, input_x_gradient, saliency, occlusion or a Shapley method for "
        "any other model."
    )


def reason(error: Exception) -> str:
    """Return the first line of what an operation that does not run says, without TensorFlow's own names in it."""
    return re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:\w*\].*", "", (str(error).strip() or repr(error)).splitlines()[0])
