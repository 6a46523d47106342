"""The same database for asyncio: each call runs in a thread, and is awaited.

It is a thin layer over :func:`asyncio.to_thread`. A read by id takes microseconds, less than it
takes to hand it to a thread: where the event loop can spare those, call the plain package.

>>> import asyncio
>>> from nanodb import aio
>>> async def main():
...     async with await aio.open(":memory:") as db:
...         await db.users.insert_one({"_id": 1, "name": "Alice"})
...         return [user["name"] async for user in db.users.find({})]
>>> asyncio.run(main())
['Alice']

A transaction is a plain function, which runs in one thread from its beginning to its end:

>>> async def transfer():
...     async with await aio.open(":memory:") as db:
...         def run(tx):
...             tx.orders.insert_one({"_id": 1})
...             tx.log.insert_one({"ordered": 1})
...         await db.with_transaction(run)
...         return await db.orders.count_documents({})
>>> asyncio.run(transfer())
1
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from . import collection as _collection
from . import cursor as _cursor
from . import database as _database

if TYPE_CHECKING:
    from types import TracebackType

    import pandas
    import polars
    import pyarrow

__all__ = ["AsyncCollection", "AsyncCursor", "AsyncDatabase", "open"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

#: How many documents are fetched at a time.
_PORTION = 256


async def open(path: str | os.PathLike[str] | None, **options: Any) -> AsyncDatabase:
    """Opens a database; see :func:`nanodb.open`."""
    return AsyncDatabase(await asyncio.to_thread(_database.open, path, **options))


def _of_collection(
    method: Callable[Concatenate[_collection.Collection, P], R],
) -> Callable[Concatenate[AsyncCollection, P], Coroutine[Any, Any, R]]:
    """Makes the method of this module that is called in a thread."""

    @wraps(method)
    async def call(self: AsyncCollection, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, self._plain, *args, **kwargs)

    return call


def _of_database(
    method: Callable[Concatenate[_database.Database, P], R],
) -> Callable[Concatenate[AsyncDatabase, P], Coroutine[Any, Any, R]]:
    """Makes the method of this module that is called in a thread."""

    @wraps(method)
    async def call(self: AsyncDatabase, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, self._plain, *args, **kwargs)

    return call


class AsyncCollection:
    """A collection, whose methods are awaited; see :class:`nanodb.Collection`."""

    __slots__ = ("_plain",)

    def __init__(self, plain: _collection.Collection) -> None:
        self._plain = plain

    @property
    def name(self) -> str:
        """Its name."""
        return self._plain.name

    def __repr__(self) -> str:
        return f"Async{self._plain!r}"

    def find(self, *args: Any, **kwargs: Any) -> AsyncCursor:
        """Searches for documents; see :meth:`nanodb.Collection.find`."""
        return AsyncCursor(self._plain.find(*args, **kwargs))

    insert_one = _of_collection(_collection.Collection.insert_one)
    insert_many = _of_collection(_collection.Collection.insert_many)
    find_one = _of_collection(_collection.Collection.find_one)
    count_documents = _of_collection(_collection.Collection.count_documents)
    estimated_document_count = _of_collection(_collection.Collection.estimated_document_count)
    distinct = _of_collection(_collection.Collection.distinct)
    count_by = _of_collection(_collection.Collection.count_by)
    update_one = _of_collection(_collection.Collection.update_one)
    update_many = _of_collection(_collection.Collection.update_many)
    replace_one = _of_collection(_collection.Collection.replace_one)
    delete_one = _of_collection(_collection.Collection.delete_one)
    delete_many = _of_collection(_collection.Collection.delete_many)
    find_one_and_update = _of_collection(_collection.Collection.find_one_and_update)
    find_one_and_replace = _of_collection(_collection.Collection.find_one_and_replace)
    find_one_and_delete = _of_collection(_collection.Collection.find_one_and_delete)
    bulk_write = _of_collection(_collection.Collection.bulk_write)
    drop = _of_collection(_collection.Collection.drop)
    rename = _of_collection(_collection.Collection.rename)
    get = _of_collection(_collection.Collection.get)
    put = _of_collection(_collection.Collection.put)


class AsyncCursor:
    """What a search finds, by ``async for``; see :class:`nanodb.Cursor`."""

    __slots__ = ("_plain",)

    def __init__(self, plain: _cursor.Cursor) -> None:
        self._plain = plain

    def __repr__(self) -> str:
        return f"Async{self._plain!r}"

    def sort(self, key_or_list: Any, direction: Any = None) -> AsyncCursor:
        """Sets the order."""
        self._plain.sort(key_or_list, direction)
        return self

    def skip(self, skip: int) -> AsyncCursor:
        """Leaves out the first documents."""
        self._plain.skip(skip)
        return self

    def limit(self, limit: int) -> AsyncCursor:
        """Ends the search after so many documents."""
        self._plain.limit(limit)
        return self

    def batch_size(self, batch_size: int) -> AsyncCursor:
        """Sets how many documents are fetched at a time."""
        self._plain.batch_size(batch_size)
        return self

    async def to_list(self, length: int | None = None) -> list[dict[str, Any]]:
        """Returns the documents that are left, ``length`` at most."""
        return await asyncio.to_thread(self._plain.to_list, length)

    async def to_arrow(self, *, mixed: str = "error") -> pyarrow.Table:
        """Returns all documents as a table; see :meth:`nanodb.Cursor.to_arrow`."""
        return await asyncio.to_thread(self._plain.to_arrow, mixed=mixed)

    async def to_pandas(self, *, mixed: str = "error", **options: Any) -> pandas.DataFrame:
        """Returns all documents as a data frame; see :meth:`nanodb.Cursor.to_pandas`."""
        return await asyncio.to_thread(self._plain.to_pandas, mixed=mixed, **options)

    async def to_polars(self, *, mixed: str = "error") -> polars.DataFrame:
        """Returns all documents as a data frame; see :meth:`nanodb.Cursor.to_polars`."""
        return await asyncio.to_thread(self._plain.to_polars, mixed=mixed)

    async def explain(self) -> dict[str, Any]:
        """Runs the search to its end, and returns how documents were found and how many."""
        return await asyncio.to_thread(self._plain.explain)

    async def next(self) -> dict[str, Any]:
        """Returns the next document, or raises ``StopAsyncIteration``."""
        found = await asyncio.to_thread(self._plain.try_next)
        if found is None:
            raise StopAsyncIteration
        return found

    async def __anext__(self) -> dict[str, Any]:
        return await self.next()

    async def close(self) -> None:
        """Lets go of what it reads from."""
        await asyncio.to_thread(self._plain.close)

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while portion := await asyncio.to_thread(self._plain.to_list, _PORTION):
            for document in portion:
                yield document


class AsyncDatabase:
    """A database, whose methods are awaited; see :class:`nanodb.Database`."""

    __slots__ = ("_plain",)

    def __init__(self, plain: _database.Database) -> None:
        self._plain = plain

    def __getitem__(self, name: str) -> AsyncCollection:
        return AsyncCollection(self._plain[name])

    def __getattr__(self, name: str) -> AsyncCollection:
        if name.startswith("_"):
            raise AttributeError(f"AsyncDatabase has no attribute {name!r}")
        return self[name]

    def __repr__(self) -> str:
        return f"Async{self._plain!r}"

    async def with_transaction(
        self, run: Callable[[_database.Transaction], T], *, durability: str | None = None
    ) -> T:
        """Calls a plain function with a transaction, all in one thread.

        See :meth:`nanodb.Database.with_transaction`.
        """
        return await asyncio.to_thread(self._plain.with_transaction, run, durability=durability)

    list_collection_names = _of_database(_database.Database.list_collection_names)
    drop_collection = _of_database(_database.Database.drop_collection)
    sync = _of_database(_database.Database.sync)
    checkpoint = _of_database(_database.Database.checkpoint)
    compact = _of_database(_database.Database.compact)
    check = _of_database(_database.Database.check)
    stats = _of_database(_database.Database.stats)
    close = _of_database(_database.Database.close)

    async def __aenter__(self) -> AsyncDatabase:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
