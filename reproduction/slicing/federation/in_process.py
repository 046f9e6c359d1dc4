"""A fleet on one machine: CLs whose data and log A are held here, run in this process or in its workers."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from reproduction.slicing.closed_loop import client
from reproduction.slicing.closed_loop.client import Assignment, Part, Samples, Score, Update, initial_log_matrix
from reproduction.slicing.closed_loop.weights import serialise
from reproduction.slicing.federation.held import Held, hold


class Pool(Protocol):
    """Who computes: `function(samples, *own)`, several CLs at a time, answers in the order of the CLs."""

    def map(self, function: Callable[..., Any], held: Held, *own: Sequence[Any]) -> list[Any]:
        """Run all CLs.

        Args:
            function: from some CLs' samples and entries of `own` to a list of their answers, which must not depend on
                who comes together; what all CLs share is bound to it already (`functools.partial`).
            held: the CLs' data.
            *own: one sequence per further argument, an entry per CL.

        Raises:
            ValueError: if a sequence has not an entry per CL.
        """


class Here:
    """A `Pool` that runs all CLs in this process."""

    def map(self, function: Callable[..., Any], held: Held, *own: Sequence[Any]) -> list[Any]:
        """Run all CLs; see `Pool`."""
        held.check(own)
        return function(held.samples, *own)


class InProcessFleet:
    """A `server.Fleet` on a pool.

    Attributes:
        assignment: what the CLs were told once.
        names: the CLs', sorted; all answers have this order, whatever order they were given in.
        log_matrices: each CL's log A after its last round, float32 [K, 2, 2]; set it to go on from an earlier one.
    """

    def __init__(
        self,
        assignment: Assignment,
        training: Sequence[Samples],
        test: Sequence[Samples] = (),
        *,
        pool: Pool,
    ) -> None:
        """Take the CLs in.

        Args:
            assignment: what they are told once.
            training: their training parts.
            test: their test parts, of the same names, if they are ever asked for.
            pool: who computes.

        Raises:
            ValueError: if two CLs share a name, and so a stream of randomness.
        """
        self.names = tuple(sorted(samples.name for samples in training))
        if len(set(self.names)) < len(self.names):
            raise ValueError("clients must have different names, got one twice; rename it")
        self.log_matrices = self._fresh = np.stack([initial_log_matrix()] * len(self.names))
        self.assignment, self._pool = assignment, pool
        self._parts: dict[Part, Held] = {"training": hold(training), "test": hold(test)}

    def train(self, weights: np.ndarray, round_number: int) -> list[Update]:
        """Let every CL run its local epochs; see `server.Fleet`."""
        start = self.log_matrices if self.assignment.local.multipliers == "keep" else self._fresh
        one_round = partial(client.train, self.assignment, serialise(weights), round_number)
        updates, log_matrices = zip(*self._pool.map(one_round, self._parts["training"], list(start)), strict=True)
        self.log_matrices = np.stack(log_matrices)
        return list(updates)

    def evaluate(self, weights: np.ndarray, round_number: int, part: Part) -> list[Score]:
        """Let every CL score a global model; see `server.Fleet`."""
        score = partial(client.score, self.assignment, serialise(weights), round_number, part)
        return self._pool.map(score, self._parts[part])
