"""What an unconstrained model will be confident in, foretold from the data alone."""
