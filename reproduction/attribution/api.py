"""The functions that users call: check the arguments once, cut the samples into batches, hand them to the method.

Equations of the paper: the weighted attribution of Eq. (2) is `weighted_attributions`.

Differs from the paper: at input = baseline the quotient of Eq. (2) does not exist; see `weighted_attributions`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reproduction.attribution.arguments import Baseline
from reproduction.attribution.deeplift import DeepLift
from reproduction.attribution.gradients import InputTimesGradient, IntegratedGradients, Saliency
from reproduction.attribution.lrp import EpsilonLrp
from reproduction.attribution.method import Method
from reproduction.attribution.occlusion import Occlusion
from reproduction.attribution.request import checked
from reproduction.attribution.scalar_function import ScalarFunction
from reproduction.attribution.shapley import ExactShapley, ShapleySampling
from reproduction.attribution.walk import WalkMethod, states_by_name

LAYER_METHODS: Mapping[str, type[WalkMethod]] = MappingProxyType({"epsilon_lrp": EpsilonLrp, "deeplift": DeepLift})

SAMPLING_METHODS: Mapping[str, type[ShapleySampling]] = MappingProxyType({"shapley_sampling": ShapleySampling})

METHODS: Mapping[str, type[Method]] = MappingProxyType(
    {
        "saliency": Saliency,
        "input_x_gradient": InputTimesGradient,
        "integrated_gradients": IntegratedGradients,
        **LAYER_METHODS,
        "occlusion": Occlusion,
        **SAMPLING_METHODS,
        "shapley_exact": ExactShapley,
    }
)

Arrays = Any
"""An array [n, ...], or a list of them for a model with several inputs."""


def explain(
    model: Callable[..., Any],
    inputs: Arrays,
    *,
    method: str,
    baseline: Baseline = None,
    target: Any = None,
    start: ArrayLike | None = None,
    batch_size: int | None = None,
    progress: bool = False,
    **options: Any,
) -> Arrays:
    """Attribute each prediction to its input features.

    Args:
        model: a Keras model, or a function of an array float32 [n, ...] (of a list of them, if `inputs` is one) that
            returns [n] or [n, ...outputs] (or a dict of one such entry) and maps each sample on its own. What each
            method asks of it: see the package's table.
        inputs: real [n, ...] of any rank from 2, in the units the model takes; or a list of such arrays.
        method: one of `METHODS`.
        baseline: the "off" state of every feature: None for zeros, an array that broadcasts to the inputs, such as
            one sample, a list of these where `inputs` is one, or a function of the inputs that returns it.
        target: the output unit to explain: its index (a tuple, if the outputs have several axes), or a list with an
            index for each sample; may be left out if there is but one.
        start: in place of `target`, the weight of each output in the sum that is explained, real [outputs] or
            [n, outputs]; ones explain all outputs at once.
        batch_size: the most rows the model sees at once (a single sample of a method that needs more rows, such as
            the 2^features coalitions of exact Shapley values, still goes through in one call). It bounds memory
            and leaves the result as it is, up to the rounding of the model itself. None: as many as fit into 256 MB
            with all layers' outputs, 8192 at most; LRP and DeepLIFT need several times that, up to 2.5 GB.
        progress: show a bar.
        **options: the method's own, see the package's table.

    Returns:
        The attributions in units of the output, float32, of the inputs' shape: an array, or a list of them.

    Raises:
        ValueError: unknown method; inputs or baseline of the wrong shape, empty or not finite; target missing or
            out of range; an option outside its range; a model, layer or activation that the method cannot read; a
            model that is not differentiable where it must be, or whose output is not finite or of the wrong shape.
        TypeError: model is not callable (or no Keras model for LRP and DeepLIFT), target is no int, or an option is
            unknown to the method.
    """
    request = checked(METHODS, model, inputs, method, baseline, target, start, batch_size, progress, options)
    return request.as_given(request.run(request.method.attributions))


def weighted_attributions(
    model: Callable[..., Any],
    inputs: Arrays,
    *,
    method: str,
    baseline: Baseline = None,
    target: Any = None,
    start: ArrayLike | None = None,
    batch_size: int | None = None,
    progress: bool = False,
    **options: Any,
) -> Arrays:
    """Eq. (2): the weighted attribution a / (input - baseline), the prediction's change per unit of the feature.

    For "integrated_gradients" this is the gradient averaged along the path and for "input_x_gradient" the gradient,
    both computed without dividing, hence also right where a feature stands at its baseline. The other methods divide,
    and give 0 where a feature stands at its baseline.

    The arguments are those of `explain`, and it raises what `explain` raises.

    Returns:
        The weighted attributions in units of the output per unit of the feature, float32, of the inputs' shape.
    """
    request = checked(METHODS, model, inputs, method, baseline, target, start, batch_size, progress, options)
    return request.as_given(request.run(request.method.weighted_attributions))


def completeness_gap(
    model: Callable[..., Any],
    inputs: Arrays,
    *,
    method: str = "integrated_gradients",
    baseline: Baseline = None,
    target: Any = None,
    start: ArrayLike | None = None,
    batch_size: int | None = None,
    progress: bool = False,
    **options: Any,
) -> np.ndarray:
    """Measure how far the attributions are from adding up to the change of the prediction.

    The gap is sum_j a_j - (f(input) - f(baseline)), summed in float64. It is 0 up to rounding for DeepLIFT without max
    pooling and both Shapley methods, and the error of the quadrature for integrated gradients. The other methods
    promise nothing of the kind; for them it is a diagnostic.

    The arguments are those of `explain`, and it raises what `explain` raises.

    Returns:
        The gap of each sample in units of the output, float32 [n].
    """
    request = checked(METHODS, model, inputs, method, baseline, target, start, batch_size, progress, options)

    def gap(function: ScalarFunction, rows: np.ndarray, references: np.ndarray) -> np.ndarray:
        attributed = request.method.attributions(function, rows, references).sum(axis=1)
        return attributed - (function.values(rows) - function.values(references))

    return np.concatenate(request.run(gap)).astype(np.float32)


def explain_with_errors(
    model: Callable[..., Any],
    inputs: Arrays,
    *,
    method: str = "shapley_sampling",
    baseline: Baseline = None,
    target: Any = None,
    start: ArrayLike | None = None,
    batch_size: int | None = None,
    progress: bool = False,
    **options: Any,
) -> tuple[Arrays, Arrays]:
    """Attribute each prediction to its input features by a method that draws, and say how sure it is.

    The arguments are those of `explain`, and it raises what `explain` raises.

    Returns:
        The attributions, and the standard error of each over the orders drawn (over their pairs, if antithetic), both
        float32 of the inputs' shape; NaN for a single draw.
    """
    request = checked(SAMPLING_METHODS, model, inputs, method, baseline, target, start, batch_size, progress, options)
    values, errors = zip(*request.run(request.method.with_errors), strict=True)
    return request.as_given(values), request.as_given(errors)


def explain_layers(
    model: Any,
    inputs: Arrays,
    *,
    method: str = "epsilon_lrp",
    baseline: Baseline = None,
    target: Any = None,
    start: ArrayLike | None = None,
    batch_size: int | None = None,
    progress: bool = False,
    **options: Any,
) -> dict[str, Arrays]:
    """Attribute each prediction to its input features and to every hidden unit, in one backward pass.

    A unit is read at its layer's output: after its activation where the layer has one, before it where the activation
    is a layer of its own. Layers that do nothing at inference (Dropout) are left out.

    Args:
        model: a Keras model of linear layers, max pooling and activations, see the package's table.
        inputs: what `explain` takes.
        method: "epsilon_lrp", whose values are relevances, or "deeplift", whose values are contributions to
            f(input) - f(baseline).
        baseline: the "off" state of every feature, for "deeplift"; what `explain` takes.
        target: what `explain` takes.
        start: what `explain` takes.
        batch_size: the most rows the model sees at once; what `explain` takes.
        progress: show a bar.
        **options: the method's own, see the package's table.

    Returns:
        Per layer, from the input to the output, float32 of its output's shape in units of the model's output: under
        "input" the features, as `explain` returns them, then under the layer's name, behind those of the models that
        it is nested in ("encoder/dense"); each output of a layer that has several by itself ("split:0", "split:1").

    Raises:
        ValueError: what `explain` refuses; a layer that stands twice in the model, or is called "input".
        TypeError: what `explain` refuses.
    """
    request = checked(LAYER_METHODS, model, inputs, method, baseline, target, start, batch_size, progress, options)
    graph = request.function.graph
    places = states_by_name(graph)
    wanted = [*range(graph.inputs), *places.values()]

    def contributions(function: ScalarFunction, rows: np.ndarray, references: np.ndarray) -> list[np.ndarray]:
        found = request.method.contributions(function, rows, references, wanted)
        return [one.astype(np.float32) for one in found]

    parts = [np.concatenate(several) for several in zip(*request.run(contributions), strict=True)]
    features = parts[: graph.inputs]
    return {"input": features if request.function.layout.is_list else features[0]} | dict(
        zip(places, parts[graph.inputs :], strict=True)
    )
