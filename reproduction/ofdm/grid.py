"""A resource grid like 5G NR's: which cells carry pilots, which carry data.

Source: 3GPP TS 38.211, 6.4.1.1: the demodulation reference signal of configuration type 1, mapping type A, on one port,
with one additional position: every other subcarrier of the symbols 2 and 11 of a slot. Its values are QPSK, from the
Gold sequence of 5.2.1, in slot 0 of a cell with scrambling identity 0.

Differs from the standard: the other subcarriers of the pilot symbols carry data (one CDM group without data), pilots
have the power of data, and all symbols are of one length.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_OFFSET = 1600
"""N_c: numbers of the Gold sequence that are left out at its start."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A slot's resource grid.

    Attributes:
        symbols: OFDM symbols, >= 1.
        subcarriers: >= 2.
        pilot_symbols: symbols with pilots, in order.
        comb: every so-many-th subcarrier of these is a pilot, from the first.
        spacing_hz: between subcarriers.
        prefix_share: duration of a cyclic prefix over that of the rest of a symbol.
    """

    symbols: int = 14
    subcarriers: int = 48
    pilot_symbols: tuple[int, ...] = (2, 11)
    comb: int = 2
    spacing_hz: float = 15e3
    prefix_share: float = 1.0 / 14.0

    def __post_init__(self) -> None:
        if not (1 <= self.comb < self.subcarriers):
            raise ValueError(
                f"comb must be from 1 to below subcarriers, {self.subcarriers}, got {self.comb}; 2 is usual."
            )
        places = list(self.pilot_symbols)
        if not places or places != sorted(set(places)) or not (places[0] >= 0 and places[-1] < self.symbols):
            raise ValueError(
                f"pilot_symbols must rise within 0 .. {self.symbols - 1}, got {places}; 2 and 11 are usual."
            )
        if not (self.spacing_hz > 0.0 and self.prefix_share >= 0.0):
            raise ValueError(
                f"spacing_hz must be above 0 and prefix_share at least 0, got {self.spacing_hz} and "
                f"{self.prefix_share}; 15000 and 1/14 are usual."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Symbols and subcarriers."""
        return self.symbols, self.subcarriers

    @property
    def symbol_seconds(self) -> float:
        """Duration of a symbol with its prefix, the same for all: 1/14 ms by default."""
        return (1.0 + self.prefix_share) / self.spacing_hz

    @property
    def pilot_subcarriers(self) -> np.ndarray:
        """Those that are pilots in the pilot symbols, int."""
        return np.arange(0, self.subcarriers, self.comb)

    @cached_property
    def is_pilot(self) -> np.ndarray:
        """Whether each cell is a pilot, bool [symbols, subcarriers]."""
        found = np.zeros(self.shape, bool)
        found[np.ix_(np.array(self.pilot_symbols), self.pilot_subcarriers)] = True
        return found

    @property
    def data_cells(self) -> int:
        """Number of cells that carry data."""
        return int((~self.is_pilot).sum())

    @cached_property
    def pilots(self) -> np.ndarray:
        """What the pilots send, of power 1, and 0 elsewhere: complex64 [symbols, subcarriers]."""
        found = np.zeros(self.shape, np.complex64)
        for symbol in self.pilot_symbols:
            found[symbol, self.pilot_subcarriers] = reference_signal(symbol, len(self.pilot_subcarriers))
        return found


def reference_signal(symbol: int, length: int) -> np.ndarray:
    """Return the demodulation reference signal of a symbol of slot 0 (TS 38.211, 6.4.1.1.1.1), complex64 [length]."""
    start = (2**17 * (symbol + 1)) % 2**31
    signs = 1.0 - 2.0 * gold_sequence(2 * length, start)
    return ((signs[::2] + 1j * signs[1::2]) / np.sqrt(2.0)).astype(np.complex64)


def gold_sequence(length: int, start: int) -> np.ndarray:
    """Return the pseudo-random sequence c of TS 38.211, 5.2.1, float64 [length], 0 or 1.

    Args:
        length: of the sequence.
        start: c_init, the second shift register's, 0 .. 2^31 - 1.
    """
    count = _OFFSET + length
    first, second = np.zeros(count + 31, int), np.zeros(count + 31, int)
    first[0] = 1
    second[:31] = (start >> np.arange(31)) & 1
    for n in range(count):
        first[n + 31] = (first[n + 3] + first[n]) % 2
        second[n + 31] = (second[n + 3] + second[n + 2] + second[n + 1] + second[n]) % 2
    return ((first + second)[_OFFSET:count] % 2).astype(float)
