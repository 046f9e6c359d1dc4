"""Processes that work on one machine, one per core, one thread each.

Two threads in one process do not scale here, and one intra-op thread per process makes a result independent of the
number of processes.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self


class Processes:
    """A pool of processes; a context manager.

    Args:
        count: of them, >= 1; by default one per core that this process may use.

    Raises:
        ValueError: if `count` < 1.
    """

    def __init__(self, count: int | None = None) -> None:
        if count is not None and count < 1:
            raise ValueError(f"workers must be at least 1, got {count}")
        self.count = count or available_cores()
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Let a process call a function, which must pickle, as its arguments must."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self.count, mp_context=get_context("spawn"), initializer=_start)
            with _without_interrupts():  # Ctrl-C is the parent's to answer, from the children's first moment
                for _ in range(self.count):
                    self._executor.submit(os.getpid)
        return self._executor.submit(function, *arguments)

    def __enter__(self) -> Self:
        """Return the pool; its processes start with the first call."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the processes; after an error at once, whatever they are doing, as their work is saved as it goes."""
        if self._executor is None:
            return
        if kind is not None:
            for process in list((self._executor._processes or {}).values()):
                process.terminate()
                process.join()
        self._executor.shutdown(wait=kind is None, cancel_futures=True)


@contextmanager
def deaths_in_words() -> Iterator[None]:
    """Say in words that a process died.

    Raises:
        RuntimeError: if one did.
    """
    try:
        yield
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a worker process died (killed, out of memory, or it did not start: see above); run the same command "
            "again, with fewer --workers if memory is short: it goes on from what was saved, if anything was"
        ) from error


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def single_thread() -> None:
    """Give TensorFlow one thread; call before it runs anything."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_noise_dropped():
        import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # which shapes are compiled is nothing for a log
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


@contextmanager
def native_noise_dropped() -> Iterator[None]:
    """Drop what TensorFlow's C++ writes to standard error while it loads or converts and no setting silences."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


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
