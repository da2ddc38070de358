import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from mien.errors import ConfigError
from mien.training.backbones import Small, open_backbone


class Mean(nn.Module):
    """The user's: one matrix on the mean colour."""

    def __init__(self, embedding_size: int, input_size: int, bias: bool = True) -> None:
        super().__init__()
        self.matrix = nn.Linear(3, embedding_size, bias=bias)

    def forward(self, pictures: Tensor) -> Tensor:
        made: Tensor = self.matrix(pictures.mean((2, 3)))
        return made


class Flat(Mean):
    """Forgets the batch."""

    def forward(self, pictures: Tensor) -> Tensor:
        return super().forward(pictures)[0]


class Broken(Mean):
    def forward(self, pictures: Tensor) -> Tensor:
        raise KeyError("nothing here")


@pytest.fixture(autouse=True)
def users_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("users_networks")
    for kind in (Mean, Flat, Broken):
        setattr(module, kind.__name__, kind)
    setattr(module, "anything", lambda embedding_size, input_size, **own: "no network")  # noqa: B010
    monkeypatch.setitem(sys.modules, "users_networks", module)


def test_ours_are_opened_by_name_with_their_own_settings() -> None:
    network = open_backbone("small", embedding_size=24, input_size=64, width=8, depths=[1, 2, 1, 1])
    assert isinstance(network, Small)
    assert network.state_dict()["stem.0.weight"].shape[0] == 8
    assert "level2.1.body.0.weight" in network.state_dict()
    assert network.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 24)


def test_the_users_class_is_opened_by_module_and_name() -> None:
    network = open_backbone("users_networks:Mean", embedding_size=5, input_size=64, bias=False)
    assert isinstance(network, Mean)
    assert network.training
    assert network.matrix.bias is None


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("smal", {}, "no backbone 'smal'.*small, mobilefacenet"),
        ("small:", {}, "no backbone"),
        (":Small", {}, "no backbone"),
        ("no_such_module:Net", {}, "can't be imported.*PYTHONPATH"),
        ("users_networks:Missing", {}, "has no Missing"),
        ("users_networks:Mean", {"depth": 3}, "has no depth.*It has bias"),
        ("users_networks:Flat", {}, r"gives \(8,\) for 2 crops.*\(2, 8\)"),
        ("users_networks:Broken", {}, "KeyError: 'nothing here'"),
        ("users_networks:anything", {}, "made a str"),
        ("small", {"wdith": 3}, "has no wdith.*width, depths"),
        ("small", {"width": 0}, "can't be made: width must be positive"),
        ("small", {"width": "wide"}, "can't be made"),
        ("iresnet50", {"depth": 34.5}, "can't be made: depth"),
    ],
)
def test_what_is_wrong_is_said(name: str, settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){sentence}"):
        open_backbone(name, embedding_size=8, input_size=64, **settings)


def test_a_size_that_a_backbone_cannot_take_is_said() -> None:
    with pytest.raises(ConfigError, match="multiple of 16, at least 32, not 50"):
        open_backbone("small", embedding_size=8, input_size=50)
