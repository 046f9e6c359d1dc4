"""A detector of interference whose reasons are known: where does it look, and where should it?

Ground truth for attributions: a small convolutional net says whether a resource grid holds a burst of interference, and
each method's relevance is held to where the burst is. No paper's experiment; the picture of `reproduction.attribution`.
"""
