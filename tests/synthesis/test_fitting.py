import cv2
import numpy as np
import pytest

from mien.synthesis import fitting, registration
from mien.synthesis.fitting import Crops, Mirror, Part, analyse, landmark_maps, leading_root, split_covariance
from mien.synthesis.layout import BLOCKS, CANVAS, LANDMARKS, MIRRORED_LANDMARKS
from mien.synthesis.registration import warp
from mien.synthesis.silhouettes import SIDE, silhouettes, trustworthy

SIZE = sum(int(np.prod(b.shape)) for b in BLOCKS)


def _mirrored(
    rows: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    parts, start = [], 0
    for block in BLOCKS:
        end = start + int(np.prod(block.shape))
        parts.append(block.mirror(rows[:, start:end].reshape(-1, *block.shape)).reshape(len(rows), -1))
        start = end
    return np.concatenate(parts, axis=1)


def test_splitting_into_mirror_parts_loses_nothing() -> None:
    rows = np.random.default_rng(0).standard_normal((2, SIZE), np.float32)
    even, odd = Mirror().split(rows)
    assert even.shape == odd.shape == (2, SIZE // 2)
    assert np.allclose(Mirror().join(even, odd), rows, atol=1e-6)
    there_even, there_odd = Mirror().split(_mirrored(rows))
    assert np.allclose(there_even, even, atol=1e-6)
    assert np.allclose(there_odd, -odd, atol=1e-6)


def test_covariance_is_split_as_it_was_made() -> None:
    random = np.random.default_rng(1)
    between_root, within_root = random.standard_normal((3, 3)), random.standard_normal((3, 3)) * 0.7
    people = np.repeat(np.arange(6000), random.integers(1, 5, 6000))
    codes = (random.standard_normal((6000, 3)) @ between_root.T)[people]
    codes += random.standard_normal((len(people), 3)) @ within_root.T
    between, within = split_covariance(codes.astype(np.float32), people)
    assert np.allclose(between, between_root @ between_root.T, atol=0.35)
    assert np.allclose(within, within_root @ within_root.T, atol=0.1)


def test_leading_root_drops_negative_eigenvalues() -> None:
    covariance = np.diag([4.0, -1.0, 9.0])
    root = leading_root(covariance, 3)
    assert np.allclose(root @ root.T, np.diag([4.0, 0.0, 9.0]), atol=1e-5)
    assert np.allclose(leading_root(covariance, 1) @ leading_root(covariance, 1).T, np.diag([0, 0, 9.0]), atol=1e-5)


@pytest.mark.slow
def test_what_is_unknown_is_filled_in_from_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "FILL_ROUNDS", (6,) * 6)
    monkeypatch.setattr(fitting, "EVEN", 4)
    monkeypatch.setattr(fitting, "ODD", 2)
    random = np.random.default_rng(2)
    even, odd = random.standard_normal((4, SIZE // 2), np.float32), random.standard_normal((2, SIZE // 2), np.float32)
    codes = random.standard_normal((100, 6), np.float32)
    whole = Mirror().join(codes[:, :4] @ even, codes[:, 4:] @ odd)
    known = random.random(whole.shape, np.float32) > 0.3
    rows = np.where(known, whole, np.float32(100))
    analyse(rows, known)
    off = (rows - whole)[~known]
    assert off.std() < 0.1 * whole.std()


def test_landmarks_follow_the_code() -> None:
    random = np.random.default_rng(3)
    codes = random.standard_normal((500, 2)).astype(np.float32)
    even = Part(np.zeros((2, 1), np.float32), codes - codes.mean(axis=0))
    odd = Part(np.zeros((1, 1), np.float32), random.standard_normal((500, 1)).astype(np.float32))
    wide = np.array([[-1, 0], [1, 0], [0, 0.5], [-0.5, 1], [0.5, 1]])  # symmetrical
    aside = np.array([[1.0, 0]] * 5)  # not
    points = LANDMARKS + even.codes[:, :1, None] * wide + odd.codes[:, :, None] * aside
    mean, maps = landmark_maps(Crops(np.zeros((500, 1, 1, 3), np.uint8), points, np.zeros(500, np.int64)), even, odd)
    assert np.allclose(maps[0], wide, atol=1e-4)
    assert np.allclose(maps[1], 0, atol=1e-4)
    assert np.allclose(maps[2], aside, atol=1e-4)
    assert np.allclose((mean - [CANVAS - 1, 0])[list(MIRRORED_LANDMARKS)] * [-1, 1], mean, atol=1e-3)


def test_registration_finds_how_faces_differ_in_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spots that lie a little elsewhere in each picture: the flow must follow each of them."""
    monkeypatch.setattr(registration, "ROUNDS", ((5, 6.0), (5, 4.0), (5, 4.0)))
    y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32)
    spots = np.array([[66, 82], [125, 82], [70, 126], [121, 126], [95, 104]])
    offsets = np.random.default_rng(4).uniform(-5, 5, (100, len(spots), 2))

    def picture(
        offset: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        dark = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 7**2)) for a, b in spots + offset)
        return np.repeat((200 - 150 * np.clip(dark, 0, 1))[..., None], 3, axis=2).astype(np.uint8)

    pictures = np.array([picture(o) for o in offsets])
    flows = registration.register(pictures)
    found = flows[:, spots[:, 1] // 2, spots[:, 0] // 2]
    assert np.corrcoef(found.ravel(), offsets.ravel())[0, 1] > 0.6  # the model's components take a part of it
    small = [cv2.resize(p[..., 0], (96, 96), interpolation=cv2.INTER_AREA).astype(np.float32) for p in pictures]
    undone = [warp(s, f / 2) for s, f in zip(small, flows, strict=True)]
    assert np.var(undone, axis=0).sum() < 0.6 * np.var(small, axis=0).sum()
    assert np.abs(flows.mean(axis=0)).max() < 1e-3


def test_warp_reads_where_the_flow_points() -> None:
    picture = np.arange(64, dtype=np.float32).reshape(8, 8)
    right = np.zeros((8, 8, 2), np.float32)
    right[..., 0] = 1
    assert np.array_equal(warp(picture, right)[:, :-1], picture[:, 1:])


def test_silhouettes_of_a_clear_head_are_trusted_and_of_nothing_are_not() -> None:
    y, x = (np.mgrid[:CANVAS, :CANVAS] + 0.5) / CANVAS
    head = ((x - 0.5) / 0.25) ** 2 + ((y - 0.46) / 0.37) ** 2 < 1
    head |= (y > 0.75) & (np.abs(x - 0.5) < 0.2 + (y - 0.75))
    noise = np.random.default_rng(0).normal(0, 6, (CANVAS, CANVAS, 3))
    crop = np.where(head[..., None], [190, 140, 120], [60, 90, 160]) + noise
    mask = silhouettes(crop.clip(0, 255).astype(np.uint8)[None])
    assert mask.shape == (1, SIDE, SIDE)
    agreement = (mask[0] == head.reshape(SIDE, 3, SIDE, 3).mean(axis=(1, 3)).round()).mean()
    assert agreement > 0.97
    assert trustworthy(mask).all()
    assert not trustworthy(np.zeros((1, SIDE, SIDE), np.uint8)).any()
    assert not trustworthy(np.ones((1, SIDE, SIDE), np.uint8)).any()
