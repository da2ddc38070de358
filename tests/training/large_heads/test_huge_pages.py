from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mien.training.large_heads import PartialFC
from mien.training.large_heads.huge_pages import PAGE, on_huge_pages
from mien.training.losses import ArcFace

ASKED = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def flags(address: int) -> set[str]:
    """What the system notes of the mapping that holds an address."""
    here = False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        name = line.split()[0]
        if not name.endswith(":"):
            first, last = (int(end, 16) for end in name.split("-"))
            here = first <= address < last
        elif here and name == "VmFlags:":
            return set(line.split()[1:])
    raise AssertionError(f"nothing is mapped at {address:x}")


@pytest.mark.skipif(not ASKED.exists(), reason="this system has no huge pages on demand")
@pytest.mark.parametrize(
    "weight",
    [
        lambda: on_huge_pages(6000, 512),
        lambda: ArcFace(6000, 512).weight,
        lambda: PartialFC(6000, 512, margin=lambda cosine: cosine).weight,
    ],
    ids=["alone", "ArcFace", "PartialFC"],
)
def test_the_vectors_of_many_classes_ask_for_huge_pages(weight: Callable[[], Tensor]) -> None:
    tensor = weight()
    assert "hg" in flags(tensor.data_ptr() + 2 * PAGE)


@pytest.mark.parametrize("shape", [(0, 4), (3, 5), (2000, 300)])
def test_a_tensor_is_like_any_other(shape: tuple[int, int]) -> None:
    tensor = on_huge_pages(*shape).fill_(2)
    assert tensor.shape == shape
    assert tensor.dtype == torch.get_default_dtype()
    assert float(tensor.sum()) == 2 * tensor.numel()


def test_none_are_asked_for_off_the_cpu() -> None:
    with torch.device("meta"):
        assert on_huge_pages(6000, 512).is_meta
