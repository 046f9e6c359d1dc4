"""Products of a training objective's curvature with vectors; no matrix is built.

The Hessian's product is the derivative of the gradient along the vector, forward over reverse (Pearlmutter 1994,
doi 10.1162/neco.1994.6.1.147); the generalised Gauss-Newton matrix, J^T H_out J with the Jacobian J of the model's
output and the loss's Hessian H_out there, takes the model as linear in its weights (Schraudolph 2002,
doi 10.1162/08997660260028683), and has no negative eigenvalue where the loss is convex in the output.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.attribution.compiled import compiled
from reproduction.attribution.objective import MOST_BYTES, Objective, Samples, first_line, require_losses


@dataclass(frozen=True)
class Curvature:
    """The mean of a matrix [P, P] over the samples, and the Hessian of the regularizers.

    Attributes:
        objective: its P variables.
        samples: over which the mean goes.
        size: of the blocks that they are cut into.
        summed: the compiled function of vectors float32 [m, P] and a block, with a weight for each of its samples,
            that gives the sum of the products, float32 [m, P].
        penalised: that of the regularizers, of vectors alone.
    """

    objective: Objective
    samples: Samples
    size: int
    summed: Callable[..., Any]
    penalised: Callable[[Any], Any]

    def times(self, vectors: np.ndarray) -> np.ndarray:
        """Multiply vectors float64 [m, P]; blocks are computed in float32 and added in float64.

        Raises:
            ValueError: a product is not finite, or TensorFlow cannot differentiate twice.
        """
        given = vectors.astype(np.float32)
        total = np.zeros(vectors.shape)
        for inputs, targets, count in self.samples.blocks(self.size):
            counted = (np.arange(self.size) < count).astype(np.float32)
            try:
                total += self.summed(given, inputs, targets, counted).numpy()
            except Exception as error:  # anyone's loss or model
                require_losses(self.objective, self.samples, error)
                raise
        product = total / len(self.samples) + self.penalised(given).numpy()
        if not np.isfinite(product).all():
            require_losses(self.objective, self.samples)
            raise ValueError(
                "model must have a finite curvature, got NaN or infinity; check its weights and the range of x and y, "
                "or take hessian='identity'."
            )
        return product


def hessian(objective: Objective, samples: Samples, batch_size: int | None) -> Curvature:
    """Return the Hessian of the mean loss.

    Where TensorFlow has no forward derivative of a layer, such as a recurrent layer's loop, reverse runs over reverse.

    Args:
        objective: of which.
        samples: over which.
        batch_size: the most samples in a block; None: as many as fit into 256 MB, see `Objective.rows_in`.

    Raises:
        ValueError: TensorFlow cannot differentiate the loss twice.
    """
    return _curvature(objective, samples, batch_size, (_hessian_product, _hessian_product_backwards))


def gauss_newton(objective: Objective, samples: Samples, batch_size: int | None) -> Curvature:
    """Return the generalised Gauss-Newton matrix of the mean loss; arguments and errors as of `hessian`.

    The cut between model and loss is at the model's output: for classes, let the model end at its logits.
    """
    return _curvature(objective, samples, batch_size, (_gauss_newton_product, _gauss_newton_product_backwards))


def _curvature(
    objective: Objective, samples: Samples, batch_size: int | None, products: Sequence[Callable[..., Any]]
) -> Curvature:
    """Return the curvature by the first of several products that TensorFlow can compute."""
    most = objective.rows_in(MOST_BYTES, samples.layout, copies=0) if batch_size is None else batch_size
    size = min(most, len(samples))
    inputs, targets, _ = next(samples.blocks(size))
    refused: Exception | None = None
    for product in products:
        made = _made(objective, samples, size, product)
        nothing = np.zeros((1, objective.parameters), np.float32)
        try:
            made.summed(nothing, inputs, targets, np.zeros(size, np.float32))
        except Exception as error:  # anyone's layer or loss
            refused = error
        else:
            return made
    require_losses(objective, samples, refused)
    raise ValueError(
        f"model and loss must be differentiable twice by TensorFlow, got {first_line(refused)}; take "
        "hessian='identity', which needs one derivative."
    ) from refused


def _made(objective: Objective, samples: Samples, size: int, product: Callable[..., Any]) -> Curvature:
    def summed(vectors: Any, inputs: list[Any], targets: Any, counted: Any) -> Any:
        import tensorflow as tf

        return tf.map_fn(lambda vector: product(objective, vector, inputs, targets, counted), vectors)

    def penalised(vectors: Any) -> Any:
        import tensorflow as tf

        return tf.map_fn(lambda vector: _penalty_product(objective, vector), vectors)

    return Curvature(objective, samples, size, compiled(summed, any_count=True), compiled(penalised, any_count=True))


def _hessian_product(objective: Objective, vector: Any, inputs: Any, targets: Any, counted: Any) -> Any:
    """Return sum_i w_i d/de grad l_i(weights + e v) at e = 0, float32 [P]."""
    import tensorflow as tf

    return _derivative(
        objective, vector, lambda: tf.reduce_sum(counted * objective.losses(objective.output(inputs), targets))
    )


def _hessian_product_backwards(objective: Objective, vector: Any, inputs: Any, targets: Any, counted: Any) -> Any:
    """Return the same as the gradient of v^T grad."""
    import tensorflow as tf

    with _watching(objective) as outer:
        with _watching(objective) as inner:
            total = tf.reduce_sum(counted * objective.losses(objective.output(inputs), targets))
        gradient = objective.joined(inner.gradient(total, objective.values))
        along = tf.reduce_sum(gradient * vector)
    return objective.joined(outer.gradient(along, objective.values))


def _penalty_product(objective: Objective, vector: Any) -> Any:
    import tensorflow as tf

    if not any(getattr(one, "regularizer", None) for one in objective.variables):
        return tf.zeros_like(vector)
    return _derivative(objective, vector, objective.penalty)


def _derivative(objective: Objective, vector: Any, function: Callable[[], Any]) -> Any:
    """Return how the gradient of a function of the variables changes along a vector, float32 [P]."""
    import tensorflow as tf

    with tf.autodiff.ForwardAccumulator(objective.values, objective.cut(vector)) as forward:
        with _watching(objective) as tape:
            total = function()
        gradients = [
            None if one is None else tf.convert_to_tensor(one) for one in tape.gradient(total, objective.values)
        ]
    return objective.joined([None if one is None else forward.jvp(one) for one in gradients])


def _gauss_newton_product(objective: Objective, vector: Any, inputs: Any, targets: Any, counted: Any) -> Any:
    """Return J^T H_out J v, float32 [P]."""
    import tensorflow as tf

    with _watching(objective) as tape:
        with tf.autodiff.ForwardAccumulator(objective.values, objective.cut(vector)) as forward:
            output = _output(objective, inputs)
        along = forward.jvp(output)
    bent = _bent(objective, output, along, targets, counted)
    return objective.joined(tape.gradient(output, objective.values, output_gradients=bent))


def _gauss_newton_product_backwards(objective: Objective, vector: Any, inputs: Any, targets: Any, counted: Any) -> Any:
    """Return the same, with J v as the derivative of v^T J^T u by u."""
    import tensorflow as tf

    with _watching(objective) as tape:
        output = _output(objective, inputs)
    with tf.GradientTape() as outer:
        pulled = tf.zeros_like(output)
        outer.watch(pulled)
        with _watching(objective) as inner:
            again = _output(objective, inputs)
        gradient = objective.joined(inner.gradient(again, objective.values, output_gradients=pulled))
        product = tf.reduce_sum(gradient * vector)
    bent = _bent(objective, output, outer.gradient(product, pulled), targets, counted)
    return objective.joined(tape.gradient(output, objective.values, output_gradients=bent))


def _bent(objective: Objective, output: Any, along: Any, targets: Any, counted: Any) -> Any:
    """Return H_out times a change of the output, of its shape."""
    import tensorflow as tf

    if along is None:
        return tf.zeros_like(output)
    at = tf.stop_gradient(output)
    with tf.autodiff.ForwardAccumulator(at, along) as curved:
        with tf.GradientTape() as inner:
            inner.watch(at)
            total = tf.reduce_sum(counted * objective.losses(at, targets))
        slope = inner.gradient(total, at)
    bent = None if slope is None else curved.jvp(slope)
    return tf.zeros_like(output) if bent is None else bent  # a loss that is linear in the output


def _output(objective: Objective, inputs: Any) -> Any:
    """Return the model's output without what Keras remembers of it, such as its logits, which a loss would go to."""
    import tensorflow as tf

    return tf.identity(objective.output(inputs))


@contextmanager
def _watching(objective: Objective) -> Iterator[Any]:
    """Yield a tape on the objective's variables alone."""
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for value in objective.values:
            tape.watch(value)
        yield tape
