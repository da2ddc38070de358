"""Writes model cards as TOML."""

from pathlib import Path
from typing import Any

import tomli_w

from mien.models import ModelCard
from mien.whole_files import write_whole


def write_card(card: ModelCard, file: Path) -> None:
    """Write the card of one encoder whose weights lie beside it, as `mien.models.load_card` reads it."""
    words = {"training": card.training, "figures": card.figures, "limits": card.limits}
    content: dict[str, Any] = {
        "name": card.name,
        "title": card.title or card.name,
        "task": card.task,
        "licence": card.licence,
        "file": card.file,
        "sha256": card.sha256,
        "size_bytes": card.size_bytes,
        **{key: text for key, text in words.items() if text},
        "input": {
            "size": list(card.input.size or ()),
            "colour": card.input.colour,
            "mean": list(card.input.mean),
            "scale": list(card.input.scale),
            "template": card.input.template,
            "flip": card.input.flip,
        },
        "output": {"name": card.output.name, "dimensions": card.output.dimensions},
    }
    write_whole(file, tomli_w.dumps(content))
