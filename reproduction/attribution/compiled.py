"""Functions of tensors as TensorFlow graphs, one for each shape, without a warning that there are too many."""

from collections.abc import Callable
from typing import Any


def compiled(function: Callable[..., Any], *, any_count: bool = False) -> Callable[..., Any]:
    """Return a function that runs as a graph, of arrays and lists of them.

    Args:
        function: what is traced, once for each shape of its arguments.
        any_count: let a graph be for axes of any length, once they were met with several.
    """
    import tensorflow as tf

    traced = tf.function(function, autograph=False, reduce_retracing=any_count)

    def run(*arguments: Any) -> Any:
        given = tf.nest.map_structure(tf.convert_to_tensor, arguments)
        return traced.get_concrete_function(*given)(*given)

    return run
