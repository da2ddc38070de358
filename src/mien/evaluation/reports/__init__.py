"""Pages to look at: self-contained HTML."""

from mien.evaluation.reports.page import picture, plot, render_page

__all__ = ["picture", "plot", "render_page"]
