"""The losses, by the name that recipes call them: a new one is a file and a line here."""

from collections.abc import Mapping

from mien.training.losses.loss import Loss
from mien.training.losses.softmax import ModifiedSoftmax, NormFace, Softmax

LOSSES: Mapping[str, type[Loss]] = {
    "modified_softmax": ModifiedSoftmax,
    "normface": NormFace,
    "softmax": Softmax,
}
