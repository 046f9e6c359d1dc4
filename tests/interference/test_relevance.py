"""The study of relevance and its script: the measure by hand, a small run, drawing again, bad input."""

import dataclasses
import json
import re

import numpy as np
import pytest

from reproduction import relevance
from reproduction.interference import script
from reproduction.interference.study import METHODS, QUICK, grids_of, hit_rate, power_around, study
from reproduction.interference.study import relevance as relevance_of

TINY = dataclasses.replace(QUICK, training=64, test=8, epochs=1)


def test_hits_by_hand():
    burst = np.zeros((2, 2, 3), bool)
    burst[0, 0, :2] = burst[1, 1, :] = True
    values = np.array([[[9.0, 1.0, 2.0], [0.0, -9.0, 0.0]], [[5.0, -1.0, -1.0], [4.0, 3.0, 0.0]]])
    assert hit_rate(values, burst) == pytest.approx((1 / 2 + 2 / 3) / 2)  # of 9, 2 the first; of 5, 4, 3 the last two
    assert hit_rate(burst.astype(float), burst) == 1.0
    assert hit_rate(-burst.astype(float), burst) == 0.0


def test_equal_relevance_counts_for_its_share():
    """Nothing anywhere is chance; two equal cells of which one is the burst's are half a hit."""
    burst = np.zeros((1, 2, 2), bool)
    burst[0, 0, 0] = True
    assert hit_rate(np.zeros((1, 2, 2)), burst) == 0.25
    assert hit_rate(np.array([[[3.0, 3.0], [1.0, 0.0]]]), burst) == 0.5
    burst[0, 1, 1] = True
    assert hit_rate(np.array([[[3.0, 1.0], [1.0, 1.0]]]), burst) == pytest.approx((1 + 1 / 3) / 2)


def test_the_power_around_a_cell_by_hand():
    power = np.log10([[[1.0, 2.0, 4.0], [1.0, 1.0, 1.0]]])
    by_hand = [
        (1 + 1 + 2 + 1 + 1 + 2 + 1 + 1 + 1) / 9,
        (1 + 2 + 4 + 1 + 2 + 4 + 3) / 9,
        (2 + 4 + 4 + 2 + 4 + 4 + 3) / 9,
    ]
    np.testing.assert_allclose(power_around(power)[0, 0], by_hand)


def test_methods_with_a_baseline_get_the_undisturbed_grid(monkeypatch):
    asked = {}

    def explain(model, power, *, method, baseline, **options):
        asked[method] = baseline
        return np.zeros(power.shape)

    monkeypatch.setattr("reproduction.interference.study.explain", explain)
    undisturbed = np.ones((24, 14, 1))
    for method in METHODS:
        relevance_of(None, np.zeros((2, 24, 14, 1)), method, undisturbed)
    assert {method for method, baseline in asked.items() if baseline is undisturbed} == {
        "integrated_gradients",
        "deeplift",
        "occlusion",
    }
    assert all(baseline is None or baseline is undisturbed for baseline in asked.values())


def test_what_a_detector_learned_shows_in_its_relevance():
    """A thousand grids are enough to be right more often than not, and to look at the burst more than before."""
    result = study(QUICK, (0,), lambda seed: None)
    assert result["accuracy"][0] > 0.8
    for method, (hits,) in result["hits"].items():
        assert hits > result["untrained"][method][0] + 0.2
        assert hits > 3 * result["by_chance"][0]


@pytest.fixture(scope="module")
def numbers():
    done = []
    return study(TINY, (0, 3), done.append), done


def test_a_seed_gives_the_same_numbers_again(numbers):
    result, done = numbers
    assert done == [0, 3]
    alone = study(TINY, (3,), lambda seed: None)
    assert alone["accuracy"] == result["accuracy"][1:]
    for kind in ("hits", "untrained", "controls"):
        assert alone[kind] == {method: hits[1:] for method, hits in result[kind].items()}


def test_the_example_is_a_disturbed_grid_of_the_first_seed(numbers):
    result, _ = numbers
    _, test = grids_of(TINY, 0)
    np.testing.assert_array_equal(result["example"]["burst"], test.burst[0])
    np.testing.assert_allclose(result["example"]["power_db"], 10.0 * test.power[0, ..., 0], rtol=1e-6)
    assert result["by_chance"][0] == pytest.approx(test.burst[::2].mean())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("relevance")
    relevance.SCRIPT.main(["--preset", "quick", "--seeds", "2", "--out", str(out)], TINY)
    return out


def test_drawing_again_gives_the_same_picture(folder, capsys):
    pictures = {name: (folder / name).read_bytes() for name in ("relevance.png", "relevance.pdf")}
    for name in pictures:
        (folder / name).unlink()
    relevance.SCRIPT.main(["--redraw", "--out", str(folder)])
    assert {name: (folder / name).read_bytes() for name in pictures} == pictures
    assert capsys.readouterr().out.splitlines() == [str(folder / name) for name in pictures]


def exits(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        relevance.SCRIPT.main(arguments)
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda payload: payload.update(figure="fig4_convergence"), "holds the numbers of fig4_convergence, not of"),
        (lambda payload: payload["result"]["hits"].pop("deeplift"), "field result.hits"),
        (lambda payload: payload["result"]["accuracy"].append(0.5), "field result.accuracy"),
        (lambda payload: payload["result"]["example"]["burst"][3].pop(), "field result.example.burst.3"),
        (lambda payload: payload["result"]["example"].update(power_db=[]), "field result.example.power_db"),
        (lambda payload: payload["settings"].pop("grids"), "field settings.grids"),
        (lambda payload: payload["result"]["hits"].update(deeplift=[7.0, 0.5]), "field result.hits.deeplift.0"),
        (lambda payload: payload["result"]["example"]["burst"][3].__setitem__(0, 5), "field result.example.burst.3.0"),
        (lambda payload: payload["result"]["example"].update(burst=[[0] * 14] * 24), "burst must not be 0 everywhere"),
        (
            lambda payload: payload["result"]["example"]["relevance"].update(saliency=[[0.0] * 14] * 24),
            "saliency must not be 0 everywhere",
        ),
    ],
)
def test_numbers_that_are_not_the_pictures_are_refused(folder, tmp_path, capsys, damage, said):
    from reproduction.figure_script import FIGURE
    from reproduction.results.records import read_record, write_record

    payload = json.loads(json.dumps(read_record(folder / "relevance.json", FIGURE)))
    damage(payload)
    write_record(tmp_path / "relevance.json", FIGURE, payload)
    code, error = exits(["--redraw", "--out", str(tmp_path)], capsys)
    assert code == 2
    assert len(error.splitlines()) == 1
    assert said in error
    assert [path.name for path in tmp_path.iterdir()] == ["relevance.json"]


def test_a_folder_that_takes_nothing_is_refused_before_anything_is_trained(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(script, "study", lambda *given: pytest.fail("something was trained"))
    (tmp_path / "file").write_text("")
    code, error = exits(["--out", str(tmp_path / "file")], capsys)
    assert code == 2
    assert len(error.splitlines()) == 1
    assert "file" in error


def test_nothing_to_draw_and_switches_that_do_not_go_together(tmp_path, capsys):
    code, error = exits(["--redraw", "--out", str(tmp_path / "none")], capsys)
    assert code == 2
    assert re.fullmatch(r"error: .*relevance.json: missing; make it with this script, without --redraw\n", error)
    code, error = exits(["--redraw", "--seeds", "5", "--out", str(tmp_path)], capsys)
    assert code == 2
    assert error.splitlines()[-1].endswith("--redraw draws the saved numbers as they are, without --seeds 5")
