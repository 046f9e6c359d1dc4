"""Records of federations that are whole and signed, and wrong all the same: each is refused in one line."""

import copy
import json
import re

import numpy as np
import pytest

from reproduction.results import records
from reproduction.results.records import RecordError
from reproduction.slicing.federation.record import FEDERATION

RUN = ("eMBB", "in-hoc", "integrated_gradients", 0)


@pytest.fixture(scope="module")
def finished(build, tmp_path_factory):
    """A federation of three CLs and three rounds: its payload, and the name of its file."""
    folder = tmp_path_factory.mktemp("finished")
    payload = build.laboratory(folder).federation(*RUN)
    (path,) = folder.glob("*.json")
    return payload, path.name


def nan_within(field):
    def change(payload):
        array = records.decode(payload[field]).copy()
        array[1] = np.nan
        payload[field] = records.encode(array)

    return change


def put(*keys, value):
    """Return a change that sets one field, found by its keys."""

    def change(payload):
        for key in keys[:-1]:
            payload = payload[key]
        payload[keys[-1]] = value

    return change


def take(*keys):
    """Return a change that takes one field away."""

    def change(payload):
        for key in keys[:-1]:
            payload = payload[key]
        del payload[keys[-1]]

    return change


WRONG = {
    "more rounds than there are": (put("round_number", value=4), "field round_number must lie in 0..3"),
    "fewer than none": (put("round_number", value=-1), "field round_number must lie in 0..3"),
    "a round that is half": (put("round_number", value=2.5), "field round_number: "),
    "a round in words": (put("round_number", value="3"), "field round_number: "),
    "finished, with a round missing": (take("rounds", 0), "field rounds must have round_number = 3 entries, got 2"),
    "fewer rounds than it says": (put("round_number", value=2), "field rounds must have round_number = 2 entries"),
    "no test at the end": (put("test", value=None), "field test must be there after round 3"),
    "a test of fewer CLs": (take("test", "mse", 0), "field test.mse must have an entry per client (3)"),
    "a test without a score": (take("test", "inside"), "field test.inside: "),
    "a test without an MSE": (put("test", "mse", 1, value=None), "field test.mse.1: "),
    "no weights": (take("weights"), "field weights: "),
    "weights that are NaN": (nan_within("weights"), "field weights must be finite"),
    "weights that are no base64": (put("weights", value="%%%"), "field weights must be base64 of float32"),
    "weights of half a float": (put("weights", value="AAA="), "field weights must be base64 of float32"),
    "weights of another network": (
        put("weights", value=records.encode(np.zeros(7, np.float32))),
        "field weights must hold the network's",
    ),
    "multipliers that are NaN": (nan_within("multipliers"), "field multipliers must be finite"),
    "multipliers of two CLs": (
        put("multipliers", value=records.encode(np.zeros((2, 2, 2), np.float32))),
        "field multipliers must be base64 of float32 [3, 2, 2]",
    ),
    "no clients": (put("clients", value=[]), "field clients must hold 3 different names"),
    "a client twice": (put("clients", 1, value="CL000"), "field clients must hold 3 different names"),
    "clients in another order": (put("clients", value=["CL002", "CL001", "CL000"]), "field clients must hold 3"),
    "others' clients": (put("clients", value=["x", "y", "z"]), "field clients must name the clients of the data"),
    "a round without its MSE": (take("rounds", 1, "mse"), "field rounds.1.mse: "),
    "a round whose MSE is not defined": (put("rounds", 1, "mse", value=None), "field rounds.1.mse: "),
    "a negative MSE": (put("rounds", 1, "mse", value=-0.1), "field rounds.1.mse: "),
    "a confidence of 7": (put("rounds", 0, "confidence", value=7.0), "field rounds.0.confidence: "),
    "half an empty epoch": (put("rounds", 2, "empty_epochs", value=0.5), "field rounds.2.empty_epochs: "),
    "fewer bytes than none": (put("rounds", 0, "bytes_up", value=-1), "field rounds.0.bytes_up: "),
    "a round that is a list": (put("rounds", 0, value=[]), "field rounds.0: "),
    "no provenance": (take("provenance"), "field provenance: "),
    "no identity": (take("identity"), "field identity: "),
    "no rounds in the identity": (take("identity", "rounds"), "field identity.rounds: "),
    "another seed": (put("identity", "seed", value=5), "a record of other settings or data"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_a_whole_record_that_is_wrong_is_refused_by_name(build, finished, tmp_path, change, message):
    payload, name = copy.deepcopy(finished[0]), finished[1]
    change(payload)
    path = tmp_path / name
    records.write_record(path, FEDERATION, payload)
    before = path.read_bytes()
    with pytest.raises(RecordError) as refused:
        build.laboratory(tmp_path).federation(*RUN)
    assert str(refused.value).startswith(f"{path}: {message}")
    assert str(refused.value).endswith("delete it to start this run anew")
    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before


def places(value, at=()):
    """Yield the keys that lead to every field of a payload."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*at, key)
        yield from places(entry, (*at, key))


def refusal(build, folder, name, payload):
    """Return what is said of a payload on disk, without its file and its remedy, or None if it is taken."""
    path = folder / name
    records.write_record(path, FEDERATION, payload)
    try:
        build.laboratory(folder).federation(*RUN)
    except RecordError as error:
        start, text, end = f"{path}: ", str(error), "; delete it to start this run anew"
        assert text.startswith(start)
        assert text.endswith(end)
        assert "\n" not in text
        return text.removeprefix(start).removesuffix(end)
    return None


def another_kind(value):
    return "text" if isinstance(value, dict) else {"no": "value"}


OF_OTHER_SETTINGS = re.compile(r"identity\.(sla|model|local)\.")
"""Within these no field is named: a settings' field more or less makes another federation."""


@pytest.mark.parametrize("taken_away", [True, False], ids=["taken away", "of another kind"])
def test_any_field_that_is_wrong_is_named(build, finished, tmp_path, taken_away):
    """Each field of the record in turn, also of those that are still to be added."""
    said = {}
    for *outer, last in places(finished[0]):
        payload = copy.deepcopy(finished[0])
        within = payload
        for key in outer:
            within = within[key]
        if taken_away and isinstance(within, list):
            continue  # a list a value shorter is a matter of its length: `WRONG`
        if taken_away:
            del within[last]
        else:
            within[last] = another_kind(within[last])
        said[".".join(map(str, (*outer, last)))] = refusal(build, tmp_path, finished[1], payload)
    assert len(said) > 30
    free = {name for name in said if taken_away and name.startswith("provenance.versions.")}
    assert {name for name, message in said.items() if message is None} == free  # any packages; see below
    other = {name for name in said if OF_OTHER_SETTINGS.match(name)}
    unnamed = {
        name
        for name in said.keys() - free
        if not re.match(rf"field {re.escape(name)}(\.\w+)?: ", said[name])
        and not (name in other and said[name] == "a record of other settings or data")
    }
    assert not unnamed, {name: said[name] for name in unnamed}


def test_an_unfinished_record_has_no_test_yet(build, finished, tmp_path):
    """Without it the record goes on; with it a federation would count as finished a round too early."""
    rounds = finished[0]["rounds"][:2]
    unfinished = finished[0] | {"round_number": 2, "rounds": rounds}
    message = refusal(build, tmp_path, finished[1], unfinished)
    assert message == "field test must be there after round 3 and not before; the record ends with 2"
    assert refusal(build, tmp_path, finished[1], unfinished | {"test": None}) is None
    resumed = records.read_record(tmp_path / finished[1], FEDERATION)
    assert (resumed["round_number"], resumed["rounds"][:2]) == (3, rounds)


def test_an_unfinished_record_that_does_not_say_its_versions_is_not_continued(build, finished, tmp_path):
    unfinished = copy.deepcopy(finished[0]) | {"round_number": 2, "rounds": finished[0]["rounds"][:2], "test": None}
    del unfinished["provenance"]["versions"]["numpy"]
    records.write_record(tmp_path / finished[1], FEDERATION, unfinished)
    with pytest.raises(RecordError, match=r"unfinished, and begun with numpy None, now .*or delete it$"):
        build.laboratory(tmp_path).federation(*RUN)


def test_the_record_itself_is_taken(build, finished, tmp_path):
    """What the changes above start from: written anew without any, it is not refused."""
    records.write_record(tmp_path / finished[1], FEDERATION, finished[0])
    assert build.laboratory(tmp_path).federation(*RUN) == finished[0]


def test_a_script_says_so_in_one_line(tmp_path, monkeypatch, capsys):
    """Through the real command: exit status 2, no traceback, no figure, and the record as it was."""
    from reproduction import fig4_convergence
    from reproduction.slicing import laboratory, settings
    from tests.helpers.figure_scripts import TINY, Here

    monkeypatch.setitem(settings.PRESETS, "quick", TINY)
    monkeypatch.setattr(laboratory, "Workers", Here)
    command = ["--preset", "quick", "--slices", "eMBB", "--out", str(tmp_path)]
    fig4_convergence.SCRIPT.main(command)
    capsys.readouterr()
    (path,) = (tmp_path / "runs").glob("*in-hoc*.json")
    payload = json.loads(path.read_text())["payload"]
    payload["round_number"] = TINY.rounds + 96
    records.write_record(path, FEDERATION, payload)
    before = path.read_bytes()
    (tmp_path / "fig4_convergence.json").unlink()
    with pytest.raises(SystemExit) as stop:
        fig4_convergence.SCRIPT.main(command)
    out, error = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert re.fullmatch(rf"error: {re.escape(str(path))}: field round_number must lie in 0\.\.3.*delete it.*\n", error)
    assert path.read_bytes() == before
    assert not (tmp_path / "fig4_convergence.json").exists()
