"""Write the generated data of all slices: `python -m reproduction.datasets` (`make data`)."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from reproduction.command_line import one_line_errors, parse
from reproduction.slicing.datasets.generator import SLICES, slice_features
from reproduction.slicing.datasets.maxima import declared_maxima, training_maxima
from reproduction.slicing.datasets.write_data import SAMPLE_ROWS, write_data, write_sample


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 2 (one line on standard error) or 130 if it does not end well."""
    options = _parse(arguments)
    with one_line_errors():
        if options.maxima:
            print_maxima()
        elif options.sample:
            write_sample(options.out / "sample")
        else:
            sizes = {name: getattr(options, name) for name in ("seed", "clients", "samples", "test_samples")}
            write_data(options.out, **sizes)


def print_maxima() -> None:
    """Print the training maxima of the paper's federations by seed, and the declared ones that follow from them."""
    for slice_name in SLICES:
        found = training_maxima(slice_name)
        table = pd.DataFrame(found.T, index=[f"{one.name} [{one.unit or '1'}]" for one in slice_features(slice_name)])
        table["declared"] = declared_maxima(found)
        print(f"{slice_name}, greatest training value by seed\n{table.to_string(float_format='{:.4g}'.format)}\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    about = "The generated data of all slices as files (`make data`), or the committed sample."
    sample = f"write OUT/sample instead: {SAMPLE_ROWS} rows of one loop per slice, as CSV"
    parser = argparse.ArgumentParser(prog="python -m reproduction.datasets", description=about)
    add = parser.add_argument
    add("--out", type=Path, default=Path("data"), help="folder to write to (default: data)")
    add("--seed", type=int, default=0, help="root seed (default: 0)")
    add("--clients", type=int, default=100, help="closed loops per slice (default: 100, the paper's)")
    add("--samples", type=int, default=1000, help="training samples per loop (default: 1000, the paper's)")
    add("--test-samples", type=int, default=250, help="test samples per loop (default: 250)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--sample", action="store_true", help=sample)
    instead.add_argument("--maxima", action="store_true", help="print instead where the features' scale comes from")
    return parse(parser, arguments)


if __name__ == "__main__":
    main()
