"""The study of influence at a tiny size: prepared, adapted, drawn; stopped and gone on with, drawn again, refused."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")

from reproduction.figure_script import FIGURE
from reproduction.ofdm.conditions import Mix, drawn
from reproduction.ofdm.grid import Grid
from reproduction.receiver import (
    claims,
    experiment,
    fig_adaptation,
    fig_beneficial,
    fig_learning,
    fig_left_out,
    fig_several,
    work,
)
from reproduction.receiver.adaptation import Adaptation, Attempt
from reproduction.receiver.bench import Bench
from reproduction.receiver.case import as_state, network_of
from reproduction.receiver.influence_study import ADAPTATION, PREPARATION, work_of
from reproduction.receiver.left_out import target_loss
from reproduction.receiver.names import (
    ALIKE,
    ASCENT,
    COSINE,
    FRESH,
    HARDEST,
    ITSELF,
    KINDS_OF_INFLUENCE,
    NEAREST,
    NEAREST_CHANNEL,
    NEAREST_SNR,
    OTHERS,
    PAPERS,
    PLAIN,
    PRODUCT,
    RANDOM,
    SAME,
    SAME_LENGTH,
    SECOND_ORDER,
)
from reproduction.receiver.preparation import pool_of
from reproduction.receiver.receivers import DEEPRX, GENIE, by_network, frame_errors
from reproduction.receiver.settings import QUICK, Architecture, Case, Influences, Training
from reproduction.receiver.study import TRAINING, training_of
from reproduction.results import processes
from reproduction.results.records import decode, encode, read_record, write_record
from reproduction.seeds import generator
from tests.helpers.running import contents, in_a_group, wait_for

TINY = dataclasses.replace(
    QUICK,
    modulation="QPSK",
    grid=Grid(symbols=6, subcarriers=12, pilot_symbols=(1, 4)),
    learned=Mix(channels=("TDL-B", "TDL-D")),
    unseen=Mix(channels=("TDL-E",)),
    architecture=Architecture(first=8, widths=(8,), dilations=((1, 1),)),
    training=Training(frames=200, epochs=3),
    statistics_frames=20,
    influences=Influences(
        candidates=24,
        curvature_frames=12,
        iterations=4,
        pool=20,
        targets=3,
        selected=6,
        other_counts=(3,),
        targets_of_other_counts=1,
        random_draws=2,
        draws_of_other_counts=1,
        steps=2,
        told_at=(1, 2),
        same_frames=4,
        alike_frames=5,
        other_frames=1,
        together=(2,),
        targets_left_out=1,
        groups_left_out=3,
        random_groups_left_out=2,
        last_epochs=1,
    ),
)
FIGURES = (fig_adaptation, fig_learning, fig_beneficial, fig_several, fig_left_out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All figures of two seeds, and the claims."""
    out = tmp_path_factory.mktemp("influence")
    for one in FIGURES:
        one.SCRIPT.main(["--preset", "quick", "--seeds", "2", "--out", str(out), "--workers", "1"], TINY)
    claims.SCRIPT.main(["--out", str(out)])
    return out


@pytest.fixture(scope="module")
def done(folder):
    return work_of([Case(TINY, seed) for seed in (0, 1)], folder / "runs", 1, lambda part: None)


@pytest.fixture(scope="module")
def bench():
    return Bench(Case(TINY, 0))


@pytest.fixture(scope="module")
def model(folder, bench):
    return network_of(training_of(bench.case, folder / "runs"), bench)


def test_targets_are_the_frames_with_the_most_errors_above_the_genies(done, bench, model):
    pool = pool_of(bench)
    network = frame_errors(bench.link, by_network(model, TINY.grid.pilots), pool)
    gaps = network - frame_errors(bench.link, bench.conventional[GENIE], pool)
    targets = done.preparations[0]["targets"]
    chosen = [gaps[place] for place in targets["places"]]
    assert chosen == sorted(gaps.tolist(), reverse=True)[:3]
    assert targets["errors"][DEEPRX] == [int(network[place]) for place in targets["places"]]
    assert targets["snr_db"] == pool.conditions.snr_db[targets["places"]].tolist()


def test_every_selection_is_tried_on_every_target(done):
    first, other = (set(done.adaptations[0][number]["attempts"]) for number in (0, 1))
    scored = set(done.preparations[0]["scores"])
    assert set(KINDS_OF_INFLUENCE) | {PRODUCT, COSINE, HARDEST} == scored
    without = {NEAREST_SNR, NEAREST_CHANNEL, NEAREST, "random 0", "random 1", FRESH, ITSELF, ASCENT, SECOND_ORDER}
    as_far = {f"{kind}{SAME_LENGTH}" for kind in ("random 0", FRESH, ITSELF)}
    assert {f"{kind}, 6" for kind in scored | without | as_far} == other
    assert first - other == {f"{kind}, 3" for kind in (PAPERS, PLAIN, "gradient cosine", "random 0")}
    assert all(
        set(attempt["curve"]) == {"1", "2"}
        for one in done.adaptations
        for two in one
        for attempt in two["attempts"].values()
    )


def test_tests_are_as_large_as_they_should_be(done, bench):
    before = done.adaptations[0][0]["before"]
    assert before["bits"] == {name: count * bench.link.bits for name, count in {SAME: 4, ALIKE: 5, OTHERS: 2}.items()}
    assert all(before["genie"][name] <= before["trained"][name] for name in (SAME, ALIKE, OTHERS))


def test_what_should_goes_as_far_as_the_papers_selection(done):
    """Along a direction exactly; steps of equal length that turn end nearer, by a third at most in all of these."""
    attempts = done.adaptations[1][2]["attempts"]
    whole = attempts[f"{PAPERS}, 6"]["distance"]
    assert attempts[f"{SECOND_ORDER}, 6"]["distance"] == pytest.approx(whole, rel=1e-5)
    for kind in (ASCENT, *(f"{one}{SAME_LENGTH}" for one in ("random 0", FRESH, ITSELF))):
        assert 0.66 * whole < attempts[f"{kind}, 6"]["distance"] < 1.0001 * whole


def test_the_target_itself_is_learned(done):
    """Of all attempts the one on the target's own bits lowers the errors on its own channel; so it should, at all."""
    before = [one["before"]["trained"][SAME] for one in done.adaptations[0]]
    after = [one["attempts"][f"{ITSELF}{SAME_LENGTH}, 6"]["curve"]["2"][SAME] for one in done.adaptations[0]]
    assert sum(after) < sum(before)


def test_steps_that_leave_no_finite_weights_are_a_result(done, bench, folder):
    """The network says nothing then, and every bit is taken for 0; what should go as far goes there, too."""
    seed = done.preparations[0]
    targets, scores = work.targets_of_record(bench, seed), work.scores_of(seed, bench.case)
    of_target = {kind: values[0] for kind, values in scores.items()}
    network = network_of(training_of(bench.case, folder / "runs"), bench)
    far = Adaptation(bench, network, targets, 0, of_target, 1e-25, work.directions_of(seed, bench.case)[0])
    sent = far.tests[ALIKE].bits
    for attempt in (Attempt(PAPERS, 6), Attempt(ASCENT, 6), Attempt(SECOND_ORDER, 6)):
        found = far.adapted(attempt, None)
        assert found["distance"] is None
        assert found["curve"]["2"][ALIKE] == bench.link.errors(sent, np.zeros(np.shape(sent))).sum()


def test_an_adaptation_stops_anywhere_and_goes_on_to_the_same_numbers(folder, done, bench):
    saved, training = [], training_of(bench.case, folder / "runs")
    seed, kept = done.preparations[0], ("identity", "stands_on", "provenance")
    begun = {name: done.adaptations[0][0][name] for name in kept} | {"finished": False}

    def keep(record):
        saved.append(json.loads(json.dumps(record)))

    work.adapted(bench.case, 0, training, seed, begun, keep)
    assert len(saved[2]["attempts"]) == 3
    itself = list(saved[-1]["attempts"]).index(f"{ITSELF}, 6")  # whose one frame is the first that is met, then
    for place in (0, 2, itself - 1, len(saved) - 3):
        left = json.loads(json.dumps(saved[place]))
        again = work.adapted(bench.case, 0, training, seed, left, lambda record: None)
        assert json.loads(json.dumps(again)) == saved[-1] == done.adaptations[0][0]


def test_what_is_lost_is_done_again_and_nothing_else(folder, tmp_path, capsys):
    """A training and a target's adaptations are deleted; what stands on both is kept, and stays as it is."""
    copied = shutil.copytree(folder, tmp_path / "copied")
    for stem in ("training-seed0", "target_1-seed1"):
        (path,) = (copied / "runs").glob(f"{stem}-*.json")
        path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in (copied / "runs").glob("*.json")}
    switches = ["--preset", "quick", "--seeds", "2", "--out", str(copied), "--workers", "2"]
    fig_learning.SCRIPT.main([*switches, "--log", "json"], TINY)
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {name: line[name] for name in ("part", "parts", "seed", "what")} == {
        "part": 11,
        "parts": 11,
        "seed": 1,
        "what": "target 1",
    }
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(copied) == contents(folder)


def test_what_stands_on_another_training_is_refused(folder, tmp_path, capsys):
    """As if the training had been deleted and made anew by another version, which trains to other bits."""
    copied = shutil.copytree(folder, tmp_path / "copied")
    (path,) = (copied / "runs").glob("training-seed1-*.json")
    record = read_record(path, TRAINING)
    record["weights"][0] = encode(decode(record["weights"][0], (-1,)) * np.float32(1.001))
    write_record(path, TRAINING, record)
    with pytest.raises(SystemExit) as stop:
        fig_several.SCRIPT.main(["--preset", "quick", "--seeds", "2", "--out", str(copied)], TINY)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "preparation-seed1" in line
    assert line.endswith("than is here; delete all records of seed 1, so that they are made anew")


def test_what_is_finished_starts_no_process(folder, tmp_path, monkeypatch):
    copied = shutil.copytree(folder, tmp_path / "copied")
    monkeypatch.setattr(processes, "ProcessPoolExecutor", lambda *given, **more: pytest.fail("a pool was made"))
    fig_several.SCRIPT.main(["--preset", "quick", "--seeds", "2", "--out", str(copied)], TINY)
    assert contents(copied) == contents(folder)


def test_killed_again_and_again_it_ends_the_same(folder, tmp_path):
    """A real SIGKILL of script and worker, as a seed is prepared and in the middle of a target.

    The last bits would tell of what a process did before: another one ends each part here.
    """
    switches = ["--preset", "quick", "--seeds", "2", "--out", str(tmp_path), "--workers", "1"]
    runs = tmp_path / "runs"
    child = """
        import sys
        from tests.receiver.test_influence_study import TINY, fig_adaptation

        fig_adaptation.SCRIPT.main(sys.argv[1:], TINY)
    """
    for kind, stem in ((PREPARATION, "preparation"), (ADAPTATION, "target_1")):
        with in_a_group(child, *switches) as process:
            assert wait_for(lambda stem=stem: list(runs.glob(f"{stem}-seed0-*.json")), 240, process)
        (path,) = runs.glob(f"{stem}-seed0-*.json")
        assert not read_record(path, kind)["finished"], f"{path.name} was finished before it was killed; kill it sooner"
    fig_adaptation.SCRIPT.main(switches, TINY)
    assert contents(runs) == contents(folder / "runs")
    assert (tmp_path / "adaptation.json").read_bytes() == (folder / "adaptation.json").read_bytes()


def test_nothing_left_out_is_the_training_itself(done, bench, model):
    """The last epoch trained again, without leaving anything out, ends at the very network."""
    targets = work.targets_of_record(bench, done.preparations[0])
    assert done.left_out[0]["losses"]["none"] == pytest.approx(target_loss(model, bench, targets, 0), rel=1e-6)
    assert list(done.left_out[0]["losses"]) == ["none", "0", "1", "2", "random 0", "random 1"]
    assert len({round(loss, 9) for loss in done.left_out[0]["losses"].values()}) == 6
    scores = work.scores_of(done.preparations[0], bench.case)[PLAIN][0]
    predicted = [done.left_out[0]["predicted"][str(group)] for group in range(3)]
    assert sum(predicted) == pytest.approx(scores.sum() / 200, rel=1e-4, abs=1e-6)


def test_frames_that_are_left_out_teach_nothing(folder):
    """Their bits may be anything; those of any other frame tell."""
    bench = Bench(Case(TINY, 0))  # of its own: its frames are changed
    trainer = bench.trainer()
    late = as_state(training_of(bench.case, folder / "runs")["late"], trainer.model)
    group = np.array([3, 50, 51, 120])
    found = trainer.epoch(late, group)
    whole = trainer.epoch(late)
    trainer.learned.bits[group] = 1 - trainer.learned.bits[group]
    again = trainer.epoch(late, group)
    trainer.learned.bits[7] = 1 - trainer.learned.bits[7]
    other = trainer.epoch(late, group)
    for one, same, all_of_them, another in zip(found.weights, again.weights, whole.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one != all_of_them).any()
        assert (one != another).any() or one.shape == another.shape == ()


def test_shares_by_hand(done):
    """What is saved at a target, in units of the mean gap of its seed."""
    study = experiment.Adapted(TINY, (0, 1), done.preparations, done.adaptations, done.together, done.left_out)
    found = experiment.adaptation(study)
    record = done.adaptations[1][2]
    before, after = record["before"], record["attempts"][f"{PAPERS}, 6"]["curve"]["2"]
    gap = np.mean([one["before"]["trained"][ALIKE] - one["before"]["genie"][ALIKE] for one in done.adaptations[1]])
    share = (before["trained"][ALIKE] - after[ALIKE]) / gap
    assert found["selections"][PAPERS]["closed"][ALIKE][1][2] == pytest.approx(share)
    draws = [record["attempts"][f"random {draw}, 6"]["curve"]["2"][OTHERS] for draw in range(2)]
    assert found["selections"][f"{RANDOM}{SAME_LENGTH}"]["distance"][1][2] == pytest.approx(
        record["attempts"][f"random 0{SAME_LENGTH}, 6"]["distance"]
    )
    expected = np.mean(draws) / before["trained"][OTHERS]
    assert found["selections"][RANDOM]["others"][1][2] == pytest.approx(expected)


def test_without_a_gap_there_is_no_share():
    with pytest.raises(
        ValueError, match="targets must be received worse than by the genie, got 100 errors against 110"
    ):
        experiment.shares_of_gap([90, 110], [100, 120], [80, 90], "seed 0")
    assert experiment.shares_of_gap([90, 110], [100, 80], [85, 105], "seed 0") == [0.5, 0.5]  # the mean gap is 10


def test_influence_is_shown_against_the_conditions_of_the_frames(done, bench):
    """The mean over all parts, each weighed by its frames, is 0: scores are standardised."""
    study = experiment.Adapted(TINY, (0, 1), done.preparations, done.adaptations, done.together, done.left_out)
    found = experiment.beneficial(study)["snr_db"]
    values = drawn(TINY.learned, 200, generator(0, "training", "conditions")).snr_db[:24]
    np.testing.assert_array_equal(values, bench.learned.conditions.snr_db[:24])
    counts, _ = np.histogram(values, np.linspace(-4.0, 32.0, len(found["middles"]) + 1))
    scores = np.array([score or 0.0 for score in found["scores"][0]])
    assert (scores * counts).sum() == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"candidates": 201}, "candidates must be at most the training's 200 frames, got 201; take fewer"),
        ({"last_epochs": 3}, "last_epochs must be from 1 to one less than the training's 3 epochs, got 3; take fewer"),
        ({"last_epochs": 0}, "last_epochs must be from 1"),
        ({"curvature_frames": 25}, "curvature_frames must be from 1 to 24, got 25; change it, or its bound"),
        ({"selected": 25}, "selected must be from 1 to 24, got 25"),
        ({"other_counts": (30,)}, "selected must be from 1 to 24, got 30"),
        ({"targets": 21}, "targets must be from 2 to 20, got 21"),
        ({"targets": 1}, "targets must be from 2 to 20, got 1"),
        ({"together": (4,)}, "together must be from 1 to 3, got 4"),
        ({"together": ()}, "together must be from 1 to 3, got 0"),
        ({"targets_left_out": 4}, "targets_left_out must be from 1 to 3, got 4"),
        ({"random_groups_left_out": 0}, "random_groups_left_out must be from 1 to 24, got 0"),
        ({"other_frames": 0}, "other_frames must be from 1"),
        ({"told_at": (1,)}, r"told_at must be steps up to the last, 2, got \(1,\); end with it"),
        ({"told_at": (0, 2)}, "told_at must be steps up to the last, 2"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_at_once(tmp_path, changes, said):
    def run():
        settings = dataclasses.replace(TINY, influences=dataclasses.replace(TINY.influences, **changes))
        work_of([Case(settings, 0)], tmp_path, 1, lambda part: None)

    with pytest.raises(ValueError, match=said):
        run()
    assert not list(tmp_path.iterdir())


def test_drawing_again_gives_the_same_pictures(folder):
    for one in FIGURES:
        picture = (folder / f"{one.SCRIPT.name}.png").read_bytes()
        one.SCRIPT.main(["--redraw", "--out", str(folder)])
        assert (folder / f"{one.SCRIPT.name}.png").read_bytes() == picture


DAMAGES = {
    fig_adaptation: lambda result: result["selections"][PAPERS].pop("others"),
    fig_learning: lambda result: result.pop("steps"),
    fig_beneficial: lambda result: result["snr_db"]["targets"].pop(),
    fig_several: lambda result: result["groups"].clear(),
    fig_left_out: lambda result: result["targets"][0]["random"].update(rises="none"),
}


@pytest.mark.parametrize("one", FIGURES, ids=lambda one: one.SCRIPT.name)
def test_numbers_that_are_not_the_figures_are_refused(folder, tmp_path, capsys, one):
    payload = json.loads(json.dumps(read_record(folder / f"{one.SCRIPT.name}.json", FIGURE)))
    DAMAGES[one](payload["result"])
    write_record(tmp_path / f"{one.SCRIPT.name}.json", FIGURE, payload)
    with pytest.raises(SystemExit) as caught:
        one.SCRIPT.main(["--redraw", "--out", str(tmp_path)])
    assert caught.value.code == 2
    assert "field result." in capsys.readouterr().err


def test_claims_are_written(folder):
    lines = (folder / "claims.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [f"| I{number}" for number in range(1, 8)]
