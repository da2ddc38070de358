"""Cutting heads out of their photos, by GrabCut (Rother, Kolmogorov and Blake 2004), and knowing where that failed."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.progress import track

SIDE = 64
_Y, _X = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE


def silhouettes(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Find the head, neck and shoulders in aligned crops.

    Args:
        crops: (N, S, S, 3) uint8 RGB, aligned by their eyes and mouth.

    Returns:
        (N, SIDE, SIDE) uint8, 1 on the person.
    """
    with ThreadPoolExecutor() as pool:
        return np.array(list(track(pool.map(_cut, crops), "cutting out heads", len(crops))), np.uint8)


def trustworthy(masks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which silhouettes (N, SIDE, SIDE) look like a whole head and no more; about one in four does.

    Dark hair before a dark background is lost, and people behind are taken in. Such a mask lacks the crown, reaches
    far to the side, or is lopsided.
    """
    crown = masks[:, _ellipse(0.5, 0.42, 0.19, 0.29) & (_Y < 0.6)].mean(axis=1)
    beyond = masks[:, ~_ellipse(0.5, 0.46, 0.36, 0.43) & (_Y < 0.65)].mean(axis=1)
    lopsided = (masks != masks[:, :, ::-1])[:, _Y < 0.6].mean(axis=1)
    return np.asarray((crown > 0.985) & (beyond < 0.06) & (lopsided < 0.13), np.bool_)


def _ellipse(x: float, y: float, width: float, height: float) -> NDArray[np.bool_]:
    return np.asarray(((_X - x) / width) ** 2 + ((_Y - y) / height) ** 2 < 1, np.bool_)


def _first_guess() -> NDArray[np.uint8]:
    guess = np.full((SIDE, SIDE), cv2.GC_PR_BGD, np.uint8)
    guess[_ellipse(0.5, 0.47, 0.27, 0.40)] = cv2.GC_PR_FGD
    guess[(_Y > 0.80) & (np.abs(_X - 0.5) < 0.24 + (_Y - 0.8) * 1.2)] = cv2.GC_PR_FGD
    guess[(_Y < 0.04) | ((np.abs(_X - 0.5) > 0.44) & (_Y < 0.65))] = cv2.GC_BGD
    guess[_ellipse(0.5, 0.46, 0.155, 0.315)] = cv2.GC_FGD
    guess[(_Y > 0.72) & (np.abs(_X - 0.5) < 0.10)] = cv2.GC_FGD
    return guess


def _cut(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    mask = _first_guess()
    cv2.setRNGSeed(0)
    cv2.grabCut(small, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    person = (mask & 1).astype(np.uint8)
    _, pieces = cv2.connectedComponents(person, connectivity=4)
    piece = (pieces == pieces[SIDE // 2 - 2, SIDE // 2]).astype(np.uint8)
    return cv2.morphologyEx(piece, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)).astype(np.uint8)
