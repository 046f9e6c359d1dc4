"""Data: one form for all, and three ways to it (the generator, anyone's tables, the public measurements).

`load` is the entry of the scripts' switches `--data` and `--schema`. The generator needs NumPy only; pandas is imported
when a table is read.
"""

from reproduction.slicing.datasets.generator import SLICES, feature_roles, generate_slice
from reproduction.slicing.datasets.load import load
from reproduction.slicing.datasets.slice_data import ClientData, Feature, Role, SliceData

__all__ = ["SLICES", "ClientData", "Feature", "Role", "SliceData", "feature_roles", "generate_slice", "load"]
