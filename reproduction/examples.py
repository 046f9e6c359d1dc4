"""Run the four example methods on our data: `python -m reproduction.examples`."""

from reproduction.slicing.examples.run_all import main

if __name__ == "__main__":
    main()
