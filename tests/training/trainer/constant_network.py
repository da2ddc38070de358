"""Networks of a user's own, for the tests: `constant_network:Constant` or `constant_network:Linear` in a recipe."""

import torch
from torch import Tensor, nn


class Constant(nn.Module):
    """Gives every face nearly the same embedding."""

    def __init__(self, embedding_size: int, input_size: int) -> None:
        super().__init__()
        self.same = nn.Parameter(torch.ones(embedding_size))
        self.little = nn.Linear(3, embedding_size)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, S, S) to (N, D)."""
        colour: Tensor = self.little(pictures.mean(dim=(2, 3)))
        return 100 * self.same + 1e-3 * colour


class Linear(nn.Module):
    """One matrix: what it makes of a face depends on no other face of the batch."""

    def __init__(self, embedding_size: int, input_size: int) -> None:
        super().__init__()
        self.matrix = nn.Linear(3 * input_size**2, embedding_size)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, S, S) to (N, D)."""
        embeddings: Tensor = self.matrix(pictures.flatten(1))
        return embeddings
