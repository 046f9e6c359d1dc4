"""Run the four example methods on our data, and write their curves into one table.

python -m reproduction.examples --preset quick --seeds 2
python reproduction/compare.py figures/quick/comparison/examples.csv --against data/reference/quick
"""

import argparse
import os
from collections.abc import Sequence

from reproduction import command_line
from reproduction.results.store import only_one
from reproduction.slicing.comparison import curves
from reproduction.slicing.examples.run_all import run_all
from reproduction.slicing.federation.workers import Workers
from reproduction.slicing.settings import PRESETS

STOPPED = "stopped; finished federations are saved, run the same command again to go on"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run with command-line arguments; exits with 2 (one line on standard error) or 130 if it does not end well."""
    options = _parse(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the workers' NumPy: one thread each, as TensorFlow's
    command_line.stop_like_ctrl_c_on_sigterm()
    with command_line.one_line_errors(stopped=STOPPED):
        with only_one(options.out / "runs"), Workers(options.workers) as pool:
            frame = run_all(PRESETS[options.preset], options.slices, options.seeds, pool, options.out / "runs")
        curves.write(options.out / "examples.csv", frame)
        print(options.out / "examples.csv")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reproduction.examples", description="Run the four examples.")
    command_line.add_preset(parser, list(PRESETS))
    command_line.add_seeds(parser, or_one=False)
    parser.add_argument("--slices", nargs="+", metavar="NAME", help="slices to run (all)")
    command_line.add_workers(parser)
    command_line.add_out(parser, "where examples.csv and runs go (figures/comparison)")
    options = command_line.parse(parser, arguments, below="comparison")
    there = tuple(PRESETS[options.preset].slices)
    unknown = [name for name in options.slices or () if name not in there]
    if unknown:
        parser.error(f"--slices: no slice {unknown[0]!r}; there are {', '.join(there)}")
    options.slices = tuple(options.slices or there)
    return options


if __name__ == "__main__":
    main()
