"""The operations of ``Collection.bulk_write``, as pymongo's classes of these names.

>>> import nanodb
>>> from nanodb import DeleteMany, InsertOne, UpdateOne
>>> stock = nanodb.open(":memory:").stock
>>> done = stock.bulk_write([
...     InsertOne({"_id": "tea", "count": 5}),
...     UpdateOne({"_id": "tea"}, {"$inc": {"count": -1}}),
...     DeleteMany({"count": 0}),
... ])
>>> done.inserted_count, done.modified_count, done.deleted_count
(1, 1, 0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

from ._arguments import check_filter, check_replacement, check_update, filters_of, refuse_options

__all__ = [
    "DeleteMany",
    "DeleteOne",
    "InsertOne",
    "Operation",
    "ReplaceOne",
    "UpdateMany",
    "UpdateOne",
]


class _Operation:
    __slots__ = ("_arguments",)

    #: What the extension module is handed.
    _arguments: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._arguments[1:]))})"

    def _as_command(self) -> Any:
        """What pymongo tells of an operation that was refused."""
        return self._arguments[1]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Operation):
            return NotImplemented
        return self._arguments == other._arguments

    __hash__ = None  # type: ignore[assignment]


class InsertOne(_Operation):
    """Inserts a document."""

    __slots__ = ()

    def __init__(self, document: Any) -> None:
        self._arguments = ("insert", document)


class ReplaceOne(_Operation):
    """Replaces one document that matches a filter."""

    __slots__ = ()

    def __init__(
        self,
        filter: Mapping[str, Any],
        replacement: Mapping[str, Any],
        upsert: bool | None = False,
        **options: Any,
    ) -> None:
        refuse_options("ReplaceOne", options)
        check_replacement(replacement)
        self._arguments = ("replace", check_filter(filter), replacement, bool(upsert))

    def _as_command(self) -> dict[str, Any]:
        _, filter, replacement, upsert = self._arguments
        return {"q": filter, "u": replacement, "multi": False, "upsert": upsert}


class _Update(_Operation):
    __slots__ = ()

    def _as_command(self) -> dict[str, Any]:
        _, filter, update, array_filters, many, upsert = self._arguments
        command = {"q": filter, "u": update, "multi": many, "upsert": upsert}
        if array_filters is not None:
            command["arrayFilters"] = array_filters
        return command


class _Delete(_Operation):
    __slots__ = ()

    def _as_command(self) -> dict[str, Any]:
        _, filter, many = self._arguments
        return {"q": filter, "limit": 0 if many else 1}


class UpdateOne(_Update):
    """Updates one document that matches a filter."""

    __slots__ = ()

    def __init__(
        self,
        filter: Mapping[str, Any],
        update: Mapping[str, Any],
        upsert: bool | None = False,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        refuse_options("UpdateOne", options)
        check_update(update)
        filters = filters_of(array_filters)
        self._arguments = ("update", check_filter(filter), update, filters, False, bool(upsert))


class UpdateMany(_Update):
    """Updates all documents that match a filter."""

    __slots__ = ()

    def __init__(
        self,
        filter: Mapping[str, Any],
        update: Mapping[str, Any],
        upsert: bool | None = False,
        array_filters: Sequence[Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        refuse_options("UpdateMany", options)
        check_update(update)
        filters = filters_of(array_filters)
        self._arguments = ("update", check_filter(filter), update, filters, True, bool(upsert))


class DeleteOne(_Delete):
    """Deletes one document that matches a filter."""

    __slots__ = ()

    def __init__(self, filter: Mapping[str, Any], **options: Any) -> None:
        refuse_options("DeleteOne", options)
        self._arguments = ("delete", check_filter(filter), False)


class DeleteMany(_Delete):
    """Deletes all documents that match a filter."""

    __slots__ = ()

    def __init__(self, filter: Mapping[str, Any], **options: Any) -> None:
        refuse_options("DeleteMany", options)
        self._arguments = ("delete", check_filter(filter), True)


#: What ``bulk_write`` takes a list of.
Operation = Union[InsertOne, ReplaceOne, UpdateOne, UpdateMany, DeleteOne, DeleteMany]
