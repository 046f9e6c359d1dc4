"""The table that a run ends with, from records made by hand, and after a small federation."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from reproduction.slicing import summary
from reproduction.slicing.schemes import SCHEMES
from reproduction.slicing.settings import Settings, SliceSettings

NAN = float("nan")
SEEDS = (0, 1)


class HandMade:
    """A `Laboratory` of 4 rounds, two seeds and two CLs, whose records say what `changes` say, per seed and round."""

    def __init__(self, build, used=(("eMBB", "in-hoc IG", 2),), **changes):
        sla = SliceSettings(confidence_threshold=0.8)
        self.settings = Settings(rounds=4, slices={"eMBB": sla, "Browsing": sla})
        self.slices, self.seeds = ("eMBB", "Browsing"), SEEDS
        self.store = SimpleNamespace(used=lambda: [{"identity": self.identity(*run)} for run in used])
        self._data = build.slice_data(counts=(40, 30, 35))
        self._columns = {
            "mse": [[1.0, 0.1, 0.02, 0.01], [1.0, 0.5, 0.02, 0.03]],
            "confidence": [[1.0, 0.9, 0.85, 0.95]] * 2,
            "inside": [[1.0, 0.9, 0.95, 0.92], [1.0, 0.9, 0.95, 0.98]],
            "multiplier": [[0.4, 0.4, 0.4, 0.5]] * 2,
            "test_mse": [[0.01, 0.03], [0.02, 0.02]],
        } | changes

    def identity(self, name, label, clients):
        scheme, explainer = SCHEMES[label]
        return {"slice": name, "scheme": scheme, "explainer": explainer, "clients": clients}

    def data(self, name, seed, clients):
        return self._data.subset(clients)

    def federation(self, name, scheme, explainer, seed, clients=None):
        names = [client.name for client in self.data(name, seed, clients).clients]
        rounds = [
            {
                quantity: self._columns[quantity][seed][number]
                for quantity in ("mse", "confidence", "inside", "multiplier")
            }
            | dict.fromkeys(("undefined_clients", "empty_epochs", "seconds", "bytes_down", "bytes_up"), 0)
            for number in range(4)
        ]
        test = {"mse": (self._columns["test_mse"][seed] * 2)[: len(names)]}
        return {"clients": names, "rounds": rounds, "test": test}


def test_one_line(build):
    lab = HandMade(build)
    (line,) = summary.summarise(lab)
    target = np.concatenate([client.test_target for client in lab.data("eMBB", 0, 2).clients]).astype(float)
    assert (line.slice, line.scheme, line.clients, line.seeds) == ("eMBB", "in-hoc IG", 2, 2)
    means = (line.mse, line.test_mse, line.lowest_confidence, line.inside, line.multiplier, line.convergence_round)
    # Within 5 % of the drop of 1 is 0.06, or 0.07, reached in the third round.
    np.testing.assert_allclose(means, (0.02, 0.02, 0.85, 0.95, 0.5, 3.0), rtol=1e-12)
    np.testing.assert_allclose(line.test_r_squared, 1 - 0.02 / target.var(), rtol=1e-12)
    assert (line.above_threshold, line.converged) == ("yes", 2)


@pytest.mark.parametrize(
    ("confidence", "above", "lowest"),
    [
        ([[0.8, 0.8, 0.9, 0.8]] * 2, "yes", 0.8),
        ([[0.9, 0.7, 0.9, 0.8]] * 2, "last round", 0.7),
        ([[0.9, 0.7, 0.9, 0.7]] * 2, "no", 0.7),
        ([[0.9, 0.9, 0.9, 0.75], [0.9, 0.9, 0.9, 0.85]], "yes", 0.8),
        ([[None, 0.9, 0.9, 0.9]] * 2, "yes", 0.9),
        ([[None] * 4] * 2, None, NAN),
    ],
)
def test_confidence_against_its_threshold(build, confidence, above, lowest):
    """Means over the seeds, as everywhere."""
    (line,) = summary.summarise(HandMade(build, confidence=confidence))
    assert line.above_threshold == above
    np.testing.assert_allclose(line.lowest_confidence, lowest, rtol=1e-12)


def test_lines_are_in_the_order_of_the_figures(build):
    used = [("Browsing", "post-hoc", 2), ("eMBB", "post-hoc", 2), ("eMBB", "in-hoc IG", 3), ("eMBB", "in-hoc IG", 2)]
    lines = summary.summarise(HandMade(build, [*used, used[0]]))
    assert [(line.slice, line.scheme, line.clients) for line in lines] == [used[3], used[2], used[1], used[0]]


def test_told_in_columns_and_in_objects(build):
    """A seed that has not converged: counted in words, null in an object only if none has."""
    climbing = [[1.0, 0.1, 0.02, 0.01], [1.0, 0.01, 0.02, 0.5]]
    lines = summary.summarise(HandMade(build, mse=climbing, confidence=[[None] * 4] * 2))
    head, row = summary.told(lines, "plain")
    assert head.split() == "slice scheme CLs MSE test MSE test R² lowest C C ≥ ν inside λ₁ converged".split()
    assert row.split()[:5] == ["eMBB", "in-hoc", "IG", "2", "0.255"]
    assert row.split()[-6:] == ["–", "–", "95.0%", "0.50", "3.0", "(1/2)"]
    (written,) = summary.told(lines, "json")
    found = json.loads(written, parse_constant=pytest.fail)["summary"]
    assert found["lowest_confidence"] is None
    assert found["above_threshold"] is None
    assert (found["slice"], found["convergence_round"], found["converged"]) == ("eMBB", 3.0, 1)


def test_of_nothing_nothing_is_told(build):
    assert summary.told(summary.summarise(HandMade(build, used=())), "plain") == []


def test_what_the_runs_give_reason_to_say(build):
    assert list(summary.after_training(HandMade(build))) == []
    idle = HandMade(
        build,
        confidence=[[1.0] * 4] * 2,
        inside=[[1.0] * 4] * 2,
        mse=[[1.0, 0.9, 0.8, 0.1]] * 2,
        test_mse=[[90.0, 90.0]] * 2,
    )
    said = list(summary.after_training(idle))
    assert all(line.startswith("eMBB, in-hoc IG, 2 CLs: ") for line in said)
    for line, words in zip(said, ("R^2 on test data is -", "C is 1 in every round", "in 2 of 2 seed(s)"), strict=True):
        assert words in line


def test_after_a_federation(build, tmp_path):
    """The record's own numbers, and nothing is trained for the sake of the table."""
    lab = build.laboratory(tmp_path)
    record = lab.federation("eMBB", "post-hoc", "integrated_gradients", 0)
    before = list(tmp_path.iterdir())
    (line,) = summary.summarise(lab)
    assert (line.scheme, line.clients, line.mse) == ("post-hoc", 3, record["rounds"][-1]["mse"])
    np.testing.assert_allclose(line.test_mse, np.mean(record["test"]["mse"]), rtol=1e-12)  # CLs of 12 test samples each
    assert list(tmp_path.iterdir()) == before
