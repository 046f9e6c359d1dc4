"""The link written a second time: plain loops in float64, in the time domain where ours is in frequency."""

import itertools

import numpy as np
from scipy.special import erfc

ACTIVE = [number for number in range(-26, 27) if number]
PILOT_NUMBERS = {-21: 1.0, -7: 1.0, 7: 1.0, 21: -1.0}
TRAINING = [
    *(1, 1, -1, -1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 1, 1, -1, -1, 1, 1, -1, 1, -1, 1, 1, 1, 1),
    *(1, -1, -1, 1, 1, -1, 1, -1, 1, -1, -1, -1, -1, -1, 1, 1, -1, -1, 1, -1, 1, -1, 1, 1, 1, 1),
]
"""IEEE 802.11's long training sequence, from subcarrier -26 to 26 without the carrier."""


def response(delays_ns, gains):
    """Return the response on the active subcarriers, 156.25 kHz apart, by the sum over taps."""
    found = np.zeros(52, complex)
    for place, number in enumerate(ACTIVE):
        for delay_ns, gain in zip(delays_ns, gains, strict=True):
            found[place] += gain * np.exp(-2j * np.pi * number * 156_250.0 * delay_ns * 1e-9)
    return found


def through_time(symbols, gains):
    """Send symbols [symbols, 52] as samples through taps a sample apart, and return what the receiver's FFT gives."""
    bins = [number % 64 for number in ACTIVE]
    stream = []
    for cells in symbols:
        spectrum = np.zeros(64, complex)
        spectrum[bins] = cells
        samples = np.fft.ifft(spectrum)
        stream += [*samples[-16:], *samples]
    received = np.zeros(len(stream), complex)
    for time in range(len(stream)):
        for delay, gain in enumerate(gains):
            if time >= delay:
                received[time] += gain * stream[time - delay]
    found = []
    for start in range(0, len(stream), 80):
        found.append(np.fft.fft(received[start + 16 : start + 80])[bins])
    return np.array(found)


def decided(cell, points):
    """Return the nearest point by the distance to each."""
    return min(points, key=lambda point: abs(cell - point))


def sent(received, estimate, points):
    """Return what a symbol [52] is taken to have been."""
    found = []
    for number, cell, gain in zip(ACTIVE, received, estimate, strict=True):
        found.append(PILOT_NUMBERS[number] if number in PILOT_NUMBERS else decided(cell / gain, points))
    return np.array(found)


def first_estimate(preambles):
    """Return the mean over training symbols [preambles, 52] of what was received by what was sent."""
    return np.mean([symbol / TRAINING for symbol in preambles], axis=0)


def least_squares(preambles, symbols, points):
    """Return LS's estimates of one frame."""
    return np.array([first_estimate(preambles) for _ in symbols])


def data_pilot_aided(preambles, symbols, points):
    """Return DPA's estimates of one frame."""
    last, found = first_estimate(preambles), []
    for symbol in symbols:
        last = symbol / sent(symbol, last, points)
        found.append(last)
    return np.array(found)


def spectral_temporal_average(preambles, symbols, points, alpha=2.0, beta=2):
    """Return STA's estimates of one frame."""
    last, found = first_estimate(preambles), []
    for symbol in symbols:
        new = symbol / sent(symbol, last, points)
        smooth = [np.mean(new[max(0, place - beta) : place + beta + 1]) for place in range(52)]
        last = (1 - 1 / alpha) * last + np.array(smooth) / alpha
        found.append(last)
    return np.array(found)


def reliable_interpolation(preambles, symbols, points):
    """Return TRFI's estimates of one frame."""
    last, before, found = first_estimate(preambles), preambles[-1], []
    for symbol in symbols:
        new = symbol / sent(symbol, last, points)
        own = points if found else [-1.0, 1.0]  # the training symbol's, before the first data symbol
        reliable = [
            place
            for place, number in enumerate(ACTIVE)
            if number in PILOT_NUMBERS
            or decided(before[place] / new[place], own) == decided(before[place] / last[place], own)
        ]
        real = np.interp(range(52), reliable, new[reliable].real)
        last = real + 1j * np.interp(range(52), reliable, new[reliable].imag)
        before = symbol
        found.append(last)
    return np.array(found)


ESTIMATES = {
    "LS": least_squares,
    "DPA": data_pilot_aided,
    "STA": spectral_temporal_average,
    "TRFI": reliable_interpolation,
}


def gray_bit_error(bits_per_cell, tail):
    """Return the bit error rate of Gray-labelled square QAM, decided by the nearest point.

    `tail(x)` is the probability that a quadrature's noise exceeds x times half the distance of neighbours.
    """
    bits = bits_per_cell // 2
    count = 2**bits
    labels = [number ^ (number >> 1) for number in range(count)]
    total = 0.0
    for sent_level, decided_level in itertools.product(range(count), repeat=2):
        below = 2 * (decided_level - sent_level) - 1
        probability = (1.0 if decided_level == 0 else _beyond(below, tail)) - (
            0.0 if decided_level == count - 1 else _beyond(below + 2, tail)
        )
        total += probability * (labels[sent_level] ^ labels[decided_level]).bit_count()
    return total / count / bits


def _beyond(x, tail):
    """Return the probability of more than x, which may be negative."""
    return tail(x) if x >= 0 else 1.0 - tail(-x)


def half_distance_over_noise(bits_per_cell, ebno_db):
    """Return the mean of (half the distance of neighbours)^2 over the noise's variance in a quadrature."""
    return 3.0 * bits_per_cell * 10 ** (ebno_db / 10) / (2**bits_per_cell - 1)


def still_tail(ratio):
    """Return the tail in white noise: Q(x sqrt(ratio))."""
    return lambda x: 0.5 * erfc(x * np.sqrt(ratio / 2.0))


def rayleigh_tail(ratio):
    """Return its mean over an exponential ratio of that mean: 1/2 (1 - sqrt(s / (1 + s))), s = x^2 ratio / 2."""
    return lambda x: 0.5 * (1.0 - np.sqrt(x**2 * ratio / 2.0 / (1.0 + x**2 * ratio / 2.0)))


def bit_weights(generators=(0o133, 0o171), memory=6, longest=24):
    """Return weight d -> information bits in error, summed over the code's error events of weight d, up to `longest`.

    Walks the trellis from the first departure from state 0 until the return, by (state, weight).
    """

    def output(register):
        return sum((register & generator).bit_count() % 2 for generator in generators)

    start = 1 << memory
    paths = {(start >> 1, output(start)): (1, 1)}  # (state, weight): (events, their information bits)
    found = dict.fromkeys(range(longest + 1), 0)
    while paths:
        longer = {}
        for (state, weight), (events, ones) in paths.items():
            for bit in (0, 1):
                register = (bit << memory) | state
                key = register >> 1, weight + output(register)
                if key[1] > longest:
                    continue
                if key[0] == 0:
                    found[key[1]] += ones + bit * events
                    continue
                before = longer.get(key, (0, 0))
                longer[key] = before[0] + events, before[1] + ones + bit * events
        paths = longer
    return {weight: ones for weight, ones in found.items() if ones}


def union_bound(ebno_db):
    """Return the union bound on the bit error rate of the rate-1/2 code over QPSK in white noise."""
    per_bit = 10 ** (ebno_db / 10)
    return sum(ones * 0.5 * erfc(np.sqrt(weight * 0.5 * per_bit)) for weight, ones in bit_weights().items())


def genie_bound(ebno_db):
    """Return what no decoder goes below: a genie leaves it two words, 10 code bits apart, that differ in the bit."""
    return 0.5 * erfc(np.sqrt(10 * 0.5 * 10 ** (ebno_db / 10)))
