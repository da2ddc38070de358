"""From photos of people to crops that a network learns from."""
