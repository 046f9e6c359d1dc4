"""A receiver of one's own: its model, its frames, and whether they go together.

A model gives soft bits, log P(1) / P(0), as `network.deeprx` does.
"""

import inspect
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproduction.attribution.objective import first_line
from reproduction.files import read_arrays

BLOCK = 100
"""Frames that a model receives at once."""


@dataclass(frozen=True)
class OwnFrames:
    """Frames of one's own.

    Attributes:
        path: of their file.
        inputs: float32 [n, ...].
        targets: float32 [n, ..., 2], the bits and whether they count.
    """

    path: Path
    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, places: Any) -> "OwnFrames":
        """Return some of them, chosen as from an array."""
        return OwnFrames(self.path, self.inputs[places], self.targets[places])


def read_frames(path: Path) -> OwnFrames:
    """Read frames.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, or holds other bits, or what is no finite number, or nothing.
    """
    arrays = read_arrays(path, "inputs", "bits", optional=("counts",))
    inputs, bits = arrays["inputs"], arrays["bits"]
    counts = arrays.get("counts", np.ones_like(bits))
    if inputs.ndim < 2 or bits.ndim < 2 or not len(inputs) or len(inputs) != len(bits):
        raise ValueError(
            f"{path}: inputs and bits must be [n, ...], of as many frames, got {list(inputs.shape)} and "
            f"{list(bits.shape)}."
        )
    for name, array in (("bits", bits), ("counts", counts)):
        if not np.isin(array, (0.0, 1.0)).all():
            where = np.argwhere(~np.isin(array, (0.0, 1.0)))[0].tolist()
            raise ValueError(f"{path}: {name} must be 0 or 1, got {array[tuple(where)]} at {where}.")
    if counts.shape != bits.shape[: counts.ndim]:
        raise ValueError(f"{path}: counts must be of the shape of bits, {list(bits.shape)}, got {list(counts.shape)}.")
    counts = np.broadcast_to(counts.reshape(counts.shape + (1,) * (bits.ndim - counts.ndim)), bits.shape)
    if not counts.any(axis=tuple(range(1, counts.ndim))).all():
        raise ValueError(f"{path}: counts must be 1 somewhere in every frame; drop frames of which no bit counts.")
    return OwnFrames(path, inputs, np.stack([bits, counts], axis=-1))


def read_model(path: Path, layers: Path | None) -> Any:
    """Read a Keras model.

    Args:
        path: of the file.
        layers: a Python file with the model's own layers and functions, which is run.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, or of layers that are not known.
    """
    for file, kind in ((path, "a .keras file"), (layers, "a Python file")):
        if file and not file.is_file():
            raise FileNotFoundError(f"{file}: no such file; give {kind}.")
    import keras

    import reproduction.receiver.network  # its layers, for a network of ours  # noqa: F401

    try:
        own = runpy.run_path(str(layers)) if layers else {}
    except Exception as error:  # anyone's file
        raise ValueError(f"{layers}: must run as Python, got {type(error).__name__}: {first_line(error)}.") from error
    known = {name: one for name, one in own.items() if inspect.isclass(one) or inspect.isfunction(one)}
    try:
        return keras.saving.load_model(path, custom_objects=known, compile=False)
    except Exception as error:  # anyone's file
        raise ValueError(
            f"{path}: must be a Keras model (model.save) of Keras's layers and those of --layers, without Lambda, got "
            f"{first_line(error)}."
        ) from error


def require_fit(model: Any, frames: OwnFrames) -> None:
    """Refuse frames that the model does not take, or whose bits it does not give.

    Raises:
        ValueError: so.
    """
    for name in ("input", "output"):
        several = getattr(model, f"{name}s", None)  # a subclass of keras.Model has none
        if several and len(several) != 1:
            raise ValueError(f"--model must have one {name}, got {len(several)}; join them in the model.")
    try:
        given = np.asarray(model(frames.inputs[:1], training=False))
    except Exception as error:  # anyone's model
        raise ValueError(
            f"{frames.path}: inputs must be what the model takes, got {list(frames.inputs.shape)}; check the axes."
        ) from error
    wanted = frames.targets.shape[1:-1]
    if given.shape[1:] != wanted:
        raise ValueError(
            f"{frames.path}: bits must be [n, {', '.join(map(str, given.shape[1:]))}], what the model gives, got "
            f"{[len(frames), *wanted]}; give one for each soft bit."
        )


def require_finite(frames: OwnFrames, received: "Reception") -> None:
    """Refuse frames for which the model gives no finite numbers.

    Raises:
        ValueError: so.
    """
    if not np.isfinite(received.entropies).all():
        first = int(np.argmin(np.isfinite(received.entropies)))
        raise ValueError(
            f"{frames.path}: the model must give finite soft bits, got NaN or infinity at frame {first}; drop it, or "
            "check the model's weights."
        )


def require_soft_bits(model: Any, frames: OwnFrames, received: "Reception") -> None:
    """Refuse a model whose outputs are no soft bits, as the frames that it was trained with tell.

    Raises:
        ValueError: its outputs are probabilities, or of the other sign, or no gradient reaches its weights.
    """
    import tensorflow as tf

    if received.least >= 0.0 and received.greatest <= 1.0:
        raise ValueError(
            f"--model must give soft bits, log P(1) / P(0), got outputs from {received.least:.3g} to "
            f"{received.greatest:.3g}, which look like probabilities; leave out its last sigmoid."
        )
    if received.bit_error_rate > 0.5:
        raise ValueError(
            "--model must give soft bits, log P(1) / P(0), above 0 for a 1, but decides "
            f"{received.bit_error_rate:.3g} of the bits of {frames.path} wrong; turn their sign, or check the bits."
        )
    seen = frames[:BLOCK]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(cross_entropy(seen.targets, model(seen.inputs, training=False)))
    gradients = tape.gradient(loss, [one.value for one in model.trainable_variables])
    if not any(one is not None and np.any(tf.convert_to_tensor(one).numpy()) for one in gradients):
        raise ValueError(
            "--model must be differentiable, but no gradient of the cross-entropy reaches weights that are trained; "
            "take out what rounds or decides, or set trainable."
        )


def cross_entropy(targets: Any, soft_bits: Any) -> Any:
    """Return the mean cross-entropy of the bits of each frame that count, in nats per bit, [n]."""
    import tensorflow as tf

    bits, counts = targets[..., 0], targets[..., 1]
    axes = list(range(1, len(bits.shape)))
    losses = tf.nn.sigmoid_cross_entropy_with_logits(bits, soft_bits) * counts
    return tf.reduce_sum(losses, axes) / tf.reduce_sum(counts, axes)


@dataclass(frozen=True)
class Reception:
    """How frames are received.

    Attributes:
        error_rates: bits of each frame that count and are decided wrong, over the mean number that count, float64 [n]:
            their mean is the bit error rate.
        entropies: cross-entropy, in nats per bit, float64 [n].
        least: of all soft bits.
        greatest: likewise.
    """

    error_rates: np.ndarray
    entropies: np.ndarray
    least: float
    greatest: float

    @property
    def bit_error_rate(self) -> float:
        """Of all bits that count."""
        return float(self.error_rates.mean())

    @property
    def cross_entropy(self) -> float:
        """The mean over the frames, in nats per bit."""
        return float(self.entropies.mean())


def reception(model: Any, frames: OwnFrames) -> Reception:
    """Receive frames."""
    wrong, counted, entropies, ends = [], [], [], []
    for start in range(0, len(frames), BLOCK):
        part = frames[start : start + BLOCK]
        found = np.asarray(model(part.inputs, training=False))
        bits, counts = part.targets[..., 0], part.targets[..., 1]
        axes = tuple(range(1, bits.ndim))
        wrong.append((((found > 0.0) != (bits > 0.5)) * counts).sum(axis=axes, dtype=float))
        counted.append(counts.sum(axis=axes, dtype=float))
        entropies.append(np.asarray(cross_entropy(part.targets, found), float))
        ends += [float(found.min()), float(found.max())]
    error_rates = np.concatenate(wrong) / np.concatenate(counted).mean()
    return Reception(error_rates, np.concatenate(entropies), min(ends), max(ends))
