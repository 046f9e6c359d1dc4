"""The gradient of each sample's loss by the model's weights, many samples in one compiled call.

A batch is differentiated once, and the sums over it taken apart (`batch_sums`). Whether that is right is found out by
trying it on the first samples, beside their gradients one by one; where it is not, or a step is unknown (recurrent
layers' loops, say), every sample is differentiated by itself, in one compiled loop.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from reproduction.attribution.batch_sums import BatchSums
from reproduction.attribution.compiled import compiled
from reproduction.attribution.objective import MOST_BYTES, Objective, Samples, first_line, require_losses

TRIED = 3
"""Samples whose gradients are computed both ways before the fast one is taken."""

AS_ALONE = 1e-3
"""How far these may differ, as a share of a variable's largest entry: float32 sums in another order."""

ROUNDING = 1e-6
"""Of the largest entry of all: what a variable whose gradient cancels out is left with."""

COPIES = 6
"""Of P float32 numbers, that a sample's gradient takes while a block is computed and used: two in TensorFlow, one and
float64's two in NumPy, one that it is kept in."""


@dataclass(frozen=True)
class SampleGradients:
    """Gradients of an objective's losses, sample by sample.

    Attributes:
        objective: what is differentiated.
        size: of the blocks that the samples are cut into.
        together: whether a block is differentiated as a whole, else sample by sample.
        run: the compiled function of a block's inputs and targets that gives float32 [size, P].
    """

    objective: Objective
    size: int
    together: bool
    run: Callable[[list[Any], Any], Any]

    def of(self, samples: Samples) -> np.ndarray:
        """Return the gradients of a few samples, all held in memory, float32 [n, P].

        Raises:
            ValueError: one is not finite.
        """
        try:
            blocks = [self.run(inputs, targets).numpy()[:count] for inputs, targets, count in samples.blocks(self.size)]
        except Exception as error:  # anyone's loss or model
            require_losses(self.objective, samples, error)
            raise
        gradients = np.concatenate(blocks) if len(blocks) > 1 else blocks[0]
        if not np.isfinite(gradients).all():
            first = int(np.argmin(np.isfinite(gradients).all(axis=1)))
            raise ValueError(
                f"model must have a finite gradient at every sample, got NaN or infinity at sample {first}; check its "
                "weights, the loss, and the range of the samples."
            )
        return gradients


def sample_gradients(objective: Objective, samples: Samples, batch_size: int | None) -> SampleGradients:
    """Compile an objective's per-sample gradients.

    Args:
        objective: what is differentiated.
        samples: the first of which are tried.
        batch_size: the most samples in a block; None: as many as fit into 256 MB, see `Objective.rows_in`.

    Raises:
        ValueError: no gradient reaches the weights, or TensorFlow cannot compute it.
    """
    most = objective.rows_in(MOST_BYTES, samples.layout, COPIES) if batch_size is None else batch_size
    size = block_size(min(most, max(len(samples), 1)), objective)
    alone, together = (compiled(partial(kind, objective)) for kind in (_one_by_one, _together))
    try:
        inputs, targets, _ = next(samples[:TRIED].blocks(min(TRIED, len(samples))))
        expected = alone(inputs, targets).numpy()
    except NotDifferentiableError:
        raise ValueError(
            "model must be differentiable by TensorFlow, but no gradient of the loss reaches the weights; write it and "
            "the loss with tf.* or keras.ops, and name layers that the output depends on."
        ) from None
    except Exception as error:  # anyone's model
        raise ValueError(
            f"model must be differentiable by TensorFlow as a graph, got {first_line(error)}; write it and the loss "
            "with tf.* or keras.ops."
        ) from error
    if size > 1 and _fits(together, objective, samples, size, expected):
        return SampleGradients(objective, size, True, together)
    return SampleGradients(objective, size, False, alone)


class NotDifferentiableError(Exception):
    """No gradient reaches any of the variables."""


def _fits(run: Callable[..., Any], objective: Objective, samples: Samples, size: int, expected: np.ndarray) -> bool:
    """Return whether the first samples have these gradients among others, too, variable by variable."""
    inputs, targets, _ = next(samples.blocks(size))
    try:
        found = run(inputs, targets).numpy()[: len(expected)]
    except Exception:  # a step that is not known, or anyone's layer
        return False
    expected = expected[: len(found)]
    rounding = ROUNDING * np.abs(expected).max()
    ends = np.cumsum([math.prod(shape) for shape in objective.shapes])[:-1]
    return all(
        np.abs(one - other).max() <= max(AS_ALONE * np.abs(other).max(), rounding)
        for one, other in zip(np.split(found, ends, axis=1), np.split(expected, ends, axis=1), strict=True)
    )


def block_size(most: int, objective: Objective) -> int:
    """Return the greatest prime up to `most` that divides no axis of a weight; 1 where there is none.

    So an axis that runs over the samples is told from one that runs over weights.
    """
    axes = {size for shape in objective.shapes for size in shape}
    for size in range(most, 1, -1):
        prime = all(size % divisor for divisor in range(2, int(size**0.5) + 1))
        if prime and not any(axis % size == 0 for axis in axes):
            return size
    return 1


def summed_gradients(objective: Objective, inputs: list[Any], targets: Any) -> list[Any]:
    """Return the gradient of the sum of losses by each variable, None where it does not depend on it.

    Raises:
        NotDifferentiableError: it depends on none.
    """
    import tensorflow as tf

    values = objective.values
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for value in values:
            tape.watch(value)
        total = tf.reduce_sum(objective.losses(objective.output(inputs), targets))
    gradients = tape.gradient(total, values)
    if all(one is None for one in gradients):
        raise NotDifferentiableError
    return gradients


def _together(objective: Objective, inputs: list[Any], targets: Any) -> Any:
    """Return a block's gradients, float32 [size, P]."""
    import tensorflow as tf

    size = inputs[0].shape[0]
    walk = BatchSums(size, [*inputs, targets])
    rows = []
    for gradient, shape in zip(summed_gradients(objective, inputs, targets), objective.shapes, strict=True):
        part = tf.zeros((size, *shape)) if gradient is None else walk.rows(gradient)
        rows.append(tf.reshape(part, (size, -1)))
    return tf.concat(rows, 1)


def _one_by_one(objective: Objective, inputs: list[Any], targets: Any) -> Any:
    """Return the same, a sample after the other."""
    import tensorflow as tf

    def one(sample: Any) -> Any:
        features, wanted = sample
        gradients = summed_gradients(objective, [tensor[None] for tensor in features], wanted[None])
        return objective.joined(gradients)

    return tf.map_fn(one, (list(inputs), targets), fn_output_signature=tf.float32)
