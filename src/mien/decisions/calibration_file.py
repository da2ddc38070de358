"""The JSON form of a calibration, its canonical form and its hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.decisions.measured import CalibrationData, EncoderIdentity, LikelihoodMap, RateCurve, TailModel
from mien.errors import CalibrationError
from mien.plain_files import read_text

if TYPE_CHECKING:
    from mien.decisions.calibration import Calibration

SCHEMA = "mien.calibration/1"

_RECORDS = {
    "encoder": EncoderIdentity,
    "data": CalibrationData,
    "false_match": RateCurve,
    "false_non_match": RateCurve,
    "tail": TailModel,
    "likelihood": LikelihoodMap,
}
_MAY_BE_MISSING = ("false_non_match", "tail", "likelihood")


def content_of(calibration: "Calibration") -> dict[str, Any]:
    """Everything but the hash, as JSON-ready data."""
    plain = _plain_fields(calibration)
    del plain["whose"]
    if plain["smallest_modelled_fmr"] is None:
        del plain["smallest_modelled_fmr"]  # as in files from before there was such a thing
    return {"schema": SCHEMA, **plain}


def fields_of(content: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `Calibration` that `content` holds: the reverse of `content_of`."""
    values = {name: value for name, value in content.items() if name != "schema"}
    if "whose" in values:
        raise ValueError("whose people they are is for its user to say")
    for name, kind in _RECORDS.items():
        if values[name] is not None or name not in _MAY_BE_MISSING:
            record = kind(**{key: _array_of(value) for key, value in values[name].items()})
            _check_types(record)
            values[name] = record
    return {**values, "similarity": _array_of(values["similarity"])}


def hash_of(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical form: keys sorted, no spaces, UTF-8."""
    return hashlib.sha256(_canonical(content).encode(errors="backslashreplace")).hexdigest()


def text_of(content: dict[str, Any]) -> str:
    """A JSON file of `content`, a line for each top-level key."""
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {_canonical(value)}" for key, value in content.items()) + "\n}\n"


def read(path: str | Path) -> str:
    """The text of a calibration file.

    Raises:
        CalibrationError: If it can't be read or is not text.
    """
    try:
        return read_text(Path(path))
    except UnicodeDecodeError:
        raise not_a_calibration(path, "it is not text") from None
    except OSError as error:
        raise CalibrationError(
            f"The calibration {path} can't be read: {error.strerror or error}.",
            hint="Check the path, or make one with `mien calibrate`.",
            code="calibration.unreadable",
        ) from error


def checked_content(text: str, source: str) -> dict[str, Any]:
    """The content of a calibration file, without its hash, which fits.

    Raises:
        CalibrationError: If `text` is not a calibration of this schema, or was altered after it was made.
    """
    try:
        content: dict[str, Any] = json.loads(text)
        _canonical(content)  # refuses numbers that are no JSON, such as 1e999
    except (ValueError, RecursionError):
        raise not_a_calibration(source, "it is not JSON") from None
    if not isinstance(content, dict) or not str(content.get("schema", "")).startswith("mien.calibration/"):
        raise not_a_calibration(source, "its schema is missing")
    if content["schema"] != SCHEMA:
        raise CalibrationError(
            f"The calibration {source} has the schema {content['schema']}, and this mien reads {SCHEMA}.",
            hint="Update mien, or make the calibration again with `mien calibrate`.",
            code="calibration.schema",
        )
    stated = content.pop("sha256", None)
    if stated != hash_of(content):
        raise CalibrationError(
            f"The calibration {source} was altered after it was made: its content does not fit its SHA-256.",
            hint="Take the original, or make it again with `mien calibrate`.",
            code="calibration.altered",
        )
    return content


def not_a_calibration(source: str | Path, why: str) -> CalibrationError:
    """The error for a file that is something else."""
    return CalibrationError(
        f"{source} is not a calibration of mien: {why}.",
        hint="A calibration is a JSON file made by `mien calibrate`.",
        code="calibration.not-a-calibration",
    )


def _check_types(record: Any) -> None:
    """Refuse a record whose plain fields are not what they should be; counts are 0 or more."""
    for field in fields(record):
        if field.type not in (str, int, float):
            continue
        value = getattr(record, field.name)
        accepted: Any = (int, float) if field.type is float else field.type
        if isinstance(value, bool) or not isinstance(value, accepted) or (field.type is int and value < 0):
            raise TypeError(f"{field.name} can't be {value!r}")


def _plain_fields(record: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple(_RECORDS.values())):
        return _plain_fields(value)
    return dict(value) if isinstance(value, Mapping) else value


def _array_of(value: Any) -> Any:
    return np.array(value, np.float64) if isinstance(value, list) else value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
