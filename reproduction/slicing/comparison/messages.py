"""What crosses between the server and the CLs of a method: checked, counted in bytes, and seen if it goes unsaid."""

import pickle
import sys
from typing import Any

import numpy as np


def weights_from(value: Any, count: int, where: str) -> np.ndarray:
    """Return what a method gave as weights, float32 [P].

    Raises:
        ValueError: if it is of another shape, or not finite; `where` names the method, slice, client and round.
    """
    try:
        weights = np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise ValueError(f"{where} must return float32 [{count}], got {kind}; return flat weights") from error
    if weights.shape != (count,):
        raise ValueError(f"{where} must return float32 [{count}], got shape {weights.shape}; return flat weights")
    if not np.isfinite(weights).all():
        raise ValueError(f"{where} returned weights that are not finite; lower its learning rate, or check the data")
    return weights


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to."""
    view = array.view()
    view.setflags(write=False)
    return view


def size(message: Any) -> int:
    """Return the bytes of an update, or of what is broadcast: an array's own, else its pickle's; none for None."""
    if message is None:
        return 0
    return message.nbytes if isinstance(message, np.ndarray) else len(pickle.dumps(message))


def broadcast_size(method: Any) -> int:
    """Return the bytes that a method sends every CL beside the weights in the round to come."""
    return size(method.broadcast()) if hasattr(method, "broadcast") else 0


def state_of(method: Any) -> bytes | None:
    """Return what a method holds, in bytes that compare; None if it does not pickle."""
    try:
        return pickle.dumps(method)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


def hides_traffic(method: Any, before: bytes | None) -> bool:
    """Return whether a method may have sent its CLs what nobody counted: it keeps state, and has no `broadcast`.

    Its CLs are given the method itself, and so its state. One that does not pickle is believed to have none, unless it
    aggregates by itself.

    Args:
        method: after its rounds.
        before: its `state_of` before them.
    """
    if hasattr(method, "broadcast"):
        return False
    after = state_of(method)
    return hasattr(method, "aggregate") if None in (before, after) else after != before


def require_picklable(method: Any) -> None:
    """Refuse what a worker process could not load, before it dies of it.

    Raises:
        ValueError: if it does not pickle, or stands where no other process finds it.
    """
    remedy = "define its class at the top level of a module, without open files or lambdas, or leave `pool` out"
    try:
        pickle.dumps(method)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"method {method.name!r} must pickle to run in worker processes, got {error}; {remedy}"
        ) from error
    if type(method).__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__"):
        raise ValueError(f"method {method.name!r} lives in a notebook, where worker processes do not find it; {remedy}")
