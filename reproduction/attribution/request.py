"""One call after its checks: the method with its options, the function it explains, the samples cut into batches."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from reproduction.attribution import arguments
from reproduction.attribution.arguments import Baseline
from reproduction.attribution.method import Method, require_truth_value, require_whole_number
from reproduction.attribution.progress import shown
from reproduction.attribution.scalar_function import ScalarFunction, is_keras
from reproduction.attribution.units import units_of

AMethod = TypeVar("AMethod", bound=Method)

MOST_ROWS = 8192
"""Of a batch, where the caller names no `batch_size`: what small models gain nothing beyond."""

MOST_BYTES = 2**28
"""Of a batch where the caller names no `batch_size`: float64 for its rows' units, see `units`."""

COMPILED_FROM = 2**25
"""How many units a call computes if its gradients are compiled first, so that the 50 ms that this takes are saved."""

COMPILED_BYTES = 2**25
"""In place of `MOST_BYTES` for what is compiled: a call costs next to nothing then, and less memory is faster."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(Generic[AMethod]):
    """The arguments of one call.

    Attributes:
        function: what is explained; its `start`, if any, has a row per sample.
        method: how.
        inputs: float32 [n, features].
        baseline: of every sample, float32 [n, features].
        batch_size: the most rows that the model sees at once.
        progress: whether a bar shows how far it is.
    """

    function: ScalarFunction
    method: AMethod
    inputs: np.ndarray
    baseline: np.ndarray
    batch_size: int
    progress: bool

    def run(self, stage: Callable[[ScalarFunction, np.ndarray, np.ndarray], Any]) -> list[Any]:
        """Apply a stage batch by batch and return its parts."""
        step = max(1, self.batch_size // self.method.rows_per_input(self.function.layout))
        return [stage(*batch) for batch in shown(list(self._batches(step)), self.progress, "attributions")]

    def as_given(self, parts: Sequence[np.ndarray]) -> Any:
        """Join parts [n, features] of the batches, and return them as the caller gave the inputs, float32."""
        return self.function.layout.as_given(np.concatenate(parts).astype(np.float32))

    def _batches(self, step: int) -> Iterator[tuple[ScalarFunction, np.ndarray, np.ndarray]]:
        for first in range(0, len(self.inputs), step):
            rows = slice(first, first + step)
            start = None if self.function.start is None else self.function.start[rows]
            yield dataclasses.replace(self.function, start=start), self.inputs[rows], self.baseline[rows]


def checked(
    methods: Mapping[str, type[AMethod]],
    model: Any,
    inputs: Any,
    method: str,
    baseline: Baseline,
    target: Any,
    start: ArrayLike | None,
    batch_size: int | None,
    progress: bool,
    options: Mapping[str, Any],
) -> Request[AMethod]:
    """Check the arguments of a call that may pick one of `methods`.

    Raises:
        ValueError: an unknown method, both target and start, or what `arguments` or the method's options refuse.
        TypeError: an unknown option, or what `arguments` refuses.
    """
    if target is not None and start is not None:
        raise ValueError("target and start each choose what is explained; pass one of them.")
    chosen = _method(methods, method, options)
    require_truth_value("progress", progress)
    if batch_size is not None:
        require_whole_number("batch_size", batch_size, minimum=1)
    model = arguments.checked_model(model)
    layout, rows = arguments.checked_inputs(model, inputs)
    function = ScalarFunction(model, layout)
    if chosen.differentiates and is_keras(model) and not model.built:
        function.output(rows[:1])  # makes its weights
    picked = arguments.checked_target(target, len(rows))
    if start is not None:
        weights = arguments.checked_start(start, len(rows), _outputs(function, rows))
        function = dataclasses.replace(function, start=weights)
    elif isinstance(picked, np.ndarray):
        function = dataclasses.replace(function, start=arguments.start_of(picked, _outputs(function, rows)))
    else:
        function = dataclasses.replace(function, target=picked)
    function = chosen.reading(function, rows)
    units = units_of(model, layout)
    work = units * chosen.rows_per_input(layout) * len(rows)
    compiled = chosen.differentiates and is_keras(model) and work >= COMPILED_FROM
    fitting = int(np.clip((COMPILED_BYTES if compiled else MOST_BYTES) // (8 * units), 1, MOST_ROWS))
    return Request(
        function=function.compiled() if compiled else function,
        method=chosen,
        inputs=rows,
        baseline=arguments.checked_baseline(method, chosen.takes_baseline, baseline, inputs, layout, rows),
        batch_size=fitting if batch_size is None else batch_size,
        progress=progress,
    )


def _outputs(function: ScalarFunction, rows: np.ndarray) -> tuple[int, ...]:
    """Return the shape of the model's output, without the samples."""
    return function.output(rows[:1]).shape[1:]


def _method(methods: Mapping[str, type[AMethod]], name: str, options: Mapping[str, Any]) -> AMethod:
    """Build the method, refusing an unknown name (ValueError) or an unknown option (TypeError)."""
    if not isinstance(name, str) or name not in methods:
        raise ValueError(f"method must be one of {', '.join(methods)}, got {name!r}; pick one of them.")
    allowed = [field.name for field in dataclasses.fields(methods[name])]
    for option in options:
        if option not in allowed:
            raise TypeError(
                f"option '{option}' is unknown to {name}; it must be one of: {', '.join(allowed) or '(none)'}."
            )
    return methods[name](**options)
