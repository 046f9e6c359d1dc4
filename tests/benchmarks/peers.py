"""One unconstrained round of 100 clients: this project beside FedJAX and beside JAX written by hand.

    python tests/benchmarks/peers.py --jax-python PYTHON --fedjax-python PYTHON --out figures/benchmark_peers.json

The round is the same for all: the weights and data of `closed_loop`, 1000 x 5 samples, 5-26-26-26-1, leaky ReLU,
Adam, full batch, 100 epochs, FedAvg; every client returns its last iterate. The peers' advantages: their data stay
where they train (ours travel to the workers every round), they keep no mean of the iterates, and FedJAX does not
shuffle. Every peer lives in an interpreter of its own, repetitions are interleaved, compilation is not timed. Each
one's new global weights are compared with ours. FedJAX 0.0.17 calls `jax.tree_map`, which recent JAX no longer has,
so it gets a JAX of its time and the hand-written peer a recent one.

Differs from the paper: it measures no implementation.
"""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from children import Answer, Child, digits, ends, interleave, ratios, serve, spread

TOLERANCE = 2e-4
"""Largest difference of a weight that counts as the same round. float32 sums in another order differ by about 1e-6
a step, and 100 steps of Adam at rate 0.02 carry that on."""

TWO_DEVICES = "--xla_force_host_platform_device_count=2"
ONE_THREAD_EACH = "--xla_cpu_multi_thread_eigen=false"


def serve_ours(path: str, clients: int) -> None:
    """Child: this project, all cores; it writes the common data first."""
    from reproduction.results import records
    from reproduction.slicing.datasets.generator import generate_slice
    from reproduction.slicing.federation.clients import assign, clients_of
    from reproduction.slicing.federation.in_process import InProcessFleet
    from reproduction.slicing.federation.record import PACKAGES
    from reproduction.slicing.federation.server import first_state, fl_round
    from reproduction.slicing.federation.workers import Workers
    from reproduction.slicing.settings import PAPER

    local = dataclasses.replace(PAPER.local, returned_iterate="last")
    settings = dataclasses.replace(PAPER, local=local)
    data = generate_slice("eMBB", seed=0, clients=clients, samples=settings.samples, test_samples=1)
    assignment = assign(data, "post-hoc", "input_x_gradient", 0, settings)
    members = clients_of(data)[0]
    state = first_state(assignment)
    np.savez(
        path,
        features=np.stack([client.features for client in members]),
        target=np.stack([client.target for client in members]),
        weights=state.weights,
        sizes=assignment.sizes,
        slope=settings.model.leaky_slope,
        rate=local.learning_rate,
        epochs=local.epochs,
    )
    with Workers() as pool:
        fleet = InProcessFleet(assignment, members, pool=pool)

        def answer() -> Answer:
            after, result = fl_round(state, fleet)
            return {
                "seconds": result.trained.seconds,  # broadcast, local training, aggregation
                "weights": after.weights.tolist(),
                "provenance": records.provenance(PACKAGES),
            }

        serve(answer)


def serve_jax(path: str, devices: int) -> None:
    """Child: JAX by hand, `lax.map` over clients, `lax.scan` over epochs, features as rows, clients over devices."""
    import jax
    import jax.numpy as jnp
    from jax import lax
    from jax.sharding import NamedSharding, PartitionSpec

    given = np.load(path)
    sizes, slope, rate = given["sizes"].tolist(), float(given["slope"]), float(given["rate"])

    def split(weights):
        layers, start = [], 0
        for inputs, outputs in pairwise(sizes):
            stop = start + inputs * outputs
            layers.append((weights[start:stop].reshape(inputs, outputs), weights[stop : stop + outputs, None]))
            start = stop + outputs
        return layers

    def mse(weights, features, target):
        signal, layers = features, split(weights)
        for kernel, bias in layers[:-1]:
            signal = jax.nn.leaky_relu(kernel.T @ signal + bias, slope)
        kernel, bias = layers[-1]
        return jnp.mean(((kernel.T @ signal + bias)[0] - target) ** 2)

    def step(carry, number, features, target):
        weights, mean, square = carry
        gradient = jax.grad(mse)(weights, features, target)
        mean = mean + (gradient - mean) * (1 - 0.9)
        square = square + (gradient**2 - square) * (1 - 0.999)
        scale = rate * jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        return (weights - scale * mean / (jnp.sqrt(square) + 1e-7), mean, square), None

    def clients_round(weights, features, target):
        def one(data):
            zeros = jnp.zeros_like(weights)
            numbers = jnp.arange(1, int(given["epochs"]) + 1, dtype=jnp.float32)
            return lax.scan(lambda carry, n: step(carry, n, *data), (weights, zeros, zeros), numbers)[0][0]

        return lax.map(one, (features, target))

    mesh = jax.make_mesh((devices,), ("clients",))
    shared, parted = PartitionSpec(), PartitionSpec("clients")
    mapped = jax.shard_map(
        clients_round, mesh=mesh, in_specs=(shared, parted, parted), out_specs=parted, check_vma=False
    )
    run = jax.jit(lambda *arrays: mapped(*arrays).mean(0))
    data = [jax.device_put(given[name], NamedSharding(mesh, parted)) for name in ("features", "target")]

    def answer() -> Answer:
        started = time.perf_counter()
        weights = np.asarray(run(given["weights"], *data))
        return {"seconds": time.perf_counter() - started, "weights": weights.tolist(), "jax": jax.__version__}

    serve(answer)


def serve_fedjax(path: str, backend: str) -> None:
    """Child: FedJAX's own `federated_averaging`, client optimizer Adam, server optimizer SGD of rate 1."""
    import fedjax
    import jax
    import jax.numpy as jnp
    from fedjax.algorithms import fed_avg

    given = np.load(path)
    slope, start, params = float(given["slope"]), 0, []
    for inputs, outputs in pairwise(given["sizes"].tolist()):
        stop = start + inputs * outputs
        params.append((given["weights"][start:stop].reshape(inputs, outputs), given["weights"][stop : stop + outputs]))
        start = stop + outputs

    def mse(params, batch, _):
        signal = batch["x"]
        for kernel, bias in params[:-1]:
            signal = jax.nn.leaky_relu(signal @ kernel + bias, slope)
        kernel, bias = params[-1]
        return jnp.mean(((signal @ kernel + bias)[:, 0] - batch["y"]) ** 2)

    samples, rate = given["target"].shape[1], float(given["rate"])

    def moments(params):
        zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
        return jnp.zeros(()), zeros, zeros

    def adam(grads, state, params):  # optax adds epsilon after the bias correction, Keras and ours before it
        number, mean, square = state
        number = number + 1
        mean = jax.tree_util.tree_map(lambda m, g: m + (g - m) * (1 - 0.9), mean, grads)
        square = jax.tree_util.tree_map(lambda s, g: s + (g**2 - s) * (1 - 0.999), square, grads)
        scale = rate * jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        step = jax.tree_util.tree_map(lambda p, m, s: p - scale * m / (jnp.sqrt(s) + 1e-7), params, mean, square)
        return (number, mean, square), step

    optimizer = fedjax.optimizers.Optimizer(moments, adam)
    epochs = fedjax.ShuffleRepeatBatchHParams(batch_size=samples, num_epochs=int(given["epochs"]), skip_shuffle=True)
    with fedjax.for_each_client_backend(backend):
        algorithm = fed_avg.federated_averaging(jax.grad(mse), optimizer, fedjax.optimizers.sgd(1.0), epochs)
    state = algorithm.init(jax.tree_util.tree_map(jnp.asarray, params))
    clients = [
        (str(index).encode(), fedjax.ClientDataset({"x": np.ascontiguousarray(x.T), "y": y}), jax.random.PRNGKey(index))
        for index, (x, y) in enumerate(zip(given["features"], given["target"], strict=True))
    ]

    def answer() -> Answer:
        started = time.perf_counter()
        after, _ = algorithm.apply(state, clients)
        leaves = [np.asarray(leaf).ravel() for leaf in jax.tree_util.tree_leaves(after.params)]
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "weights": np.concatenate(leaves).tolist(), "jax": jax.__version__}

    serve(answer)


def measure(arguments: argparse.Namespace, progress: Any) -> dict[str, list[Answer]]:
    """Run all peers, interleaved; the first repetition of each, with its compilation, is not among the answers."""
    flags = {"XLA_FLAGS": TWO_DEVICES}
    one_thread = {"XLA_FLAGS": f"{TWO_DEVICES} {ONE_THREAD_EACH}"}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = str(Path(folder, "round.npz"))

        def start(python: str, role: str, *rest: Any, environment: dict[str, str] | None = None) -> Child:
            command = [python, __file__, "--child", role, path, *map(str, rest)]
            return stack.enter_context(Child(command, {"TF_CPP_MIN_LOG_LEVEL": "2"} | (environment or {})))

        tasks = {"ours, all cores": start(arguments.ours_python, "ours", arguments.clients).ask}
        progress("ours, compilation")
        tasks["ours, all cores"]()  # writes the data that the others read
        jax, fedjax = arguments.jax_python, arguments.fedjax_python
        tasks |= {
            "JAX by hand, 1 device": start(jax, "jax", 1).ask,
            "JAX by hand, 2 devices": start(jax, "jax", 2, environment=flags).ask,
            "JAX by hand, 2 devices, 1 thread each": start(jax, "jax", 2, environment=one_thread).ask,
            "FedJAX, jit": start(fedjax, "fedjax", "jit").ask,
            "FedJAX, pmap on 2 devices": start(fedjax, "fedjax", "pmap", environment=flags).ask,
        }
        for name, task in tasks.items():
            progress(f"{name}, compilation")
            task()
        return interleave(tasks, dict.fromkeys(tasks, arguments.repetitions), progress)


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours-python", default=sys.executable, help="interpreter with this project")
    parser.add_argument("--jax-python", default=sys.executable, help="interpreter with requirements-peers.txt")
    parser.add_argument(
        "--fedjax-python", default=sys.executable, help="interpreter with requirements-peers-fedjax.txt"
    )
    parser.add_argument("--out", type=Path, default=Path("figures/benchmark_peers.json"), help="JSON file to write")
    parser.add_argument("--repetitions", type=int, default=7, help="timed rounds per peer")
    parser.add_argument("--clients", type=int, default=100, help="K; even, for two devices")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        role, path, *rest = arguments.child
        roles = {
            "ours": lambda clients: serve_ours(path, int(clients)),
            "jax": lambda devices: serve_jax(path, int(devices)),
            "fedjax": partial(serve_fedjax, path),
        }
        roles[role](*rest)
        return
    from rich.console import Console
    from rich.table import Table

    from reproduction.results.records import write_atomically

    console, load = Console(), os.getloadavg()[0]
    with console.status("") as status:
        answers = measure(arguments, status.update)
    ours = answers["ours, all cores"]
    seconds = {name: [entry["seconds"] for entry in entries] for name, entries in answers.items()}
    lines = []
    for name, entries in answers.items():
        difference = np.abs(np.subtract(entries[-1]["weights"], ours[-1]["weights"])).max()
        lines.append(
            {
                "what": name,
                "seconds": spread(seconds[name]),
                "over_ours": spread(ratios(seconds[name], seconds["ours, all cores"])),
                "largest_weight_difference": float(difference),
                "same_round": bool(difference <= TOLERANCE),
                "jax": entries[-1].get("jax"),
            }
        )
    payload = {
        "provenance": ours[-1]["provenance"] | {"load_before": load},
        "clients": arguments.clients,
        "tolerance": TOLERANCE,
        "peers": lines,
    }
    write_atomically(arguments.out, json.dumps(payload, indent=1, allow_nan=False).encode())
    title = f"One unconstrained round, K = {arguments.clients}, medians of interleaved repetitions"
    table = Table("who", "s", "min - max", "over ours", "min - max", "weights differ by", title=title)
    for line in lines:
        cells = []
        for part in (line["seconds"], line["over_ours"]):
            cells += [digits(part["median"]), ends(part)]
        verdict = "" if line["same_round"] else " NOT THE SAME ROUND"
        table.add_row(line["what"], *cells, f"{line['largest_weight_difference']:.1e}{verdict}")
    console.print(table)
    console.print(f"load before the run {load:.1f}; written {arguments.out}")


if __name__ == "__main__":
    main()
