"""Cursors, chained as pymongo's are."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import _table, _unsupported
from ._arguments import number_of, sort_of
from .errors import InvalidOperation

if TYPE_CHECKING:
    from types import TracebackType

    import pandas
    import polars
    import pyarrow
    from typing_extensions import CapsuleType

    from ._nanodb import RawCollection, RawCursor
    from .collection import Collection

__all__ = ["Cursor"]


#: Held for the moment in which a cursor gets its search.
_STARTING = threading.Lock()


class Cursor:
    """What a search finds; made by ``Collection.find``.

    The search begins when the cursor is first asked for a document, and shows what was there then,
    whatever is written later. Until then it can be changed.

    >>> import nanodb
    >>> numbers = nanodb.open(":memory:").numbers
    >>> _ = numbers.insert_many([{"_id": n} for n in range(10)])
    >>> cursor = numbers.find().sort("_id", -1).skip(1).limit(3)
    >>> next(cursor), cursor.to_list()
    ({'_id': 8}, [{'_id': 7}, {'_id': 6}])
    >>> cursor.rewind()[0:2].to_list()
    [{'_id': 9}, {'_id': 8}]
    """

    __slots__ = (
        "_batch_size",
        "_collection",
        "_filter",
        "_found",
        "_is_closed",
        "_limit",
        "_projection",
        "_raw",
        "_skip",
        "_sort",
        "_threads",
        "__weakref__",
    )

    def __init__(
        self,
        collection: Collection,
        raw: RawCollection,
        filter: Mapping[str, Any],
        projection: Any,
        sort: dict[str, Any] | None,
        skip: int,
        limit: int,
        batch_size: int,
        threads: int,
    ) -> None:
        self._collection = collection
        self._raw = raw
        self._filter = filter
        self._projection = projection
        self._sort = sort
        self._skip = skip
        self._limit = _limit_of(limit)
        self._batch_size = number_of(batch_size, "batch_size")
        self._threads = number_of(threads, "threads")
        self._found: RawCursor | None = None
        self._is_closed = False

    @property
    def collection(self) -> Collection:
        """The collection that it searches."""
        return self._collection

    def __repr__(self) -> str:
        parts = [repr(self._filter)]
        if self._projection is not None:
            parts.append(f"projection={self._projection!r}")
        if self._sort:
            parts.append(f"sort={self._sort!r}")
        if self._skip:
            parts.append(f"skip={self._skip}")
        if self._limit:
            parts.append(f"limit={self._limit}")
        return f"Cursor({self._collection.name!r}, {', '.join(parts)})"

    # What it is to return.

    def sort(self, key_or_list: Any, direction: Any = None) -> Cursor:
        """Sets the order: a name and a direction, or a list of pairs of these."""
        self._check_unstarted()
        self._sort = sort_of(key_or_list, direction)
        return self

    def skip(self, skip: int) -> Cursor:
        """Leaves out the first documents."""
        self._check_unstarted()
        self._skip = number_of(skip, "skip")
        return self

    def limit(self, limit: int) -> Cursor:
        """Ends the search after so many documents; 0 is no limit."""
        self._check_unstarted()
        self._limit = _limit_of(limit)
        return self

    def batch_size(self, batch_size: int) -> Cursor:
        """Sets how many documents are fetched at a time. It changes no answer."""
        self._check_unstarted()
        self._batch_size = number_of(batch_size, "batch_size")
        return self

    def hint(self, index: Any) -> Cursor:
        """Does nothing: there are no secondary indexes to choose from."""
        return self

    def comment(self, comment: Any) -> Cursor:
        """Does nothing: it is for a server's log."""
        return self

    def allow_disk_use(self, allow_disk_use: bool) -> Cursor:
        """Does nothing: a sort that is too large for memory uses a temporary file anyway."""
        return self

    def __getitem__(self, index: Any) -> Any:
        """Returns one document by its position, or sets ``skip`` and ``limit`` by a slice."""
        self._check_unstarted()
        if isinstance(index, slice):
            if index.step is not None:
                raise IndexError("a cursor takes no slices with a step")
            start = 0 if index.start is None else _position_of(index.start, "the start")
            limit = 0
            if index.stop is not None:
                limit = _position_of(index.stop, "the end") - start
                if limit < 0:
                    raise IndexError("the end of the slice is before its start")
                if limit == 0:
                    return self._nothing()
            self._skip, self._limit = start, limit
            return self
        position = _position_of(index, "the index")
        one = self.clone()
        one._skip, one._limit = self._skip + position, 1
        for document in one:
            return document
        raise IndexError("the search does not find so many documents")

    def _nothing(self) -> Cursor:
        """Makes it a cursor of nothing, as an empty slice asks for."""
        self._filter = {"$and": [self._filter, {"_id": {"$in": []}}]}
        return self

    # Its documents.

    def _started(self) -> RawCursor:
        found = self._found
        if found is None:
            if self._is_closed:
                raise StopIteration
            found = self._raw.find(
                self._filter,
                self._projection,
                self._sort,
                self._skip,
                self._limit,
                self._batch_size,
                self._threads,
            )
            # Of threads that begin at the same moment, all take the search of one.
            with _STARTING:
                if self._found is None:
                    self._found = found
                else:
                    found = self._found
        return found

    def _check_unstarted(self) -> None:
        if self._found is not None or self._is_closed:
            raise InvalidOperation("a cursor can't be changed once the search has begun")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._is_closed and self._found is None:
            return iter(())
        # Which is this cursor, without a layer in between.
        return iter(self._started())

    def __next__(self) -> dict[str, Any]:
        return self._started().__next__()

    def next(self) -> dict[str, Any]:
        """Returns the next document, or raises ``StopIteration``."""
        return self.__next__()

    def try_next(self) -> dict[str, Any] | None:
        """Returns the next document, or ``None``."""
        return next(self, None)

    def to_list(self, length: int | None = None) -> list[dict[str, Any]]:
        """Returns the documents that are left, ``length`` at most."""
        if length is not None and number_of(length, "length") < 1:
            raise ValueError("length must be 1 or more, or None")
        if self._is_closed and self._found is None:
            return []
        return self._started().take(length)

    @property
    def alive(self) -> bool:
        """Whether there may be more documents."""
        if self._found is None:
            return not self._is_closed
        return self._found.alive

    def distinct(self, key: str) -> list[Any]:
        """Returns the values of a field in all documents that match the filter, each once."""
        return self._raw.distinct(key, self._filter)

    def explain(self) -> dict[str, Any]:
        """Runs the search to its end, and returns how documents were found and how many.

        >>> import nanodb
        >>> numbers = nanodb.open(":memory:").numbers
        >>> _ = numbers.insert_many([{"_id": n} for n in range(10)])
        >>> numbers.find({"_id": {"$in": [1, 2]}}).explain()["text"]
        'by 2 ids: 2 examined, 2 returned'
        >>> numbers.find({"n": 1}).explain()["access_path"]
        'collection_scan'
        """
        return self._raw.explain(
            self._filter, self._projection, self._sort, self._skip, self._limit
        )

    # As a table.

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType:
        """Hands the documents over as a table, to what understands Arrow's PyCapsule interface.

        See :meth:`to_arrow`. Which types are asked for changes nothing.
        """
        return self._stream("error")

    def to_arrow(self, *, mixed: str = "error") -> pyarrow.Table:
        """Returns all documents that the search finds as a table of pyarrow's.

        The columns are the fields of all documents, null in those that lack them. Their types are
        those of the values; ``ObjectId`` and ``UUID`` become text. A field that holds values which
        no one type has, such as ``5`` and ``"five"``, is an error, whose ``path`` names it; with
        ``mixed="string"`` all of its values become text instead, as JSON where they are none.

        Documents become columns without an object of Python's for any value. The search runs
        twice, over one state of the collection: first to learn the types. It is a search of its
        own, so that this cursor stays where it is.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"_id": 1, "age": 31}, {"_id": 2, "age": 4.5}, {"_id": 3}])
        >>> users.find().sort("_id", -1).to_arrow()["age"].to_pylist()
        [None, 4.5, 31.0]
        """
        return _table.needed("pyarrow", "to_arrow").table(_table.Stream(self._stream(mixed)))

    def to_pandas(self, *, mixed: str = "error", **options: Any) -> pandas.DataFrame:
        """Returns all documents that the search finds as a data frame of pandas'.

        It is that of :meth:`to_arrow`'s table; ``options`` are those of pyarrow's
        ``Table.to_pandas``. Unless they say otherwise, integers in a column that has nulls become
        floats, as pandas has them; ``types_mapper=pandas.ArrowDtype`` keeps the types.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"_id": 1, "age": 31}, {"_id": 2, "age": 4}])
        >>> users.find().to_pandas().set_index("_id")["age"].sum().item()
        35
        """
        _table.needed("pandas", "to_pandas")
        _table.needed("pyarrow", "to_pandas")
        return self.to_arrow(mixed=mixed).to_pandas(**options)

    def to_polars(self, *, mixed: str = "error") -> polars.DataFrame:
        """Returns all documents that the search finds as a data frame of Polars'.

        Its columns are those of :meth:`to_arrow`. pyarrow is not needed.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"_id": 1, "age": 31}, {"_id": 2, "age": 4}])
        >>> users.find().to_polars()["age"].max()
        31
        """
        return _table.needed("polars", "to_polars").DataFrame(_table.Stream(self._stream(mixed)))

    def _stream(self, mixed: str) -> CapsuleType:
        return self._raw.arrow(
            self._filter,
            self._projection,
            self._sort,
            self._skip,
            self._limit,
            self._threads,
            mixed,
        )

    # Its life.

    def clone(self) -> Cursor:
        """Returns a cursor of the same search that has not begun."""
        return Cursor(
            self._collection,
            self._raw,
            self._filter,
            self._projection,
            self._sort,
            self._skip,
            self._limit,
            self._batch_size,
            self._threads,
        )

    __copy__ = clone

    def rewind(self) -> Cursor:
        """Makes it a search that has not begun."""
        self.close()
        self._found, self._is_closed = None, False
        return self

    def close(self) -> None:
        """Lets go of what it reads from; then it has no more documents."""
        if self._found is not None:
            self._found.close()
        self._is_closed = True

    def __enter__(self) -> Cursor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _position_of(position: Any, name: str) -> int:
    if isinstance(position, int) and position < 0:
        raise IndexError(f"{name} must be 0 or more: a cursor does not know its end")
    return number_of(position, name)


def _limit_of(limit: Any) -> int:
    # A negative one is a limit as well, and for pymongo a single batch.
    if isinstance(limit, int) and limit < 0:
        return -limit
    return number_of(limit, "limit")


for _name, _why in _unsupported.CURSOR_METHODS.items():
    setattr(Cursor, _name, _unsupported.method(_name, _why))
