"""Records: what is written reads back, and what is not ours is refused."""

import dataclasses
import hashlib
import json
import os
from typing import NotRequired

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from reproduction.results import records
from reproduction.results.records import Kind, RecordError

KIND = Kind()

PAYLOAD = {
    "identity": {"slice": "eMBB", "hidden": (26, 26), "seed": np.int64(3)},
    "rounds": [{"mse": 0.1, "confidence": float("nan")}, {"mse": np.float32(0.25), "confidence": 0.9}],
    "array": np.array([[1.5, -2.0]], np.float32),
    "test": None,
}
READ_BACK = {
    "identity": {"slice": "eMBB", "hidden": [26, 26], "seed": 3},
    "rounds": [{"mse": 0.1, "confidence": None}, {"mse": 0.25, "confidence": 0.9}],
    "array": [[1.5, -2.0]],
    "test": None,
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "folder" / "record.json"
    records.write_record(path, KIND, PAYLOAD)
    return path


def test_round_trip(path):
    assert records.read_record(path, KIND) == READ_BACK
    assert list(path.parent.iterdir()) == [path]


def test_file_is_strict_json(path):
    """NaN is no JSON; every other program must be able to read a record."""
    record = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert set(record) == {"format", "version", "sha256", "payload"}
    text = json.dumps(record["payload"], sort_keys=True)
    assert record["sha256"] == hashlib.sha256(text.encode()).hexdigest()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_any_payload_reads_back_exactly(tmp_path_factory, payload):
    path = tmp_path_factory.mktemp("any") / "record.json"
    records.write_record(path, KIND, payload)
    assert records.read_record(path, KIND) == payload
    assert records.digest(payload) == records.digest(records.read_record(path, KIND))


@given(st.lists(st.floats(width=32), max_size=20))
def test_arrays_read_back_bit_for_bit(values):
    array = np.array(values, np.float32)
    assert records.decode(records.encode(array)).tobytes() == array.tobytes()


def test_arrays_keep_their_shape():
    array = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    np.testing.assert_array_equal(records.decode(records.encode(array), (-1, 2, 2)), array)
    strided = array.transpose(2, 1, 0)
    np.testing.assert_array_equal(records.decode(records.encode(strided)), strided.ravel())


def test_digest_of_a_value_is_that_of_its_file(path):
    assert records.digest(PAYLOAD) == records.digest(records.read_record(path, KIND))
    assert records.digest({"a": 1, "b": 2}) == records.digest({"b": 2, "a": 1})
    assert records.digest({"a": 1}) != records.digest({"a": 2})


def edited(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_torn(path):
    whole = path.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(
            RecordError, match=r"record\.json: not a complete record .*delete it to start this run anew"
        ):
            records.read_record(path, KIND)


def test_not_text(path):
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(RecordError, match="not a complete record"):
        records.read_record(path, KIND)


@pytest.mark.parametrize("content", ["[]", "3", "null", "{}", '{"format": "something else", "version": 1}'])
def test_foreign(path, content):
    path.write_text(content)
    with pytest.raises(RecordError, match=r"record\.json: not a record of this project; delete it"):
        records.read_record(path, KIND)


@pytest.mark.parametrize("version", [KIND.version + 1, KIND.version - 1, None, "1"])
def test_other_version(path, version):
    edited(path, version=version)
    with pytest.raises(RecordError, match=f"written by record version {version}, this is {KIND.version}; delete"):
        records.read_record(path, KIND)


def test_kinds_have_versions_of_their_own(path):
    """A new version of one orphans no other."""
    with pytest.raises(RecordError, match="written by record version 1, this is 2"):
        records.read_record(path, Kind(version=2))
    with pytest.raises(RecordError, match="not a record of this project"):
        records.read_record(path, Kind(format="channel-estimator"))
    assert records.read_record(path, KIND) == READ_BACK


@pytest.mark.parametrize("opening", ["[", '{"payload":'])
def test_nested_without_end(path, opening):
    path.write_text(opening * 100_000)
    with pytest.raises(RecordError, match=r"record\.json: not a complete record .*delete it"):
        records.read_record(path, KIND)


@pytest.mark.parametrize("depth", [100, 600, 990, 5000])
def test_nested_deep(path, depth):
    """What the parser still takes the checksum may not: neither is a traceback."""
    path.write_text(
        f'{{"format": "{records.FORMAT}", "version": 1, "sha256": "0", "payload": {"[" * depth}{"]" * depth}}}'
    )
    with pytest.raises(RecordError, match=r"record\.json: .*delete it"):
        records.read_record(path, KIND)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_not_finite(path, constant):
    """A null made a NaN has the same checksum, and Python's reader takes it for a number."""
    text = path.read_text()
    assert text.count('"confidence": null') == 1
    path.write_text(text.replace('"confidence": null', f'"confidence": {constant}'))
    with pytest.raises(RecordError, match=r"record\.json: not a complete record .*delete it"):
        records.read_record(path, KIND)


def test_a_whole_number_that_no_float_holds(path):
    """It passes for a number of its field, and stops whoever computes with it."""
    records.write_record(path, KIND, {"epochs": -(10**400)})
    with pytest.raises(RecordError, match=r"record\.json: not a complete record .*delete it"):
        records.read_record(path, KIND)
    records.write_record(path, KIND, {"epochs": 10**300})
    assert records.read_record(path, KIND) == {"epochs": 10**300}


class Fields(TypedDict):
    epochs: int
    losses: list[float | None]
    note: NotRequired[str]


CHECKED = Kind(fields=Fields, remedy="train it anew")
WRONG = {
    "missing": ({"losses": []}, r"field epochs: field required; train it anew"),
    "text for a number": ({"epochs": "3", "losses": []}, r"field epochs: input should be a valid integer, found '3'; "),
    "fraction": ({"epochs": 2.5, "losses": []}, r"field epochs: input should be a valid integer.*, found 2.5; "),
    "truth for a number": (
        {"epochs": True, "losses": []},
        r"field epochs: input should be a valid integer, found True",
    ),
    "deep": ({"epochs": 3, "losses": [0.1, None, "x"]}, r"field losses\.2: input should be a valid number, found 'x'"),
    "not a list": ({"epochs": 3, "losses": 0.1}, r"field losses: input should be a valid list, found 0.1"),
    "null": (None, r"field the whole: input should be a valid dictionary, found None"),
}


@pytest.mark.parametrize(("payload", "message"), WRONG.values(), ids=WRONG)
def test_a_whole_record_with_a_wrong_field(path, payload, message):
    records.write_record(path, CHECKED, payload)
    with pytest.raises(RecordError, match=r"record\.json: " + message) as caught:
        records.read_record(path, CHECKED)
    assert "\n" not in str(caught.value)


def test_fields_are_checked_and_not_converted(path):
    payload = {"epochs": 3, "losses": [1, 0.5, None], "more": "kept"}
    records.write_record(path, CHECKED, payload)
    assert records.read_record(path, CHECKED) == payload


def test_fields_that_contradict_one_another(path):
    def check(payload):
        if len(payload["losses"]) != payload["epochs"]:
            raise ValueError("field losses must have an entry per epoch")

    kind = dataclasses.replace(CHECKED, check=check)
    records.write_record(path, kind, {"epochs": 3, "losses": [0.1]})
    with pytest.raises(RecordError, match=r"record\.json: field losses must have an entry per epoch; train it anew"):
        records.read_record(path, kind)


@pytest.mark.parametrize("text", ["AAAA!", "AAA", "AAAA"])
def test_what_is_no_array_is_refused(text):
    with pytest.raises(ValueError, match=r"base64|Incorrect padding|buffer size"):
        records.decode(text)


def test_altered(path):
    payload = json.loads(path.read_text())["payload"]
    for changes in ({"payload": payload | {"test": 1}}, {"payload": None}, {"sha256": "0" * 64}, {"sha256": None}):
        records.write_record(path, KIND, PAYLOAD)
        edited(path, **changes)
        with pytest.raises(RecordError, match="its checksum does not match its content; delete"):
            records.read_record(path, KIND)


def test_without_payload(path):
    record = json.loads(path.read_text())
    del record["payload"]
    path.write_text(json.dumps(record))
    with pytest.raises(RecordError, match="checksum"):
        records.read_record(path, KIND)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_record_and_nothing_else(path, monkeypatch, step):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        records.write_record(path, KIND, {"new": True})
    monkeypatch.undo()
    assert records.read_record(path, KIND) == READ_BACK
    assert list(path.parent.iterdir()) == [path]


def test_a_write_replaces_the_whole_record(path):
    records.write_record(path, KIND, {"new": True})
    assert records.read_record(path, KIND) == {"new": True}
    assert list(path.parent.iterdir()) == [path]


def test_a_payload_that_json_cannot_hold_is_refused_and_not_written(path):
    with pytest.raises(TypeError):
        records.write_record(path, KIND, {"object": object()})
    assert records.read_record(path, KIND) == READ_BACK


def test_provenance_names_versions_and_no_host():
    provenance = records.provenance(["tensorflow-constrained-optimization", "numpy"])
    assert provenance["versions"]["tensorflow-constrained-optimization"] == "0.2"
    assert list(provenance["versions"]) == ["python", "tensorflow-constrained-optimization", "numpy"]
    assert set(provenance["machine"]) == {"system", "processor", "cores"}
    assert os.uname().nodename not in json.dumps(provenance["versions"])
