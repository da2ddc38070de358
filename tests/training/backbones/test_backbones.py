from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mien.training.backbones import BACKBONES, IResNet, MobileFaceNet, SFace, Small, open_backbone, parts_of

SMALL_ONES: dict[str, Callable[[int], nn.Module]] = {
    "small": lambda side: Small(16, side, width=4),
    "mobilefacenet": lambda side: MobileFaceNet(16, side, width=0.25),
    "iresnet18": lambda side: IResNet(16, side, depth=18),
    "sface": lambda side: SFace(16, side, pretrained=False),
}


def millions_of_weights(network: nn.Module) -> float:
    return sum(weight.numel() for weight in network.parameters()) / 1e6


def million_multiply_adds(network: nn.Module, side: int = 112) -> float:
    """Counted from what each layer gives: (numbers in its output) × (weights behind each)."""
    total = 0

    def count(layer: nn.Module, given: object, made: Tensor) -> None:
        nonlocal total
        total += made[0].numel() * layer.weight[0].numel()  # type: ignore[index]

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, side, side))
    return total / 1e6


@pytest.mark.parametrize("name", SMALL_ONES)
@pytest.mark.parametrize("side", [32, 64, 112])
def test_crops_become_embeddings(name: str, side: int) -> None:
    network = SMALL_ONES[name](side)
    pictures = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    embeddings = network(pictures)
    assert embeddings.shape == (3, 16)
    assert embeddings.isfinite().all()
    embeddings.square().sum().backward()
    for weight in network.parameters():
        assert weight.grad is not None
        assert weight.grad.isfinite().all()


@pytest.mark.parametrize("name", SMALL_ONES)
def test_in_evaluation_a_crop_does_not_depend_on_its_batch(name: str) -> None:
    network = SMALL_ONES[name](32).eval()
    pictures = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(network(pictures)[2:3], network(pictures[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL_ONES)
def test_channels_last_and_bfloat16_change_little(name: str) -> None:
    network = SMALL_ONES[name](32).eval()
    pictures = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        plain = network(pictures)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        last = network(pictures.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(last, plain, rtol=1e-4, atol=1e-5)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(pictures).float()
    assert nn.functional.cosine_similarity(rough, plain).min() > 0.99


@pytest.mark.parametrize("name", SMALL_ONES)
def test_parts_go_from_input_to_output(name: str) -> None:
    network = SMALL_ONES[name](32)
    parts = parts_of(network)
    assert list(parts) == ["stem", *[f"level{number}" for number in range(1, len(parts) - 1)], "embedding"]
    features = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    network.eval()
    with torch.inference_mode():
        whole = network(features)
        for part in parts.values():
            features = part(features)
    torch.testing.assert_close(features, whole, rtol=0, atol=0)


@pytest.mark.parametrize("name", SMALL_ONES)
@pytest.mark.parametrize("side", [0, 16, 40, 113])
def test_a_side_that_is_no_multiple_of_16_is_refused(name: str, side: int) -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        SMALL_ONES[name](side)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Small(0), "embedding_size"),
        (lambda: Small(8, width=0), "width"),
        (lambda: Small(8, depths=(1, 1, 1)), "four"),
        (lambda: MobileFaceNet(8, width=0), "width"),
        (lambda: MobileFaceNet(8, width=float("nan")), "width"),
        (lambda: IResNet(8, depth=20), "18, 34, 50, 100"),
        (lambda: IResNet(8, dropout=1.0), "dropout"),
        (lambda: SFace(8, pretrained=False, dropout=-0.1), "dropout"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: Callable[[], nn.Module], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_mobilefacenet_has_the_size_that_its_paper_states() -> None:
    # Chen et al. 2018, table 2 and section 4: 0.99 million parameters, 221 million multiply-adds.
    network = MobileFaceNet(128)
    assert millions_of_weights(network) == pytest.approx(0.99, abs=0.015)
    assert million_multiply_adds(network) == pytest.approx(221, abs=0.6)


@pytest.mark.parametrize(("depth", "millions"), [(18, 24.02), (34, 34.14), (50, 43.59), (100, 65.15)])
def test_iresnets_have_the_number_of_weights_that_the_field_reports(depth: int, millions: float) -> None:
    with torch.device("meta"):
        network = IResNet(512, depth=depth)
    assert millions_of_weights(network) == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize(("depth", "units"), [(18, 8), (34, 16), (50, 24), (100, 49)])
def test_iresnets_have_the_layers_that_they_are_named_for(depth: int, units: int) -> None:
    with torch.device("meta"):
        network = IResNet(512, depth=depth)
    convolutions = [
        layer for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
    ]
    assert len(convolutions) == 2 * units + 1
    assert depth == 2 * units + 2  # with the last matrix


def test_small_has_the_work_that_it_states() -> None:
    assert million_multiply_adds(Small(128)) == pytest.approx(255, abs=0.6)


def test_small_uses_ordinary_convolutions_only() -> None:
    assert all(layer.groups == 1 for layer in Small(8).modules() if isinstance(layer, nn.Conv2d))


def test_every_name_makes_a_network() -> None:
    own: dict[str, dict[str, object]] = {"sface": {"pretrained": False}}
    for name in BACKBONES:
        with torch.device("meta"):
            network = open_backbone(name, embedding_size=32, input_size=64, **own.get(name, {}))
        assert parts_of(network)["embedding"]
