"""Where an unconstrained model loses confidence: the forecast held to federations, over many kinds of data."""
