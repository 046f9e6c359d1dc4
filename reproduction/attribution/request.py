"""One call after its checks: the method with its options, the function it explains, the samples cut into batches."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from reproduction.attribution import arguments
from reproduction.attribution.method import Method, require_whole_number
from reproduction.attribution.scalar_function import ScalarFunction

AMethod = TypeVar("AMethod", bound=Method)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(Generic[AMethod]):
    """The arguments of one call.

    Attributes:
        function: what is explained.
        method: how.
        inputs: float32 [n, features].
        baseline: of every input, float32 [n, features].
        batch_size: the most rows that the model sees at once.
    """

    function: ScalarFunction
    method: AMethod
    inputs: np.ndarray
    baseline: np.ndarray
    batch_size: int

    def run(self, stage: Callable[[ScalarFunction, np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """Apply a stage batch by batch and join the parts, float32 [n, ...]."""
        parts = [stage(self.function, inputs, baseline) for inputs, baseline in self.batches()]
        return np.concatenate(parts).astype(np.float32)

    def batches(self, *companions: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
        """Cut the inputs, the baseline and further arrays [n, ...] into the rows of each batch."""
        step = max(1, self.batch_size // self.method.rows_per_input(self.inputs.shape[1]))
        for start in range(0, len(self.inputs), step):
            yield tuple(array[start : start + step] for array in (self.inputs, self.baseline, *companions))


def checked(
    methods: Mapping[str, type[AMethod]],
    model: Any,
    inputs: ArrayLike,
    method: str,
    baseline: ArrayLike | None,
    target: Any,
    batch_size: int,
    options: Mapping[str, Any],
) -> Request[AMethod]:
    """Check the arguments of a call that may pick one of `methods`.

    Raises:
        ValueError: an unknown method, or what `arguments` or the method's options refuse.
        TypeError: an unknown option, or what `arguments` refuses.
    """
    chosen = _method(methods, method, options)
    require_whole_number("batch_size", batch_size, minimum=1)
    function = ScalarFunction(arguments.checked_model(model), arguments.checked_target(target))
    rows = arguments.checked_inputs(function.model, inputs)
    return Request(
        function=function,
        method=chosen,
        inputs=rows,
        baseline=arguments.checked_baseline(method, chosen.takes_baseline, baseline, rows),
        batch_size=batch_size,
    )


def _method(methods: Mapping[str, type[AMethod]], name: str, options: Mapping[str, Any]) -> AMethod:
    """Build the method, refusing an unknown name (ValueError) or an unknown option (TypeError)."""
    if name not in methods:
        raise ValueError(f"method must be one of {', '.join(methods)}, got {name!r}; pick one of them.")
    allowed = [field.name for field in dataclasses.fields(methods[name])]
    for option in options:
        if option not in allowed:
            raise TypeError(
                f"option '{option}' is unknown to {name}; it must be one of: {', '.join(allowed) or '(none)'}."
            )
    return methods[name](**options)
