"""The link over a resource grid written a second time: sums over taps, numerical integrals, in float64."""

import numpy as np
from scipy.integrate import quad
from scipy.special import j0


def autocorrelation(profile, doppler_hz, delay_spread_ns, seconds, hertz):
    """Return E[h(t + seconds, f + hertz) conj(h(t, f))] by the sum over taps."""
    found = 0.0
    for row, (delay, power) in enumerate(zip(profile.delays, profile.powers, strict=True)):
        if row == 0 and profile.has_line_of_sight:
            over_time = np.exp(2j * np.pi * 0.7 * doppler_hz * seconds)
        else:
            over_time = j0(2 * np.pi * doppler_hz * seconds)
        found += power * over_time * np.exp(-2j * np.pi * hertz * delay * delay_spread_ns * 1e-9)
    return found


def amplitude_levels(bits_per_cell):
    """Return the levels of a quadrature of mean power 1/2, and their bits by 3GPP TS 38.211, 5.1, [levels, bits]."""
    bits = bits_per_cell // 2
    labels = [[(number >> place) & 1 for place in range(bits - 1, -1, -1)] for number in range(2**bits)]
    levels = []
    for label in labels:
        value = 1
        for distance, bit in zip([2**place for place in range(1, bits)], reversed(label[1:]), strict=True):
            value = distance - (1 - 2 * bit) * value
        levels.append((1 - 2 * label[0]) * value)
    levels = np.array(levels, float)
    return levels / np.sqrt(2 * np.mean(levels**2)), np.array(labels)


def best_bit_error(bits_per_cell, noise):
    """Return the least bit error rate of a receiver that knows a channel of gain 1 and N0 and sees one cell.

    Each bit is decided by its probability: it errs where the other value was the one, the lesser of the two densities.
    """
    levels, labels = amplitude_levels(bits_per_cell)
    deviation = np.sqrt(noise / 2)
    reach = np.abs(levels).max() + 9 * deviation
    at = np.linspace(-reach, reach, 4001)
    densities = np.exp(-((at[:, None] - levels) ** 2) / noise) / np.sqrt(np.pi * noise) / len(levels)
    rates = []
    for place in range(labels.shape[1]):
        of_one = densities[:, labels[:, place] == 1].sum(axis=1)
        rates.append(np.trapezoid(np.minimum(of_one, densities.sum(axis=1) - of_one), at))
    return float(np.mean(rates))


def best_rayleigh_bit_error(bits_per_cell, noise):
    """Return its mean over an exponential gain of mean 1."""

    def weighed(gain):
        return np.exp(-gain) * best_bit_error(bits_per_cell, noise / gain)

    return quad(weighed, 1e-6, 30, limit=200, epsrel=1e-4)[0]
