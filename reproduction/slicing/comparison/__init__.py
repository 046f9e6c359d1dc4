"""Anyone's method held against ours: by its curves, or, if it is in Python, run on our data and closed loops.

    from reproduction.slicing.comparison import curves, run_method

    method.py                a method of yours in this federation -> curves: run_method, FederatedMethod, LocalData
    messages.py              what crosses between its server and its CLs
    curves.py                the tidy table that every framework can write, and that we read
    reference_curves.py      ours, on disk: writing, reading, and what moved;  reference_federations.py trains them
    pairs.py                 whose runs are held against whose;  conditions.py: whether they may be
    measures.py              numbers of one run;  quantities.py: those that are compared, over pairs of runs
    differences.py           theirs - ours, seed by seed;  verdict.py: what they show, in words
    scalability.py           runs of several numbers of CLs, as in Fig. 8
    picture.py, tables.py    what a comparison shows and says;  account.py: writes it down

Importing this package imports no TensorFlow.
"""

from reproduction.slicing.comparison import curves
from reproduction.slicing.comparison.method import FederatedMethod, LocalData, run_method

__all__ = ["FederatedMethod", "LocalData", "curves", "run_method"]
