"""How the shipped basis was made: ``python -m mien.synthesis.fitting LFW_FOLDER -o src/mien/synthesis/basis.npz``.

1. Faces are aligned by their five landmarks; near-frontal, sharp photos are kept, at most ten a person.
2. `registration` brings them into dense correspondence, `silhouettes` cuts out the heads.
3. A principal component analysis with missing values (what is behind or beside a head is unknown, not background)
   gives each photo's code. The even and the odd part under mirroring are analysed apart, which is the analysis of
   the photos and their mirror images together.
4. The codes' covariance is split into a part between people and a part within (the method of moments for
   probabilistic linear discriminant analysis, Prince and Elder 2007).

What is kept is the mean, 200 principal components and two covariances: averages over thousands of photos.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from mien.errors import MienError
from mien.faces import Detector, similarity_transforms
from mien.photos import find_people
from mien.progress import reporting, track
from mien.synthesis.layout import BLOCKS, CANVAS, DETAIL, EYE_DISTANCE, LANDMARKS, MIRRORED_LANDMARKS
from mien.synthesis.registration import register, warp
from mien.synthesis.silhouettes import silhouettes, trustworthy

EVEN, ODD = 160, 40
"""Components kept of each part."""
BETWEEN, WITHIN = (100, 8), (120, 40)
"""Directions kept of each covariance, in the even and the odd part."""
FILL_ROUNDS = (30, 60, 90, 90, 90)
"""Components used to fill in what is unknown, round by round."""
MOST_PHOTOS = 10
"""Of one person, so that nobody famous leads the statistics."""
MOST_YAW, MOST_MISFIT, LEAST_SHARPNESS = 0.15, 9.0, 9.5
"""Limits on the nose's offset (in eye distances), landmarks' misfit (pixels), and spread of the face's Laplacian."""


@dataclass(frozen=True)
class Crops:
    """Aligned photos: pixels (N, CANVAS, CANVAS, 3) RGB, landmarks (N, 5, 2) on the canvas, and whose each one is."""

    pixels: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    people: NDArray[np.int64]


def read_crops(folder: Path) -> Crops:
    """Align the photos of a folder (one sub-folder a person) and keep those fit for the statistics."""
    detector = Detector.open()
    photos = [
        (person, path) for person, paths in enumerate(find_people(folder).values()) for path in paths[:MOST_PHOTOS]
    ]

    def read(item: tuple[int, Path]) -> tuple[NDArray[np.uint8], NDArray[np.float64], int] | None:
        person, path = item
        try:
            face = detector.detect(path).most_central()
        except MienError:
            return None
        assert face.photo is not None
        matrix = similarity_transforms(face.landmarks, LANDMARKS)[0]
        landmarks = face.landmarks[0] @ matrix[:, :2].T + matrix[:, 2]
        crop = cv2.warpAffine(
            face.photo.pixels, matrix, (CANVAS, CANVAS), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        ).astype(np.uint8)
        off = landmarks - LANDMARKS
        inner = cv2.cvtColor(crop[40:150, 45:147], cv2.COLOR_RGB2GRAY)
        fit = (
            abs(off[2, 0]) < MOST_YAW * EYE_DISTANCE
            and np.linalg.norm(off) < MOST_MISFIT
            and cv2.Laplacian(inner, cv2.CV_32F).std() > LEAST_SHARPNESS
        )
        return (crop, landmarks, person) if fit else None

    with ThreadPoolExecutor() as pool:
        found = [f for f in track(pool.map(read, photos), "aligning photos", len(photos)) if f is not None]
    crops, landmarks, people = zip(*found, strict=True)
    return Crops(np.array(crops), np.array(landmarks), np.array(people))


def measure(crops: Crops) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.bool_]]]:
    """Each photo as the blocks of `layout.BLOCKS`, (N, *shape) each, and where they are known."""
    flows, masks = register(crops.pixels), silhouettes(crops.pixels)
    whole = trustworthy(masks)

    def one(i: int) -> tuple[NDArray[Any], ...]:
        flow = cv2.resize(flows[i], (CANVAS, CANVAS)).astype(np.float32)
        picture = warp(crops.pixels[i].astype(np.float32), flow, cv2.INTER_CUBIC).clip(0, 255) / 255
        ycc = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb) * 255
        luma = ycc[..., 0]
        half = _shrunk(luma, 96)
        alpha = warp(cv2.GaussianBlur(cv2.resize(masks[i].astype(np.float32), (CANVAS, CANVAS)), (0, 0), 2), flow)
        core = cv2.erode((alpha > 0.6).astype(np.uint8), np.ones((5, 5), np.uint8))
        detail = (luma - cv2.resize(half, (CANVAS, CANVAS)))[DETAIL]
        return half, detail, _shrunk(ycc[..., 1:], 48), _shrunk(alpha, 48), _shrunk(flow, 24), core[::2, ::2]

    with ThreadPoolExecutor() as pool:
        columns = zip(*track(pool.map(one, range(len(flows))), "measuring photos", len(flows)), strict=True)
    *values, core = (np.array(column, np.float32) for column in columns)
    known = core > 0
    known_48 = known.reshape(-1, 48, 2, 48, 2).all(axis=(2, 4))
    knowns = (
        known,
        known.repeat(2, axis=1).repeat(2, axis=2)[:, *DETAIL],
        np.stack([known_48] * 2, axis=-1),
        np.broadcast_to(whole[:, None, None], known_48.shape),
        np.ones_like(values[-1], np.bool_),
    )
    shapes = [(len(flows), *block.shape) for block in BLOCKS]
    return (
        {b.name: v.reshape(s) for b, v, s in zip(BLOCKS, values, shapes, strict=True)},
        {b.name: k.reshape(s) for b, k, s in zip(BLOCKS, knowns, shapes, strict=True)},
    )


def _shrunk(picture: NDArray[Any], side: int) -> NDArray[np.float32]:
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)


def block_weights() -> dict[str, NDArray[np.float32]]:
    """What a unit of each block weighs, (*shape) each: about the grey levels that it changes, most on the face."""
    y, x = (np.mgrid[:CANVAS, :CANVAS] + 0.5) / CANVAS
    head = np.exp(-((((x - 0.5) / 0.26) ** 2 + ((y - 0.46) / 0.36) ** 2) ** 2))
    pixel = (0.12 + 0.88 * head) * np.clip((0.86 - y) / 0.1, 0.02, 1)
    importance = {"luma": 1.0, "detail": 1.3, "chroma": 0.9, "alpha": 40.0, "shape": 7.0}
    weights = {}
    for block in BLOCKS:
        side = block.shape[0]
        area = pixel[DETAIL] if block.name == "detail" else _shrunk(pixel, side) * (CANVAS / side) ** 2
        weights[block.name] = np.broadcast_to((np.sqrt(area) * importance[block.name])[..., None], block.shape)
    return {name: np.ascontiguousarray(w, np.float32) for name, w in weights.items()}


class Mirror:
    """Splits joined blocks (N, P) into the left halves of their even and odd parts (N, P/2), and joins them again."""

    def __init__(self) -> None:
        sources, signs, left, start = [], [], [], 0
        for block in BLOCKS:
            index = np.arange(np.prod(block.shape)).reshape(block.shape)
            sources.append(start + index[:, ::-1].ravel())
            signs.append(np.broadcast_to(np.array(block.signs, np.float32), block.shape).ravel())
            left.append((index % (block.shape[1] * block.shape[2]) < block.half[1] * block.shape[2]).ravel())
            start += index.size
        self.source, self.sign, self.left = np.concatenate(sources), np.concatenate(signs), np.concatenate(left)

    def split(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Even and odd part of each row."""
        here, there = rows[:, self.left], rows[:, self.source[self.left]] * self.sign[self.left]
        return ((here + there) / 2).astype(np.float32), ((here - there) / 2).astype(np.float32)

    def join(self, even: NDArray[np.float32], odd: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of `split`."""
        rows = np.empty((len(even), len(self.left)), np.float32)
        rows[:, self.left] = even + odd
        rows[:, self.source[self.left]] = (even - odd) * self.sign[self.left]
        return rows


@dataclass(frozen=True)
class Part:
    """The even or the odd part's principal components: axes (K, P/2) and the photos' codes (N, K)."""

    axes: NDArray[np.float32]
    codes: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[np.float32], count: int, effort: int) -> "Part":
        """Analyse centred rows (N, P/2)."""
        axes = randomized_svd(rows, count, n_iter=effort, random_state=0)[2]
        return cls(axes, rows @ axes.T)


def analyse(rows: NDArray[np.float32], known: NDArray[np.bool_]) -> tuple[NDArray[np.float32], Part, Part]:
    """Principal components of rows of which parts are unknown: fill in, analyse, reconstruct, fill in again.

    Args:
        rows: (N, P) joined and weighted blocks; changed in place where unknown.
        known: (N, P).

    Returns:
        The mean's even part (P/2,), and both parts.
    """
    mirror = Mirror()
    rows[:] = np.where(known, rows, _known_mean(rows, known, mirror))
    for count in track((*FILL_ROUNDS, 0), "analysing"):
        even, odd = mirror.split(rows)
        mean = even.mean(axis=0)
        even -= mean
        if not count:
            break
        parts = Part.of(even, count, 2), Part.of(odd, count // 3, 2)
        for start in range(0, len(rows), 1000):
            some = slice(start, start + 1000)
            model = mirror.join(mean + parts[0].codes[some] @ parts[0].axes, parts[1].codes[some] @ parts[1].axes)
            rows[some] = np.where(known[some], rows[some], model)
    return mean, Part.of(even, EVEN, 3), Part.of(odd, ODD, 3)


def _known_mean(rows: NDArray[np.float32], known: NDArray[np.bool_], mirror: Mirror) -> NDArray[np.float32]:
    """The mean of what is known; where fewer than 50 photos know anything, the mean around there."""
    total, count = (rows * known).sum(axis=0, dtype=np.float64), known.sum(axis=0, dtype=np.float64)
    total, count = total + mirror.sign * total[mirror.source], count + count[mirror.source]
    weights, means, start = block_weights(), [], 0
    for block in BLOCKS:
        end = start + int(np.prod(block.shape))
        weight = weights[block.name]
        sums = (total[start:end].reshape(block.shape) / weight) * (count[start:end].reshape(block.shape) >= 50)
        counts = count[start:end].reshape(block.shape) * (count[start:end].reshape(block.shape) >= 50)
        mean, filled = np.zeros(block.shape), np.zeros(block.shape, np.bool_)
        for reach in (0.001, 0.02, 0.05, 0.1, 0.3, 1.0):
            near = [cv2.GaussianBlur(a, (0, 0), reach * block.shape[0]).reshape(block.shape) for a in (sums, counts)]
            new = (near[1] > 1e-3) & ~filled
            mean[new] = near[0][new] / near[1][new]
            filled |= new
        means.append((mean * weight).ravel())
        start = end
    return np.concatenate(means).astype(np.float32)


def split_covariance(
    codes: NDArray[np.float32], people: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The covariance of codes (N, K) between people and within them, each (K, K), by the method of moments.

    Within: the pooled covariance about each person's mean. The means' own covariance is between + within/n, so that
    between follows by subtraction.
    """
    rows = codes.astype(np.float64)
    _, whose, count = np.unique(people, return_inverse=True, return_counts=True)
    means = np.zeros((len(count), rows.shape[1]))
    np.add.at(means, whose, rows)
    means /= count[:, None]
    off = (rows - means[whose])[count[whose] > 1]
    within = off.T @ off / (count[count > 1] - 1).sum()
    between = means.T @ means / len(means) - within * np.mean(1 / count)
    return between, within


def leading_root(covariance: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    """L (K, count) with L·Lᵀ nearest to the covariance; negative eigenvalues, which are noise, become 0."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    lead = np.argsort(values)[::-1][:count]
    return np.asarray(vectors[:, lead] * np.sqrt(np.clip(values[lead], 0, None)), np.float32)


def landmark_maps(crops: Crops, even: Part, odd: Part) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How the landmarks depend on the code: (5, 2) at code 0, and (K, 5, 2) to add per unit, by least squares."""
    flip = np.array([-1.0, 1.0])
    off = crops.landmarks - (CANVAS - 1) / 2
    mirrored = (off * flip)[:, MIRRORED_LANDMARKS]
    even_side, odd_side = (off + mirrored) / 2, (off - mirrored) / 2
    mean = even_side.mean(axis=0)
    maps = [
        np.linalg.lstsq(part.codes.astype(np.float64), side.reshape(-1, 10), rcond=None)[0]
        for part, side in ((even, even_side - mean), (odd, odd_side))
    ]
    return (
        (mean + (CANVAS - 1) / 2).astype(np.float32),
        np.concatenate(maps).reshape(-1, 5, 2).astype(np.float32),
    )


def fit(crops: Crops) -> dict[str, NDArray[Any]]:
    """Make the arrays of the basis from aligned photos."""
    values, known = measure(crops)
    weights = block_weights()
    rows = np.concatenate([(values[b.name] * weights[b.name]).reshape(len(crops.people), -1) for b in BLOCKS], axis=1)
    seen = np.concatenate([known[b.name].reshape(len(crops.people), -1) for b in BLOCKS], axis=1)
    mean, even, odd = analyse(rows, seen)
    # The unit of each component is its own standard deviation over the photos, which keeps all numbers small.
    parts = [(part.axes * part.codes.std(axis=0)[:, None], part.codes / part.codes.std(axis=0)) for part in (even, odd)]
    even, odd = (Part(axes.astype(np.float32), codes.astype(np.float32)) for axes, codes in parts)
    arrays: dict[str, NDArray[Any]] = dict(_quantised(mean, np.concatenate([even.axes, odd.axes]), weights))
    arrays["even"] = np.array(EVEN)
    for name, counts in (("between", BETWEEN), ("within", WITHIN)):
        choose = ("between", "within").index(name)
        roots = [
            leading_root(split_covariance(part.codes, crops.people)[choose], count)
            for part, count in zip((even, odd), counts, strict=True)
        ]
        joined = np.zeros((EVEN + ODD, sum(counts)), np.float16)
        joined[:EVEN, : counts[0]], joined[EVEN:, counts[0] :] = roots
        arrays[name] = joined
    arrays["landmarks_mean"], per_code = landmark_maps(crops, even, odd)
    arrays["landmarks"] = per_code.astype(np.float16)
    return arrays


def _quantised(
    mean: NDArray[np.float32], axes: NDArray[np.float32], weights: dict[str, NDArray[np.float32]]
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Undo the weights, and write each component's block in 8 bits with its own scale."""
    start = 0
    for block in BLOCKS:
        size = int(np.prod(block.half))
        weight = weights[block.name][:, : block.half[1]].ravel()
        part = axes[:, start : start + size] / weight
        scale = np.abs(part).max(axis=1) / 127
        yield f"{block.name}_mean", (mean[start : start + size] / weight).astype(np.float16)
        yield f"{block.name}_scale", scale.astype(np.float32)
        yield block.name, np.rint(part / scale[:, None]).astype(np.int8)
        start += size


def _show(label: str, done: int, total: int | None) -> None:
    sys.stderr.write(f"\r{label}: {done} of {total}    ")


def main() -> None:
    """Fit and write the basis; prints its SHA-256, which goes into the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="photos, one sub-folder a person")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the .npz to write")
    options = parser.parse_args()
    with reporting(_show):
        crops = read_crops(options.folder)
        np.savez_compressed(options.out, allow_pickle=False, **fit(crops))
    data = options.out.read_bytes()
    sys.stdout.write(
        f"{len(crops.people)} photos of {len(np.unique(crops.people))} people\n"
        f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}\n"
    )


if __name__ == "__main__":
    main()
