"""`mien detect`: where are the faces?"""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import JsonOption, PhotosArgument, RuntimeOption, SmallFacesOption, list_photos, output_folder
from mien.cli.output import ExitCode, print_json, progress_shown, say_problems


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
    min_score: Annotated[float, typer.Option(min=0.05, max=1.0, help="Drop faces with a lower score.")] = 0.6,
    small_faces: SmallFacesOption = False,
    runtime: RuntimeOption = "auto",
    json: JsonOption = False,
) -> int:
    """Find the faces of photos. Exit code 0: all have one; 1: some have none; 3 or 5: some can't be used."""
    from mien.errors import MienError
    from mien.faces import Detector
    from mien.faces import draw as drawn
    from mien.photos import save_picture
    from mien.progress import track

    detector = Detector.open(runtime=runtime, max_side=max_side, min_score=min_score, small_faces=small_faces)
    names = list_photos(photos)
    found = []
    problems = {}
    with progress_shown():
        for number, name in enumerate(track(names, "detecting faces")):
            try:
                faces = detector.detect(name)
                pixels = faces.photo.pixels if faces.photo else None
            except MienError as problem:
                problems[name] = problem.to_dict()
                continue
            found.append(faces.to_dict())
            stem = f"{number + 1:05d}-{Path(name).stem}" if len(names) > 1 else Path(name).stem
            if draw and pixels is not None:
                save_picture(drawn(pixels, faces), draw / f"{stem}.jpg")
            if crops:
                for face, crop in enumerate(faces.crops(), start=1):
                    save_picture(crop, crops / f"{stem}-{face}.png")
    if json:
        print_json({"photos": found, "problems": problems})
    else:
        for photo in found:
            boxes = "; ".join("{:.0f},{:.0f} {:.0f}×{:.0f}".format(*face["box"]) for face in photo["faces"])
            notes = f" ({'; '.join(photo['notes'])})" if photo["notes"] else ""
            print(f"{photo['source']}: {len(photo['faces'])} faces{': ' if boxes else ''}{boxes}{notes}")
    say_problems(problems)
    if problems:
        return ExitCode.SOME_FAILED if found else ExitCode.UNUSABLE
    return ExitCode.DONE if all(photo["faces"] for photo in found) else ExitCode.NO
