import hashlib
import json
from collections.abc import Iterable


def list_hash(photos: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the list of a set: (key, person) of each photo, in order, as a line of JSON each."""
    digest = hashlib.sha256()
    for key, person in photos:
        digest.update(json.dumps([key, person], ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()
