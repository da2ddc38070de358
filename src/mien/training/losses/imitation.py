"""Learning from a teacher: embeddings that point where another encoder's do."""

from torch import Tensor, nn
from torch.nn import functional

from mien.training.losses.ranges import at_least


def imitation(embeddings: Tensor, targets: Tensor) -> Tensor:
    """1 − cos(f, t), for each face: half the squared distance of the unit vectors.

    Needs no labels, so any face will do (Hinton, Vinyals and Dean, 2015, distil class scores; here it is the embedding
    itself, as Duong et al., ShrinkTeaNet, 2019, do).

    Args:
        embeddings: (N, D) the student's, of any length.
        targets: (N, D) the teacher's, of any length.

    Returns:
        (N,) in [0, 2].
    """
    return 1 - functional.cosine_similarity(embeddings, targets, dim=1)


class Imitation(nn.Module):
    """Mean of `imitation`, and of how far the batch's similarities are from the teacher's.

    Args:
        relations: Weight of the mean squared difference between the two N × N matrices of cosines (Park et al.,
            Relational Knowledge Distillation, 2019, with cosines in place of their distances); at least 0.
    """

    def __init__(self, relations: float = 0.0) -> None:
        super().__init__()
        at_least(0, relations=relations)
        self.relations = relations

    def forward(self, embeddings: Tensor, targets: Tensor) -> Tensor:
        """The loss.

        Args:
            embeddings: (N, D) the student's.
            targets: (N, D) the teacher's.

        Raises:
            ValueError: The shapes differ: the student must have the teacher's length.
        """
        if embeddings.shape != targets.shape or embeddings.ndim != 2:
            raise ValueError(f"embeddings of shape {tuple(embeddings.shape)} for targets {tuple(targets.shape)}")
        loss = imitation(embeddings, targets).mean()
        if self.relations:
            student, teacher = functional.normalize(embeddings), functional.normalize(targets)
            loss = loss + self.relations * (student @ student.T - teacher @ teacher.T).square().mean()
        return loss
