"""Training in one compiled call: Keras's own steps, zeros that stay, the same bits again."""

import keras
import numpy as np
import pytest

from reproduction.xrefine.network import FEATURES, Kept, all_of, as_keras, cut_out, first_weights, masks_of
from reproduction.xrefine.training import Training, trained

HIDDEN = (6, 5)
KEPT = Kept((1, 2, 40), ((0, 2, 5), (1, 3)))


@pytest.fixture(scope="module")
def samples():
    """A linear map with noise, which a narrow network learns in part."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(640, FEATURES)).astype(np.float32)
    mixing = generator.normal(size=(3, FEATURES))
    targets = (inputs[:, :3] @ mixing + 0.1 * generator.normal(size=inputs.shape)).astype(np.float32)
    return inputs, targets


def start(seed=1):
    return first_weights(HIDDEN, np.random.default_rng(seed))


def error(weights, inputs, targets):
    return float(np.mean((np.asarray(as_keras(weights)(inputs)) - targets) ** 2))


def test_steps_are_those_of_keras_adam(samples):
    """Ten steps on the whole set at once, where the order does not count."""
    how = Training(epochs=10, batch=len(samples[0]), learning_rate=1e-2)
    found = trained(start(), masks_of(all_of(HIDDEN), HIDDEN), *samples, how, 0)
    model = as_keras(start())
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    model.fit(*samples, batch_size=len(samples[0]), epochs=10, verbose=0)
    for mine, theirs in zip(found, model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-5)  # ten steps of float32, divided by roots


def test_it_learns_and_the_same_seed_gives_the_same_bits(samples):
    how = Training(epochs=20, batch=64, learning_rate=1e-2)
    masks = masks_of(all_of(HIDDEN), HIDDEN)
    one, again, other = (trained(start(), masks, *samples, how, seed) for seed in (0, 0, 1))
    assert error(one, *samples) < 0.5 * error(start(), *samples)
    assert all(np.array_equal(*pair) for pair in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_what_is_not_left_stays_0_and_the_rest_is_the_small_network(samples):
    """Trained as a network of its own, from the same weights and in the same order, it is the same."""
    how = Training(epochs=3, batch=64, learning_rate=1e-2)
    inputs, targets = samples
    masks = masks_of(KEPT, HIDDEN)
    found = trained(start(), masks, inputs, targets, how, 7)
    assert all(not one[mask == 0].any() for one, mask in zip(found, masks, strict=True))
    first = cut_out(start(), KEPT)
    ones = [np.ones_like(one) for one in first]
    small = trained(first, ones, np.ascontiguousarray(inputs[:, KEPT.features]), targets, how, 7)
    for mine, alone in zip(cut_out(found, KEPT), small, strict=True):
        np.testing.assert_allclose(mine, alone, rtol=1e-3, atol=1e-5)  # float32 sums in another order, 30 steps


def test_refusals(samples):
    inputs, targets = samples
    masks = masks_of(all_of(HIDDEN), HIDDEN)
    with pytest.raises(ValueError, match="samples must be at least a batch of 1000, got 640; give more of them"):
        trained(start(), masks, inputs, targets, Training(batch=1000), 0)
    with pytest.raises(ValueError, match="weights must stay finite, got NaN or infinity"):
        trained(start(), masks, inputs, targets, Training(learning_rate=1e30), 0)
