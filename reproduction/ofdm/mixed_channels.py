"""Channels of frames that each have a profile, a Doppler shift and a delay spread of their own, drawn in one call.

Source: 3GPP TR 38.901, 7.7.2. A tap that fades has the Jakes spectrum, and is a Gaussian vector drawn with that very
covariance (`channels`); a line of sight has a phase that is uniform and the Doppler shift 0.7 f_D. Powers are 1 in all
on the mean, and are not made 1 in each frame, which would take most of the fading away.

A channel stands still during a symbol, and a subcarrier is a product. What is left out by that, interference between
subcarriers, lies 27 dB below the signal at 500 Hz and 15 kHz, 33 dB at 250 Hz (`interference_db`): at more SNR every
receiver, one that knows the channel included, is shown better than it would be. Left out, too, are echoes beyond the
prefix, which only TDL-E has, -29 dB.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import j0

from reproduction.ofdm.conditions import Conditions
from reproduction.ofdm.grid import Grid
from reproduction.ofdm.tdl import TDL

LINE_OF_SIGHT = 0.7
"""Its Doppler shift over the greatest one."""


def responses(grid: Grid, conditions: Conditions, seed: Any) -> Any:
    """Draw what each cell of each frame meets.

    Args:
        grid: of the frames.
        conditions: of n frames.
        seed: of `tf.random.stateless_*`, int32 [2]; the same seed draws the same bits.

    Returns:
        Complex64 [n, symbols, subcarriers].
    """
    taps = _Taps(grid, conditions)
    return _responses(
        tf.constant(_roots(taps.over_time), tf.float32),
        tf.constant(np.sqrt(taps.powers / 2.0), tf.float32),
        tf.constant(taps.at_delays, tf.complex64),
        tf.constant(np.sqrt(taps.line_of_sight), tf.float32),
        tf.constant(taps.turns, tf.float32),
        tf.cast(seed, tf.int32),
    )


def covariances(grid: Grid, conditions: Conditions) -> np.ndarray:
    """Return the covariance of the responses over the cells of each frame.

    Args:
        grid: of the frames.
        conditions: of n frames.

    Returns:
        Complex128 [n, symbols, subcarriers, pilots]: E[h(cell) conj(h(pilot))], pilots in the order of the grid.
    """
    taps = _Taps(grid, conditions)
    times, places = np.nonzero(grid.is_pilot)
    over_frequency = (taps.at_delays.mT * taps.powers[:, None]) @ taps.at_delays.conj()[:, :, places]
    found = taps.over_time[:, :, None, times] * over_frequency[:, None]
    turned = np.exp(2j * np.pi * (taps.turns[:, :, None] - taps.turns[:, None, times]))
    return found + (taps.line_of_sight[:, None, None] * turned)[:, :, None, :]


def interference_db(doppler_hz: float, spacing_hz: float) -> float:
    """Return the interference between subcarriers that is left out, over the signal, in dB.

    It is what a symbol's mean channel lacks of its power: 1 - int_-1^1 (1 - |x|) J0(2 pi f_D T x) dx, T = 1 / spacing
    (Russell and Stueber 1995, of Jakes's spectrum).
    """
    shares = np.linspace(0.0, 1.0, 2001)
    kept = 2.0 * np.trapezoid((1.0 - shares) * j0(2.0 * np.pi * doppler_hz / spacing_hz * shares), shares)
    return float(10.0 * np.log10(1.0 - kept))


class _Taps:
    """What a frame's conditions come to, in float64.

    Attributes:
        powers: of the taps that fade, [n, taps], padded with 0.
        at_delays: exp(-2 pi i f tau) of each tap on the subcarriers, [n, taps, subcarriers].
        over_time: covariance of a tap over the symbols, [n, symbols, symbols].
        line_of_sight: its power, [n].
        turns: of its phase at each symbol, [n, symbols].
    """

    def __init__(self, grid: Grid, conditions: Conditions) -> None:
        delays, powers, line_of_sight = _tables()
        kinds = np.array([list(TDL).index(name) for name in conditions.channels], int)
        self.powers, self.line_of_sight = powers[kinds], line_of_sight[kinds]
        seconds = 1e-9 * conditions.delay_spread_ns[:, None] * delays[kinds]
        frequencies = grid.spacing_hz * (np.arange(grid.subcarriers) - grid.subcarriers // 2)
        self.at_delays = np.exp(-2j * np.pi * seconds[:, :, None] * frequencies)
        times = grid.symbol_seconds * np.arange(grid.symbols)
        apart = np.abs(np.subtract.outer(times, times))
        self.over_time = j0(2.0 * np.pi * conditions.doppler_hz[:, None, None] * apart)
        self.turns = LINE_OF_SIGHT * conditions.doppler_hz[:, None] * times


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return delays and powers of the taps that fade, [profiles, taps], padded with 0, and lines of sight's power."""
    most = max(len(profile.delays) for profile in TDL.values())
    delays, powers, line_of_sight = np.zeros((len(TDL), most)), np.zeros((len(TDL), most)), np.zeros(len(TDL))
    for number, profile in enumerate(TDL.values()):
        first = int(profile.has_line_of_sight)
        count = len(profile.delays) - first
        delays[number, :count], powers[number, :count] = profile.delays[first:], profile.powers[first:]
        line_of_sight[number] = profile.powers[:first].sum()
    return delays, powers, line_of_sight


def _roots(covariance: np.ndarray) -> np.ndarray:
    """Return a square root of each covariance, float64 [n, times, times]; rounding makes some eigenvalues negative."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]


@tf.function(reduce_retracing=True)
def _responses(roots: Any, amplitudes: Any, at_delays: Any, line_of_sight: Any, turns: Any, seed: Any) -> Any:
    of_taps, of_phases = tf.unstack(tf.random.split(seed, 2, alg="philox"))
    frames, taps, times = tf.shape(amplitudes)[0], tf.shape(amplitudes)[1], tf.shape(roots)[1]
    drawn = tf.random.stateless_normal(tf.stack([2, frames, taps, times]), of_taps, alg="philox")
    parts = tf.matmul(roots, drawn, transpose_b=True) * amplitudes[:, None, :]
    scattered = tf.matmul(tf.complex(parts[0], parts[1]), at_delays)
    phases = 2.0 * np.pi * (turns + tf.random.stateless_uniform(tf.stack([frames, 1]), of_phases, alg="philox"))
    direct = tf.complex(line_of_sight[:, None] * tf.cos(phases), line_of_sight[:, None] * tf.sin(phases))
    return scattered + direct[:, :, None]
