"""Resource grids of an OFDM receiver in noise, half of them with a burst of narrowband interference."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class GridSettings:
    """What a grid looks like.

    Attributes:
        subcarriers: of a grid; 24 are two resource blocks (3GPP TS 38.211, 4.4.4.1).
        symbols: of a grid; 14 are a slot of normal cyclic prefix (3GPP TS 38.211, 4.3.2).
        burst_subcarriers: fewest and most that a burst covers.
        burst_symbols: fewest and most that a burst covers.
        interference_db: mean power of a burst over that of the noise.
    """

    subcarriers: int = 24
    symbols: int = 14
    burst_subcarriers: tuple[int, int] = (3, 6)
    burst_symbols: tuple[int, int] = (4, 8)
    interference_db: float = 6.0


@dataclass(frozen=True)
class Grids:
    """Received grids.

    Attributes:
        power: in units of 10 dB over the noise's mean, float32 [n, subcarriers, symbols, 1].
        burst: where the interference is, bool [n, subcarriers, symbols].
    """

    power: np.ndarray
    burst: np.ndarray

    @property
    def is_disturbed(self) -> np.ndarray:
        """Whether a grid holds a burst, bool [n]."""
        return np.asarray(self.burst.any(axis=(1, 2)))


def draw_grids(settings: GridSettings, count: int, generator: np.random.Generator) -> Grids:
    """Draw grids, every other one with a burst; noise and interference are complex Gaussian, cell by cell."""
    shape = (count, settings.subcarriers, settings.symbols)
    burst = np.zeros(shape, bool)
    for one in burst[::2]:
        height = generator.integers(*settings.burst_subcarriers, endpoint=True)
        width = generator.integers(*settings.burst_symbols, endpoint=True)
        top = generator.integers(0, settings.subcarriers - height, endpoint=True)
        left = generator.integers(0, settings.symbols - width, endpoint=True)
        one[top : top + height, left : left + width] = True
    variance = 1.0 + burst * 10.0 ** (settings.interference_db / 10.0)
    power = variance * generator.exponential(size=shape)  # |z|^2 of a complex Gaussian z
    return Grids(np.log10(power)[..., None].astype(np.float32), burst)
