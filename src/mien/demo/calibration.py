from importlib.resources import as_file, files

from mien.decisions import Calibration


def synthetic_calibration() -> Calibration:
    """What similarities of SFace stand for among synthetic people, who are more alike than real ones.

    It was made on people that the demo doesn't show: `make calibrations`.
    """
    with as_file(files("mien.demo") / "sface-synthetic.json") as path:
        return Calibration.load(path)
