"""The frame of IEEE 802.11p: which subcarriers carry what, and when.

Source: IEEE Std 802.11, the OFDM PHY at 10 MHz channel spacing: 64 subcarriers of which 52 are active, a cyclic prefix
of 16 samples, the long training field and the four pilots.

Differs from the standard: no short training field and no signal field; the long training symbols each have a prefix of
their own; the pilots keep the values of one symbol, for a receiver that knows the polarity sequence would undo it.
"""

from dataclasses import dataclass

import numpy as np

SPACING_HZ = 10e6 / 64
"""Between subcarriers."""

SYMBOL_SECONDS = 8e-6
"""Of an OFDM symbol with its prefix: 80 samples."""

PREFIX_SECONDS = 1.6e-6
"""Of the cyclic prefix: 16 samples."""

ACTIVE = np.array([*range(-26, 0), *range(1, 27)])
"""The active subcarriers, by their distance from the carrier, int [52]."""

PILOTS = np.flatnonzero(np.isin(ACTIVE, (-21, -7, 7, 21)))
"""Where the pilots stand among them, int [4]: 5, 19, 32, 46."""

DATA = np.setdiff1d(np.arange(len(ACTIVE)), PILOTS)
"""Where the data stand among them, int [48]."""

PILOT_VALUES = np.array([1.0, 1.0, 1.0, -1.0])
"""What the pilots send, in the order of their frequencies."""

_LOWER, _UPPER = "++--++-+-++++++--++-+-++++", "+--++-+-+-----++--+-+-++++"

LONG_TRAINING = np.array([1.0 if sign == "+" else -1.0 for sign in _LOWER + _UPPER])
"""What the long training symbols send on the active subcarriers, [52]."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """How long a frame is.

    Attributes:
        preambles: how many long training symbols come first, >= 1.
        symbols: how many data symbols follow, >= 1; 50 in the literature of channel estimation.
    """

    preambles: int = 2
    symbols: int = 50

    def __post_init__(self) -> None:
        for name in ("preambles", "symbols"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number >= 1, got {value!r}; the usual frame has 2 and 50.")

    @property
    def times(self) -> int:
        """Number of all symbols."""
        return self.preambles + self.symbols
