"""Algorithm 1's lambda-player a second time: plain NumPy, float64, from Cotter et al. (ALT 2019, Algorithm 2).

A is a column-stochastic matrix [M+1, M+1]; lambda is its stationary distribution; entry 0 belongs to the objective.

    lambda  = top eigenvector of A, in L1 norm
    A      <- A * exp(eta * outer(Delta, lambda))      elementwise, Delta = (0, Phi_1, ..., Phi_M)
    A[:, m] <- A[:, m] / ||A[:, m]||_1                 for every column m
    A      <- max(A, R / (M + 1))                      the floor R_lambda of Table III, as TFCO reads it
"""

import numpy as np


def start(constraints):
    """Algorithm 1: A = 1 / (M + 1) everywhere."""
    return np.full((constraints + 1, constraints + 1), 1.0 / (constraints + 1))


def top_eigenvector(matrix):
    values, vectors = np.linalg.eig(matrix)
    top = np.abs(np.real(vectors[:, np.argmax(np.real(values))]))
    return top / top.sum()


def step(matrix, constraints, rate, radius):
    """One exponentiated ascent step on L_lambda = sum_m lambda_m Phi_m; its gradient w.r.t. lambda_0 is 0."""
    gradient = np.concatenate(([0.0], constraints))
    matrix = matrix * np.exp(rate * np.outer(gradient, top_eigenvector(matrix)))
    for column in range(len(matrix)):
        matrix[:, column] = matrix[:, column] / np.abs(matrix[:, column]).sum()
    return np.maximum(matrix, radius / len(matrix))
