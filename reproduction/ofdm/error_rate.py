"""Counted errors: the rate, how sure it is, and counting until it is sure enough.

Source: Wilson 1927 (Journal of the American Statistical Association) for the interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class ErrorRate:
    """Bit errors among the bits sent.

    Attributes:
        errors: how many.
        bits: of how many, >= 1.
    """

    errors: int
    bits: int

    def __post_init__(self) -> None:
        if self.bits < 1 or not 0 <= self.errors <= self.bits:
            raise ValueError(
                f"errors must lie from 0 to bits, and bits be >= 1, got {self.errors} of {self.bits}; count again."
            )

    def __add__(self, other: "ErrorRate") -> "ErrorRate":
        return ErrorRate(self.errors + other.errors, self.bits + other.bits)

    @property
    def rate(self) -> float:
        """Errors per bit."""
        return self.errors / self.bits

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return Wilson's score interval of the rate.

        It takes bits for independent. Bits of a frame share their channel and the decoder's slips, so that over few
        frames the interval is too narrow; `Link.frame_errors` has what a wider one needs.

        Raises:
            ValueError: a confidence that is not between 0 and 1.
        """
        if not 0.0 < confidence < 1.0:
            raise ValueError(f"confidence must lie between 0 and 1, got {confidence}; 0.95 is usual.")
        z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
        share = z**2 / self.bits
        centre = (self.rate + share / 2.0) / (1.0 + share)
        half = z / (1.0 + share) * (self.rate * (1.0 - self.rate) / self.bits + share / (4.0 * self.bits)) ** 0.5
        return max(0.0, centre - half), min(1.0, centre + half)


def counted(block: Callable[[int], ErrorRate], least_errors: int, most_blocks: int) -> ErrorRate:
    """Return the errors of blocks 0, 1, ... until there are enough.

    Args:
        block: gives the errors of the block of a number.
        least_errors: how many are enough; the rate's relative spread is about 1 / sqrt of it, if bits are independent.
        most_blocks: where to stop in any case, >= 1.

    Raises:
        ValueError: no block.
    """
    if most_blocks < 1:
        raise ValueError(f"most_blocks must be at least 1, got {most_blocks}; allow some.")
    total = block(0)
    for number in range(1, most_blocks):
        if total.errors >= least_errors:
            break
        total += block(number)
    return total
