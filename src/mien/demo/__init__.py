"""The first minute: everything mien does, on people who don't exist or on a folder of one's own, in one report."""

from mien.demo.calibration import synthetic_calibration
from mien.demo.page import rate_line, render
from mien.demo.running import DemoResult, run

__all__ = ["DemoResult", "rate_line", "render", "run", "synthetic_calibration"]
