"""The functions that users call: check the arguments once, cut the samples into batches, hand them to the method.

Equations of the paper: the weighted attribution of Eq. (2) is `weighted_attributions`.

Differs from the paper: at input = baseline the quotient of Eq. (2) does not exist; see `weighted_attributions`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reproduction.attribution import arguments
from reproduction.attribution.chain import ChainMethod, count_outputs, one_hot, states_by_name
from reproduction.attribution.deeplift import DeepLift
from reproduction.attribution.gradients import InputTimesGradient, IntegratedGradients, Saliency
from reproduction.attribution.layers import read_layers
from reproduction.attribution.lrp import EpsilonLrp
from reproduction.attribution.method import Method
from reproduction.attribution.occlusion import Occlusion
from reproduction.attribution.request import checked
from reproduction.attribution.scalar_function import ScalarFunction
from reproduction.attribution.shapley import ExactShapley, ShapleySampling

LAYER_METHODS: Mapping[str, type[ChainMethod]] = MappingProxyType({"epsilon_lrp": EpsilonLrp, "deeplift": DeepLift})

METHODS: Mapping[str, type[Method]] = MappingProxyType(
    {
        "saliency": Saliency,
        "input_x_gradient": InputTimesGradient,
        "integrated_gradients": IntegratedGradients,
        **LAYER_METHODS,
        "occlusion": Occlusion,
        "shapley_sampling": ShapleySampling,
        "shapley_exact": ExactShapley,
    }
)


def explain(
    model: Callable[..., Any],
    inputs: ArrayLike,
    *,
    method: str,
    baseline: ArrayLike | None = None,
    target: int | None = None,
    batch_size: int = 8192,
    **options: Any,
) -> np.ndarray:
    """Attribute each prediction to its input features.

    Args:
        model: a Keras model, or a function of an array float32 [n, features] that returns [n], [n, 1] or
            [n, outputs] (or a dict of one such entry) and maps each row on its own. What each method asks of it: see
            the package's table.
        inputs: real [n, features], in the units the model takes.
        method: one of `METHODS`.
        baseline: the "off" state of every feature: None for zeros, real [features], or real [n, features].
        target: the output unit to explain; may be left out if there is but one.
        batch_size: the most rows the model sees at once (a single sample of a method that needs more rows, such as
            the 2^features coalitions of exact Shapley values, still goes through in one call). It bounds memory
            and leaves the result as it is, up to the rounding of the model itself.
        **options: the method's own, see the package's table.

    Returns:
        The attributions in units of the output, float32 [n, features].

    Raises:
        ValueError: unknown method; inputs or baseline of the wrong shape, empty or not finite; target missing or
            out of range; an option outside its range; a model, layer or activation that the method cannot read; a
            model that is not differentiable where it must be, or whose output is not finite or of the wrong shape.
        TypeError: model is not callable (or no Keras model for LRP and DeepLIFT), target is no int, or an option is
            unknown to the method.
    """
    request = checked(METHODS, model, inputs, method, baseline, target, batch_size, options)
    return request.run(request.method.attributions)


def weighted_attributions(
    model: Callable[..., Any],
    inputs: ArrayLike,
    *,
    method: str,
    baseline: ArrayLike | None = None,
    target: int | None = None,
    batch_size: int = 8192,
    **options: Any,
) -> np.ndarray:
    """Eq. (2): the weighted attribution a / (input - baseline), the prediction's change per unit of the feature.

    For "integrated_gradients" this is the gradient averaged along the path and for "input_x_gradient" the gradient,
    both computed without dividing, hence also right where a feature stands at its baseline. The other methods divide,
    and give 0 where a feature stands at its baseline.

    The arguments are those of `explain`, and it raises what `explain` raises.

    Returns:
        The weighted attributions in units of the output per unit of the feature, float32 [n, features].
    """
    request = checked(METHODS, model, inputs, method, baseline, target, batch_size, options)
    return request.run(request.method.weighted_attributions)


def completeness_gap(
    model: Callable[..., Any],
    inputs: ArrayLike,
    *,
    method: str = "integrated_gradients",
    baseline: ArrayLike | None = None,
    target: int | None = None,
    batch_size: int = 8192,
    **options: Any,
) -> np.ndarray:
    """Measure how far the attributions are from adding up to the change of the prediction.

    The gap is sum_j a_j - (f(input) - f(baseline)), summed in float64. It is 0 up to rounding for DeepLIFT and both
    Shapley methods, and the error of the quadrature for integrated gradients. The other methods promise nothing of
    the kind; for them it is a diagnostic.

    The arguments are those of `explain`, and it raises what `explain` raises.

    Returns:
        The gap of each sample in units of the output, float32 [n].
    """
    request = checked(METHODS, model, inputs, method, baseline, target, batch_size, options)

    def gap(function: ScalarFunction, rows: np.ndarray, references: np.ndarray) -> np.ndarray:
        attributed = request.method.attributions(function, rows, references).sum(axis=1)
        return attributed - (function.values(rows) - function.values(references))

    return request.run(gap)


def explain_layers(
    model: Any,
    inputs: ArrayLike,
    *,
    method: str = "epsilon_lrp",
    baseline: ArrayLike | None = None,
    target: int | None = None,
    start: ArrayLike | None = None,
    batch_size: int = 8192,
    **options: Any,
) -> dict[str, np.ndarray]:
    """Attribute each prediction to its input features and to every hidden unit, in one backward pass.

    A unit is read at its layer's output: after its activation where the layer has one, before it where the activation
    is a layer of its own. Layers that do nothing at inference (Dropout) are left out.

    Args:
        model: a Keras model that is a chain of layers, see the package's table.
        inputs: real [n, features], in the units the model takes.
        method: "epsilon_lrp", whose values are relevances, or "deeplift", whose values are contributions to
            f(input) - f(baseline).
        baseline: the "off" state of every feature, for "deeplift": None for zeros, real [features], or real
            [n, features].
        target: the output unit to explain; may be left out if there is but one.
        start: in place of `target`, the weight of each output in the sum that is explained, real [outputs] or
            [n, outputs]; ones explain all outputs at once.
        batch_size: the most rows the model sees at once.
        **options: the method's own, see the package's table.

    Returns:
        Per layer, from the input to the output, float32 [n, units] in units of the output: under "input" the features,
        then under the layer's name, behind those of the models that it is nested in ("encoder/dense").

    Raises:
        ValueError: what `explain` refuses; both target and start; a start of the wrong shape or not finite; a layer
            that stands twice in the chain, or is called "input".
        TypeError: what `explain` refuses.
    """
    if target is not None and start is not None:
        raise ValueError("target and start each choose what is explained; pass one of them.")
    request = checked(LAYER_METHODS, model, inputs, method, baseline, target, batch_size, options)
    layers = read_layers(model)
    pieces = tuple(piece for layer in layers for piece in layer.pieces)
    places = states_by_name(layers)
    rows, outputs = len(request.inputs), count_outputs(pieces, request.inputs.shape[1])
    if start is None:
        weights = one_hot(request.function, rows, outputs)
    else:
        weights = arguments.checked_start(start, rows, outputs)

    parts: dict[str, list[np.ndarray]] = {name: [] for name in places}
    for batch in request.batches(weights):
        contributions = request.method.contributions(pieces, *batch)
        for name, place in places.items():
            parts[name].append(contributions[place].astype(np.float32))
    return {name: np.concatenate(part) for name, part in parts.items()}
