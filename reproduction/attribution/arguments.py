"""What callers hand in, checked and brought into one form."""

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reproduction.attribution.scalar_function import is_keras


def checked_model(model: Any) -> Any:
    """Return the model if it can be called with one array [n, features].

    Raises:
        TypeError: it cannot be called at all.
        ValueError: a Keras model with several inputs or outputs, or whose input has not the rank 2.
    """
    if not callable(model):
        raise TypeError(f"model must be a Keras model or a function of arrays, got {type(model).__name__}; pass one.")
    if not is_keras(model):
        return model
    for side in ("inputs", "outputs"):
        tensors = getattr(model, side, None)
        if tensors is not None and len(tensors) != 1:
            raise ValueError(
                f"model must have one of its {side}, got '{model.name}' with {len(tensors)}; wrap it in a function "
                "of one array [n, features] that returns [n, outputs]."
            )
    tensors = getattr(model, "inputs", None)
    if tensors is not None and len(tensors[0].shape) != 2:
        raise ValueError(
            f"model must take [n, features], but '{model.name}' takes {tuple(tensors[0].shape)}; wrap it in a function "
            "that reshapes."
        )
    return model


def checked_inputs(model: Any, inputs: ArrayLike) -> np.ndarray:
    """Return the inputs, float32 [n, features].

    Raises:
        ValueError: they are no finite numbers [n, features] with n, features >= 1, or the model takes another number
            of features.
    """
    array = _finite("inputs", inputs, np.float32, "drop or impute such samples")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"inputs must be [n, features] with n >= 1 and features >= 1, got the shape {array.shape}; "
            "reshape a single sample to [1, features]."
        )
    tensors = getattr(model, "inputs", None) if is_keras(model) else None
    expected = tensors[0].shape[-1] if tensors is not None else None
    if expected is not None and expected != array.shape[1]:
        raise ValueError(
            f"inputs must have the {expected} features that the model takes, got {array.shape[1]}; "
            "pass the columns it was trained on."
        )
    return array


def checked_baseline(method: str, takes_baseline: bool, baseline: ArrayLike | None, inputs: np.ndarray) -> np.ndarray:
    """Return the baseline of every input, float32 [n, features].

    Args:
        method: the method's name, for the message.
        takes_baseline: False if the method's reference is zero by definition.
        baseline: None for zeros, a vector [features], or [n, features].
        inputs: float32 [n, features].

    Raises:
        ValueError: wrong shape, no finite numbers, or a baseline other than zero for a method that takes none.
    """
    if baseline is None:
        return np.zeros_like(inputs)
    array = _finite("baseline", baseline, np.float32, "drop or impute such samples")
    if array.shape not in (inputs.shape, inputs.shape[1:]):
        raise ValueError(
            f"baseline must be None (zeros), [features] = {inputs.shape[1:]} or [n, features] = {inputs.shape}, "
            f"got the shape {array.shape}; give it the width of the inputs."
        )
    if not takes_baseline and array.any():
        raise ValueError(
            f"baseline must be None or zeros for {method}, whose reference is zero by definition, got other values; "
            "leave it out, or take integrated_gradients or deeplift."
        )
    return np.ascontiguousarray(np.broadcast_to(array, inputs.shape))


def checked_target(target: Any) -> int | None:
    """Return the index of the output unit, or None.

    Raises:
        TypeError: it is neither None nor a whole number.
    """
    if target is None:
        return None
    try:
        if not isinstance(target, (bool, np.bool_)):
            return operator.index(target)
    except TypeError:
        pass
    raise TypeError(f"target must be None or the index of one output unit, got {target!r}; pass an int.")


def checked_start(start: ArrayLike, rows: int, outputs: int) -> np.ndarray:
    """Return the weights of the outputs, float64 [n, outputs].

    Args:
        start: a vector [outputs] for all rows, or [n, outputs].
        rows: n.
        outputs: how many outputs the model has.

    Raises:
        ValueError: wrong shape, or no finite numbers.
    """
    array = _finite("start", start, np.float64, "such weights cannot be added up; replace them")
    if array.shape not in ((outputs,), (rows, outputs)):
        raise ValueError(
            f"start must be [outputs] = ({outputs},) or [n, outputs] = ({rows}, {outputs}), got the shape "
            f"{array.shape}; give every output a weight."
        )
    return np.broadcast_to(array, (rows, outputs))


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
            f"{name} must be finite in {np.dtype(kind)}, got {raw[tuple(where)]!r} at {where.tolist()}; {remedy}."
        )
    return array
