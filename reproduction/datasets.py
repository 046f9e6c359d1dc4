"""Write the generated data of all slices: `python -m reproduction.datasets` (`make data`)."""

import sys

from reproduction.slicing.datasets.write_data import main

if __name__ == "__main__":
    sys.exit(main())
