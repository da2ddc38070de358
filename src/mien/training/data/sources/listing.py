import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def list_hash(photos: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the list of a set: (key, person) of each photo, in order, as a line of JSON each."""
    digest = hashlib.sha256()
    for key, person in photos:
        digest.update(json.dumps([key, person], ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def state_hash(files: Iterable[Path]) -> str:
    """SHA-256 over the size of each file and when it was last written: another one where any was written anew."""
    digest = hashlib.sha256()
    for file in files:
        stat = file.stat() if file.exists() else None  # what is missing is told when it is opened
        digest.update(f"{stat.st_size} {stat.st_mtime_ns}\n".encode() if stat else b"-\n")
    return digest.hexdigest()
