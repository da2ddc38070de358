"""Who of a training set is in a test set too."""

from mien.training.data.leaks.embedded_people import EmbeddedPeople
from mien.training.data.leaks.leak import Leak, StrayPhoto, find_leaks, find_stray_photos
from mien.training.data.leaks.names import same_names

__all__ = ["EmbeddedPeople", "Leak", "StrayPhoto", "find_leaks", "find_stray_photos", "same_names"]
