"""`mien detect`: where are the faces?"""

import os
from glob import escape
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import JsonOption, PhotosArgument, RuntimeOption, SmallFacesOption, list_photos, share
from mien.cli.output import ExitCode, print_json, print_line, progress_shown, say_problems
from mien.cli.outputs import output_folder
from mien.errors import ConfigError

LONGEST_STEM = 200
"""Bytes; file systems take names of 255."""


def detect(
    photos: PhotosArgument,
    draw: Annotated[
        Path | None, typer.Option(callback=output_folder, help="Write each photo with its faces drawn to this folder.")
    ] = None,
    crops: Annotated[
        Path | None, typer.Option(callback=output_folder, help="Write each face, cut out and aligned, to this folder.")
    ] = None,
    max_side: Annotated[
        int, typer.Option(min=32, help="Shrink photos to this longer side, in pixels, for detection only.")
    ] = 640,
    min_score: Annotated[float, typer.Option(min=0.05, callback=share, help="Drop faces with a lower score.")] = 0.6,
    small_faces: SmallFacesOption = False,
    runtime: RuntimeOption = "auto",
    json: JsonOption = False,
) -> int:
    """Find the faces of photos. Exit code 0: all have one; 1: some have none; 3 or 5: some can't be used."""
    from mien.decisions.wording import counted
    from mien.errors import MienError
    from mien.faces import Detector
    from mien.faces import draw as drawn
    from mien.photos import save_picture
    from mien.progress import track

    detector = Detector.open(runtime=runtime, max_side=max_side, min_score=min_score, small_faces=small_faces)
    names = list_photos(photos)
    stems = [_stem(name, number if len(names) > 1 else None) for number, name in enumerate(names, start=1)]
    _refuse_to_replace(stems, draw, crops)
    found = []
    problems = {}
    with progress_shown():
        for stem, name in zip(stems, track(names, "detecting faces"), strict=True):
            try:
                faces = detector.detect(name)
                pixels = faces.photo.pixels if faces.photo else None
                found.append(faces.to_dict())
                if draw and pixels is not None:
                    save_picture(drawn(pixels, faces), draw / f"{stem}.jpg")
                if crops:
                    for face, crop in enumerate(faces.crops(), start=1):
                        save_picture(crop, crops / f"{stem}-{face}.png")
            except MienError as problem:
                problems[name] = problem.to_dict()
    if json:
        print_json({"photos": found, "problems": problems})
    else:
        for photo in found:
            boxes = "; ".join("{:.0f},{:.0f} {:.0f}×{:.0f}".format(*face["box"]) for face in photo["faces"])
            notes = f" ({'; '.join(photo['notes'])})" if photo["notes"] else ""
            print_line(
                f"{photo['source']}: {counted(len(photo['faces']), 'face')}{': ' if boxes else ''}{boxes}{notes}"
            )
    say_problems(problems)
    if problems:
        return ExitCode.SOME_FAILED if found else ExitCode.UNUSABLE
    return ExitCode.DONE if all(photo["faces"] for photo in found) else ExitCode.NO


def _stem(photo: str, number: int | None) -> str:
    """What the pictures made of a photo are called, with room for a number and an ending in the longest name."""
    stem = Path(photo).stem
    if len(encoded := os.fsencode(stem)) > LONGEST_STEM:
        stem = encoded[:LONGEST_STEM].decode(errors="ignore")  # which drops the half of a letter
    return stem if number is None else f"{number:05d}-{stem}"


def _refuse_to_replace(stems: list[str], draw: Path | None, crops: Path | None) -> None:
    """Refuse to write over a picture that is not an earlier run's."""
    from mien.photos import saved_here

    there = [draw / f"{stem}.jpg" for stem in stems] if draw else []
    there += [path for stem in stems for path in crops.glob(f"{escape(stem)}-[0-9]*.png")] if crops else []
    for path in there:
        if path.exists() and not saved_here(path):
            raise ConfigError(
                f"{path} is there already and is no picture that mien wrote.",
                hint="Name another folder, or remove it.",
                code="config.in-the-way",
            )
