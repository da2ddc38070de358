"""From a recipe to a trained network: one readable loop that resumes bit for bit."""

from mien.training.trainer.training import TrainingResult, open_run, train

__all__ = ["TrainingResult", "open_run", "train"]
