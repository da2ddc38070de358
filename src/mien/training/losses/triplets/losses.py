"""The loss of a triplet."""

from torch import Tensor
from torch.nn import functional


def triplet_losses(to_mated: Tensor, to_non_mated: Tensor, margin: float, soft: bool = False) -> Tensor:
    """max(0, d⁺ − d⁻ + α); soft, log(1 + e^{d⁺ − d⁻ + α}), which never stops pulling.

    Schroff, Kalenichenko & Philbin, FaceNet: A Unified Embedding for Face Recognition and Clustering, CVPR 2015,
    equation 2. The soft margin: Hermans, Beyer & Leibe, In Defense of the Triplet Loss for Person Re-Identification,
    2017, section 2, with α = 0.

    Args:
        to_mated: (…) d⁺, the anchor's distance from one of its own person.
        to_non_mated: (…) d⁻, from one of another.
        margin: α.
        soft: Whether the margin is soft.

    Returns:
        (…).
    """
    lacking = to_mated - to_non_mated + margin
    return functional.softplus(lacking) if soft else functional.relu(lacking)
