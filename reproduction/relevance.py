"""Where does a convolutional net look? The relevance of a resource grid, held to where its interference is.

    python reproduction/relevance.py --seeds 5
    python reproduction/relevance.py --redraw

A picture of what `reproduction.attribution` does on images; no figure of a paper.
"""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reproduction import command_line
from reproduction.figure_script import FIGURE, read_document
from reproduction.interference.picture import check, draw
from reproduction.interference.study import FULL, QUICK, study
from reproduction.results.plotting import save, style
from reproduction.results.progress import message
from reproduction.results.records import provenance, write_record

NAME = "relevance"
PRESETS = {preset.name: preset for preset in (FULL, QUICK)}
PACKAGES = ("tensorflow", "keras", "numpy", "matplotlib")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run with command-line arguments; exits with 2 (one line on standard error) or 130 if it does not end well."""
    options = _parse(arguments)
    command_line.stop_like_ctrl_c_on_sigterm()
    with command_line.one_line_errors(options.log):
        path = options.out / f"{NAME}.json"
        if not options.redraw:
            _require_writable(options.out)
            write_record(path, FIGURE, _numbers(options))
        document = read_document(path, NAME, check=check, remedy="make it with this script, without --redraw")
        with style():
            for written in save(draw(document), options.out, NAME):
                print(message(options.log, "wrote", str(written)))


def _require_writable(folder: Path) -> None:
    """Refuse (OSError) a folder that will not take the numbers, before they are computed."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _numbers(options: argparse.Namespace) -> dict[str, object]:
    settings = PRESETS[options.preset]

    def on_seed(seed: int) -> None:
        print(message(options.log, "seed", f"seed {seed} trained and explained"), file=sys.stderr, flush=True)

    result = study(settings, options.seeds, on_seed)
    made_with = provenance(PACKAGES)
    return {
        "figure": NAME,
        "preset": settings.name,
        "settings": dataclasses.asdict(settings),
        "data": {"source": "drawn", "generator": "reproduction.interference.grids"},
        "seeds": list(options.seeds),
        "trained_with": [made_with],
        "drawn_with": made_with,
        "result": result,
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    redraws = argparse.ArgumentParser(add_help=False)
    command_line.add_preset(redraws, list(PRESETS))
    command_line.add_out(redraws, "where the picture and its numbers go (figures, or figures/quick)")
    command_line.add_log(redraws)
    redraws.add_argument("--redraw", action="store_true", help="only draw again, from the numbers saved in DIR")
    parser = argparse.ArgumentParser(prog=f"{NAME}.py", description=__doc__.splitlines()[0], parents=[redraws])
    command_line.add_seeds(parser)
    options = command_line.parse(parser, arguments)
    if options.redraw and (others := redraws.parse_known_args(arguments)[1]):
        parser.error(f"--redraw draws the saved numbers as they are, without {' '.join(others)}")
    return options


if __name__ == "__main__":
    main()
