"""What one would write first: one closed loop's epoch on a Keras model, samples as rows, one step per call.

This is the yardstick of the benchmark, and a second, independent implementation of `closed_loop.local_training`:
it takes the same draws, made beforehand and not timed, so that both give the same weights up to float32.

Differs from the paper: as `closed_loop.local_training`, on purpose; the last iterate instead of the mean.
"""

import time

import keras
import numpy as np
import tensorflow as tf
import tensorflow_constrained_optimization as tfco

from reproduction import seeds
from reproduction.slicing.closed_loop.client import Assignment, Samples
from reproduction.slicing.closed_loop.client_model import keras_model


class Problem(tfco.ConstrainedMinimizationProblem):
    """(7) for TFCO; the three terms are set before the loss is called."""

    num_constraints = 1

    def objective(self):
        """Return the MSE."""
        return self.mse

    def constraints(self):
        """Return Phi of (7b)."""
        return self.phi[None]

    def proxy_constraints(self):
        """Return Psi of (9)."""
        return self.psi[None]


class FirstVersion:
    """A CL that trains with a Keras model, a Keras optimizer, TFCO and a `GradientTape`.

    Args:
        assignment: what every CL is told.
        samples: the local data.
        weights: W(t), float32 [P].
        graph: whether each step is wrapped in `tf.function`.
    """

    def __init__(self, assignment: Assignment, samples: Samples, weights: np.ndarray, graph: bool) -> None:
        self.assignment = assignment
        self.weights = weights
        self.model = keras_model(weights, assignment.sizes, assignment.model)
        self.start = self.model.get_weights()
        self.optimizer = keras.optimizers.Adam(assignment.local.learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.features = tf.constant(samples.features.T)
        self.target = tf.constant(samples.target)
        seed = seeds.stateless_seed(assignment.seed, "training", assignment.slice_name, 0, samples.name)
        self.seed = tf.constant(seed)
        self.problem = Problem()
        self.loss, _, self.state = tfco.create_proxy_lagrangian_loss(
            self.problem,
            minimum_multiplier_radius=assignment.local.multiplier_radius,
            initial_multiplier_radius=1.0,
        )
        self.initial_state = self.state.numpy()
        self.constrained = tf.function(self.constrained_epoch) if graph else self.constrained_epoch
        self.unconstrained = tf.function(self.unconstrained_epoch) if graph else self.unconstrained_epoch

    @tf.function(jit_compile=True)  # the generator of the compiled loop exists only there
    def draw(self, number: tf.Tensor) -> tf.Tensor:
        """Return what the compiled loop draws in epoch `number`, samples as rows, float32 [n, 1 + Q]."""
        shape = (self.features.shape[1] + 1, self.assignment.local.tester_batch)
        seed = tf.stack([self.seed[0], self.seed[1] + number])
        return tf.transpose(tf.random.stateless_uniform(shape, seed, alg="threefry"))

    def integrated_gradients(self, batch: tf.Tensor) -> tf.Tensor:
        """Return IG over the input: the mean gradient on the path from 0, float32 [n, Q]."""
        steps = self.assignment.local.integration_steps
        path = tf.concat([(node + 0.5) / steps * batch for node in range(steps)], axis=0)
        with tf.GradientTape() as tape:
            tape.watch(path)
            output = self.model(path)
        return tf.reduce_mean(tf.reshape(tape.gradient(output, path), (steps, *batch.shape)), axis=0)

    def constrained_epoch(self, draws: tf.Tensor) -> None:
        """Run one epoch of Algorithm 1 with uniform draws, float32 [n, 1 + Q]."""
        local, (lower, upper) = self.assignment.local, self.assignment.bounds
        threshold = self.assignment.sla.confidence_threshold
        rows = tf.cast(draws[:, 0] * len(self.target), tf.int32)
        batch = tf.gather(self.features, rows)
        probability = tf.nn.softmax(tf.abs(self.integrated_gradients(batch)))
        mutated = tf.where(draws[:, 1:] < probability, 0.0, batch)

        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            prediction = self.model(self.features)[:, 0]
            tested, changed = tf.gather(prediction, rows), self.model(mutated)[:, 0]
            inside = tf.stop_gradient(tf.cast((tested >= lower) & (tested <= upper), tf.float32))
            kept = tf.cast((changed >= lower) & (changed <= upper), tf.float32)
            above = tf.sigmoid(local.steepness_per_percent * (changed - lower))
            below = tf.sigmoid(local.steepness_per_percent * (upper - changed))
            soft = tf.math.log(tf.exp(above) + tf.exp(below))
            size = tf.reduce_sum(inside)
            self.problem.mse = tf.reduce_mean((prediction - self.target) ** 2)
            self.problem.phi = tf.sign(size) * (threshold - tf.math.divide_no_nan(tf.reduce_sum(inside * kept), size))
            self.problem.psi = tf.sign(size) * (threshold - tf.math.divide_no_nan(tf.reduce_sum(inside * soft), size))
            lagrangian = self.loss()
        *descent, ascent = tape.gradient(lagrangian, [*variables, self.state])
        self.optimizer.apply_gradients(zip(descent, variables, strict=True))
        self.state.assign(self.state.constraint(self.state - local.learning_rate * ascent))

    def unconstrained_epoch(self, _: tf.Tensor) -> None:
        """Run one epoch of the post-hoc scheme."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            mse = tf.reduce_mean((self.model(self.features)[:, 0] - self.target) ** 2)
        self.optimizer.apply_gradients(zip(tape.gradient(mse, variables), variables, strict=True))

    def run(self, scheme: str, epochs: int) -> tuple[float, np.ndarray]:
        """Train from the start of a round.

        Args:
            scheme: "in-hoc" or "post-hoc".
            epochs: L.

        Returns:
            Seconds per epoch, and the last iterate, float32 [P].
        """
        self.model.set_weights(self.start)
        for variable in self.optimizer.variables:
            if variable is not self.optimizer.variables[1]:  # the learning rate stays
                variable.assign(tf.zeros_like(variable))
        self.state.assign(self.initial_state)
        epoch = self.constrained if scheme == "in-hoc" else self.unconstrained
        draws = [self.draw(tf.constant(number)) for number in range(epochs)]
        started = time.perf_counter()
        for uniform in draws:
            epoch(uniform)
        weights = np.concatenate([array.ravel() for array in self.model.get_weights()])
        return (time.perf_counter() - started) / epochs, weights
