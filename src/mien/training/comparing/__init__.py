"""Every loss on one table: the same backbone, data, budget and seeds, judged on people whom no network saw."""

from mien.training.comparing.comparing import LossComparison, base_recipe, compare_losses
from mien.training.comparing.entrants import Entrant, choose_entrants, list_entrants
from mien.training.comparing.run_measures import MEASURES, RunFailure, RunMeasures
from mien.training.comparing.standings import Standing

__all__ = [
    "MEASURES",
    "Entrant",
    "LossComparison",
    "RunFailure",
    "RunMeasures",
    "Standing",
    "base_recipe",
    "choose_entrants",
    "compare_losses",
    "list_entrants",
]
