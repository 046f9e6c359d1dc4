"""Networks for the attribution tests: one table of layers, built in Keras here and in NumPy by the oracles."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that `tests.oracles` imports under any import mode
