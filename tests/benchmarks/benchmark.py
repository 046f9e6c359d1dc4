"""Speed of the closed loop and of the federation, all variants in one run, repetitions interleaved.

    python tests/benchmarks/benchmark.py --out figures/benchmark.json

Every variant lives in a process of its own, because it needs its own number of threads. Medians are reported with
the least and the greatest repetition; a ratio is taken within a repetition. Aims stand beside what was measured and
are never asserted.

Differs from the paper: it measures no implementation.
"""

import argparse
import dataclasses
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from children import Answer, Child, digits, ends, interleave, ratios, serve, spread

from reproduction.results import records
from reproduction.slicing.closed_loop.client import Assignment, Samples, initial_log_matrix, train
from reproduction.slicing.closed_loop.weights import deserialise, layer_sizes, serialise
from reproduction.slicing.datasets.generator import generate_slice
from reproduction.slicing.federation.clients import assign, clients_of
from reproduction.slicing.federation.held import hold
from reproduction.slicing.federation.in_process import InProcessFleet
from reproduction.slicing.federation.record import PACKAGES
from reproduction.slicing.federation.server import first_state, fl_round
from reproduction.slicing.federation.workers import Workers
from reproduction.slicing.schemes import EXPLAINER_LABELS
from reproduction.slicing.settings import EXPLAINERS, PAPER, Explainer

SLICE, SEED = "eMBB", 0
IG = EXPLAINERS[0]
AGREEMENT_EPOCHS = 20
AGREEMENT_SCHEMES = ("in-hoc", "post-hoc")
PEAK_SIZES = (512, 1024, 2048, 4096)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How much to run.

    Attributes:
        clients: K of the compared rounds.
        client_counts: further K, for linearity.
        repetitions: of the compared variants.
        slow_repetitions: of what takes seconds: large K, and the first round of a fresh process.
        eager_epochs: steps per repetition of the first version, eager.
        graph_epochs: the same in `tf.function`.
        explainers: of the in-hoc rounds, IG first.
        peak_sizes: edges of the square matrices of the machine's peak.
    """

    clients: int = PAPER.clients
    client_counts: tuple[int, ...] = (200, 500, 1000)
    repetitions: int = 5
    slow_repetitions: int = 3
    eager_epochs: int = 40
    graph_epochs: int = 400
    explainers: tuple[Explainer, ...] = EXPLAINERS
    peak_sizes: tuple[int, ...] = PEAK_SIZES


QUICK = Plan(
    clients=10,
    client_counts=(20,),
    repetitions=2,
    slow_repetitions=1,
    eager_epochs=10,
    graph_epochs=50,
    explainers=EXPLAINERS[:1],
    peak_sizes=PEAK_SIZES[:2],
)


def epoch_flops(sizes: tuple[int, ...], samples: int, batch: int, nodes: int) -> dict[str, float]:
    """Count the floating-point operations of one constrained local epoch: matrix products only, 2 per multiply-add.

    With F multiply-adds of a forward pass per sample and F_1 of its first layer, training on a sample costs F
    forward, F for the weights' gradient and F - F_1 for the hidden layers' (nothing flows back to the input); a
    node of IG costs F forward and F back to the input. Hence

        2 [ samples (3F - F_1) + batch nodes 2F + batch (3F - F_1) ].

    Activations, Adam, the draws, softmax, mutation and the multipliers are not counted.

    Args:
        sizes: the network's widths.
        samples: D.
        batch: samples that the Tester draws.
        nodes: of IG.

    Returns:
        FLOP by part, and their "total"; "unconstrained" is the epoch of the post-hoc scheme.
    """
    products = [inputs * outputs for inputs, outputs in pairwise(sizes)]
    forward, training = sum(products), 3 * sum(products) - products[0]
    parts = {
        "forward and backward on D": 2.0 * samples * training,
        "IG on the batch": 2.0 * batch * nodes * 2 * forward,
        "forward and backward on the mutated batch": 2.0 * batch * training,
    }
    return parts | {"total": sum(parts.values()), "unconstrained": 2.0 * samples * training}


def federation(clients: int, scheme: str, explainer: str) -> tuple[Assignment, list[Samples]]:
    """Return what the CLs of a federation of the paper's settings are told, and their training samples."""
    data = generate_slice(SLICE, seed=SEED, clients=clients, samples=PAPER.samples, test_samples=PAPER.test_samples)
    assignment = assign(data, scheme, explainer, SEED, PAPER)
    return assignment, clients_of(data)[0]


def report(assignment: Assignment, samples: Sequence[Samples]) -> list[tuple[int, float, int]]:
    """Run in a worker: its process id, its peak memory in GB, its compilations of training functions."""
    from reproduction.slicing.closed_loop import local_training

    time.sleep(0.02)  # so that every worker of the pool gets some of these calls
    key = (assignment.sizes, assignment.model, assignment.local)
    compiled = [local_training.post_hoc_round(*key)]
    compiled += [local_training.in_hoc_round(explainer, *key) for explainer in EXPLAINERS]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    tracings = sum(function.experimental_get_tracing_count() for function in compiled)
    return [(os.getpid(), peak / 1e9, tracings)] * len(samples)


def serve_ours(workers: int | None) -> None:
    """Child: this project, on a pool of workers."""
    fleets: dict[tuple, tuple] = {}
    with Workers(workers) as pool:

        def answer(task: str, clients: int, scheme: str = "in-hoc", explainer: str = IG) -> Answer:
            key = (clients, scheme, explainer)
            if key not in fleets:
                assignment, members = federation(*key)
                fleets[key] = assignment, hold(members), InProcessFleet(assignment, members, pool=pool)
            assignment, held, fleet = fleets[key]
            state = first_state(assignment)
            if task == "workers":
                return {"workers": sorted(set(pool.map(partial(report, assignment), held)))}
            if task == "weights":
                local = dataclasses.replace(assignment.local, epochs=AGREEMENT_EPOCHS, returned_iterate="last")
                short = dataclasses.replace(assignment, local=local)
                one_round = partial(train, short, serialise(state.weights), 0)
                ((update, _),) = pool.map(one_round, hold(held.samples[:1]), [initial_log_matrix()])
                return {"weights": deserialise(update.payload).tolist()}
            started = time.perf_counter()
            _, result = fl_round(state, fleet)
            return {"seconds": result.trained.seconds, "with_evaluation": time.perf_counter() - started}

        serve(answer)


def serve_first_version(graph: bool) -> None:
    """Child: what one would write first, default threads."""
    from first_version import FirstVersion

    assignment, (samples,) = federation(1, "in-hoc", IG)
    first = FirstVersion(assignment, samples, first_state(assignment).weights, graph)

    def answer(scheme: str, epochs: int) -> Answer:
        seconds, weights = first.run(scheme, epochs)
        return {"seconds": seconds, "weights": weights.tolist()}

    serve(answer)


def serve_peak() -> None:
    """Child: the best float32 matrix product of one thread, in FLOP/s."""
    from reproduction.results.processes import single_thread

    single_thread()
    import tensorflow as tf

    def answer(sizes: list[int]) -> Answer:
        best = 0.0
        for size in sizes:
            matrix = tf.random.stateless_normal((size, size), (0, size))
            tf.matmul(matrix, matrix).numpy()
            for _ in range(max(2, (2048 // size) ** 2)):
                started = time.perf_counter()
                tf.matmul(matrix, matrix).numpy()
                best = max(best, 2.0 * size**3 / (time.perf_counter() - started))
        return {"flops": best}

    serve(answer)


def first_round(clients: int) -> None:
    """Child: one in-hoc round from nothing, then an answer."""
    assignment, members = federation(clients, "in-hoc", IG)
    with Workers() as pool:
        fl_round(first_state(assignment), InProcessFleet(assignment, members, pool=pool))
        print(json.dumps({}), flush=True)


def start(role: str, *arguments: Any) -> Child:
    """Start a child of this file."""
    return Child([sys.executable, __file__, "--child", role, *map(str, arguments)], {"TF_CPP_MIN_LOG_LEVEL": "2"})


def time_first_round(clients: int) -> Answer:
    """Return the seconds from starting an interpreter to its first finished round, evaluation included."""
    started = time.perf_counter()
    with start("first round", clients) as child:
        child.ask()
        return {"seconds": time.perf_counter() - started}


def measure(plan: Plan, progress: Any) -> dict[str, Any]:
    """Run everything.

    Returns:
        "answers" by task, the "workers" of the large pool and the "agreement" of the variants' weights.
    """
    with ExitStack() as stack:
        eager, graph = (stack.enter_context(start(role)) for role in ("eager", "graph"))
        one, every = (stack.enter_context(start("ours", count)) for count in (1, 0))
        peak = stack.enter_context(start("peak"))
        tasks = {"peak": partial(peak.ask, sizes=plan.peak_sizes)}
        for scheme in AGREEMENT_SCHEMES:
            compared = {"clients": plan.clients, "scheme": scheme}
            tasks[f"eager {scheme}"] = partial(eager.ask, scheme=scheme, epochs=plan.eager_epochs)
            tasks[f"graph {scheme}"] = partial(graph.ask, scheme=scheme, epochs=plan.graph_epochs)
            tasks[f"one {scheme} {IG}"] = partial(one.ask, task="round", **compared)
            tasks[f"all {scheme} {IG}"] = partial(every.ask, task="round", **compared)
        for explainer in plan.explainers[1:]:
            tasks[f"all in-hoc {explainer}"] = partial(
                every.ask, task="round", clients=plan.clients, explainer=explainer
            )
        for name, task in tasks.items():
            progress(f"{name}, compilation")
            task()
        agreement = {}
        for scheme in AGREEMENT_SCHEMES:
            progress(f"agreement, {scheme}")
            ours = np.array(one.ask(task="weights", clients=plan.clients, scheme=scheme)["weights"])
            for name, child in (("eager", eager), ("graph", graph)):
                weights = np.array(child.ask(scheme=scheme, epochs=AGREEMENT_EPOCHS)["weights"])
                agreement[f"{name} {scheme}"] = float(np.abs(weights - ours).max())
        repetitions = dict.fromkeys(tasks, plan.repetitions)
        for count in plan.client_counts:
            tasks[f"all K={count}"] = partial(every.ask, task="round", clients=count)
            repetitions[f"all K={count}"] = plan.slow_repetitions
        tasks["first round"] = partial(time_first_round, plan.clients)
        repetitions["first round"] = plan.slow_repetitions
        answers = interleave(tasks, repetitions, progress)
        workers = every.ask(task="workers", clients=plan.clients)["workers"]
    return {"answers": answers, "workers": workers, "agreement": agreement}


def rows(measured: dict[str, Any], plan: Plan) -> list[dict[str, Any]]:
    """Turn the answers into lines: what, unit, spread, aim."""
    lines: list[dict[str, Any]] = []

    def add(what: str, unit: str, values: list[float], aim: str | None = None) -> None:
        lines.append({"what": what, "unit": unit, "aim": aim} | spread(values))

    answers, epochs = measured["answers"], plan.clients * PAPER.local.epochs

    def times(task: str, scale: float = 1.0) -> list[float]:
        return [entry["seconds"] * scale for entry in answers[task]]

    flops = epoch_flops(
        layer_sizes(5, PAPER.model), PAPER.samples, PAPER.local.tester_batch, PAPER.local.integration_steps
    )
    peak = [entry["flops"] for entry in answers["peak"]]
    add("one core's peak, float32 matrix product", "GFLOP/s", [value / 1e9 for value in peak])
    for scheme, label in (("in-hoc", "constrained epoch, IG"), ("post-hoc", "unconstrained epoch")):
        first, graph = times(f"eager {scheme}", 1e3), times(f"graph {scheme}", 1e3)
        one, every = times(f"one {scheme} {IG}", 1e3 / epochs), times(f"all {scheme} {IG}", 1e3 / epochs)
        aimed = scheme == "in-hoc"
        add(f"{label}: (a) eager Keras + TFCO", "ms", first)
        add(f"{label}: (b) the same in tf.function", "ms", graph)
        add(f"{label}: (c) ours, 1 worker", "ms", one)
        add(f"{label}: (d) ours, all cores", "ms", every)
        add(f"{label}: a / c", "times", ratios(first, one), ">= 60" if aimed else None)
        add(f"{label}: b / c", "times", ratios(graph, one), ">= 2.5" if aimed else None)
        add(f"{label}: c / d", "times", ratios(one, every), ">= 1.9" if aimed else None)
        work = flops["total" if aimed else "unconstrained"]
        aim = ">= 0.45 at 236 GFLOP/s, >= 0.6 at 109" if aimed else None
        share = [work / (seconds / 1e3) / best for seconds, best in zip(one, peak, strict=True)]
        add(f"{label}: (c)'s share of one core's peak", "", share, aim)
    names = {"all post-hoc " + IG: "post-hoc"} | {
        f"all in-hoc {e}": f"in-hoc {EXPLAINER_LABELS[e]}" for e in plan.explainers
    }
    for task, label in names.items():
        add(f"round of K = {plan.clients}, {label}", "s", times(task))
        add(
            f"round of K = {plan.clients}, {label}, with evaluation",
            "s",
            [entry["with_evaluation"] for entry in answers[task]],
        )
    for count in plan.client_counts:
        add(f"round of K = {count}, in-hoc IG", "s", times(f"all K={count}"))
        relative = ratios(times(f"all K={count}", 1 / count), times(f"all in-hoc {IG}", 1 / plan.clients))
        add(f"time per CL at K = {count} over that at K = {plan.clients}", "times", relative)
    add("interpreter start to first finished round", "s", times("first round"), "<= 15")
    add("peak memory of a worker", "GB", [memory for _, memory, _ in measured["workers"]], "<= 1.5")
    add(
        "compilations of training per worker, one per scheme and explainer",
        "",
        [count for _, _, count in measured["workers"]],
    )
    for name, difference in measured["agreement"].items():
        add(f"largest weight difference to ours after {AGREEMENT_EPOCHS} epochs: {name}", "", [difference])
    return lines


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("figures/benchmark.json"), help="JSON file to write")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its numbers mean nothing")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        role, *rest = arguments.child
        roles = {
            "eager": partial(serve_first_version, False),
            "graph": partial(serve_first_version, True),
            "ours": lambda count: serve_ours(int(count) or None),
            "peak": serve_peak,
            "first round": lambda clients: first_round(int(clients)),
        }
        roles[role](*rest)
        return
    from rich.console import Console
    from rich.table import Table

    console, plan = Console(), QUICK if arguments.quick else Plan()
    load, started = os.getloadavg()[0], time.perf_counter()
    with console.status("") as status:
        measured = measure(plan, status.update)
    lines = rows(measured, plan)
    payload = {
        "provenance": records.provenance(PACKAGES) | {"load_before": load, "seconds": time.perf_counter() - started},
        "plan": dataclasses.asdict(plan),
        "settings": dataclasses.asdict(PAPER.local) | {"samples": PAPER.samples, "hidden": PAPER.model.hidden},
        "flop_per_epoch": epoch_flops(
            layer_sizes(5, PAPER.model), PAPER.samples, PAPER.local.tester_batch, PAPER.local.integration_steps
        ),
        "measured": lines,
    }
    records.write_atomically(arguments.out, json.dumps(payload, indent=1, allow_nan=False).encode())
    table = Table("what", "unit", "median", "min - max", "aim", title="Speed, medians of interleaved repetitions")
    for line in lines:
        least_to_most = ends(line) if line["repetitions"] > 1 else ""
        table.add_row(line["what"], line["unit"], digits(line["median"]), least_to_most, line["aim"] or "")
    console.print(table)
    console.print(f"{payload['provenance']['seconds']:.0f} s, load before the run {load:.1f}; written {arguments.out}")


if __name__ == "__main__":
    main()
