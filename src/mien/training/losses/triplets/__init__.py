"""Triplets of a batch: an anchor nearer to one of its own person, by a margin, than to one of another."""

from mien.training.losses.triplets.blocks import violating_triplets
from mien.training.losses.triplets.hardest import batch_hard, hardest_semi_hard
from mien.training.losses.triplets.losses import triplet_losses
from mien.training.losses.triplets.triplet import Triplet

__all__ = ["Triplet", "batch_hard", "hardest_semi_hard", "triplet_losses", "violating_triplets"]
