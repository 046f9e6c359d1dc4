"""Adapt a neural receiver of one's own to frames that it receives badly, by the training frames that help them most.

    python reproduction/receiver/adapt.py --model my.keras --train my_frames.npz --target bad_frames.npz --out DIR

Half of the target frames, drawn at random, are held out, and say what it comes to. Loss-relative influence of the
cross-entropy on the others selects training frames, gradient steps of 0.5 / lambda_max follow: `influence`,
`fine_tuning`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reproduction import command_line
from reproduction.files import bytes_of, require_writable, write_atomically
from reproduction.receiver.own_receiver import (
    OwnFrames,
    Reception,
    cross_entropy,
    read_frames,
    read_model,
    reception,
    require_finite,
    require_fit,
    require_soft_bits,
)
from reproduction.receiver.selection import best
from reproduction.results.processes import single_thread
from reproduction.results.progress import message, warn
from reproduction.results.records import provenance
from reproduction.results.seed_statistics import paired_interval
from reproduction.seeds import generator

CURVATURE_FRAMES, ITERATIONS, DAMPING = 500, 50, 0.01
"""Frames, drawn at random, over which the Hessian is the mean, at most; the dimension of Arnoldi's space; the damping,
in units of the greatest eigenvalue."""

STEP = 0.5
"""Length of a step over the gradient's, in units of 1 / lambda_max: as in the study, a quarter of what is stable."""

FORMAT = """\
The model is a Keras model with one input and one output, soft bits: log P(1) / P(0), above 0 for a 1. Files of frames
hold inputs [n, ...], as the model takes them, bits [n, ...], 0 or 1 for each soft bit, and, if not all of them count,
counts [n, ...], 1 where they do, of the shape of bits or without its last axes. Half of the target frames are held out:
if they were sent over one channel, so is what is said of them. Files in DIR are replaced.
"""


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
            raise ValueError(f"{options.target}: must hold 2 frames or more, half are held out, got 1; add one.")
        single_thread()
        model = read_model(options.model, options.layers)
        for frames in (train, target):
            require_fit(model, frames)
        received = reception(model, train)
        require_finite(train, received)
        require_finite(target, reception(model, target))
        require_soft_bits(model, train, received)
        require_writable(options.out)

        def tell(kind: str, line: str) -> None:
            if kind == "warning":
                warn(options.log, line)
            else:
                print(message(options.log, kind, line), file=sys.stderr, flush=True)

        given = {name: str(getattr(options, name)) for name in ("model", "train", "target")}
        files = adapted(model, train, target, options.frames, options.steps, received, given, tell)
        for name, content in files.items():
            write_atomically(options.out / name, content)
            print(message(options.log, "wrote", str(options.out / name)))


def adapted(
    model: Any,
    train: OwnFrames,
    target: OwnFrames,
    count: int,
    steps: int,
    received: Reception,
    given: dict[str, str],
    tell: Callable[[str, str], None],
) -> dict[str, bytes]:
    """Adapt a model; return the files by name.

    Args:
        model: whose weights are overwritten.
        train: the frames to select from.
        target: those that are received badly; half of them are held out.
        count: how many are selected.
        steps: of fine-tuning.
        received: the training frames, as they are received before.
        given: said in the report: where all this comes from.
        tell: hears ("step" or "warning", a line).

    Raises:
        ValueError: the model cannot be differentiated, or does not stay finite.
    """
    from reproduction.receiver.fine_tuning import FineTuner

    order = generator(0, "held out").permutation(len(target))
    held_out = np.sort(order[: len(target) // 2])
    sets = {"targets": target[np.setdiff1d(order, held_out)], "held_out": target[held_out], "train": train}
    tell("step", f"influence of {len(train)} frames on {len(sets['targets'])}")
    scores, greatest = influences(model, train, sets["targets"])
    chosen = best(scores, count)
    if (harmful := int((scores[chosen] <= 0.0).sum())) > 0:
        tell("warning", f"{harmful} of the {count} frames selected do not help, by their influence; take fewer")
    before = {name: reception(model, sets[name]) for name in ("targets", "held_out")} | {"train": received}
    rate = STEP / greatest
    tell("step", f"fine-tuning on the best {count}, steps of {rate:.3g} times the gradient: {steps}")
    distance = FineTuner(model, cross_entropy).first_order(
        train.inputs[chosen], train.targets[chosen], rate, steps, lambda step: None
    )
    if not np.isfinite(distance):
        raise ValueError(f"--steps must leave the weights finite, got {steps}; take fewer.")
    after = {name: reception(model, frames) for name, frames in sets.items()}
    changes: dict[str, tuple[float, float]] = {}
    for name, of_frames in (("bit error rate", "error_rates"), ("cross-entropy", "entropies")):
        one, other = (getattr(held["held_out"], of_frames) for held in (before, after))
        changes[name] = low, high = paired_interval(other, one)
        interval = "" if np.isnan(low) else f", 95 % interval {low:+.2g} to {high:+.2g}"
        change = f"{one.mean():.4g} before, {other.mean():.4g} after{interval}"
        tell("step", f"{name} of the held-out frames, the mean: {change}")
        if other.mean() > one.mean():
            tell("warning", f"the held-out frames are received worse on the mean, in {name}")
    report: dict[str, Any] = {
        **given,
        "reception": {
            name: {
                "frames": len(frames),
                "bits": int(frames.targets[..., 1].sum(dtype=float)),
                **{
                    when: {"bit_error_rate": one[name].bit_error_rate, "cross_entropy": one[name].cross_entropy}
                    for when, one in (("before", before), ("after", after))
                },
            }
            for name, frames in sets.items()
        },
        "change_of_held_out": {
            name: None if np.isnan(interval[0]) else list(interval) for name, interval in changes.items()
        },
        "held_out": held_out.tolist(),
        "selection": "loss-relative influence of the binary cross-entropy",
        "selected": count,
        "steps": steps,
        "step_over_gradient": rate,
        "damping": DAMPING * greatest,
        "curvature_frames": min(CURVATURE_FRAMES, len(train)),
        "distance": distance,
        "made_with": provenance(("tensorflow", "keras", "numpy")),
    }
    ranked = pd.DataFrame({"frame": np.arange(len(train)), "loss_relative_influence": scores})
    return {
        "scores.csv": ranked.to_csv(index=False).encode(),
        "selected.csv": ranked.iloc[chosen].to_csv(index=False).encode(),
        "adapted.keras": bytes_of(model.save, "adapted.keras"),
        "report.json": json.dumps(report, indent=1).encode(),
    }


def influences(model: Any, train: OwnFrames, wanted: OwnFrames) -> tuple[np.ndarray, float]:
    """Return the loss-relative influence of each training frame, the mean over the wanted ones, and lambda_max.

    Raises:
        ValueError: the model cannot be differentiated twice, or has no positive curvature.
    """
    from reproduction.attribution.influence import Influence
    from reproduction.receiver.fine_tuning import greatest_curvature

    order = generator(0, "curvature").permutation(len(train))
    mixed = train[order]
    seen = mixed[:CURVATURE_FRAMES]
    try:
        greatest = greatest_curvature(model, cross_entropy, seen.inputs, seen.targets)
        found = Influence(
            model, cross_entropy, damping=DAMPING * greatest, curvature_samples=len(seen), iterations=ITERATIONS
        ).fit(mixed.inputs, mixed.targets)
    except ValueError as error:  # in words of `Influence`, whose options these frames' user does not have
        raise ValueError(
            f"--model must have an influence of {train.path}, got: {str(error).partition(';')[0]}; train it further, "
            "or take out layers that cannot be differentiated twice."
        ) from error
    scores = np.empty(len(train))
    scores[order] = found.scores(wanted.inputs, wanted.targets, "loss").mean(axis=0, dtype=float)
    return scores, greatest


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="adapt.py", description=__doc__.splitlines()[0], epilog=FORMAT)
    command_line.add_log(parser)
    parser.add_argument("--model", type=Path, required=True, metavar="KERAS", help="your receiver, by model.save")
    parser.add_argument("--layers", type=Path, metavar="PY", help="a Python file with its own layers, which is run")
    parser.add_argument("--train", type=Path, required=True, metavar="NPZ", help="the frames that it was trained with")
    parser.add_argument("--target", type=Path, required=True, metavar="NPZ", help="frames to receive better")
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
