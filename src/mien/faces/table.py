"""The embedded faces of many photos as one table, which can be saved, read again and carried on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO
from zipfile import ZIP_STORED, BadZipFile

import numpy as np
from numpy.typing import NDArray

from mien.errors import InputError
from mien.faces.alignment import align
from mien.faces.choosing import too_blurred
from mien.faces.faces import Faces
from mien.faces.quality import are_blurred, magnification
from mien.faces.unit_length import are_of_unit_length
from mien.photos import NAMELESS, Photo
from mien.whole_files import written_whole


@dataclass(eq=False)
class FaceTable:
    """One row a face, and a list of the photos that gave none.

    Attributes:
        encoder_name: What made the embeddings.
        encoder_identity: SHA-256 over all that an embedding depends on.
        settings: How faces were found and chosen; JSON-ready.
        sources: For each face, the photo it is from.
        boxes: (N, 4) float32 pixels of that photo.
        landmarks: (N, 5, 2) float32 pixels of that photo.
        scores: (N,) float32 detection scores.
        embeddings: (N, D) float32 of unit length.
        sharpness: (N,) float64, see `Faces.sharpness`; NaN where nobody looked.
        noise: (N,) float64, see `Faces.noise`; NaN where nobody looked.
        problems: For each photo without a face, why.
        stamps: For each photo that is a file, its size and when it was last written.
    """

    encoder_name: str
    encoder_identity: str
    settings: dict[str, Any] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    boxes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    landmarks: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 5, 2), np.float32))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    embeddings: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    sharpness: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    noise: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    problems: dict[str, dict[str, str]] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _KEPT_SINCE:
            if self.sources and not len(getattr(self, name)):
                setattr(self, name, np.full(len(self.sources), np.nan))

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def blurred(self) -> NDArray[np.bool_]:
        """(N,) `Faces.blurred`."""
        return are_blurred(self.sharpness, self.noise, magnification(self.landmarks))

    def photos_done(self) -> set[str]:
        """The photos that the table has an answer for."""
        return {*self.sources, *self.problems}

    def forget_unreadable(self) -> None:
        """Forget the photos that could not be read, so that they are tried again; those without a face stay."""
        self.problems = {name: why for name, why in self.problems.items() if why["code"].startswith("no-face")}

    def changed(self, photos: Iterable[str]) -> set[str]:
        """Those of some photos that are other files now than when they were embedded."""
        return {name for name in photos if name in self.stamps and _stamp(name) not in {None, self.stamps[name]}}

    def extend(self, photos: Iterable[Faces]) -> None:
        """Add the faces of more photos; when the iterable is interrupted, all that came before is kept.

        Photos that are no files, such as arrays, are numbered, so that each stays one photo.
        """
        new: list[Faces] = []
        nameless = self._new_names()
        try:
            for photo in photos:
                is_file = photo.source not in ("", *NAMELESS)
                faces = photo if is_file else replace(photo, source=next(nameless))
                new.append(faces)
                if is_file and (stamp := _stamp(photo.source)) is not None:
                    self.stamps[photo.source] = stamp
                if faces.problem is not None:
                    self.problems[faces.source] = faces.problem.to_dict()
                elif not len(faces):
                    self.problems[faces.source] = {"code": "no-face.none", "message": "No face was found.", "hint": ""}
        finally:
            new = [faces for faces in new if len(faces)]
            self.sources += [faces.source for faces in new for _ in range(len(faces))]
            if new:
                self.boxes = np.concatenate([self.boxes, *(faces.boxes for faces in new)])
                self.landmarks = np.concatenate([self.landmarks, *(faces.landmarks for faces in new)])
                self.scores = np.concatenate([self.scores, *(faces.scores for faces in new)])
                self.sharpness = np.concatenate([self.sharpness, *(faces.sharpness for faces in new)])
                self.noise = np.concatenate([self.noise, *(faces.noise for faces in new)])
                old = [self.embeddings] if len(self.embeddings) else []
                self.embeddings = np.concatenate([*old, *(faces.embeddings for faces in new)])

    def _new_names(self) -> Iterator[str]:
        done = self.photos_done()  # looked up once a name is asked for: there are many photos, and hardly any nameless
        yield from (name for number in count(1) if (name := f"nameless photo {number}") not in done)

    def only(self, photos: Iterable[str]) -> FaceTable:
        """The part of the table that is about these photos."""
        wanted = set(photos)
        return replace(
            self._of_faces(np.array([source in wanted for source in self.sources], bool)),
            problems={name: why for name, why in self.problems.items() if name in wanted},
            stamps={name: stamp for name, stamp in self.stamps.items() if name in wanted},
        )

    def sharp(self) -> FaceTable:
        """The faces that people can be known by: photos that have none but blurred ones are among the problems."""
        sharp = self._of_faces(~self.blurred)
        left_out = set(self.sources) - set(sharp.sources)
        too = {name: too_blurred(name).to_dict() for name in self.sources if name in left_out}
        return replace(sharp, problems={**self.problems, **too}, stamps=dict(self.stamps))

    def _of_faces(self, kept: NDArray[np.bool_]) -> FaceTable:
        return replace(
            self,
            sources=[source for source, is_kept in zip(self.sources, kept, strict=True) if is_kept],
            boxes=self.boxes[kept],
            landmarks=self.landmarks[kept],
            scores=self.scores[kept],
            embeddings=self.embeddings[kept],
            sharpness=self.sharpness[kept],
            noise=self.noise[kept],
        )

    def photo_numbers(self) -> NDArray[np.int64]:
        """For each face, a number that is the same for faces of one photo, (N,)."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(source, len(numbers)) for source in self.sources], np.int64)

    def crops(self, template: str = "arcface-112") -> Iterator[NDArray[np.uint8]]:
        """Cut each face out of its photo, which is opened again: (H, W, 3) uint8 RGB each.

        Raises:
            PhotoError: A photo is no longer there.
        """
        for source, rows in groupby(range(len(self)), key=lambda row: self.sources[row]):
            yield from align(Photo.open(source).pixels, self.landmarks[list(rows)], template)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table as a NumPy archive; an interrupted write leaves the old file as it was."""
        path = Path(path)
        about = {
            "encoder_name": self.encoder_name,
            "encoder_identity": self.encoder_identity,
            "settings": self.settings,
            "problems": self.problems,
            "stamps": self.stamps,
        }
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez(
                file,
                sources=np.array(self.sources, np.str_),
                boxes=self.boxes,
                landmarks=self.landmarks,
                scores=self.scores,
                embeddings=self.embeddings,
                sharpness=self.sharpness,
                noise=self.noise,
                about=np.array(json.dumps(about, ensure_ascii=False)),
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FaceTable:
        """Read a table that `save` wrote. Nothing in the file is ever unpickled.

        Raises:
            InputError: It can't be read, or is not such a table.
        """
        path = Path(path)
        try:
            with path.open("rb") as opened:
                return cls._of(_arrays(opened))
        except OSError as error:
            raise InputError(
                f"The table of faces {path} can't be read: {error.strerror or error}.",
                hint="Check the path.",
                code="input.file",
            ) from error
        except _NOT_A_TABLE:
            # Without NumPy's own words, which advise to unpickle a file that one trusts.
            raise InputError(
                f"{path} is not a table of faces that `mien embed` wrote, or is damaged; nothing in it was run.",
                hint="Make one with: mien embed PHOTOS -o faces.npz",
                code="input.faces",
            ) from None

    @classmethod
    def _of(cls, arrays: Mapping[str, NDArray[Any]]) -> FaceTable:
        about = json.loads(str(arrays["about"]))
        sources, problems = arrays["sources"], about["problems"]
        faces = len(sources)
        shapes = {"sources": (faces,), "boxes": (faces, 4), "landmarks": (faces, 5, 2), "scores": (faces,)}
        fits = all(arrays[name].shape == shape for name, shape in shapes.items())
        embeddings = arrays["embeddings"]
        if not fits or embeddings.ndim != 2 or len(embeddings) != faces or sources.dtype.kind != "U":
            raise ValueError
        boxes, landmarks, scores, embeddings = (
            arrays[name].astype(np.float32, casting="same_kind", copy=False)
            for name in ("boxes", "landmarks", "scores", "embeddings")
        )
        sharpness, noise = (
            arrays.get(name, np.full(faces, np.nan)).astype(np.float64, casting="same_kind", copy=False)
            for name in _KEPT_SINCE
        )
        if not all(np.isfinite(each).all() for each in (boxes, landmarks, scores, embeddings)):
            raise ValueError
        if not are_of_unit_length(embeddings):
            raise ValueError
        if any(each.shape != (faces,) or (each < 0).any() or np.isinf(each).any() for each in (sharpness, noise)):
            raise ValueError
        if not all(why.keys() >= {"code", "message", "hint"} and _are_text(why.values()) for why in problems.values()):
            raise ValueError
        stamps = dict(about.get("stamps", {}))
        if not _are_text(stamps.values()):
            raise ValueError
        return cls(
            str(about["encoder_name"]),
            str(about["encoder_identity"]),
            dict(about["settings"]),
            sources.tolist(),
            boxes,
            landmarks,
            scores,
            embeddings,
            sharpness,
            noise,
            problems,
            stamps,
        )


def _are_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _stamp(photo: str) -> str | None:
    try:
        about = Path(photo).stat()
    except (OSError, ValueError):  # not a file, or no name that one could have
        return None
    return f"{about.st_size} {about.st_mtime_ns}"


_NOT_A_TABLE = (
    ValueError, KeyError, TypeError, AttributeError, EOFError, OverflowError, MemoryError,
    RuntimeError,  # an encrypted archive, or one of a later version; nested too deeply
    BadZipFile, SyntaxError, TokenError,  # an array's header is read as Python's literals
)  # fmt: skip
"""What reading any other file as a table raises."""


_KEPT_SINCE = ("sharpness", "noise")
"""What tables of an older mien are without."""


def _arrays(opened: BinaryIO) -> dict[str, NDArray[Any]]:
    loaded = np.load(opened, allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise TypeError
    if loaded.zip is None or any(member.compress_type != ZIP_STORED for member in loaded.zip.infolist()):
        raise ValueError  # `save` compresses nothing, and a small file could unpack to more than there is memory for
    known = ("about", "sources", "boxes", "landmarks", "scores", "embeddings", *_KEPT_SINCE)
    return {name: loaded[name] for name in known if name in loaded}
