"""Opening, closing, and what is done with the whole file."""

from __future__ import annotations

import errno
import gc
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nanodb


def test_a_file_is_created_and_kept(path: Path) -> None:
    with nanodb.open(path) as db:
        assert db.path == path.resolve() and db.name == "data" and not db.closed
        db.users.insert_one({"_id": 1})
        assert repr(db) == f"Database({str(path.resolve())!r})"
    assert db.closed and repr(db).endswith("closed)")
    db.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with nanodb.open(str(path), create=False) as db:
        assert list(db.users) == [{"_id": 1}]
        assert db.open_report()["clean"]


def test_in_memory() -> None:
    for place in (":memory:", None):
        with nanodb.open(place) as db:
            assert db.path is None and db.name == "memory"
            db.users.insert_one({})
            assert db.list_collection_names() == ["users"]


def test_a_database_that_is_let_go_of_is_closed(path: Path) -> None:
    db = nanodb.open(path)
    db.users.insert_one({"_id": 1})
    users = db.users
    del db
    gc.collect()
    assert users.find_one(1) == {"_id": 1}
    del users
    gc.collect()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_all_handles_are_closed(path: Path) -> None:
    db = nanodb.open(path)
    db.users.insert_many([{"_id": n} for n in range(2000)])
    users, cursor, snapshot, tx = db.users, db.users.find(), db.snapshot(), db.transaction()
    next(cursor)
    tx.users.insert_one({"_id": 5000})
    db.close()
    calls: list[Any] = [
        lambda: users.find_one(1),
        lambda: users.insert_one({}),
        lambda: list(cursor),
        lambda: snapshot.users.find_one(1),
        lambda: tx.users.find_one(1),
        lambda: tx.commit(),
        db.list_collection_names,
        db.sync,
        db.checkpoint,
        db.stats,
        db.snapshot().list_collection_names,
    ]
    for call in calls:
        with pytest.raises(nanodb.InvalidOperation) as caught:
            call()
        assert caught.value.kind in ("closed", "transaction_over"), caught.value


@pytest.mark.parametrize("option", ["durability", "ids"])
def test_options_with_wrong_values(option: str) -> None:
    with pytest.raises(nanodb.ConfigurationError, match=f"`{option}` must be"):
        nanodb.open(":memory:", **{option: "x"})  # type: ignore[arg-type]


def test_options() -> None:
    with nanodb.open(
        ":memory:",
        durability="relaxed",
        cache_bytes_max=1 << 20,
        index_bytes_max=1 << 20,
        log_bytes_max=1 << 20,
        transaction_bytes_max=1 << 20,
        file_bytes_max=1 << 24,
        relaxed_flush_interval=0.01,
        background=False,
        lock_timeout=0.5,
    ) as db:
        db.c.insert_one({})
    with pytest.raises(TypeError):
        nanodb.open(":memory:", nonsense=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        nanodb.open(5)  # type: ignore[arg-type]
    with pytest.raises(nanodb.ConfigurationError, match="lock_timeout"):
        nanodb.open(":memory:", lock_timeout=-1)
    with pytest.raises((TypeError, OverflowError)):
        nanodb.open(":memory:", cache_bytes_max=-1)


def test_read_only(path: Path) -> None:
    with nanodb.open(path) as db:
        db.c.insert_one({"_id": 1})
        with pytest.raises(nanodb.LockedError):
            nanodb.open(path, read_only=True)
    with nanodb.open(path, read_only=True) as db, nanodb.open(path, read_only=True) as again:
        assert again.c.find_one(1) == db.c.find_one(1) == {"_id": 1}
        with pytest.raises(nanodb.InvalidOperation) as caught:
            db.c.insert_one({})
        assert caught.value.kind == "read_only"


def test_files_that_are_none(path: Path) -> None:
    with pytest.raises(nanodb.FileError) as caught:
        nanodb.open(path, create=False)
    assert caught.value.kind == "io" and isinstance(caught.value, OSError)
    assert caught.value.errno == 2 and str(path) in str(caught.value)
    path.write_text("something else " * 1000)
    with pytest.raises(nanodb.NotADatabaseError) as other:
        nanodb.open(path)
    assert other.value.kind == "not_a_database" and other.value.file == str(path)


OPENS = """
import sys, nanodb
try:
    nanodb.open(sys.argv[1], read_only=len(sys.argv) > 2)
except nanodb.LockedError as error:
    print(error.kind)
else:
    print("opened")
"""


def test_another_process_finds_it_locked(path: Path) -> None:
    def other(*more: str) -> str:
        command = [sys.executable, "-c", OPENS, str(path), *more]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with nanodb.open(path):
        assert other() == other("r") == "locked"
    with nanodb.open(path, read_only=True):
        assert other("r") == "opened" and other() == "locked"
    assert other() == "opened"


KILLED = """
import os, signal, sys, nanodb
db = nanodb.open(sys.argv[1])
for n in range(100):
    db.c.insert_one({"_id": n})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_written_survives_a_kill(path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -9
    with nanodb.open(path) as db:
        assert db.c.distinct("_id") == list(range(100))
        assert db.open_report()["commits_replayed"] > 0
        report = db.check()
        assert report is not None and report["clean"]


LEFT_OPEN = """
import sys, nanodb
db = nanodb.open(sys.argv[1])
db.c.insert_one({"_id": 1})
keep = [db, db.c, db.c.find(), db.snapshot(), db.transaction()]
keep.append(keep)
"""


def test_a_database_that_is_left_open_is_closed_at_the_end(path: Path) -> None:
    subprocess.run([sys.executable, "-c", LEFT_OPEN, str(path)], check=True)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_upkeep(path: Path) -> None:
    with nanodb.open(path) as db:
        db.logs.insert_many([{"_id": n, "line": "x" * 100} for n in range(2000)])
        db.logs.delete_many({"_id": {"$lt": 1900}})
        db.sync()
        db.checkpoint()
        before = db.stats()
        assert before["collections"]["logs"]["count"] == 100 and before["page_count"] > 0
        seen: list[tuple[int, ...]] = []
        assert db.compact(lambda *at: seen.append(at)) and seen
        assert db.compact() and db.stats()["page_count"] < before["page_count"]
        assert not db.compact(lambda *at: False)
        report = db.check()
        assert report is not None and report["clean"] and report["documents"] == 100
        pages: list[tuple[int, ...]] = []
        assert db.check(lambda *at: pages.append(at)) == report and pages
        assert db.check(lambda done, all: False) is None
        with pytest.raises(RuntimeError, match="of the callback"):
            db.check(fails)


def fails(*at: int) -> bool:
    raise RuntimeError("of the callback")


def test_damage_is_told(path: Path) -> None:
    with nanodb.open(path) as db:
        db.c.insert_many([{"_id": n, "text": f"needle{n}" * 50} for n in range(200)])
    data = bytearray(path.read_bytes())
    at = data.find(b"needle100")
    data[at] ^= 1
    path.write_bytes(data)
    with nanodb.open(path) as db:
        with pytest.raises(nanodb.DamagedError) as caught:
            for n in range(200):
                db.c.find_one(n)
        assert caught.value.kind == "damaged" and caught.value.page == at // 4096
        report = db.check()
        assert report is not None and not report["clean"]
        assert report["problems"][0]["page"] == at // 4096


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_is_told_and_harms_nothing(path: Path) -> None:
    program = """
import os, sys, warnings, nanodb
warnings.simplefilter("ignore")
db = nanodb.open(sys.argv[1])
users, ids = db.users, [nanodb.ObjectId() for _ in range(2)]
users.insert_many([{"_id": n} for n in range(1000)])
cursor, tx, snapshot = users.find(), db.transaction(), db.snapshot()
next(cursor)
tx.orders.insert_one({"_id": 1})
child = os.fork()
if child == 0:
    told = 0
    for call in (lambda: users.find_one(1), lambda: users.insert_one({}), lambda: [*cursor],
                 lambda: tx.orders.find_one(1), tx.commit, db.sync, db.close, db.snapshot,
                 lambda: snapshot.users, lambda: db.users, db.list_collection_names):
        try:
            call()
        except nanodb.InvalidOperation as error:
            told += error.kind == "forked"
    tx.rollback()
    told += os.path.basename(sys.argv[1]) in repr(db)
    del users, cursor, tx, snapshot, db
    # One of its own works, and has other ids.
    own = nanodb.open(sys.argv[1] + "-child")
    own.c.insert_one({"_id": nanodb.ObjectId()})
    own.close()
    sys.exit(0 if told == 12 else 1)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
users.insert_one({"_id": 5000})
tx.commit()
assert len(list(cursor)) == 999 and len(snapshot.users) == 1000
db.close()
"""
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)
    with nanodb.open(path) as db:
        assert len(db.users) == 1001 and len(db.orders) == 1
        report = db.check()
        assert report is not None and report["clean"]


def test_too_large_a_transaction(path: Path) -> None:
    with nanodb.open(path, transaction_bytes_max=1 << 16, cache_bytes_max=1 << 16) as db:
        db.c.insert_many([{"_id": n, "text": "x" * 3000} for n in range(2000)])
        with pytest.raises(nanodb.OperationFailure) as caught:
            db.c.update_many({}, {"$set": {"text": "y"}})
        assert caught.value.kind == "too_large"
        assert db.c.count_documents({"text": "y"}) == 0


def test_an_option_of_the_wrong_class_is_named() -> None:
    options: list[dict[str, Any]] = [
        {"durability": 1},
        {"create": 1},
        {"lock_timeout": "x"},
        {"background": "x"},
    ]
    for option in options:
        with pytest.raises(TypeError, match=f"`{next(iter(option))}`: "):
            nanodb.open(":memory:", **option)
    with pytest.raises(OverflowError, match="`cache_bytes_max`: "):
        nanodb.open(":memory:", cache_bytes_max=-1)


def test_a_copy_of_an_error_of_a_file_knows_its_number(path: Path) -> None:
    with pytest.raises(nanodb.FileError) as raised:
        nanodb.open(path, create=False)
    copied = pickle.loads(pickle.dumps(raised.value))
    assert copied.errno == raised.value.errno == errno.ENOENT
    assert copied.file == raised.value.file and str(copied) == str(raised.value)
