"""Exports a network: its graph, the graph in whole numbers, their cards, and proof that they are the same encoder."""

import re
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mien.errors import ConfigError
from mien.models import InputContract, ModelCard, OutputContract, load_card
from mien.training.data.sources import SyntheticPeople
from mien.training.exporting.forms import ExportedEncoder, float_form, int8_form
from mien.training.exporting.full_crops import FULL_SIDE, TEMPLATE, FullCrops
from mien.training.exporting.int8_graph import BATCH, as_graph_input
from mien.training.exporting.onnx_graph import OUTPUT, to_onnx

UNLICENSED = "Not stated by who trained it."


def export(
    network: nn.Module,
    folder: Path,
    *,
    name: str,
    side: int = FULL_SIDE,
    crops: NDArray[np.uint8] | None = None,
    title: str = "",
    training: str = "",
    figures: str = "",
    limits: str = "",
    licence: str = UNLICENSED,
    flip: bool = False,
    unit_length: bool = False,
    int8: bool = False,
    overwrite: bool = False,
    about: Mapping[str, str] | None = None,
) -> tuple[ExportedEncoder, ...]:
    """Write a network as an encoder that every part of mien takes by the path of its card.

    Each form is opened as a user would open it and compared on `crops` before anything is put into the folder; what was
    measured is written to its card.

    Args:
        network: (N, 3, S, S) float, (pixel − 127.5) / 128, to (N, D); it stays as it is.
        folder: Gets ``NAME.onnx`` and ``NAME.toml``, and with `int8` ``NAME-int8.onnx`` and ``NAME-int8.toml``.
        name: Letters, digits, dots, dashes and underscores.
        side: S, at most 112. The graph takes crops of 112 pixels at any S.
        crops: (N, 112, 112, 3) uint8, aligned to ``arcface-112``, N ≥ 2: half of them calibrate `int8`, all others
            are for comparing. By default 64 of people who don't exist; for `int8` real ones are better.
        title: What it is, as a line to read.
        training: What it was trained on and how, in words.
        figures: What was measured, in words.
        limits: What is known not to work, in words.
        licence: Of the weights: an SPDX expression or a sentence.
        flip: Whether an embedding is to be the sum of the crop's and its mirror image's.
        unit_length: Whether the graph brings embeddings to length 1; otherwise it gives raw ones. The encoder does in
            either case.
        int8: Write the form in whole numbers too.
        overwrite: Replace files of these names.
        about: More that the ONNX files say of themselves.

    Returns:
        The float form and, if asked for, the form in whole numbers.

    Raises:
        ConfigError: The name can't be one, or is taken in the folder.
        TrainingError: The network can't be written as ONNX, or a form's embeddings are too far from the network's.
    """
    if crops is None:
        crops = made_up_crops()
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (FULL_SIDE, FULL_SIDE, 3) or len(crops) < 2:
        raise ValueError(
            f"crops must be (N, {FULL_SIDE}, {FULL_SIDE}, 3) uint8, N ≥ 2, not {crops.shape} {crops.dtype}"
        )
    names = (name, f"{name}-int8") if int8 else (name,)
    _refuse_names(folder, names, overwrite=overwrite)
    draft = ModelCard(
        name=name,
        title=title or name,
        task="encoder",
        licence=licence,
        input=InputContract((FULL_SIDE,) * 2, "rgb", (127.5,) * 3, (1 / 128,) * 3, TEMPLATE, flip),
        output=OutputContract(OUTPUT, 1),
        training=training,
        figures=figures,
        limits=limits,
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as work:
        graph = to_onnx(network, side, unit_length=unit_length, about=about)
        whole = FullCrops(deepcopy(network).to("cpu", torch.float32), side, unit_length=unit_length)
        expected = _embeddings(whole.eval(), crops, flip=flip)
        draft = replace(draft, output=OutputContract(OUTPUT, expected.shape[1]))
        made = [float_form(draft, graph, Path(work), crops, expected)]
        if int8:
            made.append(int8_form(draft, graph, Path(work), crops))
        return tuple(_moved(one, folder) for one in made)


def made_up_crops(people: int = 32) -> NDArray[np.uint8]:
    """Two aligned crops of each of some people who don't exist: (2 × people, 112, 112, 3) uint8."""
    source = SyntheticPeople(people, 2, seed=1, aligned=True)
    return np.stack([np.asarray(photo.source, np.uint8) for photo in source.photos()])


def _moved(made: ExportedEncoder, folder: Path) -> ExportedEncoder:
    """The weights first, so that a card is never without them."""
    (made.file.parent / made.card.file).replace(folder / made.card.file)
    file = made.file.replace(folder / made.file.name)
    return replace(made, file=file, card=load_card(file))


def _embeddings(whole: nn.Module, crops: NDArray[np.uint8], *, flip: bool) -> NDArray[np.float32]:
    """What a network in evaluation mode makes of the crops, of unit length: (N, D)."""
    with torch.inference_mode():
        parts = []
        for start in range(0, len(crops), BATCH):
            pictures = torch.from_numpy(as_graph_input(crops[start : start + BATCH]))
            parts.append(whole(pictures) + (whole(pictures.flip(3)) if flip else 0))
        embeddings: NDArray[np.float32] = nn.functional.normalize(torch.cat(parts)).numpy()
    return embeddings


def _refuse_names(folder: Path, names: tuple[str, ...], *, overwrite: bool) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", names[0]):
        raise ConfigError(
            f"{names[0]!r} can't be the name of an encoder.", hint="Use letters, digits, dots, dashes and underscores."
        )
    for name in names:
        if not overwrite and (folder / f"{name}.toml").exists():
            raise ConfigError(
                f"There is an encoder {name} in {folder} already.",
                hint="Choose another name or folder, or allow it to be overwritten: galleries made with it need it.",
            )
