"""What is kept of a run and how it is drawn: records, metrics, progress, plotting."""
