"""A run as a page: how training went, seen in its figures."""

from mien.training.reports.run_page import write_report

__all__ = ["write_report"]
