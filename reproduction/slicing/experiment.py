"""One function per figure: from the records of finished federations to the numbers that the figure draws.

Every function returns plain lists and numbers, ready for JSON; NaN stands for "not defined".

Differs from the paper: five seeds and their spread instead of one run.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from reproduction.results.progress import Job
from reproduction.results.records import decode
from reproduction.slicing.federation.in_process import single_thread
from reproduction.slicing.federation.server import State, fl_round
from reproduction.slicing.laboratory import Laboratory, Payload, assign, clients_of, new_payload, state_of
from reproduction.slicing.metrics import convergence_round, kilobytes_per_round
from reproduction.slicing.schemes import IN_HOC, MAIN_SCHEMES, SCHEMES

Result = dict[str, Any]

EXPLAINED_SAMPLES, BACKGROUND_SAMPLES = 300, 50


def convergence(lab: Laboratory) -> Result:
    """Fig. 4: training MSE [%^2] against FL round."""
    return {"slices": {name: {label: _curves(lab, name, label) for label in MAIN_SCHEMES} for name in lab.slices}}


def confidence(lab: Laboratory) -> Result:
    """Fig. 5: (a) confidence against round; (b) test confidence over the CLs, per explainer."""
    return {
        "slices": {
            name: {
                "threshold": lab.settings.slices[name].confidence_threshold,
                "rounds": {label: _curves(lab, name, label) for label in MAIN_SCHEMES},
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
        rounds = _curves(lab, name, label)["convergence_round"]
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
    return {"slice": name, "clients": {str(count): _curves(lab, name, IN_HOC, count) for count in counts}}


def overhead(lab: Laboratory) -> Result:
    """Table IV: convergence round, KB per round and KB to convergence."""
    name = lab.slices[0]
    return {"slice": name, "schemes": {label: _curves(lab, name, label) for label in MAIN_SCHEMES}}


def attributions(lab: Laboratory) -> Result:
    """Fig. 6: SHAP and IG of the slice's final models on test samples, against the zero baseline.

    Returns:
        per model and seed the mean |attribution| of both [Q], their rank correlation, and the mean |SHAP| against a
        background of training samples [Q]; for the first seed also the samples [n, Q] in physical units and both
        attributions [n, Q] in % of the target.
    """
    name = lab.slices[0]
    data = lab.data(name, lab.seeds[0], lab.settings.clients)
    return {
        "slice": name,
        "target": data.target_name,
        "feature_names": list(data.feature_names),
        "feature_units": list(data.feature_units),
        "models": {label: [_explain_model(lab, name, label, seed) for seed in lab.seeds] for label in MAIN_SCHEMES},
    }


def _explain_model(lab: Laboratory, name: str, label: str, seed: int) -> Result:
    """Explain one final model; see `attributions`."""
    single_thread()
    import shap
    from scipy.stats import spearmanr

    from reproduction.attribution import explain
    from reproduction.slicing.closed_loop.client_model import keras_model
    from reproduction.slicing.closed_loop.weights import layer_sizes

    data, settings = lab.data(name, seed, lab.settings.clients), lab.settings
    features = _spread_out([client.test_features for client in data.clients], EXPLAINED_SAMPLES)
    background = _spread_out([client.train_features for client in data.clients], BACKGROUND_SAMPLES)
    scaled = features / data.feature_maxima
    weights = decode(_record(lab, name, label, seed)["weights"])
    model = keras_model(weights, layer_sizes(features.shape[1], settings.model), settings.model)

    def shapley(reference: np.ndarray) -> np.ndarray:
        masker = shap.maskers.Independent(reference)
        explainer = shap.explainers.Exact(lambda rows: model(rows.astype(np.float32)).numpy()[:, 0], masker)
        return explainer(scaled, silent=True).values.astype(np.float32)

    shap_values = shapley(np.zeros((1, features.shape[1]), np.float32))
    gradients = explain(model, scaled, method="integrated_gradients", steps=settings.local.integration_steps)
    sizes = np.abs(shap_values).mean(0), np.abs(gradients).mean(0)
    numbers = {
        "seed": seed,
        "mean_abs_shap": sizes[0].tolist(),
        "mean_abs_ig": sizes[1].tolist(),
        "mean_shap": shap_values.mean(0).tolist(),
        "rank_correlation": float(spearmanr(*sizes).statistic),
        "mean_abs_shap_background": np.abs(shapley(background / data.feature_maxima)).mean(0).tolist(),
    }
    if seed == lab.seeds[0]:
        numbers |= {"features": features.tolist(), "shap": shap_values.tolist(), "ig": gradients.tolist()}
    return numbers


def _spread_out(parts: list[np.ndarray], count: int) -> np.ndarray:
    """Take `count` rows at equal distances over all CLs' samples, or all if there are fewer."""
    rows = np.concatenate(parts)
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def _record(lab: Laboratory, slice_name: str, label: str, seed: int, clients: int | None = None) -> Payload:
    return lab.federation(slice_name, *SCHEMES[label], seed, clients)


def _curves(lab: Laboratory, slice_name: str, label: str, clients: int | None = None) -> Result:
    """Collect a scheme's per-round quantities over the seeds, each [seeds, rounds], and what follows from them."""
    runs = [_record(lab, slice_name, label, seed, clients)["rounds"] for seed in lab.seeds]
    quantities = ("mse", "confidence", "inside", "undefined_clients", "empty_epochs", "multiplier", "seconds")
    columns = {name: [_numbers([entry[name] for entry in rounds]) for rounds in runs] for name in quantities}
    tolerance = lab.settings.convergence_tolerance
    return columns | {
        "convergence_round": [convergence_round(mse, tolerance) for mse in columns["mse"]],
        "kb_per_round": kilobytes_per_round([entry for rounds in runs for entry in rounds]),
    }


def _test_scores(lab: Laboratory, slice_name: str, label: str) -> Result:
    """Collect the final model's test confidence per CL [seeds, K] and its test MSE [seeds]."""
    tests = [_record(lab, slice_name, label, seed)["test"] for seed in lab.seeds]
    return {
        "confidence": [_numbers(test["confidence"]) for test in tests],
        "mse": [float(np.mean(_numbers(test["mse"]))) for test in tests],
    }


def constant_predictor(lab: Laboratory, slice_name: str) -> Result:
    """Control: predicting the mean training load scores MSE = variance, and C = 1 if that mean is inside the SLA."""
    sla, errors, inside = lab.settings.slices[slice_name], [], []
    for seed in lab.seeds:
        data = lab.data(slice_name, seed, lab.settings.clients)
        target = np.concatenate([client.train_target for client in data.clients]).astype(float)
        errors.append(float(target.var()))
        inside.append(1.0 if sla.lower_percent <= target.mean() <= sla.upper_percent else float("nan"))
    return {"mse": errors, "confidence": inside}


def _time_rounds(lab: Laboratory, slice_name: str) -> dict[str, list[float]]:
    """Time FL rounds of all schemes in turn, so that the machine's drift hits all alike; the first turn is warm-up."""
    seed = lab.seeds[0]
    data = lab.data(slice_name, seed, lab.settings.clients)
    clients, _ = clients_of(data)
    rounds: dict[str, Callable[[], float]] = {}
    for label, (scheme, explainer) in SCHEMES.items():
        assignment = assign(data, scheme, explainer, seed, lab.settings)
        start: State = state_of(new_payload({}, assignment, clients))
        rounds[label] = functools.partial(_round_seconds, start, assignment, clients, lab)
    seconds: dict[str, list[float]] = {label: [] for label in rounds}
    timing = Job(title=f"{slice_name}, timing all schemes in turn", rounds=lab.settings.timed_rounds)
    with lab.watch(timing) as report:
        for turn in range(lab.settings.timed_rounds + 1):
            for label, run in rounds.items():
                elapsed = run()
                if turn > 0:
                    seconds[label].append(elapsed)
            if turn > 0:
                report(turn, None)
    return seconds


def _round_seconds(start: State, assignment, clients, lab: Laboratory) -> float:
    return fl_round(start, assignment, clients, lab.run)[1].seconds


def _numbers(values: list) -> list[float]:
    """Read JSON's null as NaN."""
    return [float("nan") if value is None else float(value) for value in values]
