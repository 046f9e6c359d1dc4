"""A network as others run it: scalers folded into its weights, as a Keras model and as TensorFlow Lite."""

from typing import Any

import numpy as np

from reproduction.results.processes import native_noise_dropped
from reproduction.xrefine.network import Kept, Weights, forward
from reproduction.xrefine.samples import Scaler


def folded(small: Weights, kept: Kept, inputs: Scaler, outputs: Scaler) -> Weights:
    """Return a network that reads kept features and gives estimates as they come, not standardised; it costs the same.

    Args:
        small: the network cut out, of standardised features.
        kept: what is left of the full one.
        inputs: scaler of the features.
        outputs: scaler of the targets.
    """
    weights = [one.astype(float) for one in small]
    mean, deviation = (values[kept.features].astype(float) for values in (inputs.mean, inputs.deviation))
    weights[1] = weights[1] - (mean / deviation) @ weights[0]
    weights[0] = weights[0] / deviation[:, None]
    weights[-1] = weights[-1] * outputs.deviation + outputs.mean
    weights[-2] = weights[-2] * outputs.deviation
    return [one.astype(np.float32) for one in weights]


def as_tflite(weights: Weights) -> bytes:
    """Return a network as a TensorFlow Lite model of float32, for one sample at a time."""
    with native_noise_dropped():
        import tensorflow as tf

        constants = [tf.constant(weight) for weight in weights]
        spec = tf.TensorSpec((1, len(weights[0])), tf.float32)
        concrete = tf.function(lambda row: forward(constants, row)).get_concrete_function(spec)
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def run_tflite(content: bytes, rows: np.ndarray) -> np.ndarray:
    """Run a TensorFlow Lite model on rows float32 [n, inputs], one after the other; return [n, outputs]."""
    interpreter = interpreter_of(content)
    (given,), (found,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for row in rows:
        interpreter.set_tensor(given["index"], row[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(found["index"])[0].copy())
    return np.array(outputs)


def interpreter_of(content: bytes) -> Any:
    """Return TensorFlow Lite's interpreter of a model, on one thread."""
    import warnings

    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its own package
        interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter
