from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from mien.evaluation.measures.estimate import Estimate, Unsupported


class JsonFields:
    """A dataclass whose JSON form is its fields by name."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return _json_fields(self)


def json_ready(result: Any) -> Any:
    """A result as JSON-ready data: dataclasses and dicts become dicts, arrays and tuples lists, numbers plain ones.

    Measures give their own `to_dict`; NaN becomes None, since JSON has no word for it.
    """
    if isinstance(result, Estimate | Unsupported):
        return result.to_dict()
    if isinstance(result, dict):
        return {str(key): json_ready(value) for key, value in result.items()}
    if is_dataclass(result):
        return _json_fields(result)
    if isinstance(result, np.ndarray | np.generic):
        return json_ready(result.tolist())
    if isinstance(result, list | tuple):
        return [json_ready(value) for value in result]
    return None if isinstance(result, float) and np.isnan(result) else result


def _json_fields(result: Any) -> dict[str, Any]:
    return {field.name: json_ready(getattr(result, field.name)) for field in fields(result)}
