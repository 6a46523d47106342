"""Databases, transactions and snapshots."""

from __future__ import annotations

import atexit
import os
import random
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from . import _nanodb, _unsupported
from ._arguments import refuse_options, refuse_session
from .collection import Collection
from .errors import CollectionInvalid, InvalidName, InvalidOperation

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Database", "Snapshot", "Transaction", "open"]

T = TypeVar("T")

#: How often a transaction that can't even lock what it needs is tried.
_LOCK_ATTEMPTS_MAX = 64

#: The databases that are open, to be closed before the interpreter ends.
_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()


def open(
    path: str | os.PathLike[str] | None,
    *,
    create: bool = True,
    read_only: bool = False,
    durability: str = "immediate",
    ids: str = "objectid",
    tz_aware: bool = True,
    lock_timeout: float = 0.0,
    cache_bytes_max: int | None = None,
    index_bytes_max: int | None = None,
    log_bytes_max: int | None = None,
    transaction_bytes_max: int | None = None,
    file_bytes_max: int | None = None,
    relaxed_flush_interval: float | None = None,
    background: bool | None = None,
    allow_missing_log: bool | None = None,
) -> Database:
    """Opens the database in a file, and creates the file if there is none.

    ``":memory:"`` and ``None`` are a database in memory.

    create
        Whether a missing file is created.
    read_only
        Whether it is only read. Any number of processes may read a file that none has open for
        writing.
    durability
        What a write survives once its call has returned: ``"immediate"`` (a power failure),
        ``"buffered"`` (the process being killed) or ``"relaxed"`` (neither, for a second).
    ids
        What a document without ``_id`` gets: ``"objectid"``, as in pymongo, or ``"integer"``, the
        next one.
    tz_aware
        Whether times come back with the time zone UTC, or, as pymongo's do by default, without one.
    lock_timeout
        How many seconds to wait for another process that has the file open.
    cache_bytes_max, index_bytes_max
        How much memory pages and the index of ids may take.
    file_bytes_max
        How long the file may become.
    log_bytes_max, transaction_bytes_max, relaxed_flush_interval, background, allow_missing_log
        As in the Rust library's ``Options``; times are in seconds.

    >>> import nanodb
    >>> with nanodb.open(":memory:") as db:
    ...     _ = db.users.insert_one({"_id": 1, "name": "Alice"})
    ...     db["users"].find_one(1)
    {'_id': 1, 'name': 'Alice'}
    """
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be a str or a path, not {type(path).__name__}")
    in_memory = path is None or (isinstance(path, str) and path == ":memory:")
    options = {
        "create": create,
        "read_only": read_only,
        "durability": durability,
        "lock_timeout": lock_timeout,
        "cache_bytes_max": cache_bytes_max,
        "index_bytes_max": index_bytes_max,
        "log_bytes_max": log_bytes_max,
        "transaction_bytes_max": transaction_bytes_max,
        "file_bytes_max": file_bytes_max,
        "relaxed_flush_interval": relaxed_flush_interval,
        "background": background,
        "allow_missing_log": allow_missing_log,
    }
    raw = _nanodb.open(None if in_memory else path, options, ids, tz_aware)
    database = Database(raw)
    _OPEN.add(database)
    return database


@atexit.register
def _close_all() -> None:
    for database in list(_OPEN):
        try:
            database.close()
        except Exception:  # noqa: BLE001, S110 (nothing is lost: the next opening reads the logs)
            pass


class _Collections:
    """What has collections by name: a database, a transaction, a snapshot."""

    __slots__ = ("__weakref__",)

    @property
    def _database(self) -> Database:
        raise NotImplementedError

    def _collection(self, name: str) -> Collection:
        raise NotImplementedError

    def __getitem__(self, name: str) -> Collection:
        return self._collection(_check_name(name))

    def __getattr__(self, name: str) -> Collection:
        if name.startswith("_"):
            kind = type(self).__name__
            raise AttributeError(
                f"{kind} has no attribute {name!r}; for the collection of that name, write "
                f"{kind.lower()}[{name!r}]"
            )
        return self._collection(_check_name(name))

    def get_collection(self, /, name: str, *args: Any, **options: Any) -> Collection:
        """Returns the collection of that name."""
        return self[name]

    def __bool__(self) -> bool:
        return True

    # A look at an index would otherwise be taken for a sequence.
    __iter__: Any = None


def _check_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a collection must be a str, not {type(name).__name__}")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidName(f"{name!r} cannot name a collection: it has no UTF-8") from None
    if not 1 <= size <= _nanodb.COLLECTION_NAME_BYTES_MAX or "\0" in name:
        raise InvalidName(
            f"{name[:40]!r} cannot name a collection: names have 1 to "
            f"{_nanodb.COLLECTION_NAME_BYTES_MAX} bytes and no NUL"
        )
    return name


class Database(_Collections):
    """A database, open in this process; made by :func:`open`.

    It can be used from any number of threads, and closed by ``with``:

    >>> import nanodb
    >>> with nanodb.open(":memory:") as db:
    ...     db.users.insert_one({"name": "Alice"}).acknowledged
    ...     db.list_collection_names()
    True
    ['users']
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: _nanodb.RawDatabase) -> None:
        self._raw = raw

    @property
    def _database(self) -> Database:
        return self

    def _collection(self, name: str) -> Collection:
        return Collection(self, self._raw.collection(name))

    # What it is.

    @property
    def path(self) -> Path | None:
        """Where the file is; ``None`` if the database is in memory."""
        path = self._raw.path
        return None if path is None else Path(path)

    @property
    def name(self) -> str:
        """The name of the file without its suffix; ``memory`` if there is none."""
        path = self.path
        return "memory" if path is None else path.stem

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return not self._raw.is_open

    def __repr__(self) -> str:
        path = self.path
        where = "':memory:'" if path is None else repr(str(path))
        return f"Database({where}{', closed' if self.closed else ''})"

    def with_options(self, /, *args: Any, **kwargs: Any) -> Database:
        """Returns itself: what pymongo's options say is for a server."""
        return self

    # Its collections.

    def list_collection_names(
        self, /, session: Transaction | None = None, filter: Any = None, **options: Any
    ) -> list[str]:
        """Returns the names of the collections, in order."""
        refuse_options("list_collection_names", {"filter": filter or None, **options})
        refuse_session("list_collection_names", session)
        return [name for name, _ in self._raw.collections()]

    def list_collections(
        self, /, session: Transaction | None = None, filter: Any = None, **options: Any
    ) -> Iterator[dict[str, Any]]:
        """Yields the collections, with name and count.

        >>> import nanodb
        >>> db = nanodb.open(":memory:")
        >>> _ = db.users.insert_one({})
        >>> list(db.list_collections())
        [{'name': 'users', 'type': 'collection', 'count': 1}]
        """
        refuse_options("list_collections", {"filter": filter or None, **options})
        refuse_session("list_collections", session)
        collections = self._raw.collections()
        return iter(
            [{"name": name, "type": "collection", "count": count} for name, count in collections]
        )

    def __contains__(self, name: object) -> bool:
        return any(name == other for other, _ in self._raw.collections())

    def create_collection(self, /, name: str, *args: Any, **options: Any) -> Collection:
        """Creates a collection without documents; the first insert would create it as well."""
        options.pop("check_exists", None)
        refuse_options("create_collection", options)
        collection = self[name]
        with self.transaction() as tx:
            if name in self:
                raise CollectionInvalid(f"there is a collection {name!r} already")
            tx[name].put("", {})
            del tx[name][""]
        return collection

    def drop_collection(self, /, name_or_collection: str | Collection, **options: Any) -> bool:
        """Drops a collection with all its documents; returns whether there was one."""
        refuse_session("drop_collection", options.pop("session", None))
        refuse_options("drop_collection", options)
        name = name_or_collection
        if isinstance(name, Collection):
            name = name.name
        return self._raw.drop_collection(_check_name(name))

    def _rename(self, name: str, new_name: str) -> None:
        self._raw.rename_collection(name, _check_name(new_name))

    # Several reads or writes as one.

    def transaction(self, *, durability: str | None = None) -> Transaction:
        """Begins a transaction, which commits at the end of a ``with``.

        It is rolled back if an exception leaves the ``with``. ``durability`` overrides that of the
        database.

        When two transactions wait for each other, one gets :class:`ConflictError`;
        :meth:`with_transaction` runs it again.

        >>> import nanodb
        >>> db = nanodb.open(":memory:")
        >>> with db.transaction() as tx:
        ...     _ = tx["orders"].insert_one({"_id": 1, "item": "tea"})
        ...     _ = tx.log.insert_one({"ordered": 1})
        ...     db.orders.count_documents({})
        0
        >>> db.orders.count_documents({})
        1
        """
        return Transaction(self, self._raw.begin(durability))

    def with_transaction(
        self, run: Callable[[Transaction], T], *, durability: str | None = None
    ) -> T:
        """Calls a function with a transaction, commits that, and returns what the function did.

        If the function raises an exception, the transaction is rolled back. If another transaction
        was in the way, the function is called again with a new one, so it must be safe to repeat.
        Within it, write through the transaction only.

        >>> import nanodb
        >>> db = nanodb.open(":memory:")
        >>> db.accounts["alice"] = {"cents": 500}
        >>> db.accounts["bob"] = {"cents": 0}
        >>> def transfer(tx):
        ...     accounts = tx.accounts
        ...     taken = accounts.update_one(
        ...         {"_id": "alice", "cents": {"$gte": 100}}, {"$inc": {"cents": -100}}
        ...     )
        ...     if taken.modified_count == 0:
        ...         raise ValueError("not enough")
        ...     accounts.update_one({"_id": "bob"}, {"$inc": {"cents": 100}})
        >>> db.with_transaction(transfer)
        >>> db.accounts["bob"]["cents"]
        100
        """
        refused: set[str] = set()
        in_vain = 0
        while True:
            tx = self.transaction(durability=durability)
            is_running = False
            try:
                # In order, so that transactions that do the same form no cycle.
                for name in sorted(refused):
                    tx._raw.lock(name)
                is_running = True
                result = run(tx)
                # A conflict counts even if the function has swallowed it.
                if tx._raw.conflict is None:
                    if not tx.is_over:
                        tx.commit()
                    return result
            except BaseException:
                if tx._raw.conflict is None:
                    raise
                if not is_running:
                    in_vain += 1
                    if in_vain > _LOCK_ATTEMPTS_MAX:
                        # The other one is of this very thread.
                        raise
                    time.sleep(random.uniform(0, 0.002) * in_vain)
            finally:
                conflict = tx._raw.conflict
                tx.rollback()
            if conflict is not None:
                refused.add(conflict)

    def snapshot(self) -> Snapshot:
        """Returns a view of all collections as they are now, which stays the same.

        >>> import nanodb
        >>> db = nanodb.open(":memory:")
        >>> db.users[1] = {"age": 30}
        >>> with db.snapshot() as before:
        ...     db.users[1] = {"age": 31}
        ...     before.users[1]["age"], db.users[1]["age"]
        (30, 31)
        """
        return Snapshot(self, self._raw.snapshot())

    # The file.

    def sync(self) -> None:
        """Returns once everything written so far would survive a power failure."""
        self._raw.sync()

    def checkpoint(self) -> None:
        """Writes everything that is in the log into the file, and syncs it."""
        self._raw.checkpoint()

    def compact(self, progress: Callable[[int, int, int], Any] | None = None) -> bool:
        """Makes the file as short as possible, while readers and writers go on.

        ``progress`` is called with the round, the pages done in it and all its pages, and ends it
        by returning ``False``. Returns whether it was done to the end.
        """
        return self._raw.compact(progress)

    def check(self, progress: Callable[[int, int], Any] | None = None) -> dict[str, Any] | None:
        """Reads everything and reports what is wrong.

        ``progress`` is called with the pages done and all pages, and ends it by returning
        ``False``: then there is no report.

        >>> import nanodb
        >>> db = nanodb.open(":memory:")
        >>> db.users[1] = {}
        >>> report = db.check()
        >>> report["clean"], report["documents"], report["problems"]
        (True, 1, [])
        """
        return self._raw.check(progress)

    def stats(self) -> dict[str, Any]:
        """Returns figures of the file and of each collection."""
        return self._raw.stats()

    def open_report(self) -> dict[str, Any]:
        """Returns what opening found: whether the file had been closed, or what was recovered."""
        return self._raw.open_report()

    def close(self) -> None:
        """Closes the database; all its collections, cursors and transactions are closed with it.

        Closing it again does nothing.
        """
        _OPEN.discard(self)
        try:
            self._raw.close()
        except InvalidOperation as error:
            if error.kind != "closed":
                raise

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


for _name, _why in _unsupported.DATABASE_METHODS.items():
    setattr(Database, _name, _unsupported.method(_name, _why))


class Transaction(_Collections):
    """Several writes that are made as a whole or not at all; made by ``Database.transaction``.

    ``tx["users"]`` and ``tx.users`` are collections within it, whose reads see what it has done. A
    method of another collection takes it as ``session=tx``, too, as pymongo's code has it.
    """

    __slots__ = ("_of", "_raw")

    def __init__(self, of: Database, raw: _nanodb.RawTransaction) -> None:
        self._of = of
        self._raw = raw

    @property
    def _database(self) -> Database:
        return self._of

    def _collection(self, name: str) -> Collection:
        return Collection(self, self._raw.collection(name))

    @property
    def is_over(self) -> bool:
        """Whether it was committed or rolled back."""
        return self._raw.is_over

    def commit(self) -> None:
        """Makes all changes visible to others, at once."""
        self._raw.commit()

    def rollback(self) -> None:
        """Discards all changes. It may be over already."""
        self._raw.rollback()

    def __repr__(self) -> str:
        return f"Transaction({self._of!r}{', over' if self.is_over else ''})"

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and not self.is_over:
            self.commit()
        else:
            self.rollback()


class Snapshot(_Collections):
    """All collections as they were at one moment; made by ``Database.snapshot``.

    Old versions of what changes are kept for as long as it is open: close it, by ``with``.
    """

    __slots__ = ("_of", "_raw")

    def __init__(self, of: Database, raw: _nanodb.RawSnapshot) -> None:
        self._of = of
        self._raw = raw

    @property
    def _database(self) -> Database:
        return self._of

    def _collection(self, name: str) -> Collection:
        return Collection(self, self._raw.collection(name))

    def list_collection_names(self) -> list[str]:
        """Returns the names of the collections that there were, in order."""
        return [name for name, _ in self._raw.collections()]

    def close(self) -> None:
        """Lets go of it; collections that were taken from it keep it alive."""
        self._raw.close()

    def __repr__(self) -> str:
        return f"Snapshot({self._of!r})"

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
