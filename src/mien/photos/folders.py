"""Which photos are in a folder, and whose: one sub-folder a person."""

import errno
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from mien.errors import PhotoError
from mien.photos.reading import printable
from mien.photos.sniffing import HEAD_BYTES, Kind, sniff

_JPEG_AND_PHONE = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".heic", ".heif", ".hif")
_WEB = (".png", ".apng", ".gif", ".webp", ".avif", ".avifs")
_OTHERS = (".bmp", ".dib", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm")
_EXTENSIONS = frozenset((*_JPEG_AND_PHONE, *_WEB, *_OTHERS))
_JUNK = frozenset(("thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx", "@eadir", "$recycle.bin"))
_DIGITS = re.compile(r"([0-9]+)")
_log = logging.getLogger(__name__)


def find_photos(folder: str | os.PathLike[str]) -> list[Path]:
    """Every photo file below a folder.

    A photo is what has a picture's extension, or another or none and a picture's first bytes. Hidden files and what
    systems leave behind (``.DS_Store``, ``Thumbs.db``, ``__MACOSX``) are passed over, and so are pipes and devices.
    A link to a file is taken if it leads to a file within `folder`; a link to a folder is not followed: if it leads
    inside, its photos are found where they are, and if it leads out or in a circle, they are none of this folder's. How
    many links lead out or to nothing is logged as a warning, which Python shows on stderr unless it is told otherwise.

    Args:
        folder: Where to look.

    Returns:
        Paths that start with `folder`, in natural order (``img2`` before ``img10``), the same on every system.

    Raises:
        PhotoError: ``photo.missing``, ``photo.not-a-folder`` or ``photo.permission``, for `folder` or one below it.
    """
    root = Path(folder)
    left_out: list[Path] = []
    found = [path for path in _walk(root, left_out) if _is_photo(path)]
    if left_out:
        first = printable(str(min(left_out)))
        _log.warning(
            f"Links in {printable(str(root))} that lead out of it or to nothing are left out: {len(left_out)} in all, "
            f"such as {first}. Put what is meant into the folder itself."
        )
    return sorted(found, key=lambda path: natural_order(path.relative_to(root)))


def find_people(folder: str | os.PathLike[str]) -> dict[str, list[Path]]:
    """The photos of each person, where each has a sub-folder of their own.

    Args:
        folder: Where the sub-folders are. Photos that lie directly in it belong to nobody and are left out.

    Returns:
        The photos of each sub-folder and below it, under its name, people and photos in natural order; a sub-folder
        without photos is left out.

    Raises:
        PhotoError: As `find_photos`.
    """
    root = Path(folder)
    people: dict[str, list[Path]] = {}
    for path in find_photos(root):
        person, *rest = path.relative_to(root).parts
        if rest:
            people.setdefault(person, []).append(path)
    return people


def _walk(root: Path, left_out: list[Path]) -> Iterator[Path]:
    """All files below a folder and links to such files, in no order; what else links lead to is added to `left_out`."""
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.lower() in _JUNK:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(folder / entry.name)
                    elif entry.is_symlink() and not _leads_inside(folder / entry.name, root):
                        left_out.append(folder / entry.name)
                    elif entry.is_file():
                        yield folder / entry.name
        except (OSError, ValueError) as error:
            raise _refusal(error, printable(str(folder))) from error


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # to nothing, or round in a circle
        return False


def _is_photo(path: Path) -> bool:
    if path.suffix.lower() in _EXTENSIONS:
        return True
    try:
        with path.open("rb") as file:
            content = sniff(file.read(HEAD_BYTES))
    except OSError:  # unreadable, and nothing says that it is a photo
        return False
    return content is not None and content.kind is Kind.PICTURE


def natural_order(path: Path) -> list[tuple[list[str | int], str]]:
    """A key to sort by, by which numbers in names count as numbers; the names themselves decide between equals."""
    return [(_text_and_numbers(part), part) for part in path.parts]


def _text_and_numbers(name: str) -> list[str | int]:
    """``"img12.jpg"`` as ``["img", 12, ".jpg"]``: text at even places, numbers at odd ones, so that like meets like."""
    return [int(piece) if at % 2 else piece.casefold() for at, piece in enumerate(_DIGITS.split(name))]


def _refusal(error: OSError | ValueError, name: str) -> PhotoError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOTDIR:
        return PhotoError(
            f"{name} is not a folder.", hint="Give the folder that the photos are in.", code="photo.not-a-folder"
        )
    if number in (errno.EACCES, errno.EPERM):
        return PhotoError(
            f"There is no permission to read the folder {name}.",
            hint="Change its permissions, or leave it out.",
            code="photo.permission",
        )
    if number in (errno.ENOENT, errno.ENAMETOOLONG) or number is None:
        return PhotoError(f"The folder {name} does not exist.", hint="Check the path.", code="photo.missing")
    if number == errno.ELOOP:
        return PhotoError(
            f"{name} is a link that leads round in a circle.", hint="Give the folder itself.", code="photo.link-loop"
        )
    return PhotoError(
        f"The folder {name} can't be read: {error}.", hint="Check the disk that it is on.", code="photo.unreadable"
    )
