"""The exceptions, with pymongo's names where it has one.

    NanoDBError (also PyMongoError)
    ├── ConfigurationError          an option that makes no sense
    ├── InvalidName                 a collection can't have this name
    ├── InvalidOperation            what is called is closed, over, read-only or of another process
    ├── InvalidDocument             a value can't be stored; also a ValueError
    │   ├── DocumentTooLarge
    │   └── IntegerOutOfRange       also an OverflowError
    ├── CollectionInvalid           a collection's name is taken, or there is no such collection
    ├── OperationFailure            a filter, a sort, ... is refused, or a limit was reached
    │   ├── WriteError              an update can't be applied
    │   │   └── DuplicateKeyError
    │   ├── BulkWriteError          some of several writes were refused
    │   ├── ConflictError           two transactions were in each other's way: run it again
    │   └── NotSupportedError       something of MongoDB's that NanoDB lacks
    └── FileError                   the file; also an OSError
        ├── LockedError             another process has it open
        ├── DamagedError            it is damaged
        └── NotADatabaseError       it is something else, or of another version

Each has a ``kind``, that of Rust's ``ErrorKind``, such as ``duplicate_id``; a ``code``, the
number that pymongo has there, or ``None``; and what its text names: ``collection``, ``id``,
``path``, ``page``, ``operation``, ``file``.

>>> import nanodb
>>> users = nanodb.open(":memory:").users
>>> _ = users.insert_one({"_id": 1})
>>> try:
...     users.insert_one({"_id": 1})
... except nanodb.DuplicateKeyError as error:
...     print(error.kind, error.code, error.id)
duplicate_id 11000 1
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BulkWriteError",
    "CollectionInvalid",
    "ConfigurationError",
    "ConflictError",
    "DamagedError",
    "DocumentTooLarge",
    "DuplicateKeyError",
    "FileError",
    "IntegerOutOfRange",
    "InvalidDocument",
    "InvalidName",
    "InvalidOperation",
    "LockedError",
    "NanoDBError",
    "NotADatabaseError",
    "NotSupportedError",
    "OperationFailure",
    "PyMongoError",
    "WriteError",
]


class NanoDBError(Exception):
    """What all errors of this package are."""

    #: What kind of error it is: the name of Rust's ``ErrorKind``.
    kind: str = "other"
    #: The name of the collection, if the text names one.
    collection: str | None = None
    #: The id of the document, if the text names one.
    id: Any = None
    #: The path of the field that is wrong: names and indexes joined by dots.
    path: str | None = None
    #: The number of the damaged page.
    page: int | None = None
    #: Which operation of several failed, counted from 0.
    operation: int | None = None
    #: The file that the text names.
    file: str | None = None

    def __init__(self, message: str = "", *, kind: str | None = None) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind

    @property
    def code(self) -> int | None:
        """The number that a server of MongoDB has for this error, as pymongo's ``code``.

        ``None`` if there is none, or if a server has nothing to do with such errors.
        """
        return None

    def has_error_label(self, label: str) -> bool:
        """Returns whether pymongo's label holds of this error.

        ``TransientTransactionError`` says that running the transaction again may succeed.
        """
        return label == "TransientTransactionError" and self.kind == "conflict"

    @property
    def timeout(self) -> bool:
        """False: no call of NanoDB has a time limit."""
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), str(self), self.__dict__.copy()))


#: pymongo's name for it.
PyMongoError = NanoDBError


class ConfigurationError(NanoDBError):
    """An option that makes no sense."""

    kind = "invalid"


class InvalidName(NanoDBError):
    """A collection can't have this name."""

    kind = "invalid"


class InvalidOperation(NanoDBError):
    """What is called is closed, over, read-only, or was opened by another process."""

    kind = "invalid"


class InvalidDocument(NanoDBError, ValueError):
    """A document, or a value in it, can't be stored."""

    kind = "invalid"


class DocumentTooLarge(InvalidDocument):
    """A document has more than 16 MiB."""


class IntegerOutOfRange(InvalidDocument, OverflowError):
    """An integer has more than 64 bits."""


class CollectionInvalid(NanoDBError):
    """A collection's name is taken, or there is no such collection."""


class OperationFailure(NanoDBError):
    """The engine refused to do what was asked for."""

    #: What pymongo has here of the server's answer.
    details: Any = None

    @property
    def code(self) -> int | None:
        """The number that a server of MongoDB has for this error, if it has one."""
        return SERVER_CODES.get(self.kind)


class WriteError(OperationFailure):
    """A document can't be changed so, or can't be stored."""


class DuplicateKeyError(WriteError):
    """There is a document with this id."""

    kind = "duplicate_id"


class BulkWriteError(OperationFailure):
    """Some of several writes were refused.

    ``details`` has what pymongo has there: ``nInserted``, ``nMatched``, ``nModified``,
    ``nRemoved``, ``nUpserted``, ``upserted``, and ``writeErrors``, each with ``index``, ``code``,
    ``errmsg`` and ``op``, and ``keyValue`` if an id is taken.
    """

    def __init__(self, message: str, details: dict[str, Any], *, kind: str) -> None:
        super().__init__(message, kind=kind)
        self.details = details

    @property
    def code(self) -> int:
        """65, as pymongo has it; ``details["writeErrors"]`` has the number of each error."""
        return 65


class ConflictError(OperationFailure):
    """Two transactions, or a transaction and another write, were in each other's way.

    This one was rolled back. ``Database.with_transaction`` runs it again.
    """

    kind = "conflict"


class NotSupportedError(OperationFailure):
    """Something of MongoDB's that NanoDB lacks."""

    kind = "invalid"

    @property
    def code(self) -> int:
        """115, as a server of MongoDB has it for commands that it does not support."""
        return 115


class FileError(NanoDBError, OSError):
    """The file can't be opened, read or written."""

    kind = "io"

    def __str__(self) -> str:
        # OSError would print its number in front.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # OSError keeps its number elsewhere.
        return (_restore, (type(self), str(self), {**self.__dict__, "errno": self.errno}))


class LockedError(FileError):
    """The file is open elsewhere in a way that excludes this one."""

    kind = "locked"


class DamagedError(FileError):
    """The file is damaged; ``Database.check`` lists the damage."""

    kind = "damaged"


class NotADatabaseError(FileError):
    """The file holds something else, or was written by another version."""

    kind = "not_a_database"


def _restore(kind: type[NanoDBError], message: str, state: dict[str, Any]) -> NanoDBError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    for name, value in state.items():
        setattr(error, name, value)
    return error


#: Kinds of the extension module's own, told apart by class, and the kinds that they have then.
_OWN: dict[str, tuple[type[NanoDBError], str]] = {
    "configuration": (ConfigurationError, "invalid"),
    "document_too_large": (DocumentTooLarge, "invalid"),
    "integer": (IntegerOutOfRange, "invalid"),
    "forked": (InvalidOperation, "forked"),
}

_BY_KIND: dict[str, type[NanoDBError]] = {
    "duplicate_id": DuplicateKeyError,
    "not_found": CollectionInvalid,
    "already_exists": CollectionInvalid,
    "conflict": ConflictError,
    "transaction_over": InvalidOperation,
    "closed": InvalidOperation,
    "read_only": InvalidOperation,
    "damaged": DamagedError,
    "locked": LockedError,
    "not_a_database": NotADatabaseError,
    "newer_format": NotADatabaseError,
    "older_format": NotADatabaseError,
    "misplaced": FileError,
    "io": FileError,
    "poisoned": FileError,
}

_INVALID_BY_WHAT: dict[str, type[NanoDBError]] = {
    "document": InvalidDocument,
    "update": WriteError,
    "query": OperationFailure,
    "database": InvalidName,
}


#: The numbers that a server of MongoDB has for some kinds: DuplicateKey, WriteConflict, BadValue,
#: TypeMismatch.
SERVER_CODES = {"duplicate_id": 11000, "conflict": 112, "invalid": 2, "wrong_type": 14}


def key_taken(id: Any) -> dict[str, Any]:
    """What a server of MongoDB tells of an id that is taken."""
    return {"keyPattern": {"_id": 1}, "keyValue": {"_id": id}}


def _make(kind: str, about: str, text: str, details: dict[str, Any] | None) -> NanoDBError:
    """Makes an exception; called by the extension module."""
    if kind in _OWN:
        made_of, kind = _OWN[kind]
    elif kind == "invalid":
        made_of = _INVALID_BY_WHAT.get(about, OperationFailure)
        if " cannot name a collection" in text:
            made_of = InvalidName
        elif "the document takes" in text or "the document would become larger" in text:
            made_of = DocumentTooLarge
    else:
        made_of = _BY_KIND.get(kind, OperationFailure)
    error = made_of(text)
    error.kind = kind
    for name, value in (details or {}).items():
        setattr(error, name, value)
    if isinstance(error, DuplicateKeyError):
        taken = key_taken(error.id)
        error.details = {"index": 0, "code": error.code, "errmsg": text, **taken}
    return error
