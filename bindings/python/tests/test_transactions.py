"""Transactions, snapshots, and threads."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import nanodb


def run_all(targets: list[Callable[[], Any]]) -> list[BaseException]:
    """Runs functions at the same time; returns what they raised."""
    raised: list[BaseException] = []

    def catch(target: Callable[[], Any]) -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    threads = [threading.Thread(target=catch, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return raised


def test_with_commits_or_rolls_back(db: nanodb.Database) -> None:
    with db.transaction() as tx:
        tx.a.insert_one({"_id": 1})
        tx["b"].insert_one({"_id": 1})
        assert len(tx.a) == 1 and len(db.a) == 0 and not tx.is_over
        assert repr(tx) == "Transaction(Database(':memory:'))"
    assert tx.is_over and len(db.a) == len(db.b) == 1
    with pytest.raises(RuntimeError), db.transaction() as tx:
        tx.a.insert_one({"_id": 2})
        raise RuntimeError
    assert tx.is_over and len(db.a) == 1
    with db.transaction() as tx:
        tx.a.insert_one({"_id": 2})
        tx.rollback()
    assert len(db.a) == 1
    with pytest.raises(nanodb.InvalidOperation):
        tx.commit()
    with db.transaction(durability="relaxed") as tx:
        tx.a.insert_one({"_id": 3})
    with pytest.raises(nanodb.ConfigurationError):
        db.transaction(durability="x")


def test_a_transaction_that_is_let_go_of_is_rolled_back(db: nanodb.Database) -> None:
    tx = db.transaction()
    tx.a.insert_one({"_id": 1})
    del tx
    db.a.insert_one({"_id": 1})


def test_a_session_is_a_transaction(db: nanodb.Database) -> None:
    with db.transaction() as tx:
        db.a.insert_one({"_id": 1}, session=tx)
        db.a.update_one({"_id": 1}, {"$set": {"x": 1}}, session=tx)
        assert db.a.find_one(1, session=tx) == {"_id": 1, "x": 1}
        assert list(db.a.find({}, session=tx)) == [{"_id": 1, "x": 1}]
        assert db.a.count_documents({}, session=tx) == 1 and len(db.a) == 0
        calls: list[Any] = [
            tx.a.drop,
            lambda: db.a.drop(session=tx),
            lambda: db.a.rename("b", session=tx),
            lambda: db.list_collection_names(session=tx),
            lambda: db.drop_collection("a", session=tx),
            lambda: nanodb.open(":memory:").a.find_one(1, session=tx),
        ]
        for call in calls:
            with pytest.raises(nanodb.InvalidOperation):
                call()
    assert len(db.a) == 1


def test_with_transaction(db: nanodb.Database) -> None:
    def insert(tx: nanodb.Transaction) -> int:
        tx.a.insert_one({"_id": 1})
        return len(tx.a)

    assert db.with_transaction(insert) == 1
    with pytest.raises(nanodb.DuplicateKeyError):
        db.with_transaction(insert)

    def fails(tx: nanodb.Transaction) -> None:
        tx.a.insert_one({"_id": 2})
        raise KeyError("x")

    with pytest.raises(KeyError):
        db.with_transaction(fails)
    assert len(db.a) == 1

    def rolls_back(tx: nanodb.Transaction) -> str:
        tx.a.insert_one({"_id": 3})
        tx.rollback()
        return "done"

    assert db.with_transaction(rolls_back) == "done" and len(db.a) == 1


def test_transfers_lose_nothing(db: nanodb.Database) -> None:
    accounts = [db[f"account{n}"] for n in range(4)]
    for account in accounts:
        account[1] = {"cents": 1000}

    def transfers() -> None:
        choose = random.Random()
        for _ in range(50):
            one, other = choose.sample(range(4), 2)

            def run(tx: nanodb.Transaction, one: int = one, other: int = other) -> None:
                tx[f"account{one}"].update_one({"_id": 1}, {"$inc": {"cents": -1}})
                tx[f"account{other}"].update_one({"_id": 1}, {"$inc": {"cents": 1}})

            db.with_transaction(run)

    assert run_all([transfers] * 4) == []
    assert sum(account[1]["cents"] for account in accounts) == 4000


def test_a_conflict_within_one_thread_is_raised(db: nanodb.Database) -> None:
    with db.transaction() as tx:
        tx.a.insert_one({"_id": 1})
        with pytest.raises(nanodb.ConflictError) as caught:
            db.a.insert_one({"_id": 2})
        assert caught.value.has_error_label("TransientTransactionError")
        assert caught.value.collection == "a"
        began = time.monotonic()
        with pytest.raises(nanodb.ConflictError):
            db.with_transaction(lambda inner: inner.a.insert_one({"_id": 3}))
        assert time.monotonic() - began < 30
    assert list(db.a) == [{"_id": 1}]


def test_snapshots(db: nanodb.Database) -> None:
    db.a.insert_many([{"_id": n} for n in range(10)])
    with db.snapshot() as before:
        db.a.delete_many({"_id": {"$lt": 5}})
        db.b.insert_one({})
        assert len(before.a) == 10 and before.list_collection_names() == ["a"]
        assert before.a.count_documents({}) == 10 and len(before.a.find().to_list()) == 10
        assert before.a.find_one(1) == before["a"][1] == {"_id": 1} and db.a.find_one(1) is None
        calls: list[Any] = [
            lambda: before.a.insert_one({}),
            lambda: before.a.delete_many({}),
            before.a.drop,
            lambda: before.a.update_one({}, {"$set": {"a": 1}}),
            lambda: before.a.bulk_write([nanodb.InsertOne({})]),
        ]
        for call in calls:
            with pytest.raises(nanodb.InvalidOperation):
                call()
        kept = before.a
    with pytest.raises(nanodb.InvalidOperation):
        _ = before.a
    assert len(kept) == 10 and repr(before).startswith("Snapshot(")


def test_many_threads(db: nanodb.Database) -> None:
    def write(which: int) -> Callable[[], None]:
        def run() -> None:
            for n in range(200):
                db.c.insert_one({"_id": which * 1000 + n, "which": which})
                assert db.c.find_one(which * 1000 + n) is not None
            db.c.update_many({"which": which}, {"$inc": {"n": 1}})

        return run

    def read() -> None:
        for _ in range(20):
            for document in db.c.find({"which": 2}):
                assert document["which"] == 2

    assert run_all([write(0), write(1), write(2), write(3), read, read]) == []
    assert len(db.c) == 800 and db.c.count_documents({"n": 1}) == 800


def test_the_interpreter_goes_on_while_a_call_waits(db: nanodb.Database) -> None:
    tx = db.transaction()
    tx.c.insert_one({"_id": 1})
    waiter = threading.Thread(target=lambda: db.c.insert_one({"_id": 2}))
    waiter.start()
    # If the waiting call held the interpreter, this would never end.
    for _ in range(1000):
        db.other.insert_one({})
    assert waiter.is_alive()
    tx.commit()
    waiter.join(10)
    assert len(db.c) == 2


def test_closing_while_others_work(tmp_path: Any) -> None:
    db = nanodb.open(tmp_path / "data")
    errors: list[str] = []

    def work() -> None:
        try:
            while True:
                db.c.insert_one({})
                list(db.c.find().limit(5))
        except nanodb.InvalidOperation as error:
            errors.append(error.kind)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    db.close()
    for thread in threads:
        thread.join(30)
    assert errors == ["closed"] * 4
