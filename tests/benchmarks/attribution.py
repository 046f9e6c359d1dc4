"""Attributions of 1000 samples: this project beside captum (PyTorch) and beside shap, on a small and on a conv net.

    python tests/benchmarks/attribution.py --captum-python PYTHON --out figures/benchmark_attribution.json

The nets are the same for all, weights and samples drawn by NumPy: 5-26-26-1 with ReLU, and [28, 28, 1] - 8 convolutions
3x3 - mean of 2x2 - 16 convolutions 3x3 - 10 with ReLU. The baseline is zero. Ours and shap choose their batches; captum
leaves them to its caller, and is given those that it is fastest with. It runs once in float32, PyTorch's default, and
once in float64, in which ours walks. Every one lives in an interpreter of its own, repetitions are interleaved, the
first is not timed but for what takes tens of seconds. All attributions are compared with ours; shap's GradientExplainer
draws where on the path it looks, so it is only near to integrated gradients.

Differs from the paper: it measures no implementation.
"""

import argparse
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

SAMPLES, STEPS, EPSILON, TARGET = 1000, 50, 1e-4, 3
NETS = ("small", "conv")
TASKS = {
    "integrated_gradients": ("ours", "captum float32", "captum float64", "shap GradientExplainer"),
    "epsilon_lrp": ("ours", "captum float32", "captum float64"),
    "deeplift": ("ours", "captum float32", "captum float64", "shap DeepExplainer"),
}
SLOW = {("conv", "shap GradientExplainer"), ("conv", "shap DeepExplainer")}
"""What takes tens of seconds, and is repeated less often."""


def draw(folder: str) -> None:
    """Write the weights, in Keras's order and form, and the samples of both nets."""
    generator = np.random.default_rng(0)
    shapes = {
        "small": ((5,), [(5, 26), (26,), (26, 26), (26,), (26, 1), (1,)]),
        "conv": ((28, 28, 1), [(3, 3, 1, 8), (8,), (3, 3, 8, 16), (16,), (1936, 10), (10,)]),
    }
    for net, (sample, weights) in shapes.items():
        scale = [1.0 / np.sqrt(max(1, np.prod(shape[:-1]))) for shape in weights]
        arrays = {
            f"w{i}": generator.normal(0.0, s, shape) for i, (s, shape) in enumerate(zip(scale, weights, strict=True))
        }
        arrays["samples"] = generator.normal(size=(SAMPLES, *sample))
        np.savez(Path(folder, f"{net}.npz"), **{name: array.astype(np.float32) for name, array in arrays.items()})


def drawn(folder: str, net: str) -> tuple[list[np.ndarray], np.ndarray, int]:
    """Return the weights, the samples and the output to explain of a net."""
    with np.load(Path(folder, f"{net}.npz")) as given:
        weights = [given[f"w{i}"] for i in range(len(given.files) - 1)]
        return weights, given["samples"], TARGET if net == "conv" else 0


def keras_model(net: str, weights: list[np.ndarray]) -> Any:
    """Return the Keras model of a net."""
    import keras
    from keras import layers

    stack = {
        "small": [layers.Dense(26, "relu"), layers.Dense(26, "relu"), layers.Dense(1)],
        "conv": [
            layers.Conv2D(8, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ],
    }[net]
    model = keras.Sequential([keras.Input((5,) if net == "small" else (28, 28, 1)), *stack])
    model.set_weights(weights)
    return model


def timed(call: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    found = call()
    return time.perf_counter() - started, found


def serve_ours(folder: str) -> None:
    """Child: this project."""
    from reproduction.attribution import explain
    from reproduction.results import records

    given = {net: drawn(folder, net) for net in NETS}
    models = {net: keras_model(net, weights) for net, (weights, _, _) in given.items()}
    options: dict[str, dict[str, Any]] = {"integrated_gradients": {"steps": STEPS}, "epsilon_lrp": {"epsilon": EPSILON}}

    def answer(net: str, method: str, path: str) -> Answer:
        _, samples, target = given[net]
        chosen = options.get(method, {})
        seconds, found = timed(lambda: explain(models[net], samples, method=method, target=target, **chosen))
        np.save(path, found)
        packages = ("tensorflow", "keras", "shap", "numpy")
        return {"seconds": seconds, "provenance": records.provenance(packages)}

    serve(answer)


def serve_shap(folder: str) -> None:
    """Child: shap, on the same Keras models."""
    import shap

    given = {net: drawn(folder, net) for net in NETS}
    models = {net: keras_model(net, weights) for net, (weights, _, _) in given.items()}

    def answer(net: str, method: str, path: str) -> Answer:
        _, samples, target = given[net]
        background = np.zeros_like(samples[:1])

        def call() -> np.ndarray:
            if method == "deeplift":
                return shap.DeepExplainer(models[net], background).shap_values(samples, check_additivity=False)
            return shap.GradientExplainer(models[net], background).shap_values(samples, nsamples=STEPS, rseed=0)

        seconds, found = timed(call)
        np.save(path, found[..., target])
        return {"seconds": seconds, "version": shap.__version__}

    serve(answer)


def serve_captum(folder: str, precision: str) -> None:
    """Child: captum, its PyTorch on all cores."""
    import captum
    import torch
    from captum import attr
    from captum.attr._utils.lrp_rules import EpsilonRule
    from torch import nn

    kind = getattr(torch, precision)

    class Flat(nn.Module):
        """Flattens as Keras does, the channels last."""

        def forward(self, image):
            return image.permute(0, 2, 3, 1).reshape(len(image), -1)

    def built(net: str, weights: list[np.ndarray]) -> nn.Module:
        if net == "small":
            modules = [nn.Linear(5, 26), nn.ReLU(), nn.Linear(26, 26), nn.ReLU(), nn.Linear(26, 1)]
        else:
            modules = [nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), Flat()]
            modules.append(nn.Linear(1936, 10))
        arrays = iter(weights)
        for module in modules:
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                kernel, bias = next(arrays), next(arrays)
                module.weight.data = torch.tensor(kernel.T if kernel.ndim == 2 else kernel.transpose(3, 2, 0, 1))
                module.bias.data = torch.tensor(bias)
        return nn.Sequential(*modules).to(kind).eval()

    given = {net: drawn(folder, net) for net in NETS}
    models = {net: built(net, weights) for net, (weights, _, _) in given.items()}
    inputs = {
        net: torch.tensor(samples if net == "small" else samples.transpose(0, 3, 1, 2).copy(), dtype=kind)
        for net, (_, samples, _) in given.items()
    }

    def relevance(model: nn.Module, samples: Any, target: int) -> Any:
        for module in model:  # captum takes them off again
            if not isinstance(module, nn.ReLU):
                module.rule = EpsilonRule(epsilon=EPSILON if isinstance(module, (nn.Linear, nn.Conv2d)) else 1e-30)
        return attr.LRP(model).attribute(samples, target=target)

    def in_batches(size: int, samples: Any, attribute: Any) -> Any:
        return torch.cat([attribute(part).detach() for part in samples.split(size)])

    def call(net: str, method: str, size: int) -> Any:
        """Attribute in batches of `size`; of integrated gradients, of so many nodes."""
        model, samples, target = models[net], inputs[net], given[net][2]
        if method == "integrated_gradients":
            return attr.IntegratedGradients(model).attribute(
                samples,
                torch.zeros_like(samples),
                target=target,
                n_steps=STEPS,
                method="riemann_middle",
                internal_batch_size=size,
            )
        if method == "epsilon_lrp":
            return in_batches(size, samples, lambda part: relevance(model, part, target))
        deeplift = attr.DeepLift(model)
        return in_batches(size, samples, lambda part: deeplift.attribute(part, torch.zeros_like(part), target=target))

    sizes: dict[tuple[str, str], int] = {}

    def fastest(net: str, method: str) -> int:
        """Return the batch size that captum is fastest with, of two calls each."""
        several = (1000, 10_000, 50_000) if method == "integrated_gradients" else (100, 250, 1000)
        taken = {size: min(timed(lambda size=size: call(net, method, size))[0] for _ in range(2)) for size in several}
        return min(taken, key=taken.get)

    def answer(net: str, method: str, path: str) -> Answer:
        if (net, method) not in sizes:
            sizes[net, method] = fastest(net, method)
        size = sizes[net, method]
        seconds, found = timed(lambda: call(net, method, size))
        model, samples, target = models[net], inputs[net], given[net][2]
        found = found.detach()
        if method == "epsilon_lrp":  # captum also stabilises the output, f / (f + epsilon sign f)
            output = model(samples)[:, target].detach().reshape(-1, *(1,) * (found.ndim - 1))
            found = found * (output + torch.copysign(torch.full_like(output, EPSILON), output)) / output
        np.save(path, found.numpy() if net == "small" else found.numpy().transpose(0, 2, 3, 1))
        version = f"{captum.__version__}, PyTorch {torch.__version__}"
        return {"seconds": seconds, "version": version, "batch_size": size}

    serve(answer)


def measure(arguments: argparse.Namespace, progress: Any) -> list[dict[str, Any]]:
    """Run everything, interleaved; the first repetition of each is not among the answers."""
    lines = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        draw(folder)

        def start(python: str, role: str, *rest: str) -> Child:
            command = [python, __file__, "--child", role, folder, *rest]
            return stack.enter_context(Child(command, {"TF_CPP_MIN_LOG_LEVEL": "2"}))

        captum = arguments.captum_python
        children = {
            "ours": start(arguments.ours_python, "ours"),
            "captum float32": start(captum, "captum", "float32"),
            "captum float64": start(captum, "captum", "float64"),
            "shap": start(arguments.ours_python, "shap"),
        }
        for net, (method, names) in product(NETS, TASKS.items()):
            paths = {name: str(Path(folder, f"{name}.npy")) for name in names}
            tasks = {
                name: partial(
                    children["shap" if name.startswith("shap") else name].ask, net=net, method=method, path=path
                )
                for name, path in paths.items()
            }
            shown = partial("{0}, {1}: {2}".format, net, method)
            quick = [name for name in names if (net, name) not in SLOW]
            repetitions = dict.fromkeys(names, arguments.slow_repetitions) | dict.fromkeys(quick, arguments.repetitions)
            for name in quick:
                progress(shown(f"{name}, first time"))
                tasks[name]()
            answers = interleave(tasks, repetitions, lambda what, shown=shown: progress(shown(what)))
            seconds = {name: [one["seconds"] for one in several] for name, several in answers.items()}
            ours = np.load(paths["ours"])
            for name in names:
                difference = np.abs(np.load(paths[name]).reshape(ours.shape) - ours).max()
                lines.append(
                    {
                        "net": net,
                        "method": method,
                        "who": name,
                        "seconds": spread(seconds[name]),
                        "over_ours": spread(ratios(seconds[name], seconds["ours"])),
                        "largest_difference": float(difference / np.abs(ours).max()),
                        "version": answers[name][-1].get("version"),
                        "batch_size": answers[name][-1].get("batch_size"),
                        "provenance": answers[name][-1].get("provenance"),
                    }
                )
    return lines


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours-python", default=sys.executable, help="interpreter with this project")
    parser.add_argument(
        "--captum-python", default=sys.executable, help="interpreter with requirements-peers-captum.txt"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("figures/benchmark_attribution.json"), help="JSON file to write"
    )
    parser.add_argument("--repetitions", type=int, default=9, help="timed calls of each")
    parser.add_argument("--slow-repetitions", type=int, default=2, help="of what takes tens of seconds")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        role, folder, *rest = arguments.child
        {"ours": serve_ours, "captum": serve_captum, "shap": serve_shap}[role](folder, *rest)
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
    payload = {
        "provenance": provenance | {"load_before": load},
        "settings": {"samples": SAMPLES, "steps": STEPS, "epsilon": EPSILON},
        "measured": lines,
    }
    write_atomically(arguments.out, json.dumps(payload, indent=1, allow_nan=False).encode())
    title = f"Attributions of {SAMPLES} samples, medians of interleaved repetitions"
    table = Table("net", "method", "who", "ms", "min - max", "over ours", "min - max", "differs by", title=title)
    for line in lines:
        cells = []
        for part, unit in ((line["seconds"], 1e3), (line["over_ours"], 1.0)):
            cells += [digits(unit * part["median"]), ends(part, unit)]
        table.add_row(line["net"], line["method"], line["who"], *cells, f"{line['largest_difference']:.1e}")
    console.print(table)
    console.print(f"load before the run {load:.1f}; written {arguments.out}")


if __name__ == "__main__":
    main()
