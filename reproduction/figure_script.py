"""What every figure script shares: switches, data, cache, drawing, saving, and one clear line when something is wrong.

Differs from the paper: nothing.
"""

import argparse
import dataclasses
import functools
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from matplotlib.figure import Figure

from reproduction.files import one_line, write_atomically
from reproduction.results import records
from reproduction.results.plotting import save, style
from reproduction.results.progress import LOGS, message, watch
from reproduction.slicing.closed_loop.client import ClientError
from reproduction.slicing.datasets import SLICES, SliceData, generate_slice, load
from reproduction.slicing.federation.workers import Workers
from reproduction.slicing.laboratory import Laboratory
from reproduction.slicing.settings import PRESETS, Settings, SliceSettings

log = logging.getLogger(__name__)

Document = dict[str, Any]

STRICTEST_THRESHOLD = 0.85
"""nu_n of a slice that the paper does not have: the strictest of its three."""


@dataclass(frozen=True, kw_only=True)
class FigureScript:
    """One figure or table of the paper.

    Attributes:
        name: of the files, e.g. "fig5_confidence".
        about: one line for `--help`.
        compute: laboratory -> numbers.
        draw: saved document -> picture.
        slices: run by default on the generated data; a figure of one slice takes the first.
        tables: saved document -> text by file suffix, written beside the picture.
        further: pictures beside the main one, by what is added to `name`.
        presets: settings by name; the first is the default.
        takes_tables: whether `--data` makes sense.

    A variation of the settings is run from Python: `SCRIPT.main(["--out", "mine"], replace(PAPER, rounds=50))`, under
    `if __name__ == "__main__":`, because the workers import the calling script.
    """

    name: str
    about: str
    compute: Callable[[Laboratory], dict[str, Any]]
    draw: Callable[[Document], Figure]
    slices: tuple[str, ...] = SLICES
    tables: Callable[[Document], Mapping[str, str]] = lambda document: {}
    further: Mapping[str, Callable[[Document], Figure]] = field(default_factory=dict)
    presets: Mapping[str, Settings] = field(default_factory=lambda: PRESETS)
    takes_tables: bool = True

    def main(self, arguments: list[str] | None = None, settings: Settings | None = None) -> None:
        """Run with command-line arguments, and `settings` in place of the preset's.

        Exits with 2 (one line on standard error) or 130 (Ctrl-C, SIGTERM) if it does not end well.
        """
        options = _parse(self, arguments)
        with one_line_errors(options.log):
            self.run(options, settings or self.presets[options.preset])

    def run(self, options: argparse.Namespace, settings: Settings) -> None:
        """Compute unless `--redraw`, then draw and save."""
        numbers = options.out / f"{self.name}.json"
        if not options.redraw:
            document = self.document(options, settings)
            records.write_record(numbers, document)
        document = records.read_record(numbers) if numbers.exists() else _nothing_to_redraw(numbers)
        with style():
            for suffix, draw in {"": self.draw, **self.further}.items():
                for path in save(draw(document), options.out, self.name + suffix):
                    print(message(options.log, "wrote", str(path)))
        for suffix, text in self.tables(document).items():
            path = options.out / f"{self.name}{suffix}"
            write_atomically(path, text.encode())
            print(message(options.log, "wrote", str(path)))

    def document(self, options: argparse.Namespace, settings: Settings) -> Document:
        """Return the figure's numbers with everything that led to them."""
        data = None
        if options.data:
            settings, data = _from_tables(settings, options.data, options.schema, options.seeds[0])
        slices = self.choose(options.slices, settings, tuple(settings.slices) if data else self.slices)
        with open_laboratory(
            options.out / "runs",
            options.workers,
            settings=settings,
            slices=slices,
            seeds=options.seeds,
            data=functools.cache(data or functools.partial(generated, settings)),
            watch=functools.partial(watch, figure=self.name, log=options.log, log_dir=options.log_dir),
        ) as laboratory:
            result = self.compute(laboratory)
        return {
            "figure": self.name,
            "preset": settings.name,
            "settings": dataclasses.asdict(settings),
            "data": {
                "source": options.schema or "generator",
                "slices": {
                    name: _describe(laboratory.data(name, options.seeds[0], settings.clients)) for name in slices
                },
            },
            "seeds": list(options.seeds),
            "trained_with": laboratory.trained_with(),
            "drawn_with": records.provenance(),
            "result": result,
        }

    def choose(self, wanted: list[str] | None, settings: Settings, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the slices to run.

        Raises:
            ValueError: for a slice that is not in the data, or several for a figure of one.
        """
        for name in wanted or ():
            if name not in settings.slices:
                raise ValueError(f"--slices: no slice {name!r} in the data; there are {', '.join(settings.slices)}")
        shows_one = len(self.slices) == 1
        if not wanted:
            return default[:1] if shows_one else default
        if shows_one and len(wanted) > 1:
            raise ValueError(f"--slices: {self.name} shows one slice, got {len(wanted)}; name one")
        return tuple(wanted)


def _parse(script: FigureScript, arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"{script.name}.py", description=script.about)
    add = parser.add_argument
    presets = list(script.presets)
    add("--preset", choices=presets, default=presets[0], help=f"settings: in full, or a quick look ({presets[0]})")
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seeds", type=int, metavar="N", default=1, help="run the seeds 0..N-1 (1)")
    seeds.add_argument("--seed", type=int, metavar="S", help="run this one seed")
    add("--slices", nargs="+", metavar="NAME", help=f"slices to run ({', '.join(script.slices)})")
    if script.takes_tables:
        add("--data", nargs="+", type=Path, metavar="TABLE", help="CSV or Parquet, not the generator; needs --schema")
        add("--schema", metavar="SCHEMA", help="JSON file that declares the columns, or tractor[:SLICE], or ranalyzer")
    parser.set_defaults(data=None, schema=None)
    add("--workers", type=int, metavar="N", help="processes that train (one per core); no effect on the numbers")
    add("--out", type=Path, metavar="DIR", help="where pictures, numbers and runs go (figures, or figures/quick)")
    add("--log", choices=LOGS, default=LOGS[0], help="progress: a bar if on a terminal, lines, or JSON lines (auto)")
    add("--log-dir", type=Path, metavar="DIR", help="write the curves for TensorBoard too, a folder per federation")
    add("--redraw", action="store_true", help="only draw again, from the numbers saved in DIR")
    options = parser.parse_args(arguments)
    if (options.data is None) != (options.schema is None):
        parser.error("--data and --schema go together")
    if options.seeds < 1 or (options.seed is not None and options.seed < 0):
        parser.error("--seeds must be at least 1 and --seed at least 0")
    if options.workers is not None and options.workers < 1:
        parser.error("--workers must be at least 1")
    options.seeds = tuple(range(options.seeds)) if options.seed is None else (options.seed,)
    options.out = options.out or Path("figures") / ("quick" if options.preset == "quick" else "")
    logging.basicConfig(format="%(message)s")
    logging.getLogger("reproduction").setLevel(logging.WARNING if options.log == "json" else logging.INFO)
    return options


def generated(settings: Settings, name: str, seed: int, clients: int) -> SliceData:
    """Return a slice from the generator, in the settings' size."""
    return generate_slice(
        name, seed=seed, clients=clients, samples=settings.samples, test_samples=settings.test_samples
    )


def _from_tables(settings: Settings, tables: list[Path], schema: str, seed: int) -> tuple[Settings, Callable]:
    """Return the settings with the tables' slices in place of the paper's, and the source of their data."""

    @functools.cache
    def read(seed: int) -> dict[str, SliceData]:
        return {data.name: data for data in load(tables, schema, seed=seed)}

    def source(name: str, seed: int, clients: int) -> SliceData:
        data = read(seed)[name]
        return data.subset(min(clients, len(data.clients)))

    slices = {}
    for name, data in read(seed).items():
        lower, upper = data.sla_percent
        known = settings.slices.get(name, SliceSettings(confidence_threshold=STRICTEST_THRESHOLD))
        slices[name] = dataclasses.replace(known, lower_percent=lower, upper_percent=upper)
        log.info("%s: %d clients; %s", name, len(data.clients), "; ".join(data.notes) or "nothing left out")
    most = max(len(data.clients) for data in read(seed).values())
    clients = min(settings.clients, most) if settings.name == "quick" else most
    return dataclasses.replace(settings, slices=slices, clients=clients), source


def _describe(data: SliceData) -> dict[str, Any]:
    return {
        "target": f"{data.target_name} [{data.target_unit}]",
        "features": list(data.feature_names),
        "clients": len(data.clients),
        "training_samples": sum(len(client.train_target) for client in data.clients),
        "test_samples": sum(len(client.test_target) for client in data.clients),
        "left_out": list(data.notes),
        "sha256": data.digest(),
    }


def _nothing_to_redraw(path: Path) -> Document:
    raise FileNotFoundError(f"{path}: no saved numbers to redraw; run once without --redraw")


@contextmanager
def one_line_errors(log_as: str = "auto") -> Iterator[None]:
    """Exit with 2 (one line on standard error) or 130 (Ctrl-C, SIGTERM) if what is done within does not end well.

    Args:
        log_as: one of `progress.LOGS`, how lines are written.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        stopped = "stopped; finished rounds are saved, run the same command again to resume"
        print(message(log_as, "stopped", stopped), file=sys.stderr)
        sys.exit(130)
    except (ValueError, TypeError, OSError, ClientError, RuntimeError) as error:
        log.debug("what went wrong", exc_info=True)
        print(message(log_as, "error", one_line(error)), file=sys.stderr)
        sys.exit(2)


@contextmanager
def open_laboratory(folder: Path, workers: int | None, **fields: Any) -> Iterator[Laboratory]:
    """Open a laboratory whose records live in `folder`, with a pool of workers; refuse a folder in use.

    Args:
        folder: made if it is not there.
        workers: processes, one per core if None.
        **fields: the laboratory's others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder), Workers(workers) as pool:
        yield Laboratory(pool=pool, folder=folder, **fields)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Refuse to share an output folder with a running process."""
    try:
        with FileLock(folder / ".lock", blocking=False):
            for partial in [*folder.glob("*.partial"), *folder.parent.glob("*.partial")]:
                partial.unlink()  # of a process that was killed while it wrote
            yield
    except Timeout as error:
        raise RuntimeError(f"{folder}: another process works here; wait for it, or choose another --out") from error
