"""Processes end with what they are for: at once after an error, whatever they are doing."""

import os
import time

import pytest

from reproduction.results.processes import Processes


def test_results_come_back():
    with Processes(1) as processes:
        assert processes.submit(abs, -3).result() == 3


def test_an_error_ends_processes_in_the_middle_of_their_work():
    """A minute's sleep is not waited for, and nobody goes on with it."""
    begun = time.monotonic()
    workers = []

    def interrupted():
        with Processes(1) as processes:
            workers.append(processes.submit(os.getpid).result())
            processes.submit(time.sleep, 60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - begun < 30  # half of it, starting a process included
    with pytest.raises(ProcessLookupError):
        os.kill(workers[0], 0)
