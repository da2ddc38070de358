import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.synthesis.layout import CANVAS, LANDMARKS
from mien.synthesis.pose import Pose, sampling_map

POSES = st.builds(
    Pose,
    yaw=st.floats(-25, 25),
    pitch=st.floats(-15, 15),
    roll=st.floats(-180, 180),
    zoom=st.floats(0.8, 1.2),
    shift=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)),
)


@given(POSES)
def test_origin_undoes_place(pose: Pose) -> None:
    assert np.abs(pose.origin(pose.place(LANDMARKS)) - LANDMARKS).max() < 0.3


def test_no_pose_moves_nothing() -> None:
    assert np.allclose(Pose().place(LANDMARKS), LANDMARKS)


def test_turning_to_the_viewers_right_moves_the_nose_there_more_than_the_eyes() -> None:
    moved = Pose(yaw=15).place(LANDMARKS) - LANDMARKS
    assert moved[2, 0] > moved[:2, 0].mean() + 2
    assert (Pose(yaw=-15).place(LANDMARKS) - LANDMARKS)[2, 0] == pytest.approx(-moved[2, 0], abs=0.2)


def test_roll_is_a_rotation() -> None:
    rolled = Pose(roll=90).place(LANDMARKS)
    eyes = rolled[1] - rolled[0]
    assert eyes[0] == pytest.approx(0, abs=1e-6)
    assert eyes[1] == pytest.approx(LANDMARKS[1, 0] - LANDMARKS[0, 0])


def test_sampling_map_without_pose_and_shape_is_a_scaling() -> None:
    seen = sampling_map(Pose(), np.zeros((24, 24, 2), np.float32), 256)
    expected = (np.arange(256) + 0.5) * CANVAS / 256 - 0.5
    assert np.abs(seen[100, 8:-8, 0] - expected[8:-8]).max() < 0.02
    assert np.abs(seen[8:-8, 100, 1] - expected[8:-8]).max() < 0.02


def test_sampling_map_undoes_shape() -> None:
    y, x = np.mgrid[:24, :24] / 24
    shape = np.stack([3 * np.sin(4 * y), 2 * np.cos(5 * x)], axis=-1).astype(np.float32)
    seen = sampling_map(Pose(), shape, CANVAS)
    at = (100, 80)  # row, column
    p = seen[at]
    here = shape[int((p[1] + 0.5) / 8), int((p[0] + 0.5) / 8)]
    assert np.abs(p + here - [80, 100]).max() < 0.6
