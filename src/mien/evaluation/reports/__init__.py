"""Pages to look at: self-contained HTML."""

from mien.evaluation.reports.contact_sheet import contact_sheet
from mien.evaluation.reports.evaluation import render_evaluation
from mien.evaluation.reports.page import picture, plot, render_page

__all__ = ["contact_sheet", "picture", "plot", "render_evaluation", "render_page"]
