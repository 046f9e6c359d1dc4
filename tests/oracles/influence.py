"""Influence functions written out: a network in float64, its dense Hessian and gradients, and retraining by Newton."""

import itertools

import numpy as np
import tensorflow as tf


def network(flat, inputs, widths):
    """Return what dense layers with tanh between them give: weights in the order of Keras, float64."""
    values, begin = inputs, 0
    for layer, (taken, given) in enumerate(itertools.pairwise(widths)):
        kernel = tf.reshape(flat[begin : begin + taken * given], (taken, given))
        bias = flat[begin + taken * given : begin + (taken + 1) * given]
        begin += (taken + 1) * given
        values = values @ kernel + bias
        if layer < len(widths) - 2:
            values = tf.tanh(values)
    return values


def squared_error(targets, outputs):
    return tf.reduce_mean((outputs - targets) ** 2, axis=1)


def absolute_error(targets, outputs):
    return tf.reduce_mean(tf.abs(outputs - targets), axis=1)


def cross_entropy(targets, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)


def as_float64(array):
    array = np.asarray(array)
    return tf.constant(array if array.dtype.kind in "iu" else array.astype(np.float32).astype(np.float64))


def gradients(flat, inputs, targets, widths, loss):
    """Return the gradient of each sample's loss, float64 [n, P]."""
    flat = tf.constant(flat, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(flat)
        losses = loss(as_float64(targets), network(flat, as_float64(inputs), widths))
    return tape.jacobian(losses, flat).numpy()


def hessian(flat, inputs, targets, widths, loss):
    """Return the Hessian of the mean loss, float64 [P, P]."""
    flat = tf.constant(flat, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(flat)
        with tf.GradientTape() as inner:
            inner.watch(flat)
            mean = tf.reduce_mean(loss(as_float64(targets), network(flat, as_float64(inputs), widths)))
        slope = inner.gradient(mean, flat)
    return outer.jacobian(slope, flat).numpy()


def gauss_newton(flat, inputs, targets, widths, loss):
    """Return the mean over samples of J^T H_out J, float64 [P, P]."""
    flat = tf.constant(flat, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(flat)
        outputs = network(flat, as_float64(inputs), widths)
    jacobian = tape.jacobian(outputs, flat).numpy()  # [n, outputs, P]
    outputs = tf.constant(outputs)
    with tf.GradientTape() as outer:
        outer.watch(outputs)
        with tf.GradientTape() as inner:
            inner.watch(outputs)
            total = tf.reduce_sum(loss(as_float64(targets), outputs))
        slope = inner.gradient(total, outputs)
    curved = outer.batch_jacobian(slope, outputs).numpy()  # [n, outputs, outputs]
    return np.einsum("nap,nab,nbq->pq", jacobian, curved, jacobian) / len(jacobian)


def logistic_regression(inputs, labels, penalty, kept):
    """Return weights and bias that minimise the mean cross-entropy of the kept samples + penalty |weights|^2."""
    features = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)[kept]
    ridge = 2.0 * penalty * np.diag([*[1.0] * inputs.shape[1], 0.0])
    weights = np.zeros(features.shape[1])
    for _ in range(30):  # Newton's steps
        chance = 1.0 / (1.0 + np.exp(-features @ weights))
        slope = features.T @ (chance - labels[kept]) / len(features) + ridge @ weights
        curved = (features * (chance * (1.0 - chance))[:, None]).T @ features / len(features) + ridge
        weights -= np.linalg.solve(curved, slope)
    return weights


def log_loss(weights, inputs, labels):
    """Return the cross-entropy of each sample."""
    logits = inputs @ weights[:-1] + weights[-1]
    return np.logaddexp(0.0, logits) - labels * logits
