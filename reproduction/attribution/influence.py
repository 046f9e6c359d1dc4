"""Influence functions: which training samples a model's prediction, or its error, comes from.

How would the loss at a target t change, were a training sample z left out? To first order, with the gradients g of
the losses and the Hessian H of the mean training loss at the trained weights (Koh and Liang 2017, arXiv 1703.04730)::

    I(z, t) = g_t^T (H + damping I)^-1 g_z

A positive influence is a helpful sample's: training on it lowers the target's loss, and without it, of n samples, the
loss rises by I / n. Koh and Liang print the opposite sign. Two relative forms weigh down samples that move the weights
everywhere, such as outliers (Barshan et al. 2020, RelatIF, arXiv 2003.11630)::

    "theta":  I / |H^-1 g_z|               at most |g_t|
    "loss":   I / sqrt(g_z^T H^-1 g_z)     at most sqrt(g_t^T H^-1 g_t), for a positive definite H

| hessian        | H^-1                                                        | needs                         |
|----------------|-------------------------------------------------------------|-------------------------------|
| "identity"     | left out: inner products of gradients                       | one derivative                |
| "exact"        | H written out, in float64                                   | P <= 4096, H + damping I > 0  |
| "cg"           | conjugate gradients, for each target                        | H + damping I > 0             |
| "gauss_newton" | the same, of J^T H_out J, never negative for usual losses   | damping > 0, as a rule        |
| "arnoldi"      | on a Krylov space, directions of negative curvature left out | some positive curvature       |

Of n samples with P weights, a call takes at most about::

    256 MB for a block, and for TensorFlow  +  4 n P bytes for gradients, if these are up to 1 GB (else none are kept,
    and they are computed anew, block by block; with `projection` 4 n d)  +  24 P bytes per target, and

    "exact" 24 P^2,   "cg", "gauss_newton" 40 P for each of up to 64 rows,   "arnoldi" 12 iterations P + 4 iterations n

"arnoldi" keeps `iterations` numbers of a sample, no gradient. The relative forms and `self_influence` solve for every
training sample once: with "cg" and "gauss_newton" that is n solves of up to `iterations` passes over all samples.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reproduction.attribution import curvature, influence_file, inverses
from reproduction.attribution.inverses import Inverse, Spectral, inner
from reproduction.attribution.method import require_truth_value, require_whole_number
from reproduction.attribution.objective import (
    Loss,
    Objective,
    Samples,
    checked_loss,
    checked_objective,
    checked_samples,
    tried,
)
from reproduction.attribution.sample_gradients import SampleGradients, sample_gradients
from reproduction.attribution.scalar_function import is_keras
from reproduction.attribution.sketch import Sketch, drawn
from reproduction.attribution.training_rows import TrainingRows
from reproduction.files import write_atomically
from reproduction.seeds import generator

HESSIANS = ("identity", "exact", "cg", "gauss_newton", "arnoldi")

OPTIONS = (
    "hessian",
    "damping",
    "layers",
    "curvature_samples",
    "iterations",
    "projection",
    "batch_size",
    "seed",
    "progress",
)

RELATIVE = (None, "theta", "loss")


class Influence:
    """The influence of training samples on a model's loss at targets.

    Args:
        model: any Keras model with one output, trained; called as at inference.
        loss: that it was trained with: the name of a Keras loss, a `keras.losses.Loss`, or a function of
            (y_true, y_pred) that gives a number per sample, or several, which are averaged.
        hessian: one of `HESSIANS`, see the module's table.
        damping: added to the curvature's diagonal, >= 0, in the loss's units per squared weight; 0 for "identity".
        layers: names of the layers whose weights count; None: all weights that are trained.
        influence_loss: the loss at the targets, if it is another (cross-loss influence); may be a function of the
            model's error that is no training loss at all.
        curvature_samples: the first samples, over which the curvature is the mean; None: over all of them.
        iterations: products with the curvature: the dimension of Arnoldi's space, the most steps of conjugate
            gradients.
        projection: how many numbers to keep of a sample's gradient, by a random projection (`sketch`); an influence is
            then off by at most sqrt(2 / projection) |H^-1 g_t| |g_z| (one standard deviation). None: all. Not for
            "arnoldi", which keeps few anyhow.
        batch_size: the most samples in a block; None: as many as fit, see above. It leaves the result as it is.
        seed: of Arnoldi's first direction and of the projection.
        progress: show bars.

    Raises:
        ValueError: an option outside its range.
        TypeError: the model is none of Keras's.
    """

    def __init__(
        self,
        model: Any,
        loss: Loss,
        *,
        hessian: str = "arnoldi",
        damping: float = 0.0,
        layers: Sequence[str] | None = None,
        influence_loss: Loss | None = None,
        curvature_samples: int | None = None,
        iterations: int = 100,
        projection: int | None = None,
        batch_size: int | None = None,
        seed: int = 0,
        progress: bool = False,
    ) -> None:
        if not isinstance(hessian, str) or hessian not in HESSIANS:
            raise ValueError(f"hessian must be one of {', '.join(HESSIANS)}, got {hessian!r}; pick one of them.")
        number = isinstance(damping, (int, float, np.integer, np.floating)) and not isinstance(damping, bool)
        if not number or not 0.0 <= damping < np.inf:
            raise ValueError(f"damping must be a finite number >= 0, got {damping!r}; pass one.")
        if hessian == "identity" and damping:
            raise ValueError(f"damping must be 0 for hessian='identity', which has no curvature, got {damping!r}.")
        require_whole_number("iterations", iterations, minimum=1)
        require_whole_number("seed", seed, minimum=0)
        require_truth_value("progress", progress)
        if batch_size is not None:
            require_whole_number("batch_size", batch_size, minimum=1)
        if curvature_samples is not None:
            require_whole_number("curvature_samples", curvature_samples, minimum=1)
        if projection is not None:
            require_whole_number("projection", projection, minimum=1)
            if hessian == "arnoldi":
                raise ValueError("projection must be None for hessian='arnoldi', which keeps few numbers anyhow.")
        checked_loss(loss, "loss")
        if influence_loss is not None:
            checked_loss(influence_loss, "influence_loss")
        self.model, self.loss, self.influence_loss = model, loss, influence_loss
        self.hessian, self.damping = hessian, float(damping)
        self.layers = None if layers is None else layers if isinstance(layers, str) else tuple(layers)
        self.curvature_samples, self.iterations, self.projection = curvature_samples, iterations, projection
        self.batch_size, self.seed, self.progress = batch_size, seed, progress
        self._training: TrainingRows | None = None
        self._weights = ""
        self._target_gradients: SampleGradients | None = None

    def fit(self, x: Any, y: Any) -> "Influence":
        """Take the training samples, and build the curvature over them.

        Args:
            x: real [n, ...], what the model takes; a list of these for several inputs.
            y: real [n, ...], what the loss takes.

        Returns:
            Itself.

        Raises:
            ValueError: what does not fit the model or the loss, is not finite, is not differentiable, or a Hessian
                that cannot be inverted.
            TypeError: the model is none of Keras's, or layers no list of names.
        """
        samples, gradients = self._prepared(x, y)
        inverse = self._inverse(gradients.objective, samples)
        self._training = TrainingRows(samples, gradients, inverse, self._sketch(gradients))
        self._weights = influence_file.digest_of(self.model)
        self._target_gradients = None
        return self

    def _prepared(self, x: Any, y: Any) -> tuple[Samples, SampleGradients]:
        """Check the training samples, and compile their gradients."""
        objective = checked_objective(self.model, self.loss, self.layers, x, "loss")
        samples = checked_samples(objective, x, y, ("x", "y"))
        tried(objective, samples, "loss")
        if self.projection is not None and self.projection > objective.parameters:
            raise ValueError(
                f"projection must be at most the {objective.parameters} weights, got {self.projection}; leave it out."
            )
        return samples, sample_gradients(objective, samples, self.batch_size)

    def _inverse(self, objective: Objective, samples: Samples) -> Inverse:
        if self.hessian == "identity":
            return inverses.Identity()
        product = curvature.gauss_newton if self.hessian == "gauss_newton" else curvature.hessian
        matrix = product(objective, samples[: self.curvature_samples], self.batch_size)
        if self.hessian == "exact":
            return inverses.exact(matrix, self.damping, self.progress)
        if self.hessian == "arnoldi":
            start = generator(self.seed, "arnoldi").normal(size=objective.parameters)
            return inverses.arnoldi(matrix, self.damping, self.iterations, start, self.progress)
        return inverses.ConjugateGradients(matrix, self.damping, self.iterations)

    def _sketch(self, gradients: SampleGradients) -> Sketch | None:
        if self.projection is None:
            return None
        return drawn(gradients.objective.parameters, self.projection, self.seed)

    @property
    def training(self) -> TrainingRows:
        """What `fit` made.

        Raises:
            ValueError: not fitted.
        """
        if self._training is None:
            raise ValueError("Influence must be fitted first, got no samples; call fit(x, y).")
        return self._training

    def _still(self) -> TrainingRows:
        """Return what `fit` made, if the model is still as it was.

        Raises:
            ValueError: not fitted, or other weights.
        """
        training = self.training
        if self._weights != influence_file.digest_of(self.model):
            raise ValueError("model must have the weights that it was fitted with, got others; call fit(x, y) anew.")
        return training

    @property
    def vectorised(self) -> bool:
        """Whether gradients are computed in blocks, else sample by sample, where `batch_sums` does not know a step.

        Raises:
            ValueError: not fitted.
        """
        return self.training.gradients.together

    def scores(self, x_t: Any, y_t: Any, relative: str | None = None) -> np.ndarray:
        """Return the influence of every training sample on every target.

        Args:
            x_t: the targets' inputs, real [targets, ...].
            y_t: what the model should have given, real [targets, ...].
            relative: None, "theta" or "loss"; a training sample whose gradient is 0 has the influence 0 in each.

        Returns:
            Influences, float32 [targets, n]; positive where training on the sample lowers the target's loss.

        Raises:
            ValueError: not fitted, or with other weights; targets that do not fit; a system that cannot be solved.
        """
        training = self._still()
        if relative not in RELATIVE:
            raise ValueError(f"relative must be None, 'theta' or 'loss', got {relative!r}; pick one of them.")
        solved = training.solved(self._at_targets(x_t, y_t))
        scores = np.empty((len(solved), len(training)), np.float32)
        for rows, part in training.blocks(self.progress):
            scores[:, rows] = inner(solved, part)
        if relative is None:
            return scores
        theta, loss = training.norms(self.progress)
        norms = theta if relative == "theta" else loss
        return np.divide(scores, norms, out=np.zeros_like(scores), where=norms > 0.0)

    def _at_targets(self, x_t: Any, y_t: Any) -> np.ndarray:
        """Return the gradients of the loss at the targets, float64 [targets, P]."""
        training = self.training
        name = "loss" if self.influence_loss is None else "influence_loss"
        loss = self.loss if self.influence_loss is None else self.influence_loss
        objective = dataclasses.replace(training.gradients.objective, loss=checked_loss(loss, name))
        targets = checked_samples(objective, x_t, y_t, ("x_t", "y_t"))
        if targets.layout.shapes != training.samples.layout.shapes:
            raise ValueError(
                f"x_t must have samples of the shapes {training.samples.layout.shapes} that x has, got "
                f"{targets.layout.shapes}; give them the form of x."
            )
        if self.influence_loss is None:
            wanted = training.samples.targets.shape[1:]
            if targets.targets.shape[1:] != wanted:
                form = ", ".join(map(str, ("targets", *wanted)))
                raise ValueError(
                    f"y_t must be of the form of y, [{form}], got the shape {targets.targets.shape}; reshape it."
                )
            return training.gradients.of(targets).astype(np.float64)
        return self._by_influence_loss(objective, targets, training).astype(np.float64)

    def _by_influence_loss(self, objective: Objective, targets: Samples, training: TrainingRows) -> np.ndarray:
        """Return the gradients of the loss at the targets where it is another, float32 [targets, P]."""
        tried(objective, targets, "influence_loss")
        compiled = self._target_gradients
        if compiled is None or compiled.size < min(len(targets), training.gradients.size):  # for few targets, so far
            compiled = self._target_gradients = sample_gradients(objective, targets, self.batch_size)
        return compiled.of(targets)

    def _shown(self, training: TrainingRows) -> dict[str, np.ndarray]:
        """Return gradients that tell the losses, by name: at the first samples, where the losses take these."""
        first = training.samples[: influence_file.SHOWN]
        shown = {"gradients": training.gradients.of(first)}
        if self.influence_loss is None:
            return shown
        objective = training.gradients.objective
        objective = dataclasses.replace(objective, loss=checked_loss(self.influence_loss, "influence_loss"))
        try:
            return shown | {"influence_gradients": self._by_influence_loss(objective, first, training)}
        except ValueError:  # its targets may be of another form
            return shown | {"influence_gradients": np.zeros(0, np.float32)}

    def top_k(
        self, x_t: Any, y_t: Any, k: int, relative: str | None = None, harmful: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the k most influential training samples of every target.

        Args:
            x_t: what `scores` takes.
            y_t: what `scores` takes.
            k: how many, 1 .. n.
            relative: what `scores` takes.
            harmful: the least influences in place of the greatest.

        Returns:
            Their places among the training samples, int [targets, k], the most influential first, and their
            influences, float32 [targets, k].

        Raises:
            ValueError: what `scores` refuses; k outside its range.
        """
        require_whole_number("k", k, minimum=1)
        require_truth_value("harmful", harmful)
        if k > len(self.training):
            raise ValueError(f"k must be at most the {len(self.training)} training samples, got {k}; ask for fewer.")
        scores = self.scores(x_t, y_t, relative)
        order = np.argsort(scores if harmful else -scores, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(scores, order, axis=1)

    def self_influence(self) -> np.ndarray:
        """Return g_z^T (H + damping I)^-1 g_z of every training sample, float32 [n]: great for outliers.

        Raises:
            ValueError: not fitted, or with other weights; a system that cannot be solved.
        """
        return self._still().norms(self.progress)[1] ** 2

    def direction(self, x: Any, y: Any) -> np.ndarray:
        """Return where weights go as samples count a little more: -(H + damping I)^-1 times their mean gradient.

        Args:
            x: what `fit` takes.
            y: what `fit` takes.

        Returns:
            Float64 [P], an entry for each weight that counts, in the model's order.

        Raises:
            ValueError: not fitted, or with other weights; samples that do not fit; a system that cannot be solved.
        """
        training = self._still()
        samples = checked_samples(training.gradients.objective, x, y, ("x", "y"))
        total = np.zeros(training.gradients.objective.parameters)
        for first in range(0, len(samples), training.gradients.size):
            total += training.gradients.of(samples[first : first + training.gradients.size]).sum(axis=0, dtype=float)
        return -training.inverse.solve(total[None] / len(samples))[0]

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of H that are inverted, without damping, the greatest last: of "exact", or nearly of "arnoldi".

        Raises:
            ValueError: not fitted, or another `hessian`.
        """
        inverse = self.training.inverse
        if not isinstance(inverse, Spectral):
            raise ValueError(f"hessian must be 'exact' or 'arnoldi' to know eigenvalues, got {self.hessian!r}.")
        return inverse.values - self.damping

    def save(self, path: str | Path) -> None:
        """Save what `fit` made, with the samples: one file, whole or not there.

        Raises:
            ValueError: not fitted, or with other weights.
            OSError: it cannot be written.
        """
        training = self._still()
        options = {name: getattr(self, name) for name in OPTIONS}
        arrays = {"inputs": training.samples.inputs, "targets": training.samples.targets}
        arrays |= self._shown(training) | training.inverse.arrays()
        content = influence_file.content_of(options, self.model, arrays, training.samples.layout)
        write_atomically(Path(path), content)

    @classmethod
    def load(cls, path: str | Path, model: Any, loss: Loss, *, influence_loss: Loss | None = None) -> "Influence":
        """Return what was saved, for the same model and losses.

        Args:
            path: of the file.
            model: the model that it was saved with, of the same weights.
            loss: its training loss.
            influence_loss: the loss at the targets, if it is another.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is no such file, or another model's or loss's.
        """
        if not is_keras(model):
            raise TypeError(f"model must be a Keras model, whose weights are known, got {type(model).__name__}.")
        options, arrays, layout = influence_file.read(Path(path), model)
        found = cls(model, loss, influence_loss=influence_loss, **options)
        inputs = layout.unpack(arrays["inputs"])
        samples, gradients = found._prepared(inputs if layout.is_list else inputs[0], arrays["targets"])
        training = TrainingRows(samples, gradients, inverses.Identity(), found._sketch(gradients))
        influence_file.require_same(Path(path), found._shown(training), arrays)
        training.inverse = Spectral.stored(arrays) or found._inverse(gradients.objective, samples)
        found._training = training
        found._weights = influence_file.digest_of(model)
        return found
