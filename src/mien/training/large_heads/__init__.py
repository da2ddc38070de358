"""Margin softmax over very many classes: in chunks, over a share of the classes, and over several processes."""

from mien.training.large_heads.margin_cross_entropy import margin_cross_entropy

__all__ = ["margin_cross_entropy"]
