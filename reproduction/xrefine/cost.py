"""What an estimate of one symbol costs."""

from collections.abc import Sequence
from itertools import pairwise


def parameters(widths: Sequence[int]) -> int:
    """Return the weights of dense layers, from the inputs' to the outputs' width, biases included."""
    return sum(inputs * outputs + outputs for inputs, outputs in pairwise(widths))


def multiplications(widths: Sequence[int]) -> int:
    """Return the multiply-accumulate operations (MAC) of one estimate."""
    return sum(inputs * outputs for inputs, outputs in pairwise(widths))


def flops(widths: Sequence[int]) -> int:
    """Return the floating-point operations of one estimate: two per MAC, one per bias and one per ReLU."""
    return 2 * multiplications(widths) + sum(widths[1:]) + sum(widths[1:-1])
