"""The one margin of which the others are cases: cos(m1·θ + m2) − m3."""

import torch
from torch import Tensor

from mien.training.losses.cosine_head import CosineHead
from mien.training.losses.multiple_angle import multiple_angle
from mien.training.losses.ranges import above, finite


def combined_margin(cosine: Tensor, m1: float = 1.0, m2: float | Tensor = 0.0, m3: float | Tensor = 0.0) -> Tensor:
    """cos(m1·θ + m2) − m3, where cos θ = `cosine` and θ lies in [0, π].

    Deng et al., ArcFace: Additive Angular Margin Loss for Deep Face Recognition, CVPR 2019, equation 4. Literally so
    for every (m1, m2, m3): there is no guard where m1·θ + m2 passes π and the margin turns round. The gradient goes
    through the margin, and is finite at θ = 0 and π: see `multiple_angle`.

    Args:
        cosine: (…) of any real dtype.
        m1: Multiplies the angle; above 0.
        m2: Added to the angle, in radians; a number or a tensor (…), which may have a gradient of its own.
        m3: Taken from the cosine; a number or a tensor (…).

    Returns:
        (…) float32 or float64.

    Raises:
        ValueError: m1 is not above 0.
    """
    above(0, m1=m1)
    cosine_of_multiple, sine_of_multiple = multiple_angle(cosine, m1)
    m2 = torch.as_tensor(m2, dtype=cosine_of_multiple.dtype, device=cosine.device)
    return cosine_of_multiple * m2.cos() - sine_of_multiple * m2.sin() - m3


class CombinedMargin(CosineHead):
    """Cross-entropy over s·cos θⱼ with s·(cos(m1·θ_y + m2) − m3) for the own class.

    Deng et al., ArcFace, CVPR 2019, equation 4. (m1, 0, 0) is like SphereFace, without its ψ; (1, m, 0) is ArcFace,
    without its guard; (1, 0, m) is CosFace. Choose m1·π/2 + m2 below π: at first θ is near π/2, and beyond π the margin
    would push embeddings away from their classes.

    Args:
        num_classes: C, at least 2.
        embedding_size: D, at least 1.
        s: The scale, above 0.
        m1: Multiplies the angle; above 0.
        m2: Added to the angle, in radians; any finite number.
        m3: Taken from the cosine; any finite number.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self, num_classes: int, embedding_size: int, s: float = 64.0, m1: float = 1.0, m2: float = 0.3, m3: float = 0.2
    ) -> None:
        super().__init__(num_classes, embedding_size, s)
        above(0, m1=m1)
        finite(m2=m2, m3=m3)
        self.m1, self.m2, self.m3 = m1, m2, m3

    def _margin(self, cosine: Tensor, embeddings: Tensor) -> Tensor:
        return combined_margin(cosine, self.m1, self.m2, self.m3)
