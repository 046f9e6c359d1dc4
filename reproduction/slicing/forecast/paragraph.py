"""A forecast in words: what opens the log of an in-hoc run, and what `regimes.py --data` prints."""

import math

from reproduction.slicing.datasets.slice_data import SliceData
from reproduction.slicing.forecast.forecast import LOWEST_R_SQUARED, Forecast, forecast
from reproduction.slicing.settings import LocalSettings, SliceSettings

MARGIN = 0.05
"""A forecast this near to nu says neither yes nor no; `regimes.agreement` holds the forecast's mean error to it."""


def paragraph(data: SliceData, sla: SliceSettings, local: LocalSettings, seed: int) -> str:
    """Return the forecast of one slice on one line, or why there is none; see `forecast.forecast`."""
    try:
        text = in_words(forecast(data, sla, local, seed), sla)
    except ValueError as error:
        text = f"no prediction: {error}."
    return f"Before training, {data.name}: {text}"


def in_words(found: Forecast, sla: SliceSettings) -> str:
    """Return a forecast in words."""
    if math.isnan(found.r_squared):
        return "no prediction: the target never changes, so there is nothing to learn."
    if not found.is_trusted:
        return (
            f"no prediction: a second-order polynomial has R^2 {found.r_squared:.2f} on training and "
            f"{found.r_squared_test:.2f} on test data, and below {LOWEST_R_SQUARED:g} on the latter it cannot stand "
            "for a trained model."
        )
    if not found.losses:
        return f"no prediction: no sample is predicted inside the SLA, {sla.interval}, so confidence is not defined."
    return (
        f"an unconstrained model is expected to have confidence {found.confidence:.2f}; {_what_to_do(found, sla)} "
        f"(nu {sla.confidence_threshold:g}, SLA {sla.interval}). {_costliest(found)} This is a second-order "
        f"polynomial's confidence: R^2 {found.r_squared:.2f} on training and {found.r_squared_test:.2f} on test data, "
        f"{100 * found.inside:.0f} % of the training samples predicted inside the SLA."
    )


def _what_to_do(found: Forecast, sla: SliceSettings) -> str:
    if abs(found.confidence - sla.confidence_threshold) <= MARGIN:
        return "too near to nu to say whether the constraint has something to do"
    below = found.confidence < sla.confidence_threshold
    return f"the constraint has {'something' if below else 'nothing'} to do"


def _costliest(found: Forecast) -> str:
    loss = found.costliest
    if loss.confidence_without - found.confidence < MARGIN / 10:
        return "No single feature's loss costs confidence."
    return (
        f"What costs confidence is the loss of {loss.feature}: a mutation takes it with probability "
        f"{loss.probability:.2f}, {100 * loss.harm:.0f} % leave the SLA without it, and were it never lost the "
        f"confidence would be {loss.confidence_without:.2f}."
    )
