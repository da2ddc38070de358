"""Showing what was found: boxes and landmarks on the photo."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.faces.faces import Faces

BOX = (46, 204, 113)
POINTS = ((255, 99, 71), (255, 99, 71), (255, 215, 0), (30, 144, 255), (30, 144, 255))
HALO = (20, 20, 20)


def draw(pixels: NDArray[np.uint8], faces: Faces, captions: list[str] | None = None) -> NDArray[np.uint8]:
    """Draw boxes, landmarks and captions on a copy of a photo.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        faces: What was found in it.
        captions: A short ASCII text for each face; by default its detection score.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    picture = np.ascontiguousarray(pixels).copy()
    if captions is None:
        captions = [f"{score:.2f}" for score in faces.scores]
    thick = max(1, round(max(picture.shape[:2]) / 500))
    for box, points, caption in zip(faces.boxes, faces.landmarks, captions, strict=True):
        x, y, width, height = (round(float(v)) for v in box)
        for colour, line in ((HALO, thick + 2), (BOX, thick)):
            cv2.rectangle(picture, (x, y), (x + width, y + height), colour, line, cv2.LINE_AA)
        radius = max(1, round(float(box[2]) / 40))
        for colour, (px, py) in zip(POINTS, points, strict=True):
            at = (round(float(px)), round(float(py)))
            cv2.circle(picture, at, radius + 1, HALO, -1, cv2.LINE_AA)
            cv2.circle(picture, at, radius, colour, -1, cv2.LINE_AA)
        size = float(np.clip(box[2] / 160, 0.35, 1.2 * thick))
        for colour, line in ((HALO, thick + 2), (BOX, thick)):
            cv2.putText(
                picture,
                caption,
                (x, max(y - 2 * thick - 2, round(22 * size))),
                cv2.FONT_HERSHEY_SIMPLEX,
                size,
                colour,
                line,
                cv2.LINE_AA,
            )
    return picture
