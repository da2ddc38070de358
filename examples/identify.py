"""Enrol people from one photo each; who is on another photo, or nobody we know?"""

import tempfile
from pathlib import Path

import mien
from mien.synthesis import generate

with tempfile.TemporaryDirectory() as folder:
    people = Path(folder) / "people"
    generate(people, people=4, photos=2)  # people who don't exist; use photos of your own here
    with mien.Gallery(Path(folder) / "gallery.db") as gallery:
        for number in (1, 2, 3):
            enrolment = gallery.enroll(f"Person {number}", [people / f"person-{number:04d}" / "0001.jpg"])
            for warning in enrolment.warnings:
                print("note -", warning)
        for photo in sorted(people.glob("*/0002.jpg")):
            for face in gallery.identify(photo, fpir=0.01):
                print(photo.parent.name, "->", face.decision, face.person)
        print(gallery.forget("Person 1").reason)
