"""What every wing shares: records on disk, progress, plotting."""
