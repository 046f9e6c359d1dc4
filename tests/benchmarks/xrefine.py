"""X-REFINE at the paper's size: training beside Keras's fit, the link beside plain NumPy and beside itself uncompiled.

    python tests/benchmarks/xrefine.py --out figures/benchmark_xrefine.json

Every one lives in an interpreter of its own, with one thread, as the study's processes do; repetitions are interleaved.
The first of each, which compiles, is not among them but said beside. A case of the study is worked through whole, for
its seconds and its memory.

Differs from the paper: it measures no implementation.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from children import Answer, Child, digits, ends, interleave, ratios, serve, spread

CHANNEL, MODULATION, LINK_MODULATION, EBNO_DB = "VTV_SDWW", "64QAM", "16QAM", {"uncoded": 20.0, "coded": 10.0}
FRAMES = {"compiled": 100, "uncompiled": 20, "NumPy": 20}
"""In a block: as many as each is quick with."""

ONE_THREAD = {
    name: "1"
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}


def timed(call: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    found = call()
    return time.perf_counter() - started, found


def serve_training(who: str) -> None:
    """Child: the training of a whole network, by ours or by Keras's fit."""
    from reproduction.results.records import provenance
    from reproduction.xrefine.bench import Bench, Case
    from reproduction.xrefine.case import PACKAGES
    from reproduction.xrefine.network import all_of, as_keras, forward
    from reproduction.xrefine.relevance import relevance_of
    from reproduction.xrefine.settings import PAPER

    bench = Bench(Case(PAPER, CHANNEL, MODULATION, 0))
    first, how = bench.first("full"), PAPER.training
    features, targets = bench.scaled(bench.held_out)
    kept: dict[str, Any] = {}

    def fit() -> Any:
        import keras

        keras.utils.set_random_seed(0)
        model = as_keras(first)
        model.compile(keras.optimizers.Adam(how.learning_rate), "mse")
        model.fit(*bench.samples, batch_size=how.batch, epochs=how.epochs, verbose=0)
        return model.get_weights()

    def answer(what: str) -> Answer:
        if what == "relevance":
            seconds, _ = timed(lambda: relevance_of(kept["weights"], features))
            return {"seconds": seconds}
        run = fit if who == "Keras fit" else lambda: bench.trained(first, all_of(PAPER.hidden), "full")
        seconds, kept["weights"] = timed(run)
        loss = float(np.mean((np.asarray(forward(kept["weights"], features)) - targets) ** 2, dtype=float))
        return {"seconds": seconds, "loss": loss, "provenance": provenance(PACKAGES)}

    serve(answer)


def serve_link(who: str) -> None:
    """Child: frames sent, and their bits decided by the perfect channel."""
    from reproduction.ofdm.taps import PROFILES
    from reproduction.xrefine.settings import PAPER

    taps, frames = PROFILES[CHANNEL], FRAMES[who]
    if who == "NumPy":
        import numpy_link

        generator = np.random.default_rng(0)
        bits_per_cell = {"QPSK": 2, "16QAM": 4, "64QAM": 6}[LINK_MODULATION]

        def send(kind: str) -> tuple[int, int]:
            of_channel = (taps.delays_ns, taps.powers, PAPER.doppler_hz)
            return numpy_link.errors(generator, frames, bits_per_cell, kind == "coded", EBNO_DB[kind], *of_channel)

    else:
        import tensorflow as tf

        from reproduction.ofdm.channels import FadingChannel
        from reproduction.ofdm.link import Link
        from reproduction.seeds import stateless_seed

        tf.config.run_functions_eagerly(who == "uncompiled")
        links = {kind: Link(LINK_MODULATION, kind == "coded") for kind in EBNO_DB}
        channel, blocks = FadingChannel(taps, PAPER.doppler_hz), iter(range(10_000))

        def send(kind: str) -> tuple[int, int]:
            received = links[kind].send(channel, frames, EBNO_DB[kind], stateless_seed(0, "benchmark", next(blocks)))
            found = links[kind].errors(received, received.channel)
            return found.errors, found.bits

    def answer(kind: str) -> Answer:
        seconds, (errors, bits) = timed(lambda: send(kind))
        return {"seconds": seconds / frames, "errors": errors, "bits": bits}

    serve(answer)


def serve_case() -> None:
    """Child: a whole case, and the most memory that it took."""
    from reproduction.xrefine.settings import PAPER
    from reproduction.xrefine.study import cases, record_of

    def answer() -> Answer:
        case = next(one for one in cases(PAPER, (0,)) if (one.channel, one.modulation) == (CHANNEL, MODULATION))
        with tempfile.TemporaryDirectory() as folder:
            seconds, record = timed(lambda: record_of(case, Path(folder)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return {"seconds": seconds, "networks": len(record["networks"]), "peak_bytes": peak}

    serve(answer)


CHILDREN = {"training": serve_training, "link": serve_link, "case": serve_case}


def measure(repetitions: int, with_case: bool, progress: Any) -> dict[str, Any]:
    """Run everything, interleaved."""
    found: dict[str, Any] = {}
    with ExitStack() as stack:

        def start(*role: str) -> Child:
            command = [sys.executable, __file__, "--child", *role]
            return stack.enter_context(Child(command, {"TF_CPP_MIN_LOG_LEVEL": "2"} | ONE_THREAD))

        def compared(name: str, children: dict[str, Child], ours: str, **request: str) -> dict[str, list[Answer]]:
            tasks = {who: partial(child.ask, **request) for who, child in children.items()}
            first = {}
            for who, task in tasks.items():
                progress(f"{name}: {who}, first time")
                first[who] = task()["seconds"]
            several = interleave(tasks, dict.fromkeys(tasks, repetitions), lambda what: progress(f"{name}: {what}"))
            seconds = {who: [one["seconds"] for one in answers] for who, answers in several.items()}
            found[name] = {
                who: {
                    "seconds": spread(seconds[who]),
                    "over_ours": spread(ratios(seconds[who], seconds[ours])),
                    "first_seconds": first[who],
                }
                for who in tasks
            }
            return several

        trainers = {who: start("training", who) for who in ("ours", "Keras fit")}
        answers = compared("training", trainers, "ours", what="training")
        found["provenance"] = answers["ours"][-1]["provenance"]
        for who, several in answers.items():
            found["training"][who]["held_out_loss"] = several[-1]["loss"]
        compared("relevance", {"ours": trainers["ours"]}, "ours", what="relevance")
        links = {who: start("link", who) for who in FRAMES}
        for kind in EBNO_DB:
            name = f"link, {kind}"
            answers = compared(name, links, "compiled", kind=kind)
            for who, several in answers.items():
                errors, bits = (sum(one[part] for one in several) for part in ("errors", "bits"))
                found[name][who]["bit_error_rate"] = errors / bits
        if with_case:
            progress("a whole case")
            found["case"] = start("case").ask()
    return found


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("figures/benchmark_xrefine.json"), help="JSON file to write")
    parser.add_argument("--repetitions", type=int, default=7, help="timed calls of each")
    parser.add_argument("--no-case", action="store_true", help="leave out the whole case, which takes some minutes")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        role, *rest = arguments.child
        CHILDREN[role](*rest)
        return
    from rich.console import Console
    from rich.table import Table

    from reproduction.results.records import write_atomically
    from reproduction.xrefine.settings import PAPER

    console, load = Console(), os.getloadavg()[0]
    with console.status("") as status:
        found = measure(arguments.repetitions, not arguments.no_case, status.update)
    provenance = found.pop("provenance")
    case = found.pop("case", None)
    payload = {
        "provenance": provenance | {"load_before": load},
        "settings": {
            "channel": CHANNEL,
            "modulation": MODULATION,
            "link_modulation": LINK_MODULATION,
            "ebno_db": EBNO_DB,
            "training_symbols": PAPER.training_symbols,
            "epochs": PAPER.training.epochs,
            "held_out_symbols": PAPER.held_out_symbols,
            "frames_in_a_block": FRAMES,
        },
        "measured": found,
        "case": case,
    }
    write_atomically(arguments.out, json.dumps(payload, indent=1, allow_nan=False).encode())
    table = Table("what", "who", "ms", "min - max", "over ours", "min - max", "first, ms", title="One core each")
    for name, several in found.items():
        for who, one in several.items():
            cells = []
            for part, unit in ((one["seconds"], 1e3), (one["over_ours"], 1.0)):
                cells += [digits(unit * part["median"]), ends(part, unit)]
            table.add_row(name, who, *cells, digits(1e3 * one["first_seconds"]))
    console.print(table)
    if case:
        console.print(
            f"a case: {case['seconds']:.0f} s, {case['peak_bytes'] / 1e9:.2f} GB, {case['networks']} networks"
        )
    console.print(f"load before the run {load:.1f}; written {arguments.out}")


if __name__ == "__main__":
    main()
