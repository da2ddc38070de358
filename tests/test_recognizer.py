from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien import Calibration, Faces, Photo, Recognizer
from mien.errors import CalibrationError, ConfigError, ModelError
from mien.faces.quality import BLURRED


def test_two_blurred_faces_are_not_compared_at_a_rate(blurred: list[Path], people: Path, among_synthetic: Path) -> None:
    recognizer = Recognizer(calibration=Calibration.load(among_synthetic))
    refused = recognizer.verify(*map(str, blurred), fmr=0.01)
    assert refused.decision == "unusable"
    assert refused.problem is not None
    assert refused.problem.code == "no-face.blurred"
    assert str(blurred[0]) in refused.reason
    sharp = people / "person-0002/0001.jpg"
    assert recognizer.verify(blurred[0], sharp, fmr=0.01).decision != "unusable"
    assert recognizer.verify(*blurred, threshold=0.5).decision in {"match", "no_match"}


@pytest.mark.parametrize(
    ("eyes", "sigma", "code"), [(10, 12, "no-face.blurred"), (18, 12, "no-face.blurred"), (18, 0, None)]
)
def test_two_tiny_or_noisy_faces_are_not_compared_at_a_rate(
    eyes: float, sigma: float, code: str | None, people: Path, among_synthetic: Path
) -> None:
    """Noise makes them look sharp, and strangers look alike all the same."""
    recognizer = Recognizer(calibration=Calibration.load(among_synthetic))
    photos = [Photo.open(people / f"person-{number:04d}/0001.jpg").pixels for number in (1, 2)]
    scale = eyes / float(np.linalg.norm(np.diff(recognizer.faces(photos[0]).landmarks[0, :2], axis=0)))
    shrunk = [cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for one in photos]
    noise = np.random.default_rng(0).normal(0, sigma, shrunk[0].shape)
    small = [np.clip(one + noise, 0, 255).astype(np.uint8) for one in shrunk]
    refused = recognizer.verify(small[0], small[1], fmr=0.01)
    assert (refused.problem and refused.problem.code) == code
    assert recognizer.faces(small[0]).sharpness[0] > BLURRED
    assert recognizer.verify(small[0], photos[1], fmr=0.01).decision != "unusable"


def test_a_decision_by_a_threshold_says_whose_similarity_it_is(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a calibration too, and where a photo can't be used."""

    def none_known(identity: str) -> Calibration:
        raise CalibrationError(f"Nobody measured {identity}.")

    monkeypatch.setattr("mien.recognizer.shipped_calibration", none_known)
    recognizer = Recognizer()
    photo = people / "person-0001/0001.jpg"
    for answer in (recognizer.verify(photo, photo, threshold=0.5), recognizer.verify(photo, b"", threshold=0.5)):
        assert answer.calibration is None
        assert answer.to_dict()["encoder"] == {"name": "sface", "sha256": recognizer.encoder_identity}


@dataclass(frozen=True)
class CountingEncoder:
    """Notes how many faces of each photo it is given at once."""

    given: list[list[int]]
    name: str = "counting"
    identity: str = "0" * 64
    dimensions: int = 2

    def embed(self, faces: Sequence[Faces]) -> list[NDArray[np.float32]]:
        self.given.append([len(one) for one in faces])
        return [np.tile(np.array([1, 0], np.float32), (len(one), 1)) for one in faces]


@pytest.mark.parametrize(("side", "at_once"), [(320, 16), (3000, 2)])
def test_a_worker_holds_few_large_photos_at_a_time(people: Path, side: int, at_once: int) -> None:
    """Sixteen of 12 megapixels by each of sixteen workers would take 10 GB."""
    photo = cv2.resize(Photo.open(people / "person-0001/0001.jpg").pixels, (side, side)).astype(np.uint8)
    encoder = CountingEncoder([])
    found = list(Recognizer(encoder, workers=1).embed_many([photo] * 16))
    assert [len(one) for one in found] == [1] * 16
    assert [len(photos) for photos in encoder.given if photos] == [at_once] * (16 // at_once)


def test_faces_that_do_not_count_are_not_embedded(people: Path) -> None:
    one, other = (Photo.open(people / f"person-{number:04d}/0001.jpg").pixels for number in (1, 2))
    encoder = CountingEncoder([])
    recognizer = Recognizer(encoder)
    both = np.concatenate([one, other], axis=1)
    answer = recognizer.verify(both, one, threshold=0.5)
    assert answer.notes == ("<array>: the most central of 2 faces was taken",)
    recognizer.verify(both, one, threshold=0.5, face="all")
    assert encoder.given == [[1, 1], [2, 1]]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"min_score": float("nan")}, ValueError, "min_score lies between 0 and 1, not at nan"),
        ({"min_score": 1.0}, ValueError, "min_score lies between 0 and 1"),
        ({"max_side": 0}, ValueError, "max_side must be 32 or more, not 0"),
        ({"workers": -1}, ValueError, "workers must be 1 or more, not -1"),
        ({"workers": 0}, ValueError, "workers must be 1 or more, not 0"),
        ({"face": "bogus"}, ConfigError, "There is no face policy 'bogus'. Use one of central"),
        ({"detector": "sface"}, ModelError, "sface is no detector: its card says encoder"),
        ({"encoder": "yunet"}, ModelError, "yunet is no encoder: its card says detector"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_first_photo(
    arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        Recognizer(**arguments)


def test_a_policy_that_there_is_not_is_no_problem_of_a_photo(people: Path) -> None:
    with pytest.raises(ConfigError, match="no face policy"):
        list(Recognizer().embed_many([people / "person-0001/0001.jpg"], face="bogus"))  # type: ignore[arg-type]
