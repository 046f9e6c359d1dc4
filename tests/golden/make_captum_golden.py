"""Write captum_attributions.json: attributions of fixed networks by captum (PyTorch), an independent implementation.

PyTorch is no dependency of this project, so the script runs in an environment of its own::

    python -m venv /tmp/captum
    /tmp/captum/bin/pip install torch==2.13.0 captum==0.9.0
    /tmp/captum/bin/python tests/golden/make_captum_golden.py

The networks' weights, the inputs and the baselines are drawn here by NumPy and stored in the file beside the
values, so the test needs neither this script nor PyTorch. Everything is computed in float64.
"""

import itertools
import json
from pathlib import Path

import captum
import captum.attr as attr
import numpy as np
import torch
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn

FEATURES, SAMPLES, STEPS, EPSILON = 5, 4, 6, 0.01

NETWORKS = {  # activation, its parameter, bias, outputs
    "relu": ("relu", None, True, 1),
    "relu without bias": ("relu", None, False, 1),
    "leaky_relu": ("leaky_relu", 0.2, True, 1),
    "elu": ("elu", 1.0, True, 1),
    "tanh": ("tanh", None, True, 3),
    "sigmoid": ("sigmoid", None, True, 1),
    "softplus": ("softplus", None, True, 1),
}
LRP_KNOWS = {"relu", "tanh"}  # captum's LRP refuses the other activations


def activation(name, parameter):
    modules = {
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(parameter),
        "elu": lambda: nn.ELU(parameter),
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "softplus": nn.Softplus,
    }
    return modules[name]()


def torch_model(layers):
    modules = []
    for kind, *rest in layers:
        if kind == "activation":
            modules.append(activation(*rest))
            continue
        kernel, bias = rest
        linear = nn.Linear(*kernel.shape, bias=bias is not None, dtype=torch.float64)
        linear.weight.data = torch.tensor(kernel.T, dtype=torch.float64)
        if bias is not None:
            linear.bias.data = torch.tensor(bias, dtype=torch.float64)
        modules.append(linear)
    return nn.Sequential(*modules)


def draw(generator, name, parameter, bias, outputs):
    """Draw the layers in the form that tests/oracles/attribution_network.py documents, rounded to float32."""
    layers = []
    widths = (FEATURES, 6, 4, outputs)
    for rows, columns in itertools.pairwise(widths):
        kernel = generator.normal(0.0, 1.0 / np.sqrt(rows), (rows, columns)).astype(np.float32)
        layers.append(("dense", kernel, generator.normal(0.0, 0.3, columns).astype(np.float32) if bias else None))
        layers.append(("activation", name, parameter))
    return layers[:-1]


def attributions(name, model, inputs, baselines, target):
    zeros = torch.zeros_like(inputs)
    result = {
        "saliency": attr.Saliency(model).attribute(inputs, target=target),
        "input_x_gradient": attr.InputXGradient(model).attribute(inputs, target=target),
        "deeplift": attr.DeepLift(model).attribute(inputs, baselines, target=target),
        "shapley_exact": attr.ShapleyValues(model).attribute(inputs, baselines, target=target),
    }
    for quadrature, theirs in {
        "midpoint": "riemann_middle",
        "right": "riemann_right",
        "gauss_legendre": "gausslegendre",
    }.items():
        result[f"integrated_gradients {quadrature}"] = attr.IntegratedGradients(model).attribute(
            inputs, baselines, target=target, n_steps=STEPS, method=theirs
        )
    occlusion = attr.Occlusion(model)
    for window in (1, 5):
        result[f"occlusion {window}"] = occlusion.attribute(inputs, (window,), baselines=zeros, target=target)
    if name in LRP_KNOWS:
        for module in model:
            if isinstance(module, nn.Linear):
                module.rule = EpsilonRule(epsilon=EPSILON)
        result["epsilon_lrp"] = attr.LRP(model).attribute(inputs, target=target)
    return {method: value.detach().numpy().tolist() for method, value in result.items()}


def main():
    generator = np.random.default_rng(20240612)
    networks = {}
    for label, (name, parameter, bias, outputs) in NETWORKS.items():
        layers = draw(generator, name, parameter, bias, outputs)
        inputs, baselines = generator.normal(size=(2, SAMPLES, FEATURES)).astype(np.float32)
        target = outputs - 1
        model = torch_model(layers)
        tensors = [torch.tensor(array, dtype=torch.float64) for array in (inputs, baselines)]
        networks[label] = {
            "layers": [[x.tolist() if isinstance(x, np.ndarray) else x for x in layer] for layer in layers],
            "inputs": inputs.tolist(),
            "baselines": baselines.tolist(),
            "target": target,
            "outputs": model(tensors[0])[:, target].tolist(),
            "attributions": attributions(name, model, *tensors, target),
        }
    golden = {
        "written_by": "tests/golden/make_captum_golden.py",
        "captum": captum.__version__,
        "torch": torch.__version__,
        "steps": STEPS,
        "epsilon": EPSILON,
        "networks": networks,
    }
    path = Path(__file__).with_name("captum_attributions.json")
    path.write_text(json.dumps(golden, indent=None, separators=(",", ":")).replace('{"layers"', '\n{"layers"') + "\n")


if __name__ == "__main__":
    main()
