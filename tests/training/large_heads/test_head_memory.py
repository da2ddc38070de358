import subprocess
import sys

import pytest

from mien.training.large_heads import HeadMemory, head_memory

MEASURE = """
import sys
from pathlib import Path
import torch
from mien.training.large_heads import PartialFC, RowSGD, margin_cross_entropy
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
share, classes = float(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
def step(classes):
    head = PartialFC(classes, 256, margin=lambda cosine: cosine - 0.3, share=share)
    optimiser = RowSGD(head.parameters(), lr=0.1)
    head(torch.randn(64, 256, requires_grad=True), torch.arange(64)).backward()
    optimiser.step()
step(2000)  # what the libraries load at first use
before = peak()
step(classes)
print(peak() - before)
"""


def test_the_parts_add_up() -> None:
    need = head_memory(1_000_000, 512, 512, share=0.1, momentum=True)
    assert need.weights == need.optimiser == 1_000_000 * 512 * 4
    assert need.gradient == (100_000 + 512) * 512 * 4
    assert need.total == need.weights + need.gradient + need.optimiser + need.working
    assert need.total < 12e9


def test_processes_divide_the_classes() -> None:
    assert head_memory(1001, 8, 4, processes=2).weights == 501 * 8 * 4
    assert head_memory(100, 8, 4, share=0.99).gradient == 100 * 8 * 4


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the peak of a process nowhere else")
@pytest.mark.parametrize("share", [1.0, 0.1])
def test_a_step_needs_what_was_said(share: float) -> None:
    classes = 80_000
    done = subprocess.run([sys.executable, "-c", MEASURE, str(share), str(classes)], check=True, stdout=subprocess.PIPE)
    measured, said = int(done.stdout), head_memory(classes, 256, 64, share=share, momentum=True)
    assert isinstance(said, HeadMemory)
    # The warm-up left some working memory behind, which isn't taken again.
    assert said.total - 2 * said.working < measured < 1.1 * said.total
