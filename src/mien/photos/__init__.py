"""Floor 1: is this a picture we can trust?"""

from mien.photos.folders import find_people, find_photos
from mien.photos.photo import NAMELESS, Photo, PhotoSource, name_of
from mien.photos.reading import PhotoFile
from mien.photos.writing import save_picture, saved_here

__all__ = [
    "NAMELESS",
    "Photo",
    "PhotoFile",
    "PhotoSource",
    "find_people",
    "find_photos",
    "name_of",
    "save_picture",
    "saved_here",
]
