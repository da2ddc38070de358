"""From a recipe to a trained network: one readable loop that resumes bit for bit."""

from mien.training.trainer.run_folder import read_run_recipe
from mien.training.trainer.training import TrainingResult, open_run, train
from mien.training.trainer.validation import embed_crops, validate

__all__ = ["TrainingResult", "embed_crops", "open_run", "read_run_recipe", "train", "validate"]
