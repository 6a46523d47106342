"""What of pymongo's does not work here, and why.

The guide's page on Python has the same list; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from .errors import NotSupportedError

_INDEXES = "there are no secondary indexes yet: a search by anything but `_id` scans"
_AGGREGATION = "there is no aggregation yet; `distinct` and `count_by` do a part of it"
_ONE_PROCESS = "there is no server: the file is on this machine, and this process has it open"

#: Options of methods.
OPTIONS: dict[str, str] = {
    "collation": "text is compared by its bytes",
    "let": "conditions compare fields with values, and have no variables",
    "max_time_ms": "calls have no time limit",
    "maxTimeMS": "calls have no time limit",
    "max": "bounds of an index; " + _INDEXES,
    "min": "bounds of an index; " + _INDEXES,
    "return_key": _INDEXES,
    "show_record_id": "records have no numbers that are of use to a program",
    "snapshot": "use `Database.snapshot`",
    "cursor_type": "cursors end: collections are not capped",
    "oplog_replay": _ONE_PROCESS,
    "allow_partial_results": _ONE_PROCESS,
    "modifiers": "write the operators as arguments",
    "sort": "`find_one_and_update` and its siblings take an order",
    "filter": "choose among the names yourself",
}

#: Methods of collections.
COLLECTION_METHODS: dict[str, str] = {
    "aggregate": _AGGREGATION,
    "aggregate_raw_batches": _AGGREGATION,
    "create_index": _INDEXES,
    "create_indexes": _INDEXES,
    "create_search_index": _INDEXES,
    "create_search_indexes": _INDEXES,
    "drop_index": _INDEXES,
    "drop_indexes": _INDEXES,
    "drop_search_index": _INDEXES,
    "find_raw_batches": "documents are MessagePack, not BSON",
    "index_information": _INDEXES,
    "list_indexes": _INDEXES,
    "list_search_indexes": _INDEXES,
    "update_search_index": _INDEXES,
    "watch": "there are no change streams yet",
}

#: Methods of databases.
DATABASE_METHODS: dict[str, str] = {
    "aggregate": _AGGREGATION,
    "command": _ONE_PROCESS,
    "cursor_command": _ONE_PROCESS,
    "dereference": "references are documents; look the `_id` up yourself",
    "validate_collection": "use `Database.check`",
    "watch": "there are no change streams yet",
}

#: Methods of cursors.
CURSOR_METHODS: dict[str, str] = {
    "add_option": _ONE_PROCESS,
    "collation": OPTIONS["collation"],
    "max": OPTIONS["max"],
    "max_await_time_ms": OPTIONS["cursor_type"],
    "max_time_ms": OPTIONS["max_time_ms"],
    "min": OPTIONS["min"],
    "remove_option": _ONE_PROCESS,
    "where": "no code of a query is run",
}


def method(name: str, why: str) -> Callable[..., NoReturn]:
    """Makes a method that says why it does not work."""

    def refuse(self: object, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotSupportedError(f"`{name}` is not supported: {why}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Not supported: {why}."
    return refuse
