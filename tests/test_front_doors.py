"""What each floor offers, and what importing mien costs."""

import subprocess
import sys
from importlib import import_module

import pytest

FLOORS = ["photos", "models", "faces", "similarity", "decisions", "evaluation", "gallery", "synthesis", "demo"]

WING = [
    "backbones",
    "classical",
    "comparing",
    "data.augmentation",
    "data.leaks",
    "data.sources",
    "exporting",
    "large_heads",
    "losses",
    "mining",
    "recipe",
    "reports",
    "sampling",
    "trainer",
]


@pytest.mark.parametrize("name", ["mien", *(f"mien.{f}" for f in FLOORS), *(f"mien.training.{part}" for part in WING)])
def test_every_name_is_there_and_in_order(name: str) -> None:
    module = import_module(name)
    assert all(getattr(module, public) is not None for public in module.__all__)
    in_order = sorted(module.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert module.__all__ == in_order


def test_any_part_can_be_the_first_that_is_imported() -> None:
    code = (
        "import sys\n"
        "for name in sys.argv[1:]:\n"
        "    for loaded in [one for one in sys.modules if one.partition('.')[0] == 'mien']: del sys.modules[loaded]\n"
        "    __import__('mien.' + name)\n"
    )
    names = [*FLOORS, *(f"training.{part}" for part in WING)]
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, *names], check=True)


def test_importing_mien_loads_nothing_heavy() -> None:
    code = "import sys, mien\n"
    code += "print(*sorted(m for m in ('numpy', 'cv2', 'onnxruntime', 'torch', 'rich') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_decisions_and_galleries_wait_for_no_statistics() -> None:
    """Half of the time of `mien verify` was the import of what it has no use for."""
    code = "import sys, mien.recognizer\n"
    code += "print(*sorted(m for m in ('sklearn', 'scipy.special', 'scipy.optimize') if m in sys.modules))\n"
    code += "import mien.gallery\n"
    code += "print(*sorted(m for m in ('sklearn', 'scipy.stats', 'scipy.optimize', 'matplotlib') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_floor_needs_pytorch() -> None:
    code = f"import sys\nfor f in {FLOORS}: __import__('mien.' + f)\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_unknown_names_are_attribute_errors() -> None:
    mien = import_module("mien")
    with pytest.raises(AttributeError, match="no attribute 'Nope'"):
        mien.Nope  # noqa: B018
    assert "Recognizer" in dir(mien)
