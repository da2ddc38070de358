"""A margin taken from the cosine."""

from torch import Tensor

from mien.training.losses.cosine_head import CosineHead
from mien.training.losses.ranges import at_least


class CosFace(CosineHead):
    """Cross-entropy over s·cos θⱼ with s·(cos θ_y − m) for the own class.

    Wang, H. et al., CosFace: Large Margin Cosine Loss for Deep Face Recognition, CVPR 2018, equation 4; the same as
    Wang, F. et al., Additive Margin Softmax for Face Verification, IEEE Signal Processing Letters 2018.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        m: The margin, at least 0; C/(C − 1) is the most that C classes can keep (section 3.4).

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(self, num_classes: int, embedding_size: int, s: float = 64.0, m: float = 0.35) -> None:
        super().__init__(num_classes, embedding_size, s)
        at_least(0, m=m)
        self.m = m

    def _margin(self, cosine: Tensor, embeddings: Tensor) -> Tensor:
        return cosine - self.m
