"""What a Keras model was trained to make small: a loss per sample, as a function of some of the model's weights."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reproduction.attribution import arguments
from reproduction.attribution.layout import Layout
from reproduction.attribution.scalar_function import called, is_keras
from reproduction.attribution.units import units_of

Loss = Any
"""The name of a Keras loss, a `keras.losses.Loss`, or a function of (y_true, y_pred) that gives a number per sample."""

MOST_BYTES = 2**28
"""Of a block of samples where the caller names no `batch_size`: its numbers as `bytes_per_sample` counts them."""

MOST_ROWS = 1024
"""Of such a block: what small models gain nothing beyond."""

AS_ALONE = 1e-3
"""How near a sample's loss in a batch must be to its loss alone, as a share: other shapes round otherwise."""


@dataclass(frozen=True)
class Samples:
    """Samples with what the model should give for them.

    Attributes:
        layout: how the features lie in the model's inputs.
        inputs: float32 [n, features].
        targets: real [n, ...].
    """

    layout: Layout
    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, rows: slice) -> "Samples":
        return Samples(self.layout, self.inputs[rows], self.targets[rows])

    def blocks(self, size: int) -> Iterator[tuple[list[np.ndarray], np.ndarray, int]]:
        """Yield inputs and targets of `size` samples and how many of them count; the last are filled up by copies."""
        for first in range(0, len(self), size):
            block = self[first : first + size]
            count = len(block)
            rows = np.minimum(np.arange(size), count - 1)
            yield self.layout.unpack(block.inputs[rows]), block.targets[rows], count


@dataclass(frozen=True)
class Objective:
    """The mean over samples of l(weights, sample), and what the variables' regularizers add.

    The model is called as at inference: batch normalisation by its moving moments, no dropout. The penalty of an
    activity regularizer is left out.

    Attributes:
        model: a built Keras model with one output.
        loss: of (y_true, y_pred), a number per sample [n] or several [n, ...], which are averaged.
        variables: of the model, that l is a function of; the others are constants.
    """

    model: Any
    loss: Callable[[Any, Any], Any]
    variables: tuple[Any, ...]

    @property
    def values(self) -> list[Any]:
        """The variables as TensorFlow's, which tapes and accumulators take."""
        return [variable.value for variable in self.variables]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the variables."""
        return [tuple(variable.shape) for variable in self.variables]

    @property
    def parameters(self) -> int:
        """P, how many numbers the variables hold."""
        return sum(map(math.prod, self.shapes))

    def output(self, inputs: Sequence[Any]) -> Any:
        """Return what the model gives for tensors float32 [n, ...], one per input."""
        return called(self.model, list(inputs))

    def losses(self, output: Any, targets: Any) -> Any:
        """Return the loss of each sample, a tensor float32 [n]."""
        import tensorflow as tf

        losses = tf.convert_to_tensor(self.loss(targets, output))
        if losses.shape.rank > 1:
            losses = tf.reduce_mean(losses, axis=list(range(1, losses.shape.rank)))
        return tf.cast(losses, tf.float32)

    def penalty(self) -> Any:
        """Return what the regularizers of the variables add to the mean, a tensor float32 []."""
        import tensorflow as tf

        given = [one.regularizer(one.value) for one in self.variables if getattr(one, "regularizer", None)]
        return tf.add_n(given) if given else tf.zeros(())

    def cut(self, flat: Any) -> list[Any]:
        """Cut a tensor [P] into tensors of the variables' shapes."""
        import tensorflow as tf

        sizes = list(map(math.prod, self.shapes))
        parts = tf.split(flat, sizes)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def joined(self, parts: Sequence[Any]) -> Any:
        """Join tensors of the variables' shapes, or None where nothing arrives, into a tensor float32 [P]."""
        import tensorflow as tf

        flat = [
            tf.zeros(math.prod(shape)) if part is None else tf.reshape(tf.convert_to_tensor(part), [-1])
            for part, shape in zip(parts, self.shapes, strict=True)
        ]
        return tf.concat(flat, 0)

    def rows_in(self, most_bytes: int, layout: Layout, copies: int) -> int:
        """Return how many samples a block may have: `copies` of P float32 numbers each, and the layers' outputs.

        A sample takes 4 (copies P + 4 units) bytes, units being its features and what the layers give for it: the
        outputs, their gradients, and as much again while these are computed.
        """
        per_sample = 4 * (copies * self.parameters + 4 * units_of(self.model, layout))
        return int(np.clip(most_bytes // per_sample, 1, MOST_ROWS))


def checked_objective(model: Any, loss: Loss, layers: Sequence[str] | None, inputs: Any, name: str) -> Objective:
    """Return a model's objective.

    Args:
        model: the model.
        loss: the loss.
        layers: names of the layers whose weights are meant, those of layers within them too; None for all.
        inputs: the samples' inputs, which build a model that has no weights yet.
        name: of the argument `loss`, for the messages.

    Raises:
        TypeError: the model is none of Keras's, the loss is none, or layers is no list of names.
        ValueError: the model has several outputs, no weights to train, or not the layers; the loss is unknown.
    """
    import tensorflow as tf

    if not is_keras(model):
        raise TypeError(f"model must be a Keras model, whose weights are known, got {type(model).__name__}; pass one.")
    arguments.checked_model(model)
    if not model.built:
        layout, rows = arguments.checked_inputs(model, inputs)
        called(model, [tf.constant(array) for array in layout.unpack(rows[:1])])
    variables = _variables(model, layers)
    return Objective(model, checked_loss(loss, name), variables)


def _variables(model: Any, layers: Sequence[str] | None) -> tuple[Any, ...]:
    chosen = list(model.trainable_variables)
    if layers is not None:
        if isinstance(layers, str) or not all(isinstance(one, str) for one in layers):
            last = next(layer.name for layer in reversed(model._flatten_layers(include_self=False)) if layer.weights)
            raise TypeError(f"layers must be None or a list of layers' names, got {layers!r}; pass ['{last}'].")
        known: dict[str, list[Any]] = {}
        for layer in model._flatten_layers():
            if layer.trainable_variables:
                known.setdefault(layer.name, []).extend(layer.trainable_variables)
        for one in layers:
            if one not in known:
                inner = ", ".join(name for name in known if name != model.name)
                raise ValueError(
                    f"layers must be among those with weights to train, {inner}, got {one!r}; see model.summary(), a "
                    "frozen layer has none."
                )
        wanted = {id(variable) for one in layers for variable in known[one]}
        chosen = [variable for variable in chosen if id(variable) in wanted]
    if not chosen:
        where = f"'{model.name}'" if layers is None else f"layers {list(layers)}"
        raise ValueError(f"model must have weights to train, got none in {where}; set trainable, or name other layers.")
    kinds = {str(variable.dtype) for variable in chosen}
    if kinds != {"float32"}:
        raise ValueError(f"model must have float32 weights, got {', '.join(sorted(kinds))}; build it in float32.")
    return tuple(chosen)


def checked_loss(loss: Loss, name: str) -> Callable[[Any, Any], Any]:
    """Return a loss as a function of (y_true, y_pred) that is not reduced to one number.

    Raises:
        ValueError: Keras knows no loss of this name.
        TypeError: it is neither a name nor can it be called.
    """
    import keras

    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError as error:
            raise ValueError(f"{name} must be the name of a Keras loss, got {loss!r}; see keras.losses.") from error
    if isinstance(loss, keras.losses.Loss):
        return loss.call
    if isinstance(loss, type):
        raise TypeError(f"{name} must be a loss, not a class of losses, got {loss.__name__}; pass {loss.__name__}().")
    if not callable(loss):
        raise TypeError(
            f"{name} must be a Keras loss, its name, or a function of (y_true, y_pred), got {type(loss).__name__}; "
            "pass one."
        )
    return loss


def checked_samples(objective: Objective, inputs: Any, targets: Any, names: tuple[str, str]) -> Samples:
    """Return samples that the objective takes.

    Args:
        objective: its model says what the inputs must be.
        inputs: real [n, ...], or a list of these.
        targets: real [n, ...].
        names: of both, for the messages.

    Raises:
        ValueError: they are empty or not finite, their shapes do not fit, or there are not as many of both.
    """
    try:
        layout, rows = arguments.checked_inputs(objective.model, inputs)
    except ValueError as error:
        raise ValueError(str(error).replace("inputs", names[0], 1)) from None
    given = np.asarray(targets)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{names[1]} must be real numbers, got dtype {given.dtype}; convert to numbers first.")
    if given.ndim == 0 or len(given) != len(rows):
        raise ValueError(
            f"{names[1]} must be [n, ...] with n = {len(rows)}, a row for each sample of {names[0]}, got the shape "
            f"{given.shape}; give both the same samples."
        )
    if given.dtype.kind == "f":
        given = given.astype(np.float32)
        if not np.isfinite(given).all():
            where = np.argwhere(~np.isfinite(given))[0].tolist()
            raise ValueError(f"{names[1]} must be finite in float32, got NaN or infinity at {where}; drop them.")
    return Samples(layout, rows, given)


def tried(objective: Objective, samples: Samples, name: str) -> None:
    """Refuse an objective that gives no finite loss for each sample on its own, shown by the first samples.

    Args:
        objective: with the loss.
        samples: of which up to three are tried, together and alone.
        name: of the argument that the loss came in, for the messages.

    Raises:
        ValueError: the loss cannot be computed, is not one number or more per sample, is not finite, or a sample's
            loss depends on the others.
    """
    rows = min(3, len(samples))
    try:
        together = _losses(objective, samples[:rows])
        alone = [_losses(objective, samples[place : place + 1]) for place in range(rows)]
    except _NotPerSampleError as error:
        raise ValueError(
            f"{name} must give a number for each of n samples, [n] or [n, ...], got the shape {error}; leave out the "
            "mean over samples."
        ) from None
    except Exception as error:  # anyone's loss or model
        raise ValueError(
            f"{name} must take y_true {samples.targets[:1].shape[1:] or '()'} per sample and what the model gives for "
            f"it, got {first_line(error)}; give y the shape and kind that the loss takes."
        ) from error
    if not all(np.isfinite(one).all() for one in (together, *alone)):
        raise ValueError(f"{name} must be finite, got NaN or infinity; check the model's weights and the range of y.")
    wanted, given = samples.targets[:1].shape[1:], _output_shape(objective, samples)
    if _is_of_keras(objective.loss) and math.prod(wanted) > math.prod(given):
        raise ValueError(
            f"{name} of Keras takes no more numbers than the model gives, {list(given)} per sample, got y_true with "
            f"{list(wanted)}; give y the shape of the model's output."
        )
    if not np.allclose(np.concatenate(alone), together, rtol=AS_ALONE, atol=1e-6):
        raise ValueError(
            f"{name} must depend on each sample alone, but among others a sample has another loss; give y the shape of "
            "the model's output, and take no model that mixes samples."
        )


class _NotPerSampleError(Exception):
    pass


def _is_of_keras(loss: Callable[[Any, Any], Any]) -> bool:
    """Return whether it is one that Keras comes with, which broadcasts what it is given."""
    return (getattr(loss, "__module__", None) or "").split(".")[0] == "keras"


def _output_shape(objective: Objective, samples: Samples) -> tuple[int, ...]:
    """Return what the model gives per sample."""
    import tensorflow as tf

    inputs = [tf.constant(array) for array in samples.layout.unpack(samples.inputs[:1])]
    return tuple(objective.output(inputs).shape[1:])


def _losses(objective: Objective, samples: Samples) -> np.ndarray:
    import tensorflow as tf

    seen: list[Any] = []

    def watched(targets: Any, output: Any) -> Any:
        given = tf.convert_to_tensor(objective.loss(targets, output))
        seen.append(tuple(given.shape))
        return given

    inputs = [tf.constant(array) for array in samples.layout.unpack(samples.inputs)]
    watching = replace(objective, loss=watched)
    losses = watching.losses(watching.output(inputs), tf.constant(samples.targets))
    if not seen[0] or seen[0][0] != len(samples):
        raise _NotPerSampleError(seen[0])
    return losses.numpy()


def require_losses(objective: Objective, samples: Samples, cause: Exception | None = None) -> None:
    """Refuse the first sample without a finite loss, looked for once something else has failed.

    Raises:
        ValueError: there is one; it names it, and comes from `cause`.
    """
    for place in range(len(samples)):
        try:
            loss = _losses(objective, samples[place : place + 1])
            what = "" if np.isfinite(loss).all() else f"a loss of {loss[0]}"
        except Exception as error:  # anyone's loss or model
            what = first_line(error)
        if what:
            raise ValueError(
                f"loss must be finite at every sample, got sample {place}: {what}; correct or drop it."
            ) from cause


def first_line(error: BaseException | None) -> str:
    """Return what an error of anyone's code says, in its first line that says it, without TensorFlow's addresses."""
    said = _ADDRESS.sub("", str(error))
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.strip().startswith(_FRAME)]
    return lines[0].split(".  ")[0].rstrip(".")[:200] if lines else type(error).__name__


_ADDRESS = re.compile(r"\{\{\w+ [^}]*\}\} ?|\[Op:\w+\]")
_FRAME = ("Graph execution error", "Detected at node", "<stack traces", "File ", "[[")
