"""From a path to a file's bytes, refusing in words what is not a plain, readable file that starts like a picture."""

import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import PhotoError
from mien.photos.sniffing import HEAD_BYTES, Content, Kind, sniff

MOST_PIXELS = 100_000_000
"""The most that a picture may have where nobody says otherwise."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+://|data:", re.IGNORECASE)

# The largest file worth reading holds all its pixels uncompressed, four channels of 32 bits each, and its metadata.
_BYTES_A_PIXEL = 16
_METADATA_BYTES = 64 << 20

_SAVE_AS = "Open it in an image viewer and save it as JPEG or PNG."


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A picture file that was read and is not decoded yet, for who must know its hash before it is opened as a photo.

    Attributes:
        path: As it was given.
        data: The whole file.
    """

    path: str
    data: bytes = field(repr=False)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "PhotoFile":
        """Read a file. Raises `PhotoError` as `read_file`."""
        name = os.fsdecode(path)
        return cls(name, read_file(name, MOST_PIXELS))

    @property
    def sha256(self) -> str:
        """Of the file's bytes; 64 hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    def __fspath__(self) -> str:
        """The path."""
        return self.path


def printable(name: str) -> str:
    """`name` so that it can be printed anywhere: control characters and undecodable bytes as escapes."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)


def read_file(path: str, max_pixels: int) -> bytes:
    """The bytes of a file that starts like a picture.

    Never blocks on a pipe and never opens a device; reads a file that is no picture no further than its first bytes.

    Raises:
        PhotoError: With the code ``photo.url``, ``.bad-name``, ``.missing``, ``.folder``, ``.device``, ``.link-loop``,
            ``.permission``, ``.too-large``, ``.unreadable``, or one of those of `require_picture`.
    """
    name = printable(path)
    _refuse_bad_names(path, name)
    try:
        _refuse_all_but_files(Path(path).stat(), name)
        # Between the two looks the path may have become a pipe: O_NONBLOCK keeps even that from hanging.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            _refuse_all_but_files(status, name)
            head = file.read(HEAD_BYTES)
            require_picture(head, name)
            if status.st_size > _BYTES_A_PIXEL * max_pixels + _METADATA_BYTES:
                raise PhotoError(
                    f"{name} is {status.st_size:,} bytes long, more than any picture of {max_pixels:,} pixels needs.",
                    hint="Save it smaller, or allow more pixels with max_pixels.",
                    code="photo.too-large",
                )
            file.seek(0)
            return file.read()
    except MemoryError:
        raise PhotoError(
            f"There is not enough memory to read {name}.", hint="Save it smaller.", code="photo.too-large"
        ) from None
    except OSError as error:
        raise _refusal(error, name) from error


def require_picture(head: bytes, name: str) -> Content:
    """What a picture is, going by its first bytes.

    Raises:
        PhotoError: ``photo.empty``, ``photo.video``, ``photo.unsupported`` (a picture in another format) or
            ``photo.not-a-picture``.
    """
    if not head:
        raise PhotoError(
            f"{name} is empty (0 bytes).",
            hint="Copy it again from where it came from; the copy was probably interrupted.",
            code="photo.empty",
        )
    content = sniff(head)
    if content is None:
        raise PhotoError(
            f"{name} is not a picture: its first bytes are those of no known picture format.",
            hint="Check that it opens in an image viewer, whatever its name says.",
            code="photo.not-a-picture",
        )
    if content.kind is Kind.VIDEO:
        raise PhotoError(
            f"{name} is {content.description}, not a picture.",
            hint="Save one of its frames as a picture and use that.",
            code="photo.video",
        )
    if content.kind is Kind.OTHER_PICTURE:
        raise PhotoError(
            f"{name} is {content.description}, a format that mien does not read.",
            hint=_SAVE_AS,
            code="photo.unsupported",
        )
    if content.kind is Kind.OTHER:
        raise PhotoError(
            f"{name} is {content.description}, not a picture.",
            hint="Download the picture itself, not the page around it."
            if content.format == "HTML"
            else "Check that this is the file you meant, whatever its name says.",
            code="photo.not-a-picture",
        )
    return content


def _refuse_bad_names(path: str, name: str) -> None:
    if _URL.match(path):
        raise PhotoError(
            f"{name[:200]} is a URL, and mien fetches nothing from the network.",
            hint="Download the picture and give the path of the file.",
            code="photo.url",
        )
    if not path:
        raise PhotoError("The path is empty.", hint="Give the path of a picture.", code="photo.bad-name")
    if "\0" in path:
        raise PhotoError(
            f"{name} contains a null byte, which no file's path can.",
            hint="Check where the path comes from.",
            code="photo.bad-name",
        )
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise PhotoError(
            f"{name} contains characters that no file's path can on this system.",
            hint="Check where the path comes from.",
            code="photo.bad-name",
        ) from None


def _refuse_all_but_files(status: os.stat_result, name: str) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise PhotoError(
            f"{name} is a folder, not a picture.",
            hint="Give the path of one picture, or use a command that takes a folder.",
            code="photo.folder",
        )
    raise PhotoError(
        f"{name} is {_special(status.st_mode)}, not a file.",
        hint="Save the picture to a file first, or pass its bytes.",
        code="photo.device",
    )


def _special(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"


def _refusal(error: OSError, name: str) -> PhotoError:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return PhotoError(
                f"{name} does not exist.", hint="Check the path; quote it if it has spaces.", code="photo.missing"
            )
        case errno.EACCES | errno.EPERM:
            return PhotoError(
                f"There is no permission to read {name}.",
                hint="Change the permissions of the file and of the folders above it, or copy it elsewhere.",
                code="photo.permission",
            )
        case errno.ELOOP:
            return PhotoError(
                f"{name} is a link that leads round in a circle.",
                hint="Give the path of the file itself.",
                code="photo.link-loop",
            )
        case errno.ENAMETOOLONG:
            return PhotoError(
                f"{name[:80]}… is a longer path ({len(name):,} characters) than this system allows.",
                hint="Move the file to a shorter path.",
                code="photo.bad-name",
            )
        case errno.ENXIO | errno.ENODEV:
            return PhotoError(
                f"{name} is a device, pipe or socket, not a file.",
                hint="Save the picture to a file first, or pass its bytes.",
                code="photo.device",
            )
        case _:
            return PhotoError(
                f"{name} can't be read: {error.strerror or error}.",
                hint="Check the disk or network drive that it is on.",
                code="photo.unreadable",
            )
