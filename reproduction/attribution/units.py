"""How many numbers a model holds for a sample, which says how many samples fit into memory."""

import math
from typing import Any

from reproduction.attribution.graph import nodes_of
from reproduction.attribution.layout import Layout
from reproduction.attribution.scalar_function import called, is_keras


def units_of(model: Any, layout: Layout) -> int:
    """Return a sample's features and, of a Keras model, what its layers give, those of the models within it too.

    Args:
        model: anything that is called. Of a Keras model that is no chain or graph of layers, such as a subclass of
            `keras.Model`, what TensorFlow computes is counted, step by step; of one that it cannot trace, a guess.
        layout: of the features.
    """
    if not is_keras(model):
        return layout.features
    given = _given(model)
    if given is None:
        given = _traced(model, layout)
    if given is None:
        given = layout.features * len(list(model._flatten_layers()))
    return layout.features + given


def _given(model: Any) -> int | None:
    """Return how many numbers a model's layers give for a sample, None if one holds others, or any number."""
    import keras

    if isinstance(model, keras.Sequential) and model.built:
        model = model._functional
    if not isinstance(model, keras.Model) or not hasattr(model, "_nodes_by_depth"):
        return None
    units = 0
    for node in nodes_of(model):
        inner = node.operation
        nested = isinstance(inner, keras.Layer) and len(list(inner._flatten_layers())) > 1
        sizes = [tuple(tensor.shape[1:]) for tensor in node.outputs]
        one = _given(inner) if nested else None if None in sum(sizes, ()) else sum(map(math.prod, sizes))
        if one is None:
            return None
        units += one
    return units


def _traced(model: Any, layout: Layout) -> int | None:
    """Return how many numbers the steps of a model's computation give for a sample, None if it cannot be traced."""
    import tensorflow as tf

    specs = [tf.TensorSpec((None, *shape), tf.float32) for shape in layout.shapes]
    try:
        traced = tf.function(lambda *tensors: called(model, list(tensors)), autograph=False)
        steps = traced.get_concrete_function(*specs).graph.get_operations()
    except Exception:  # anyone's model
        return None
    outputs = [one for step in steps for one in step.outputs]
    shapes = [one.shape for one in outputs if one.shape.rank and one.shape[0] is None]
    return sum(math.prod(size or 1 for size in shape[1:]) for shape in shapes)
