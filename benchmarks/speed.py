"""Photos per second from file to embedding, against OpenCV and face_recognition, in one run on the same photos."""

import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import local

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from benchmarks.results import PHOTOS, table
from mien import Recognizer
from mien.faces import NetworkEncoder, align
from mien.models import find_weights, graph_repair, load_card
from mien.models.graph_repair import repair
from mien.photos import Photo, find_photos

PHOTO_COUNT, SLOW_COUNT, ROUNDS = 320, 32, 3

Embed = Callable[[Sequence[Path]], list[NDArray[np.float32]]]


@dataclass(frozen=True)
class Contender:
    """Something that turns photo files into embeddings."""

    name: str
    embed: Embed
    photos: int = PHOTO_COUNT


def measure() -> str:
    """Time every contender in turn, several rounds, and say where mien's time goes."""
    paths = find_photos(PHOTOS / "lfw")[:: 13233 // PHOTO_COUNT][:PHOTO_COUNT]
    contenders = list(_contenders())
    for one in contenders:
        one.embed(paths[:8])  # load and warm up
    seconds: dict[str, list[float]] = {one.name: [] for one in contenders}
    for _ in range(ROUNDS):
        for one in contenders:
            start = time.perf_counter()
            one.embed(paths[: one.photos])
            seconds[one.name].append((time.perf_counter() - start) / one.photos)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    opencv = min(value for name, value in medians.items() if name.startswith("OpenCV") and "repaired" not in name)
    peer = medians.get("face_recognition with dlib")
    rows = [
        (
            name,
            f"{1 / seconds:.1f}",
            f"{opencv / seconds:.2f} ×",
            f"{peer / seconds:.1f} ×" if peer else "not installed",
        )
        for name, seconds in medians.items()
    ]
    return (
        f"# Speed: photos per second from file to embedding\n\n{len(paths)} photos of LFW (250 × 250 JPEG), "
        f"{os.cpu_count()} cores, every contender in turn, medians of {ROUNDS} rounds, no mirror image added.\n\n"
        + table(
            ("", "photos/s", "against the better OpenCV, weights dequantised only", "against face_recognition"), rows
        )
        + f"\nGreatest difference from a number of OpenCV's embeddings: {_difference(contenders, paths[:64]):.1e}.\n\n"
        + _stages(paths[:128])
    )


def _contenders() -> Iterator[Contender]:
    for name, runtime in _installs().items():
        yield Contender(f"mien, {name}", _mien(runtime))
    cores = os.cpu_count() or 1
    folder = Path(tempfile.mkdtemp())
    shipped = find_weights(load_card("sface")).read_bytes()
    dequantised, repaired = folder / "dequantised.onnx", folder / "repaired.onnx"
    dequantised.write_bytes(_dequantised(shipped))
    repaired.write_bytes(repair(shipped))
    yield Contender(f"OpenCV {cv2.__version__}, one photo at a time", _opencv(dequantised, workers=1))
    yield Contender(f"OpenCV {cv2.__version__}, a thread a core", _opencv(dequantised, workers=cores))
    yield Contender(
        f"OpenCV {cv2.__version__} with mien's repaired graph, a thread a core", _opencv(repaired, workers=cores)
    )
    try:
        yield Contender("face_recognition with dlib", _face_recognition(), SLOW_COUNT)
    except ImportError as error:
        print(f"face_recognition is left out: {error}")


def _installs() -> dict[str, str]:
    """What mien is without and with OpenVINO, which then runs the encoder in f32, and the runtime that gives it."""
    default = {"the default install (onnxruntime)": "onnxruntime"}
    return default | ({"with the extra openvino": "auto"} if find_spec("openvino") else {})


def _mien(runtime: str) -> Embed:
    recognizer = Recognizer("sface", flip=False, runtime=runtime)

    def embed(paths: Sequence[Path]) -> list[NDArray[np.float32]]:
        return [faces.embeddings for faces in recognizer.embed_many(paths)]

    return embed


def _dequantised(data: bytes) -> bytes:
    """The weights as OpenCV's FaceRecognizerSF can run them: floats and constants, and nothing else changed."""
    model = onnx.load_from_string(data)
    graph_repair.weights_as_constants(model.graph)
    graph_repair.dequantise(model.graph)
    graph_repair.drop_unused(model.graph)
    return bytes(model.SerializeToString())


def _opencv(weights: Path, workers: int) -> Embed:
    """OpenCV's own detector and recogniser with the same weights."""
    mine = local()

    def embed_one(path: Path) -> NDArray[np.float32]:
        if not hasattr(mine, "detector"):
            mine.detector = cv2.FaceDetectorYN.create(str(find_weights(load_card("yunet"))), "", (320, 320), 0.6)
            mine.recognizer = cv2.FaceRecognizerSF.create(str(weights), "")
        picture = cv2.imread(str(path))
        assert picture is not None
        mine.detector.setInputSize(picture.shape[1::-1])
        found = mine.detector.detect(picture)[1]
        rows = [mine.recognizer.feature(mine.recognizer.alignCrop(picture, face))[0] for face in found]
        vectors = np.stack(rows)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def embed(paths: Sequence[Path]) -> list[NDArray[np.float32]]:
        threads = cv2.getNumThreads()
        try:
            if workers == 1:
                return [embed_one(path) for path in paths]
            cv2.setNumThreads(1)
            with ThreadPoolExecutor(workers) as pool:
                return list(pool.map(embed_one, paths))
        finally:
            cv2.setNumThreads(threads)

    return embed


def _face_recognition() -> Embed:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for pkg_resources, which warns
        import face_recognition

    def embed(paths: Sequence[Path]) -> list[NDArray[np.float32]]:
        pictures = (face_recognition.load_image_file(path) for path in paths)
        return [np.asarray(face_recognition.face_encodings(picture), np.float32) for picture in pictures]

    return embed


def _difference(contenders: Sequence[Contender], paths: Sequence[Path]) -> float:
    ours = contenders[0].embed(paths)
    theirs = next(one for one in contenders if one.name.startswith("OpenCV")).embed(paths)
    assert [len(a) for a in ours] == [len(b) for b in theirs]
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))


def _stages(paths: Sequence[Path]) -> str:
    """Where the time of one thread goes, and how near that is to running the two networks and nothing else."""
    sections = []
    for name, runtime in _installs().items():
        recognizer = Recognizer("sface", flip=False, runtime=runtime)
        encoder = recognizer.encoder
        assert isinstance(encoder, NetworkEncoder)
        spent = dict.fromkeys(("decode", "detect", "warp", "embed", "networks alone"), 0.0)
        for start in range(0, len(paths), 16):
            chunk = paths[start : start + 16]
            clock = _Clock(spent)
            photos = [Photo.open(path) for path in chunk]
            clock.add("decode")
            found = [recognizer.detector.detect(photo) for photo in photos]
            clock.add("detect")
            crops = np.concatenate([align(f.photo.pixels, f.landmarks) for f in found if f.photo])
            clock.add("warp")
            encoder.embed_crops(crops)
            clock.add("embed")
            picture = np.zeros((1, 3, 256, 256), np.float32)
            for _ in photos:
                recognizer.detector.runner.run(picture)
            batch = np.zeros((len(crops), 3, 112, 112), np.float32)
            clock.start = time.perf_counter()
            for _ in photos:
                recognizer.detector.runner.run(picture)
            for at in range(0, len(batch), 16):
                encoder.runner.run(batch[at : at + 16])
            clock.add("networks alone")
        alone = spent.pop("networks alone")
        total = sum(spent.values())
        rows = [(stage, f"{1000 * t / len(paths):.2f}", f"{100 * t / total:.0f} %") for stage, t in spent.items()]
        sections.append(
            f"## Where the time goes ({name}, one thread)\n\n"
            + table(("stage", "ms a photo", "share"), rows)
            + f"\nThe bound, the two networks and nothing else: {1000 * alone / len(paths):.2f} ms a photo, "
            f"{100 * alone / total:.0f} % of the total of {1000 * total / len(paths):.2f} ms.\n"
        )
    return "\n".join(sections)


class _Clock:
    def __init__(self, spent: dict[str, float]) -> None:
        self.spent = spent
        self.start = time.perf_counter()

    def add(self, stage: str) -> None:
        now = time.perf_counter()
        self.spent[stage] += now - self.start
        self.start = time.perf_counter()
