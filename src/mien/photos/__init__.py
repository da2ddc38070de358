"""Floor 1: is this a picture we can trust?"""

from mien.photos.folders import find_people, find_photos
from mien.photos.photo import Photo, PhotoSource
from mien.photos.reading import PhotoFile
from mien.photos.writing import save_picture, saved_here

__all__ = ["Photo", "PhotoFile", "PhotoSource", "find_people", "find_photos", "save_picture", "saved_here"]
