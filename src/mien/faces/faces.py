"""The faces of one photo, as arrays with one row a face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError, NoFaceError
from mien.faces.alignment import align
from mien.faces.quality import are_blurred, magnification
from mien.photos import Photo

Index = int | np.integer[Any] | slice | list[int] | NDArray[np.integer[Any]] | NDArray[np.bool_]


def _rows(*shape: int) -> NDArray[np.float32]:
    return np.zeros((0, *shape), np.float32)


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces found in one photo, best detection score first.

    All coordinates are pixels of the upright photo at full resolution; a box may reach beyond its edge.

    Attributes:
        boxes: (N, 4) float32: x, y of the upper left corner, width, height.
        landmarks: (N, 5, 2) float32: the person's right eye, left eye, nose tip, right and left mouth corner.
        scores: (N,) float32 in [0, 1]: how sure the detector is that this is a face.
        embeddings: (N, D) float32 of unit length; (N, 0) before they are computed.
        sharpness: (N,) float64: how much detail each has (`FaceQuality.sharpness`); NaN before they are embedded.
        noise: (N,) float64: how much noise each has (`FaceQuality.noise`); NaN before they are embedded.
        size: (width, height) of the upright photo.
        source: Where the photo came from.
        photo: The photo itself, if it was kept.
        notes: What was done to find or read them that the user should know.
        problem: Why there are no faces here, if the photo could not be used at all.
    """

    boxes: NDArray[np.float32] = field(default_factory=lambda: _rows(4))
    landmarks: NDArray[np.float32] = field(default_factory=lambda: _rows(5, 2))
    scores: NDArray[np.float32] = field(default_factory=_rows)
    embeddings: NDArray[np.float32] = field(default_factory=lambda: _rows(0))
    sharpness: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    noise: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    size: tuple[int, int] = (0, 0)
    source: str = ""
    photo: Photo | None = None
    notes: tuple[str, ...] = ()
    problem: MienError | None = None
    _cut: dict[str, NDArray[np.uint8]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        rows = len(self.boxes)
        for name in ("sharpness", "noise"):
            if rows and not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(rows, np.nan))
        wanted = {"boxes": (rows, 4), "landmarks": (rows, 5, 2)}
        wanted |= dict.fromkeys(("scores", "sharpness", "noise"), (rows,))
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, not {getattr(self, name).shape}")
        if self.embeddings.ndim != 2 or (self.embeddings.shape[1] > 0 and len(self.embeddings) != rows):
            raise ValueError(f"embeddings must have shape ({rows}, D), not {self.embeddings.shape}")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: Index) -> Faces:
        """The chosen faces as a `Faces`, also for a single number."""
        if isinstance(index, int | np.integer):
            index = int(index)
            if not -len(self) <= index < len(self):
                raise IndexError(f"face {index} of {len(self)}")
            index = [index]
        embedded = self.embeddings.shape[1] > 0
        return replace(
            self,
            boxes=self.boxes[index],
            landmarks=self.landmarks[index],
            scores=self.scores[index],
            embeddings=self.embeddings[index] if embedded else self.embeddings,
            sharpness=self.sharpness[index],
            noise=self.noise[index],
        )

    def __iter__(self) -> Iterator[Faces]:
        """The faces one by one, each as a `Faces`."""
        return (self[row] for row in range(len(self)))

    @property
    def blurred(self) -> NDArray[np.bool_]:
        """(N,) whether a face shows so little, blurred, small or noisy, that two such are not to be compared."""
        return are_blurred(self.sharpness, self.noise, magnification(self.landmarks))

    def largest(self) -> Faces:
        """The face with the largest box. Raises `NoFaceError` if there is none."""
        self._need_one()
        return self[int(np.argmax(self.boxes[:, 2] * self.boxes[:, 3]))]

    def most_central(self) -> Faces:
        """The face whose box lies nearest to the photo's centre. Raises `NoFaceError` if there is none."""
        self._need_one()
        centres = self.boxes[:, :2] + self.boxes[:, 2:] / 2
        return self[int(np.argmin(np.linalg.norm(centres - np.array(self.size, np.float32) / 2, axis=1)))]

    def crops(self, template: str = "arcface-112") -> NDArray[np.uint8]:
        """The faces cut out of the photo, upright and aligned.

        Args:
            template: Where the landmarks come to lie: a name of `mien.faces.TEMPLATES`.

        Returns:
            (N, H, W, 3) uint8 RGB, read-only: they are cut once.

        Raises:
            ValueError: The photo was not kept.
        """
        if self.photo is None:
            raise ValueError("the photo of these faces was not kept; ask for it with keep_photos=True")
        if template not in self._cut:
            crops = align(self.photo.pixels, self.landmarks, template)
            crops.flags.writeable = False
            self._cut[template] = crops
        return self._cut[template]

    def noting(self, *notes: str) -> Faces:
        """The same faces with more notes."""
        return replace(self, notes=self.notes + notes)

    def to_dict(self) -> dict[str, Any]:
        """Boxes, landmarks, scores and notes as JSON-ready data; embeddings are left out."""
        return {
            "source": self.source,
            "width": self.size[0],
            "height": self.size[1],
            "faces": [
                {
                    "box": [round(float(v), 2) for v in box],
                    "landmarks": [[round(float(v), 2) for v in point] for point in points],
                    "score": round(float(score), 4),
                }
                for box, points, score in zip(self.boxes, self.landmarks, self.scores, strict=True)
            ],
            "notes": list(self.notes),
            "problem": self.problem.to_dict() if self.problem else None,
        }

    def _need_one(self) -> None:
        if self.problem is not None:
            raise self.problem
        if not len(self):
            raise NoFaceError(
                f"No face was found in {self.source}.",
                hint="Use a photo in which the face is visible, upright and at least 20 pixels wide.",
                code="no-face.none",
            )
