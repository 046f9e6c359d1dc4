"""Make a channel estimator smaller: train it, let LRP choose, search the cheapest that meets a target, and export it.

    python reproduction/xrefine/refine.py --channel VTV_SDWW --modulation QPSK --target-ber 1.1 --out DIR
    python reproduction/xrefine/refine.py --taps my.csv --modulation 16QAM --out DIR     # delay_ns,power_db
    python reproduction/xrefine/refine.py --pairs my.npz --out DIR                       # inputs, targets [n, 104]

Writes refined.keras and refined.tflite, which read the kept features as they come and give all estimates, and
report.json: what was kept, what it costs and how well it does. Of pairs the error is the mean square on a held-out
fifth, in place of bit errors at 20 dB and above.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproduction import command_line
from reproduction.files import bytes_of, read_arrays, require_writable, write_atomically
from reproduction.ofdm.frame import PILOTS
from reproduction.ofdm.taps import PROFILES, read_taps
from reproduction.results.processes import single_thread
from reproduction.results.progress import message
from reproduction.results.records import provenance
from reproduction.seeds import generator
from reproduction.xrefine.case import counted
from reproduction.xrefine.cost import flops, multiplications, parameters
from reproduction.xrefine.export import as_tflite, folded
from reproduction.xrefine.network import FEATURES, Kept, Weights, all_of, as_keras, cut_out, first_weights, masks_of
from reproduction.xrefine.pruning import Size, best, staircase
from reproduction.xrefine.rankings import Subject, relevance
from reproduction.xrefine.samples import Pairs, Scaler, scaler_of
from reproduction.xrefine.settings import PAPER, QUICK, Settings
from reproduction.xrefine.training import order_seed, trained

PRESETS = {preset.name: preset for preset in (PAPER, QUICK)}


@dataclass(frozen=True)
class Task:
    """What a network is refined for.

    Attributes:
        learned_from: the training samples, as they come.
        held_out: what LRP looks at.
        scalers: of inputs and targets, from the training samples.
        error: of a network, given its full-size weights and what is kept of it.
    """

    learned_from: Pairs
    held_out: Pairs
    scalers: tuple[Scaler, Scaler]
    error: Callable[[Weights, Kept], float]

    def scaled(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets, standardised."""
        return self.scalers[0].scaled(pairs.inputs), self.scalers[1].scaled(pairs.targets)


def main(arguments: Sequence[str] | None = None, settings: Settings | None = None) -> None:
    """Run the command line; exits with 2 (one line on standard error) or 130 if it does not end well."""
    options = _parse(arguments)
    command_line.stop_like_ctrl_c_on_sigterm()
    with command_line.one_line_errors(options.log):
        single_thread()
        chosen = settings or PRESETS[options.preset]
        chosen = dataclasses.replace(chosen, target=options.target_ber)
        task = _task(options, chosen)
        require_writable(options.out)

        def tell(line: str) -> None:
            print(message(options.log, "step", line), file=sys.stderr, flush=True)

        for name, content in refined(task, chosen, options.seed, tell).items():
            write_atomically(options.out / name, content)
            print(message(options.log, "wrote", str(options.out / name)))


def refined(task: Task, settings: Settings, seed: int, tell: Callable[[str], None]) -> dict[str, bytes]:
    """Refine a network; return the files by name. `tell` hears what is being done, a line at a time.

    Raises:
        ValueError: no size meets the target, the full one's own included.
    """
    samples, whole = task.scaled(task.learned_from), all_of(settings.hidden)

    def train(weights: Weights, kept: Kept, purpose: str) -> Weights:
        masks = masks_of(kept, settings.hidden)
        return trained(weights, masks, *samples, settings.training, order_seed(seed, purpose))

    tell(f"training {settings.full.widths} on {len(samples[0])} samples")
    weights = train(first_weights(settings.hidden, generator(seed, "weights")), whole, "full")
    reference = task.error(train(weights, whole, "retraining"), whole)
    scores = relevance(Subject(weights, *task.scaled(task.held_out), seed))
    tried: dict[Size, tuple[Kept, Weights, float]] = {settings.full: (whole, weights, reference)}

    def meets(size: Size) -> bool:
        if size not in tried:
            kept = best(scores, size, PILOTS.tolist())
            small = train(weights, kept, "retraining")
            tried[size] = kept, small, task.error(small, kept)
            ratio = tried[size][2] / reference
            tell(f"{size.subcarriers} subcarriers, {size.neurons} neurons: {ratio:.3f} x the errors")
        return tried[size][2] <= settings.target * reference

    found = staircase(settings.grid, meets)
    if found.size is None:
        raise ValueError(f"--target-ber must be met by some size, got {settings.target:g}; 1.1 is usual.")
    kept, small, error = tried[found.size]
    exported = folded(cut_out(small, kept), kept, *task.scalers)
    return {
        "refined.keras": bytes_of(as_keras(exported).save, "refined.keras"),
        "refined.tflite": as_tflite(exported),
        "report.json": _report(kept, settings, error / reference, len(found.looked_at)),
    }


def _report(kept: Kept, settings: Settings, ratio: float, looked_at: int) -> bytes:
    """Return what was kept and what it costs, as JSON."""
    full, small = settings.full.widths, kept.widths
    report = {
        "subcarriers": list(kept.subcarriers),
        "features": kept.features.tolist(),
        "neurons": [list(layer) for layer in kept.neurons],
        "errors_over_the_full_networks": ratio,
        "sizes_retrained": looked_at,
        "cost": {
            name: {"full": of(full), "refined": of(small)}
            for name, of in {"parameters": parameters, "mac": multiplications, "flops": flops}.items()
        },
        "made_with": provenance(("tensorflow", "numpy")),
    }
    return json.dumps(report, indent=1).encode()


def _task(options: argparse.Namespace, settings: Settings) -> Task:
    """Return what the switches ask for."""
    if options.pairs:
        return of_pairs(read_pairs(options.pairs), options.seed)
    from reproduction.xrefine.bench import Bench, Case

    taps = read_taps(options.taps) if options.taps else PROFILES[options.channel]
    bench = Bench(Case(settings, options.channel, options.modulation, options.seed), taps)

    def error(weights: Weights, kept: Kept) -> float:
        return counted(settings, bench.errors(weights, kept)) or 0.5  # of none, half a one

    return Task(bench.learned_from, bench.held_out, bench.scalers, error)


def of_pairs(pairs: Pairs, seed: int) -> Task:
    """Return a task of one's own pairs: three fifths are learned from, a fifth each is looked at and held to."""
    order = generator(seed, "pairs").permutation(len(pairs.inputs))
    learned, looked_at, test = (
        Pairs(pairs.inputs[places], pairs.targets[places], pairs.ebno_db[places])
        for places in np.split(order, [3 * len(order) // 5, 4 * len(order) // 5])
    )
    scalers = scaler_of(learned.inputs), scaler_of(learned.targets)

    def error(weights: Weights, kept: Kept) -> float:
        small = folded(cut_out(weights, kept), kept, *scalers)
        given = np.asarray(as_keras(small)(test.inputs[:, kept.features]))
        return float(np.mean((given - test.targets) ** 2, dtype=float))

    return Task(learned, looked_at, scalers, error)


def read_pairs(path: Path) -> Pairs:
    """Read recorded pairs.

    Args:
        path: an .npz file with `inputs` and `targets`, [n, 104] each: real parts of 52 subcarriers, then imaginary.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, or holds too few samples, other columns, or what is no finite number.
    """
    arrays = read_arrays(path, "inputs", "targets")
    for name, array in arrays.items():
        if array.ndim != 2 or array.shape[1] != FEATURES:
            raise ValueError(f"{path}: {name} must be [n, {FEATURES}], got {list(array.shape)}; Re of 52, then Im.")
    if len(arrays["inputs"]) != len(arrays["targets"]):
        raise ValueError(
            f"{path}: inputs and targets must be as many, got {len(arrays['inputs'])} and {len(arrays['targets'])}."
        )
    least = 5 * PAPER.training.batch
    if len(arrays["inputs"]) < least:
        raise ValueError(f"{path}: pairs must be at least {least}, got {len(arrays['inputs'])}; record more of them.")
    return Pairs(arrays["inputs"], arrays["targets"], np.zeros(len(arrays["inputs"])))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="refine.py", description=__doc__.splitlines()[0])
    command_line.add_preset(parser, list(PRESETS))
    command_line.add_log(parser)
    where = parser.add_mutually_exclusive_group()
    channels = ", ".join(PROFILES)
    where.add_argument("--channel", default="VTV_SDWW", metavar="NAME", help=f"{channels} (VTV_SDWW)")
    where.add_argument("--taps", type=Path, metavar="CSV", help="a channel of your own: columns delay_ns, power_db")
    where.add_argument("--pairs", type=Path, metavar="NPZ", help="your own samples: inputs and targets [n, 104]")
    parser.add_argument("--modulation", default="QPSK", metavar="NAME", help="QPSK, 16QAM or 64QAM (QPSK)")
    target = "at most X times the full network's errors (1.1)"
    parser.add_argument("--target-ber", type=float, default=PAPER.target, metavar="X", help=target)
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of samples and weights (0)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the models and the report go")
    options: Any = parser.parse_args(arguments)
    if options.channel not in PROFILES:
        parser.error(f"--channel must be one of {channels}, got {options.channel!r}")
    if not options.target_ber > 0.0:
        parser.error(f"--target-ber must be a number above 0, got {options.target_ber:g}")
    if options.seed < 0:
        parser.error(f"--seed must be at least 0, got {options.seed}")
    return options


if __name__ == "__main__":
    main()
