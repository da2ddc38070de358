from importlib.resources import files

import numpy as np
import pytest

from mien.errors import ModelError
from mien.synthesis.basis import load_basis, load_card, read_basis


def _data() -> bytes:
    return files("mien.synthesis").joinpath("basis.npz").read_bytes()


def test_the_file_is_the_one_that_the_card_names_and_small() -> None:
    card = load_card()
    assert load_basis().sha256 == card["sha256"]
    assert len(_data()) == card["size_bytes"] < 4_000_000


def test_an_altered_file_is_refused() -> None:
    data = bytearray(_data())
    data[1000] ^= 1
    with pytest.raises(ModelError, match="not the file"):
        read_basis(bytes(data), load_card()["sha256"])


def test_the_card_names_data_terms_and_what_it_is_not_for() -> None:
    card = load_card()
    assert "Labeled Faces in the Wild" in card["data"]["name"]
    assert "research" in card["data"]["terms"]
    assert len(card["limits"]["not_for"]) >= 3


def test_the_mean_head_is_symmetrical() -> None:
    basis = load_basis()
    head = basis.head(np.zeros(len(basis.axes), np.float32))
    assert np.abs(head.texture - head.texture[:, ::-1]).max() < 0.1
    assert np.abs(head.alpha - head.alpha[:, ::-1]).max() < 1e-3
    assert head.landmarks[0, 0] + head.landmarks[1, 0] == pytest.approx(191, abs=0.1)


def test_odd_components_mirror_the_head() -> None:
    basis = load_basis()
    code = np.zeros(len(basis.axes), np.float32)
    code[0], code[basis.even] = 1, 1
    mirrored = code.copy()
    mirrored[basis.even :] *= -1
    here, there = basis.head(code), basis.head(mirrored)
    assert np.abs(here.texture - there.texture[:, ::-1]).max() < 0.1
    assert np.abs(here.texture - there.texture).max() > 1
    assert np.abs(here.landmarks[[1, 0, 2, 4, 3]] * [-1, 1] + [191, 0] - there.landmarks).max() < 0.05


def test_codes_vary_as_they_did_in_photos() -> None:
    """The unit of each component is its spread over photos, and between + within is about all of that."""
    basis = load_basis()
    spread = (basis.between**2).sum(axis=1) + (basis.within**2).sum(axis=1)
    assert 0.6 < np.median(spread[: basis.even]) < 1.4
