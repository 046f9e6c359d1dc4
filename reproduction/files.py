"""Files that are whole or not there, written beside their place, then renamed; and anyone's arrays."""

import contextlib
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

PARTIAL = "reproduction-partial"
"""How the name of a file ends that this program is about to complete: `.NAME.PID.reproduction-partial`."""

SHOWN_OF_NAME = 40
"""Characters of the complete file's name, few enough for any file system."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, and a kill at any moment, sees the old one or the new one.

    Raises:
        OSError: if the folder cannot be written or the disk is full; the old file stays as it was.
    """
    partial = path.with_name(f".{path.name[:SHOWN_OF_NAME]}.{os.getpid()}.{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # the message above matters more
            partial.unlink(missing_ok=True)


def read_arrays(path: Path, *names: str, optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Read arrays of finite numbers from anyone's .npz file.

    Args:
        path: of the file.
        names: of the arrays that it must hold.
        optional: of those that it may hold; with any, other names are refused, which may be one of these, misspelt.

    Returns:
        Float32 arrays by name.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be read.
        ValueError: it is no such file, lacks an array, or holds what is no finite real number.
    """
    wanted = " and ".join(names)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; give an .npz file with {wanted}.")
    content = io.BytesIO(path.read_bytes())
    try:
        with np.load(content) as file:
            held = {name: file[name] for name in file.files}
    except (ValueError, OSError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path}: must be an .npz file with numbers in {wanted}; use np.savez.") from error
    if (lacking := set(names) - set(held)) or (optional and set(held) - {*names, *optional}):
        known = ", ".join((*names, *optional))
        what = f"{wanted}" if lacking else f"nothing but {known}"
        raise ValueError(f"{path}: must hold {what}, got {', '.join(held) or 'nothing'}; rename its arrays.")
    arrays = {name: held[name] for name in (*names, *optional) if name in held}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{path}: {name} must be real numbers, got {array.dtype}; convert them (complex: Re, Im).")
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(f"{path}: {name} must be finite, got {array[tuple(where)]} at {where}; drop it.")
    return arrays


def bytes_of(save: Callable[[Path], object], name: str) -> bytes:
    """Return what something writes that saves itself to a path with a file's name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        save(path)
        return path.read_bytes()


def require_writable(folder: Path) -> None:
    """Refuse a folder that will not take a file, before what belongs there is computed.

    Raises:
        OSError: if it cannot be made or written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"-")
    except OSError as error:
        raise _refused(folder, error) from error


def _refused(path: Path, error: OSError) -> OSError:
    """Return the error that says what cannot be written, and what to do."""
    reason = error.strerror or str(error)
    return OSError(
        error.errno, f"{path}: cannot be written ({reason}); make room, or choose a folder that can be written"
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits.

    Raises:
        OSError: if it cannot be read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Remove what a process of this program left half written in a folder when it was killed, and nothing else.

    A file of a process that still runs stays, and so does whatever has such a name and is no file.
    """
    for path in folder.glob(f".*.{PARTIAL}"):
        writer = re.search(rf"\.(\d+)\.{PARTIAL}$", path.name)
        with contextlib.suppress(OSError):  # a leftover that cannot be removed does no harm
            if writer and path.is_file() and not path.is_symlink() and not _runs(int(writer[1])):
                path.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; no number of a process, so not written by this program
        return True
    return True


def data_folder() -> Path:
    """Return the project's folder of data, beside the package, where one runs in a checkout."""
    return Path(__file__).resolve().parents[1] / "data"
