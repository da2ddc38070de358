"""The hallway: one object that leads from photos to decisions. It holds no logic of its own."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from itertools import islice

from mien.decisions import Calibration, EncoderIdentity, Verification, shipped_calibration, verify
from mien.errors import CalibrationError, MienError, NoFaceError, PhotoError
from mien.faces import Detector, Encoder, FacePolicy, Faces, choose, open_encoder, with_embeddings
from mien.faces.choosing import require_policy
from mien.models import ModelCard
from mien.photos import PhotoSource, name_of
from mien.similarity import all_pairs

PHOTOS_AT_ONCE = 16
PIXELS_AT_ONCE = 2**24
"""A worker embeds the faces that it has found once their photos have so many pixels: 50 MB."""


class Recognizer:
    """Finds faces, embeds them, and compares them. Safe to use from several threads.

    Args:
        encoder: A shipped encoder's name (``"sface"``, ``"dlib"``, ``"fusion"``), the path of a model card, a card, or
            any other `mien.faces.Encoder`.
        detector: A shipped detector's name, the path of a model card, or a card.
        flip: Whether an embedding is the sum of the crop's and its mirror image's (a little more accurate, twice the
            work); None: as the encoder's card says.
        runtime: ``"onnxruntime"``, ``"openvino"``, or ``"auto"``: OpenVINO where it is installed.
        precision: ``"f32"``, or ``"bf16"`` where the runtime has it.
        face: Which face of a photo counts: ``"central"``, ``"largest"``, ``"only"`` or ``"all"``.
        max_side: The photo is shrunk to this longer side, in pixels, 32 or more, for detection only.
        min_score: Faces with a lower detection score, in (0, 1), are dropped.
        small_faces: Look for small faces too, at many times the cost.
        calibration: What similarities stand for; by default the one shipped for the encoder.
        workers: Photos worked on at the same time by `embed_many`, 1 or more; by default one per processor.

    Raises:
        ValueError: `max_side`, `min_score`, `workers`, `runtime` or `precision` is none that there can be.
        ConfigError: There is no such policy as `face`, or bf16 is asked of onnxruntime.
        ModelError: A network is missing, altered or unusable.
        MissingExtraError: A network or runtime comes with an extra that is not installed.
    """

    def __init__(
        self,
        encoder: str | ModelCard | Encoder = "sface",
        *,
        detector: str | ModelCard = "yunet",
        flip: bool | None = None,
        runtime: str = "auto",
        precision: str = "f32",
        face: FacePolicy = "central",
        max_side: int = 640,
        min_score: float = 0.6,
        small_faces: bool = False,
        calibration: Calibration | None = None,
        workers: int | None = None,
    ) -> None:
        require_policy(face)
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be 1 or more, not {workers}")
        self.detector = Detector.open(
            detector, runtime=runtime, max_side=max_side, min_score=min_score, small_faces=small_faces
        )
        if isinstance(encoder, str | ModelCard):
            encoder = open_encoder(encoder, flip=flip, runtime=runtime, precision=precision)
        self.encoder: Encoder = encoder
        self.face = face
        self.workers = workers or os.cpu_count() or 1
        if calibration is not None:
            calibration.require_encoder(self.encoder_identity)
            self.calibration = calibration

    @property
    def encoder_name(self) -> str:
        """The encoder's name."""
        return self.encoder.name

    @property
    def encoder_identity(self) -> str:
        """SHA-256 over all that an embedding depends on."""
        return self.encoder.identity

    @property
    def named_encoder(self) -> EncoderIdentity:
        """Name and identity of the encoder, as decisions state them."""
        return EncoderIdentity(self.encoder_name, self.encoder_identity)

    @cached_property
    def calibration(self) -> Calibration:
        """What similarities of this encoder stand for. Raises `CalibrationError` if nobody has measured it."""
        return shipped_calibration(self.encoder_identity)

    def find_calibration(self, *, needed: bool) -> Calibration | None:
        """The calibration; None if there is none and it isn't needed, because a threshold was given."""
        try:
            return self.calibration
        except CalibrationError:
            if needed:
                raise
            return None

    def faces(self, source: PhotoSource) -> Faces:
        """Find and embed all faces of one photo.

        Raises:
            PhotoError: The photo cannot be used.
        """
        return with_embeddings([self.detector.detect(source)], self.encoder)[0]

    def choose(self, faces: Faces, policy: FacePolicy | None = None) -> Faces:
        """The faces that count by a policy (default: this recognizer's). Raises `NoFaceError` where none does."""
        return choose(faces, policy or self.face)

    def embed_many(
        self, sources: Iterable[PhotoSource], *, face: FacePolicy = "all", keep_photos: bool = False
    ) -> Iterator[Faces]:
        """Find and embed the faces of many photos, in order, using all processors.

        A photo that cannot be used, or in which no face counts, never stops the rest: it comes back without faces and
        with the reason in `Faces.problem`.

        Args:
            sources: The photos.
            face: Which faces of each photo count.
            keep_photos: Keep each photo in the answer, which takes memory.

        Raises:
            ConfigError: There is no such policy as `face`.
        """
        require_policy(face)
        todo = iter(sources)
        chunks = iter(lambda: list(islice(todo, PHOTOS_AT_ONCE)), [])
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="mien-embed")
        running: deque[Future[list[Faces]]] = deque()
        try:
            while True:
                for chunk in islice(chunks, self.workers + 1 - len(running)):
                    running.append(pool.submit(self._embed_chunk, chunk, face, keep_photos))
                if not running:
                    return
                yield from running.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def verify(
        self,
        probe: PhotoSource,
        reference: PhotoSource,
        *,
        fmr: float = 1e-4,
        threshold: float | None = None,
        prior: float = 0.5,
        face: FacePolicy | None = None,
    ) -> Verification:
        """Decide whether two photos show the same person.

        Args:
            probe: A photo of the person who claims an identity.
            reference: A photo that is known to show them.
            fmr: The false match rate to decide at, in (0, 1).
            threshold: A similarity to decide at instead.
            prior: How likely it is beforehand that they are the same, in (0, 1).
            face: Which face of each photo counts; with ``"all"`` the best pair does, at a rate corrected for the
                number of pairs.

        Returns:
            The decision; photos that cannot be used give ``unusable``, with the reason. So do two whose faces are
            both so blurred, noisy or small that no calibration holds for them, unless `threshold` is given.

        Raises:
            CalibrationError: The calibration's data cannot support this rate, or there is no calibration.
        """
        calibration = self.find_calibration(needed=threshold is None)
        encoder = self.named_encoder
        try:
            chosen = [self.choose(self.detector.detect(photo), face) for photo in (probe, reference)]
            first, second = with_embeddings(chosen, self.encoder)
        except (PhotoError, NoFaceError) as problem:
            return Verification.unusable(problem, calibration, encoder)
        similarities = all_pairs(first.embeddings, second.embeddings, "cosine")
        if threshold is None:  # which states a rate, and blurred strangers look alike more often than it says
            similarities = similarities[~(first.blurred[:, None] & second.blurred)]
            if not similarities.size:
                return Verification.unusable(_too_blurred(first, second), calibration, encoder)
        verification = verify(
            float(similarities.max()),
            calibration,
            fmr=fmr,
            threshold=threshold,
            prior=prior,
            comparisons=similarities.size,
        )
        notes = tuple(f"{one.source}: {note}" for one in (first, second) for note in one.notes)
        return replace(verification, encoder=encoder, notes=notes)

    def _embed_chunk(self, sources: Sequence[PhotoSource], face: FacePolicy, keep_photos: bool) -> list[Faces]:
        done: list[Faces] = []
        waiting: list[Faces] = []
        for source in sources:
            waiting.append(self._find(source, face))
            if sum(width * height for width, height in (one.size for one in waiting)) >= PIXELS_AT_ONCE:
                done += self._embedded(waiting, keep_photos)
                waiting.clear()
        return done + self._embedded(waiting, keep_photos)

    def _embedded(self, faces: Sequence[Faces], keep_photos: bool) -> list[Faces]:
        found = with_embeddings(faces, self.encoder)
        return found if keep_photos else [replace(one, photo=None) for one in found]

    def _find(self, source: PhotoSource, face: FacePolicy) -> Faces:
        faces = Faces(source=name_of(source))
        try:
            faces = self.detector.detect(source)
            return choose(faces, face)
        except MienError as problem:
            return replace(faces[:0], problem=problem)


def _too_blurred(first: Faces, second: Faces) -> NoFaceError:
    return NoFaceError(
        f"The faces in {first.source} and {second.source} are both too blurred, noisy or small: strangers look alike "
        "then more often than stated.",
        hint="Use a sharper, cleaner or larger photo of either, or decide by a threshold of your own.",
        code="no-face.blurred",
    )
