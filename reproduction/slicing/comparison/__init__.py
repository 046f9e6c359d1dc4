"""Methods of others beside ours: tidy curves, their differences, and the door for a method in Python."""
