"""How confident an unconstrained model will be, in a second and before any training: eqs. (2)-(6) for a polynomial.

A second-order polynomial is fitted to the pooled, scaled training data; its own attributions decide its own mutations,
and its confidence is the share of its predictions that stay inside the SLA. A post-hoc federation that has learnt the
task comes to about the same; how near, the study of `regimes` measures.

As the federation's, the confidence is the mean over the CLs that have one (U not empty), each counting alike.

Differs from the paper: it has no forecast. Input x Gradient, whose alpha is the gradient at the sample, has none here;
IG and exact Shapley values have the same (`polynomial`).
"""

from dataclasses import dataclass

import numpy as np

from reproduction import seeds
from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.federation.clients import scaled_baseline
from reproduction.slicing.forecast.expectation import chance_inside, inside, most_samples, soft_attributions
from reproduction.slicing.forecast.polynomial import coefficients, fit, r_squared
from reproduction.slicing.settings import LocalSettings, SliceSettings

MOST_SAMPLES, MOST_NUMBERS = 40_000, 2**21
"""Of more training samples, or more numbers in the polynomial's design matrix, an equal share of each CL's samples is
drawn, so that a forecast takes less than a second."""

LOWEST_R_SQUARED = 0.8
"""Below it on test data the polynomial is no stand-in for a network, and there is no forecast."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What losing one feature, its going to the baseline, means. Means over U, then over the CLs.

    Attributes:
        feature: its name.
        probability: that a mutation takes it, pi of eq. (2).
        harm: share of U that is predicted outside the SLA when it alone is lost.
        confidence_without: the confidence if it were never lost.
    """

    feature: str
    probability: float
    harm: float
    confidence_without: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is to be expected of an unconstrained model of one slice.

    Attributes:
        confidence: C of eq. (6), mean over the CLs; NaN if U is empty in all of them.
        inside: share of the training samples predicted inside the SLA, U's size over D.
        losses: of the Q features; none if U is empty.
        r_squared: of the polynomial on the training samples; NaN if the target never changes.
        r_squared_test: on the test samples.
        samples: training samples used.
    """

    confidence: float
    inside: float
    losses: tuple[Loss, ...]
    r_squared: float
    r_squared_test: float
    samples: int

    @property
    def is_trusted(self) -> bool:
        """Whether the polynomial is good enough to stand in for a network."""
        return self.r_squared_test >= LOWEST_R_SQUARED

    @property
    def costliest(self) -> Loss:
        """The feature whose loss costs the most confidence."""
        return max(self.losses, key=lambda loss: loss.confidence_without)


def forecast(data: SliceData, sla: SliceSettings, local: LocalSettings, seed: int) -> Forecast:
    """Return what is to be expected of an unconstrained model.

    Args:
        data: of the slice.
        sla: its bounds.
        local: the normalisation of eq. (2), the reading of eq. (6) and the baseline.
        seed: root seed of what is drawn: samples where there are too many, mutations where they are too many to sum.

    Raises:
        ValueError: fewer training samples than the polynomial has coefficients.
    """
    scaled, baseline = data.scaled(), scaled_baseline(data, local).astype(float)
    rng = seeds.generator(seed, "forecast", data.name)
    features, target, owner = _training(scaled, rng)
    polynomial = fit(features, target)
    test_features, test_target = (values.astype(float) for values in scaled.pooled("test"))

    bounds = sla.lower_percent, sla.upper_percent
    prediction = polynomial.predict(features)
    members = inside(prediction, bounds)
    confidence, losses = float("nan"), tuple[Loss, ...]()
    if members.any():
        (chosen,) = np.nonzero(members)
        chosen = rng.permutation(chosen)[: most_samples(len(baseline))]
        u, owner = features[chosen], owner[chosen]
        probability = soft_attributions(polynomial.mean_gradient(u, baseline), local.normalisation)
        conforming = bounds if local.confidence == "interval" else (-np.inf, np.inf)  # the printed max is always 1
        kept, kept_without = chance_inside(polynomial, u, baseline, probability, conforming, rng)
        harmed = ~inside(polynomial.worths(u, baseline, ~np.eye(len(baseline), dtype=bool)), conforming)
        confidence = float(_over_clients(kept, owner))
        per_feature = (_over_clients(values, owner).tolist() for values in (probability, harmed, kept_without))
        losses = tuple(
            Loss(feature=name, probability=lost, harm=harm, confidence_without=without)
            for name, lost, harm, without in zip(data.feature_names, *per_feature, strict=True)
        )
    return Forecast(
        confidence=confidence,
        inside=float(members.mean()),
        losses=losses,
        r_squared=r_squared(target, prediction),
        r_squared_test=r_squared(test_target, polynomial.predict(test_features)),
        samples=len(target),
    )


def _training(scaled: SliceData, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pool the CLs' training samples, or an equal share of each CL's where they are too many.

    Returns:
        features [n, Q], target [n], and the index of each sample's CL [n].
    """
    counts = np.array([len(client.train_target) for client in scaled.clients])
    most = min(MOST_SAMPLES, MOST_NUMBERS // coefficients(len(scaled.features)))
    share = min(1.0, most / counts.sum())
    chosen = [rng.permutation(count)[: max(1, round(share * count))] for count in counts]
    features = [client.train_features[rows] for client, rows in zip(scaled.clients, chosen, strict=True)]
    target = [client.train_target[rows] for client, rows in zip(scaled.clients, chosen, strict=True)]
    owner = np.repeat(np.arange(len(counts)), [len(rows) for rows in chosen])
    return np.concatenate(features).astype(float), np.concatenate(target).astype(float), owner


def _over_clients(values: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return the mean over each CL's samples in U, then over the CLs that have any."""
    return np.mean([values[owner == client].mean(axis=0) for client in np.unique(owner)], axis=0)
