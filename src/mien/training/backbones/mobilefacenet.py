"""MobileFaceNet: a million weights, for phones and the like."""

from torch import Tensor, nn

from mien.training.backbones.layers import convolution, last_side

LEVELS = (((2, 64, 5, 2),), ((4, 128, 1, 2), (2, 128, 6, 1)), ((4, 128, 1, 2), (2, 128, 2, 1)))
"""The bottlenecks of the paper's table 1 at 1/4, 1/8 and 1/16 of the size, a row each: expansion t, channels c,
repetitions n, stride s of the first."""


class MobileFaceNet(nn.Module):
    """The network of Chen et al., MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification, 2018.

    Its table 1: bottlenecks of MobileNetV2 with PReLU; at the end, instead of a mean over the map, a depthwise
    convolution as large as the map weighs each place, channel by channel (section 3.2). A million weights and 221
    million multiply-adds at D = 128.

    Args:
        embedding_size: D.
        input_size: Width and height of the crops in pixels, a multiple of 16.
        width: Multiplies the number of channels of every layer but the last two; 1 is the paper's.
    """

    def __init__(self, embedding_size: int, input_size: int = 112, width: float = 1.0) -> None:
        super().__init__()
        side = last_side(embedding_size, input_size)
        if not width > 0:
            raise ValueError(f"width must be positive, not {width}")
        before = _channels(64, width)
        self.stem = nn.Sequential(*convolution(3, before, 3, stride=2), *convolution(before, before, 3, groups=before))
        levels = []
        for rows in LEVELS:
            blocks = []
            for expansion, channels, repetitions, stride in rows:
                after = _channels(channels, width)
                for number in range(repetitions):
                    blocks.append(Bottleneck(before, after, expansion, 1 if number else stride))
                    before = after
            levels.append(nn.Sequential(*blocks))
        self.level1, self.level2, self.level3 = levels
        self.embedding = nn.Sequential(
            *convolution(before, 512, 1),
            nn.Conv2d(512, 512, side, groups=512, bias=False),
            nn.BatchNorm2d(512),
            nn.Flatten(),
            nn.Linear(512, embedding_size, bias=False),  # the paper's 1 × 1 convolution, on a map of 1 × 1
            nn.BatchNorm1d(embedding_size),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, S, S) float to (N, D) raw embeddings."""
        embeddings: Tensor = self.embedding(self.level3(self.level2(self.level1(self.stem(pictures)))))
        return embeddings


class Bottleneck(nn.Module):
    """To more channels, each filtered alone, and back to few without a bend (Sandler et al., MobileNetV2, 2018)."""

    def __init__(self, before: int, after: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = before * expansion
        self.body = nn.Sequential(
            *convolution(before, inner, 1),
            *convolution(inner, inner, 3, stride=stride, groups=inner),
            nn.Conv2d(inner, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.adds = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / stride, W / stride)."""
        made: Tensor = self.body(features)
        return features + made if self.adds else made


def _channels(count: int, width: float) -> int:
    return max(8, round(count * width))
