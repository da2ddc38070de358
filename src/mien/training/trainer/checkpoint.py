"""What a run needs to go on bit for bit, in one file that is read without running anything in it."""

from pathlib import Path
from typing import Any

import torch

from mien.errors import TrainingError
from mien.whole_files import written_whole

FORMAT = 2


def random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """Of PyTorch's generators that a run on a device draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_random_states(states: dict[str, torch.Tensor]) -> None:
    """Go on drawing where `random_states` was; a graphics card that isn't there any more is passed over."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


def save_checkpoint(state: dict[str, Any], file: Path) -> None:
    """Write a checkpoint; an interrupted write leaves the old one as it was.

    Raises:
        TrainingError: It can't be written, as where the disk is full.
    """
    try:
        with written_whole(file) as partial:
            torch.save({"format": FORMAT, **state}, partial)
    except (OSError, RuntimeError) as problem:  # PyTorch's own writer doesn't say what the system said
        why = problem.strerror if isinstance(problem, OSError) else None
        raise TrainingError(
            f"The checkpoint {file} can't be written: {why or 'there is no room'}.",
            hint="Make room there; the same command then goes on from the checkpoint before, if there is one.",
            code="training.checkpoint-not-written",
        ) from problem


def load_checkpoint(file: Path) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values only, never code.

    Raises:
        TrainingError: It is missing, damaged, or of another format.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(
            f"There is no checkpoint {file}.", hint="Name the folder of a run that was begun."
        ) from None
    except Exception:  # of a file that is something else, PyTorch's reader may raise anything
        # Without PyTorch's own words, which advise to load a file that one trusts with its code.
        raise TrainingError(
            f"The checkpoint {file} is damaged or not one of mien's; nothing in it was run.",
            hint="Remove it to begin the run anew.",
        ) from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainingError(
            f"The checkpoint {file} is of another format.", hint="Read it with the version of mien that wrote it."
        )
    return state
