"""Reference curves: every slice, scheme and explainer over the seeds, as tidy CSV that anyone's code can be held to.

    python reproduction/reference.py --preset quick

Writes into DIR/PRESET (files and columns: `slicing.comparison.reference_curves`, data/README.md), and prints by how
much the key means moved, if a reference was there, and the table that every run ends with. Its federations are those of
the figure scripts of the same preset, in `figures/runs` or `figures/quick/runs`: each is trained once, whoever asks
first.
"""

import argparse
import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

from reproduction import command_line
from reproduction.results.progress import watch
from reproduction.slicing import summary
from reproduction.slicing.comparison.reference_curves import CHANGES, write_reference
from reproduction.slicing.comparison.reference_federations import (
    UNEQUAL,
    reference_data,
    reference_settings,
    tidy_curves,
)
from reproduction.slicing.federation.record import FEDERATION
from reproduction.slicing.laboratory import open_laboratory
from reproduction.slicing.settings import PRESETS


def run(options: argparse.Namespace) -> None:
    """Train what is not trained yet, write, and print what moved."""
    settings = reference_settings(PRESETS[options.preset])
    with open_laboratory(
        command_line.figures_folder(options.preset) / "runs",
        options.workers,
        settings=settings,
        slices=tuple(settings.slices),
        seeds=options.seeds,
        data=functools.cache(functools.partial(reference_data, settings)),
        watch=functools.partial(watch, figure="reference"),
    ) as lab:
        frame, data = tidy_curves(lab)
        ending = summary.told(summary.summarise(lab), "plain")
    about = {
        "preset": settings.name,
        "settings": dataclasses.asdict(settings),
        "seeds": list(lab.seeds),
        "command": f"python reproduction/reference.py --preset {settings.name} --seeds {len(options.seeds)}",
        "record_version": FEDERATION.version,
        "trained_with": lab.store.made_with(),
        "data_sha256": data,
        "notes": [f"{UNEQUAL}: eMBB with the first D (k + 1) / K training rows of CL k = 0..K-1"] * (UNEQUAL in data),
    }
    for path in write_reference(options.out / settings.name, frame, about, settings.convergence_tolerance):
        print(path)
        if path.name == CHANGES:
            print(path.read_text(), end="")
    print(*ending, sep="\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="reference.py",
        description="Write the reference curves of a preset, from the federations of the figure scripts, figures/runs "
        "or figures/quick/runs: each is trained once, whoever asks first.",
    )
    command_line.add_preset(parser, list(PRESETS))
    command_line.add_seeds(parser, default=5, or_one=False)
    command_line.add_workers(parser)
    command_line.add_out(
        parser,
        "folder of the references; federations stay where they are (data/reference)",
        default=Path("data/reference"),
    )
    return command_line.parse(parser, arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run with command-line arguments; exits with 2 (one line on standard error) or 130 if it does not end well."""
    options = parse(arguments)
    command_line.stop_like_ctrl_c_on_sigterm()
    with command_line.one_line_errors(stopped=command_line.STOPPED_BETWEEN_ROUNDS):
        run(options)


if __name__ == "__main__":
    main()
