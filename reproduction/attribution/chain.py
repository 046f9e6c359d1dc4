"""Attribution by one backward walk through a chain of pieces: epsilon-LRP and DeepLIFT.

Both carry multipliers from the output back to the input (Ancona et al. 2018, arXiv 1711.06104, Props. 1 and 2). A piece
that is affine passes them exactly, by its transposed matrix; an activation passes them as the method's rule says, and
that rule is all in which the methods differ. What a unit contributed is its multiplier times its distance to its
reference, for the input features and for every unit behind them alike.

The walk is in float64, whatever the model's weights are.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reproduction.attribution.layers import Layer, read_chain
from reproduction.attribution.method import Method
from reproduction.attribution.pieces import Activation, Dense, Piece
from reproduction.attribution.scalar_function import ScalarFunction, finite

INPUT = "input"
"""How the features are called among the layers."""

Rule = Callable[[Activation, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""How an activation passes: see `ChainMethod.passed`."""


@dataclass(frozen=True, kw_only=True)
class ChainMethod(Method):
    """An attribution method that is a rule for activations."""

    @abstractmethod
    def passed(
        self, activation: Activation, multipliers: np.ndarray, z: np.ndarray, reference: np.ndarray
    ) -> np.ndarray:
        """Carry multipliers from an activation's output to its input.

        Args:
            activation: the piece to pass.
            multipliers: of its output, float64 [n, units].
            z: its input, float64 [n, units].
            reference: its input at the baseline, or 0 where `takes_baseline` is False, float64 [n, units].

        Returns:
            The multipliers of its input, float64 [n, units].
        """

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the contributions of the input features, float64 [n, features]."""
        pieces = read_chain(function.model)
        start = one_hot(function, len(inputs), count_outputs(pieces, inputs.shape[1]))
        return self.contributions(pieces, inputs, baseline, start)[0]

    def contributions(
        self, pieces: Sequence[Piece], inputs: np.ndarray, baseline: np.ndarray, start: np.ndarray
    ) -> list[np.ndarray]:
        """Return what every unit contributed to a weighted sum of the outputs, in one backward walk.

        Args:
            pieces: of the model, from the input to the output.
            inputs: float32 [n, features].
            baseline: float32 [n, features].
            start: the outputs' weights in the sum, float64 [n, outputs].

        Returns:
            The contributions of each piece's input, then of the output, each float64 [n, units].

        Raises:
            ValueError: the output is not finite.
        """
        states = forward(pieces, inputs)
        references = forward(pieces, baseline) if self.takes_baseline else [np.zeros_like(state) for state in states]
        multipliers = backward(pieces, states, references, start, self.passed)
        return [
            (state - reference) * multiplier
            for state, reference, multiplier in zip(states, references, multipliers, strict=True)
        ]


def forward(pieces: Sequence[Piece], inputs: np.ndarray) -> list[np.ndarray]:
    """Return what flows along the chain: the input of each piece, then the output, each float64 [n, units].

    Raises:
        ValueError: the output is not finite.
    """
    states = [inputs.astype(np.float64)]
    for piece in pieces:
        states.append(piece.forward(states[-1]))
    finite("output", states[-1])
    return states


def backward(
    pieces: Sequence[Piece],
    states: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
    start: np.ndarray,
    rule: Rule,
) -> list[np.ndarray]:
    """Carry multipliers from the output to the input.

    Args:
        pieces: from the input to the output.
        states: what `forward` returns for the inputs.
        references: the same for the baseline.
        start: the multipliers of the output, float64 [n, outputs].
        rule: how an activation passes.

    Returns:
        The multipliers of every state, in the order of `states`, each float64 [n, units].
    """
    multipliers = [start]
    for piece, z, reference in zip(reversed(pieces), states[-2::-1], references[-2::-1], strict=True):
        if isinstance(piece, Activation):
            multipliers.append(rule(piece, multipliers[-1], z, reference))
        else:
            multipliers.append(piece.pull_back(multipliers[-1]))
    return multipliers[::-1]


def states_by_name(layers: Sequence[Layer]) -> dict[str, int]:
    """Return which state of the walk is the output of each layer that does something; `INPUT` is the first.

    Raises:
        ValueError: a layer stands twice in the chain, or is called `INPUT`.
    """
    states, last = {INPUT: 0}, 0
    for layer in layers:
        if not layer.pieces:
            continue
        if layer.name in states:
            raise ValueError(
                f"model must have a name of its own for every layer of the chain, and none called {INPUT!r}, got "
                f"'{layer.name}' twice; rename one, or use a layer once."
            )
        last += len(layer.pieces)
        states[layer.name] = last
    return states


def count_outputs(pieces: Sequence[Piece], features: int) -> int:
    """Return how many outputs the chain has: the units of its last dense piece, for the others keep their number."""
    return next((piece.kernel.shape[1] for piece in reversed(pieces) if isinstance(piece, Dense)), features)


def one_hot(function: ScalarFunction, rows: int, outputs: int) -> np.ndarray:
    """Return the multipliers at the output, float64 [rows, outputs]: 1 for the unit to explain, 0 elsewhere.

    Raises:
        ValueError: the function's target is missing or out of range.
    """
    multipliers = np.zeros((rows, outputs))
    multipliers[:, function.column_of(outputs)] = 1.0
    return multipliers
