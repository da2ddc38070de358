"""What several backbones are built of, and what all of them ask of their sizes."""

from torch import nn


def convolution(
    before: int, after: int, side: int, *, stride: int = 1, groups: int = 1, eps: float = 1e-5
) -> tuple[nn.Module, ...]:
    """A convolution that keeps the size (but for its stride), a norm with `eps`, and a PReLU for each channel."""
    return (
        nn.Conv2d(before, after, side, stride, side // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after, eps=eps),
        nn.PReLU(after),
    )


def last_side(embedding_size: int, input_size: int) -> int:
    """The side of a map at 1/16 of the input's.

    Raises:
        ValueError: `input_size` is no multiple of 16 or less than 32, or `embedding_size` is not positive.
    """
    if input_size % 16 or input_size < 32:
        raise ValueError(f"input_size must be a multiple of 16, at least 32, not {input_size}")
    if embedding_size < 1:
        raise ValueError(f"embedding_size must be positive, not {embedding_size}")
    return input_size // 16
