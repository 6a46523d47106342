"""Calls at random, in wrong order and with wrong arguments, end in an answer or a known exception.

NANODB_RANDOM_CALLS sets how many, NANODB_RANDOM_SEED from what.
"""

from __future__ import annotations

import os
import random
import threading
from datetime import date, datetime, timezone
from importlib.util import find_spec
from typing import Any
from uuid import UUID

import nanodb

CALLS = int(os.environ.get("NANODB_RANDOM_CALLS", "4000"))
SEED = int(os.environ.get("NANODB_RANDOM_SEED", "1"))
THREADS = 4
PYARROW = find_spec("pyarrow") is not None

#: What a wrong argument may be told by.
KNOWN = (
    nanodb.NanoDBError,
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    StopIteration,
)


class Caller:
    """Makes calls at random on a database that other threads use as well."""

    def __init__(self, shared: list[Any], seed: int) -> None:
        self.shared = shared
        self.random = random.Random(seed)

    def scalar(self) -> Any:
        choose = self.random.randrange
        return self.random.choice(
            [
                None,
                True,
                choose(5),
                -choose(2**63),
                2**64 + choose(5),
                self.random.random(),
                float("nan"),
                "",
                "x" * choose(40),
                "a\0ß",
                "\ud800",
                b"ab",
                nanodb.ObjectId(),
                UUID(int=choose(2**64)),
                datetime.now(timezone.utc),
                datetime(2024, 1, 1),
                date(2024, 1, 1),
                object(),
                nanodb.Ext(5, b"x"),
                nanodb.Timestamp(choose(2**62)),
                len,
            ]
        )

    def value(self, depth: int = 0) -> Any:
        kind = self.random.randrange(8)
        if depth < 4 and kind == 0:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if depth < 4 and kind == 1:
            return self.document(depth + 1)
        return self.scalar()

    def document(self, depth: int = 0) -> Any:
        names = ["a", "b", "_id", "a.b", "", "x" * 20]
        if self.random.random() < 0.02:
            names.append(5)  # type: ignore[arg-type]
        chosen = self.random.sample(names, self.random.randrange(len(names)))
        return {name: self.value(depth) for name in chosen}

    def filter(self) -> Any:
        operators = [
            "$eq",
            "$gt",
            "$in",
            "$regex",
            "$exists",
            "$not",
            "$size",
            "$elemMatch",
            "$gtt",
        ]
        return self.random.choice(
            [
                {},
                {"_id": self.scalar()},
                {"a": self.scalar()},
                None,
                5,
                {"a": {self.random.choice(operators): self.value()}},
                {self.random.choice(["$or", "$and", "$nor", "$expr"]): [{"a": self.scalar()}]},
            ]
        )

    def update(self) -> Any:
        operators = [
            "$set",
            "$inc",
            "$push",
            "$pull",
            "$unset",
            "$min",
            "$addToSet",
            "$rename",
            "$x",
        ]
        return self.random.choice(
            [
                {
                    self.random.choice(operators): {
                        self.random.choice(["a", "b", "a.b", "c"]): self.value()
                    }
                },
                self.document(),
                [],
                None,
            ]
        )

    def sort(self) -> Any:
        return self.random.choice([None, [("a", 1)], {"b": -1}, [("a", 5)], "a", 5, []])

    def collection(self) -> nanodb.Collection:
        db = self.shared[0]
        source = self.random.choice([db, db, db, *self.shared[1:]])
        if not hasattr(source, "get_collection"):
            source = db
        found: nanodb.Collection = source[self.random.choice(["c", "d", "e"])]
        return found

    def table(self, cursor: nanodb.Cursor) -> None:
        if PYARROW:
            table: Any = cursor.to_arrow(mixed=self.random.choice(["error", "string", "string"]))
            table.validate(full=True)

    def one(self) -> None:
        db, pick = self.shared[0], self.random.random
        try:
            c = self.collection()
        except nanodb.NanoDBError:
            # That of a snapshot which was closed.
            c = db.c
        calls: list[Any] = [
            lambda: c.insert_one(self.document()),
            lambda: c.insert_many([self.document() for _ in range(3)], ordered=pick() < 0.5),
            lambda: c.find_one(
                self.filter(), self.random.choice([None, ["a"], {"a": 0}, {"a": 1, "b": 0}])
            ),
            lambda: list(
                c.find(self.filter(), sort=self.sort()).limit(self.random.randrange(-2, 9))
            ),
            lambda: c.update_one(self.filter(), self.update(), upsert=pick() < 0.3),
            lambda: c.update_many(self.filter(), self.update(), upsert=pick() < 0.1),
            lambda: c.replace_one(self.filter(), self.document(), upsert=pick() < 0.3),
            lambda: c.delete_one(self.filter()),
            lambda: c.delete_many({"_id": self.scalar()}),
            lambda: c.find_one_and_update(
                self.filter(), self.update(), sort=self.sort(), upsert=pick() < 0.3
            ),
            lambda: c.count_documents(self.filter(), skip=self.random.randrange(-1, 3)),
            lambda: c.distinct(self.random.choice(["a", "a.b", "_id", ""]), self.filter()),
            lambda: c.bulk_write([nanodb.InsertOne(self.document()), nanodb.DeleteOne({"a": 1})]),
            lambda: c.get(self.scalar()),
            lambda: c.put(self.scalar(), self.document()),
            lambda: c.find(self.filter(), sort=self.sort()).__arrow_c_stream__(),
            lambda: self.table(c.find(self.filter())),
            lambda: len(c),
            lambda: self.scalar() in c,
            lambda: repr(c),
            lambda: self.shared.append(db.snapshot()),
            lambda: self.shared.append(db.transaction()),
            lambda: self.shared.append(c.find(self.filter())),
            lambda: next(self.random.choice(self.shared)),
            lambda: self.random.choice(self.shared[1:] or [c]).close(),
            lambda: self.random.choice(self.shared[1:] or [c]).commit(),
            lambda: self.random.choice(self.shared[1:] or [c]).rollback(),
            lambda: c.drop() if pick() < 0.05 else c.name,
            lambda: db.list_collection_names(),
            lambda: db.stats(),
        ]
        try:
            self.random.choice(calls)()
        except (*KNOWN, AttributeError):
            pass
        # Open transactions lock collections: few of them, so that others come by.
        if len(self.shared) > 6:
            gone = self.shared.pop(1)
            for end in ("rollback", "close"):
                if hasattr(type(gone), end):
                    getattr(gone, end)()


def test_calls_at_random() -> None:
    with nanodb.open(":memory:", durability="relaxed") as db:
        failed: list[BaseException] = []

        def run(seed: int) -> None:
            # What one thread has begun another may end, but waits for are within one thread's list.
            caller = Caller([db], seed)
            try:
                for _ in range(CALLS // THREADS):
                    caller.one()
            except BaseException as error:  # noqa: BLE001
                failed.append(error)
            finally:
                for gone in caller.shared[1:]:
                    for end in ("rollback", "close"):
                        if hasattr(type(gone), end):
                            getattr(gone, end)()

        threads = [threading.Thread(target=run, args=(SEED * 100 + n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
            assert not thread.is_alive()
        assert failed == []
        report = db.check()
        assert report is not None and report["clean"], report
