"""Margin softmax over very many classes: in chunks, over a share of the classes, and over several processes."""

from mien.training.large_heads.head_memory import HeadMemory, head_memory
from mien.training.large_heads.margin_cross_entropy import Margin, margin_cross_entropy
from mien.training.large_heads.partial_fc import PartialFC
from mien.training.large_heads.row_sgd import RowSGD

__all__ = ["HeadMemory", "Margin", "PartialFC", "RowSGD", "head_memory", "margin_cross_entropy"]
