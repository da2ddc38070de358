"""Two processes train one network."""

import os
import socket
from pathlib import Path

import torch
from torch.multiprocessing.spawn import spawn

from mien.training.recipe import check_recipe
from mien.training.trainer import train
from mien.training.trainer.checkpoint import load_checkpoint, save_checkpoint


def run_as_one_of_two(rank: int, port: int, folder: str) -> None:
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
    from accelerate import Accelerator

    gathered = Accelerator().gather(torch.tensor([result.measures.auc.value], dtype=torch.float64))  # type: ignore[union-attr]
    save_checkpoint({"aucs": gathered}, Path(folder) / f"{rank}.pt")


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(run_as_one_of_two, (port, str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]
    aucs = load_checkpoint(tmp_path / "0.pt")["aucs"]
    assert len(aucs) == 2
    assert aucs[0] == aucs[1]
    assert (tmp_path / "run" / "result.json").exists()
