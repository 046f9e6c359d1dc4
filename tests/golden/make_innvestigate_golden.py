"""Write innvestigate_relevance.json: epsilon-LRP of an estimator by innvestigate (TensorFlow 2.14), an independent one.

It wants a TensorFlow that this project does not stand on, so the script runs in an environment of its own::

    python -m venv /tmp/innvestigate
    /tmp/innvestigate/bin/pip install tensorflow-cpu==2.14.1 innvestigate==2.1.2
    /tmp/innvestigate/bin/python tests/golden/make_innvestigate_golden.py

The weights and the samples are drawn here by NumPy and stored in the file beside the values, so that the test needs
neither this script nor that TensorFlow. All outputs are explained at once; everything is computed in float64.
"""

import itertools
import json
from importlib.metadata import version
from pathlib import Path

import innvestigate
import numpy as np
import tensorflow as tf

WIDTHS, SAMPLES, EPSILONS = (104, 6, 5, 4, 104), 4, (1e-7, 0.05)


def drawn():
    generator = np.random.default_rng(0)
    weights = []
    for inputs, outputs in itertools.pairwise(WIDTHS):
        weights.append(generator.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs)))
        weights.append(generator.normal(0.0, 0.1, outputs))
    return [one.astype(np.float32) for one in weights], generator.normal(size=(SAMPLES, WIDTHS[0])).astype(np.float32)


def keras_model(weights):
    model = tf.keras.Sequential([tf.keras.layers.InputLayer(WIDTHS[0])])
    for width in WIDTHS[1:-1]:
        model.add(tf.keras.layers.Dense(width, "relu"))
    model.add(tf.keras.layers.Dense(WIDTHS[-1]))
    model.set_weights(weights)
    return model


def relevance(model, samples, epsilon):
    """Return the relevance of the inputs, and of what each hidden layer gives."""
    found = []
    layers = model.layers
    for depth in range(len(layers)):
        given = samples if depth == 0 else tf.keras.Model(model.inputs, layers[depth - 1].output).predict(samples)
        rest = tf.keras.Sequential([tf.keras.layers.InputLayer(given.shape[1]), *layers[depth:]])
        analyzer = innvestigate.create_analyzer("lrp.epsilon", rest, epsilon=epsilon, neuron_selection_mode="all")
        found.append(analyzer.analyze(given))
    return found


def main():
    tf.compat.v1.disable_eager_execution()
    tf.keras.backend.set_floatx("float64")
    weights, samples = drawn()
    model = keras_model(weights)
    document = {
        "made_with": {"innvestigate": version("innvestigate"), "tensorflow": tf.__version__},
        "weights": [one.tolist() for one in weights],
        "samples": samples.tolist(),
        "outputs": model.predict(samples).tolist(),
        "relevance": [
            {"epsilon": epsilon, "of": [one.tolist() for one in relevance(model, samples, epsilon)]}
            for epsilon in EPSILONS
        ],
    }
    path = Path(__file__).with_name("innvestigate_relevance.json")
    path.write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
