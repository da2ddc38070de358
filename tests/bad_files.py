"""Files that are no photos to be trusted, one of each kind, for whoever must refuse them."""

import io
import os
import socket
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def picture(width: int = 120, height: int = 90) -> Image.Image:
    """A picture with structure at every scale, always the same."""
    rng = np.random.default_rng(width * 10_000 + height)
    coarse = np.kron(rng.integers(0, 256, (height // 10 + 1, width // 10 + 1, 3)), np.ones((10, 10, 1)))
    fine = rng.integers(-20, 20, (height, width, 3))
    return Image.fromarray(np.clip(coarse[:height, :width] + fine, 0, 255).astype(np.uint8))


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file of a format, in memory."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file with a grey 8-bit header of any size, and whatever chunks."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), *chunks, (b"IEND", b"")):
        file += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return file


def make_bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Fill a folder with bad files.

    Args:
        folder: An existing, empty folder.

    Returns:
        For each kind of bad file, its path and the `code` of the error that opening it must raise. Not all of the
        paths exist. Pipes, sockets and links are left out where the system has none.
    """
    jpeg, noise = encode(picture(), "JPEG"), np.random.default_rng(1).bytes(5000)
    contents: dict[str, tuple[str, bytes, str]] = {
        "empty": ("empty.jpg", b"", "photo.empty"),
        "one byte": ("one-byte.jpg", b"\xff", "photo.not-a-picture"),
        "noise": ("noise.jpg", b"\0" + noise, "photo.not-a-picture"),
        "zeros": ("zeros.jpg", bytes(5000), "photo.not-a-picture"),
        "text": ("text.jpg", "Grüße, not a picture.\n".encode() * 9, "photo.not-a-picture"),
        "web page": ("page.jpg", b"\n<!DOCTYPE html><html><body>404</body></html>", "photo.not-a-picture"),
        "PDF": ("paper.png", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "photo.not-a-picture"),
        "archive": ("photos.jpg", b"PK\x03\x04\x14\0\0\0" + bytes(90), "photo.not-a-picture"),
        "MP4 video": ("film.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(90), "photo.video"),
        "AVI video": ("film.avi", b"RIFF\x9c\0\0\0AVI LIST" + bytes(90), "photo.video"),
        "WebM video": ("film.webm", b"\x1aE\xdf\xa3\x9fB\x86\x81\x01" + bytes(90), "photo.video"),
        "Photoshop": ("layers.jpg", b"8BPS\0\x01" + bytes(90), "photo.unsupported"),
        "SVG": ("drawing.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "photo.unsupported"),
        "JPEG cut in its header": ("cut-header.jpg", jpeg[:100], "photo.truncated"),
        "JPEG cut in half": ("cut.jpg", jpeg[: len(jpeg) // 2], "photo.truncated"),
        "JPEG that is only a start": ("start.jpg", jpeg[:3], "photo.truncated"),
        "JPEG with a damaged header": ("damaged.jpg", jpeg[:2] + b"\xff\xe0\0\x10" + noise, "photo.damaged"),
        "JPEG of zero height": ("zero.jpg", _with_zero_height(jpeg), "photo.damaged"),
        "JPEG of 12 bits": ("12-bit.jpg", jpeg.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), "photo.damaged"),
        "PNG cut in half": ("cut.png", _half(encode(picture(), "PNG")), "photo.truncated"),
        "PNG of zero size": ("zero.png", png(0, 0), "photo.damaged"),
        "PNG without pixels": ("hollow.png", png(90, 90), "photo.damaged"),
        "PNG with a wrong checksum": ("sum.png", png(90, 90)[:29] + b"\0\0\0\0" + png(90, 90)[33:], "photo.damaged"),
        "GIF cut in half": ("cut.gif", _half(encode(picture(), "GIF")), "photo.truncated"),
        "WebP cut in half": ("cut.webp", _half(encode(picture(), "WEBP")), "photo.truncated"),
        "AVIF cut in half": ("cut.avif", _half(encode(picture(), "AVIF")), "photo.truncated"),
        "BMP cut in half": ("cut.bmp", _half(encode(picture(), "BMP")), "photo.truncated"),
        "TIFF cut in half": ("cut.tif", _half(encode(picture(), "TIFF")), "photo.truncated"),
        "PPM cut in half": ("cut.ppm", _half(encode(picture(), "PPM")), "photo.truncated"),
        "PPM with a damaged header": ("damaged.ppm", b"P6 12 x 255\n" + noise, "photo.damaged"),
        "bomb": ("bomb.png", png(50_000, 50_000, (b"IDAT", zlib.compress(bytes(100_000)))), "photo.bomb"),
        "too large": ("large.png", png(20_000, 20_000, (b"IDAT", bytes(500_000))), "photo.too-large"),
    }
    files: dict[str, tuple[Path, str]] = {}
    for kind, (name, content, code) in contents.items():
        (folder / name).write_bytes(content)
        files[kind] = (folder / name, code)
    return files | _no_files(folder)


def _no_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Paths that lead to nothing, or to something that is no file."""
    (folder / "folder.jpg").mkdir()
    files = {
        "missing": (folder / "missing.jpg", "photo.missing"),
        "below a file": (folder / "empty.jpg" / "a.jpg", "photo.missing"),
        "folder": (folder / "folder.jpg", "photo.folder"),
        "too long a name": (folder / ("n" * 300 + ".jpg"), "photo.bad-name"),
        "null byte": (folder / "nu\0ll.jpg", "photo.bad-name"),
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.jpg")
        files["pipe"] = (folder / "pipe.jpg", "photo.device")
        files["device"] = (Path("/dev/zero"), "photo.device")
        (folder / "loop-a.jpg").symlink_to("loop-b.jpg")
        (folder / "loop-b.jpg").symlink_to("loop-a.jpg")
        files["link loop"] = (folder / "loop-a.jpg", "photo.link-loop")
        (folder / "dangling.jpg").symlink_to("nowhere.jpg")
        files["dangling link"] = (folder / "dangling.jpg", "photo.missing")
        with socket.socket(socket.AF_UNIX) as unix:
            try:
                unix.bind(str(folder / "socket.jpg"))
                files["socket"] = (folder / "socket.jpg", "photo.device")
            except OSError:  # the path is longer than a socket's may be
                pass
    return files


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _with_zero_height(jpeg: bytes) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + b"\0\0" + jpeg[at + 2 :]
