"""Where a gallery lives: from what the user wrote to a file."""

import os
from pathlib import Path

import platformdirs

from mien.errors import ConfigError, GalleryError

ENVIRONMENT_VARIABLE = "MIEN_GALLERY"
_SQLITE = "sqlite:///"


def locate(url: str | os.PathLike[str] | None = None, *, create: bool = True) -> Path:
    """The file that a gallery is kept in.

    Args:
        url: ``sqlite:///relative/path``, ``sqlite:////absolute/path`` or a plain path. By default what the environment
            variable ``MIEN_GALLERY`` says, and without it ``gallery.db`` in the user's data folder.
        create: Make the user's data folder if it is the gallery's place and isn't there.

    Raises:
        ConfigError: There is no such kind of gallery, no path in it, or no such home folder (``~name``).
        GalleryError: The user's data folder can't be made.
    """
    if url is None:
        url = os.environ.get(ENVIRONMENT_VARIABLE) or _default(create)
    text = os.fspath(url)
    path = text.removeprefix(_SQLITE)
    if "://" in path:
        raise ConfigError(
            f"There is no gallery of the kind {path.split('://')[0]}://.",
            hint="A gallery is a file: sqlite:///path/to/gallery.db, or just path/to/gallery.db.",
            code="config.gallery-url",
        )
    if not path.strip() or path == ":memory:" or "\0" in path:
        raise ConfigError(
            f"{text!r} names no file for the gallery.",
            hint="Give a path, such as sqlite:///gallery.db or gallery.db.",
            code="config.gallery-url",
        )
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise ConfigError(
            f"{text!r} begins with a user's home folder, and there is none of that name.",
            hint=f"Check the name; a file that is called so is ./{path}.",
            code="config.gallery-url",
        ) from None


def _default(create: bool) -> Path:
    folder = platformdirs.user_data_path("mien", appauthor=False)
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(
            f"There is no place for the gallery: the folder {folder} can't be made: {(error.strerror or '').lower()}.",
            hint=f"Name a file for it, by {ENVIRONMENT_VARIABLE} or --gallery (in Python mien.Gallery(path)).",
            code="gallery.cannot-open",
        ) from error
    return folder / "gallery.db"
