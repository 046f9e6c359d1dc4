"""Who runs the CLs on one machine: a pool of worker processes, one per core, one thread each.

Two threads in one process do not scale here, and one intra-op thread per process makes a CL's result
independent of the number of workers.

Differs from the paper: the paper does not say how its simulation ran.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

from reproduction.slicing.closed_loop.client import Assignment, Client

CHUNKS_PER_WORKER = 8
"""Small enough that a slow core does not hold up a round, large enough that messages cost nothing."""


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


def run_here(function: Any, assignment: Assignment, clients: Sequence[Client], *rest: Sequence) -> list:
    """Run the CLs one after another in this process; see `server.Run`."""
    return _run_rows(function, assignment, list(zip(clients, *rest, strict=True)))


class Workers:
    """A pool of processes as a `server.Run`; a context manager.

    Args:
        count: processes, >= 1; by default one per core that this process may use.

    Raises:
        ValueError: if `count` < 1.
        RuntimeError: by a call, if a process died.
    """

    def __init__(self, count: int | None = None) -> None:
        if count is not None and count < 1:
            raise ValueError(f"workers must be at least 1, got {count}")
        self.count = count or available_cores()
        self._started = False
        self._pool = ProcessPoolExecutor(self.count, mp_context=get_context("spawn"), initializer=_start)

    def __call__(self, function: Any, assignment: Assignment, clients: Sequence[Client], *rest: Sequence) -> list:
        """Run the CLs in chunks; answers in the order of `clients`."""
        if not self._started:
            with _without_interrupts():  # Ctrl-C is the parent's to answer, from the children's first moment
                for _ in range(self.count):
                    self._pool.submit(os.getpid)
            self._started = True
        rows = list(zip(clients, *rest, strict=True))
        size = max(1, len(rows) // (self.count * CHUNKS_PER_WORKER))
        chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
        try:
            futures = [self._pool.submit(_run_rows, function, assignment, chunk) for chunk in chunks]
            return [answer for future in futures for answer in future.result()]
        except BrokenProcessPool as error:
            raise RuntimeError(
                "a worker process died (killed, out of memory, or it did not start: see above); finished rounds are "
                "saved: run the same command again to resume, with fewer --workers if memory is short"
            ) from error

    def __enter__(self) -> "Workers":
        """Return the pool; its processes start with the first call."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the processes; after an error, without waiting for their queue."""
        self._pool.shutdown(wait=kind is None, cancel_futures=True)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_rows(function: Any, assignment: Assignment, rows: Sequence[tuple]) -> list:
    return [function(assignment, *arguments) for arguments in rows]


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
