"""What mien's documentation claims in figures, measured: `make bench`."""
