"""Influences of training samples: this project beside a plain loop and beside captum (PyTorch).

    python tests/benchmarks/influence.py --captum-python PYTHON --out figures/benchmark_influence.json

Two nets, weights and samples drawn by NumPy: 5-26-26-1 with ReLU under the squared error, and a neural receiver's
resource grid [14, 48, 6], five pre-activation residual blocks of separable convolutions 3x3 with dilations and batch
normalisation, to 4 logits under the binary cross-entropy. Tasks: "gradients", one of every training sample; "scores",
inner products of gradients with those of `TARGETS` targets, from the samples on; "arnoldi", the same through the
inverse Hessian on a Krylov space. The plain loop is a GradientTape for each sample, as one writes it; "sum alone" is
the gradient of the sum of the losses, batch by batch and compiled, which no way to the samples' own can do without.
captum computes "scores" as TracInCP with one checkpoint, sample by sample and, where it can (no batch normalisation),
by its trick for batches; "arnoldi" as ArnoldiInfluenceFunction, which keeps directions of no curvature too, and
negative ones above -damping; ours leaves them out. Every one lives in an interpreter of its own, repetitions are
interleaved, the first is not timed: compiling is ours to wait for, once, and is reported.

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
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from children import Answer, Child, digits, ends, interleave, ratios, serve, spread

TARGETS, ITERATIONS, DAMPING = 8, 10, 0.1
SAMPLES = {"small": 1000, "receiver": 256}
GRID, LOGITS, FIRST = (14, 48, 6), 4, 16
BLOCKS = ((16, (1, 1)), (32, (2, 3)), (64, (3, 6)), (32, (2, 3)), (16, (1, 1)))
"""Width and dilations of each residual block."""

TASKS = {
    "gradients": ("ours", "plain loop", "sum alone"),
    "scores": ("ours", "plain loop", "captum", "captum in batches"),
    "arnoldi": ("ours", "captum"),
}
SLOW = {("receiver", "gradients", "plain loop"), ("receiver", "scores", "plain loop"), ("receiver", "scores", "captum")}
SLOW |= {(net, "arnoldi", "captum") for net in SAMPLES}
"""What takes tens of seconds, and is repeated less often."""

LEFT_OUT = {("receiver", "scores", "captum in batches")}
"""captum's trick knows linear layers and convolutions alone."""


def kernels() -> dict[str, dict[str, tuple[int, ...]]]:
    """Return the shapes of each net's weights, in Keras's form, by layer and name."""
    small = {f"dense{i}": shape for i, shape in enumerate([(5, 26), (26, 26), (26, 1)])}
    shapes = {"small": {name: (*shape,) for name, shape in small.items()}, "receiver": {"first": (3, 3, 6, FIRST)}}
    width = FIRST
    for block, (wider, _) in enumerate(BLOCKS):
        if wider != width:
            shapes["receiver"][f"skip{block}"] = (1, 1, width, wider)
        for half in (0, 1):
            name = f"{block}{'ab'[half]}"
            shapes["receiver"] |= {f"norm{name}": (width,), f"depth{name}": (3, 3, width, 2)}
            shapes["receiver"][f"point{name}"] = (1, 1, 2 * width, wider)
            width = wider
    shapes["receiver"]["last"] = (1, 1, width, LOGITS)
    return shapes


def draw(folder: str, share: float) -> None:
    """Write weights, samples and targets of both nets, a share of the samples."""
    generator = np.random.default_rng(0)
    for net, shapes in kernels().items():
        arrays = {}
        for name, shape in shapes.items():
            if name.startswith("norm"):
                arrays[f"{name}/gamma"] = generator.normal(1.0, 0.1, shape)
                arrays[f"{name}/beta"], arrays[f"{name}/mean"] = generator.normal(0.0, 0.1, (2, *shape))
                arrays[f"{name}/variance"] = generator.uniform(0.5, 1.5, shape)
                continue
            taken = np.prod(shape[:-1]) if not name.startswith("depth") else 9
            arrays[f"{name}/kernel"] = generator.normal(0.0, 1.0 / np.sqrt(taken), shape)
            if not name.startswith("depth"):
                arrays[f"{name}/bias"] = generator.normal(0.0, 0.1, shape[-1])
        count = max(16, int(share * SAMPLES[net])) + TARGETS
        inputs, outputs = ((5,), (1,)) if net == "small" else (GRID, (*GRID[:2], LOGITS))
        arrays["x"] = generator.normal(size=(count, *inputs))
        noise = generator.normal(size=(count, *outputs))
        arrays["y"] = noise if net == "small" else noise > 0.0
        np.savez(Path(folder, f"{net}.npz"), **{name: array.astype(np.float32) for name, array in arrays.items()})


def drawn(folder: str, net: str) -> dict[str, np.ndarray]:
    """Return what was drawn."""
    with np.load(Path(folder, f"{net}.npz")) as given:
        return dict(given)


def keras_model(net: str, given: dict[str, np.ndarray]) -> Any:
    """Return the Keras model of a net."""
    import keras
    from keras import layers

    if net == "small":
        stack = [layers.Dense(26, "relu", name="dense0"), layers.Dense(26, "relu", name="dense1")]
        model = keras.Sequential([keras.Input((5,)), *stack, layers.Dense(1, name="dense2")])
    else:
        start = keras.Input(GRID)
        values = layers.Conv2D(FIRST, 3, padding="same", name="first")(start)
        for block, (width, dilation) in enumerate(BLOCKS):
            skip = values
            if values.shape[-1] != width:
                skip = layers.Conv2D(width, 1, name=f"skip{block}")(values)
            for half in "ab":
                values = layers.BatchNormalization(epsilon=1e-3, name=f"norm{block}{half}")(values)
                values = layers.ReLU()(values)
                values = layers.SeparableConv2D(
                    width, 3, padding="same", dilation_rate=dilation, depth_multiplier=2, name=f"separable{block}{half}"
                )(values)
            values = layers.Add()([values, skip])
        model = keras.Model(start, layers.Conv2D(LOGITS, 1, name="last")(values))
    for layer in model.layers:
        name = layer.name.removeprefix("separable")
        if layer.name.startswith("separable"):
            layer.set_weights([given[f"depth{name}/kernel"], given[f"point{name}/kernel"], given[f"point{name}/bias"]])
        elif layer.name.startswith("norm"):
            layer.set_weights([given[f"{name}/{one}"] for one in ("gamma", "beta", "mean", "variance")])
        elif layer.weights:
            layer.set_weights([given[f"{name}/kernel"], given[f"{name}/bias"]])
    return model


def timed(call: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    found = call()
    return time.perf_counter() - started, found


def serve_ours(folder: str) -> None:
    """Child: this project, and the plain loop."""
    import keras
    import tensorflow as tf

    from reproduction.attribution import curvature, inverses
    from reproduction.attribution.compiled import compiled
    from reproduction.attribution.influence import Influence
    from reproduction.attribution.sample_gradients import summed_gradients
    from reproduction.results import records

    given = {net: drawn(folder, net) for net in SAMPLES}
    models = {net: keras_model(net, arrays) for net, arrays in given.items()}
    losses = {"small": "mse", "receiver": keras.losses.BinaryCrossentropy(from_logits=True)}
    kinds = {"arnoldi": {"hessian": "arnoldi", "iterations": ITERATIONS, "damping": DAMPING}}
    fitted: dict[tuple[str, str], Influence] = {}
    curvatures: dict[str, curvature.Curvature] = {}
    sums: dict[str, Any] = {}

    def split(net: str) -> tuple[np.ndarray, ...]:
        x, y = given[net]["x"], given[net]["y"]
        return x[TARGETS:], y[TARGETS:], x[:TARGETS], y[:TARGETS]

    def gradient(net: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        weights = [one.value for one in models[net].trainable_variables]
        with tf.GradientTape() as tape:
            output = models[net](x, training=False)
            if net == "small":
                loss = tf.reduce_mean(keras.losses.mean_squared_error(y, output))
            else:
                loss = tf.reduce_mean(losses[net].call(y, output))
        return np.concatenate([one.numpy().ravel() for one in tape.gradient(loss, weights)])

    def plain(net: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([gradient(net, x[i : i + 1], y[i : i + 1]) for i in range(len(x))])

    def call(net: str, task: str, who: str) -> Any:
        x, y, x_t, y_t = split(net)
        if who == "plain loop":
            rows = plain(net, x, y)
            return rows if task == "gradients" else plain(net, x_t, y_t) @ rows.T
        if task == "gradients":
            training = fitted[net, "scores"].training
            if who == "sum alone":
                return added(net)
            return training.gradients.of(training.samples)
        found = fitted[net, task]
        inverse = found.training.inverse
        if task == "arnoldi":
            start = np.random.default_rng(0).normal(size=found.training.gradients.objective.parameters)
            inverse = inverses.arnoldi(curvatures[net], DAMPING, ITERATIONS, start, progress=False)
        found._training = dataclasses.replace(
            found.training, inverse=inverse
        )  # what was compiled stays, no row is kept
        return found.scores(x_t, y_t)

    def added(net: str) -> np.ndarray:
        training = fitted[net, "scores"].training
        samples, size, total = training.samples, training.gradients.size, []
        for start in range(0, len(samples), size):
            part = samples[start : start + size]
            inputs, targets, _ = next(part.blocks(len(part)))
            total.append(sums[net](inputs, targets).numpy())
        return np.sum(total, axis=0)

    def first(net: str, task: str) -> float:
        x, y, *_ = split(net)
        kind = "arnoldi" if task == "arnoldi" else "scores"
        if (net, kind) in fitted:
            return 0.0
        started = time.perf_counter()
        fitted[net, kind] = Influence(models[net], losses[net], **kinds.get(kind, {"hessian": "identity"})).fit(x, y)
        if kind == "arnoldi":
            training = fitted[net, kind].training
            curvatures[net] = curvature.hessian(training.gradients.objective, training.samples, None)
        else:
            objective = fitted[net, kind].training.gradients.objective
            sums[net] = compiled(lambda inputs, targets: objective.joined(summed_gradients(objective, inputs, targets)))
        return time.perf_counter() - started

    def answer(net: str, task: str, who: str, path: str) -> Answer:
        compiled = first(net, task)
        seconds, found = timed(lambda: call(net, task, who))
        np.save(path, found)
        provenance = records.provenance(("tensorflow", "keras", "numpy"))
        return {"seconds": seconds, "first": compiled, "provenance": provenance}

    serve(answer)


def serve_captum(folder: str) -> None:
    """Child: captum, its PyTorch on all cores."""
    import captum
    import torch
    from captum.influence import TracInCP
    from captum.influence._core.arnoldi_influence_function import ArnoldiInfluenceFunction
    from torch import nn
    from torch.utils.data import TensorDataset

    given = {net: drawn(folder, net) for net in SAMPLES}

    def filled(module: nn.Module, kernel: np.ndarray, bias: np.ndarray | None) -> nn.Module:
        module.weight.data = torch.tensor(np.ascontiguousarray(kernel))
        if bias is not None:
            module.bias.data = torch.tensor(bias)
        return module

    def conv(net: str, name: str, **options: Any) -> nn.Module:
        kernel = given[net][f"{name}/kernel"]
        size, _, inputs, outputs = kernel.shape
        if name.startswith("depth"):  # [3, 3, channels, 2]: two outputs of each channel, side by side
            module = nn.Conv2d(inputs, 2 * inputs, size, groups=inputs, bias=False, **options)
            return filled(module, kernel.transpose(2, 3, 0, 1).reshape(2 * inputs, 1, size, size), None)
        module = nn.Conv2d(inputs, outputs, size, **options)
        return filled(module, kernel.transpose(3, 2, 0, 1), given[net][f"{name}/bias"])

    class Block(nn.Module):
        """Two times normalisation, ReLU and separable convolution, beside the input."""

        def __init__(self, block: int, width: int, dilation: tuple[int, int]) -> None:
            super().__init__()
            arrays, modules = given["receiver"], []
            self.skip = conv("receiver", f"skip{block}") if f"skip{block}/kernel" in arrays else nn.Identity()
            for half in "ab":
                name = f"{block}{half}"
                norm = nn.BatchNorm2d(len(arrays[f"norm{name}/gamma"]), eps=1e-3)
                filled(norm, arrays[f"norm{name}/gamma"], arrays[f"norm{name}/beta"])
                norm.running_mean.data = torch.tensor(arrays[f"norm{name}/mean"])
                norm.running_var.data = torch.tensor(arrays[f"norm{name}/variance"])
                depth = conv("receiver", f"depth{name}", padding=dilation, dilation=dilation)
                modules += [norm, nn.ReLU(), depth, conv("receiver", f"point{name}")]
            self.inner = nn.Sequential(*modules)

        def forward(self, values):
            return self.inner(values) + self.skip(values)

    def built(net: str) -> nn.Module:
        if net == "small":
            dense = [
                filled(nn.Linear(*kernel.shape), kernel.T, given[net][f"dense{i}/bias"])
                for i, kernel in enumerate(given[net][f"dense{i}/kernel"] for i in range(3))
            ]
            return nn.Sequential(dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2]).eval()
        blocks = [Block(block, *one) for block, one in enumerate(BLOCKS)]
        return nn.Sequential(conv(net, "first", padding=1), *blocks, conv(net, "last")).eval()

    class PerSample(nn.Module):
        """The mean over a sample's outputs, each sample's for itself or summed."""

        def __init__(self, net: str, reduction: str) -> None:
            super().__init__()
            self.net, self.reduction = net, reduction

        def forward(self, output, wanted):
            kind = nn.functional.mse_loss if self.net == "small" else nn.functional.binary_cross_entropy_with_logits
            losses = kind(output, wanted, reduction="none").flatten(1).mean(1)
            return losses.sum() if self.reduction == "sum" else losses

    models = {net: built(net) for net in SAMPLES}
    tensors = {
        net: tuple(
            torch.tensor(given[net][one] if net == "small" else given[net][one].transpose(0, 3, 1, 2).copy())
            for one in ("x", "y")
        )
        for net in SAMPLES
    }

    def call(net: str, task: str, who: str) -> Any:
        x, y = tensors[net]
        train, test = TensorDataset(x[TARGETS:], y[TARGETS:]), (x[:TARGETS], y[:TARGETS])
        in_batches = who == "captum in batches"
        loss = PerSample(net, "sum" if in_batches else "none")
        with tempfile.NamedTemporaryFile(suffix=".pt") as checkpoint:
            torch.save(models[net].state_dict(), checkpoint.name)
            if task == "arnoldi":
                options = {"arnoldi_dim": ITERATIONS, "projection_dim": ITERATIONS}
                options |= {"hessian_reg": DAMPING * len(train)}
                found = ArnoldiInfluenceFunction(
                    models[net], train, checkpoint.name, loss_fn=loss, batch_size=100, **options
                )
                return found.influence(test).detach().numpy() * len(train)
            found = TracInCP(
                models[net],
                train,
                [checkpoint.name],
                checkpoints_load_func=lambda model, path: model.load_state_dict(torch.load(path)) and 1.0,
                loss_fn=loss,
                batch_size=100,
                sample_wise_grads_per_batch=in_batches,
            )
            return found.influence(test).detach().numpy()

    def answer(net: str, task: str, who: str, path: str) -> Answer:
        seconds, found = timed(lambda: call(net, task, who))
        np.save(path, found)
        return {"seconds": seconds, "version": f"{captum.__version__}, PyTorch {torch.__version__}"}

    serve(answer)


def measure(arguments: argparse.Namespace, progress: Any) -> list[dict[str, Any]]:
    """Run everything, interleaved; the first repetition of each is not among the answers."""
    lines = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        draw(folder, arguments.share)

        def start(python: str, role: str) -> Child:
            command = [python, __file__, "--child", role, folder]
            return stack.enter_context(Child(command, {"TF_CPP_MIN_LOG_LEVEL": "2"}))

        children = {"ours": start(sys.executable, "ours"), "captum": start(arguments.captum_python, "captum")}
        for net, (task, everyone) in product(SAMPLES, TASKS.items()):
            names = [name for name in everyone if (net, task, name) not in LEFT_OUT]
            paths = {name: str(Path(folder, f"{name}.npy")) for name in names}
            tasks = {
                name: partial(
                    children["captum" if name.startswith("captum") else "ours"].ask,
                    net=net,
                    task=task,
                    who=name,
                    path=path,
                )
                for name, path in paths.items()
            }
            shown = partial("{0}, {1}: {2}".format, net, task)
            slow = [name for name in names if (net, task, name) in SLOW]
            repetitions = dict.fromkeys(names, arguments.repetitions) | dict.fromkeys(slow, arguments.slow_repetitions)
            first = {}
            for name in names:
                if name not in slow:
                    progress(shown(f"{name}, first time"))
                    first[name] = tasks[name]()
            answers = interleave(tasks, repetitions, lambda what, shown=shown: progress(shown(what)))
            seconds = {name: [one["seconds"] for one in several] for name, several in answers.items()}
            ours = np.load(paths["ours"])
            for name in names:
                expected = ours.sum(axis=0) if name == "sum alone" else ours
                difference = np.abs(np.load(paths[name]).reshape(expected.shape) - expected).max()
                lines.append(
                    {
                        "net": net,
                        "task": task,
                        "who": name,
                        "seconds": spread(seconds[name]),
                        "over_ours": spread(ratios(seconds[name], seconds["ours"])),
                        "seconds_compiling": first.get(name, {}).get("first"),
                        "largest_difference": float(difference / np.abs(expected).max()),
                        "version": answers[name][-1].get("version"),
                        "provenance": answers[name][-1].get("provenance"),
                    }
                )
    return lines


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--captum-python", default=sys.executable, help="interpreter with requirements-peers-captum.txt"
    )
    parser.add_argument("--out", type=Path, default=Path("figures/benchmark_influence.json"), help="JSON file to write")
    parser.add_argument("--repetitions", type=int, default=5, help="timed calls of each")
    parser.add_argument("--slow-repetitions", type=int, default=2, help="of what takes tens of seconds")
    parser.add_argument("--share", type=float, default=1.0, help="of the samples; a small one is a smoke run")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        role, folder = arguments.child
        {"ours": serve_ours, "captum": serve_captum}[role](folder)
        return
    from rich.console import Console
    from rich.table import Table

    from reproduction.results.records import write_atomically

    console, load = Console(), os.getloadavg()[0]
    with console.status("") as status:
        lines = measure(arguments, status.update)
    provenance = lines[0]["provenance"]
    for line in lines:
        del line["provenance"]
    settings = {"samples": SAMPLES, "share": arguments.share, "targets": TARGETS, "iterations": ITERATIONS}
    payload = {
        "provenance": provenance | {"load_before": load},
        "settings": settings | {"damping": DAMPING},
        "measured": lines,
    }
    write_atomically(arguments.out, json.dumps(payload, indent=1, allow_nan=False).encode())
    table = Table("net", "task", "who", "ms", "min - max", "over ours", "min - max", "differs by")
    for line in lines:
        cells = []
        for part, unit in ((line["seconds"], 1e3), (line["over_ours"], 1.0)):
            cells += [digits(unit * part["median"]), ends(part, unit)]
        table.add_row(line["net"], line["task"], line["who"], *cells, f"{line['largest_difference']:.1e}")
    console.print(table)
    console.print(f"load before the run {load:.1f}; written {arguments.out}")


if __name__ == "__main__":
    main()
