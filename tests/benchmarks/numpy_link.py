"""The link of `reproduction.ofdm` in plain NumPy, float64 and all frames of a block at once: what it is timed beside.

Bits, code (133, 171), random interleaver, Gray-labelled square QAM, 52 subcarriers, Rayleigh taps with the Jakes
spectrum as sums of 32 sinusoids, noise; and back with the perfect channel: nearest points, or max-log and Viterbi.

Differs from the paper: it measures no implementation.
"""

import numpy as np

ACTIVE = np.array([number for number in range(-26, 27) if number])
DATA = np.flatnonzero(~np.isin(ACTIVE, (-21, -7, 7, 21)))
SPACING_HZ, SYMBOL_SECONDS, SYMBOLS, PREAMBLES = 156_250.0, 8e-6, 50, 2
GENERATORS, MEMORY, SINUSOIDS = (0o133, 0o171), 6, 32


def constellation(bits):
    """Return the points by label, complex128 [2^bits], of mean power 1: even bits are real, odd ones imaginary."""
    half = bits // 2
    gray = np.arange(2**half)
    gray ^= gray >> 1
    level = np.empty(2**half)
    level[gray] = np.arange(2**half) * 2.0 - 2**half + 1
    labels = (np.arange(2**bits)[:, None] >> np.arange(bits - 1, -1, -1)) & 1
    weights = 2 ** np.arange(half - 1, -1, -1)
    points = level[labels[:, ::2] @ weights] + 1j * level[labels[:, 1::2] @ weights]
    return points / np.sqrt(np.mean(np.abs(points) ** 2)), labels


def fading(generator, frames, delays_ns, powers, doppler_hz):
    """Return the responses of the data symbols on the active subcarriers, complex128 [frames, 50, 52]."""
    times = SYMBOL_SECONDS * np.arange(PREAMBLES, PREAMBLES + SYMBOLS)
    shape = (frames, len(delays_ns), SINUSOIDS)
    shifts = doppler_hz * np.cos(generator.uniform(-np.pi, np.pi, shape))
    phases = generator.uniform(-np.pi, np.pi, shape)
    angles = 2 * np.pi * shifts[..., None] * times + phases[..., None]
    taps = np.exp(1j * angles).sum(axis=2) * np.sqrt(np.asarray(powers) / SINUSOIDS)[:, None]
    steering = np.exp(-2j * np.pi * SPACING_HZ * 1e-9 * np.outer(delays_ns, ACTIVE))
    return np.einsum("fpt,ps->fts", taps, steering)


def encoded(bits):
    """Return the code bits of bits [n, count], with six zeros behind, [n, 2 (count + 6)]."""
    padded = np.pad(bits, ((0, 0), (MEMORY, MEMORY)))
    length = bits.shape[1] + MEMORY
    streams = []
    for generator in GENERATORS:
        taps = [place for place in range(MEMORY + 1) if generator >> (MEMORY - place) & 1]
        streams.append(sum(padded[:, MEMORY - place : MEMORY - place + length] for place in taps) % 2)
    return np.stack(streams, axis=2).reshape(len(bits), -1)


def decoded(soft):
    """Return the bits that Viterbi finds, of soft bits [n, 2 (count + 6)] that are positive for a 1."""
    states = np.arange(2**MEMORY)
    registers = states[:, None] * 2 + np.arange(2)  # the last bit of the register is the one that leaves
    newest = states >> (MEMORY - 1)
    before = registers & (2**MEMORY - 1)
    signs = [
        np.where([[bin(register & generator).count("1") % 2 for register in row] for row in registers], 1.0, -1.0)
        for generator in GENERATORS
    ]
    pairs = soft.reshape(len(soft), -1, 2)
    metric = np.full((len(soft), len(states)), -np.inf)
    metric[:, 0] = 0.0
    came = np.empty((pairs.shape[1], *metric.shape), np.uint8)
    for step in range(pairs.shape[1]):
        branch = pairs[:, step, :1, None] * signs[0] + pairs[:, step, 1:, None] * signs[1]
        several = metric[:, before] + branch
        came[step] = several.argmax(axis=2)
        metric = several.max(axis=2)
    state, found, rows = np.zeros(len(soft), int), np.empty((len(soft), pairs.shape[1]), int), np.arange(len(soft))
    for step in range(pairs.shape[1] - 1, -1, -1):
        found[:, step] = newest[state]
        state = before[state, came[step, rows, state]]
    return found[:, :-MEMORY]


def errors(generator, frames, bits_per_cell, is_coded, ebno_db, delays_ns, powers, doppler_hz):
    """Send a block of frames; return bits in error, and bits."""
    points, labels = constellation(bits_per_cell)
    cells = SYMBOLS * len(DATA)
    count = cells * bits_per_cell
    bits = generator.integers(0, 2, (frames, count // 2 - MEMORY if is_coded else count))
    interleaver = generator.permutation(count)
    sent = encoded(bits)[:, interleaver] if is_coded else bits
    grouped = sent.reshape(frames, cells, bits_per_cell)
    symbols = points[grouped @ (2 ** np.arange(bits_per_cell - 1, -1, -1))]
    noise = 10 ** (-ebno_db / 10) / bits_per_cell / (0.5 if is_coded else 1.0)
    channel = fading(generator, frames, delays_ns, powers, doppler_hz)[:, :, DATA].reshape(frames, cells)
    noises = generator.normal(0.0, np.sqrt(noise / 2.0), (2, frames, cells))
    equalised = symbols + (noises[0] + 1j * noises[1]) / channel
    distances = np.abs(equalised[..., None] - points) ** 2
    if not is_coded:
        found = labels[distances.argmin(axis=2)].reshape(frames, -1)
        return int((found != bits).sum()), bits.size
    soft = np.empty((frames, cells, bits_per_cell))
    for place in range(bits_per_cell):
        ones = labels[:, place] == 1
        soft[..., place] = distances[..., ~ones].min(axis=2) - distances[..., ones].min(axis=2)
    soft *= (np.abs(channel) ** 2 / noise)[..., None]
    ordered = np.empty((frames, count))
    ordered[:, interleaver] = soft.reshape(frames, count)
    return int((decoded(ordered) != bits).sum()), bits.size
