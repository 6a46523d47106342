"""Collections, with the methods, arguments and results of pymongo's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from . import _unsupported
from ._arguments import (
    check_filter,
    check_replacement,
    check_update,
    filters_of,
    number_of,
    projection_of,
    refuse_options,
    refuse_session,
    sort_of,
)
from .cursor import Cursor
from .errors import SERVER_CODES, BulkWriteError, InvalidOperation, key_taken
from .operations import InsertOne, Operation, _Operation
from .results import (
    BulkWriteResult,
    DeleteResult,
    InsertManyResult,
    InsertOneResult,
    UpdateResult,
)

if TYPE_CHECKING:
    from typing_extensions import CapsuleType

    from ._nanodb import RawCollection
    from .database import Database, Snapshot, Transaction

__all__ = ["Collection", "ReturnDocument"]

Filter = Mapping[str, Any]
Sort = Any
Projection = Any


class ReturnDocument:
    """Which document ``find_one_and_update`` and its siblings return."""

    #: The document as it was before the change.
    BEFORE = False
    #: The document as it is after the change.
    AFTER = True


class Collection:
    """A collection of documents: of a database, of a snapshot or of a transaction.

    It is a name: the first insert creates what it names, and until then it reads as empty. It can
    be used from any number of threads.

    >>> import nanodb
    >>> users = nanodb.open(":memory:").users
    >>> alice = {"name": "Alice", "age": 31}
    >>> users.insert_one(alice).inserted_id == alice["_id"]
    True
    >>> users.find_one({"age": {"$gte": 18}})["name"]
    'Alice'
    >>> users.update_one({"name": "Alice"}, {"$inc": {"age": 1}}).modified_count
    1

    Besides pymongo's methods it has those of a mapping from ids to documents:

    >>> users["bob"] = {"name": "Bob"}
    >>> users["bob"]
    {'_id': 'bob', 'name': 'Bob'}
    >>> "bob" in users, len(users)
    (True, 2)
    >>> del users["bob"]
    >>> sorted(user["name"] for user in users)
    ['Alice']
    """

    __slots__ = ("_of", "_raw", "__weakref__")

    def __init__(self, of: Database | Snapshot | Transaction, raw: RawCollection) -> None:
        self._of = of
        self._raw = raw

    # What it is.

    @property
    def name(self) -> str:
        """Its name."""
        return self._raw.name

    @property
    def full_name(self) -> str:
        """The names of the database and of the collection, with a dot between them."""
        return f"{self.database.name}.{self.name}"

    @property
    def database(self) -> Database:
        """The database that it belongs to, also if it is of a snapshot or of a transaction."""
        return self._of._database

    def with_options(self, /, *args: Any, **kwargs: Any) -> Collection:
        """Returns itself: what pymongo's options say is for a server."""
        return self

    def __repr__(self) -> str:
        return f"Collection({self._of!r}, {self.name!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Collection):
            return NotImplemented
        return self._of is other._of and self.name == other.name

    def __hash__(self) -> int:
        return hash((id(self._of), self.name))

    def __bool__(self) -> bool:
        # A collection without documents is a collection.
        return True

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            # Asked for by `copy` also of one that has no `_raw` yet.
            raise AttributeError(f"Collection has no attribute {name!r}")
        raise AttributeError(
            f"a collection has no {name!r}; for a collection whose name has a dot, write "
            f"database[{self._raw.name + '.' + name!r}]"
        )

    def __call__(self, /, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"the collection {self.name!r} is not a function")

    def _at(self, session: Transaction | None) -> RawCollection:
        """Returns what a call is carried out on: a transaction's collection, if there is one."""
        if session is None:
            return self._raw
        return _checked(session, self.database)._collection(self.name)._raw

    # Insert.

    def insert_one(
        self, /, document: Any, session: Transaction | None = None, **options: Any
    ) -> InsertOneResult:
        """Inserts a document.

        Without an ``_id`` it gets a new :class:`ObjectId`, which is put into the caller's document
        as well. (In a database that was opened with ``ids="integer"``, it gets the next integer.)

        A dict can be inserted, any mapping, and an instance of a dataclass.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> users.insert_one({"_id": 101, "name": "Alice"}).inserted_id
        101
        """
        if options:
            refuse_options("insert_one", options)
        return InsertOneResult(self._at(session).insert_one(document))

    def insert_many(
        self,
        /,
        documents: Iterable[Any],
        ordered: bool = True,
        session: Transaction | None = None,
        **options: Any,
    ) -> InsertManyResult:
        """Inserts documents, which is much faster than one by one. It is one commit.

        If some can't be inserted, because their ids are taken, :class:`BulkWriteError` says which.
        With ``ordered`` those after the first of them are not inserted, otherwise all others are.
        Within a transaction that is rolled back, none is.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> users.insert_many([{"_id": 1}, {"_id": 2}]).inserted_ids
        [1, 2]
        """
        if options:
            refuse_options("insert_many", options)
        if isinstance(documents, (Mapping, str)) or not isinstance(documents, Iterable):
            raise TypeError("documents must be a list of documents")
        all_documents = list(documents)
        if not all_documents:
            raise TypeError("documents must be a list that is not empty")
        ids, errors = self._at(session).insert_many(all_documents, ordered)
        if errors:
            not_inserted = len(all_documents) - errors[0][0] if ordered else len(errors)
            done = {"inserted": len(all_documents) - not_inserted, "errors": errors}
            raise _bulk_write_error(done, [InsertOne(document) for document in all_documents])
        return InsertManyResult(ids)

    # Find.

    def find(
        self,
        /,
        filter: Filter | None = None,
        projection: Projection = None,
        skip: int = 0,
        limit: int = 0,
        no_cursor_timeout: bool = False,
        cursor_type: int = 0,
        sort: Sort = None,
        allow_partial_results: bool = False,
        oplog_replay: bool = False,
        batch_size: int = 0,
        session: Transaction | None = None,
        threads: int = 1,
        **options: Any,
    ) -> Cursor:
        """Searches for the documents that match a filter.

        The search begins when the cursor is first asked for a document, and shows what was there
        then. ``threads`` evaluate the filter, which is worthwhile for a large collection.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"_id": n, "age": 20 + n} for n in range(9)])
        >>> [user["age"] for user in users.find({"age": {"$lt": 28}}).sort("age", -1).limit(2)]
        [27, 26]
        >>> users.find({}, ["age"], sort=[("age", 1)], skip=1)[0]
        {'_id': 1, 'age': 21}
        """
        if cursor_type:
            options["cursor_type"] = cursor_type
        if options:
            refuse_options("find", options)
        return Cursor(
            self,
            self._at(session),
            {} if filter is None else check_filter(filter),
            projection_of(projection),
            sort_of(sort),
            number_of(skip, "skip"),
            limit,
            batch_size,
            threads,
        )

    def find_one(
        self,
        /,
        filter: Any = None,
        projection: Projection = None,
        skip: int = 0,
        sort: Sort = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> dict[str, Any] | None:
        """Returns one document that matches a filter, or has an id; ``None`` if there is none.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_one({"_id": 101, "name": "Alice"})
        >>> users.find_one({"name": "Alice"}) == users.find_one(101)
        True
        >>> users.find_one(102) is None
        True
        """
        if options:
            refuse_options("find_one", options)
        raw = self._at(session)
        if filter is not None and not isinstance(filter, Mapping):
            filter = {"_id": filter}
        if projection is None and sort is None and not skip:
            return raw.find_one(filter, None, None, 0)
        return raw.find_one(
            filter, projection_of(projection), sort_of(sort), number_of(skip, "skip")
        )

    def count_documents(
        self,
        /,
        filter: Filter,
        session: Transaction | None = None,
        comment: Any = None,
        skip: int = 0,
        limit: int = 0,
        **options: Any,
    ) -> int:
        """Returns how many documents match a filter.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"age": 31}, {"age": 12}])
        >>> users.count_documents({"age": {"$lt": 18}})
        1
        """
        if options:
            refuse_options("count_documents", options)
        skip, limit = number_of(skip, "skip"), number_of(limit, "limit")
        return self._at(session).count(check_filter(filter), skip, limit)

    def estimated_document_count(self, /, comment: Any = None, **options: Any) -> int:
        """Returns how many documents there are, exactly, without looking at them."""
        if options:
            refuse_options("estimated_document_count", options)
        return self._raw.len()

    def distinct(
        self,
        /,
        key: str,
        filter: Filter | None = None,
        session: Transaction | None = None,
        comment: Any = None,
        **options: Any,
    ) -> list[Any]:
        """Returns the values of a field in the documents that match a filter, each once.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"tags": ["b", "a"]}, {"tags": "a"}])
        >>> users.distinct("tags")
        ['a', 'b']
        """
        if options:
            refuse_options("distinct", options)
        if not isinstance(key, str):
            raise TypeError(f"key must be a str, not {type(key).__name__}")
        return self._at(session).distinct(key, None if filter is None else check_filter(filter))

    def count_by(
        self, key: str, filter: Filter | None = None, session: Transaction | None = None
    ) -> list[tuple[Any, int]]:
        """Returns the values of a field, and how many documents have each, most frequent first.

        >>> import nanodb
        >>> log = nanodb.open(":memory:").log
        >>> _ = log.insert_many([{"level": level} for level in ("info", "error", "info")])
        >>> log.count_by("level")
        [('info', 2), ('error', 1)]
        """
        return self._at(session).count_by(key, None if filter is None else check_filter(filter))

    # Change.

    def update_one(
        self,
        /,
        filter: Filter,
        update: Mapping[str, Any],
        upsert: bool = False,
        bypass_document_validation: bool | None = None,
        collation: Any = None,
        array_filters: Sequence[Filter] | None = None,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> UpdateResult:
        """Updates one document that matches a filter; with ``upsert``, inserts one if none does.

        >>> import nanodb
        >>> hits = nanodb.open(":memory:").hits
        >>> for _ in range(3):
        ...     _ = hits.update_one({"_id": "/"}, {"$inc": {"count": 1}}, upsert=True)
        >>> hits["/"]
        {'_id': '/', 'count': 3}
        """
        return self._update(
            "update_one", filter, update, upsert, collation, array_filters, session, options, False
        )

    def update_many(
        self,
        /,
        filter: Filter,
        update: Mapping[str, Any],
        upsert: bool = False,
        array_filters: Sequence[Filter] | None = None,
        bypass_document_validation: bool | None = None,
        collation: Any = None,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> UpdateResult:
        """Updates all documents that match a filter, or none if one of them can't be updated.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"age": 31}, {"age": 12}])
        >>> users.update_many({}, {"$inc": {"age": 1}}).modified_count
        2
        """
        return self._update(
            "update_many", filter, update, upsert, collation, array_filters, session, options, True
        )

    def _update(
        self,
        method: str,
        filter: Filter,
        update: Mapping[str, Any],
        upsert: bool,
        collation: Any,
        array_filters: Sequence[Filter] | None,
        session: Transaction | None,
        options: dict[str, Any],
        many: bool,
    ) -> UpdateResult:
        if options or collation is not None:
            refuse_options(method, {"collation": collation, **options})
        check_update(update)
        filters = filters_of(array_filters)
        raw = self._at(session)
        return UpdateResult(*raw.update(check_filter(filter), update, filters, many, bool(upsert)))

    def replace_one(
        self,
        /,
        filter: Filter,
        replacement: Any,
        upsert: bool = False,
        bypass_document_validation: bool | None = None,
        collation: Any = None,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> UpdateResult:
        """Replaces one document that matches a filter; the new one keeps its id.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> users[5] = {"name": "Alice"}
        >>> users.replace_one({"name": "Alice"}, {"name": "Bob"}).modified_count
        1
        >>> users[5]
        {'_id': 5, 'name': 'Bob'}
        """
        if options or collation is not None:
            refuse_options("replace_one", {"collation": collation, **options})
        check_replacement(replacement)
        raw = self._at(session)
        return UpdateResult(*raw.replace(check_filter(filter), replacement, bool(upsert)))

    def delete_one(
        self,
        /,
        filter: Filter,
        collation: Any = None,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> DeleteResult:
        """Deletes one document that matches a filter."""
        if options or collation is not None:
            refuse_options("delete_one", {"collation": collation, **options})
        return DeleteResult(self._at(session).delete(check_filter(filter), False))

    def delete_many(
        self,
        /,
        filter: Filter,
        collation: Any = None,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> DeleteResult:
        """Deletes all documents that match a filter.

        >>> import nanodb
        >>> users = nanodb.open(":memory:").users
        >>> _ = users.insert_many([{"age": 31}, {"age": 12}])
        >>> users.delete_many({"age": {"$lt": 18}}).deleted_count
        1
        """
        if options or collation is not None:
            refuse_options("delete_many", {"collation": collation, **options})
        return DeleteResult(self._at(session).delete(check_filter(filter), True))

    def find_one_and_update(
        self,
        /,
        filter: Filter,
        update: Mapping[str, Any],
        projection: Projection = None,
        sort: Sort = None,
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
        array_filters: Sequence[Filter] | None = None,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> dict[str, Any] | None:
        """Updates one document that matches a filter and returns it, in one step.

        >>> import nanodb
        >>> jobs = nanodb.open(":memory:").jobs
        >>> _ = jobs.insert_many([{"_id": 1, "urgency": 1}, {"_id": 2, "urgency": 5}])
        >>> jobs.find_one_and_update(
        ...     {"taken": None}, {"$set": {"taken": True}}, sort=[("urgency", -1)],
        ...     return_document=nanodb.ReturnDocument.AFTER,
        ... )
        {'_id': 2, 'urgency': 5, 'taken': True}
        """
        refuse_options("find_one_and_update", options)
        check_update(update)
        filters = filters_of(array_filters)
        return self._modify(
            filter, update, None, filters, projection, sort, upsert, return_document, session
        )

    def find_one_and_replace(
        self,
        /,
        filter: Filter,
        replacement: Any,
        projection: Projection = None,
        sort: Sort = None,
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> dict[str, Any] | None:
        """Replaces one document that matches a filter and returns it, in one step."""
        refuse_options("find_one_and_replace", options)
        check_replacement(replacement)
        return self._modify(
            filter, None, replacement, None, projection, sort, upsert, return_document, session
        )

    def find_one_and_delete(
        self,
        /,
        filter: Filter,
        projection: Projection = None,
        sort: Sort = None,
        hint: Any = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> dict[str, Any] | None:
        """Deletes one document that matches a filter and returns it, in one step.

        >>> import nanodb
        >>> queue = nanodb.open(":memory:").queue
        >>> _ = queue.insert_many([{"_id": 7}, {"_id": 8}])
        >>> queue.find_one_and_delete({}, sort=[("_id", 1)])
        {'_id': 7}
        """
        refuse_options("find_one_and_delete", options)
        return self._modify(
            filter, None, None, None, projection, sort, False, ReturnDocument.BEFORE, session
        )

    def _modify(
        self,
        filter: Filter,
        update: Any,
        replacement: Any,
        array_filters: list[Any] | None,
        projection: Projection,
        sort: Sort,
        upsert: bool,
        return_document: bool,
        session: Transaction | None,
    ) -> dict[str, Any] | None:
        if not isinstance(return_document, bool):
            raise ValueError(
                "return_document must be ReturnDocument.BEFORE or ReturnDocument.AFTER"
            )
        return self._at(session).find_and_modify(
            check_filter(filter),
            update,
            replacement,
            array_filters,
            projection_of(projection),
            sort_of(sort),
            bool(upsert),
            return_document,
        )

    def bulk_write(
        self,
        /,
        requests: Sequence[Operation],
        ordered: bool = True,
        bypass_document_validation: bool | None = None,
        session: Transaction | None = None,
        **options: Any,
    ) -> BulkWriteResult:
        """Makes several writes as one commit. Each sees what those before it did.

        If some are refused, :class:`BulkWriteError` says which. With ``ordered`` those after the
        first of them are not tried, otherwise all are. What was done stays done: within a
        transaction, roll that back to undo it.
        """
        refuse_options("bulk_write", options)
        operations = list(requests)
        if not operations:
            raise InvalidOperation("no operations to carry out")
        for operation in operations:
            if not isinstance(operation, _Operation):
                raise TypeError(f"{operation!r} is not an operation, such as InsertOne")
        raw = self._at(session)
        done = raw.bulk_write([operation._arguments for operation in operations], ordered)
        if done["errors"]:
            raise _bulk_write_error(done, operations)
        return BulkWriteResult(_bulk_details(done))

    # The collection as a whole.

    def drop(self, /, session: Transaction | None = None, **options: Any) -> bool:
        """Drops the collection with all its documents; returns whether there was one."""
        refuse_options("drop", options)
        refuse_session("drop", session)
        return self._writable("drop").drop_collection(self.name)

    def rename(self, /, new_name: str, session: Transaction | None = None, **options: Any) -> None:
        """Renames the collection. This handle keeps the old name."""
        drops = options.pop("dropTarget", False)
        refuse_options("rename", options)
        refuse_session("rename", session)
        database = self._writable("rename")
        # A rename that is going to be refused drops nothing.
        if drops and new_name != self.name and self.name in database:
            database.drop_collection(new_name)
        database._rename(self.name, new_name)

    def _writable(self, verb: str) -> Database:
        if self._of is not self.database:
            raise InvalidOperation(
                f"a collection of a {type(self._of).__name__.lower()} has no {verb}"
            )
        return self.database

    # As a table.

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType:
        """Hands all documents over as a table, to what understands Arrow's PyCapsule interface.

        See :meth:`Cursor.to_arrow`.
        """
        return self.find().__arrow_c_stream__(requested_schema)

    # A mapping from ids to documents.

    def get(self, id: Any, default: Any = None) -> Any:
        """Returns the document with this id, or ``default``."""
        document = self._raw.get(id)
        return default if document is None else document

    def put(self, id: Any, document: Any) -> bool:
        """Stores a document under an id; returns whether it took another's place."""
        return self._raw.put(id, document)

    def __len__(self) -> int:
        return self._raw.len()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.find())

    def __contains__(self, id: object) -> bool:
        return self._raw.contains(id)

    def __getitem__(self, id: Any) -> dict[str, Any]:
        document = self._raw.get(id)
        if document is None:
            raise KeyError(id)
        return document

    def __setitem__(self, id: Any, document: Any) -> None:
        self._raw.put(id, document)

    def __delitem__(self, id: Any) -> None:
        if not self._raw.remove(id):
            raise KeyError(id)


for _name, _why in _unsupported.COLLECTION_METHODS.items():
    setattr(Collection, _name, _unsupported.method(_name, _why))


def _checked(session: Any, database: Database) -> Transaction:
    """Returns a session, if it is a transaction of this database."""
    from .database import Transaction

    if not isinstance(session, Transaction):
        raise TypeError(f"session must be a Transaction, not {type(session).__name__}")
    if session._database is not database:
        raise InvalidOperation("the transaction is of another database")
    return session


def _bulk_details(done: dict[str, Any]) -> dict[str, Any]:
    upserted = done.get("upserted", {})
    return {
        "writeErrors": [],
        "writeConcernErrors": [],
        "nInserted": done["inserted"],
        "nUpserted": len(upserted),
        "nMatched": done.get("matched", 0),
        "nModified": done.get("modified", 0),
        "nRemoved": done.get("deleted", 0),
        "upserted": [{"index": index, "_id": id} for index, id in upserted.items()],
    }


#: The number that a server of MongoDB has for an error that it has no other for.
_UNKNOWN_ERROR = 8


def _bulk_write_error(done: dict[str, Any], operations: Sequence[Any]) -> BulkWriteError:
    details = _bulk_details(done)
    for index, kind, text, id in done["errors"]:
        code = SERVER_CODES.get(kind, _UNKNOWN_ERROR)
        told: dict[str, Any] = {"index": index, "code": code, "errmsg": text}
        if id is not None:
            told.update(key_taken(id))
        told["op"] = operations[index]._as_command()
        details["writeErrors"].append(told)
    index, kind, text, _ = done["errors"][0]
    others = len(done["errors"]) - 1
    more = f" ({others} more)" if others else ""
    error = BulkWriteError(f"operation {index}, counted from 0: {text}{more}", details, kind=kind)
    error.operation = index
    return error
