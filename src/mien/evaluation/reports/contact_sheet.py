"""A contact sheet: every group of faces on one page, to see at a glance whether they belong together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien._version import __version__
from mien.decisions import Clustering
from mien.decisions.wording import rate_words
from mien.evaluation.reports.page import last_part, render_page


def contact_sheet(clustering: Clustering, crops: Sequence[NDArray[np.uint8]], sources: Sequence[str]) -> str:
    """Lay out groups of faces as one HTML page with all its pictures inside.

    Args:
        clustering: The groups of N faces.
        crops: The N faces, each (H, W, 3) uint8 RGB of any size.
        sources: The N faces' photos. The page shows a path's last part, and the whole of it to whoever points there.

    Returns:
        The page, largest group first, the faces that are alone together at the end.

    Raises:
        ValueError: There are not as many crops or sources as faces.
    """
    faces = len(clustering.labels)
    if not len(crops) == len(sources) == faces:
        raise ValueError(f"{faces} faces, {len(crops)} crops and {len(sources)} sources: all three must be as many")

    def shown(members: NDArray[np.int64]) -> list[dict[str, object]]:
        return [{"crop": crops[face], "source": sources[face], "name": last_part(sources[face])} for face in members]

    groups = clustering.groups()
    return render_page(
        "contact_sheet.html.j2",
        clustering=clustering,
        groups=[shown(members) for members in groups if len(members) > 1],
        alone=[face for members in groups if len(members) == 1 for face in shown(members)],
        rate=rate_words(clustering.fmr.value) if clustering.fmr else "",
        version=__version__,
    )
