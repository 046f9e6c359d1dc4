"""From the records of all cases to the numbers of each figure: one function per figure.

Numbers stay per seed, in the order of the seeds. An interval is Wilson's of the seeds together, with a frame for a
draw: bits of a frame share their channel, so that the errors of n frames are as sure as those of n / deff bits, deff
being how much more the frames' errors spread than independent bits would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reproduction.ofdm.error_rate import ErrorRate
from reproduction.receiver.names import ALIKE, OTHERS, PAPERS, RANDOM, SAME, SAME_LENGTH, is_random
from reproduction.receiver.settings import Settings
from reproduction.results.store import Payload

Result = dict[str, Any]

Curves = list[list[float]]
"""[seeds][targets]."""
PARTS = 9
"""Of a condition's range, within which influences are averaged."""


@dataclass(frozen=True)
class Records:
    """All cases of a study.

    Attributes:
        settings: of the study.
        seeds: in their order.
        records: of the tests, one per seed.
    """

    settings: Settings
    seeds: tuple[int, ...]
    records: Sequence[Payload]


def error_rates(study: Records) -> Result:
    """Return the bit error rate of every receiver against SNR, on the channels of the training and on unseen ones."""
    bits = study.records[0]["bits"]

    def curve(mix: str, name: str) -> Result:
        errors = np.array([record["errors"][mix][name] for record in study.records])
        return {
            "rates": (errors.mean(axis=2) / bits).tolist(),
            "intervals": [interval(errors[:, place].reshape(-1), bits) for place in range(errors.shape[1])],
        }

    return {
        "snr_db": list(study.settings.snr_db),
        "bits": bits,
        "frames": study.settings.test_frames,
        "mixes": [
            {
                "mix": mix,
                "channels": list(getattr(study.settings, mix).channels),
                "receivers": {name: curve(mix, name) for name in receivers},
            }
            for mix, receivers in study.records[0]["errors"].items()
        ],
    }


def interval(errors: np.ndarray, bits: int) -> list[float]:
    """Return Wilson's 95 % interval of the error rate of frames, for as many independent bits as they are worth.

    Kish 1965 (Survey Sampling) for the design effect.

    Args:
        errors: of each frame, int [frames].
        bits: of a frame.
    """
    rate = errors.mean() / bits
    independent = rate * (1.0 - rate) * bits
    if not independent or len(errors) < 2:  # nothing is known of how they spread: a frame is a draw
        worth = errors.size
    else:
        worth = max(1, round(errors.size * bits / max(1.0, errors.var(ddof=1) / independent)))
    return list(ErrorRate(round(rate * worth), worth).interval())


@dataclass(frozen=True)
class Adapted:
    """All records of the study of influence.

    Attributes:
        settings: of the study.
        seeds: in their order.
        preparations: one per seed.
        adaptations: of each seed, one per target.
        together: one per seed.
        left_out: of the first seed, one per target.
    """

    settings: Settings
    seeds: tuple[int, ...]
    preparations: Sequence[Payload]
    adaptations: Sequence[Sequence[Payload]]
    together: Sequence[Payload]
    left_out: Sequence[Payload]

    def closed(self, kind: str, count: int, test: str, step: int | None = None, targets: int | None = None) -> Curves:
        """Return the share of the gap to the genie that a selection's fine-tuning closes, [seeds][targets].

        Errors that are saved count in units of the seed's mean gap: a target's own may be small, and its share huge.

        Args:
            kind: of the selection; "random" is the mean over its draws.
            count: frames that were selected.
            test: what the network is held to.
            step: of the fine-tuning; the last by default.
            targets: the first so many; all by default.

        Raises:
            ValueError: there is no gap.
        """
        at = str(step or self.settings.influences.steps)
        return [
            shares_of_gap(
                [one["before"]["trained"][test] for one in several[:targets]],
                [one["before"]["genie"][test] for one in several[:targets]],
                [_mean_errors(one, kind, count, test, at) for one in several[:targets]],
                f"seed {seed}, {test}",
            )
            for seed, several in zip(self.seeds, self.adaptations, strict=True)
        ]


def adaptation(study: Adapted) -> Result:
    """Return what each selection's fine-tuning comes to, seed by seed and target by target.

    Returns:
        Of each selection the share of the gap to the genie that is closed, by test, and the other targets' bit errors
        in units of those before, and how far the weights came; and how the targets were received before.
    """
    how, of_seeds = study.settings.influences, study.adaptations

    def forgotten(kind: str) -> Curves:
        return [
            [
                _mean_errors(one, kind, how.selected, OTHERS, str(how.steps)) / max(1, one["before"]["trained"][OTHERS])
                for one in several
            ]
            for several in of_seeds
        ]

    return {
        "selected": how.selected,
        "steps": how.steps,
        "targets": [
            {**one["targets"], "rates": _rates_of(one["targets"]["errors"], study)} for one in study.preparations
        ],
        "selections": {
            kind: {
                "closed": {test: study.closed(kind, how.selected, test) for test in (SAME, ALIKE)},
                "others": forgotten(kind),
                "distance": [[_mean_distance(one, kind, how.selected) for one in several] for several in of_seeds],
            }
            for kind in kinds_of(study)
        },
        "counts": {
            kind: {
                str(count): study.closed(kind, count, ALIKE, targets=how.targets_of_other_counts)
                for count in sorted({how.selected, *how.other_counts})
            }
            for kind in (*how.kinds_of_other_counts, RANDOM)
        },
    }


def _rates_of(errors: dict[str, list[int]], study: Adapted) -> dict[str, list[float]]:
    one = study.adaptations[0][0]["before"]["bits"][SAME] / study.settings.influences.same_frames
    return {name: [count / one for count in counts] for name, counts in errors.items()}


def kinds_of(study: Adapted) -> list[str]:
    """Return the names of the selections; the random draws are one."""
    how = study.settings.influences
    ending = f", {how.selected}"
    names = [key.removesuffix(ending) for key in study.adaptations[0][0]["attempts"] if key.endswith(ending)]
    for draws, ending in ((RANDOM, ""), (f"{RANDOM}{SAME_LENGTH}", SAME_LENGTH)):
        first = next(place for place, name in enumerate(names) if is_random(name, ending))
        names = [name for name in names if not is_random(name, ending)]
        names.insert(first, draws)
    return names


def _draws(record: Payload, kind: str, count: int) -> list[Payload]:
    """Return the fine-tunings of a kind: one, or those of the random draws."""
    attempts = record["attempts"]
    if not kind.startswith(RANDOM):
        return [attempts[f"{kind}, {count}"]]
    ending = kind.removeprefix(RANDOM)
    return [
        attempt
        for key, attempt in attempts.items()
        if key.endswith(f", {count}") and is_random(key.removesuffix(f", {count}"), ending)
    ]


def _mean_errors(record: Payload, kind: str, count: int, test: str, step: str) -> float:
    """Return the bit errors after a fine-tuning; of random selections the mean over their draws."""
    return float(np.mean([attempt["curve"][step][test] for attempt in _draws(record, kind, count)]))


def _mean_distance(record: Payload, kind: str, count: int) -> float | None:
    """Return how far the weights came, likewise; None if not to a finite place."""
    distances = [attempt["distance"] for attempt in _draws(record, kind, count)]
    return None if None in distances else float(np.mean(distances))


def shares_of_gap(trained: Sequence[int], genie: Sequence[int], after: Sequence[float], where: str) -> list[float]:
    """Return the errors that are saved at each target, in units of the mean gap between two receivers.

    Args:
        trained: errors of the network as it was trained, of each target.
        genie: likewise.
        after: of the network after fine-tuning.
        where: said if there is no gap.

    Raises:
        ValueError: the trained network makes no more errors than the genie.
    """
    gap = float(np.mean(trained) - np.mean(genie))
    if gap <= 0.0:
        raise ValueError(
            f"targets must be received worse than by the genie, got {np.mean(trained):.4g} errors against "
            f"{np.mean(genie):.4g} on the mean, {where}; there is nothing to close: choose from a larger pool, or "
            "leave the seed out."
        )
    return ((np.asarray(trained, float) - np.asarray(after, float)) / gap).tolist()


def learning_curves(study: Adapted) -> Result:
    """Return the share of the gap that is closed after each step that was looked at, by selection."""
    how = study.settings.influences
    steps = [step for step in how.told_at if step <= how.steps]
    return {
        "steps": steps,
        "selections": {
            kind: [study.closed(kind, how.selected, ALIKE, step) for step in steps] for kind in kinds_of(study)
        },
    }


def beneficial(study: Adapted) -> Result:
    """Return how the influence of a frame hangs on its conditions, by parts of their ranges: the paper's selection.

    Scores are standardised over the candidates of each target.
    """
    from reproduction.receiver.samples import conditions_of
    from reproduction.results.records import decode

    settings, how = study.settings, study.settings.influences
    found: Result = {}
    for name in ("snr_db", "delay_spread_ns", "doppler_hz"):
        least, greatest = getattr(settings.learned, name)
        edges = np.linspace(least, greatest, PARTS + 1)
        curves = []
        for seed, record in zip(study.seeds, study.preparations, strict=True):
            seen = conditions_of(settings.learned, settings.training.frames, seed, "training")
            values = getattr(seen, name)[: how.candidates]
            scores = decode(record["scores"][PAPERS], (how.targets, how.candidates)).astype(float)
            scores = (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)
            part = np.clip(np.digitize(values, edges) - 1, 0, PARTS - 1)
            means = [scores[:, part == one].mean() if (part == one).any() else None for one in range(PARTS)]
            curves.append([None if one is None else float(one) for one in means])
        found[name] = {
            "middles": ((edges[:-1] + edges[1:]) / 2.0).tolist(),
            "scores": curves,
            "targets": [record["targets"][name] for record in study.preparations],
        }
    return found


def several_targets(study: Adapted) -> Result:
    """Return the share of the gap that is closed for several targets at once, and for the same ones singly."""
    how = study.settings.influences
    found = []
    for size in how.together:
        jointly: dict[str, Curves] = {}
        for seed, record in zip(study.seeds, study.together, strict=True):
            group = record["groups"][str(size)]
            shares = {
                name: shares_of_gap(
                    group["trained"][ALIKE], group["genie"][ALIKE], errors[ALIKE], f"seed {seed}, {size} targets"
                )
                for name, errors in group.items()
                if name not in ("trained", "genie")
            }
            draws = [shares.pop(name) for name in list(shares) if is_random(name)]
            for name, values in {**shares, RANDOM: np.mean(draws, axis=0).tolist()}.items():
                jointly.setdefault(name, []).append(values)
        singly = study.closed(PAPERS, how.selected, ALIKE, targets=size)
        found.append({"targets": size, "singly": singly, "jointly": jointly[PAPERS], "random": jointly[RANDOM]})
    return {"groups": found}


def left_out(study: Adapted) -> Result:
    """Return of each target the rise of its loss that the influences of a group say, and the one that was trained.

    Groups are those sorted by influence, and random ones.
    """
    from reproduction.results.seed_statistics import rank_correlation

    targets = []
    for record in study.left_out:
        losses, predicted = dict(record["losses"]), record["predicted"]
        whole = losses.pop("none")
        parts: dict[str, dict[str, list[float]]] = {}
        for part, names in (
            ("sorted", [name for name in losses if not is_random(name)]),
            ("random", [name for name in losses if is_random(name)]),
        ):
            rises = [losses[name] - whole for name in names]
            parts[part] = {"predicted": [predicted[name] for name in names], "rises": rises}
        found = rank_correlation(parts["sorted"]["predicted"], parts["sorted"]["rises"])
        targets.append({**parts, "rank_correlation": None if np.isnan(found) else found})
    return {"epochs": study.settings.influences.last_epochs, "targets": targets}
