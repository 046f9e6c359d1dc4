"""Work that is done once: kept under what decides its numbers, continued after a stop, and reused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reproduction.files import remove_leftovers
from reproduction.results.records import Kind, RecordError, digest, provenance, read_record, write_record

Payload = dict[str, Any]

Make = Callable[[Payload | None, Callable[[Payload], None]], Payload]
"""(the record as it was left, or None; a function that saves one) -> the finished record; it saves after every step."""


class Store:
    """Records of one kind in one folder.

    A payload holds `identity`, everything that decides its numbers, and `provenance`, what they are made with.

    Args:
        folder: where the records live.
        kind: of the records.
        is_finished: whether a payload is of finished work.
        deciding: packages under another version of which unfinished work is not continued.
    """

    def __init__(
        self, folder: Path, kind: Kind, *, is_finished: Callable[[Payload], bool], deciding: tuple[str, ...]
    ) -> None:
        self.folder = folder
        self._kind, self._is_finished, self._deciding = kind, is_finished, deciding
        self._memory: dict[str, Payload] = {}

    def finished(self, identity: Payload, name: str, make: Make) -> Payload:
        """Return the record of finished work: from memory, from disk, or by doing what is left of it.

        Args:
            identity: everything that decides its numbers.
            name: for people; part of the file's name.
            make: does the work; it is also called for what is finished already, and then returns it as it is.

        Raises:
            RecordError: if the record on disk is refused by its kind, is of other work, or is unfinished and was begun
                under other versions.
        """
        key = digest(identity)
        if key not in self._memory:
            path = path_of(self.folder, identity, name)
            left = self.read(path, identity) if path.exists() else None
            made = make(left, lambda payload: write_record(path, self._kind, payload))
            self._memory[key] = made if made is left else self.read(path, identity)
        return self._memory[key]

    def has_finished(self, identity: Payload, name: str) -> bool:
        """Return whether the record of finished work is on disk.

        Raises:
            RecordError: as `finished` does.
        """
        path = path_of(self.folder, identity, name)
        return path.exists() and self._is_finished(self.read(path, identity))

    def read(self, path: Path, identity: Payload) -> Payload:
        """Read a record and check that it is of the work that is asked for, and that it can be continued.

        Raises:
            RecordError: if it is not.
        """
        payload = read_record(path, self._kind)
        if digest(payload["identity"]) != digest(identity):
            raise RecordError(f"{path}: a record of other settings or data; {self._kind.remedy}")
        old, new = (one["versions"] for one in (payload["provenance"], provenance(self._deciding)))
        changed = [f"{name} {old.get(name)}, now {new[name]}" for name in self._deciding if old.get(name) != new[name]]
        if changed and not self._is_finished(payload):
            raise RecordError(
                f"{path}: unfinished, and begun with {'; '.join(changed)}; go on with the old versions, or delete it"
            )
        return payload

    def used(self) -> list[Payload]:
        """Return the records of the work that was asked for so far, each once."""
        return list(self._memory.values())

    def made_with(self) -> list[Payload]:
        """Return the machines and versions that made what was used so far, each once."""
        found = {digest(payload["provenance"]): payload["provenance"] for payload in self.used()}
        return list(found.values())


def path_of(folder: Path, identity: Payload, name: str, suffix: str = ".json") -> Path:
    """Return where work is kept: under a name for people and a key of what decides its numbers."""
    return folder / f"{name}-{digest(identity)[:16]}{suffix}".replace(" ", "_").replace("/", "_")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Make a folder of records this process' own; refuse one that another process works in.

    Raises:
        RuntimeError: if another does.
        OSError: if the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", blocking=False):
            remove_leftovers(folder)
            remove_leftovers(folder.parent)
            yield
    except Timeout as error:
        raise RuntimeError(f"{folder}: another process works here; wait for it, or work in another folder") from error
