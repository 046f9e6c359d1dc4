"""A fitted `Influence` in a file: whole or not there, and for the model that it was made with.

Whether a model is the one is told by its weights, bit by bit, and by the gradients of the first samples, which another
loss or another activation changes.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from reproduction.attribution.layout import Layout

KIND = "reproduction influence 1"
"""Of file; another form of it counts on."""

SHOWN = 3
"""Samples whose gradients are saved."""

SAME = 1e-3
"""How near these must be, as a share of their largest entry: another machine rounds otherwise."""


def content_of(options: dict[str, Any], model: Any, arrays: dict[str, np.ndarray], layout: Layout) -> bytes:
    """Return a file's content.

    Args:
        options: that the object was made with, for JSON.
        model: whose weights are told by their digest.
        arrays: what is saved.
        layout: of the samples' features.
    """
    about: dict[str, Any] = {"kind": KIND, "options": options, "weights": digest_of(model)}
    about |= {"shapes": layout.shapes, "is_list": layout.is_list}
    held = io.BytesIO()
    np.savez(held, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    return held.getvalue()


def read(path: Path, model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray], Layout]:
    """Return options, arrays and layout.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, or the model has other weights.
    """
    if not path.is_file():
        raise FileNotFoundError(f"path must be a file that Influence.save wrote, got {path}, which is not there.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays.pop("about")))
        if about["kind"] != KIND:
            raise ValueError(about["kind"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"path must be a file that Influence.save wrote, got {path}; fit and save anew.") from error
    if about["weights"] != digest_of(model):
        raise ValueError(
            f"model must be the one that {path} was saved with, got '{model.name}' with other weights; load its "
            "weights first, or fit anew."
        )
    return about["options"], arrays, Layout(tuple(map(tuple, about["shapes"])), about["is_list"])


def require_same(path: Path, found: np.ndarray, stored: np.ndarray) -> None:
    """Refuse a model or loss whose gradients at the first samples are not those that were saved, float32 [m, P].

    Raises:
        ValueError: they differ.
    """
    if found.shape != stored.shape or np.abs(found - stored).max() > SAME * np.abs(stored).max():
        raise ValueError(
            f"model and loss must be those that {path} was saved with, but the gradients at its first samples differ; "
            "pass the same model and loss, or fit anew."
        )


def digest_of(model: Any) -> str:
    """Return the SHA-256 of a model's weights with their shapes, in order."""
    digest = hashlib.sha256()
    for one in model.get_weights():
        digest.update(f"{one.dtype} {one.shape};".encode())
        digest.update(np.ascontiguousarray(one).tobytes())
    return digest.hexdigest()
