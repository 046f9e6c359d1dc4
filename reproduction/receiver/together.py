"""Several targets at once: one fine-tuning on the frames with the greatest mean influence on all of them.

An influence counts in units of its spread over the candidates, target by target.
"""

from typing import Any

import numpy as np

from reproduction.receiver.adaptation import again
from reproduction.receiver.bench import Bench
from reproduction.receiver.fine_tuning import FineTuner
from reproduction.receiver.losses import losses
from reproduction.receiver.names import ALIKE, BCE, PAPERS, SAME, random_name
from reproduction.receiver.preparation import Targets, read
from reproduction.receiver.receivers import GENIE, by_network, frame_errors
from reproduction.receiver.samples import draw_fresh, repeated
from reproduction.receiver.selection import best
from reproduction.seeds import generator


def together(bench: Bench, model: Any, targets: Targets, scores: np.ndarray, curvature: float, size: int) -> Any:
    """Fine-tune a network for the first targets at once.

    Args:
        bench: of the study.
        model: trained; its weights are overwritten.
        targets: all of them.
        scores: of the paper's selection, float32 [targets, candidates].
        curvature: greatest eigenvalue of the Hessian.
        size: how many targets.

    Returns:
        The bit errors in each test, an entry per target: of the network as it was trained, of the genie, and after
        fine-tuning on each selection.
    """
    how, link, seed = bench.settings.influences, bench.link, bench.case.seed
    tests = {
        SAME: [again(link, targets, [one] * how.same_frames, seed, "same", one) for one in range(size)],
        ALIKE: [
            draw_fresh(link, repeated(targets.conditions, one, how.alike_frames), seed, "alike", one)
            for one in range(size)
        ],
    }
    pilots = bench.settings.grid.pilots
    tuner, receiver = FineTuner(model, losses(pilots == 0)[BCE]), by_network(model, pilots)

    def errors(of: Any) -> dict[str, list[int]]:
        return {name: [int(frame_errors(link, of, one).sum()) for one in several] for name, several in tests.items()}

    found = {"trained": errors(receiver), "genie": errors(bench.conventional[GENIE])}
    each = scores[:size] / scores[:size].std(axis=1, keepdims=True)  # else a target of great gradients speaks for all
    selections = {PAPERS: best(each.mean(axis=0), how.selected)}
    for draw in range(how.draws_of_other_counts):
        drawn = generator(seed, "random selection", "together", draw)
        selections[random_name(draw)] = drawn.choice(scores.shape[1], how.selected, replace=False)
    for name, places in selections.items():
        tuner.first_order(*read(bench, places), how.step_times_curvature / curvature, how.steps, lambda step: None)
        found[name] = errors(receiver)
    tuner.reset()
    return found
