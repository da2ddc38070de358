import socket
from pathlib import Path

from torch.multiprocessing.spawn import spawn

from mien.training.trainer.checkpoint import load_checkpoint
from trained_by_two import train_as_one_of_two


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(train_as_one_of_two, (port, str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]
    aucs = load_checkpoint(tmp_path / "0.pt")["aucs"]
    assert len(aucs) == 2
    assert aucs[0] == aucs[1]
    assert (tmp_path / "run" / "result.json").exists()
