import dataclasses

import numpy as np
import pytest

from reproduction.slicing.datasets import ClientData, Feature, SliceData


def client(name="a", train=3, test=1, features=2, **changes):
    rng = np.random.default_rng(0)
    arrays = {
        "train_features": rng.random((train, features), dtype=np.float32),
        "train_target": rng.random(train, dtype=np.float32),
        "test_features": rng.random((test, features), dtype=np.float32),
        "test_target": rng.random(test, dtype=np.float32),
    }
    return ClientData(name=name, **(arrays | changes))


def feature(**changes):
    fields = {"name": "web", "unit": "Mbps", "maximum": 4, "role": "traffic"}
    return Feature(**(fields | changes))


WEB, CQI = feature(), feature(name="CQI", unit="", maximum=15.0, role="channel_quality")


def slice_data(**changes):
    fields = {
        "name": "s",
        "features": (WEB, CQI),
        "target_name": "CPU load",
        "target_unit": "%",
        "clients": (client("a"), client("b")),
    }
    return SliceData(**(fields | changes))


def poisoned(value):
    target = np.ones(3, np.float32)
    target[1] = value
    return client(train_target=target)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"features": (WEB, WEB)}, ValueError, r"feature names must be unique, got \['web'\]"),
        ({"features": ()}, ValueError, "at least one feature"),
        ({"features": (WEB,)}, ValueError, r"train_features must have shape \(3, 1\), got \(3, 2\)"),
        ({"sla_percent": (3.0, 3.0)}, ValueError, "a lower and a higher bound"),
        ({"clients": ()}, ValueError, "at least one CL"),
        ({"clients": (client("a"), client("a"))}, ValueError, r"client names must be unique, got \['a'\]"),
        ({"clients": (client(train=1),)}, ValueError, r"client 'a': needs at least 2 train sample\(s\), got 1"),
        ({"clients": (client(test=0),)}, ValueError, r"at least 1 test sample\(s\), got 0"),
        ({"clients": (client(features=3),)}, ValueError, r"train_features must have shape \(3, 2\), got \(3, 3\)"),
        ({"clients": (client(train_target=np.ones(3)),)}, TypeError, "train_target must be a float32 .* got float64"),
        ({"clients": (client(test_target=[1.0]),)}, TypeError, "float32 numpy array, got list"),
        ({"clients": (client(train_target=np.ones((3, 1), np.float32)),)}, ValueError, "train_target must have shape"),
        ({"clients": (client(test_target=np.ones(2, np.float32)),)}, ValueError, r"test_features .* \(2, 2\), got"),
        ({"clients": (poisoned(np.nan),)}, ValueError, r"train_target must be finite, got nan at index \(1,\)"),
        ({"clients": (poisoned(-np.inf),)}, ValueError, "must be finite, got -inf"),
    ],
)
def test_refuses(changes, error, match):
    with pytest.raises(error, match=match):
        slice_data(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"maximum": 0}, ValueError, "feature 'web': maximum must be positive and finite as a float32, got 0"),
        ({"maximum": -1.0}, ValueError, "must be positive"),
        ({"maximum": np.nan}, ValueError, "must be positive"),
        ({"maximum": 1e39}, ValueError, "finite as a float32"),
        ({"maximum": 1e-50}, ValueError, "must be positive"),
        ({"maximum": np.ones(2, np.float32)}, TypeError, "must be a number"),
        ({"maximum": "4"}, TypeError, "feature 'web': maximum must be a number, got '4'"),
        ({"maximum": True}, TypeError, "must be a number"),
        ({"role": "cqi"}, ValueError, "role must be one of traffic, channel_quality, rank, other, got 'cqi'"),
    ],
)
def test_refuses_a_feature(changes, error, match):
    with pytest.raises(error, match=match):
        feature(**changes)


def test_what_is_read_off_the_features():
    data = slice_data()
    assert (data.feature_names, data.feature_units) == (("web", "CQI"), ("Mbps", ""))
    np.testing.assert_array_equal(data.feature_maxima, [4, 15])
    assert data.feature_maxima.dtype == np.float32


def test_scaled_divides_features_only_and_once():
    data = slice_data()
    scaled = data.scaled()
    before, after = data.clients[1], scaled.clients[1]
    np.testing.assert_array_equal(after.train_features, before.train_features / np.array([4, 15], np.float32))
    np.testing.assert_array_equal(after.test_features, before.test_features / np.array([4, 15], np.float32))
    np.testing.assert_array_equal(after.train_target, before.train_target)
    assert after.train_features.dtype == np.float32
    assert scaled.scaled().digest() == scaled.digest() != data.digest()
    assert scaled.features == (
        Feature(name="web", unit="", maximum=1.0, role="traffic"),
        Feature(name="CQI", unit="", maximum=1.0, role="channel_quality"),
    )


def test_zero_stays_zero_when_scaled():
    zero = client(train_features=np.zeros((3, 2), np.float32))
    np.testing.assert_array_equal(slice_data(clients=(zero,)).scaled().clients[0].train_features, 0)


def test_subset_keeps_the_first_clients():
    data = slice_data()
    assert [c.name for c in data.subset(1).clients] == ["a"]
    assert data.subset(2).digest() == data.digest()
    for clients in (0, 3):
        with pytest.raises(ValueError, match=rf"clients must lie in 1..2 for slice 's', got {clients}"):
            data.subset(clients)


def test_digest_sees_names_maxima_and_every_array():
    data = slice_data()
    first, second = data.clients
    others = [
        slice_data(name="t"),
        slice_data(features=(feature(name="webC"), dataclasses.replace(CQI, name="QI"))),
        slice_data(features=(feature(unit="kbps"), CQI)),
        slice_data(features=(feature(maximum=5), CQI)),
        slice_data(clients=(second, first)),
    ]
    for field in ("train_features", "train_target", "test_features", "test_target"):
        changed = getattr(second, field).copy()
        changed[-1] += 1
        others.append(slice_data(clients=(first, dataclasses.replace(second, **{field: changed}))))
    assert len({data.digest(), *(other.digest() for other in others)}) == 1 + len(others)
    assert slice_data().digest() == data.digest()
    assert slice_data(features=(feature(role="other"), CQI)).digest() == data.digest()  # a role is no number
