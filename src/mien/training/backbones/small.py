"""A small network of plain convolutions, which CPUs are fast at, for crops of 64 to 112 pixels."""

from collections.abc import Sequence

from torch import Tensor, nn

from mien.training.backbones.layers import last_side


class Small(nn.Module):
    """A residual network (He et al., Deep Residual Learning for Image Recognition, 2016) of 3 × 3 convolutions.

    On CPUs ordinary convolutions run near the peak, where depthwise ones wait for memory. Nothing is pooled at the end:
    where in an aligned crop a feature lies says much, so the last map goes through one matrix. Width 32 has 255 million
    multiply-adds at 112 px.

    Args:
        embedding_size: D.
        input_size: Width and height of the crops in pixels, a multiple of 16, at least 32.
        width: Channels after the first convolution; each later level has twice those of the one before.
        depths: Residual blocks at 1/2, 1/4, 1/8 and 1/16 of the size.
    """

    def __init__(
        self, embedding_size: int, input_size: int = 112, width: int = 32, depths: Sequence[int] = (1, 1, 2, 1)
    ) -> None:
        super().__init__()
        side = last_side(embedding_size, input_size)
        if width < 1 or len(depths) != 4 or min(depths) < 1:
            raise ValueError(f"width must be positive and depths four positive numbers, not {width} and {depths}")
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.level1 = _level(width, width, depths[0], stride=1)
        self.level2 = _level(width, 2 * width, depths[1])
        self.level3 = _level(2 * width, 4 * width, depths[2])
        self.level4 = _level(4 * width, 8 * width, depths[3])
        self.embedding = nn.Sequential(
            nn.Flatten(),
            nn.Linear(8 * width * side**2, embedding_size, bias=False),
            nn.BatchNorm1d(embedding_size),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, S, S) float to (N, D) raw embeddings."""
        features = self.level4(self.level3(self.level2(self.level1(self.stem(pictures)))))
        embeddings: Tensor = self.embedding(features)
        return embeddings


class Residual(nn.Module):
    """Two convolutions, and the input added to what they give."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.stride = stride
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or before != after:
            self.skip = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
        self.active = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / stride, W / stride)."""
        # The same as a 1 × 1 convolution with a stride, which crashes PyTorch 2.13 where channels are few (AVX-512).
        kept = features[:, :, :: self.stride, :: self.stride]
        active: Tensor = self.active(self.body(features) + self.skip(kept))
        return active


def _level(before: int, after: int, depth: int, stride: int = 2) -> nn.Sequential:
    return nn.Sequential(Residual(before, after, stride), *(Residual(after, after) for _ in range(depth - 1)))
