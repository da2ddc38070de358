"""Aligned crops of labelled people, cut once and kept on disk: what training reads."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from os import cpu_count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import ConfigError, MienError
from mien.faces import TEMPLATES, Detector, Encoder, FacePolicy, Faces, choose, ready_crop, similarity_transforms
from mien.photos import PhotoSource
from mien.progress import report, track
from mien.training.data.sources import LabelledPhoto, PhotoSet
from mien.whole_files import write_whole

TEMPLATE = "arcface-112"
SIDE = TEMPLATES[TEMPLATE][0][0]
CHUNK = 256
"""Photos whose faces are found before they are written: what an interruption may cost."""

CROPS_TABLE = "crops.csv"
"""In a folder of crops: a row a photo, also of those that gave none, and why."""
_COLUMNS = ("photo", "person", "problem", *(f"{axis}{number}" for number in range(1, 6) for axis in "xy"))


@dataclass(frozen=True, eq=False)
class CropSet:
    """Crops, whose they are, and where their landmarks lie.

    Attributes:
        stores: Arrays of crops, each (M, S, S, 3) uint8 RGB, on disk or in memory.
        places: (N, 2) int64: for each crop of this set, the store and the row in it.
        labels: (N,) int64, positions in `people`.
        people: The people's names; every one of them has a crop.
        photos: For each crop, the photo it was cut from.
        landmarks: (N, 5, 2) float32 pixels of the crop.
        targets: (N, D) float32, what a teacher makes of each crop; None without a teacher.
    """

    stores: tuple[NDArray[np.uint8], ...]
    places: NDArray[np.int64]
    labels: NDArray[np.int64]
    people: tuple[str, ...]
    photos: tuple[str, ...]
    landmarks: NDArray[np.float32]
    targets: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def side(self) -> int:
        """Width and height of the crops in pixels."""
        return int(self.stores[0].shape[1])

    @cached_property
    def sha256(self) -> str:
        """Hash over the list of people and photos, which says which data a network was trained on."""
        lines = "".join(
            f"{self.people[label]}\t{photo}\n" for label, photo in zip(self.labels, self.photos, strict=True)
        )
        return hashlib.sha256(lines.encode()).hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """Short hash over the list and all pixels: other pictures of the same names have another."""
        digest = hashlib.blake2b(self.sha256.encode())
        for start in range(0, len(self), CHUNK):
            digest.update(self.read(np.arange(start, min(start + CHUNK, len(self)))).tobytes())
        return digest.hexdigest()[:12]

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The crops of some rows: (len(rows), S, S, 3) uint8."""
        crops = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for number, store in enumerate(self.stores):
            here = self.places[rows, 0] == number
            crops[here] = store[self.places[rows[here], 1]]
        return crops

    def select(self, rows: NDArray[Any]) -> CropSet:
        """The set of some rows (numbers or a mask); people without a crop are left out, the others keep their order."""
        labels = self.labels[rows]
        present, labels = np.unique(labels, return_inverse=True)
        numbers = np.arange(len(self))[rows]
        return replace(
            self,
            places=self.places[numbers],
            labels=labels.astype(np.int64),
            people=tuple(self.people[label] for label in present),
            photos=tuple(self.photos[number] for number in numbers),
            landmarks=self.landmarks[numbers],
            targets=None if self.targets is None else self.targets[numbers],
        )

    def without_people(self, names: Iterable[str]) -> CropSet:
        """The set without some people."""
        dropped = set(names)
        stays = np.array([name not in dropped for name in self.people], bool)
        return self.select(stays[self.labels])

    def shrunk(self, side: int) -> CropSet:
        """The same set at fewer pixels a side, in memory."""
        if side == self.side:
            return self
        small = np.empty((len(self), side, side, 3), np.uint8)
        for row in range(len(self)):
            store, place = self.places[row]
            cv2.resize(self.stores[store][place], (side, side), dst=small[row], interpolation=cv2.INTER_AREA)
        places = np.stack([np.zeros(len(self), np.int64), np.arange(len(self))], axis=1)
        landmarks = (self.landmarks + 0.5) * (side / self.side) - 0.5
        return replace(self, stores=(small,), places=places, landmarks=landmarks.astype(np.float32))


def join(sets: Sequence[CropSet]) -> CropSet:
    """Several sets as one. The same name in two sets is the same person; use `name_apart` first where it isn't."""
    if not sets:
        raise ValueError("there is nothing to join")
    if len({one.side for one in sets}) > 1:
        raise ValueError(f"the crops have different sizes: {sorted({one.side for one in sets})}")
    targets = [one.targets for one in sets if one.targets is not None]
    people = tuple(dict.fromkeys(name for one in sets for name in one.people))
    number = {name: label for label, name in enumerate(people)}
    shifts = np.cumsum([0, *(len(one.stores) for one in sets)])
    return CropSet(
        stores=tuple(store for one in sets for store in one.stores),
        places=np.concatenate(
            [one.places + np.array([shift, 0]) for one, shift in zip(sets, shifts[:-1], strict=True)]
        ),
        labels=np.concatenate([np.array([number[name] for name in one.people])[one.labels] for one in sets]),
        people=people,
        photos=tuple(photo for one in sets for photo in one.photos),
        landmarks=np.concatenate([one.landmarks for one in sets]),
        targets=np.concatenate(targets) if len(targets) == len(sets) else None,
    )


def name_apart(crops: CropSet, prefix: str) -> CropSet:
    """The set with each person's name after a prefix, so that the same name elsewhere is another person."""
    return replace(crops, people=tuple(f"{prefix}/{name}" for name in crops.people))


def cut_crops(folder: Path, photos: PhotoSet, *, face: FacePolicy = "central", aligned: bool = False) -> CropSet:
    """Find the face that counts in each photo, cut it out and keep it in a folder; carry on where that was left.

    Args:
        folder: Where the crops are kept: ``crops.u8``, ``crops.csv`` (also of photos without a face, and why) and
            ``about.json``. One that was made from something else is refused.
        photos: Where they come from.
        face: Which face of a photo counts: ``"central"``, ``"largest"`` or ``"only"``.
        aligned: The photos are crops aligned to the template already; no face is looked for.

    Raises:
        ConfigError: The folder holds crops of something else, or no photo has a face.
    """
    if face == "all":
        raise ValueError("a training photo stands for one person: choose central, largest or only")
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, {"source": photos.describe(), "face": face, "aligned": aligned, "template": TEMPLATE})
    done = _complete_rows(folder)
    detector = None if aligned else Detector.open()

    def cut(source: PhotoSource) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | MienError:
        try:
            found = ready_crop(source, TEMPLATE) if detector is None else choose(detector.detect(source), face)
            return found.crops(TEMPLATE)[0], _in_crop(found)
        except MienError as problem:
            return problem

    todo = photos.photos(done)
    report("cutting crops", done, len(photos))
    with ThreadPoolExecutor(cpu_count() or 1, thread_name_prefix="mien-crops") as pool:
        while chunk := list(islice(todo, CHUNK)):
            cuts = list(pool.map(cut, [photo.source for photo in chunk]))
            _append(folder, chunk, cuts)
            done += len(chunk)
            report("cutting crops", done, len(photos))
    return open_crops(folder)


def open_crops(folder: Path) -> CropSet:
    """Crops that `cut_crops` made.

    Raises:
        ConfigError: There are none.
    """
    if not (folder / CROPS_TABLE).exists():
        raise ConfigError(
            f"{folder} holds no crops: it has no {CROPS_TABLE}.",
            hint="Name a folder of crops that `mien train` cut; one of photos is a source's `folder`, not its `crops`.",
        )
    rows = [row for row in _rows_of(folder) if not row["problem"]]
    if not rows:
        raise ConfigError(
            f"No photo of {folder} gave a face to train on.", hint=f"Look at the reasons in its {CROPS_TABLE}."
        )
    store = np.memmap(folder / "crops.u8", np.uint8, "r").reshape(-1, SIDE, SIDE, 3)
    people = tuple(dict.fromkeys(row["person"] for row in rows))
    number = {name: label for label, name in enumerate(people)}
    return CropSet(
        stores=(store,),
        places=np.stack([np.zeros(len(rows), np.int64), np.arange(len(rows))], axis=1),
        labels=np.array([number[row["person"]] for row in rows], np.int64),
        people=people,
        photos=tuple(row["photo"] for row in rows),
        landmarks=np.array([[row[name] for name in _COLUMNS[3:]] for row in rows], np.float32).reshape(-1, 5, 2),
    )


def written_anew(folder: Path, photos: PhotoSet) -> bool:
    """Whether a folder holds crops of these photos as they were before some of them were written anew."""
    about = folder / "about.json"
    if not about.exists():
        return False
    before, now = json.loads(about.read_text(encoding="utf-8")).get("source", {}).get("files"), photos.describe()
    return before is not None and before != now.get("files")


def problems_of(folder: Path) -> dict[str, str]:
    """For each photo that gave no crop, why."""
    return {row["photo"]: row["problem"] for row in _rows_of(folder) if row["problem"]}


def teacher_embeddings(crops: CropSet, encoder: Encoder, keep: Path) -> NDArray[np.float32]:
    """What an encoder makes of each crop, kept in a file and carried on where that was left.

    Args:
        crops: Of the encoder's template.
        encoder: With a method ``embed_crops``, as those of `mien.faces.open_encoder` and of classical baselines have.
        keep: The file, (N, D) float32; its name should say which crops and which encoder.

    Returns:
        (N, D) float32 of unit length.
    """
    embed = getattr(encoder, "embed_crops", None)
    if embed is None:
        raise ConfigError(
            f"The encoder {encoder.name} is a fusion, which can't be a teacher.", hint="Name one of its members."
        )
    keep.parent.mkdir(parents=True, exist_ok=True)
    row_bytes = encoder.dimensions * 4
    done = keep.stat().st_size // row_bytes if keep.exists() else 0
    batches = [np.arange(start, min(start + CHUNK, len(crops))) for start in range(done, len(crops), CHUNK)]
    with (
        ThreadPoolExecutor(cpu_count() or 1, thread_name_prefix="mien-teacher") as pool,
        keep.open("r+b" if keep.exists() else "wb") as file,
    ):
        file.truncate(done * row_bytes)
        file.seek(0, 2)
        for embeddings in track(
            _ahead(pool, lambda rows: embed(crops.read(rows)), batches), "asking the teacher", len(batches)
        ):
            file.write(np.ascontiguousarray(embeddings, np.float32).tobytes())
    return np.fromfile(keep, np.float32).reshape(len(crops), -1)


def _ahead(pool: ThreadPoolExecutor, work: Any, items: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.float32]]:
    """`work` on each item in order, never more than a few ahead of what was taken."""
    running = [pool.submit(work, item) for item in items[:4]]
    for position in range(len(items)):
        result = running.pop(0).result()
        if position + 4 < len(items):
            running.append(pool.submit(work, items[position + 4]))
        yield result


def _claim(folder: Path, about: dict[str, Any]) -> None:
    file = folder / "about.json"
    if not file.exists():
        write_whole(file, json.dumps(about, indent=2, ensure_ascii=False) + "\n")
        return
    made_of, now = json.loads(file.read_text(encoding="utf-8")), json.loads(json.dumps(about))
    if "files" not in made_of["source"]:  # of a version that didn't look at them
        now["source"].pop("files", None)
    if made_of != now:
        raise ConfigError(
            f"{folder} holds crops of something else, or of photos that were written anew (see its about.json).",
            hint="Name another folder for these crops, or remove that one.",
        )


def _rows_of(folder: Path) -> list[dict[str, str]]:
    file = folder / CROPS_TABLE
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, fieldnames=_COLUMNS))


def _complete_rows(folder: Path) -> int:
    """How many photos are done; what an interruption left half written is cut off."""
    rows = _rows_of(folder)
    torn = bool(rows) and not (folder / CROPS_TABLE).read_bytes().endswith(b"\n")
    pixels = folder / "crops.u8"
    stored = pixels.stat().st_size // SIDE**2 // 3 if pixels.exists() else 0
    whole: list[dict[str, str]] = []
    for row in rows[: len(rows) - torn]:
        if None in row.values() or (not row["problem"] and stored == 0):
            break
        stored -= not row["problem"]
        whole.append(row)
    crops = sum(not row["problem"] for row in whole)
    with pixels.open("ab") as file:
        file.truncate(crops * SIDE**2 * 3)
    if len(whole) < len(rows):
        with (folder / CROPS_TABLE).open("w", encoding="utf-8", newline="") as lines:
            csv.DictWriter(lines, _COLUMNS).writerows(whole)
    return len(whole)


def _append(
    folder: Path,
    photos: Sequence[LabelledPhoto],
    cuts: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]] | MienError],
) -> None:
    with (folder / "crops.u8").open("ab") as pixels:
        for cut in cuts:
            if not isinstance(cut, MienError):
                pixels.write(cut[0].tobytes())
    with (folder / CROPS_TABLE).open("a", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        for photo, cut in zip(photos, cuts, strict=True):
            if isinstance(cut, MienError):
                writer.writerow([photo.key, photo.person, cut.message, *[""] * 10])
            else:
                writer.writerow([photo.key, photo.person, "", *(f"{value:.3f}" for value in cut[1].ravel())])


def _in_crop(face: Faces) -> NDArray[np.float32]:
    """Where a face's landmarks come to lie in its crop: (5, 2) float32."""
    transform = similarity_transforms(face.landmarks, TEMPLATES[TEMPLATE][1])[0]
    return np.asarray(face.landmarks[0] @ transform[:, :2].T + transform[:, 2], np.float32)
