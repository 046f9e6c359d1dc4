"""A neural receiver, from a resource grid to soft bits, beside conventional ones and perfect knowledge."""
