"""What DeepRx costs, small and full: a step of training and of fine-tuning, a frame's gradient, a Hessian product.

    python tests/benchmarks/receiver.py --out figures/benchmark_receiver.json

Each network has an interpreter of its own, with one thread, as the study's processes do, and one net waits while the
other works. The first call of each, which compiles, is not timed but said beside. What a study of influence takes is
worked out from these by its settings, in seconds of one core: `study_seconds`.

Differs from the paper: it measures no implementation.
"""

import argparse
import json
import os
import resource
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from children import Answer, Child, digits, ends, interleave, ratios, serve, spread

BATCH, FRAMES, TOLD = 8, 48, 16
"""Frames of a training step; of a fine-tuning step; whose gradients and Hessian products are taken."""

TASKS = {
    "training": "a training step of 8 frames",
    "fine-tuning": "a fine-tuning step of 48 frames",
    "gradients": "gradients of 16 frames, each for itself",
    "product": "a Hessian product over 16 frames",
    "reception": "48 frames received",
}

ONE_THREAD = {
    name: "1"
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}


def serve_network(name: str) -> None:
    """Child: one network."""
    import tensorflow as tf

    from reproduction.attribution.curvature import hessian
    from reproduction.attribution.influence import Influence
    from reproduction.receiver.bench import Bench
    from reproduction.receiver.fine_tuning import FineTuner
    from reproduction.receiver.losses import losses
    from reproduction.receiver.preparation import read
    from reproduction.receiver.settings import PACKAGES, PAPER, SMALL, Architecture, Case, Training
    from reproduction.receiver.training import started
    from reproduction.results.records import provenance

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    architecture = SMALL if name == "small" else Architecture()
    settings = replace(PAPER, architecture=architecture, training=Training(frames=FRAMES, epochs=1, batch=BATCH))
    bench = Bench(Case(settings, 0))
    trainer, loss = bench.trainer(), losses(settings.grid.pilots == 0)["BCE"]
    state, model = started(trainer.model), bench.network()
    x, y = read(bench, slice(0, FRAMES))
    tuner = FineTuner(model, loss)
    plain = Influence(model, loss, hessian="identity").fit(x[:TOLD], y[:TOLD]).training
    curvature = hessian(plain.gradients.objective, plain.samples, None)
    vector = np.random.default_rng(0).normal(size=(1, plain.gradients.objective.parameters))
    receive = tf.function(lambda inputs: model(inputs, training=False))
    calls = {
        "training": lambda: trainer.epoch(state),
        "fine-tuning": lambda: tuner.first_order(x, y, 1e-6, 1, lambda step: None),
        "gradients": lambda: plain.gradients.of(plain.samples),
        "product": lambda: curvature.times(vector),
        "reception": lambda: receive(x).numpy(),
    }
    steps = {"training": FRAMES // BATCH}

    def answer(what: str) -> Answer:
        begun = time.perf_counter()
        calls[what]()
        seconds = (time.perf_counter() - begun) / steps.get(what, 1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        of_network = {"parameters": plain.gradients.objective.parameters, "peak_bytes": peak}
        return {"seconds": seconds, **of_network, "provenance": provenance(PACKAGES)}

    serve(answer)


def study_seconds(seconds: dict[str, float]) -> dict[str, float]:
    """Return what each part of one seed of the study takes one core, nearly: counts of its settings times `seconds`.

    Trainings without frames, of the first seed alone, and what several targets take together are left out.
    """
    from reproduction.receiver.adaptation import Attempt, attempts
    from reproduction.receiver.bench import Bench
    from reproduction.receiver.fine_tuning import CURVATURE_STEPS
    from reproduction.receiver.names import COSINE, HARDEST, KINDS_OF_INFLUENCE, PRODUCT
    from reproduction.receiver.settings import PAPER, Case

    how, training, losses = PAPER.influences, PAPER.training, 2
    products = losses * (CURVATURE_STEPS + how.iterations) * how.curvature_frames
    gradients = (losses + 1) * (how.candidates + how.targets)
    kinds, bench = (*KINDS_OF_INFLUENCE, PRODUCT, COSINE, HARDEST), Bench(Case(PAPER, 0))
    tuned, received = 0, how.pool
    for number in range(how.targets):
        tries: list[Attempt] = list(attempts(bench, kinds, number))
        tuned += how.steps * sum(one.count for one in tries)
        tested = how.same_frames + how.alike_frames + how.other_frames * (how.targets - 1)
        received += (1 + len(how.told_at) * len(tries)) * tested
    return {
        "training": training.epochs * training.frames / BATCH * seconds["training"],
        "influence": products / TOLD * seconds["product"] + gradients / TOLD * seconds["gradients"],
        "fine-tuning": tuned / FRAMES * seconds["fine-tuning"],
        "reception": received / FRAMES * seconds["reception"],
    }


def measure(repetitions: int, progress: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run everything, interleaved; return the measurements by task and network, and what is said of each network."""
    found: dict[str, Any] = {}
    networks: dict[str, Any] = {}
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(
                Child([sys.executable, __file__, "--child", name], {"TF_CPP_MIN_LOG_LEVEL": "2"} | ONE_THREAD)
            )
            for name in ("small", "full")
        }
        for task, in_words in TASKS.items():
            asks = {name: partial(child.ask, what=task) for name, child in children.items()}
            first = {}
            for name, ask in asks.items():
                progress(f"{name}, {in_words}: first time")
                first[name] = ask()["seconds"]
            several = interleave(
                asks, dict.fromkeys(asks, repetitions), lambda what, of=in_words: progress(f"{what}, {of}")
            )
            seconds = {name: [one["seconds"] for one in answers] for name, answers in several.items()}
            found[task] = {
                "what": in_words,
                **{
                    name: {
                        "seconds": spread(seconds[name]),
                        "over_small": spread(ratios(seconds[name], seconds["small"])),
                        "first_seconds": first[name],
                    }
                    for name in asks
                },
            }
            networks |= {name: answers[-1] for name, answers in several.items()}
    return found, networks


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("figures/benchmark_receiver.json"), help="JSON file to write")
    parser.add_argument("--repetitions", type=int, default=3, help="timed calls of each")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        serve_network(arguments.child)
        return
    from rich.console import Console
    from rich.table import Table

    from reproduction.results.records import write_atomically

    console, load = Console(), os.getloadavg()[0]
    with console.status("") as status:
        found, networks = measure(arguments.repetitions, status.update)
    for name, one in networks.items():
        one["study_seconds"] = study_seconds({task: found[task][name]["seconds"]["median"] for task in TASKS})
    said = ("parameters", "peak_bytes", "study_seconds")
    payload = {
        "provenance": networks["small"]["provenance"] | {"load_before": load},
        "networks": {name: {part: one[part] for part in said} for name, one in networks.items()},
        "measured": found,
    }
    write_atomically(arguments.out, json.dumps(payload, indent=1, allow_nan=False).encode())
    table = Table("what", "network", "ms", "min - max", "over small", "first, ms", title="One core")
    for one in found.values():
        for name in networks:
            seconds, over = one[name]["seconds"], one[name]["over_small"]
            cells = [digits(1e3 * seconds["median"]), ends(seconds, 1e3)]
            table.add_row(one["what"], name, *cells, digits(over["median"]), digits(1e3 * one[name]["first_seconds"]))
    console.print(table)
    for name, one in networks.items():
        parts = ", ".join(f"{part} {seconds / 3600.0:.2f}" for part, seconds in one["study_seconds"].items())
        console.print(f"{name}: {one['parameters']:,} parameters, {one['peak_bytes'] / 1e9:.2f} GB; study, h: {parts}")
    console.print(f"load before the run {load:.1f}; written {arguments.out}")


if __name__ == "__main__":
    main()
