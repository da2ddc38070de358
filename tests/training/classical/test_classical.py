from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone

from mien import Recognizer
from mien.errors import ModelError
from mien.similarity import METRICS, all_pairs
from mien.training.classical import BinaryPatterns, ClassicalEncoder, Eigenfaces, Fisherfaces, SiftFisherVectors
from mien.training.classical.crops import grey_crops, pixel_rows

Crops = tuple[NDArray[np.uint8], NDArray[np.int64]]
ESTIMATORS = [
    Eigenfaces(components=30, side=32),
    Fisherfaces(principal=80, side=32),
    BinaryPatterns(),
    SiftFisherVectors(words=4, components=30, step=16, sizes=(12.0,)),
]
by_name = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)


@pytest.fixture(scope="session")
def drawn() -> Crops:
    """Six pictures of each of 40 made-up patterns, in different light and with noise: (240, 112, 112, 3)."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 6)
    patterns = [cv2.resize(rng.uniform(0, 255, (9, 9)).astype(np.float32), (112, 112)) for _ in range(40)]
    lit = [
        patterns[person] * rng.uniform(0.5, 1)
        + np.linspace(0, rng.uniform(-90, 90), 112)
        + rng.normal(0, 15, (112, 112))
        for person in people
    ]
    return np.repeat(np.clip(lit, 0, 255).astype(np.uint8)[..., None], 3, axis=3), people


def separation(vectors: NDArray[np.float32], people: NDArray[np.int64], metric: str = "cosine") -> float:
    """The share of pairs of a mated and a non-mated comparison in which the mated one is more alike."""
    similarity = all_pairs(vectors, vectors, METRICS[metric])
    rows, columns = np.triu_indices(len(people), 1)
    mated = people[rows] == people[columns]
    ranks = similarity[rows, columns].argsort().argsort()
    return float((ranks[mated].mean() - (mated.sum() - 1) / 2) / (~mated).sum())


@by_name
def test_it_tells_people_apart_whom_it_has_not_seen(estimator: Any, drawn: Crops) -> None:
    crops, people = drawn
    seen = people < 20
    vectors = clone(estimator).fit(crops[seen], people[seen]).transform(crops[~seen])
    assert vectors.dtype == np.float32
    metric = "chi_square" if isinstance(estimator, BinaryPatterns) else "cosine"
    assert separation(vectors, people[~seen], metric) > 0.9


@by_name
def test_the_same_crops_give_the_same_vectors_grey_or_not(estimator: Any, drawn: Crops) -> None:
    crops, people = drawn
    first = clone(estimator).fit(crops[:90], people[:90]).transform(crops[120:130])
    second = clone(estimator).fit(crops[:90, :, :, 0], people[:90]).transform(crops[120:130, :, :, 0])
    assert np.allclose(first, second, atol=1e-3)


@by_name
def test_each_crop_is_described_alone(estimator: Any, drawn: Crops) -> None:
    crops, people = drawn
    fitted = clone(estimator).fit(crops[:90], people[:90])
    assert np.allclose(fitted.transform(crops[:5])[3], fitted.transform(crops[3:4])[0], atol=1e-4)


def test_rows_of_pixels_forget_brightness_and_contrast() -> None:
    crop = np.random.default_rng(0).integers(60, 120, (1, 64, 64), np.uint8)
    plain, brighter = pixel_rows(crop, 64), pixel_rows(crop * 2 + 10, 64)
    assert np.allclose(plain, brighter, atol=1e-5)
    assert plain.mean() == pytest.approx(0, abs=1e-6)
    assert plain.std() == pytest.approx(1, abs=1e-5)
    assert not pixel_rows(np.full((1, 64, 64), 7, np.uint8), 64).any()


@pytest.mark.parametrize("shape", [(112, 112), (2, 112, 112, 4), (2, 112, 112, 3, 1)])
def test_what_is_no_crops_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="crops are"):
        grey_crops(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="crops are"):
        grey_crops(np.zeros((2, 112, 112), np.float32))


def test_eigenfaces_are_the_singular_vectors(drawn: Crops) -> None:
    crops, _ = drawn
    rows = pixel_rows(crops, 24).astype(np.float64)
    fitted = Eigenfaces(components=5, side=24).fit(crops)
    left, singular, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    expected = left[:, :5] * np.sqrt(len(rows) - 1)
    assert np.allclose(np.abs(fitted.transform(crops)), np.abs(expected), atol=2e-2)
    assert np.allclose(fitted.pca_.singular_values_, singular[:5], rtol=1e-3)


def test_fisherfaces_bring_the_scatter_within_people_to_the_identity(drawn: Crops) -> None:
    crops, people = drawn
    found = Fisherfaces(principal=60, side=24, shrinkage=0.0).fit(crops, people).transform(crops)
    assert found.shape == (240, 39)
    within = np.stack([found[people == person] - found[people == person].mean(axis=0) for person in range(40)])
    scatter = np.einsum("pki,pkj->ij", within, within) / len(found)
    assert np.allclose(scatter, np.eye(39), atol=0.02)


def test_fisherfaces_need_several_crops_of_somebody(drawn: Crops) -> None:
    with pytest.raises(ValueError, match="scatter within"):
        Fisherfaces().fit(drawn[0][::6], drawn[1][::6])


def test_binary_patterns_are_a_histogram_a_cell() -> None:
    crop = np.random.default_rng(0).integers(1, 100, (1, 112, 112), np.uint8)
    cells = BinaryPatterns().transform(crop).reshape(7, 7, 59)
    assert np.allclose(cells.sum(axis=2), 1 / 49)
    stretched = BinaryPatterns().transform(crop * 2 + 9).reshape(7, 7, 59)
    assert np.allclose(stretched[1:-1, 1:-1], cells[1:-1, 1:-1])  # only the order counts, away from the border
    changed = crop.copy()
    changed[0, 36:44, 36:44] = 255  # the middle of the cell in the third row and column
    different = np.abs(BinaryPatterns().transform(changed).reshape(7, 7, 59) - cells).sum(axis=2) > 1e-6
    assert different[2, 2]
    assert different.sum() == 1


def test_binary_patterns_against_a_plain_loop() -> None:
    crop = np.random.default_rng(1).integers(0, 256, (1, 16, 16), np.uint8)
    counts = np.zeros(59)
    for row in range(16):
        for column in range(16):
            bits = 0
            for neighbour in range(8):
                angle = 2 * np.pi * neighbour / 8
                bits |= (
                    int(_bilinear(crop[0], row - np.sin(angle), column + np.cos(angle)) >= crop[0, row, column])
                    << neighbour
                )
            counts[_uniform(bits)] += 1
    found = BinaryPatterns(grid=1, radius=1).transform(crop)[0] * 256
    assert np.allclose(np.sort(found), np.sort(counts), atol=1e-3)
    assert found[58] == pytest.approx(counts[58], abs=1e-3)


def _bilinear(crop: NDArray[np.uint8], row: float, column: float) -> float:
    row, column = round(row, 5), round(column, 5)
    top, left = int(np.floor(row)), int(np.floor(column))
    total = 0.0
    for r, wr in ((top, top + 1 - row), (top + 1, row - top)):
        for c, wc in ((left, left + 1 - column), (left + 1, column - left)):
            if 0 <= r < len(crop) and 0 <= c < len(crop[0]):
                total += wr * wc * float(crop[r, c])
    return total


def _uniform(bits: int) -> int:
    """A number for each pattern with at most two changes around the circle, 58 for all others."""
    uniform = [b for b in range(256) if bin(b ^ ((b >> 1) | (b & 1) << 7)).count("1") <= 2]
    return uniform.index(bits) if bits in uniform else 58


def test_an_encoder_for_the_recognizer(drawn: Crops, people: Path) -> None:
    crops, labels = drawn
    encoder = ClassicalEncoder("eigenfaces", clone(ESTIMATORS[0]).fit(crops))
    other = ClassicalEncoder("eigenfaces", clone(ESTIMATORS[0]).fit(crops[:200]))
    assert len(encoder.identity) == 64
    assert encoder.identity != other.identity
    assert encoder.dimensions == 30
    recognizer = Recognizer(encoder)
    faces = recognizer.faces(people / "person-0001/0001.jpg")
    assert faces.embeddings.shape == (1, 30)
    assert np.linalg.norm(faces.embeddings) == pytest.approx(1, abs=1e-6)
    assert recognizer.encoder_identity == encoder.identity
    assert Fisherfaces(principal=20, side=24).fit(crops, labels).get_params()["principal"] == 20


def test_square_rooted_histograms_have_the_bhattacharyya_coefficient_as_cosine(drawn: Crops) -> None:
    encoder = ClassicalEncoder("patterns", BinaryPatterns(), histograms=True)
    first, second = encoder.embed_crops(drawn[0][:2])
    one, other = BinaryPatterns().transform(drawn[0][:2])
    assert first @ second == pytest.approx(np.sqrt(one * other).sum(), abs=1e-5)


def test_a_crop_of_one_colour_has_no_direction(drawn: Crops) -> None:
    encoder = ClassicalEncoder("eigenfaces", Eigenfaces(components=5, side=16).fit(drawn[0] - drawn[0].min()))
    encoder.estimator.pca_.mean_[:] = 0  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="zero or not a number"):
        encoder.embed_crops(np.zeros((1, 112, 112, 3), np.uint8))
