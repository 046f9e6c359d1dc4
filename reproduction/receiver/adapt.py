"""Adapt a neural receiver of one's own to frames that it receives badly, by the training frames that help them most.

    python reproduction/receiver/adapt.py --model my.keras --train my_frames.npz --target bad_frames.npz --out DIR

The model is any Keras model that gives soft bits, log P(1) / P(0). Frames are .npz files: `inputs`, what the model
takes, [n, ...]; `bits`, 0 or 1, of the shape that it gives, [n, ...]; and, if not all of them count, `counts`, 1 where
they do, of that shape or [n, ...] without the last axes. Every second target frame is held out, and says what it comes
to.

Loss-relative influence of the cross-entropy selects frames, gradient steps of 1 / lambda_max follow: `influence`,
`fine_tuning`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reproduction import command_line
from reproduction.files import bytes_of, read_arrays, require_writable, write_atomically
from reproduction.receiver.selection import best
from reproduction.results.processes import single_thread
from reproduction.results.progress import message
from reproduction.results.records import provenance

CURVATURE_FRAMES, ITERATIONS, DAMPING = 500, 50, 0.01
"""Frames over which the Hessian is the mean, at most; the dimension of Arnoldi's space; the damping, in units of the
greatest eigenvalue."""


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 2 (one line on standard error) or 130 if it does not end well."""
    options = _parse(arguments)
    command_line.stop_like_ctrl_c_on_sigterm()
    with command_line.one_line_errors(options.log):
        train, target = read_frames(options.train), read_frames(options.target)
        if len(train) < options.frames:
            raise ValueError(
                f"--frames must be at most the {len(train)} of {options.train}, got {options.frames}; take fewer."
            )
        if len(target) < 2:
            raise ValueError(f"{options.target}: must hold 2 frames or more, every second is held out, got 1; add one.")
        single_thread()
        model = read_model(options.model)
        for frames in (train, target):
            require_fit(model, frames)
        require_writable(options.out)

        def tell(line: str) -> None:
            print(message(options.log, "step", line), file=sys.stderr, flush=True)

        for name, content in adapted(model, train, target, options.frames, options.steps, tell).items():
            write_atomically(options.out / name, content)
            print(message(options.log, "wrote", str(options.out / name)))


def adapted(
    model: Any, train: OwnFrames, target: OwnFrames, count: int, steps: int, tell: Any = lambda line: None
) -> dict[str, bytes]:
    """Adapt a model; return the files by name.

    Args:
        model: whose weights are overwritten.
        train: the frames to select from.
        target: those that are received badly; every second one is held out.
        count: how many are selected.
        steps: of fine-tuning.
        tell: hears what is being done, a line at a time.
    """
    from reproduction.attribution.influence import Influence
    from reproduction.receiver.fine_tuning import FineTuner, greatest_curvature

    wanted, held_out = target[::2], target[1::2]
    tell(f"influence of {len(train)} frames on {len(wanted)}")
    seen = train[:CURVATURE_FRAMES]
    greatest = greatest_curvature(model, cross_entropy, seen.inputs, seen.targets)
    influence = Influence(
        model, cross_entropy, damping=DAMPING * greatest, curvature_samples=len(seen), iterations=ITERATIONS
    ).fit(train.inputs, train.targets)
    scores = influence.scores(wanted.inputs, wanted.targets, "loss").mean(axis=0, dtype=float)
    chosen = best(scores, count)
    before = error_rates(model, wanted), error_rates(model, held_out)
    tell(f"{steps} steps on the best {count}, of length 1 / {greatest:.3g}")
    tuner = FineTuner(model, cross_entropy)
    distance = tuner.first_order(train.inputs[chosen], train.targets[chosen], 1.0 / greatest, steps, lambda step: None)
    if not np.isfinite(distance):
        raise ValueError(f"--steps must leave the weights finite, got {steps}; take fewer.")
    after = error_rates(model, wanted), error_rates(model, held_out)
    report: dict[str, Any] = {
        "bit_error_rate": {
            name: {"frames": len(frames), "before": before[place], "after": after[place]}
            for place, (name, frames) in enumerate({"targets": wanted, "held_out": held_out}.items())
        },
        "selected": count,
        "steps": steps,
        "step_length": 1.0 / greatest,
        "made_with": provenance(("tensorflow", "keras", "numpy")),
    }
    held = report["bit_error_rate"]["held_out"]
    tell(f"bit error rate of the held-out frames: {held['before']:.4g} before, {held['after']:.4g} after")
    ranked = pd.DataFrame({"frame": np.arange(len(train)), "influence": scores})
    return {
        "scores.csv": ranked.to_csv(index=False).encode(),
        "selected.csv": ranked.iloc[chosen].to_csv(index=False).encode(),
        "adapted.keras": bytes_of(model.save, "adapted.keras"),
        "report.json": json.dumps(report, indent=1).encode(),
    }


def cross_entropy(targets: Any, soft_bits: Any) -> Any:
    """Return the mean cross-entropy of the bits of each frame that count, in nats per bit, [n]."""
    import tensorflow as tf

    bits, counts = targets[..., 0], targets[..., 1]
    axes = list(range(1, len(bits.shape)))
    losses = tf.nn.sigmoid_cross_entropy_with_logits(bits, soft_bits) * counts
    return tf.reduce_sum(losses, axes) / tf.reduce_sum(counts, axes)


def error_rates(model: Any, frames: OwnFrames, block: int = 100) -> float:
    """Return the bit error rate of a model over frames."""
    wrong, count = 0.0, 0.0
    for start in range(0, len(frames), block):
        part = frames[start : start + block]
        found = np.asarray(model(part.inputs, training=False)) > 0.0
        bits, counts = part.targets[..., 0], part.targets[..., 1]
        wrong += float(((found != (bits > 0.5)) * counts).sum(dtype=float))
        count += float(counts.sum(dtype=float))
    return wrong / count


def read_model(path: Path) -> Any:
    """Read a Keras model.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; give a .keras file.")
    import keras

    import reproduction.receiver.network  # its layers, for a network of ours  # noqa: F401

    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # anyone's file
        line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ValueError(f"{path}: must be a Keras model (model.save), got {line[:150].rstrip('.')}.") from error


def require_fit(model: Any, frames: OwnFrames) -> None:
    """Refuse frames that the model does not take, or whose bits it does not give.

    Raises:
        ValueError: so.
    """
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


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="adapt.py", description=__doc__.splitlines()[0])
    command_line.add_log(parser)
    parser.add_argument("--model", type=Path, required=True, metavar="KERAS", help="your receiver, by model.save")
    frames = "inputs [n, ...] and bits [n, ...]"
    parser.add_argument("--train", type=Path, required=True, metavar="NPZ", help=f"its training frames: {frames}")
    parser.add_argument("--target", type=Path, required=True, metavar="NPZ", help=f"frames to receive better: {frames}")
    parser.add_argument("--frames", type=int, default=50, metavar="K", help="training frames to select (50)")
    parser.add_argument("--steps", type=int, default=10, metavar="N", help="of fine-tuning (10)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where scores, model and report go")
    options = parser.parse_args(arguments)
    for name in ("frames", "steps"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    return options


if __name__ == "__main__":
    main()
