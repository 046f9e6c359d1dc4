"""What an operation of a model is, found out by trying it, and whether a batch agrees.

An operation is tried on rows of random numbers, of three magnitudes and of that of what it reads in the model:

* *affine*: f(x + t (y - x)) = f(x) + t (f(y) - f(x)), of all its inputs together: Dense, convolutions, pooling by the
  mean, normalisation at inference, whatever moves, joins or adds, and anyone's own layer of that kind;
* *element-wise*: every element of the output depends on the same element of the input alone: an activation, written as
  a layer, a string, a function or an operation on a tensor of the model.

Anything else is refused by its name: passed by its gradient, it would silently turn LRP and DeepLIFT into gradient x
input. Max pooling is known by its type.

Random numbers do not show everything: what bends beyond them only looks affine. So every batch is held to what was
found: the graph's output to the model's own, and each operation, on the rows where its numbers are greatest and on a
few others, to its kind; what is affine to its gradient, too. What still passes: a bend that these rows do not reach.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from reproduction.attribution.graph import Graph, Kind, Operation, reason, refusal
from reproduction.attribution.scalar_function import called, finite

MAGNITUDES = (1e-2, 1.0, 1e2)
"""Of the numbers that operations are tried on, whatever they read."""

FEWEST_ELEMENTS = 64
"""How many numbers a layer of Keras's own reads and gives at least at each magnitude, on both sides of 0."""

ROWS = 64
"""How many rows anything else is tried on at each magnitude."""

MOST_ELEMENTS = 2**20
"""How many numbers a trial reads and gives at most, at each magnitude, as long as it has a row."""

EXTREMES, OTHERS = 1, 2
"""How many rows of a batch an operation is held to its kind on: where it reads most, where least, and any others."""

MOST_HELD, MOST_ROWS_HELD = 2**18, 8
"""How many numbers, in how many rows, they are held on where that costs little, be it on the same rows again."""

MIXTURES = 4
"""How many mixtures each of these rows is in: two elements, of which one bends the other, are in one apart or not."""

TOLERANCE = 1e-5
"""Per number: a layer within another may compute in float32."""

FLOAT64 = 1e-12
"""And per greatest number of the trial: what cancels, as saturated tanhs do, keeps the rounding of its parts."""

FINITE = 0.05
"""The share of a trial's results that must be numbers: log(z - 5) has few."""

SAME = 128
"""How many roundings a sample's output may be from that of the layers in float64, or from that of the layers one by one
in their own precision: of the greatest number that the last of them gives or reads, as what it adds up may cancel."""

Rows = Sequence[np.ndarray]
"""What an operation reads, float64 [rows, ...] for each of its sources."""


def kind_of(operation: Operation, read: Sequence[Any], units: int, *, is_last: bool) -> Kind:
    """Find out what an operation is.

    Args:
        operation: what is tried.
        read: what it reads in the model, tensors float64 [1, ...].
        units: how many numbers it gives per sample.
        is_last: whether the model ends with it.

    Raises:
        ValueError: nothing that these methods know.
    """
    generator = np.random.default_rng(0)
    shapes = [tuple(one.shape[1:]) for one in read]
    counts = [*map(math.prod, shapes), units]
    rows = math.ceil(FEWEST_ELEMENTS / max(1, min(counts))) if operation.of_keras else ROWS
    rows = max(1, min(rows, MOST_ELEMENTS // max(1, sum(counts))))
    magnitudes = np.array([*MAGNITUDES, max(float(_greatest(one)[0]) for one in read) or 1.0])
    if operation.of_keras and min(counts) >= len(magnitudes) * FEWEST_ELEMENTS:  # all of them in one row
        groups, sizes = 1, [generator.choice(magnitudes, (1, *shape)) for shape in shapes]
    else:
        groups, sizes = len(magnitudes), [_by_row(np.repeat(magnitudes, rows), shape) for shape in shapes]
    count = len(sizes[0])
    x, y = (
        [size * generator.normal(size=(count, *shape)) for size, shape in zip(sizes, shapes, strict=True)] for _ in "xy"
    )
    on_the_line, share = _on_the_line(x, y, generator)
    at_x, at_y = _given(operation, x, y)
    (between,) = _given(operation, on_the_line)
    if _is_affine(operation, at_x, at_y, between, share, groups):
        return Kind.AFFINE
    mixed, masks = _mixed(x, y, generator)
    (at_mixed,) = _given(operation, mixed)
    if len(shapes) == 1 and _is_element_wise(operation, at_x, at_y, at_mixed, masks[0], groups):
        if np.isfinite(at_mixed).mean() >= FINITE:
            return Kind.ELEMENT_WISE
        raise refusal(f"{operation.what}, which gives NaN or infinity for nearly all that it is tried on")
    (alone,) = _given(operation, [rows[:1] for rows in x])
    if not np.allclose(alone, at_x[:1], rtol=TOLERANCE, atol=0.0, equal_nan=True):
        raise refusal(f"{operation.what}, which mixes samples")
    hint = ""
    if is_last and "softmax" in operation.what.lower():
        hint = " Of a classifier that ends with softmax, explain the scores before it."
    raise refusal(operation.what, hint)


def require_kinds(graph: Graph, states: Sequence[Any], references: Sequence[Any]) -> None:
    """Hold the operations to their kinds at a batch's states.

    Args:
        graph: the operations.
        states: what they give, tensors float64 [n, ...].
        references: what they give at the baseline, float64 [n, ...] or [1, ...], or None each.

    Raises:
        ValueError: one of them is something else there, by its name.
    """
    for operation in graph.operations:
        if operation.kind is not Kind.POOLING:
            read = [states[source] for source in operation.sources]
            _require_kind(operation, read, [references[source] for source in operation.sources])


def require_same(model: Any, graph: Graph, states: Sequence[Any]) -> None:
    """Hold what was read of a model to the model, at the inputs of these states.

    Raises:
        ValueError: the model gives another output, or in its own precision none that is finite.
    """
    import tensorflow as tf

    inputs = states[: graph.inputs]
    given = finite("output", np.asarray(called(model, [tf.cast(one, tf.float32) for one in inputs]), np.float64))
    rounding = precision_of(model)
    if _is_same(given, graph, states, rounding):
        return
    own = list(inputs)
    for operation in graph.operations:
        own.append(operation.own(*(own[source] for source in operation.sources)))
    if not _is_same(given, graph, own, rounding):
        raise refusal(f"'{model.name}', whose layers one by one give another output than it gives")


def _is_same(given: np.ndarray, graph: Graph, states: Sequence[Any], rounding: float) -> bool:
    """Tell whether a model's output is that of these states, up to a rounding, sample by sample."""
    read = graph.operations[-1].sources if graph.operations else ()
    size = np.max([_greatest(states[index]) for index in (*read, graph.output)], axis=0)
    return bool((_greatest(given - states[graph.output]) <= SAME * rounding * size).all())


def _require_kind(operation: Operation, read: Sequence[Any], before: Sequence[Any]) -> None:
    """Hold an operation to its kind on some rows of what it reads; see `require_kinds`."""
    import tensorflow as tf

    generator = np.random.default_rng(0)
    picked = np.unique(_picked(read, generator))
    fewest = int(np.clip(MOST_HELD // max(1, sum(math.prod(one.shape[1:]) for one in read)), 2, MOST_ROWS_HELD))
    picked = np.resize(picked, max(fewest, len(picked)))  # half are held to the baseline, half to random numbers
    picks = np.repeat(picked, MIXTURES if operation.kind is Kind.ELEMENT_WISE else 1)
    x = [tf.gather(one, picks).numpy() for one in read]
    y = [_by_row(_sizes(one), one.shape[1:]) * generator.normal(size=one.shape) for one in x]
    if before[0] is not None:
        beside = np.resize(_picked(before, generator), (len(picks) + 1) // 2)
        for fresh, reference in zip(y, before, strict=True):
            fresh[::2] = tf.gather(reference, beside).numpy()
    if operation.kind is Kind.ELEMENT_WISE:
        mixed, masks = _mixed(x, y, generator)
        (at_x, at_y), (at_mixed,) = _given(operation, x, y), _given(operation, mixed)
        if not _is_element_wise(operation, at_x, at_y, at_mixed, masks[0]):
            raise refusal(f"{operation.what}, which is not element-wise at these inputs")
        return
    on_the_line, share = _on_the_line(x, y, generator)
    at_x, at_y, between = _given(operation, x, y, on_the_line)
    if not _is_affine(operation, at_x, at_y, between, share):
        raise refusal(f"{operation.what}, which is affine on what it was tried on, but not at these inputs")
    multipliers = generator.normal(size=at_x.shape)
    _, pullback = operation.run([tf.constant(one) for one in x])
    try:
        back = pullback(tf.constant(multipliers))
    except Exception as error:  # anyone's layer
        raise refusal(f"{operation.what}, which has no gradient ({reason(error)})") from error
    change = multipliers * (at_y - at_x)
    carried = [one.numpy() * (b - a) for one, a, b in zip(back, x, y, strict=True)]
    gap = np.abs(_sum(change) - sum(map(_sum, carried)))
    size = _sum(np.abs(change)) + sum(_sum(np.abs(one)) for one in carried)
    rounded = (TOLERANCE if operation.narrow else FLOAT64) * _sum(np.abs(multipliers * at_x))
    if not np.all(gap <= TOLERANCE * size + rounded):
        raise refusal(f"{operation.what}, which mixes samples, or has another gradient than its own")


def _picked(read: Sequence[Any], generator: np.random.Generator) -> np.ndarray:
    """Return the rows of a batch where its numbers are greatest and least, and a few others."""
    import tensorflow as tf

    count = len(read[0])
    axes = [list(range(1, len(one.shape))) for one in read]
    greatest = np.max([tf.reduce_max(one, axis=axis) for one, axis in zip(read, axes, strict=True)], axis=0)
    least = np.min([tf.reduce_min(one, axis=axis) for one, axis in zip(read, axes, strict=True)], axis=0)
    return np.concatenate(
        [np.argsort(-greatest)[:EXTREMES], np.argsort(least)[:EXTREMES], generator.integers(0, count, OTHERS)]
    )


def _on_the_line(x: Rows, y: Rows, generator: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Return a point on the line through each two rows, and where it is between them."""
    share = generator.uniform(-1.0, 2.0, len(x[0]))
    return [a + _by_row(share, a.shape[1:]) * (b - a) for a, b in zip(x, y, strict=True)], share


def _mixed(x: Rows, y: Rows, generator: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return a mixture of each two rows, and where it is of the first."""
    masks = [generator.integers(0, 2, a.shape) == 1 for a in x]
    return [np.where(mask, a, b) for mask, a, b in zip(masks, x, y, strict=True)], masks


def _given(operation: Operation, *several: Rows) -> list[np.ndarray]:
    """Return what an operation gives for each of several rows, all in one call.

    Raises:
        ValueError: it does not run on as many rows.
    """
    import tensorflow as tf

    rows = [tf.constant(np.concatenate(parts)) for parts in zip(*several, strict=True)]
    try:
        with np.errstate(all="ignore"):
            state = operation.call(*rows).numpy()
    except Exception as error:  # anyone's layer
        raise refusal(
            f"{operation.what}, which does not run on any {len(rows[0])} samples ({reason(error)})"
        ) from error
    if len(state) != len(rows[0]):
        raise refusal(f"{operation.what}, which makes {len(state)} samples of {len(rows[0])}")
    return np.split(state, len(several))


def _is_affine(
    operation: Operation, x: np.ndarray, y: np.ndarray, between: np.ndarray, share: np.ndarray, groups: int = 1
) -> bool:
    """Tell it by what an operation gives at x, at y, and between them."""
    with np.errstate(invalid="ignore", over="ignore"):  # what it gives may be infinite
        straight = x + _by_row(share, x.shape[1:]) * (y - x)
    return bool(_agree(operation, between, straight, (x, y), groups).all())


def _is_element_wise(
    operation: Operation, x: np.ndarray, y: np.ndarray, mixed: np.ndarray, mask: np.ndarray, groups: int = 1
) -> bool:
    """Tell it by what an operation gives at x, at y, and at a mixture of them."""
    if mixed.shape != mask.shape:
        return False
    expected = np.where(mask, x, y)
    neither = ~np.isfinite(mixed) & ~np.isfinite(expected)
    return bool((neither | _agree(operation, mixed, expected, (x, y), groups)).all())


def _agree(operation: Operation, found: np.ndarray, expected: np.ndarray, trials: Rows, groups: int) -> np.ndarray:
    """Tell where two results agree, by the sizes of what the operation gave in the same place, row and group."""
    with np.errstate(invalid="ignore"):
        sizes = [np.where(np.isfinite(one), np.abs(one), 0.0) for one in (found, expected, *trials)]
        size = np.max(sizes, axis=0)
        several = np.repeat(size.reshape(groups, -1).max(axis=1), len(size) // groups)
        row, group = (_by_row(one, size.shape[1:]) for one in (size.reshape(len(size), -1).max(axis=1), several))
        allowed = TOLERANCE * row if operation.narrow else TOLERANCE * size + FLOAT64 * group
        return np.abs(found - expected) <= allowed


def _sizes(rows: np.ndarray) -> np.ndarray:
    """Return each row's greatest number, or 1 for a row of zeros."""
    greatest = np.abs(rows).reshape(len(rows), -1).max(axis=1)
    return np.where(greatest > 0.0, greatest, 1.0)


def _greatest(state: Any) -> np.ndarray:
    """Return each row's greatest absolute number."""
    import tensorflow as tf

    return tf.reduce_max(tf.abs(state), axis=list(range(1, len(state.shape)))).numpy()


def precision_of(model: Any) -> float:
    """Return the rounding, per number, of the least precise of a model's layers."""
    import tensorflow as tf

    found = {layer.compute_dtype for layer in (model, *model._flatten_layers())}
    if "bfloat16" in found:
        return 2.0**-8
    fast = tf.config.experimental.tensor_float_32_execution_enabled() and tf.config.list_physical_devices("GPU")
    return 2.0**-11 if fast or "float16" in found else 2.0**-24


def _sum(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(len(rows), -1).sum(axis=1)


def _by_row(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return values.reshape(-1, *(1,) * len(shape))
