"""Arguments as pymongo's methods take them, checked as pymongo checks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._unsupported import OPTIONS
from .errors import InvalidOperation, NotSupportedError

#: Sort keys of an ascending and of a descending order, as pymongo names them.
ASCENDING = 1
DESCENDING = -1

#: Options of pymongo's methods that change no answer here, and why. They are accepted.
WITHOUT_EFFECT = {
    "allow_disk_use": "a sort that is too large for memory uses a temporary file anyway",
    "bypass_document_validation": "collections have no validators",
    "comment": "it is for a server's log",
    "hint": "there are no secondary indexes to choose from",
    "no_cursor_timeout": "cursors have no time limit",
    "maxTimeMS": "it is a number for a server, and 0 or None here",
}


def refuse_options(method: str, options: Mapping[str, Any]) -> None:
    """Refuses options that would change an answer and are not carried out."""
    for name, value in options.items():
        if value is None or name in WITHOUT_EFFECT and name != "maxTimeMS":
            continue
        if name in OPTIONS:
            raise NotSupportedError(f"{method} does not support `{name}`: {OPTIONS[name]}")
        raise TypeError(f"{method}() got an unexpected keyword argument {name!r}")


def refuse_session(method: str, session: Any) -> None:
    """Refuses a transaction where it would change the answer and can't."""
    if session is not None:
        raise InvalidOperation(f"{method} is not a part of a transaction")


def check_filter(filter: Any) -> Any:
    """Returns a filter, if it is one."""
    if isinstance(filter, Mapping):
        return filter
    raise TypeError(f"filter must be a mapping, such as a dict, not {type(filter).__name__}")


def check_update(update: Any) -> Any:
    """Returns an update, if its names are operators."""
    if isinstance(update, Sequence) and not isinstance(update, str):
        raise NotSupportedError("an update that is a pipeline is not supported")
    if not isinstance(update, Mapping):
        raise TypeError(f"update must be a mapping, such as a dict, not {type(update).__name__}")
    if not update:
        raise ValueError("update cannot be empty")
    first = next(iter(update))
    if not (isinstance(first, str) and first.startswith("$")):
        raise ValueError("update only works with $ operators; to replace a document, replace_one")
    return update


def check_replacement(replacement: Any) -> Any:
    """Returns a replacement, if it is no update."""
    if isinstance(replacement, Mapping):
        first = next(iter(replacement), None)
        if isinstance(first, str) and first.startswith("$"):
            raise ValueError("replacement can not include $ operators")
    return replacement


def filters_of(array_filters: Any) -> list[Any] | None:
    """Returns array filters as a list."""
    if array_filters is None:
        return None
    if isinstance(array_filters, (Mapping, str)) or not isinstance(array_filters, Sequence):
        raise TypeError("array_filters must be a list of mappings")
    return list(array_filters)


def sort_of(sort: Any, direction: Any = None) -> dict[str, Any] | None:
    """Returns an order as a document, from any of the forms that pymongo takes."""
    if sort is None:
        return None
    if direction is not None:
        if not isinstance(sort, str):
            raise TypeError("with a direction, the first argument is the name of a field")
        return {sort: _direction(direction)}
    if isinstance(sort, str):
        return {sort: ASCENDING}
    pairs: Any = sort.items() if isinstance(sort, Mapping) else sort
    if not isinstance(pairs, Sequence) and not isinstance(sort, Mapping):
        raise TypeError("an order is a list of pairs of a name and a direction")
    order: dict[str, Any] = {}
    for pair in pairs:
        if isinstance(pair, str):
            order[pair] = ASCENDING
            continue
        try:
            name, way = pair
        except (TypeError, ValueError):
            raise TypeError(
                f"an order is a list of pairs of a name and a direction, not of {pair!r}"
            ) from None
        if not isinstance(name, str):
            raise TypeError(f"the name of a field is a str, not {type(name).__name__}")
        order[name] = _direction(way)
    return order


def _direction(direction: Any) -> Any:
    if isinstance(direction, Mapping) or direction in ("text", "2d", "2dsphere", "hashed"):
        raise NotSupportedError(f"an order by {direction!r} is not supported")
    return direction


def projection_of(projection: Any) -> Any:
    """Returns a projection as a document, from a list of names or a mapping."""
    if projection is None or isinstance(projection, Mapping):
        return projection or None
    if isinstance(projection, str) or not isinstance(projection, (Sequence, set, frozenset)):
        raise TypeError("a projection is a list of names, or a mapping")
    # As in pymongo, no names are the id alone.
    return {name: 1 for name in projection} or {"_id": 1}


def number_of(value: Any, name: str) -> int:
    """Returns a number of documents."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} must be 0 or more")
    return value
