"""The confidence-constrained regression as a two-player game, eqs. (7)-(11), on TFCO's proxy-Lagrangian loss.

The W-player descends lambda_0 * MSE + lambda_1 * Psi (8a); the lambda-player ascends lambda_1 * Phi (8b) by an
exponentiated step on the column-stochastic matrix A, whose stationary distribution is lambda.

Differs from the paper: (8a) prints no lambda_0, Algorithm 1's lambda has one; A's update takes the OUTER product
of the gradient with lambda, and normalises by the new column. Both as TFCO does.
"""

from typing import NamedTuple

import tensorflow as tf
import tensorflow_constrained_optimization as tfco

from reproduction.slicing.closed_loop.confidence import confidence, mean_over
from reproduction.slicing.settings import LocalSettings


class Terms(NamedTuple):
    """What the problem is made of at one iterate; scalars, float32.

    Attributes:
        mse: (7a), in %^2.
        constraint: Phi = nu - C of (7b), 0 where U is empty.
        surrogate: Psi of (9), 0 where U is empty.
    """

    mse: tf.Tensor
    constraint: tf.Tensor
    surrogate: tf.Tensor


class ConfidenceProblem(tfco.ConstrainedMinimizationProblem):
    """Problem (7) for TFCO, at whatever iterate `terms` was last set to."""

    terms: Terms

    def objective(self) -> tf.Tensor:
        """Return the MSE, a scalar."""
        return self.terms.mse

    @property
    def num_constraints(self) -> int:
        """M = 1."""
        return 1

    def constraints(self) -> tf.Tensor:
        """Return Phi, the lambda-player's constraint, [1]."""
        return self.terms.constraint[None]

    def proxy_constraints(self) -> tf.Tensor:
        """Return Psi, the W-player's constraint, [1]."""
        return self.terms.surrogate[None]


class Game:
    """TFCO's loss and state, with Algorithm 1's lambda-step.

    Attributes:
        state: log A, float32 [M+1, M+1], TFCO's variable; start a round with `state.assign`.
    """

    def __init__(self, settings: LocalSettings) -> None:
        self._problem = ConfidenceProblem()
        self._loss, _, self.state = tfco.create_proxy_lagrangian_loss(
            self._problem, minimum_multiplier_radius=settings.multiplier_radius, initial_multiplier_radius=1.0
        )

    def lagrangian(self, terms: Terms) -> tf.Tensor:
        """Return TFCO's loss at an iterate, a scalar; its gradient is each player's own: (8a) for W, (8b) for log A."""
        self._problem.terms = terms
        return self._loss()

    def step(self, gradient: tf.Tensor, learning_rate: float) -> None:
        """Take the lambda-player's exponentiated step: additive on log A, then TFCO's projection.

        TFCO's loss has the lambda-player's Lagrangian with its sign turned, so that both players descend.
        """
        self.state.assign(self.state.constraint(self.state - learning_rate * gradient))


def terms(
    mse: tf.Tensor,
    members: tf.Tensor,
    mutated_prediction: tf.Tensor,
    bounds: tf.Tensor,
    threshold: tf.Tensor,
    settings: LocalSettings,
) -> Terms:
    """Evaluate objective, constraint (7b) and surrogate (9).

    Args:
        mse: (7a), a scalar in %^2.
        members: U of eq. (4), float32 [n], 0 or 1.
        mutated_prediction: z_hat of eq. (5), float32 [S * n], CPU load in %.
        bounds: alpha_n and beta_n, float32 [2], in %.
        threshold: nu_n, a scalar.
        settings: mu, `confidence` and `surrogate`.
    """
    above = tf.sigmoid(settings.steepness_per_percent * (mutated_prediction - bounds[0]))
    below = tf.sigmoid(settings.steepness_per_percent * (bounds[1] - mutated_prediction))
    soft = above * below if settings.surrogate == "product" else tf.math.log(tf.exp(above) + tf.exp(below))
    any_member = tf.sign(tf.reduce_sum(members))
    return Terms(
        mse=mse,
        constraint=any_member * (threshold - confidence(members, mutated_prediction, bounds, settings.confidence)),
        surrogate=any_member * (threshold - mean_over(members, soft)),
    )


def multipliers(log_matrix: tf.Tensor) -> tf.Tensor:
    """Return lambda, the stationary distribution of A = exp(log A), float32 [2], in closed form for M = 1."""
    matrix = tf.exp(log_matrix)
    return tf.stack([matrix[0, 1], matrix[1, 0]]) / (matrix[0, 1] + matrix[1, 0])
