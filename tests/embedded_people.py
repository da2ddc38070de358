"""Embedded photos of people who don't exist, for tests that need neither photos nor a network."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mien.decisions import EncoderIdentity
from mien.evaluation import EmbeddedPhotos

ENCODER = EncoderIdentity("fake", "f" * 64)


def vectors(people: Sequence[str], *, noise: float = 0.6, dimensions: int = 32, seed: int = 0) -> NDArray[np.float32]:
    """(N, D) of unit length: each person's own direction, and `noise` times as long a random one."""
    rng = np.random.default_rng(seed)
    own = {name: rng.normal(size=dimensions) for name in dict.fromkeys(people)}
    found = np.array([own[name] + noise * rng.normal(size=dimensions) for name in people]).reshape(-1, dimensions)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def embedded(person: Mapping[str, str], *, without: Collection[str] = (), noise: float = 0.6) -> EmbeddedPhotos:
    """The photos of people, by name; those of `without` have no face."""
    found = [photo for photo in person if photo not in without]
    made = dict(zip(person, vectors(list(person.values()), noise=noise), strict=True))
    return EmbeddedPhotos(
        names=found,
        embeddings=np.array([made[photo] for photo in found], np.float32),
        quality=np.linspace(0.7, 1, len(found), dtype=np.float32),
        without_face=list(without),
        encoder=ENCODER,
    )
