"""NanoDB: an embedded document database in one file, with pymongo's methods.

>>> import nanodb
>>> db = nanodb.open(":memory:")                # or a path
>>> users = db["users"]                         # or db.users
>>> users.insert_one({"_id": 101, "name": "Alice", "age": 31, "tags": ["a", "b"]}).inserted_id
101
>>> [user["name"] for user in users.find({"age": {"$gte": 18}, "tags": "a"}).sort("age", -1)]
['Alice']
>>> users.update_many({"tags": "b"}, {"$inc": {"age": 1}}).modified_count
1
>>> users[101]["age"]
32
>>> db.close()

Code written against a collection of pymongo's runs with its first line changed; what does not is
listed in the guide. Times come back as aware datetimes in UTC.
"""

import os as _os

from ._arguments import ASCENDING, DESCENDING
from ._nanodb import VERSION as __version__
from ._nanodb import Ext, ObjectId, Timestamp, _after_fork_in_child
from .collection import Collection, ReturnDocument
from .cursor import Cursor
from .database import Database, Snapshot, Transaction, open
from .errors import (
    BulkWriteError,
    CollectionInvalid,
    ConfigurationError,
    ConflictError,
    DamagedError,
    DocumentTooLarge,
    DuplicateKeyError,
    FileError,
    IntegerOutOfRange,
    InvalidDocument,
    InvalidName,
    InvalidOperation,
    LockedError,
    NanoDBError,
    NotADatabaseError,
    NotSupportedError,
    OperationFailure,
    PyMongoError,
    WriteError,
)
from .operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from .results import (
    BulkWriteResult,
    DeleteResult,
    InsertManyResult,
    InsertOneResult,
    UpdateResult,
)

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "BulkWriteError",
    "BulkWriteResult",
    "Collection",
    "CollectionInvalid",
    "ConfigurationError",
    "ConflictError",
    "Cursor",
    "DamagedError",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "DeleteResult",
    "DocumentTooLarge",
    "DuplicateKeyError",
    "Ext",
    "FileError",
    "InsertManyResult",
    "InsertOne",
    "InsertOneResult",
    "IntegerOutOfRange",
    "InvalidDocument",
    "InvalidName",
    "InvalidOperation",
    "LockedError",
    "NanoDBError",
    "NotADatabaseError",
    "NotSupportedError",
    "ObjectId",
    "OperationFailure",
    "PyMongoError",
    "ReplaceOne",
    "ReturnDocument",
    "Snapshot",
    "Timestamp",
    "Transaction",
    "UpdateMany",
    "UpdateOne",
    "UpdateResult",
    "WriteError",
    "__version__",
    "open",
]

if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(after_in_child=_after_fork_in_child)
