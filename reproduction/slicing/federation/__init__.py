"""The server of a slice and whoever runs its closed loops (the paper's Fig. 1)."""
