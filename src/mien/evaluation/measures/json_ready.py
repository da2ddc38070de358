from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from mien.evaluation.measures.estimate import Estimate, Unsupported


def json_fields(result: Any) -> dict[str, Any]:
    """The fields of a dataclass as JSON-ready data, by name."""
    return {field.name: json_ready(getattr(result, field.name)) for field in fields(result)}


def json_ready(result: Any) -> Any:
    """A result as JSON-ready data: dataclasses and dicts become dicts, arrays and tuples lists, numbers plain ones.

    Measures give their own `to_dict`; NaN becomes None, since JSON has no word for it.
    """
    if isinstance(result, Estimate | Unsupported):
        return result.to_dict()
    if isinstance(result, dict):
        return {str(key): json_ready(value) for key, value in result.items()}
    if is_dataclass(result):
        return json_fields(result)
    if isinstance(result, np.ndarray | np.generic):
        return json_ready(result.tolist())
    if isinstance(result, list | tuple):
        return [json_ready(value) for value in result]
    return None if isinstance(result, float) and np.isnan(result) else result
