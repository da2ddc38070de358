import socket
import subprocess
import sys
from pathlib import Path

from mien.training.trainer.checkpoint import load_checkpoint

TESTS = Path(__file__).parents[2]


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = []
    for rank in range(2):
        code = f"from trained_by_two import train_as_one_of_two as train; train({rank}, {port}, {str(tmp_path)!r})"
        processes.append(subprocess.Popen([sys.executable, "-c", code], cwd=TESTS))
    assert [process.wait(timeout=240) for process in processes] == [0, 0]
    aucs = load_checkpoint(tmp_path / "0.pt")["aucs"]
    assert len(aucs) == 2
    assert aucs[0] == aucs[1]
    assert (tmp_path / "run" / "result.json").exists()
