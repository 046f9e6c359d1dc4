"""Write captum_arrays.json: attributions of fixed nets over images and several inputs by captum (PyTorch).

As make_captum_golden.py, in the environment that it names::

    /tmp/captum/bin/python tests/golden/make_captum_arrays_golden.py

Everything is drawn by NumPy, stored beside the values and computed in float64. Arrays are stored as Keras has them:
images [n, height, width, channels], kernels [height, width, in, out]. Left out is what captum does differently:
DeepLIFT of max pooling (it has a rule of its own), LRP where branches are added (it does not split relevance there).
"""

import json
from pathlib import Path

import captum
import captum.attr as attr
import numpy as np
import torch
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn

SAMPLES, STEPS, EPSILON = 3, 5, 0.01
FOR_TORCH = (0, 3, 1, 2)  # the axes of an image
FOR_KERAS = (0, 2, 3, 1)


class Flat(nn.Module):
    """Flattens as Keras does, the channels last."""

    def forward(self, image):
        return image.permute(FOR_KERAS).reshape(len(image), -1)


class Draw:
    """Draws weights, keeps them in Keras's order and form, and puts them into PyTorch's layers."""

    def __init__(self, generator):
        self.generator = generator
        self.weights = []

    def normal(self, *shape, scale=0.5):
        array = self.generator.normal(0.0, scale, shape).astype(np.float32)
        self.weights.append(array)
        return torch.tensor(array, dtype=torch.float64)

    def conv(self, size, inputs, outputs, **options):
        layer = nn.Conv2d(inputs, outputs, size, dtype=torch.float64, **options)
        layer.weight.data = self.normal(size, size, inputs, outputs).permute(3, 2, 0, 1)
        layer.bias.data = self.normal(outputs)
        return layer

    def depthwise(self, size, channels, **options):
        layer = nn.Conv2d(channels, channels, size, groups=channels, dtype=torch.float64, **options)
        layer.weight.data = self.normal(size, size, channels, 1).permute(2, 3, 0, 1)
        layer.bias.data = self.normal(channels)
        return layer

    def transposed(self, size, inputs, outputs, **options):
        layer = nn.ConvTranspose2d(inputs, outputs, size, dtype=torch.float64, **options)
        layer.weight.data = self.normal(size, size, outputs, inputs).permute(3, 2, 0, 1)
        layer.bias.data = self.normal(outputs)
        return layer

    def batch_norm(self, channels):
        layer = nn.BatchNorm2d(channels, eps=1e-3, dtype=torch.float64)
        layer.weight.data, layer.bias.data, layer.running_mean.data = (self.normal(channels) for _ in range(3))
        layer.running_var.data = self.normal(channels, scale=0.1).add_(1.0)
        self.weights[-1] = layer.running_var.numpy().astype(np.float32)
        layer.running_var.data = torch.tensor(self.weights[-1], dtype=torch.float64)
        return layer

    def dense(self, inputs, outputs):
        layer = nn.Linear(inputs, outputs, dtype=torch.float64)
        layer.weight.data = self.normal(inputs, outputs).T
        layer.bias.data = self.normal(outputs)
        return layer


def convolutional(draw, pooling):
    """[6, 6, 2]: a convolution, pooling, a convolution, dense; three outputs."""
    first = draw.conv(3, 2, 3, padding="same")
    second = draw.conv(2, 3, 4)
    return nn.Sequential(first, nn.ReLU(), pooling, second, nn.Tanh(), Flat(), draw.dense(16, 3))


class Residual(nn.Module):
    """[6, 6, 2]: relu(x + conv(relu(norm(conv(x))))), a strided depthwise and a transposed convolution, their mean."""

    def __init__(self, draw):
        super().__init__()
        self.first, self.norm, self.second = draw.conv(3, 2, 4, padding="same"), draw.batch_norm(4), draw.conv(1, 4, 2)
        self.depthwise, self.transposed = draw.depthwise(2, 2, stride=2), draw.transposed(2, 2, 3, stride=2)
        self.last = draw.dense(3, 2)
        self.bends = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Softplus(), nn.ELU()])

    def forward(self, image):
        inner = self.second(self.bends[0](self.norm(self.first(image))))
        outer = self.bends[2](self.depthwise(self.bends[1](image + inner)))
        return self.last(self.bends[3](self.transposed(outer)).mean(dim=(2, 3)))


class TwoInputs(nn.Module):
    """[4, 4, 2] and [3]: a convolution of one, a dense layer of the other, joined."""

    def __init__(self, draw):
        super().__init__()
        self.image = nn.Sequential(draw.conv(2, 2, 2, stride=2), nn.ReLU(), Flat())
        self.row = nn.Sequential(draw.dense(3, 4), nn.Tanh())
        self.both = nn.Sequential(draw.dense(12, 5), nn.Tanh(), draw.dense(5, 1))

    def forward(self, image, row):
        return self.both(torch.cat([self.image(image), self.row(row)], dim=1))


IMAGE = (6, 6, 2)
NETWORKS = {  # how it is built, the inputs' shapes, the output, whether captum's DeepLIFT and LRP are ours
    "average pooling": (lambda draw: convolutional(draw, nn.AvgPool2d(2)), [IMAGE], 2, True, True),
    "max pooling": (lambda draw: convolutional(draw, nn.MaxPool2d(2)), [IMAGE], 1, False, True),
    "residual": (Residual, [IMAGE], 1, True, False),
    "two inputs": (TwoInputs, [(4, 4, 2), (3,)], 0, True, True),
}


def to_torch(array):
    array = np.ascontiguousarray(array.transpose(FOR_TORCH) if array.ndim == 4 else array)
    return torch.tensor(array, dtype=torch.float64)


def to_keras(tensor):
    array = tensor.detach().numpy()
    return (array.transpose(FOR_KERAS) if array.ndim == 4 else array).tolist()


def blocks(shapes):
    """Return the players: of an image its quarters, of a row its features; numbered through."""
    masks, first = [], 0
    for shape in shapes:
        if len(shape) == 1:
            mask = np.arange(shape[0])
        else:
            rows, columns = (np.arange(size) * 2 // size for size in shape[:2])
            mask = np.broadcast_to((2 * rows[:, None] + columns)[:, :, None], shape)
        masks.append(mask + first)
        first = masks[-1].max() + 1
    return masks


def relevance(model, inputs, target):
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.rule = EpsilonRule(epsilon=EPSILON)
        elif isinstance(module, (nn.AvgPool2d, nn.MaxPool2d, Flat)):
            module.rule = EpsilonRule(epsilon=1e-30)  # they are passed exactly
    return attr.LRP(model).attribute(inputs, target=target)


def attributions(model, inputs, baselines, target, masks, deeplift, lrp):
    shapes = [tuple(one.shape[1:]) for one in inputs]
    zeros = tuple(torch.zeros_like(one) for one in inputs)
    result = {
        "saliency": attr.Saliency(model).attribute(inputs, target=target),
        "input_x_gradient": attr.InputXGradient(model).attribute(inputs, target=target),
        "integrated_gradients": attr.IntegratedGradients(model).attribute(
            inputs, baselines, target=target, n_steps=STEPS, method="riemann_middle"
        ),
        "shapley_exact": attr.ShapleyValues(model).attribute(
            inputs, baselines, target=target, feature_mask=tuple(to_torch(mask[None]).long() for mask in masks)
        ),
    }
    if len(shapes) == 1:
        channels = shapes[0][0]
        result["occlusion"] = attr.Occlusion(model).attribute(
            inputs, ((channels, 3, 3),), strides=((channels, 1, 1),), baselines=zeros, target=target
        )
    if deeplift:
        result["deeplift"] = attr.DeepLift(model).attribute(inputs, baselines, target=target)
    if lrp:
        result["epsilon_lrp"] = relevance(model, inputs, target)
    return {method: [to_keras(one) for one in values] for method, values in result.items()}


def main():
    generator = np.random.default_rng(20261125)
    networks = {}
    for label, (build, shapes, target, deeplift, lrp) in NETWORKS.items():
        draw = Draw(generator)
        model = build(draw).eval()
        inputs, baselines = (
            [generator.normal(size=(SAMPLES, *shape)).astype(np.float32) for shape in shapes] for _ in range(2)
        )
        tensors, at_baseline = (tuple(to_torch(one) for one in arrays) for arrays in (inputs, baselines))
        masks = blocks(shapes)
        networks[label] = {
            "weights": [array.tolist() for array in draw.weights],
            "inputs": [array.tolist() for array in inputs],
            "baselines": [array.tolist() for array in baselines],
            "players": [mask.tolist() for mask in masks],
            "target": target,
            "outputs": model(*tensors)[:, target].tolist(),
            "attributions": attributions(model, tensors, at_baseline, target, masks, deeplift, lrp),
        }
    golden = {
        "written_by": "tests/golden/make_captum_arrays_golden.py",
        "captum": captum.__version__,
        "torch": torch.__version__,
        "steps": STEPS,
        "epsilon": EPSILON,
        "networks": networks,
    }
    path = Path(__file__).with_name("captum_arrays.json")
    path.write_text(json.dumps(golden, separators=(",", ":")).replace('{"weights"', '\n{"weights"') + "\n")


if __name__ == "__main__":
    main()
