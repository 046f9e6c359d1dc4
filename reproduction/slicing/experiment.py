"""One function per figure: from the records of finished federations to the numbers that the figure draws.

Every function returns plain lists and numbers, ready for JSON; NaN stands for "not defined".

Differs from the paper: several seeds and their spread instead of one run.
"""

from typing import Any

import numpy as np

from reproduction.results.progress import Job
from reproduction.results.records import decode
from reproduction.slicing import controls
from reproduction.slicing.datasets import SliceData
from reproduction.slicing.documents import Errors
from reproduction.slicing.explanations import explain_model
from reproduction.slicing.federation.clients import assign, clients_of
from reproduction.slicing.federation.in_process import InProcessFleet
from reproduction.slicing.federation.record import Payload
from reproduction.slicing.federation.server import State, first_state, fl_round
from reproduction.slicing.influences import drivers_of
from reproduction.slicing.laboratory import Laboratory
from reproduction.slicing.metrics import convergence_round, kilobytes_per_round
from reproduction.slicing.schemes import IN_HOC, MAIN_SCHEMES, POST_HOC, SCHEMES

Result = dict[str, Any]


def convergence(lab: Laboratory) -> Result:
    """Fig. 4: training MSE [%^2] against FL round; beside it the final models' errors on test, and the controls'."""
    return {
        "slices": main_curves(lab),
        "errors": {name: {label: final_errors(lab, name, label) for label in MAIN_SCHEMES} for name in lab.slices},
        "controls": {
            name: {label: controls.errors(fit, data_of_seeds(lab, name)) for label, fit in controls.FITS.items()}
            for name in lab.slices
        },
    }


def confidence(lab: Laboratory) -> Result:
    """Fig. 5: (a) confidence against round; (b) test confidence over the CLs, per explainer."""
    return {
        "slices": {
            name: {
                "threshold": lab.settings.slices[name].confidence_threshold,
                "rounds": {label: curves(lab, name, label) for label in MAIN_SCHEMES},
                "test": {label: _test_scores(lab, name, label) for label in SCHEMES},
                "constant predictor": constant_predictor(lab, name),
            }
            for name in lab.slices
        }
    }


def convergence_time(lab: Laboratory) -> Result:
    """Fig. 7: seconds to convergence = rounds to convergence x median seconds per round."""
    name = lab.slices[0]
    seconds = _time_rounds(lab, name)
    schemes = {}
    for label in SCHEMES:
        rounds = curves(lab, name, label)["convergence_round"]
        per_round = float(np.median(seconds[label]))
        schemes[label] = {
            "rounds": rounds,
            "timed_seconds": seconds[label],
            "seconds_per_round": per_round,
            "seconds": [per_round * count for count in rounds],
        }
    return {"slice": name, "clients": lab.settings.clients, "schemes": schemes}


def scalability(lab: Laboratory) -> Result:
    """Fig. 8: MSE and confidence against round for several K; time and KB per round against K."""
    name = lab.slices[0]
    most = len(lab.data(name, lab.seeds[0], max(lab.settings.client_counts)).clients)
    counts = sorted({min(count, most) for count in lab.settings.client_counts})
    return {"slice": name, "clients": {str(count): curves(lab, name, IN_HOC, count) for count in counts}}


def overhead(lab: Laboratory) -> Result:
    """Table IV: convergence round, KB per round and KB to convergence."""
    name = lab.slices[0]
    return {"slice": name, "schemes": {label: curves(lab, name, label) for label in MAIN_SCHEMES}}


def attributions(lab: Laboratory) -> Result:
    """Fig. 6: SHAP and IG of the slice's final models on test samples, against the zero baseline.

    Returns:
        per model and seed what `explanations.explain_model` gives; for the first seed also the samples themselves.
    """
    name = lab.slices[0]
    data = lab.data(name, lab.seeds[0], lab.settings.clients)
    models: dict[str, list[Result]] = {label: [] for label in MAIN_SCHEMES}
    for label, explained in models.items():
        runs = zip(lab.seeds, _records(lab, name, label), data_of_seeds(lab, name), strict=True)
        for seed, record, here in runs:
            weights = decode(record["weights"])
            explained.append({"seed": seed} | explain_model(weights, here, lab.settings, points=seed == lab.seeds[0]))
    return {
        "slice": name,
        "target": data.target_name,
        "feature_names": list(data.feature_names),
        "feature_units": list(data.feature_units),
        "models": models,
    }


def influences(lab: Laboratory) -> Result:
    """Return which CLs' training samples drive the post-hoc models out of their SLA, per slice and seed."""
    found: dict[str, list[Result]] = {}
    for name in lab.slices:
        runs = zip(lab.seeds, _records(lab, name, POST_HOC), data_of_seeds(lab, name), strict=True)
        found[name] = [
            {"seed": seed} | drivers_of(decode(record["weights"]), here, lab.settings, lab.settings.slices[name])
            for seed, record, here in runs
        ]
    return {"scheme": POST_HOC, "slices": found}


def main_curves(lab: Laboratory) -> dict[str, Result]:
    """Return the curves of in-hoc (IG) and post-hoc in every slice."""
    return {name: {label: curves(lab, name, label) for label in MAIN_SCHEMES} for name in lab.slices}


def data_of_seeds(lab: Laboratory, slice_name: str, clients: int | None = None) -> list[SliceData]:
    """Return a slice's data of each seed."""
    return [lab.data(slice_name, seed, clients or lab.settings.clients) for seed in lab.seeds]


def _records(lab: Laboratory, slice_name: str, label: str, clients: int | None = None) -> list[Payload]:
    return [lab.federation(slice_name, *SCHEMES[label], seed, clients) for seed in lab.seeds]


def curves(lab: Laboratory, slice_name: str, label: str, clients: int | None = None) -> Result:
    """Collect a scheme's per-round quantities over the seeds, each [seeds, rounds], and what follows from them."""
    runs = [record["rounds"] for record in _records(lab, slice_name, label, clients)]
    quantities = ("mse", "confidence", "inside", "undefined_clients", "empty_epochs", "multiplier", "seconds")
    columns = {name: [_numbers([entry[name] for entry in rounds]) for rounds in runs] for name in quantities}
    tolerance = lab.settings.convergence_tolerance
    return columns | {
        "convergence_round": [convergence_round(mse, tolerance) for mse in columns["mse"]],
        "kb_per_round": kilobytes_per_round([entry for rounds in runs for entry in rounds]),
    }


def final_errors(lab: Laboratory, slice_name: str, label: str, clients: int | None = None) -> Errors:
    """Return what is left of a scheme's error in the end, on training and on test samples."""
    return controls.errors_of(_records(lab, slice_name, label, clients), data_of_seeds(lab, slice_name, clients))


def _test_scores(lab: Laboratory, slice_name: str, label: str) -> Result:
    """Collect the final model's test confidence per CL [seeds, K] and its test MSE [seeds]."""
    tests = [record["test"] for record in _records(lab, slice_name, label)]
    return {
        "confidence": [_numbers(test["confidence"]) for test in tests],
        "mse": final_errors(lab, slice_name, label)["test_mse"],
    }


def constant_predictor(lab: Laboratory, slice_name: str) -> Result:
    """Control: the mean training load for every sample, its MSE and its confidence."""
    slices = data_of_seeds(lab, slice_name)
    return {
        "mse": controls.errors(controls.constant, slices)["mse"],
        "confidence": controls.constant_confidence(slices, lab.settings.slices[slice_name]),
    }


def _time_rounds(lab: Laboratory, slice_name: str) -> dict[str, list[float]]:
    """Time FL rounds of all schemes in turn, so that the machine's drift hits all alike; the first turn is warm-up."""
    seed = lab.seeds[0]
    data = lab.data(slice_name, seed, lab.settings.clients)
    training, _ = clients_of(data)
    starts: dict[str, tuple[State, InProcessFleet]] = {}
    for label, (scheme, explainer) in SCHEMES.items():
        assignment = assign(data, scheme, explainer, seed, lab.settings)
        starts[label] = first_state(assignment), InProcessFleet(assignment, training, pool=lab.pool)
    seconds: dict[str, list[float]] = {label: [] for label in starts}
    timing = Job(title=f"{slice_name}, timing all schemes in turn", steps=lab.settings.timed_rounds)
    with lab.watch(timing) as on_round:
        for turn in range(lab.settings.timed_rounds + 1):
            for label, (state, fleet) in starts.items():
                _, result = fl_round(state, fleet)
                if turn > 0:
                    seconds[label].append(result.trained.seconds)
            if turn > 0:
                on_round(turn, None)
    return seconds


def _numbers(values: list) -> list[float]:
    """Read JSON's null as NaN."""
    return [float("nan") if value is None else float(value) for value in values]
