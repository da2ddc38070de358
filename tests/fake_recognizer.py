"""A recognizer for tests that need people but no network: who is on a photo is written in its first pixels."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.decisions import Calibration, CalibrationData, EncoderIdentity, RateCurve
from mien.errors import CalibrationError, MienError, NoFaceError
from mien.faces import Faces
from mien.photos import Photo, PhotoSource
from mien.recognizer import Recognizer

DIMENSIONS = 128
FACE = 20  # pixels


def portrait(person: int, variant: int = 0, *others: int) -> bytes:
    """A PNG that shows `person` in the middle, and `others` beside; 0 is a photo of nobody."""
    shown = [person, *others] if person else []
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[0, 0] = len(shown), variant, 0
    for column, number in enumerate(shown, start=1):
        pixels[0, column] = number % 256, number // 256, 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def save_people(folder: Path, people: int, photos: int = 1) -> Path:
    """A folder of folders: ``folder/Person 001/0.png`` …; person k of it is number k."""
    for person in range(1, people + 1):
        of_person = folder / f"Person {person:03}"
        of_person.mkdir(parents=True)
        for variant in range(photos):
            (of_person / f"{variant}.png").write_bytes(portrait(person, variant))
    return folder


def embedding(person: int, variant: int = 0) -> NDArray[np.float32]:
    """Unit length; of one person's variants similar to about 0.98, of two people to about 0."""
    identity = np.random.default_rng(person).normal(size=DIMENSIONS)
    nuisance = np.random.default_rng([person, variant]).normal(size=DIMENSIONS)
    vector = identity + 0.15 * nuisance
    return cast(NDArray[np.float32], (vector / np.linalg.norm(vector)).astype(np.float32))


def calibration(identity: str) -> Calibration:
    """False match rates that fall tenfold with each 0.1 of similarity from 0.2 on, supported down to 1e-6."""
    grid = np.linspace(-1, 1, 2001)
    rate = np.minimum(1, 10 ** (2 - 10 * grid))
    return Calibration(
        name="invented",
        encoder=EncoderIdentity("fake", identity),
        data=CalibrationData("invented", 1000, 2000, 0, 0, 1_000_000, 0, ""),
        score={"metric": "cosine"},
        protocol="Invented for tests.",
        similarity=grid,
        false_match=RateCurve(rate, rate / 2, np.minimum(1, rate * 2)),
        false_non_match=None,
        smallest_fmr=1e-6,
        tail=None,
        likelihood=None,
        made={},
    )


class FakeRecognizer:
    """What `mien.gallery` needs of a `Recognizer`."""

    def __init__(self, identity: str = "f" * 64, *, calibrated: bool = True) -> None:
        self.encoder_name = "fake"
        self.encoder_identity = identity
        self.named_encoder = EncoderIdentity(self.encoder_name, identity)
        self.calibrated = calibrated
        self.embedded: list[str] = []

    @classmethod
    def make(cls, identity: str = "f" * 64, *, calibrated: bool = True) -> Recognizer:
        """One that passes for a recognizer."""
        return cast(Recognizer, cls(identity, calibrated=calibrated))

    @property
    def calibration(self) -> Calibration:
        if not self.calibrated:
            raise CalibrationError("The encoder fake has no calibration.")
        return calibration(self.encoder_identity)

    def find_calibration(self, *, needed: bool) -> Calibration | None:
        return self.calibration if needed or self.calibrated else None

    def faces(self, source: PhotoSource) -> Faces:
        photo = Photo.open(source)
        self.embedded.append(photo.source)
        count, variant = (int(v) for v in photo.pixels[0, 0, :2])
        numbers = [int(low) + 256 * int(high) for low, high in photo.pixels[0, 1 : count + 1, :2]]
        lefts = [50 + 50 * (-1) ** k * ((k + 1) // 2) - FACE / 2 for k in range(count)]  # the first in the middle
        vectors = [embedding(number, variant) for number in numbers]
        return Faces(
            boxes=np.array([[left, 40, FACE, FACE] for left in lefts], np.float32).reshape(-1, 4),
            landmarks=np.zeros((count, 5, 2), np.float32),
            scores=np.full(count, 0.9, np.float32),
            embeddings=np.array(vectors, np.float32).reshape(-1, DIMENSIONS),
            size=(100, 100),
            source=photo.source,
        )

    def embed_many(self, sources: Iterable[PhotoSource]) -> Iterator[Faces]:
        for source in sources:
            try:
                faces = self.faces(source)
            except MienError as problem:
                yield Faces(problem=problem)
                continue
            yield faces if len(faces) else Faces(source=faces.source, problem=NoFaceError("No face was found."))
