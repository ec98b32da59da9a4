"""Nouns to plain data, back, and to a JSON Schema, driven by their type hints alone.

Understands str, int, float, bool, None, Literal, unions, tuples, mappings with string keys and dataclasses
of these. A boolean array becomes ``{"shape", "runs"}``: run lengths in C order, starting with False.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError, OsteoscopeError

T = TypeVar("T")
# Of all masks in one file. A choice: twice the largest volume that the intake takes by default.
_MOST_ELEMENTS = 2 * 512 * 512 * 4000
_MASK_KEYS = frozenset({"shape", "runs"})
_SCALARS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def encode(value: Any) -> Any:
    """Plain data (dict, list, str, number, bool, None) of any noun."""
    if isinstance(value, np.ndarray):
        return _encode_mask(value)
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], data: Any) -> T:
    """The noun of that type from plain data.

    Raises:
        InvalidValueError: the data does not fit the type (the text names the place), or its masks are beyond any image.
    """
    elements = _mask_elements(data)
    if elements > _MOST_ELEMENTS:
        found = f"masks of {elements} elements in all, where {_MOST_ELEMENTS} are allowed"
        raise InvalidValueError(f"read {kind.__name__}", found, "Make the file again")
    try:
        return _decode(kind, data, kind.__name__)  # type: ignore[no-any-return]
    except RecursionError as error:
        raise InvalidValueError(f"read {kind.__name__}", "data nested too deep", f"Give {_named(kind)}") from error


def parse(kind: type[T], text: str) -> T:
    """The noun of that type from JSON.

    Raises:
        InvalidValueError: as ``decode``, or the text is no JSON.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        found = f"no JSON that can be read ({type(error).__name__}: {error})"
        raise InvalidValueError(f"read {kind.__name__}", found, f"Give {_named(kind)}") from error
    return decode(kind, data)


def schema(kind: type[Any], identifier: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a noun."""
    definitions: dict[str, Any] = {}
    root = _schema(kind, definitions)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identifier, **root, "$defs": definitions}


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _is_mask(kind: Any) -> bool:
    return get_origin(kind) is np.ndarray


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _decode(kind: Any, data: Any, where: str) -> Any:
    try:
        return _decoded(kind, data, where)
    except OsteoscopeError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidValueError(f"read {where}", f"{str(data)[:80]!r}, {error}", f"Give {_named(kind)}") from error


def _decoded(kind: Any, data: Any, where: str) -> Any:
    if _is_union(kind):
        return _decode_union(kind, data, where)
    if get_origin(kind) is Literal:
        return data if data in get_args(kind) else _misfit(where, data, f"one of {get_args(kind)}")
    if _is_mask(kind):
        return _decode_mask(data, where)
    if is_dataclass(kind):
        return _decode_dataclass(kind, data, where)
    if get_origin(kind) is tuple:
        return _decode_tuple(get_args(kind), data, where)
    if get_origin(kind) is not None and isinstance(data, Mapping):
        return {key: _decode(get_args(kind)[1], item, f"{where}.{key}") for key, item in data.items()}
    if kind is float and type(data) is int:
        return float(data)
    return data if type(data) is kind else _misfit(where, data, _named(kind))


def _named(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))


def _decode_union(kind: Any, data: Any, where: str) -> Any:
    options = get_args(kind)
    if type(data) in options:
        return data
    if data is None:
        return _misfit(where, data, str(kind))
    return _decode(next(o for o in options if o is not type(None)), data, where)


def _decode_dataclass(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        return _misfit(where, data, "an object")
    hints = _hints(kind)
    names = [field.name for field in fields(kind)]
    if set(data) != set(names):
        return _misfit(where, sorted(data), f"the fields {names}")
    return kind(**{name: _decode(hints[name], data[name], f"{where}.{name}") for name in names})


def _decode_tuple(items: tuple[Any, ...], data: Any, where: str) -> Any:
    if not isinstance(data, list):
        return _misfit(where, data, "a list")
    if items[-1] is Ellipsis:
        return tuple(_decode(items[0], item, f"{where}[{n}]") for n, item in enumerate(data))
    if len(items) != len(data):
        return _misfit(where, data, f"{len(items)} items")
    return tuple(_decode(kind, item, where) for kind, item in zip(items, data, strict=True))


def _misfit(where: str, data: Any, wanted: str) -> Any:
    raise InvalidValueError(f"read {where}", f"{str(data)[:80]!r}", f"Give {wanted}")


def _encode_mask(mask: NDArray[Any]) -> dict[str, Any]:
    flat = np.concatenate(([False], mask.ravel(), [not mask.ravel()[-1]]))
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return {"shape": list(mask.shape), "runs": np.diff(changes, prepend=0).tolist()}


def _mask_elements(data: Any) -> int:
    """Of all masks in plain data: a few bytes may stand for any number."""
    elements, left = 0, [data]
    while left:
        item = left.pop()
        if isinstance(item, Mapping):
            shape = item["shape"] if item.keys() == _MASK_KEYS else None
            if isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape):
                elements += math.prod(shape)
            elif shape is None:
                left += item.values()
        elif isinstance(item, list):
            left += [held for held in item if isinstance(held, (Mapping, list))]
    return elements


def _decode_mask(data: Any, where: str) -> NDArray[np.bool_]:
    if not isinstance(data, Mapping) or set(data) != _MASK_KEYS:
        return _misfit(where, data, "an object of shape and runs")  # type: ignore[no-any-return]
    for name in ("shape", "runs"):
        given = data[name]
        if not isinstance(given, list) or not given or not all(type(n) is int and n >= 0 for n in given):
            return _misfit(f"{where}.{name}", given, "whole numbers from 0 on")  # type: ignore[no-any-return]
    shape, runs = data["shape"], data["runs"]
    if sum(runs) != math.prod(shape):
        return _misfit(where, shape, "runs that add up to the shape")  # type: ignore[no-any-return]
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(shape)


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if _is_union(kind):
        return {"anyOf": [_schema(option, definitions) for option in get_args(kind)]}
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if _is_mask(kind):
        counts = {"type": "array", "items": {"type": "integer", "minimum": 0}}
        return _object({"shape": counts, "runs": counts})
    if get_origin(kind) is tuple:
        items = get_args(kind)
        if items[-1] is Ellipsis:
            return {"type": "array", "items": _schema(items[0], definitions)}
        return {
            "type": "array",
            "prefixItems": [_schema(i, definitions) for i in items],
            "minItems": len(items),
            "maxItems": len(items),
        }
    if is_dataclass(kind):
        return _schema_of_dataclass(kind, definitions)
    return {"type": "object", "additionalProperties": _schema(get_args(kind)[1], definitions)}


def _schema_of_dataclass(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}
        hints = _hints(kind)
        summary = (kind.__doc__ or "").split("\n")[0]
        properties = {field.name: _schema(hints[field.name], definitions) for field in fields(kind)}
        definitions[kind.__name__] = {"description": summary, **_object(properties)}
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
