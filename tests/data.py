"""Where the tests find real photos, and how they say that some were skipped because the photos aren't there."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("MIEN_TEST_PHOTOS", "~/.cache/mien-test-photos")).expanduser()


def photos(name: str) -> Path:
    """The folder of one real set; skips the calling test where it isn't there."""
    folder = ROOT / name
    if not folder.is_dir():
        pytest.skip(f"real photos: {name} is not in {ROOT}")
    return folder
