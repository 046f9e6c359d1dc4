"""A pool of worker processes on one machine, one per core, one thread each.

Two threads in one process do not scale here, and one intra-op thread per process makes a CL's result independent of the
number of workers. The CLs' data go to a process once and stay there under their key; a process that lacks them, having
just started, say, answers so and is sent them.
"""

import os
import signal
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import accumulate, pairwise
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

from reproduction.slicing.closed_loop.client import Samples
from reproduction.slicing.federation.held import Held

CHUNKS_PER_WORKER = 8
"""At most: small enough that a slow core does not hold up a round, large enough that messages cost nothing."""

KEPT_PARTS = 2
"""Of data that a process keeps, the last used: a federation's training and test part."""


class Workers:
    """A pool of processes as an `in_process.Pool`; a context manager.

    Args:
        count: processes, >= 1; by default one per core that this process may use.

    Raises:
        ValueError: if `count` < 1.
        RuntimeError: by `map`, if a process died.
    """

    def __init__(self, count: int | None = None) -> None:
        if count is not None and count < 1:
            raise ValueError(f"workers must be at least 1, got {count}")
        self.count = count or available_cores()
        self._started = False
        self._executor = ProcessPoolExecutor(self.count, mp_context=get_context("spawn"), initializer=_start)

    def map(self, function: Callable[..., Any], held: Held, *own: Sequence[Any]) -> list[Any]:
        """Run all CLs in chunks; see `in_process.Pool`. `function` must pickle."""
        held.check(own)
        self._start_processes()
        chunks = cut(len(held.samples), self.count)

        def submit(chunk: slice, samples: Sequence[Samples] | None):
            columns = [column[chunk] for column in own]
            return self._executor.submit(_run_chunk, function, held.key, chunk.start, samples, columns)

        try:
            futures = [submit(chunk, None) for chunk in chunks]
            for number, chunk in enumerate(chunks):
                if futures[number].exception() is None and futures[number].result() is None:
                    futures[number] = submit(chunk, held.samples[chunk])
            return [answer for future in futures for answer in future.result()]
        except BrokenProcessPool as error:
            raise RuntimeError(
                "a worker process died (killed, out of memory, or it did not start: see above); run the same command "
                "again, with fewer --workers if memory is short: it goes on from what was saved, if anything was"
            ) from error

    def _start_processes(self) -> None:
        if not self._started:
            with _without_interrupts():  # Ctrl-C is the parent's to answer, from the children's first moment
                for _ in range(self.count):
                    self._executor.submit(os.getpid)
            self._started = True

    def __enter__(self) -> "Workers":
        """Return the pool; its processes start with the first call."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the processes; after an error, without waiting for their queue."""
        self._executor.shutdown(wait=kind is None, cancel_futures=True)


def cut(clients: int, workers: int) -> list[slice]:
    """Cut CLs into chunks of as equal a size as can be, the larger first: dealt in turn, they load workers equally."""
    number = max(1, min(clients, workers * CHUNKS_PER_WORKER))
    size, larger = divmod(clients, number)
    edges = accumulate([size + 1] * larger + [size] * (number - larger), initial=0)
    return [slice(start, stop) for start, stop in pairwise(edges)]


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def single_thread() -> None:
    """Give TensorFlow one thread; call before it runs anything."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_noise_dropped():
        import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


@contextmanager
def _native_noise_dropped() -> Iterator[None]:
    """Drop what TensorFlow's C++ writes to standard error while it loads (no GPU, oneDNN) and no setting silences."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


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


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ignore SIGINT, and let the processes started meanwhile inherit that."""
    if threading.current_thread() is not threading.main_thread():  # only there can a signal be handled
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    single_thread()


def _end_with_parent() -> None:
    """Wait for the parent's end, were it by SIGKILL, and end too."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
