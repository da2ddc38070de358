import pytest
from torch import nn

from mien.errors import ConfigError
from mien.training.backbones import Small, parts_of, trainable_parts


@pytest.fixture
def network() -> Small:
    return Small(8, 32, width=2, depths=(1, 2, 1, 1))


def names(network: nn.Module, trainable: str) -> set[str]:
    chosen = {id(parameter) for parameter in trainable_parts(network, trainable)}
    return {name for name, parameter in network.named_parameters() if id(parameter) in chosen}


def test_all_and_none(network: Small) -> None:
    assert names(network, "all") == {name for name, _ in network.named_parameters()}
    assert names(network, "none") == set()


@pytest.mark.parametrize(
    ("trainable", "parts"),
    [
        ("head", {"embedding"}),
        ("last", {"embedding", "level4"}),
        ("stem", {"stem"}),
        ("stem, level2", {"stem", "level2"}),
        ("level2.1", {"level2.1"}),
        ("level2, level2.1", {"level2"}),
    ],
)
def test_parts_by_name(network: Small, trainable: str, parts: set[str]) -> None:
    expected = {name for name, _ in network.named_parameters() if any(name.startswith(f"{part}.") for part in parts)}
    assert names(network, trainable) == expected
    assert len(list(trainable_parts(network, trainable))) == len(expected)


@pytest.mark.parametrize("trainable", ["", "tail", "stem,", "level2.7", "Last"])
def test_a_part_that_is_not_there_is_said(network: Small, trainable: str) -> None:
    with pytest.raises(ConfigError, match="stem, level1, level2, level3, level4, embedding"):
        trainable_parts(network, trainable)


def test_parts_of_any_network_are_its_modules_that_learn() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2))
    assert list(parts_of(network)) == ["0", "3"]
    assert names(network, "head") == {"3.weight", "3.bias"}
    assert names(nn.Linear(2, 2), "last") == set()
