"""Fixtures shared by all tests, and the closing line about real photos that were not there."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import settings

import data
from mien import Recognizer
from mien.demo import synthetic_calibration
from mien.photos import Photo, save_picture
from mien.synthesis import generate

# The same examples at every run, however slow the machine; `pytest --hypothesis-profile exploring` draws others.
settings.register_profile("exploring", deadline=None)
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "real photos:" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests skipped because they need real photos, which are not in {data.ROOT}: "
            "see 'Real photos' in CONTRIBUTING.md for how to get them."
        )


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six people who don't exist, three photos of each."""
    folder = tmp_path_factory.mktemp("synthetic") / "people"
    generate(folder, people=6, photos=3, seed=1, variation=0.3)
    return folder


@pytest.fixture(scope="session")
def known(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one photo of each of the first four people, called by their names."""
    folder = tmp_path_factory.mktemp("known")
    for number in range(1, 5):
        shutil.copy(people / f"person-{number:04d}/0001.jpg", folder / f"person-{number:04d}.jpg")
    return folder


@pytest.fixture(scope="session")
def group(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of the first and the third person side by side."""
    sides = [Photo.open(people / f"person-{number:04d}/0001.jpg").pixels for number in (1, 3)]
    path = tmp_path_factory.mktemp("group") / "group.png"
    save_picture(np.concatenate(sides, axis=1), path)
    return path


@pytest.fixture(scope="session")
def faceless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture without a face."""
    path = tmp_path_factory.mktemp("faceless") / "grey.png"
    save_picture(np.full((240, 320, 3), 128, np.uint8), path)
    return path


@pytest.fixture(scope="session")
def blurred(people: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One photo each of two people, so blurred that their faces have no detail left."""
    folder = tmp_path_factory.mktemp("blurred")
    for number in (1, 2):
        pixels = Photo.open(people / f"person-{number:04d}/0001.jpg").pixels
        face = Recognizer().faces(pixels)
        eyes = float(np.linalg.norm(face.landmarks[0, 0] - face.landmarks[0, 1]))
        save_picture(cv2.GaussianBlur(pixels, (0, 0), 0.12 * eyes).astype(np.uint8), folder / f"{number}.png")
    return [folder / "1.png", folder / "2.png"]


@pytest.fixture(scope="session")
def among_synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibration for the similarities of people who don't exist."""
    path = tmp_path_factory.mktemp("calibration") / "synthetic.json"
    synthetic_calibration().save(path)
    return path
