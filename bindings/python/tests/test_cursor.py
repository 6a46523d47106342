"""Cursors."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

import pytest

import nanodb


@pytest.fixture
def numbers(db: nanodb.Database) -> nanodb.Collection:
    db.numbers.insert_many([{"_id": n, "even": n % 2 == 0} for n in range(10)])
    return db.numbers


def ids(documents: Any) -> list[int]:
    return [document["_id"] for document in documents]


def test_chaining(numbers: nanodb.Collection) -> None:
    cursor = numbers.find({"even": True}).sort("_id", -1).skip(1).limit(2).batch_size(1)
    assert repr(cursor) == "Cursor('numbers', {'even': True}, sort={'_id': -1}, skip=1, limit=2)"
    assert ids(cursor) == [6, 4] and ids(cursor) == [] and not cursor.alive
    assert ids(cursor.rewind()) == [6, 4] and ids(cursor.clone()) == [6, 4]
    assert cursor.collection is numbers
    assert ids(numbers.find().limit(-3)) == [0, 1, 2]
    assert ids(numbers.find().hint("x").comment("y").allow_disk_use(True).limit(1)) == [0]


def test_one_by_one(numbers: nanodb.Collection) -> None:
    cursor = numbers.find()
    assert next(cursor) == cursor.clone().next() == {"_id": 0, "even": True}
    assert cursor.alive and next(iter(cursor))["_id"] == 1 and cursor.try_next() is not None
    assert ids(cursor.to_list(3)) == [3, 4, 5] and ids(cursor.to_list()) == [6, 7, 8, 9]
    assert cursor.to_list() == [] and cursor.try_next() is None
    with pytest.raises(StopIteration):
        cursor.next()
    with pytest.raises(ValueError, match="length"):
        cursor.to_list(0)


def test_positions(numbers: nanodb.Collection) -> None:
    cursor = numbers.find()
    assert cursor[3]["_id"] == 3 and cursor[0]["_id"] == 0
    assert ids(numbers.find()[2:5]) == [2, 3, 4] and ids(numbers.find()[8:]) == [8, 9]
    assert ids(numbers.find()[:2]) == [0, 1] and ids(numbers.find()[3:3]) == []
    assert numbers.find().skip(5)[1]["_id"] == 6
    with pytest.raises(IndexError):
        _ = cursor[10]
    with pytest.raises(IndexError):
        _ = cursor[5:2]
    with pytest.raises(IndexError):
        _ = cursor[0:5:2]
    for wrong in (-1, "x"):
        with pytest.raises((IndexError, TypeError)):
            _ = cursor[wrong]


def test_a_search_that_has_begun_stays_as_it_is(numbers: nanodb.Collection) -> None:
    cursor = numbers.find()
    next(cursor)
    changes: list[Any] = [
        lambda: cursor.sort("a"),
        lambda: cursor.skip(1),
        lambda: cursor.limit(1),
        lambda: cursor.batch_size(1),
        lambda: cursor[1],
    ]
    for change in changes:
        with pytest.raises(nanodb.InvalidOperation):
            change()


def test_a_search_begins_when_it_is_asked(numbers: nanodb.Collection) -> None:
    cursor = numbers.find()
    numbers.insert_one({"_id": 10})
    assert next(cursor)["_id"] == 0
    numbers.insert_one({"_id": 11})
    numbers.delete_many({"_id": {"$gt": 5}})
    assert ids(cursor) == list(range(1, 11)) and ids(numbers.find()) == list(range(6))


def test_closing(numbers: nanodb.Collection) -> None:
    with numbers.find() as cursor:
        next(cursor)
    assert not cursor.alive and list(cursor) == []
    unread = numbers.find()
    unread.close()
    assert list(unread) == [] and unread.to_list() == [] and not unread.alive
    with pytest.raises(StopIteration):
        next(unread)
    assert ids(unread.rewind()) == list(range(10))


def test_a_wrong_filter_is_told_when_the_search_begins(numbers: nanodb.Collection) -> None:
    cursor = numbers.find({"a": {"$gtt": 5}})
    with pytest.raises(nanodb.OperationFailure, match="unknown operator `\\$gtt` on `a`"):
        next(cursor)


def test_many_documents_in_portions(db: nanodb.Database) -> None:
    db.many.insert_many([{"_id": n, "text": "x" * (n % 300)} for n in range(20_000)])
    assert ids(db.many.find()) == list(range(20_000))
    assert ids(db.many.find(batch_size=7)) == list(range(20_000))
    assert len(db.many.find(threads=4).to_list()) == 20_000
    assert sum(1 for _ in db.many) == 20_000
    big = [{"_id": n, "text": "y" * 2_000_000} for n in range(5)]
    db.big.insert_many(big)
    assert [len(document["text"]) for document in db.big.find()] == [2_000_000] * 5


def test_distinct_and_explain(numbers: nanodb.Collection) -> None:
    assert numbers.find({"_id": {"$lt": 3}}).distinct("even") == [False, True]
    explain = numbers.find({"even": True}).sort("_id").explain()
    assert explain["documents_examined"] == 10 and explain["documents_returned"] == 5
    assert explain["text"] == "by scanning the collection: 10 examined, 5 returned, sorted"


def test_threads_share_a_cursor(db: nanodb.Database) -> None:
    db.many.insert_many([{"_id": n} for n in range(5_000)])
    cursor, found = db.many.find(batch_size=10), [[] for _ in range(4)]  # type: ignore[var-annotated]

    def read(mine: list[int]) -> None:
        mine.extend(ids(cursor))

    next(cursor)
    threads = [threading.Thread(target=read, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(id for mine in found for id in mine) == list(range(1, 5_000))


def test_positions_from_the_end_are_refused(numbers: nanodb.Collection) -> None:
    for index in (-1, slice(-3, None), slice(0, -1)):
        with pytest.raises(IndexError):
            numbers.find()[index]
    with pytest.raises(TypeError):
        numbers.find()["a"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
def test_a_signal_ends_a_long_list(users: nanodb.Collection) -> None:
    users.insert_many([{"_id": n} for n in range(50_000)])

    class Interrupted(Exception):
        pass

    def interrupt(*_: Any) -> None:
        raise Interrupted

    cursor = users.find()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(Interrupted):
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            cursor.to_list()
            signal.pause()
    finally:
        signal.signal(signal.SIGALRM, before)
    # It had not gone on to the end.
    assert cursor.to_list(1) and users.insert_one({}).acknowledged


def test_threads_that_begin_a_cursor_together(users: nanodb.Collection) -> None:
    users.insert_many([{"_id": n} for n in range(200)])
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(100):
            cursor, barrier = users.find().sort("_id", -1), threading.Barrier(4)
            found: list[int] = []

            def read(cursor: Any = cursor, barrier: Any = barrier, found: Any = found) -> None:
                barrier.wait()
                found.extend(ids(cursor))

            threads = [threading.Thread(target=read) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(found) == list(range(200))
    finally:
        sys.setswitchinterval(before)
