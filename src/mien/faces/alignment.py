"""Cutting faces out of a photo so that eyes, nose and mouth always lie in the same place."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

TEMPLATES: dict[str, tuple[tuple[int, int], NDArray[np.float64]]] = {
    # The five points of ArcFace (Deng et al. 2019), which SFace was trained with.
    "arcface-112": (
        (112, 112),
        np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]),
    ),
    # Where YuNet's landmarks lie on average in the chips of dlib's own alignment (get_face_chip(150, padding=0.25)
    # after its 5-point predictor), measured on 400 photos of CelebA and made symmetrical.
    "dlib-150": (
        (150, 150),
        np.array([[47.4, 45.1], [100.8, 45.1], [74.1, 77.4], [51.3, 101.5], [96.9, 101.5]]),
    ),
}
"""For each name: the crop's (width, height), and where the five landmarks lie in it, (5, 2) pixels."""


def similarity_transforms(landmarks: NDArray[Any], template: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation, scale and shift that bring landmarks nearest to a template, in the least-squares sense.

    Written in complex numbers, w ≈ a·z + b, whose least-squares solution a = Σ z̄w / Σ|z|² (about the means)
    is Umeyama's (1991, eq. 40–42) in two dimensions without reflection.

    Args:
        landmarks: (N, P, 2) pixels of the photo.
        template: (P, 2) pixels of the crop.

    Returns:
        (N, 2, 3) float64 matrices from photo to crop. Landmarks that all coincide give a zero matrix.
    """
    points = np.asarray(landmarks, np.float64)
    z = points[..., 0] + 1j * points[..., 1]
    w = template[:, 0] + 1j * template[:, 1]
    z_mean, w_mean = z.mean(axis=1, keepdims=True), w.mean()
    spread = (np.abs(z - z_mean) ** 2).sum(axis=1)
    a = ((z - z_mean).conj() * (w - w_mean)).sum(axis=1) / np.where(spread > 0, spread, np.inf)
    b = w_mean - a * z_mean[:, 0]
    return np.stack([np.stack([a.real, -a.imag, b.real], -1), np.stack([a.imag, a.real, b.imag], -1)], 1)


def align(pixels: NDArray[np.uint8], landmarks: NDArray[Any], template: str = "arcface-112") -> NDArray[np.uint8]:
    """Cut faces out of a photo, each turned and scaled so that its landmarks lie on a template.

    Args:
        pixels: (H, W, 3) uint8, the photo at full resolution.
        landmarks: (N, 5, 2) in pixels of the photo, in the order of `Faces.landmarks`.
        template: A name of `TEMPLATES`.

    Returns:
        (N, height, width, 3) uint8. What lies outside the photo is black.
    """
    (width, height), points = TEMPLATES[template]
    crops = np.zeros((len(landmarks), height, width, 3), np.uint8)
    for crop, matrix in zip(crops, similarity_transforms(landmarks, points), strict=True):
        source, onto_crop = _without_aliasing(pixels, matrix, (width, height))
        if source.size:
            cv2.warpAffine(source, onto_crop, (width, height), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def _without_aliasing(
    pixels: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Shrink the region under a crop by a whole factor first where the crop is less than half its size.

    Bilinear warping looks at four pixels only, so that a face much larger than its crop would flicker and lose detail.
    """
    shrink = int(1 / max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6) + 1e-6)
    if shrink < 2:
        return pixels, matrix
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], [size[0], size[1]]], np.float64)
    inside = (corners - matrix[:, 2]) @ np.linalg.pinv(matrix[:, :2]).T
    left, top = np.clip(np.floor(inside.min(axis=0)).astype(int) - shrink, 0, None)
    right, bottom = np.clip(np.ceil(inside.max(axis=0)).astype(int) + shrink, 0, None)
    region = pixels[top:bottom, left:right]
    region = region[: len(region) // shrink * shrink, : region.shape[1] // shrink * shrink] if region.size else region
    if not region.size:
        return region, matrix
    small = cv2.resize(region, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    # Pixel centres: small coordinate s covers photo coordinate left + s·shrink + (shrink − 1)/2.
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (np.array([left, top]) + (shrink - 1) / 2)
    moved[:, :2] *= shrink
    return small.astype(np.uint8, copy=False), moved
