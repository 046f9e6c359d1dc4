"""A pool of worker processes on one machine (see `processes`), as a federation uses it.

The CLs' data go to a process once and stay there under their key; a process that lacks them, having just started, say,
answers so and is sent them.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

from reproduction.results.processes import Processes, deaths_in_words
from reproduction.slicing.closed_loop.client import Samples
from reproduction.slicing.federation.held import Held

CHUNKS_PER_WORKER = 8
"""At most: small enough that a slow core does not hold up a round, large enough that messages cost nothing."""

KEPT_PARTS = 2
"""Of data that a process keeps, the last used: a federation's training and test part."""


class Workers(Processes):
    """A pool of processes as an `in_process.Pool`; a context manager.

    Raises:
        ValueError: if their count < 1.
        RuntimeError: by `map`, if a process died.
    """

    def map(self, function: Callable[..., Any], held: Held, *own: Sequence[Any]) -> list[Any]:
        """Run all CLs in chunks; see `in_process.Pool`. `function` must pickle."""
        held.check(own)
        chunks = cut(len(held.samples), self.count)

        def submit(chunk: slice, samples: Sequence[Samples] | None):
            columns = [column[chunk] for column in own]
            return self.submit(_run_chunk, function, held.key, chunk.start, samples, columns)

        with deaths_in_words():
            futures = [submit(chunk, None) for chunk in chunks]
            for number, chunk in enumerate(chunks):
                if futures[number].exception() is None and futures[number].result() is None:
                    futures[number] = submit(chunk, held.samples[chunk])
            return [answer for future in futures for answer in future.result()]


def cut(clients: int, workers: int) -> list[slice]:
    """Cut CLs into chunks of as equal a size as can be, the larger first: dealt in turn, they load workers equally."""
    number = max(1, min(clients, workers * CHUNKS_PER_WORKER))
    size, larger = divmod(clients, number)
    edges = accumulate([size + 1] * larger + [size] * (number - larger), initial=0)
    return [slice(start, stop) for start, stop in pairwise(edges)]


_held: OrderedDict[str, dict[int, Sequence[Samples]]] = OrderedDict()
"""In a worker process: key -> index of a chunk's first CL -> its CLs' data; the last used stands last."""


def _run_chunk(
    function: Callable[..., Any], key: str, start: int, samples: Sequence[Samples] | None, own: Sequence[Sequence[Any]]
) -> list[Any] | None:
    """Run a chunk of CLs in a worker process; None if their data are not here and did not come along."""
    chunks = _held.setdefault(key, {})
    _held.move_to_end(key)
    while len(_held) > KEPT_PARTS:
        _held.popitem(last=False)
    if samples is not None:
        chunks[start] = samples
    if start not in chunks:
        return None
    return function(chunks[start], *own)
