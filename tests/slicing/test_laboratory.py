"""Federations that are stopped, continued and reused: the numbers must not know."""

import dataclasses
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from reproduction.results import records
from reproduction.results.records import RecordError
from reproduction.slicing.closed_loop import client as closed_loop
from reproduction.slicing.closed_loop.client import ClientError
from reproduction.slicing.federation.clients import assign, clients_of, scaled_baseline
from reproduction.slicing.federation.held import hold
from reproduction.slicing.federation.in_process import Here
from reproduction.slicing.federation.record import FEDERATION
from reproduction.slicing.forecast.paragraph import paragraph
from reproduction.slicing.laboratory import federations, identity
from reproduction.slicing.settings import LocalSettings, ModelSettings, Settings, SliceSettings, without_constraint

RUN = ("eMBB", "in-hoc", "integrated_gradients", 0)
ROOT = Path(__file__).resolve().parents[2]


class Stop(Exception):
    """Somebody pulled the plug."""


def stop_after(number):
    """Return a `watch` that raises once round `number` is on disk."""

    @contextmanager
    def watch(job):
        def report(finished, entry):
            if finished == number:
                raise Stop

        if number == 0:
            raise Stop
        yield report

    return watch


class Refusing:
    """A pool that must not be asked."""

    def map(self, function, held, *own):
        pytest.fail("something was trained or evaluated again")


def log_matrices(payload):
    return records.decode(payload["multipliers"], (-1, 2, 2))


def without_seconds(payload):
    rounds = [entry | {"seconds": None} for entry in payload["rounds"]]
    return payload | {"rounds": rounds}


@pytest.fixture(scope="module")
def uninterrupted(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    return build.laboratory(folder).federation(*RUN), folder


def test_record_of_a_finished_federation(build, uninterrupted):
    payload, folder = uninterrupted
    (path,) = folder.iterdir()
    assert path.name.startswith("eMBB-in-hoc-integrated_gradients-seed0-")
    assert records.read_record(path, FEDERATION) == payload
    assert payload["round_number"] == len(payload["rounds"]) == 3
    assert payload["clients"] == ["CL000", "CL001", "CL002"]
    assert {name: len(column) for name, column in payload["test"].items()} == {"mse": 3, "confidence": 3, "inside": 3}


def test_record_holds_the_models_own_scores(build, uninterrupted):
    """The stored weights, evaluated again, give the stored test scores and the last round's MSE."""
    payload, _ = uninterrupted
    data = build.slice_data()
    settings = build.laboratory("unused").settings
    assignment = assign(data, *RUN[1:], settings)
    training, test = clients_of(data)
    broadcast = records.decode(payload["weights"]).tobytes()
    scores = closed_loop.score(assignment, broadcast, 2, "test", test)
    assert [score.mse for score in scores] == payload["test"]["mse"]
    stored = [np.nan if value is None else value for value in payload["test"]["confidence"]]
    np.testing.assert_array_equal([score.confidence for score in scores], stored)
    scores = closed_loop.score(assignment, broadcast, 2, "training", training)
    expected = np.average([score.mse for score in scores], weights=[40, 30, 35])
    np.testing.assert_allclose(payload["rounds"][-1]["mse"], expected, rtol=1e-12)
    assert log_matrices(payload).shape == (3, 2, 2)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_run_stopped_after_any_round_ends_the_same(build, uninterrupted, tmp_path, number):
    with pytest.raises(Stop):
        build.laboratory(tmp_path, watch=stop_after(number)).federation(*RUN)
    if number:
        (path,) = tmp_path.iterdir()
        assert records.read_record(path, FEDERATION)["round_number"] == number
    else:
        assert not list(tmp_path.iterdir())
    payload = build.laboratory(tmp_path).federation(*RUN)
    assert without_seconds(payload) == without_seconds(uninterrupted[0])


def test_a_run_stopped_twice_with_multipliers_kept_ends_the_same(build, tmp_path):
    """With "keep" the CLs' A are part of the state."""
    local = LocalSettings(epochs=4, tester_batch=16, integration_steps=3, multipliers="keep")
    whole = build.laboratory(tmp_path / "whole", local=local).federation(*RUN)
    for number in (1, 2):
        with pytest.raises(Stop):
            build.laboratory(tmp_path / "parts", local=local, watch=stop_after(number)).federation(*RUN)
    parts = build.laboratory(tmp_path / "parts", local=local).federation(*RUN)
    assert without_seconds(parts) == without_seconds(whole)
    assert not np.allclose(log_matrices(whole), np.log(0.5), atol=1e-3)


def test_a_killed_process_ends_the_same(build, uninterrupted, tmp_path):
    """A real SIGKILL between two rounds, in another process, and this one goes on."""
    script = f"""
        import os, signal
        from contextlib import contextmanager
        from tests.conftest import laboratory

        @contextmanager
        def watch(job):
            yield lambda finished, entry: finished == 2 and os.kill(os.getpid(), signal.SIGKILL)

        laboratory({str(tmp_path)!r}, watch=watch).federation(*{RUN!r})
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    (path,) = tmp_path.iterdir()
    assert records.read_record(path, FEDERATION)["round_number"] == 2
    payload = build.laboratory(tmp_path).federation(*RUN)
    assert without_seconds(payload) == without_seconds(uninterrupted[0])


def test_a_second_call_trains_nothing(build, uninterrupted):
    payload, folder = uninterrupted
    assert build.laboratory(folder, pool=Refusing()).federation(*RUN) == payload  # from disk


def test_a_second_call_on_the_same_laboratory_reads_nothing(build, tmp_path):
    calls = []

    class Counting(Here):
        def map(self, function, held, *own):
            _, _, *shared = function.args
            calls.append((function.func, [samples.count for samples in held.samples], shared))
            return super().map(function, held, *own)

    laboratory = build.laboratory(tmp_path, rounds=1, pool=Counting())
    first = laboratory.federation(*RUN)
    train, training, test = calls
    assert train == (closed_loop.train, [40, 30, 35], [0])
    assert training == (closed_loop.score, [40, 30, 35], [0, "training"])
    assert test == (closed_loop.score, [12, 12, 12], [0, "test"])
    for path in tmp_path.iterdir():
        path.unlink()
    assert laboratory.federation(*RUN) is first
    assert len(calls) == 3


def test_fewer_clients_are_another_federation(build, tmp_path):
    laboratory = build.laboratory(tmp_path, rounds=1)
    assert laboratory.federation(*RUN)["clients"] == ["CL000", "CL001", "CL002"]
    assert laboratory.federation(*RUN, clients=2)["clients"] == ["CL000", "CL001"]
    assert len(list(tmp_path.iterdir())) == 2


def test_post_hoc(build, tmp_path):
    payload = build.laboratory(tmp_path, rounds=2).federation("eMBB", "post-hoc", "integrated_gradients", 0)
    assert [entry["training_confidence"] for entry in payload["rounds"]] == [None, None]
    assert [entry["multiplier"] for entry in payload["rounds"]] == [0.0, 0.0]
    assert payload["rounds"][-1]["confidence"] is not None


def test_an_in_hoc_run_opens_with_the_forecast_of_its_data(build, tmp_path):
    """The forecast module's own line; nothing of a post-hoc run."""
    seen = []

    @contextmanager
    def watch(job):
        seen.append(job.opening())
        yield lambda finished, entry: None

    lab = build.laboratory(tmp_path, rounds=1, watch=watch)
    lab.federation(*RUN)
    lab.federation("eMBB", "post-hoc", *RUN[2:])
    sla = lab.settings.slices["eMBB"]
    assert seen == [paragraph(build.slice_data(), sla, lab.settings.local, seed=0), ""]
    assert seen[0].startswith("Before training, eMBB: ")


def test_a_diverged_client_leaves_the_rounds_before_it(build, tmp_path):
    class Failing(Here):
        def map(self, function, held, *own):
            if function.func is closed_loop.train and function.args[2] == 1:
                spoilt = [dataclasses.replace(one, target=one.target * np.float32(np.nan)) for one in held.samples]
                held = hold(spoilt)
            return super().map(function, held, *own)

    with pytest.raises(ClientError, match="client 'CL000', round 2, local training"):
        build.laboratory(tmp_path, pool=Failing()).federation(*RUN)
    (path,) = tmp_path.iterdir()
    assert records.read_record(path, FEDERATION)["round_number"] == 1


def test_a_torn_record_is_refused(build, tmp_path):
    with pytest.raises(Stop):
        build.laboratory(tmp_path, watch=stop_after(1)).federation(*RUN)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordError, match="delete it to start this run anew"):
        build.laboratory(tmp_path, pool=Refusing()).federation(*RUN)


def test_a_record_of_another_run_is_refused(build, uninterrupted):
    payload, folder = uninterrupted
    (path,) = folder.iterdir()
    store = federations(folder)
    assert store.read(path, payload["identity"])["identity"] == payload["identity"]
    with pytest.raises(RecordError, match="a record of other settings or data; delete it"):
        store.read(path, payload["identity"] | {"seed": 1})


# ---- what decides the numbers


def other_values(settings):
    """Yield (field, a copy of the settings in which this field alone differs)."""
    words = {
        "confidence": "literal",
        "surrogate": "product",
        "multipliers": "keep",
        "returned_iterate": "last",
        "normalisation": "linear",
        "hidden": (3,),
    }
    for entry in dataclasses.fields(settings):
        value = getattr(settings, entry.name)
        other = words.get(entry.name) or (value + 1 if isinstance(value, int) else (value + 0.1) * 0.9)
        yield entry.name, dataclasses.replace(settings, **{entry.name: other})


def test_every_setting_that_decides_the_numbers_is_in_the_identity(build):
    data, settings = build.slice_data(), Settings(slices={"eMBB": SliceSettings(confidence_threshold=0.82)})

    def key(settings, data=data, scheme="in-hoc", explainer="integrated_gradients", seed=0):
        return records.digest(identity(data, assign(data, scheme, explainer, seed, settings), settings))

    variants = {"default": key(settings), "rounds": key(dataclasses.replace(settings, rounds=31))}
    for part in ("local", "model"):
        for name, changed in other_values(getattr(settings, part)):
            variants[name] = key(dataclasses.replace(settings, **{part: changed}))
    for name, changed in other_values(settings.slices["eMBB"]):
        variants[name] = key(dataclasses.replace(settings, slices={"eMBB": changed}))
    variants["scheme"] = key(settings, scheme="post-hoc")
    variants["explainer"] = key(settings, explainer="shapley_exact")
    variants["seed"] = key(settings, seed=1)
    variants["clients"] = key(settings, data=data.subset(2))
    moved = build.slice_data()
    moved.clients[1].train_target[3] += 0.5
    variants["data"] = key(settings, data=moved)
    assert len(variants) == 2 + 15 + 2 + 3 + 5  # a new field must be given another value above
    assert len(set(variants.values())) == len(variants)
    # ... and what decides nothing is not: a preset's name, and what only figures read.
    renamed = dataclasses.replace(settings, name="other", timed_rounds=1, client_counts=(1,), convergence_tolerance=0.1)
    assert key(renamed) == variants["default"]


def test_a_post_hoc_federation_is_not_trained_again_for_the_constraint_alone(build, tmp_path):
    """What its identity leaves out changes none of its numbers, and all that it leaves out is left out."""
    base = build.laboratory(tmp_path).settings
    local = {"multiplier_radius": 0.1, "steepness_per_percent": 9.0, "tester_batch": 5}
    local = dataclasses.replace(base.local, surrogate="product", multipliers="keep", **local)
    slices = {"eMBB": SliceSettings(confidence_threshold=0.5)}
    other = dataclasses.replace(base, local=local, slices=slices)

    def train(name, settings, scheme):
        record = build.laboratory(tmp_path / name, settings=settings).federation(RUN[0], scheme, *RUN[2:])
        return without_seconds(record) | {"provenance": None}

    assert train("a", base, "post-hoc") == train("b", other, "post-hoc")  # the identity is part of the record
    assert train("a", base, "in-hoc")["weights"] != train("b", other, "in-hoc")["weights"]
    for ours, theirs, count in ((base.local, other.local, 5), (base.slices["eMBB"], slices["eMBB"], 1)):
        varied = {name for name, value in vars(ours).items() if getattr(theirs, name) != value}
        assert varied == vars(ours).keys() - without_constraint(ours).keys()
        assert len(varied) == count


def test_a_post_hoc_federation_is_trained_again_for_all_but_the_constraint(build):
    """Each setting by itself: its identity changes unless the setting is left out of it."""
    data, settings = build.slice_data(), Settings(slices={"eMBB": SliceSettings(confidence_threshold=0.82)})

    def key(settings):
        assignment = assign(data, "post-hoc", "integrated_gradients", 0, settings)
        return records.digest(identity(data, assignment, settings))

    variants = {}
    for part in ("local", "model"):
        for name, changed in other_values(getattr(settings, part)):
            variants[name] = key(dataclasses.replace(settings, **{part: changed}))
    for name, changed in other_values(settings.slices["eMBB"]):
        variants[name] = key(dataclasses.replace(settings, slices={"eMBB": changed}))
    assert {name for name, value in variants.items() if value == key(settings)} == {
        "confidence_threshold",
        "multiplier_radius",
        "steepness_per_percent",
        "tester_batch",
        "surrogate",
        "multipliers",
    }


# ---- from a slice's data to clients


def test_clients_are_scaled_sorted_and_padded(build):
    data = build.slice_data(counts=(40, 30, 35))
    data = dataclasses.replace(data, clients=data.clients[::-1])
    training, test = clients_of(data)
    by_name = {client.name: client for client in data.clients}
    assert [client.name for client in training] == [client.name for client in test] == sorted(by_name)
    for client, part in [(one, "train") for one in training] + [(one, "test") for one in test]:
        features = getattr(by_name[client.name], f"{part}_features")
        target = getattr(by_name[client.name], f"{part}_target")
        count = len(target)
        assert client.count == count
        assert client.features.shape == (5, 40)
        np.testing.assert_array_equal(client.features[:, :count].T, features / data.feature_maxima)
        np.testing.assert_array_equal(client.target[:count], target)
        np.testing.assert_array_equal(client.sample_weights, np.arange(40) < count)
        assert not client.features[:, count:].any()
        assert client.features.dtype == client.target.dtype == client.sample_weights.dtype == np.float32


def test_baseline_is_per_role_and_scaled(build):
    local = LocalSettings(baseline_traffic_mbps=0.5, baseline_cqi=3.0, baseline_mimo_percent=20.0)
    data = build.slice_data(maxima=(4.0, 2.0, 1.0, 15.0, 100.0))
    np.testing.assert_allclose(scaled_baseline(data, local), [0.125, 0.25, 0.5, 0.2, 0.2], rtol=1e-7)
    assert not scaled_baseline(data, LocalSettings()).any()
    other = dataclasses.replace(data, features=tuple(dataclasses.replace(one, role="other") for one in data.features))
    assert not scaled_baseline(other, local).any()


def test_the_slices_own_sla_is_assigned(build):
    settings = Settings(model=ModelSettings(hidden=(4,)))
    for name, threshold in {"eMBB": 0.82, "Social Media": 0.83, "Browsing": 0.85}.items():
        told = assign(build.slice_data(name), "in-hoc", "shapley_exact", 5, settings)
        assert (told.slice_name, told.sla.confidence_threshold, told.seed) == (name, threshold, 5)
        assert (told.explainer, told.sizes, tuple(told.bounds)) == ("shapley_exact", (5, 4, 1), (0.0, 3.0))
