"""What the paper left open, varied one choice at a time."""
