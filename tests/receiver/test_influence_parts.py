"""The parts of the study of influence, each by hand: losses, selections, fine-tuning, groups, verdicts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("sionna", reason="the package sionna-no-rt is not installed; pip install '.[phy]' brings it")

from reproduction.attribution.influence import Influence
from reproduction.ofdm.conditions import Conditions, Mix
from reproduction.receiver import criteria, fig_adaptation
from reproduction.receiver.fine_tuning import FineTuner, greatest_curvature
from reproduction.receiver.left_out import groups_of
from reproduction.receiver.losses import losses, targets_of
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
    PAPERS,
    PRODUCT,
    RANDOM,
    SAME,
    SAME_LENGTH,
    SECOND_ORDER,
)
from reproduction.receiver.preparation import corrected
from reproduction.receiver.selection import Question, selected
from reproduction.results.seed_statistics import mean_and_interval
from reproduction.results.verdicts import FAILS, HOLDS, UNDECIDABLE

IS_DATA = np.array([[True, False, True], [True, True, True]])


def soft_bits_and_bits(frames=3):
    generator = np.random.default_rng(0)
    shape = (frames, *IS_DATA.shape, 2)
    return generator.normal(size=shape).astype(np.float32), generator.integers(0, 2, shape).astype(np.uint8)


def test_the_cross_entropy_is_kerass_over_data_cells():
    soft, bits = soft_bits_and_bits()
    found = losses(IS_DATA)["BCE"](targets_of(bits, np.zeros(3)), soft)
    for frame in range(3):
        expected = keras.losses.BinaryCrossentropy(from_logits=True)(
            bits[frame][IS_DATA].ravel().astype(np.float32), soft[frame][IS_DATA].ravel()
        )
        np.testing.assert_allclose(found[frame], expected, rtol=1e-5)


def test_a_frame_weighs_its_capacity():
    soft, bits = soft_bits_and_bits()
    targets = targets_of(bits, np.array([0.0, 10.0, -np.inf]))
    named = losses(IS_DATA)
    weights = np.array([1.0, np.log2(11.0), 0.0])
    np.testing.assert_allclose(named["capacity"](targets, soft), weights * named["BCE"](targets, soft), rtol=1e-6)


def test_the_rate_in_bits_ranks_as_the_cross_entropy_does():
    """1 - BCE / ln 2 at the targets is affine in it: the greatest influence becomes the least, all in order."""
    generator = np.random.default_rng(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
    x = generator.normal(size=(30, 4)).astype(np.float32)
    y = (x[:, :1] > 0).astype(np.float32)
    bce = keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")

    def rate(wanted, soft):
        return 1.0 - bce(wanted, soft) / np.log(2.0)

    one = Influence(model, bce, hessian="identity").fit(x, y).scores(x[:2], y[:2])
    other = Influence(model, bce, hessian="identity", influence_loss=rate).fit(x, y).scores(x[:2], y[:2])
    np.testing.assert_allclose(other, -one / np.log(2.0), rtol=1e-5, atol=1e-7)


@pytest.fixture
def question():
    conditions = Conditions(
        np.array(["TDL-B"] * 4),
        np.array([0.0, 10.0, 20.0, 30.0]),
        np.array([0.0, 100.0, 400.0, 90.0]),
        np.array([100.0, 200.0, 300.0, 210.0]),
    )
    target = Conditions(np.array(["TDL-A"]), np.array([19.0]), np.array([100.0]), np.array([200.0]))
    mix = Mix(channels=("TDL-B",), snr_db=(0.0, 30.0), doppler_hz=(0.0, 400.0), delay_spread_ns=(100.0, 300.0))
    return Question({PAPERS: np.array([1.0, 3.0, 3.0, -2.0], np.float32)}, conditions, target, mix, 5)


def test_selections_by_hand(question):
    assert selected(question, PAPERS, 3).tolist() == [1, 2, 0]  # of equals the first
    assert selected(question, NEAREST_SNR, 2).tolist() == [2, 1]
    assert selected(question, NEAREST_CHANNEL, 2).tolist() == [1, 3]
    assert selected(question, NEAREST, 2).tolist() == [1, 3]  # squares .09 and .14, of the others .71 and .81
    draws = [selected(question, f"{RANDOM} {draw}", 3).tolist() for draw in range(5)]
    assert all(len(set(places)) == 3 for places in draws)
    assert len({tuple(places) for places in draws}) > 1
    assert draws[0] == selected(question, f"{RANDOM} 0", 3).tolist()


def test_what_cannot_be_selected_is_refused(question):
    with pytest.raises(ValueError, match="count must be at most the 4 candidates, got 5; take fewer"):
        selected(question, PAPERS, 5)
    with pytest.raises(ValueError, match="kind must be one of loss-relative, capacity, nearest SNR, nearest channel,"):
        selected(question, "magic", 1)


def squared(targets, outputs):
    return (targets[:, 0] - outputs[:, 0]) ** 2


@pytest.fixture
def line():
    """A line through the origin, its data, and their mean loss: (w x - y)^2."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[0.5], [-0.25]], np.float32)])
    x = np.random.default_rng(2).normal(size=(70, 2)).astype(np.float32)
    return model, x, x @ np.array([[1.0], [2.0]], np.float32)


def test_steps_are_plain_gradient_descent(line):
    """By the closed form of the gradient, over more frames than are differentiated at once; and back again."""
    model, x, y = line
    tuner, seen = FineTuner(model, squared), []
    weights = model.get_weights()[0].astype(float)
    first = weights.copy()
    distance = tuner.first_order(x, y, 0.1, 4, lambda step: seen.append(model.get_weights()[0].copy()))
    for after in seen:
        weights = weights - 0.1 * 2.0 * x.T.astype(float) @ (x @ weights - y) / len(x)
        np.testing.assert_allclose(after, weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(distance, np.linalg.norm(weights - first), rtol=1e-5)
    tuner.reset()
    np.testing.assert_array_equal(model.get_weights()[0], first.astype(np.float32))


class Table(keras.layers.Layer):
    """Looks a number up for the sign of the first feature, and has a weight that it does not need."""

    def build(self, input_shape):
        self.rows = self.add_weight(shape=(2, 1), initializer="ones", name="rows")
        self.idle = self.add_weight(shape=(3,), initializer="ones", name="idle")

    def call(self, inputs):
        return tf.gather(self.rows.value, tf.cast(inputs[:, 0] > 0.0, tf.int32))


def test_weights_without_a_dense_gradient_are_stepped_along_it_all_the_same():
    """A table's gradient comes as its rows; a weight that nothing needs stays."""
    x = np.array([[1.0], [-1.0], [2.0]], np.float32)
    model = keras.Sequential([keras.Input((1,)), Table()])
    tuner = FineTuner(model, squared)
    found = tuner.first_order(x, np.array([[0.0], [1.0], [0.5]], np.float32), 0.3, 1, lambda step: None)
    rows, idle = model.get_weights()
    slope = np.array([0.0, 2.0 * (1.0 + 0.5) / 3.0])  # 2 (rows - y) over the two samples of the second row, of three
    np.testing.assert_allclose(rows[:, 0], 1.0 - 0.3 * slope, rtol=1e-6)
    np.testing.assert_array_equal(idle, np.ones(3, np.float32))
    assert found == pytest.approx(0.3 * slope[1], rel=1e-6)


def test_a_negative_rate_climbs(line):
    model, x, y = line
    tuner = FineTuner(model, squared)
    before = float(np.mean(squared(y, model(x))))
    tuner.first_order(x, y, -0.05, 3, lambda step: None)
    assert float(np.mean(squared(y, model(x)))) > before


def test_of_steps_that_are_too_long_the_distance_is_not_finite(line):
    model, x, y = line
    assert not np.isfinite(FineTuner(model, squared).first_order(x, y, 1e20, 3, lambda step: None))


def test_steps_of_equal_length(line):
    """Down a line's loss they go the whole way that is asked for, up as far the other way."""
    model, x, y = line
    tuner, first = FineTuner(model, squared), model.get_weights()[0].copy()
    for distance in (0.3, -0.3):
        seen: list[np.ndarray] = []
        found = tuner.as_far(x, y, distance, 3, lambda step, seen=seen: seen.append(model.get_weights()[0].copy()))
        places = np.array([first, *seen])[:, :, 0]
        np.testing.assert_allclose(np.linalg.norm(np.diff(places, axis=0), axis=1), 0.1, rtol=1e-5)
        gradient = 2.0 * x.T @ (x @ first - y) / len(x)
        along = (places[1] - places[0]) @ gradient[:, 0] / np.linalg.norm(gradient) / 0.1
        np.testing.assert_allclose(along, -np.sign(distance), rtol=1e-4)
        np.testing.assert_allclose(found, np.linalg.norm(places[-1] - places[0]), rtol=1e-5)


def test_along_a_direction_it_goes_the_distance(line):
    model, _, _ = line
    tuner, first = FineTuner(model, squared), model.get_weights()[0]
    seen = []
    tuner.along(np.array([3.0, 4.0]), 2.0, 4, lambda step: seen.append(model.get_weights()[0] - first))
    np.testing.assert_allclose(seen[-1][:, 0], [1.2, 1.6], rtol=1e-5)
    np.testing.assert_allclose(seen[0], seen[-1] / 4, rtol=1e-5)


def test_the_greatest_curvature_is_that_of_the_hessian(line):
    model, x, y = line
    expected = np.linalg.eigvalsh(2.0 * x.T.astype(float) @ x / len(x)).max()
    np.testing.assert_allclose(greatest_curvature(model, squared, x, y), expected, rtol=1e-4)


def test_the_second_order_direction_is_newtons(line):
    """Of a quadratic: minus the inverse Hessian times the gradient leads to the least squares solution."""
    model, x, y = line
    fitted = Influence(model, squared, hessian="exact").fit(x, y)
    found = model.get_weights()[0][:, 0] + fitted.direction(x, y)
    np.testing.assert_allclose(found, np.linalg.lstsq(x, y)[0][:, 0], rtol=1e-4)


def test_the_correction_takes_the_samples_own_part_out():
    generator = np.random.default_rng(3)
    gradients = generator.normal(size=(40, 6))
    matrix = gradients.T @ gradients / 40 + 0.5 * np.eye(6)
    target = generator.normal(size=6)
    plain = gradients @ np.linalg.solve(matrix, target)
    own = np.einsum("np,np->n", gradients, np.linalg.solve(matrix, gradients.T).T)
    expected = [
        target @ np.linalg.solve(matrix - 2.0 * np.outer(one, one) / 40, one) for one in gradients
    ]  # the mean over 40 without the sample's own part, of two bits
    found = corrected(plain[None].astype(np.float32), own.astype(np.float32), 2, 40)
    np.testing.assert_allclose(found[0], expected, rtol=1e-4)
    assert corrected(np.ones((1, 1), np.float32), np.array([80.0], np.float32), 1, 40)[0, 0] == pytest.approx(100.0)


def test_bits_times_the_squared_gradient_is_the_hessian_of_a_frame_in_the_mean():
    """The premise of the correction: over bits that are drawn as the model says, independently."""
    generator = np.random.default_rng(6)
    inputs, weights, draws = generator.normal(size=(40, 3)), generator.normal(size=3), 20_000
    chance = 1.0 / (1.0 + np.exp(-inputs @ weights))
    bits = generator.random((draws, 40)) < chance
    gradients = (chance - bits) @ inputs / 40  # of the mean cross-entropy over the frame's 40 bits
    hessian = inputs.T @ (inputs * (chance * (1.0 - chance))[:, None]) / 40
    found = 40 * gradients.T @ gradients / draws
    np.testing.assert_allclose(found, hessian, atol=5.0 * np.sqrt(2.0 / draws) * np.abs(hessian).max())


def test_groups_are_in_the_order_of_influence():
    groups = groups_of(np.array([0.1, 0.9, -1.0, 0.5, 0.2, 0.3]), 3)
    assert [group.tolist() for group in groups] == [[1, 3], [5, 4], [0, 2]]


def test_a_mean_and_its_interval():
    """Targets are drawn within each seed: what differs between seeds alone has no interval."""
    assert np.isnan(mean_and_interval([[1.0, 1.0], [3.0, 3.0]])[1])
    mean, low, high = mean_and_interval(np.random.default_rng(4).normal(size=(3, 200)))
    width = 1.96 / np.sqrt(600)
    assert low < mean < high
    np.testing.assert_allclose(high - low, 2 * width, rtol=0.15)  # 600 normal values, 4000 resamples


def results(**shares):
    kinds = [*KINDS_OF_INFLUENCE, PRODUCT, COSINE, HARDEST, NEAREST_SNR, NEAREST_CHANNEL, NEAREST, ASCENT, SECOND_ORDER]
    kinds += [f"{kind}{ending}" for kind in (RANDOM, FRESH, ITSELF) for ending in ("", SAME_LENGTH)]
    generator = np.random.default_rng(5)
    closed = {kind: shares.get(kind, 0.1) + 0.01 * generator.normal(size=(3, 5)) for kind in kinds}
    one = {"closed": closed, "others": 1.0}
    adaptation = {
        "selections": {
            kind: {
                "closed": {ALIKE: one["closed"][kind].tolist(), SAME: one["closed"][kind].tolist()},
                "others": [[1.0] * 5] * 3,
                "distance": [[0.02] * 5] * 3,
            }
            for kind in kinds
        }
    }
    several = {"groups": [{"targets": 5, "singly": [[0.3, 0.31]] * 3, "jointly": [[0.1, 0.12]] * 3}]}
    return adaptation, several


def test_verdicts_by_hand():
    others = dict.fromkeys((kind for kind in KINDS_OF_INFLUENCE if kind != PAPERS), 0.0)
    told = criteria.verdicts(*results(**{PAPERS: 0.5} | others))
    assert [one.claim for one in told] == [f"I{number}" for number in range(1, 8)]
    assert [one.verdict for one in told] == [HOLDS] * 7
    told = {one.claim: one.verdict for one in criteria.verdicts(*results(**{PAPERS: -0.5}))}
    assert told == {"I1": FAILS, "I2": FAILS, "I3": HOLDS, "I4": FAILS, "I5": FAILS, "I6": FAILS, "I7": FAILS}


def test_as_consistent_as_others_is_not_most_consistent():
    """Whether all kinds help every target, or none."""
    for share in (0.5, -0.5):
        (told, *_) = criteria.verdicts(*results(**dict.fromkeys(KINDS_OF_INFLUENCE, share)))
        assert told.verdict == FAILS


def test_one_seed_of_the_other_sign_is_not_beyond_chance():
    adaptation, several = results(**{PAPERS: 0.5})
    closed = adaptation["selections"][PAPERS]["closed"][ALIKE]
    closed[2] = [value - 0.41 for value in closed[2]]
    told = {one.claim: one.verdict for one in criteria.verdicts(adaptation, several)}
    assert (told["I2"], told["I6"]) == (FAILS, FAILS)


def test_of_one_target_nothing_is_known():
    adaptation, several = results(**{PAPERS: 0.5})
    for one in adaptation["selections"].values():
        one["closed"][ALIKE] = [values[:1] for values in one["closed"][ALIKE]]
    told = {one.claim: one.verdict for one in criteria.verdicts(adaptation, several)}
    assert {told[claim] for claim in ("I1", "I2", "I4", "I7")} == {UNDECIDABLE}


def test_the_table_says_how_many_targets_improved():
    adaptation, _ = results(**{PAPERS: -0.5})
    text = fig_adaptation.tables({"result": adaptation})[".md"]
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {PAPERS} |")]
    assert line.startswith(f"| {PAPERS} | -5") or line.startswith(f"| {PAPERS} | -4")
    assert line.endswith("| 0.0 [nan, nan] | 0 | 0.020 |")
