"""Under what conditions frames are sent: each frame has its own channel, SNR, Doppler shift and delay spread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reproduction.ofdm.tdl import TDL


@dataclass(frozen=True, kw_only=True)
class Mix:
    """From what conditions are drawn, each uniformly and by itself.

    Attributes:
        channels: names of `tdl.TDL`.
        snr_db: least and greatest mean SNR of a cell, Es/N0.
        doppler_hz: least and greatest of the greatest Doppler shift.
        delay_spread_ns: least and greatest delay spread.
    """

    channels: tuple[str, ...]
    snr_db: tuple[float, float] = (-4.0, 32.0)
    doppler_hz: tuple[float, float] = (0.0, 500.0)
    delay_spread_ns: tuple[float, float] = (10.0, 300.0)

    def __post_init__(self) -> None:
        unknown = [name for name in self.channels if name not in TDL]
        if unknown or not self.channels:
            raise ValueError(f"channels must be some of {', '.join(TDL)}, got {list(self.channels)}; pick from these.")
        for name in ("snr_db", "doppler_hz", "delay_spread_ns"):
            least, greatest = getattr(self, name)
            if not (np.isfinite([least, greatest]).all() and least <= greatest):
                raise ValueError(
                    f"{name} must be two finite numbers, the least first, got {least} and {greatest}; correct them."
                )
        for name in ("doppler_hz", "delay_spread_ns"):
            if getattr(self, name)[0] < 0.0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)[0]}; 0 is none.")


@dataclass(frozen=True)
class Conditions:
    """Those of frames, an entry per frame.

    Attributes:
        channels: names of `tdl.TDL`.
        snr_db: mean SNR of a cell, Es/N0, float64 [n].
        doppler_hz: greatest Doppler shift, float64 [n].
        delay_spread_ns: float64 [n].
    """

    channels: np.ndarray
    snr_db: np.ndarray
    doppler_hz: np.ndarray
    delay_spread_ns: np.ndarray

    def __len__(self) -> int:
        return len(self.channels)

    def __getitem__(self, places: slice | np.ndarray | Sequence[int]) -> "Conditions":
        """Return those of some frames, chosen as from an array."""
        columns = (self.channels, self.snr_db, self.doppler_hz, self.delay_spread_ns)
        return Conditions(*(column[places] for column in columns))

    @property
    def noise(self) -> np.ndarray:
        """Noise power N0 of each frame, float32 [n]; cells and channels have mean power 1."""
        return (10.0 ** (-self.snr_db / 10.0)).astype(np.float32)


def drawn(mix: Mix, frames: int, generator: np.random.Generator) -> Conditions:
    """Draw the conditions of frames."""
    channels = generator.choice(np.array(mix.channels), frames)
    ranges = (mix.snr_db, mix.doppler_hz, mix.delay_spread_ns)
    return Conditions(channels, *(generator.uniform(least, greatest, frames) for least, greatest in ranges))
