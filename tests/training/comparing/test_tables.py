import csv
from pathlib import Path

from mien.training.comparing.tables import LOSSES_CSV, RUNS_CSV, write_tables
from training.comparing.made_comparison import make_comparison


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_row_a_loss_and_a_row_a_run(tmp_path: Path) -> None:
    write_tables(make_comparison(), tmp_path)
    losses, runs = read(tmp_path / LOSSES_CSV), read(tmp_path / RUNS_CSV)
    assert [row["loss"] for row in losses] == ["arcface", "cosface", "softmax", "circle", "triplet"]
    arcface, cosface, softmax, circle, triplet = losses
    assert (arcface["tmr_at_fmr_1e-2"], arcface["tmr_at_fmr_1e-2_spread"], arcface["seconds"]) == ("0.61", "0.01", "61")
    assert (arcface["tmr_at_fmr_1e-3"], arcface["tmr_at_fmr_1e-3_low"]) == ("", "")
    assert (cosface["runs"], cosface["failures"]) == ("2", "seed 1: The embeddings <have> collapsed.")
    assert (softmax["ahead"], circle["ahead"], circle["ahead_high"]) == ("", "-0.1", "-0.05")
    assert (triplet["runs"], triplet["auc"], triplet["failures"].count("collapsed")) == ("0", "", 3)
    assert [(row["loss"], row["seed"]) for row in runs[:5]] == [
        ("arcface", "0"), ("arcface", "1"), ("arcface", "2"), ("cosface", "0"), ("cosface", "2")
    ]  # fmt: skip
    assert runs[1]["eer"] == "0.61"
    assert runs[1]["peak_bytes"] == "500000000"
