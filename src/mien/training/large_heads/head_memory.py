"""How much memory a head will need, known before it is made."""

from dataclasses import dataclass

from mien.training.large_heads.row_sgd import BLOCK
from mien.training.large_heads.target_and_rest import CACHED

FLOAT = 4


@dataclass(frozen=True)
class HeadMemory:
    """Bytes that a process needs for its classes, beside what the libraries take.

    Attributes:
        weights: The class vectors.
        gradient: Of those that take part in a step.
        optimiser: Its momentum.
        working: What comes and goes within a step: a few chunks, and the batch.
    """

    weights: int
    gradient: int
    optimiser: int
    working: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradient + self.optimiser + self.working


def head_memory(
    num_classes: int,
    embedding_size: int,
    batch_size: int,
    *,
    share: float = 1.0,
    processes: int = 1,
    momentum: bool = False,
) -> HeadMemory:
    """What `margin_cross_entropy` or `PartialFC` in float32 on a CPU will need for a step and the optimiser's.

    Args:
        num_classes: C.
        embedding_size: D.
        batch_size: N, of all processes together.
        share: Of the classes, in (0, 1], as PartialFC draws them.
        processes: That the classes are divided among.
        momentum: Whether the optimiser keeps a value for each weight, as `RowSGD` does; Adam keeps two.
    """
    classes = -(-num_classes // processes)
    taking_part = min(classes, -int(-share * classes // 1) + batch_size)
    widest = max(batch_size, embedding_size)
    chunk = min(taking_part, max(64, CACHED // widest))
    # A backward holds a chunk's vectors, what the product packs, and its gradient before it is put in place; and of the
    # batch the embeddings, the queries, their gradients and the products that add up to these.
    working = 6 * chunk * widest + 10 * batch_size * embedding_size + (taking_part // chunk + 16) * batch_size
    if share < 1:
        working += 6 * classes  # the order of the draw, and what sorting it takes
    if momentum:
        working += 5 * BLOCK
    return HeadMemory(
        weights=FLOAT * classes * embedding_size,
        gradient=FLOAT * taking_part * embedding_size,
        optimiser=FLOAT * classes * embedding_size if momentum else 0,
        working=FLOAT * working,
    )
