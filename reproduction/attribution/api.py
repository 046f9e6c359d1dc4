"""The front door: check the arguments once, cut the samples into batches, hand them to the method.

Equations of the paper: the weighted attribution of Eq. (2) is `sensitivity`.

Differs from the paper: at input = baseline the quotient of Eq. (2) does not exist; see `sensitivity`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reproduction.attribution import arguments
from reproduction.attribution.deeplift import DeepLift
from reproduction.attribution.gradients import InputTimesGradient, IntegratedGradients, Saliency
from reproduction.attribution.lrp import EpsilonLrp
from reproduction.attribution.method import Method, require_whole_number
from reproduction.attribution.perturbation import Occlusion
from reproduction.attribution.scalar_function import ScalarFunction
from reproduction.attribution.shapley import ExactShapley, ShapleySampling

METHODS: Mapping[str, type[Method]] = MappingProxyType(
    {
        "saliency": Saliency,
        "input_x_gradient": InputTimesGradient,
        "integrated_gradients": IntegratedGradients,
        "epsilon_lrp": EpsilonLrp,
        "deeplift": DeepLift,
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
            [n, outputs] and maps each row on its own. What each method asks of it: see the package's table.
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
    request = _Request.checked(model, inputs, method, baseline, target, batch_size, options)
    return request.run(request.method.attributions).astype(np.float32)


def sensitivity(
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

    Args:
        model: see `explain`.
        inputs: see `explain`.
        method: see `explain`.
        baseline: see `explain`.
        target: see `explain`.
        batch_size: see `explain`.
        **options: see `explain`.

    Returns:
        The weighted attributions in units of the output per unit of the feature, float32 [n, features].

    Raises:
        ValueError: see `explain`.
        TypeError: see `explain`.
    """
    request = _Request.checked(model, inputs, method, baseline, target, batch_size, options)
    return request.run(request.method.sensitivities).astype(np.float32)


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

    Args:
        model: see `explain`.
        inputs: see `explain`.
        method: see `explain`.
        baseline: see `explain`.
        target: see `explain`.
        batch_size: see `explain`.
        **options: see `explain`.

    Returns:
        The gap of each sample in units of the output, float32 [n].

    Raises:
        ValueError: see `explain`.
        TypeError: see `explain`.
    """
    request = _Request.checked(model, inputs, method, baseline, target, batch_size, options)

    def gap(function: ScalarFunction, rows: np.ndarray, references: np.ndarray) -> np.ndarray:
        attributed = request.method.attributions(function, rows, references).sum(axis=1)
        return attributed - (function.values(rows) - function.values(references))

    return request.run(gap).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class _Request:
    """The arguments of one call after the checks: inputs and baseline float32 [n, features]."""

    function: ScalarFunction
    method: Method
    inputs: np.ndarray
    baseline: np.ndarray
    batch_size: int

    @classmethod
    def checked(
        cls,
        model: Any,
        inputs: ArrayLike,
        method: str,
        baseline: ArrayLike | None,
        target: Any,
        batch_size: int,
        options: Mapping[str, Any],
    ) -> "_Request":
        chosen = _method(method, options)
        require_whole_number("batch_size", batch_size, minimum=1)
        function = ScalarFunction(arguments.checked_model(model), arguments.checked_target(target))
        rows = arguments.checked_inputs(function.model, inputs)
        references = arguments.checked_baseline(method, chosen.takes_baseline, baseline, rows)
        return cls(function, chosen, rows, references, batch_size)

    def run(self, stage: Callable[[ScalarFunction, np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """Apply a stage batch by batch and join the parts, float64 [n, ...]."""
        step = max(1, self.batch_size // self.method.rows_per_input(self.inputs.shape[1]))
        parts = [
            stage(self.function, self.inputs[start : start + step], self.baseline[start : start + step])
            for start in range(0, len(self.inputs), step)
        ]
        return np.concatenate(parts)


def _method(name: str, options: Mapping[str, Any]) -> Method:
    """Build the method, refusing an unknown name (ValueError) or an unknown option (TypeError)."""
    if name not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {name!r}; pick one of them.")
    allowed = [field.name for field in dataclasses.fields(METHODS[name])]
    for option in options:
        if option not in allowed:
            raise TypeError(
                f"option '{option}' is unknown to {name}; it must be one of: {', '.join(allowed) or '(none)'}."
            )
    return METHODS[name](**options)
