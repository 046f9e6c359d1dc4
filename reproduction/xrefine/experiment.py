"""From the records of all cases to the numbers of each figure: one function per figure.

Numbers stay per seed, in the order of the seeds. What a network's errors are counted against is the full network,
trained for as long as one that was cut is in all, on the same samples and the same frames.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.results.store import Payload
from reproduction.xrefine.case import DELETED, counted, decoded, errors_of, ratio_of
from reproduction.xrefine.choices import X_REFINE, key_of
from reproduction.xrefine.cost import flops, multiplications, parameters
from reproduction.xrefine.network import FEATURES, Weights, forward
from reproduction.xrefine.rankings import RANKINGS
from reproduction.xrefine.settings import Settings

RIVALS = (
    *RANKINGS,
    "random",
    "evenly spaced",
    "LRP reversed",
    "from scratch, LRP's choice",
    "from scratch, evenly spaced",
    "LRP, inputs alone",
    "XAI-CHEST, inputs alone",
    "random, inputs alone",
    "LRP, neurons alone",
)
"""What is compared at every budget; "random" is the mean over its draws."""

TIMED = 5000
"""Calls of each kind, of which the time for one symbol is the median."""

Result = dict[str, Any]


@dataclass(frozen=True)
class Records:
    """All cases of a study.

    Attributes:
        settings: of the study.
        seeds: in their order.
        records: of each channel and modulation, one per seed.
    """

    settings: Settings
    seeds: tuple[int, ...]
    records: Mapping[tuple[str, str], Sequence[Payload]]

    def each(self, of_case: Callable[[Sequence[Payload]], Result]) -> Result:
        """Return a result per channel and modulation, under `cases`."""
        return {
            "cases": [
                {"channel": channel, "modulation": modulation, **of_case(several)}
                for (channel, modulation), several in self.records.items()
            ]
        }


def error_rates(study: Records) -> Result:
    """Return bit error rates against Eb/N0: of estimates without a network, the full one, and the one found."""

    def of_case(several: Sequence[Payload]) -> Result:
        return {
            "ebno_db": list(study.settings.ebno_db),
            "uncoded": _rates(several, _uncoded, "bits"),
            "coded": _rates(several, lambda record: record["coded"], "coded_bits"),
            "bits": several[0]["bits"],
            "coded_bits": several[0]["coded_bits"],
        }

    def _uncoded(record: Payload) -> Mapping[str, Sequence[int]]:
        size = record["searches"]["exhaustive"]["size"]
        of_size = study.settings.size(*size) if size else study.settings.full
        found = errors_of(study.settings, record, X_REFINE, of_size)
        return {**record["conventional"], "full": record["full"]["errors_retrained"], X_REFINE: found}

    return study.each(of_case)


def _rates(
    several: Sequence[Payload], errors: Callable[[Payload], Mapping[str, Sequence[int]]], bits: str
) -> dict[str, list[list[float]]]:
    """Return rates [seeds][Eb/N0] by name."""
    found: dict[str, list[list[float]]] = {}
    for record in several:
        for name, counts in errors(record).items():
            found.setdefault(name, []).append([count / record[bits] for count in counts])
    return found


def trade_off(study: Records) -> Result:
    """Return errors, in units of the full network's, against FLOPs: of X-REFINE's sizes, and of all rivals."""
    settings = study.settings

    def rival(record: Payload, name: str, budget: Sequence[int]) -> tuple[float | None, int | None]:
        if name.startswith("random"):
            names = [name.replace("random", f"random {number}", 1) for number in range(settings.random_draws)]
        else:
            names = [name]
        keys = [key_of(one, settings.size(*budget)) for one in names]
        if keys[0] not in record["networks"]:
            return None, None
        networks = [record["networks"][key] for key in keys]
        return float(np.mean([ratio_of(settings, record, one["errors"]) for one in networks])), networks[0]["flops"]

    def of_case(several: Sequence[Payload]) -> Result:
        grid = [size for row in settings.grid for size in row]
        return {
            "full_flops": settings.full.flops,
            X_REFINE: [
                {
                    "size": [size.subcarriers, size.neurons[0]],
                    "flops": size.flops,
                    "ratios": [
                        ratio_of(settings, record, errors_of(settings, record, X_REFINE, size)) for record in several
                    ],
                }
                for size in grid
            ],
            "rivals": {
                name: [
                    {
                        "budget": list(budget),
                        "flops": rival(several[0], name, budget)[1],
                        "ratios": [rival(record, name, budget)[0] for record in several],
                    }
                    for budget in settings.budgets
                ]
                for name in RIVALS
            },
            "searches": {
                name: [record["searches"][name] for record in several] for name in ("exhaustive", "staircase")
            },
        }

    return study.each(of_case)


def relevance(study: Records) -> Result:
    """Return the relevance of subcarriers at each Eb/N0 and of neurons, the classes, and how high the pilots rank."""
    from reproduction.ofdm.frame import PILOTS

    def of_case(several: Sequence[Payload]) -> Result:
        seen = [record["relevance"] for record in several]
        by_ebno = np.array([one["by_ebno"] for one in seen])
        shares = by_ebno / by_ebno.sum(axis=2, keepdims=True)
        overall = by_ebno.mean(axis=1)
        ranks = overall.argsort(axis=1).argsort(axis=1) / (overall.shape[1] - 1)
        return {
            "ebno_db": list(study.settings.ebno_db),
            "by_ebno": shares.mean(axis=0).tolist(),
            "neurons": [one["neurons"] for one in seen],
            "classes": [one["classes"] for one in seen],
            "pilots": PILOTS.tolist(),
            "pilot_ranks": ranks[:, PILOTS].mean(axis=1).tolist(),
        }

    return study.each(of_case)


def deletion(study: Records) -> Result:
    """Return errors, in units of the full network's, as the best subcarriers are taken away by each ranking."""

    def of_case(several: Sequence[Payload]) -> Result:
        curves: dict[str, list[list[float]]] = {}
        for record in several:
            whole = max(1, counted(study.settings, record["full"]["errors"]))
            of_seed: dict[str, list[list[float]]] = {}
            for name, by_share in record["deletion"].items():
                ratios = [counted(study.settings, errors) / whole for errors in by_share]
                of_seed.setdefault("random" if name.startswith("random") else name, []).append(ratios)
            for name, several_draws in of_seed.items():
                curves.setdefault(name, []).append(np.mean(several_draws, axis=0).tolist())
        return {"shares": list(DELETED), "curves": curves}

    return study.each(of_case)


def complexity(study: Records) -> Result:
    """Return what an estimate costs before and after: by formula of every seed, and measured of the first."""

    def cost(widths: Sequence[int]) -> dict[str, int]:
        return {"parameters": parameters(widths), "mac": multiplications(widths), "flops": flops(widths)}

    def of_case(several: Sequence[Payload]) -> Result:
        refined = [cost(_found_widths(record)) for record in several]
        full = cost(study.settings.full.widths)
        weights = {
            "full": decoded(several[0]["full"]["weights"], study.settings.full.widths),
            "refined": decoded(several[0]["found"]["weights"], _found_widths(several[0])),
        }
        return {
            "full": full,
            "refined": {name: [one[name] for one in refined] for name in full},
            "measured": measured(weights),
        }

    return study.each(of_case)


def _found_widths(record: Payload) -> tuple[int, ...]:
    kept = record["found"]
    return (2 * len(kept["subcarriers"]), *map(len, kept["neurons"]), FEATURES)


def measured(networks: Mapping[str, Weights]) -> dict[str, dict[str, float]]:
    """Return of each network the bytes as a TensorFlow Lite model, and the median microseconds that one symbol takes.

    A symbol takes that long in TensorFlow Lite's interpreter, and in TensorFlow, compiled; networks take turns.
    """
    from reproduction.xrefine.export import as_tflite, interpreter_of

    contents = {name: as_tflite(weights) for name, weights in networks.items()}
    calls: dict[tuple[str, str], Callable[[], Any]] = {}
    for name, weights in networks.items():
        interpreter = interpreter_of(contents[name])
        row = np.ones((1, len(weights[0])), np.float32)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row)
        calls[name, "microseconds"] = interpreter.invoke
        calls[name, "microseconds_compiled"] = compiled_call(weights, row)
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for _ in range(TIMED):
        for key, call in calls.items():
            begun = time.perf_counter()
            call()
            seconds[key].append(time.perf_counter() - begun)
    found: dict[str, dict[str, float]] = {name: {"tflite_bytes": len(content)} for name, content in contents.items()}
    for (name, quantity), several in seconds.items():
        found[name][quantity] = 1e6 * statistics.median(several)
    return found


def compiled_call(weights: Weights, row: np.ndarray) -> Callable[[], Any]:
    """Return a call that lets a network, compiled for one symbol, estimate from this row."""
    import tensorflow as tf

    constants, given = [tf.constant(weight) for weight in weights], tf.constant(row)
    run = tf.function(lambda features: forward(constants, features), jit_compile=True, autograph=False)
    run(given)
    return lambda: run(given).numpy()
