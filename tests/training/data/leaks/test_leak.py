import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.decisions import Calibration, shipped_calibration
from mien.errors import CalibrationError
from mien.faces import FaceTable
from mien.models import load_card
from mien.training.data.leaks import EmbeddedPeople, find_leaks, find_stray_photos

IDENTITY = load_card("sface").with_flip(True).identity("f32")


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return shipped_calibration(IDENTITY)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def directions(count: int) -> NDArray[np.float32]:
    """Vectors at right angles to each other."""
    return np.eye(128, dtype=np.float32)[:count]


def like(vector: NDArray[np.float32], similarity: float, aside: int) -> NDArray[np.float32]:
    """A vector with this similarity to another, and else pointing along an axis of its own."""
    return np.asarray(similarity * vector + np.sqrt(1 - similarity**2) * np.eye(128)[aside], np.float32)


def embedded(photos: dict[str, NDArray[np.float32]]) -> EmbeddedPeople:
    return EmbeddedPeople(
        tuple(photo.split("/")[0] for photo in photos), tuple(photos), np.stack(list(photos.values())), IDENTITY
    )


def test_a_person_is_found_by_their_mean_face(calibration: Calibration) -> None:
    ana, bo, cy = directions(3)
    # Each of Ana's photos alone is like the test photo by 0.45 only, below the threshold; together by 0.52.
    training = embedded({"7/1": like(ana, 0.7, 10), "7/2": like(ana, 0.7, 11), "8/1": bo, "9/1": cy})
    test = embedded(
        {"Ana_Ruiz/1": like(ana, 0.3, 12), "Ana_Ruiz/2": like(ana, 0.643, 13), "Bo_Li/1": like(bo, 0.45, 14)}
    )
    assert (training.embeddings[:2] @ test.embeddings.T).max() < 0.46
    (leak,) = find_leaks(training, test, calibration)
    together = 0.643 * 1.4 / np.linalg.norm(training.embeddings[:2].sum(axis=0))
    assert (leak.person, leak.kind, leak.other, leak.photo) == ("7", "face", "Ana_Ruiz", "Ana_Ruiz/2")
    assert leak.similarity == pytest.approx(together, abs=1e-5)
    assert leak.threshold == pytest.approx(calibration.threshold(4e-6).similarity)
    assert leak.reason.startswith("7's photos together and Ana_Ruiz/2 are alike (0.5")
    assert leak.reason.endswith("from 0.494 on, a false match rate of 4e-6, it counts).")


def test_the_threshold_follows_the_rate(calibration: Calibration) -> None:
    (ana,) = directions(1)
    training = embedded({"7/1": ana})
    for fmr in (1e-3, 1e-4, 1e-5):
        edge = calibration.threshold(fmr).similarity
        above = embedded({"x/1": like(ana, edge + 1e-4, 9)})
        below = embedded({"x/1": like(ana, edge - 1e-4, 9)})
        assert len(find_leaks(training, above, calibration, fmr=fmr)) == 1
        assert find_leaks(training, below, calibration, fmr=fmr) == []


def test_a_name_counts_whatever_the_face(calibration: Calibration) -> None:
    ana, bo, cy = directions(3)
    training = embedded({"ana ruiz/1": ana, "bo li/1": bo, "cy/1": cy})
    test = embedded({"Ana_Ruiz/1": like(ana, 0.8, 9), "Bo_Li/1": like(cy, 0.1, 10), "Bo_Li/2": like(cy, 0.2, 11)})
    leaks = find_leaks(training, test, calibration)
    assert [(leak.person, leak.kind, leak.other) for leak in leaks] == [
        ("ana ruiz", "name", "Ana_Ruiz"),
        ("bo li", "name", "Bo_Li"),
    ]
    assert leaks[0].reason.endswith("Ana_Ruiz/1 are alike (0.800).")
    assert leaks[1].reason == "bo li is called like Bo_Li, though their faces are not alike (0.000)."
    assert json.loads(json.dumps(leaks[0].to_dict()))["reason"] == leaks[0].reason


def test_a_photo_of_somebody_else_in_a_folder(calibration: Calibration) -> None:
    ana, bo, cy = directions(3)
    training = embedded(
        {f"7/{number}": ana for number in range(9)} | {"7/9": like(bo, 0.9, 20), "8/1": like(cy, 0.8, 21)}
    )
    test = embedded({"Bo_Li/1": bo, "Cy_Ott/1": cy})
    assert [leak.person for leak in find_leaks(training, test, calibration)] == ["8"]
    (stray,) = find_stray_photos(training, test, calibration, left_out=["8"])
    assert (stray.photo, stray.other_photo) == ("7/9", "Bo_Li/1")
    assert stray.similarity == pytest.approx(0.9, abs=1e-5)
    assert stray.to_dict()["photo"] == "7/9"
    assert len(find_stray_photos(training, test, calibration)) == 2


def test_nobody_in_common(calibration: Calibration) -> None:
    vectors = directions(4)
    training, test = embedded({"a/1": vectors[0], "b/1": vectors[1]}), embedded({"c/1": vectors[2], "d/1": vectors[3]})
    assert find_leaks(training, test, calibration) == []
    assert find_stray_photos(training, test, calibration) == []


def test_nobody_at_all(calibration: Calibration) -> None:
    some = embedded({"a/1": directions(1)[0]})
    none = EmbeddedPeople((), (), np.zeros((0, 128), np.float32), IDENTITY)
    assert find_leaks(some, none, calibration) == find_leaks(none, some, calibration) == []
    assert find_stray_photos(some, none, calibration) == find_stray_photos(none, some, calibration) == []
    assert find_stray_photos(some, some, calibration, left_out=["a"]) == []


def test_what_does_not_fit_is_refused(calibration: Calibration) -> None:
    one = embedded({"a/1": directions(1)[0]})
    with pytest.raises(CalibrationError, match="another one"):
        find_leaks(one, replace(one, encoder_identity="0" * 64), calibration)
    with pytest.raises(CalibrationError, match="another one"):
        find_stray_photos(replace(one, encoder_identity="0" * 64), one, calibration)
    with pytest.raises(CalibrationError, match="not supported"):
        find_leaks(one, one, calibration, fmr=1e-9)
    with pytest.raises(ValueError, match="2 people, 1 photos"):
        EmbeddedPeople(("a", "b"), ("a/1",), directions(1), IDENTITY)


def test_a_table_of_faces_as_people() -> None:
    table = FaceTable("sface", IDENTITY, sources=["/p/b/1.jpg", "/p/a/x/2.jpg", "/p/b/3.jpg"], embeddings=directions(3))
    people = EmbeddedPeople.of_table(table, "/p")
    assert people.people == ("b", "a", "b")
    assert people.photos == ("b/1.jpg", "a/x/2.jpg", "b/3.jpg")
    assert people.names == ("a", "b")
    assert people.numbers.tolist() == [1, 0, 1]
    half = np.sqrt(0.5)
    assert np.allclose(people.templates[:, :3], [[0, 1, 0], [half, 0, half]])
    for folder in ("/p/b", "/elsewhere", "/p/a/x"):
        with pytest.raises(ValueError, match="in no person's sub-folder"):
            EmbeddedPeople.of_table(table, folder)


def test_faces_that_cancel_out_have_no_direction(calibration: Calibration) -> None:
    (ana,) = directions(1)
    people = embedded({"a/1": ana, "a/2": -ana})
    assert not people.templates.any()
    assert find_leaks(people, embedded({"x/1": ana}), calibration) == []
