"""X-REFINE: which subcarriers and neurons of a channel estimator are worth their cost, by relevance and its rivals."""
