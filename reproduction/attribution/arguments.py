"""What callers hand in, checked and brought into one form: samples as rows of features, see `Layout`."""

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reproduction.attribution.layout import Layout
from reproduction.attribution.scalar_function import is_keras

Baseline = Any
"""None, what broadcasts to an input, a list of these where the model takes a list, or a function that returns it."""


def checked_model(model: Any) -> Any:
    """Return the model if it can be called.

    Raises:
        TypeError: it cannot.
        ValueError: a Keras model with several outputs.
    """
    if not callable(model):
        raise TypeError(f"model must be a Keras model or a function of arrays, got {type(model).__name__}; pass one.")
    outputs = getattr(model, "outputs", None) if is_keras(model) else None
    if outputs is not None and len(outputs) != 1:
        raise ValueError(
            f"model must have one output, got '{model.name}' with {len(outputs)}; make a keras.Model that ends at one."
        )
    return model


def checked_inputs(model: Any, inputs: Any) -> tuple[Layout, np.ndarray]:
    """Return how the features lie in the inputs, and the inputs, float32 [n, features].

    Args:
        model: checked.
        inputs: an array [n, ...], or a list of such arrays.

    Raises:
        ValueError: they are no finite numbers with n >= 1 and a feature at least, or not what the model takes.
    """
    is_list = (
        isinstance(inputs, (list, tuple))
        and len(inputs) > 0
        and all(np.ndim(one) >= 2 and hasattr(one, "shape") for one in inputs)
    )
    expected = getattr(model, "inputs", None) if is_keras(model) else None
    if expected is not None and len(expected) != (len(inputs) if is_list else 1):
        raise ValueError(
            f"inputs must be a list of arrays [n, ...], one for each of the {len(expected)} inputs of '{model.name}', "
            f"got {_shown(inputs, is_list)}; their order is that of model.inputs."
        )
    if isinstance(inputs, Mapping):
        raise ValueError("inputs must be an array [n, ...] or a list of them, got a dict; pass what it holds.")
    arrays = []
    for place, one in enumerate(inputs if is_list else [inputs]):
        name = f"inputs[{place}]" if is_list else "inputs"
        array = _finite(name, one, np.float32, "drop or impute such samples")
        if array.ndim < 2 or 0 in array.shape:
            remedy = "give at least one sample" if array.ndim >= 2 else "reshape a single sample to [1, features]"
            raise ValueError(
                f"{name} must be [n, features] or [n, ...] with n >= 1 and features >= 1, got the shape {array.shape}; "
                f"{remedy}."
            )
        if expected is not None:
            _require_shape(name, array.shape[1:], tuple(expected[place].shape[1:]))
        arrays.append(array)
    if len({len(array) for array in arrays}) != 1:
        raise ValueError(
            f"inputs must have as many samples each, got {', '.join(str(len(array)) for array in arrays)}; "
            "give every input the same ones."
        )
    layout = Layout(tuple(array.shape[1:] for array in arrays), is_list)
    return layout, layout.pack(arrays)


def _shown(inputs: Any, is_list: bool) -> str:
    """Return how many arrays were given, in words."""
    if is_list:
        return f"{len(inputs)} arrays"
    return "a dict" if isinstance(inputs, Mapping) else "one array"


def _require_shape(name: str, shape: tuple[int, ...], expected: tuple[int | None, ...]) -> None:
    if len(shape) == len(expected) == 1 and expected[0] not in (None, shape[0]):
        raise ValueError(
            f"{name} must have the {expected[0]} features that the model takes, got {shape[0]}; "
            "pass the columns it was trained on."
        )
    fits = all(size in (None, found) for size, found in zip(expected, shape, strict=False))
    if len(shape) != len(expected) or not fits:
        shown = ", ".join("any" if size is None else str(size) for size in expected)
        raise ValueError(f"{name} must be [n, {shown}] as the model takes it, got [n, {', '.join(map(str, shape))}].")


def checked_baseline(
    method: str, takes_baseline: bool, baseline: Baseline, inputs: Any, layout: Layout, rows: np.ndarray
) -> np.ndarray:
    """Return the baseline of every sample, float32 [n, features].

    Args:
        method: the method's name, for the message.
        takes_baseline: False if the method's reference is zero by definition.
        baseline: None for zeros, an array that broadcasts to the inputs, a list of these where the model takes a list,
            or a function of the inputs that returns one.
        inputs: as the caller gave them.
        layout: of the features.
        rows: the inputs, float32 [n, features].

    Raises:
        ValueError: wrong shape, no finite numbers, or a baseline other than zero for a method that takes none.
    """
    if baseline is None:
        return np.zeros_like(rows)
    given = baseline(inputs) if callable(baseline) else baseline
    if layout.is_list and not (isinstance(given, (list, tuple)) and len(given) == len(layout.shapes)):
        raise ValueError(
            f"baseline must be a list with an array or None for each of the {len(layout.shapes)} inputs, got "
            f"{f'{len(given)} entries' if isinstance(given, (list, tuple)) else type(given).__name__}."
        )
    arrays = []
    for place, (one, shape) in enumerate(zip(given if layout.is_list else [given], layout.shapes, strict=True)):
        name = f"baseline[{place}]" if layout.is_list else "baseline"
        array = _finite(name, 0.0 if one is None else one, np.float32, "drop or impute such samples")
        try:
            arrays.append(np.broadcast_to(array, (len(rows), *shape)))
        except ValueError:
            kind = "features" if len(shape) == 1 else "..."
            raise ValueError(
                f"{name} must be None (zeros), [{kind}] = {shape} or [n, {kind}] = {(len(rows), *shape)}, or broadcast "
                f"to them, got the shape {array.shape}; give it the width of the inputs."
            ) from None
    packed = np.ascontiguousarray(layout.pack(arrays))
    if not takes_baseline and packed.any():
        raise ValueError(
            f"baseline must be None or zeros for {method}, whose reference is zero by definition, got other values; "
            "leave it out, or take integrated_gradients or deeplift."
        )
    return packed


def checked_target(target: Any, samples: int) -> tuple[int, ...] | np.ndarray | None:
    """Return the place of the output unit along each axis, or an index per sample, int [n]; or None.

    Raises:
        TypeError: it is neither None, nor a whole number, nor several.
        ValueError: an array of another length than the samples.
    """
    if target is None:
        return None
    try:
        if isinstance(target, tuple):
            return tuple(_index(one) for one in target)
        if np.ndim(target) == 1:
            indices = np.array([_index(one) for one in target])
            if len(indices) != samples:
                raise ValueError(
                    f"target must have an index for each of the {samples} samples, got {len(indices)}; a unit of an "
                    "output with several axes is a tuple."
                )
            return indices
        return (_index(target),)
    except TypeError:
        raise TypeError(
            f"target must be None or the index of one output unit (of every sample, in a list), got {target!r}; "
            "pass an int."
        ) from None


def _index(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)):
        raise TypeError("a bool is no index")
    return operator.index(value)


def checked_start(start: ArrayLike, samples: int, outputs: tuple[int, ...]) -> np.ndarray:
    """Return the weights of the outputs, float64 [n, ...outputs].

    Args:
        start: of the outputs for all samples, or [n, ...outputs].
        samples: n.
        outputs: the shape of the model's output, without the samples.

    Raises:
        ValueError: wrong shape, or no finite numbers.
    """
    array = _finite("start", start, np.float64, "such weights cannot be added up; replace them")
    if array.shape not in (outputs, (samples, *outputs)):
        raise ValueError(
            f"start must be [outputs] = {outputs} or [n, outputs] = {(samples, *outputs)}, got the shape "
            f"{array.shape}; give every output a weight."
        )
    return np.broadcast_to(array, (samples, *outputs))


def start_of(target: np.ndarray, outputs: tuple[int, ...]) -> np.ndarray:
    """Return the weights that pick one unit per sample, float64 [n, outputs].

    Raises:
        ValueError: an index is out of range, or the outputs have several axes.
    """
    if len(outputs) != 1:
        raise ValueError(
            f"target must be one tuple for a model whose outputs have the shape {outputs}, got one index per sample; "
            "pass start, the weights of the outputs for every sample."
        )
    if not ((target >= 0) & (target < outputs[0])).all():
        raise ValueError(
            f"target must lie in 0 .. {outputs[0] - 1} for a model with {outputs[0]} output(s), got "
            f"{target.min()} .. {target.max()}; pass indices of output units."
        )
    return np.eye(outputs[0])[target]


def _finite(name: str, values: ArrayLike, kind: type[np.floating], remedy: str) -> np.ndarray:
    try:
        raw = np.asarray(values)
        if raw.dtype.kind not in "biufO":
            raise TypeError(f"dtype {raw.dtype}")
        with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused below
            array = raw.astype(kind)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be real numbers, got {error}; convert to floats first.") from error
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"{name} must be finite in {np.dtype(kind)}, got {raw[tuple(where)]} at {where.tolist()}; {remedy}."
        )
    return array
