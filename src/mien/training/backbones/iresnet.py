"""The residual networks that face recognition is measured with: IResNet of 18, 34, 50 and 100 layers."""

from torch import Tensor, nn

from mien.training.backbones.layers import last_side

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""For each number of layers, the residual units at 1/2, 1/4, 1/8 and 1/16 of the size."""
CHANNELS = (64, 128, 256, 512)


class IResNet(nn.Module):
    """The residual network of Deng et al., ArcFace: Additive Angular Margin Loss for Deep Face Recognition, 2019.

    Units are BN, conv, BN, PReLU, conv, BN with the stride in the second convolution; nothing is pooled, and the last
    map becomes the embedding by BN, dropout, a full matrix, BN.

    Args:
        embedding_size: D; 512 in the paper.
        input_size: Width and height of the crops in pixels, a multiple of 16.
        depth: 18, 34, 50 or 100 layers: 24, 34, 44 and 65 million weights at D = 512 and 112 px.
        dropout: Share of the last map that is left out in training, in [0, 1); 0.4 in the paper.
    """

    def __init__(self, embedding_size: int, input_size: int = 112, depth: int = 50, dropout: float = 0.4) -> None:
        super().__init__()
        side = last_side(embedding_size, input_size)
        if depth not in DEPTHS:
            raise ValueError(f"depth must be one of {', '.join(map(str, DEPTHS))}, not {depth}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), not {dropout}")
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        levels, before = [], 64
        for after, units in zip(CHANNELS, DEPTHS[depth], strict=True):
            levels.append(nn.Sequential(Unit(before, after, 2), *(Unit(after, after, 1) for _ in range(units - 1))))
            before = after
        self.level1, self.level2, self.level3, self.level4 = levels
        self.embedding = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(before * side**2, embedding_size),
            nn.BatchNorm1d(embedding_size),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, S, S) float to (N, D) raw embeddings."""
        features = self.level4(self.level3(self.level2(self.level1(self.stem(pictures)))))
        embeddings: Tensor = self.embedding(features)
        return embeddings


class Unit(nn.Module):
    """One residual unit; the input passes by through a 1 × 1 convolution where its shape has to change."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.PReLU(after),
            nn.Conv2d(after, after, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or before != after:
            self.skip = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, features: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / stride, W / stride)."""
        made: Tensor = self.body(features) + self.skip(features)
        return made
