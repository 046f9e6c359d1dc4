"""Channel estimates of the 802.11p literature: from the preamble, and followed through the data symbols.

Sources: STA, and the data-pilot-aided estimate (DPA) it starts from: Fernandez, Borries, Cheng, Kumar, Stancil and Bai
2012 (IEEE Transactions on Vehicular Technology 61(1)); TRFI: Kim, Oh, Shin and Mun 2014 (IEEE ITSC).

Differs from the papers: the pilots' cells are known and not decided. TRFI interpolates linearly here, where the paper
has cubic curves, and holds the nearest reliable estimate beyond the outermost; pilots always count as reliable; the
training symbol, which comes before the first data symbol, is decided between its own two values.

Every estimate of `ESTIMATES` has the arguments of `least_squares`, and is compiled once per shape.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf

from reproduction.ofdm.frame import ACTIVE, LONG_TRAINING, PILOT_VALUES, PILOTS

ALPHA, BETA = 2.0, 2
"""STA's memory in time and reach over frequency, as the literature has them."""

_IS_PILOT = np.isin(np.arange(len(ACTIVE)), PILOTS)
_PILOT_CELLS = np.zeros(len(ACTIVE), np.complex64)
_PILOT_CELLS[PILOTS] = PILOT_VALUES


def preamble_estimate(preambles: Any) -> Any:
    """Return the least-squares estimate, complex64 [n, 52], of training symbols as received, [n, preambles, 52]."""
    return tf.reduce_mean(preambles, axis=1) / tf.constant(LONG_TRAINING, preambles.dtype)


@tf.function
def least_squares(preambles: Any, symbols: Any, points: Any) -> Any:
    """Return the preamble's estimate for every data symbol.

    Args:
        preambles: training symbols as received, complex64 [n, preambles, 52].
        symbols: data symbols as received, complex64 [n, symbols, 52].
        points: of the square QAM that was sent, complex64 [points].

    Returns:
        Complex64 [n, symbols, 52].
    """
    del points
    return tf.repeat(preamble_estimate(preambles)[:, None], symbols.shape[1], axis=1)


@tf.function
def data_pilot_aided(preambles: Any, symbols: Any, points: Any) -> Any:
    """Return DPA's estimate: decide each symbol by the last estimate, and divide it by what was decided."""

    def step(last: Any, now: Any) -> Any:
        return now / _sent(now / last, points)

    return _followed(preamble_estimate(preambles), step, symbols)


@tf.function
def spectral_temporal_average(preambles: Any, symbols: Any, points: Any, alpha: float = ALPHA, beta: int = BETA) -> Any:
    """Return STA's estimate: DPA's, averaged over 2 beta + 1 subcarriers and then with the last one.

    At the edges of the band the subcarriers that there are count. The other arguments are those of `least_squares`.

    Args:
        preambles: as there.
        symbols: as there.
        points: as there.
        alpha: the new estimate weighs 1 / alpha, >= 1.
        beta: subcarriers to either side, >= 0.
    """
    places = np.arange(len(ACTIVE))
    near = np.abs(np.subtract.outer(places, places)) <= beta
    over_frequency = tf.constant(near / near.sum(axis=0), symbols.dtype)

    def step(last: Any, now: Any) -> Any:
        new = tf.matmul(now / _sent(now / last, points), over_frequency)
        return (1.0 - 1.0 / alpha) * last + new / alpha

    return _followed(preamble_estimate(preambles), step, symbols)


@tf.function
def reliable_interpolation(preambles: Any, symbols: Any, points: Any) -> Any:
    """Return TRFI's estimate: DPA's where it is reliable, interpolated elsewhere.

    A subcarrier is reliable where DPA's estimate and the last one decide the symbol before alike.
    """

    def tested(last: Any, now: Any, before: Any, decide: Callable[[Any], Any]) -> Any:
        new = now / _sent(now / last, points)
        reliable = tf.equal(decide(before / new), decide(before / last))
        return interpolated(new, reliable | _IS_PILOT)

    def step(last: Any, now: Any, before: Any) -> Any:
        return tested(last, now, before, lambda cells: nearest(cells, points))

    first = tested(
        preamble_estimate(preambles), symbols[:, 0], preambles[:, -1], lambda cells: tf.sign(tf.math.real(cells))
    )
    if symbols.shape[1] == 1:
        return first[:, None]
    return tf.concat([first[:, None], _followed(first, step, symbols[:, 1:], symbols[:, :-1])], axis=1)


ESTIMATES: MappingProxyType[str, Callable[[Any, Any, Any], Any]] = MappingProxyType(
    {
        "LS": least_squares,
        "DPA": data_pilot_aided,
        "STA": spectral_temporal_average,
        "TRFI": reliable_interpolation,
    }
)


def nearest(cells: Any, points: Any) -> Any:
    """Return the nearest points, complex64, of the cells' shape.

    Args:
        cells: complex64 [...].
        points: of a square QAM, complex64 [points]: a grid of odd multiples of its innermost point.
    """
    innermost = tf.reduce_min(tf.abs(tf.math.real(points)))
    real, imaginary = (innermost * (2.0 * level + 1.0) for level in levels(cells, points))
    return tf.complex(real, imaginary)


def levels(cells: Any, points: Any) -> tuple[Any, Any]:
    """Return which levels are nearest along the real and the imaginary axis, whole float32 numbers: 0 just above 0.

    The arguments are those of `nearest`.
    """
    innermost = tf.reduce_min(tf.abs(tf.math.real(points)))
    half = 0.5 * float(np.sqrt(points.shape[0]))
    axes = tf.math.real(cells), tf.math.imag(cells)
    real, imaginary = (tf.clip_by_value(tf.floor(axis / (2.0 * innermost)), -half, half - 1.0) for axis in axes)
    return real, imaginary


def interpolated(values: Any, known: Any) -> Any:
    """Return values linear between those that are known, and level beyond the outermost.

    Args:
        values: complex64 [n, m].
        known: bool [n, m], at least one in each row.

    Returns:
        Complex64 [n, m].
    """
    count = values.shape[-1]
    place = tf.range(count)[None]
    left = _last_known(known, place, count)
    right = count - 1 - tf.reverse(_last_known(tf.reverse(known, [1]), place, count), [1])
    left, right = tf.where(left < 0, right, left), tf.where(right >= count, left, right)
    at_left, at_right = (tf.gather(values, index, batch_dims=1) for index in (left, right))
    share = tf.cast(place - left, tf.float32) / tf.cast(tf.maximum(right - left, 1), tf.float32)
    return at_left + tf.cast(share, values.dtype) * (at_right - at_left)


def _last_known(known: Any, place: Any, count: int) -> Any:
    """Return the last known place up to each, int32 [n, m]; -1 if there is none."""
    steps = tf.where(known, place, -1)
    shift = 1
    while shift < count:
        steps = tf.maximum(steps, tf.pad(steps[:, :-shift], ((0, 0), (shift, 0)), constant_values=-1))
        shift *= 2
    return steps


def _sent(equalised: Any, points: Any) -> Any:
    """Return what was sent as far as one can tell: the pilots, and the nearest points."""
    return tf.where(_IS_PILOT, _PILOT_CELLS, nearest(equalised, points))


def _followed(first: Any, step: Callable[..., Any], *symbols: Any) -> Any:
    """Return the estimates of each symbol in turn, step(the last estimate, a symbol of each of `symbols`)."""
    in_time = tuple(tf.transpose(received, (1, 0, 2)) for received in symbols)
    estimates = tf.scan(lambda last, received: step(last, *received), in_time, first)
    return tf.transpose(estimates, (1, 0, 2))
