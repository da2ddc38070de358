"""Finding the faces of a photo and five landmarks on each, with YuNet."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.faces.faces import Faces
from mien.models import ModelCard, Runner, load_card, open_model
from mien.photos import Photo, PhotoSource

STRIDES = (8, 16, 32)
TILE, TILE_OVERLAP = 640, 160
SURE_SCORE = 0.9
"""A face with this score is certainly upright. In a photo that lies on its side or head YuNet often "finds" an upright
face too, with wrong landmarks, but at a lower score (at most 0.89 on 100 photos of LFW; 0.91 to 0.94 once turned)."""
TURNED_SCORE, TURNED_MARGIN = 0.8, 0.02
"""Photos are rarely turned, so it takes a good score, and one clearly better than the upright one, to believe it."""

Found = NDArray[np.float32]
"""(N, 15): box x, y, w, h; five landmarks x, y; score: YuNet's rows, in pixels of some picture.

To YuNet pixel i reaches from i to i + 1 (x here and x in the mirror add up to the width, to 0.3 pixels, on LFW and
CelebA), so that places in a larger or smaller picture are these times its scale, with no half pixels to add."""


@dataclass(frozen=True)
class Detector:
    """Finds faces at any photo size.

    Attributes:
        runner: The network.
        max_side: The photo is shrunk to this longer side, in pixels, 32 or more, for detection only.
        min_score: Faces with a lower score, in (0, 1), are dropped.
        max_overlap: Of two boxes whose intersection over union is above this, the better one stays.
        small_faces: Also look at the photo in tiles, at its full size and at twice that, which finds faces down
            to about 8 pixels and takes many times longer.
    """

    runner: Runner
    max_side: int = 640
    min_score: float = 0.6
    max_overlap: float = 0.3
    small_faces: bool = False

    def __post_init__(self) -> None:
        if self.max_side < STRIDES[-1]:
            raise ValueError(f"max_side must be {STRIDES[-1]} or more, not {self.max_side}")
        if not 0 < self.min_score < 1:
            raise ValueError(f"min_score lies between 0 and 1, not at {self.min_score}")
        self.runner.card.require_task("detector")

    @classmethod
    def open(
        cls,
        card: str | ModelCard = "yunet",
        *,
        runtime: str = "auto",
        max_side: int = 640,
        min_score: float = 0.6,
        small_faces: bool = False,
    ) -> "Detector":
        """Load a detector by its card.

        Raises:
            ModelError: It is no detector, or its weights are missing or altered.
            ValueError: `max_side` or `min_score` is out of its range.
        """
        if isinstance(card, str):
            card = load_card(card)
        return cls(open_model(card, runtime=runtime), max_side, min_score, small_faces=small_faces)

    def detect(self, source: PhotoSource) -> Faces:
        """Find the faces of one photo.

        Where no face is found beyond doubt, the photo is tried again with a border (a tight crop has no room for a
        box around the face) and turned by 90°, 180° and 270°; where that is what found them, the notes say so.

        Raises:
            PhotoError: The photo cannot be used.
        """
        photo = Photo.open(source)
        preview = photo.preview(self.max_side)
        found, note = self._search(preview)
        found = _resized(found, preview.shape, (photo.height, photo.width))
        if self.small_faces:
            found = self._best(np.concatenate([found, *self._tiles(photo.pixels)]))
        return Faces(
            boxes=np.ascontiguousarray(found[:, :4]),
            landmarks=found[:, 4:14].reshape(-1, 5, 2).copy(),
            scores=found[:, 14].copy(),
            size=(photo.width, photo.height),
            source=photo.source,
            photo=photo,
            notes=photo.notes + note,
        )

    def _search(self, picture: NDArray[np.uint8]) -> tuple[Found, tuple[str, ...]]:
        """Search a picture as it is and, unless that gives a face beyond doubt, with a border and turned."""
        upright = self._run(picture)
        if _best_score(upright) >= SURE_SCORE:
            return upright, ()
        turned = {turns * 90: self._turned(picture, turns) for turns in (1, 2, 3)}
        angle, found = max(turned.items(), key=lambda item: _best_score(item[1]))
        if not len(upright):
            upright = self._with_border(picture)
            note = ("a tight crop: found only after a border was added",) if len(upright) else ()
        else:
            note = ()
        if _best_score(found) >= max(TURNED_SCORE, _best_score(upright) + TURNED_MARGIN):
            return found, (f"the photo was turned by {angle}° counter-clockwise to find this",)
        return upright, note

    def _run(self, picture: NDArray[np.uint8]) -> Found:
        """Run YuNet on a picture of any size, (H, W, 3) uint8 RGB."""
        height, width = picture.shape[:2]
        step = STRIDES[-1]
        padded = np.zeros((3, -(-height // step) * step, -(-width // step) * step), np.float32)
        padded[:, :height, :width] = picture[:, :, ::-1].transpose(2, 0, 1)
        outputs = self.runner.run(padded[None])
        maps = [_decode(outputs, stride, padded.shape[2], self.min_score) for stride in STRIDES]
        return self._best(np.concatenate(maps))

    def _with_border(self, picture: NDArray[np.uint8]) -> Found:
        half = max(1.0, max(picture.shape[:2]) / (self.max_side / 2))
        size = (max(1, round(picture.shape[1] / half)), max(1, round(picture.shape[0] / half)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        border = max(small.shape[:2]) // 2
        found = self._run(np.pad(small, ((border, border), (border, border), (0, 0))).astype(np.uint8, copy=False))
        found[:, :2] -= border
        found[:, 4:14] -= border
        return _resized(found, small.shape, picture.shape)

    def _turned(self, picture: NDArray[np.uint8], turns: int) -> Found:
        """Search a picture turned counter-clockwise by quarter turns; the answer is in pixels of the unturned one."""
        found = self._run(np.ascontiguousarray(np.rot90(picture, turns)))
        corners = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
        points = _unturned(np.concatenate([corners, found[:, 4:14]], axis=1).reshape(-1, 7, 2), turns, picture.shape)
        first, second = points[:, 0], points[:, 1]
        box = np.concatenate([np.minimum(first, second), np.abs(first - second)], axis=1)
        return np.concatenate([box, points[:, 2:].reshape(-1, 10), found[:, 14:]], axis=1)

    def _tiles(self, pixels: NDArray[np.uint8]) -> Iterator[Found]:
        """Search overlapping tiles of the photo at its own and at twice its size."""
        for zoom in (1, 2):
            big = cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC) if zoom > 1 else pixels
            height, width = big.shape[:2]
            for top in _starts(height):
                for left in _starts(width):
                    found = self._run(np.ascontiguousarray(big[top : top + TILE, left : left + TILE], np.uint8))
                    found = found[_whole(found, left, top, width, height)]
                    found[:, :14] += np.tile(np.array([left, top], np.float32), 7) * _IS_POSITION
                    found[:, :14] /= zoom
                    yield found

    def _best(self, found: Found) -> Found:
        """Drop all but the best of overlapping boxes; best score first."""
        found = found[np.argsort(-found[:, 14], kind="stable")]
        keep = cv2.dnn.NMSBoxes(found[:, :4].tolist(), found[:, 14].tolist(), self.min_score, self.max_overlap)
        return found[np.asarray(keep, np.intp).ravel()]


_IS_POSITION = np.array([1, 1, 0, 0] + [1] * 10, np.float32)
"""Of YuNet's first 14 columns, which ones move with the picture: all but width and height."""


def _best_score(found: Found) -> float:
    return float(found[:, 14].max(initial=0))


def _decode(outputs: dict[str, NDArray[np.float32]], stride: int, width: int, min_score: float) -> Found:
    """Boxes and landmarks of one feature map (libfacedetection: Peng & Yu 2021, *YuNet*).

    A cell at column c and row r predicts its box's centre, (c + dx, r + dy)·stride, its size, exp(dw, dh)·stride,
    and its landmarks, (c + px, r + py)·stride; the score is √(class · objectness).
    """
    confidence = np.clip(outputs[f"cls_{stride}"][0, :, 0], 0, 1) * np.clip(outputs[f"obj_{stride}"][0, :, 0], 0, 1)
    cells = np.flatnonzero(confidence >= min_score**2)
    corner = np.stack([cells % (width // stride), cells // (width // stride)], axis=1).astype(np.float32)
    box = outputs[f"bbox_{stride}"][0, cells]
    centre, size = (corner + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
    points = (corner[:, None] + outputs[f"kps_{stride}"][0, cells].reshape(-1, 5, 2)) * stride
    score = np.sqrt(confidence[cells, None])
    return np.concatenate([centre - size / 2, size, points.reshape(-1, 10), score], axis=1).astype(np.float32)


def _resized(found: Found, before: tuple[int, ...], after: tuple[int, ...]) -> Found:
    """Faces of a picture of shape `before` in pixels of the same one of shape `after`; sides are rounded each alone."""
    scale = np.array([after[1] / before[1], after[0] / before[0]], np.float32)
    return np.concatenate([found[:, :14] * np.tile(scale, 7), found[:, 14:]], axis=1)


def _unturned(points: NDArray[np.float32], turns: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Points of a picture after quarter turns counter-clockwise, (…, 2), as points of the one before, of `shape`."""
    height, width = shape[:2]
    for done in reversed(range(turns)):
        before = height if done % 2 else width
        points = np.stack([before - points[..., 1], points[..., 0]], axis=-1)
    return points


def _starts(length: int) -> list[int]:
    """Where tiles begin along a side, so that the last one ends at the edge."""
    if length <= TILE:
        return [0]
    count = -(-(length - TILE_OVERLAP) // (TILE - TILE_OVERLAP))
    return [round(i * (length - TILE) / (count - 1)) for i in range(count)]


def _whole(found: Found, left: int, top: int, width: int, height: int) -> NDArray[np.bool_]:
    """Which faces of a tile are not cut by an edge that the neighbouring tile looks beyond."""
    x, y, right, bottom = found[:, 0], found[:, 1], found[:, 0] + found[:, 2], found[:, 1] + found[:, 3]
    inside = (x > 0) | (left == 0)
    inside &= (y > 0) | (top == 0)
    inside &= (right < TILE) | (left + TILE >= width)
    return inside & ((bottom < TILE) | (top + TILE >= height))
