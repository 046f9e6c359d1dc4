"""A bar for what takes long."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

AStep = TypeVar("AStep")


def shown(steps: Sequence[AStep], progress: bool, what: str) -> Iterable[AStep]:
    """Return the steps, with a bar named `what` if there shall be one."""
    if not progress:
        return steps
    from rich.progress import track

    return track(steps, description=what)
