"""What each of two processes does that train one network."""

import os
from pathlib import Path

import torch
from accelerate import Accelerator

from mien.training.recipe import check_recipe
from mien.training.trainer import train
from mien.training.trainer.checkpoint import save_checkpoint


def train_as_one_of_two(rank: int, port: int, folder: str) -> None:
    """Train by a small recipe; keep the AUC that each process came to."""
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "ACCELERATE_USE_CPU": "true",
    }
    recipe = check_recipe(
        {
            "data": {
                "side": 32,
                "cache": f"{folder}/crops",
                "sources": [{"synthetic": {"people": 8, "photos": 4}, "aligned": True}],
            },
            "validation": {"held_out": 0.25},
            "backbone": {"name": "small", "width": 8, "embedding_size": 16},
            "losses": [{"name": "cosface", "s": 16, "m": 0.1}],
            "stages": [{"epochs": 2}],
            "training": {"batch_size": 8},
        }
    )
    lines: list[str] = []
    result = train(recipe, Path(folder) / "run", tell=lines.append)
    assert result.finished
    assert bool(lines) == (rank == 0)  # one of them speaks for both
    gathered = Accelerator().gather(torch.tensor([result.measures.auc.value], dtype=torch.float64))  # type: ignore[union-attr]
    save_checkpoint({"aucs": gathered}, Path(folder) / f"{rank}.pt")
