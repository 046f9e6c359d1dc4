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

KIND = "reproduction influence 2"
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


def require_same(path: Path, found: dict[str, np.ndarray], stored: dict[str, np.ndarray]) -> None:
    """Refuse a model or losses whose gradients at the first samples are not those that were saved.

    Args:
        path: of the file.
        found: "gradients", float32 [m, P], and with another loss at the targets its "influence_gradients", float32
            [m, P], or [0] where it does not take the training samples.
        stored: the same, with whatever else was saved.

    Raises:
        ValueError: they differ.
    """
    for name, what in (("gradients", "model and loss"), ("influence_gradients", "influence_loss")):
        mine, saved = found.get(name), stored.get(name)
        if mine is None and saved is None:
            continue
        if mine is None or saved is None:
            wanted = "None, as {} was saved without one" if saved is None else "given, as {} was saved with one"
            raise ValueError(f"influence_loss must be {wanted.format(path)}; pass the same losses, or fit anew.")
        if mine.shape != saved.shape or (np.abs(mine - saved) > SAME * np.abs(saved).max(initial=0.0)).any():
            raise ValueError(
                f"{what} must be what {path} was saved with, but the gradients at its first samples differ; pass the "
                "same, or fit anew."
            )


def digest_of(model: Any) -> str:
    """Return the SHA-256 of a model's weights with their shapes, in order."""
    digest = hashlib.sha256()
    for one in model.get_weights():
        digest.update(f"{one.dtype} {one.shape};".encode())
        digest.update(np.ascontiguousarray(one).tobytes())
    return digest.hexdigest()
