"""Crops that are aligned already, as face verification sets are often handed out: no face needs to be looked for."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from mien.errors import MienError, PhotoError
from mien.faces.alignment import TEMPLATES
from mien.faces.encoding import BATCH, Encoder, with_embeddings
from mien.faces.faces import Faces
from mien.photos import Photo, PhotoSource, name_of


def ready_crop(source: PhotoSource, template: str = "arcface-112") -> Faces:
    """The one face of an aligned crop: its landmarks lie where the template says, at the crop's own size.

    Encoders with that template see the crop as it is, others see it aligned anew.

    Args:
        source: A crop, as high and wide as the template is in proportion.
        template: A name of `mien.faces.TEMPLATES`.

    Raises:
        PhotoError: It is no picture, or has other proportions.
    """
    photo = Photo.open(source)
    (width, height), points = TEMPLATES[template]
    if photo.width * height != photo.height * width:
        raise PhotoError(
            f"{photo.source} is {photo.width} × {photo.height} pixels, which no crop aligned to {template} is.",
            hint=f"Such crops are {width} × {height}, or as much larger in both; for plain photos leave out --aligned.",
            code="photo.not-aligned",
        )
    scale = photo.width / width
    return Faces(
        boxes=np.array([[0, 0, photo.width, photo.height]], np.float32),
        # The middle of pixel 0 is 0, its edge is −½: so are the template's points.
        landmarks=np.asarray([(points + 0.5) * scale - 0.5], np.float32),
        scores=np.ones(1, np.float32),
        size=(photo.width, photo.height),
        source=photo.source,
        photo=photo,
    )


def embed_ready_crops(sources: Iterable[PhotoSource], encoder: Encoder) -> Iterator[Faces]:
    """Embed aligned crops, in order; one that can't be used has the reason in `Faces.problem`."""
    todo = iter(sources)
    while chunk := list(islice(todo, BATCH)):
        yield from with_embeddings([_or_problem(source) for source in chunk], encoder)


def _or_problem(source: PhotoSource) -> Faces:
    try:
        return ready_crop(source)
    except MienError as problem:
        return Faces(source=name_of(source), problem=problem)
