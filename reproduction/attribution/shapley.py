"""Shapley values: the change of the prediction when a feature joins, averaged over the orders of joining.

A coalition is a set of features at their input values while the others stand at the baseline; its worth is the
prediction (Lundberg and Lee 2017, arXiv 1705.07874, with a single background sample). Features are players, or groups
of them that share their value evenly, so the values add up to f(input) - f(baseline), in the sampled form too.

Differs from the paper: the paper says "SHAP" without naming an estimator. With Q = 5 features the exact
values cost 32 predictions, fewer than any estimator would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from reproduction.attribution.layout import Layout
from reproduction.attribution.method import Method, require_truth_value, require_whole_number
from reproduction.attribution.players import players_of
from reproduction.attribution.scalar_function import ScalarFunction

MOST_PLAYERS = 16
"""The largest number of players of exact Shapley values: 2^16 = 65,536 predictions a sample."""


@dataclass(frozen=True, kw_only=True)
class _Shapley(Method):
    """Shapley values of players.

    Attributes:
        feature_axes: along which axes of a sample features are told apart; see `players_of`.
        groups: in place of it, which features play together; see `players_of`.
    """

    feature_axes: Sequence[int] | None = None
    groups: Any = None

    def players(self, layout: Layout) -> np.ndarray:
        """Return the player of each feature, int [features]."""
        return players_of(layout, self.feature_axes, self.groups)


@dataclass(frozen=True, kw_only=True)
class ShapleySampling(_Shapley):
    """Shapley values averaged over random orders (Castro et al. 2009, "ApproShapley").

    DeepExplain's convention kept: the orders are shared by all samples, so a sample's result depends neither on
    the other samples nor on the batches. The error falls as 1 / sqrt(samples).

    Attributes:
        samples: number of orders drawn, >= 1; even if antithetic.
        seed: of the orders: a whole number >= 0, or a `numpy.random.SeedSequence`.
        antithetic: join each order by its reverse (Mitchell et al. 2022, arXiv 2104.12199), which is exact already
            with one pair where no more than two features interact.
    """

    samples: int = 100
    seed: int | np.random.SeedSequence = 0
    antithetic: bool = False

    def __post_init__(self) -> None:
        require_whole_number("samples", self.samples, minimum=1)
        if not isinstance(self.seed, np.random.SeedSequence):
            require_whole_number("seed", self.seed, minimum=0)
        require_truth_value("antithetic", self.antithetic)
        if self.antithetic and self.samples % 2:
            raise ValueError(f"samples must be even if antithetic, got {self.samples}; each order has its reverse.")

    def rows_per_input(self, layout: Layout) -> int:
        """Return the number of coalitions along one order, the empty one included."""
        return int(self.players(layout).max()) + 2

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the sampled Shapley values, float64 [n, features]."""
        return self.with_errors(function, inputs, baseline)[0]

    def with_errors(
        self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the sampled Shapley values and their standard errors, each float64 [n, features].

        The error is the spread over the orders drawn, or over the pairs if antithetic; NaN for a single one.
        """
        players = self.players(function.layout)
        count = int(players.max()) + 1
        total, squares = np.zeros((len(inputs), count)), np.zeros((len(inputs), count))
        orders = self._orders(count)
        for several in orders:
            drawn = np.zeros_like(total)
            for order in several:
                members = np.arange(count + 1)[:, None] > np.argsort(order)  # coalition k: the first k of the order
                worths = coalition_worths(function, inputs, baseline, members[:, players])
                drawn[:, order] += np.diff(worths, axis=1) / len(several)
            total += drawn
            squares += drawn**2
        draws = len(orders)
        mean = total / draws
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.sqrt(np.maximum(squares / draws - mean**2, 0.0) / np.float64(draws - 1))
        return shared(mean, players), shared(errors, players)

    def _orders(self, players: int) -> np.ndarray:
        """Draw the orders, int64 [draws, 1, players], or [draws, 2, players] with their reverse."""
        generator = np.random.default_rng(self.seed)
        drawn = self.samples // 2 if self.antithetic else self.samples
        orders = generator.permuted(np.tile(np.arange(players), (drawn, 1)), axis=1)
        return np.stack([orders, orders[:, ::-1]] if self.antithetic else [orders], axis=1)


@dataclass(frozen=True, kw_only=True)
class ExactShapley(_Shapley):
    """Shapley values by enumerating all 2^players coalitions (Lundberg and Lee 2017, Eq. 4)."""

    def rows_per_input(self, layout: Layout) -> int:
        """Return the number of coalitions.

        Raises:
            ValueError: more than `MOST_PLAYERS` players.
        """
        players = int(self.players(layout).max()) + 1
        if players > MOST_PLAYERS:
            raise ValueError(
                f"inputs must have at most {MOST_PLAYERS} features for shapley_exact, got {players}: the "
                f"2^{players} coalitions of every sample would not end; take shapley_sampling, or let features play "
                "together (feature_axes, groups)."
            )
        return 2**players

    def attributions(self, function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray) -> np.ndarray:
        """Return the Shapley values, float64 [n, features]."""
        players = self.players(function.layout)
        members = coalitions(int(players.max()) + 1)
        worths = coalition_worths(function, inputs, baseline, members[:, players])
        return shared(worths @ shapley_weights(members), players)


def shared(values: np.ndarray, players: np.ndarray) -> np.ndarray:
    """Share each player's value evenly among its features: float64 [n, players] to [n, features]."""
    return values[:, players] / np.bincount(players)[players]


def coalitions(features: int) -> np.ndarray:
    """Enumerate the coalitions: bool [2^features, features], row i holding the binary digits of i."""
    return (np.arange(2**features)[:, None] >> np.arange(features)) % 2 == 1


def shapley_weights(members: np.ndarray) -> np.ndarray:
    """Return the weight of each coalition's worth in each feature's Shapley value.

    A coalition of s other features that j joins weighs 1 / (features * C(features - 1, s)): with j it counts
    positive, without j negative.

    Args:
        members: all coalitions, bool [2^features, features].

    Returns:
        The weights, float64 [2^features, features].
    """
    features = members.shape[1]
    weights = np.array([1.0 / (features * comb(features - 1, others)) for others in range(features)])
    others = members.sum(axis=1, keepdims=True) - members
    return np.where(members, 1.0, -1.0) * weights[others]


def coalition_worths(
    function: ScalarFunction, inputs: np.ndarray, baseline: np.ndarray, members: np.ndarray
) -> np.ndarray:
    """Predict with each coalition at its input values and the rest at the baseline.

    Args:
        function: what is explained.
        inputs: float32 [n, features].
        baseline: float32 [n, features].
        members: bool [coalitions, features].

    Returns:
        The predictions, float64 [n, coalitions].
    """
    mixed = np.where(members[:, None, :], inputs, baseline)  # whole copies of the batch: [coalitions, n, features]
    return function.values(mixed.reshape(-1, inputs.shape[1])).reshape(len(members), len(inputs)).T
