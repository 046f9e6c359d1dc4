"""Anyone's method held against ours: by its curves, or, if it is in Python, run on our data and clients.

    from reproduction.slicing.comparison import curves, run_method

    run_method.py            a method of yours in this federation -> curves;  FederatedMethod, LocalData: its interface
    curves.py                the tidy table that every framework can write, and we read
    reference_curves.py      ours, on disk: the only file that knows their folder's files;  changes.py: what moved
    reference_federations.py trains them
    measures.py              numbers of one run;  quantities.py: those that are compared, over pairs of runs
    differences.py           theirs - ours, seed by seed
    picture.py, tables.py, notes.py   what a comparison shows and says;  account.py: writes it in six files

Importing this package imports no TensorFlow. `run_method` is here the function, not its module.
"""

from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.run_method import FederatedMethod, LocalData, run_method

__all__ = ["FederatedMethod", "LocalData", "curves", "run_method"]
