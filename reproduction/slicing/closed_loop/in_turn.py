"""CLs in turn within one compiled call: what a call costs beside its computation is paid once for several of them.

A loop, not a batch: each CL's arithmetic is that of a call of its own, bit for bit, so that no result depends on who
shares the call.

Differs from the paper: Nothing.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import PolymorphicFunction

PER_CALL = 8
"""CLs of one call, at most. It is compiled for this many and loops over those there are: once for any number of CLs."""


def in_turn(function: PolymorphicFunction, shared: Sequence[Any], rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Compute `function(*shared, *row)` for each CL.

    Args:
        function: a `tf.function` from tensors to a tensor or a named tuple of them.
        shared: what is the same for all CLs, arrays.
        rows: what is each CL's own, arrays of the same shapes and dtypes for all.

    Returns:
        the answers in the order of `rows`, NumPy arrays in the form of `function`'s.
    """
    answers = []
    for start in range(0, len(rows), PER_CALL):
        block = rows[start : start + PER_CALL]
        columns = [np.stack(column) for column in zip(*block, strict=True)]
        padded = tuple(np.resize(column, (PER_CALL, *column.shape[1:])) for column in columns)
        answer = tf.nest.map_structure(np.asarray, _loop(function)(np.int32(len(block)), tuple(shared), padded))
        answers += [tf.nest.map_structure(lambda array, i=i: array[i], answer) for i in range(len(block))]
    return answers


@cache
def _loop(function: PolymorphicFunction):
    """Return the compiled loop, from a count, `shared` and columns [PER_CALL, ...] to answers, 0 after the count."""

    @tf.function(jit_compile=True, autograph=False)
    def loop(count, shared, columns):
        row = [tf.TensorSpec(column.shape[1:], column.dtype) for column in columns]
        form = function.get_concrete_function(*shared, *row).structured_outputs
        arrays = tf.nest.map_structure(lambda one: tf.TensorArray(one.dtype, PER_CALL, element_shape=one.shape), form)

        def one_more(number, arrays):
            answer = function(*shared, *(column[number] for column in columns))
            return number + 1, tf.nest.map_structure(lambda array, value: array.write(number, value), arrays, answer)

        _, arrays = tf.while_loop(lambda number, _: number < count, one_more, (tf.constant(0), arrays))
        return tf.nest.map_structure(lambda array: array.stack(), arrays)

    return loop
