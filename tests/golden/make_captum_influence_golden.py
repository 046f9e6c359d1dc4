"""Write captum_influence.json: influences of fixed nets by captum (PyTorch).

As make_captum_golden.py, in the environment that it names::

    /tmp/captum/bin/python tests/golden/make_captum_influence_golden.py

Everything is drawn by NumPy, stored beside the values and computed in float64. captum's Hessian is that of the sum of
losses, ours that of their mean: its regularisation is n times our damping, and its influences are 1/n of ours. Taken is
its NaiveInfluenceFunction, which writes the Hessian out; its ArnoldiInfluenceFunction, with as many dimensions as
there are weights, differs from that by 0.6 to 99 % of the greatest influence on these nets.
"""

import json
import tempfile
from itertools import pairwise
from pathlib import Path

import captum
import numpy as np
import torch
from captum.influence import NaiveInfluenceFunction
from torch import nn
from torch.utils.data import TensorDataset

SAMPLES, TARGETS = 25, 4
NETS = {
    "softmax regression": {"widths": (4, 3), "damping": 0.05},
    "classifier": {"widths": (3, 5, 3), "damping": 1.0},
    "regression": {"widths": (3, 4, 4, 2), "damping": 3.0},
}


def drawn(widths, generator):
    """Draw a net with tanh between its layers: the module, and its weights in the order and form of Keras."""
    modules, weights = [], []
    for inputs, outputs in pairwise(widths):
        layer = nn.Linear(inputs, outputs, dtype=torch.float64)
        kernel, bias = generator.normal(0.0, 0.6, (inputs, outputs)), generator.normal(0.0, 0.3, outputs)
        layer.weight.data = torch.tensor(kernel.T.astype(np.float32), dtype=torch.float64).contiguous()
        layer.bias.data = torch.tensor(bias.astype(np.float32), dtype=torch.float64)
        weights += [kernel.astype(np.float32), bias.astype(np.float32)]
        modules += [layer, nn.Tanh()]
    return nn.Sequential(*modules[:-1]), weights


class SquaredError(nn.Module):
    """The mean over outputs, of each sample."""

    reduction = "none"

    def forward(self, outputs, targets):
        return ((outputs - targets) ** 2).mean(dim=1)


def influences(model, count, damping, train, test):
    """Return captum's influences of the training samples on the targets, [targets, samples]."""
    loss = SquaredError() if train[1].dtype.is_floating_point else nn.CrossEntropyLoss(reduction="none")
    with tempfile.NamedTemporaryFile(suffix=".pt") as checkpoint:
        torch.save(model.state_dict(), checkpoint.name)
        found = NaiveInfluenceFunction(
            model,
            TensorDataset(*train),
            checkpoint.name,
            loss_fn=loss,
            batch_size=SAMPLES,
            projection_dim=count,
            hessian_reg=damping * SAMPLES,
            hessian_inverse_tol=0.0,
        )
    return found.influence(test).detach().numpy()


def case(name):
    generator = np.random.default_rng(list(NETS).index(name))
    widths, damping = NETS[name]["widths"], NETS[name]["damping"]
    model, weights = drawn(widths, generator)
    inputs = generator.normal(size=(SAMPLES + TARGETS, widths[0])).astype(np.float32)
    x = torch.tensor(inputs, dtype=torch.float64)
    if name == "regression":
        noise = generator.normal(0.0, 0.5, (SAMPLES + TARGETS, widths[-1]))
        targets = (model(x).detach().numpy() + noise).astype(np.float32)
        y = torch.tensor(targets, dtype=torch.float64)
    else:
        targets = generator.integers(0, widths[-1], SAMPLES + TARGETS)
        y = torch.tensor(targets)
    count = sum(one.size for one in weights)
    train, test = (x[:SAMPLES], y[:SAMPLES]), (x[SAMPLES:], y[SAMPLES:])
    return {
        "widths": widths,
        "damping": damping,
        "weights": [one.tolist() for one in weights],
        "inputs": inputs.tolist(),
        "targets": targets.tolist(),
        "influences": influences(model, count, damping, train, test).tolist(),
    }


def main():
    golden = {
        "written_by": "tests/golden/make_captum_influence_golden.py",
        "captum": captum.__version__,
        "torch": torch.__version__,
        "samples": SAMPLES,
        "networks": {name: case(name) for name in NETS},
    }
    path = Path(__file__).with_name("captum_influence.json")
    path.write_text(json.dumps(golden, separators=(",", ":")).replace('"networks"', '\n"networks"') + "\n")


if __name__ == "__main__":
    main()
