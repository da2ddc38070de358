from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.errors import ConfigError, ModelError
from mien.faces import open_encoder
from mien.faces.encoding import NetworkEncoder
from mien.training.backbones import SFace, sface
from mien.training.data.sources import SyntheticPeople
from mien.training.trainer.batches import as_network_input


@pytest.fixture(scope="module")
def shipped() -> SFace:
    return SFace()


@pytest.fixture(scope="module")
def crops() -> NDArray[np.uint8]:
    """Noise, flat colours, and people who don't exist."""
    noise = np.random.default_rng(0).integers(0, 256, (6, 112, 112, 3), np.uint8)
    flat = np.stack([np.full((112, 112, 3), value, np.uint8) for value in (0, 128, 255)])
    people = [np.asarray(photo.source) for photo in SyntheticPeople(3, 2, seed=4, aligned=True).photos()]
    return np.concatenate([noise, flat, people]).astype(np.uint8)


def pictures_of(crops: NDArray[np.uint8]) -> Tensor:
    return as_network_input(torch.from_numpy(crops).permute(0, 3, 1, 2))


def test_it_gives_what_the_shipped_graph_gives(shipped: SFace, crops: NDArray[np.uint8]) -> None:
    encoder = open_encoder("sface", runtime="onnxruntime")
    assert isinstance(encoder, NetworkEncoder)
    with torch.inference_mode():
        own = nn.functional.normalize(shipped.eval()(pictures_of(crops))).numpy()
    np.testing.assert_allclose(own, encoder.embed_crops(crops), atol=1e-4)


def test_the_shipped_graph_takes_other_pixels_than_it_and_that_is_seen(
    shipped: SFace, crops: NDArray[np.uint8]
) -> None:
    # The test above must be able to fail: colours the other way round are another embedding.
    with torch.inference_mode():
        straight, swapped = (shipped.eval()(pictures_of(each)) for each in (crops, crops[..., ::-1].copy()))
    assert (nn.functional.normalize(straight) - nn.functional.normalize(swapped)).abs().max() > 0.01


def test_it_can_be_trained_further(crops: NDArray[np.uint8]) -> None:
    network = SFace(dropout=0.0).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    wanted = torch.randn(len(crops), 128, generator=torch.Generator().manual_seed(5))
    (network(pictures_of(crops)) - wanted).square().sum().backward()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    after = network.state_dict()
    for name, value in before.items():
        assert not torch.equal(value, after[name]), name  # weights, slopes, norms and their running statistics


def test_without_the_shipped_weights_any_size_will_do() -> None:
    network = SFace(32, 64, pretrained=False).eval()
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 32)


@pytest.mark.parametrize(("embedding_size", "input_size"), [(64, 112), (128, 64)])
def test_the_shipped_weights_have_one_size(embedding_size: int, input_size: int) -> None:
    with pytest.raises(ConfigError, match=f"not {input_size} and {embedding_size}.*pretrained = false"):
        SFace(embedding_size, input_size)


@pytest.mark.parametrize(
    "change",
    [
        lambda layers: layers[:-1],
        lambda layers: [*layers[:-1], ("BatchNormalization", layers[-1][1][:-1])],
        lambda layers: [("Gemm", layers[0][1]), *layers[1:]],
        lambda layers: [(layers[0][0], [layers[0][1][0][1:]]), *layers[1:]],
    ],
)
def test_weights_of_another_network_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[list[tuple[str, list[Tensor]]]], list[tuple[str, list[Tensor]]]],
) -> None:
    layers = sface._shipped_layers()
    monkeypatch.setattr(sface, "_shipped_layers", lambda: change(layers))
    with pytest.raises(ModelError, match="not those of the network"):
        SFace()
