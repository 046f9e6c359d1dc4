"""A gradient summed over a batch, taken apart into its samples' gradients.

The gradient of a sum of losses by a weight is computed by a step that sums over the batch: a matrix product that
contracts it, the gradient of a convolution by its kernel, a plain sum; what follows is linear in that step's result.
This module walks a TensorFlow graph back from the gradient to those steps and writes each anew with the samples kept
apart; the work is that of one pass for the whole batch. In the words of Goodfellow 2015 (arXiv 1510.01799), who did so
for dense layers: outer products of inputs and back-propagated gradients.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np


class NotSeparableError(Exception):
    """A step is none that this module knows; the message names it."""


class BatchSums:
    """Takes gradients apart, in the graph that is being traced.

    Args:
        size: samples in the batch; no weight's axis may be a multiple of it, see `sample_gradients.block_size`.
        sources: the tensors that hold the samples.
    """

    def __init__(self, size: int, sources: Sequence[Any]) -> None:
        self.size = size
        self._depending = {id(source): True for source in sources}
        self._rows: dict[int, Any] = {}

    def rows(self, gradient: Any) -> Any:
        """Return each sample's part of a gradient [...], a tensor [size, ...].

        Raises:
            NotSeparableError: a step on the way to the sum over the batch is unknown.
        """
        import tensorflow as tf

        if isinstance(gradient, tf.IndexedSlices):
            return self._of_slices(gradient)
        key = id(gradient)
        if key not in self._rows:
            rule = _RULES.get(gradient.op.type)
            if rule is None:
                raise NotSeparableError(gradient.op.type)
            self._rows[key] = rule(self, gradient.op, gradient)
        return self._rows[key]

    def depends(self, tensor: Any) -> bool:
        """Tell whether a tensor depends on the samples."""
        pending = [tensor]
        while pending:
            one = pending[-1]
            if id(one) in self._depending:
                pending.pop()
                continue
            waiting = [before for before in one.op.inputs if id(before) not in self._depending]
            if waiting:
                pending += waiting
                continue
            self._depending[id(one)] = any(self._depending[id(before)] for before in one.op.inputs)
            pending.pop()
        return self._depending[id(tensor)]

    def holds_samples(self, tensor: Any) -> bool:
        """Tell whether a tensor's first axis runs over the samples, or over several places of each."""
        rank = tensor.shape.rank
        return bool(rank) and tensor.shape[0] % self.size == 0 and tensor.shape[0] > 0 and self.depends(tensor)

    def apart(self, tensor: Any) -> Any:
        """Return a tensor [size * k, ...], a sample's k places behind each other, as [size, k, ...]."""
        import tensorflow as tf

        if not self.holds_samples(tensor):
            raise NotSeparableError(f"{tensor.op.type} without the samples first")
        return tf.reshape(tensor, (self.size, tensor.shape[0] // self.size, *tensor.shape[1:]))

    def _of_slices(self, slices: Any) -> Any:
        """Rows of a table: each sample's places are counted into a table of its own."""
        import tensorflow as tf

        shape = tuple(tf.get_static_value(slices.dense_shape))
        values, places = self.apart(slices.values), self.apart(slices.indices)
        own = places + tf.range(self.size, dtype=places.dtype)[:, None] * shape[0]
        summed = tf.math.unsorted_segment_sum(
            tf.reshape(values, (-1, *shape[1:])), tf.reshape(own, [-1]), self.size * shape[0]
        )
        return tf.reshape(summed, (self.size, *shape))


def _sum(walk: BatchSums, op: Any, out: Any) -> Any:
    import tensorflow as tf

    axes = tf.get_static_value(op.inputs[1])
    if axes is None:
        raise NotSeparableError("Sum over axes known late")
    axes = sorted(int(axis) % op.inputs[0].shape.rank for axis in np.atleast_1d(axes))
    return _summed(walk, op.inputs[0], axes, out.shape)


def _summed(walk: BatchSums, summand: Any, axes: Sequence[int], shape: Any) -> Any:
    """Return the rows of a sum over axes whose result has this shape, with or without the axes."""
    import tensorflow as tf

    if 0 in axes and walk.holds_samples(summand):
        rows = tf.reduce_sum(walk.apart(summand), [1, *(axis + 1 for axis in axes if axis)])
    else:
        rows = tf.reduce_sum(walk.rows(summand), [axis + 1 for axis in axes])
    return tf.reshape(rows, (walk.size, *shape))


def _matrix_product(walk: BatchSums, op: Any, out: Any) -> Any:
    import tensorflow as tf

    left, right = op.inputs
    turned = op.get_attr("transpose_a"), op.get_attr("transpose_b")
    if turned == (True, False) and walk.holds_samples(left) and walk.holds_samples(right):
        return tf.matmul(walk.apart(left), walk.apart(right), transpose_a=True)
    if not walk.depends(right):
        return tf.matmul(walk.rows(left), right, transpose_a=turned[0], transpose_b=turned[1])
    if not walk.depends(left):
        return tf.matmul(left, walk.rows(right), transpose_a=turned[0], transpose_b=turned[1])
    raise NotSeparableError("MatMul of two gradients")


def _einsum(walk: BatchSums, op: Any, out: Any) -> Any:
    import tensorflow as tf

    equation = op.get_attr("equation").decode()
    terms, result = equation.split("->")
    first = {term[0] for term in terms.split(",")}
    whole = all(walk.depends(one) and one.shape[0] == walk.size for one in op.inputs)
    if not whole or len(first) != 1 or first & set(result) or "." in equation:
        raise NotSeparableError("Einsum")
    return tf.einsum(f"{terms}->{first.pop()}{result}", *op.inputs)


def _bias(walk: BatchSums, op: Any, out: Any) -> Any:
    import tensorflow as tf

    gradient = walk.apart(op.inputs[0])
    channels = 2 if op.get_attr("data_format") == b"NCHW" else gradient.shape.rank - 1
    return tf.reduce_sum(gradient, [axis for axis in range(1, gradient.shape.rank) if axis != channels])


def _convolution(walk: BatchSums, op: Any, out: Any) -> Any:
    import tensorflow as tf

    taps, gradient = _taps(op)
    taken = out.shape[-2]
    samples, places, channels = gradient.shape[0], int(np.prod(gradient.shape[1:-1])), gradient.shape[-1]
    in_groups = op.inputs[0].shape[-1] != taken
    if in_groups or not (walk.depends(op.inputs[0]) and walk.depends(op.inputs[2])):
        raise NotSeparableError(op.type)
    gradient = tf.reshape(gradient, (samples, places, channels))
    rows = [tf.matmul(tf.reshape(tap, (samples, places, taken)), gradient, transpose_a=True) for tap in taps]
    summed = tf.reduce_sum(_blocks_first(walk, op, tf.stack(rows, 1)), 0)
    return tf.reshape(summed, (walk.size, *out.shape))


def _depthwise(walk: BatchSums, op: Any, out: Any) -> Any:
    """A sample's channels are channels of its own: one image of all samples' channels, for the step that summed."""
    import tensorflow as tf

    inputs, _, gradient = op.inputs
    if op.get_attr("data_format") != b"NHWC" or not (walk.depends(inputs) and walk.depends(gradient)):
        raise NotSeparableError(op.type)
    *kernel, channels, multiplier = out.shape

    def side_by_side(images: Any) -> Any:
        apart = _blocks_first(walk, op, images)  # [blocks, size, height, width, channels]
        return tf.reshape(tf.transpose(apart, (0, 2, 3, 1, 4)), (apart.shape[0], *images.shape[1:3], -1))

    rows = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
        input=side_by_side(inputs),
        filter_sizes=(*kernel, walk.size * channels, multiplier),
        out_backprop=side_by_side(gradient),
        strides=op.get_attr("strides"),
        padding=op.get_attr("padding"),
        explicit_paddings=op.get_attr("explicit_paddings"),
        dilations=op.get_attr("dilations"),
    )
    return tf.transpose(tf.reshape(rows, (*kernel, walk.size, channels, multiplier)), (2, 0, 1, 3, 4))


def _taps(op: Any) -> tuple[list[Any], Any]:
    """Return, for each place of the kernel, the inputs that it was multiplied with, and the output's gradient.

    All are [samples, ...places, channels].
    """
    import tensorflow as tf

    inputs, _, gradient = op.inputs
    layout = op.get_attr("data_format").decode()
    if layout not in ("NHWC", "NDHWC"):
        raise NotSeparableError(f"{op.type} in {layout}")
    kernel = op.outputs[0].shape[:-2]
    places = gradient.shape[1:-1]
    strides, dilations = op.get_attr("strides")[1:-1], op.get_attr("dilations")[1:-1]
    padding = op.get_attr("padding").decode()
    spans = [(width - 1) * dilation + 1 for width, dilation in zip(kernel, dilations, strict=True)]
    reached = [(count - 1) * stride + span for count, stride, span in zip(places, strides, spans, strict=True)]
    missing = [max(0, reach - size) for reach, size in zip(reached, inputs.shape[1:-1], strict=True)]
    if padding == "EXPLICIT":
        given = op.get_attr("explicit_paddings")[2:-2]
        borders = [list(pair) for pair in zip(given[::2], given[1::2], strict=True)]
    else:
        borders = [[size // 2, size - size // 2] for size in missing]
    padded = tf.pad(inputs, [[0, 0], *borders, [0, 0]])
    taps = []
    for place in np.ndindex(*kernel):
        begins = [at * dilation for at, dilation in zip(place, dilations, strict=True)]
        window = [
            slice(begin, begin + (count - 1) * stride + 1, stride)
            for begin, count, stride in zip(begins, places, strides, strict=True)
        ]
        taps.append(padded[(slice(None), *window)])
    return taps, gradient


def _blocks_first(walk: BatchSums, op: Any, tensor: Any) -> Any:
    """Return [blocks, size, ...] of what a dilated convolution cut the samples into; TensorFlow lays block by block."""
    import tensorflow as tf

    blocks, rest = divmod(tensor.shape[0], walk.size)
    if rest:
        raise NotSeparableError(f"{op.type} without the samples first")
    source = op.inputs[0].op
    while source.type in ("ExpandDims", "Identity"):
        source = source.inputs[0].op
    if blocks == 1 or source.type == "SpaceToBatchND":
        return tf.reshape(tensor, (blocks, walk.size, *tensor.shape[1:]))
    apart = tf.reshape(tensor, (walk.size, blocks, *tensor.shape[1:]))
    return tf.transpose(apart, (1, 0, *range(2, apart.shape.rank)))


def _add(walk: BatchSums, op: Any, out: Any) -> Any:
    import tensorflow as tf

    if any(one.shape != out.shape for one in op.inputs):
        raise NotSeparableError("a sum that broadcasts")
    return tf.add_n([walk.rows(one) for one in op.inputs])


def _product(walk: BatchSums, op: Any, out: Any) -> Any:
    """A product or quotient with what is the same for all samples."""
    import tensorflow as tf

    left, right = op.inputs
    if walk.depends(left) and walk.depends(right):
        raise NotSeparableError(f"{op.type} of two gradients")
    if op.type == "RealDiv":
        if walk.depends(right):
            raise NotSeparableError("RealDiv")
        return _raised(walk.rows(left), out) / right
    factor, gradient = (left, right) if walk.depends(right) else (right, left)
    return _raised(walk.rows(gradient), out) * tf.convert_to_tensor(factor)


def _raised(rows: Any, out: Any) -> Any:
    """Give rows [size, ...] as many axes behind the first as the result has, so that it broadcasts as before."""
    import tensorflow as tf

    lacking = out.shape.rank - (rows.shape.rank - 1)
    return tf.reshape(rows, (rows.shape[0], *(1,) * lacking, *rows.shape[1:]))


def _shaped(walk: BatchSums, op: Any, out: Any) -> Any:
    """A reshape; one behind a sum gives a broadcast tensor its shape back, which says what the sum was over."""
    import tensorflow as tf

    given = op.inputs[0]
    if given.op.type == "Sum" and tf.get_static_value(given.op.inputs[1]) is None:
        summand = given.op.inputs[0]
        own = [1] * (summand.shape.rank - out.shape.rank) + list(out.shape)
        axes = [axis for axis, size in enumerate(own) if size == 1]
        return _summed(walk, summand, axes, out.shape)
    return tf.reshape(walk.rows(given), (walk.size, *out.shape))


def _transposed(walk: BatchSums, op: Any, out: Any) -> Any:
    import tensorflow as tf

    order = tf.get_static_value(op.inputs[1])
    if order is None:
        raise NotSeparableError("Transpose in an order known late")
    return tf.transpose(walk.rows(op.inputs[0]), [0, *(int(axis) + 1 for axis in order)])


def _as_it_is(walk: BatchSums, op: Any, out: Any) -> Any:
    return walk.rows(op.inputs[0])


def _negated(walk: BatchSums, op: Any, out: Any) -> Any:
    return -walk.rows(op.inputs[0])


_RULES: Mapping[str, Callable[[BatchSums, Any, Any], Any]] = MappingProxyType(
    {
        "Sum": _sum,
        "MatMul": _matrix_product,
        "Einsum": _einsum,
        "BiasAddGrad": _bias,
        "Conv2DBackpropFilter": _convolution,
        "Conv3DBackpropFilterV2": _convolution,
        "DepthwiseConv2dNativeBackpropFilter": _depthwise,
        "AddN": _add,
        "AddV2": _add,
        "Mul": _product,
        "RealDiv": _product,
        "Neg": _negated,
        "Reshape": _shaped,
        "Squeeze": _shaped,
        "ExpandDims": _shaped,
        "Transpose": _transposed,
        "Identity": _as_it_is,
    }
)
