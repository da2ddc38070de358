"""Are two photos of one person? And what would it take to be surer?"""

import tempfile

import mien
from mien.synthesis import generate

with tempfile.TemporaryDirectory() as folder:
    generate(folder, people=2, photos=2)  # people who don't exist; use photos of your own here
    recognizer = mien.Recognizer()

    same = recognizer.verify(f"{folder}/person-0001/0001.jpg", f"{folder}/person-0001/0002.jpg", fmr=1e-4)
    print(same.reason)

    missing = recognizer.verify(f"{folder}/person-0001/0001.jpg", f"{folder}/nobody.jpg")
    print(missing.reason)

    try:
        recognizer.verify(f"{folder}/person-0001/0001.jpg", f"{folder}/person-0002/0001.jpg", fmr=1e-9)
    except mien.CalibrationError as error:
        print("refused -", error)
