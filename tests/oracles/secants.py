"""Activations in decimal arithmetic of 60 digits, in which the quotient of two tiny differences rounds nothing away."""

from decimal import Decimal, localcontext


def value(name, parameter, z):
    """Return g(z)."""
    if name == "linear" or (z > 0 and name in ("relu", "leaky_relu", "elu")):
        return z
    if name == "relu":
        return Decimal(0)
    if name == "leaky_relu":
        return Decimal(parameter) * z
    if name == "elu":
        return Decimal(parameter) * (z.exp() - 1)
    if name == "tanh":
        return (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())
    if name == "sigmoid":
        return 1 / (1 + (-z).exp())
    if name == "softplus":
        return (1 + z.exp()).ln()
    raise KeyError(name)


def secant_slope(name, parameter, z, reference):
    """Return (g(z) - g(z0)) / (z - z0) of two different floats, which are taken for exact."""
    with localcontext() as context:
        context.prec = 60
        z, reference = Decimal(z), Decimal(reference)
        return float((value(name, parameter, z) - value(name, parameter, reference)) / (z - reference))
