import json
from pathlib import Path

from embedded_people import embedded
from fake_recognizer import save_people
from mien.evaluation import PROTOCOLS, Evaluation, Settings
from mien.evaluation.evaluation import EvaluationData

RATES = {"1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6"}


def evaluated(folder: Path, name: str, **options: object) -> Evaluation:
    protocol = PROTOCOLS[name](folder, **options)
    person = {photo: photo.split("/")[0] for photo in protocol.photos}
    return protocol.evaluate(embedded(person), Settings(threshold=0.4, resamples=20, command="mien evaluate …", seed=3))


def test_every_evaluation_is_json(tmp_path: Path) -> None:
    save_people(tmp_path, 9, 3)
    for name, options in (
        ("people", {}),
        ("people", {"pairs": 9}),
        ("open-set", {"strangers": 0.3}),
        ("closed-set", {}),
        ("clustering", {}),
    ):
        evaluation = evaluated(tmp_path, name, **options)
        text = json.dumps(evaluation.to_dict(), allow_nan=False)
        assert str(tmp_path) not in text, "where the photos are is nobody's business"
        read = json.loads(text)
        assert read["protocol"] == name
        assert read["made"]["seed"] == 3
        assert read["encoder"] == {"name": "fake", "sha256": "f" * 64}
        assert len(read["data"]["list_sha256"]) == 64
        assert sum(read[kind] is not None for kind in ("identification", "closed_set", "clustering")) == (
            name != "people"
        )


def test_measures_of_verification_are_at_the_top(tmp_path: Path) -> None:
    read = evaluated(save_people(tmp_path, 9, 3), "people", pairs=20).to_dict()
    assert read.keys() >= {"auc", "eer", "accuracy", "tar_at_far", "fnmr_at_fmr"}
    assert set(read["tar_at_far"]) == set(read["fnmr_at_fmr"]) == RATES
    for leaf in (read["auc"], read["eer"], read["accuracy"], *read["tar_at_far"].values()):
        assert leaf.keys() in ({"value", "low", "high"}, {"unsupported"})


def test_the_counts_of_the_data_in_words() -> None:
    assert EvaluationData("one", 1, 1, 0, "", {}).counts == ["1 person", "1 photo"]
    assert EvaluationData("many", 1200, 2400, 3, "", {}).counts == [
        "1,200 people", "2,400 photos", "3 of them without a face"
    ]  # fmt: skip
    assert EvaluationData("scores", None, 0, 0, "", {}).counts == []
