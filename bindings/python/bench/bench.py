"""NanoDB beside what Python programs keep documents in: the same work, decoded to Python's objects.

    pip install -r bench/requirements.txt
    python bench/bench.py [--quick] [--documents 100000] [--rounds 3] [--only nanodb,sqlite3]

Every store has its documents in a file. Writes are not synced one by one, but survive the process
being killed (SQLite: WAL, synchronous=NORMAL; NanoDB: "buffered"), where the store has the choice;
TinyDB, montydb and mongita have none and promise less. A row is a rate in documents a second, the
median of the rounds, in which the stores take turns; the highest is bold. Stores that would take
minutes for a row are given fewer documents, and the number is shown. `--quick` has 10,000 documents
and one round, to see whether everything works.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH = 1000

ROWS = (
    "insert in batches",
    "insert one by one",
    "read by id",
    "find, two fields",
    "update a tenth",
)


def documents(count: int) -> list[dict[str, Any]]:
    """Documents of about 200 bytes as JSON."""
    draw = random.Random(1)
    cities = ["Berlin", "Bonn", "Paris", "London", "Rome", "Oslo"]
    return [
        {
            "_id": n,
            "name": f"user {n}",
            "email": f"user{n}@example.com",
            "age": draw.randrange(18, 90),
            "city": draw.choice(cities),
            "score": draw.random(),
            "active": draw.random() < 0.5,
            "tags": draw.sample(["a", "b", "c", "d", "e"], 2),
            "address": {"street": f"Street {n % 1000}", "zip": str(10_000 + n % 90_000)},
        }
        for n in range(count)
    ]


class Store:
    """A store; each subclass does the work of a row in its own words."""

    #: How many documents it is given for a row, if fewer than asked for.
    at_most: dict[str, int] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def insert(self, batch: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    def insert_one(self, document: dict[str, Any]) -> None:
        raise NotImplementedError

    def get(self, id: int) -> Any:
        raise NotImplementedError

    def find(self) -> int:
        raise NotImplementedError

    def update(self) -> int:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


FILTER = {"city": "Berlin", "age": {"$gte": 50}}
TENTH = {"age": {"$gte": 83}}
CHANGE = {"$set": {"city": "Moved"}, "$inc": {"score": 1}}


class NanoDB(Store):
    """This package."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import nanodb

        self.db = nanodb.open(folder / "data.nanodb", durability="buffered")
        self.users = self.db.users

    def insert(self, batch: list[dict[str, Any]]) -> None:
        self.users.insert_many(batch)

    def insert_one(self, document: dict[str, Any]) -> None:
        self.users.insert_one(document)

    def get(self, id: int) -> Any:
        return self.users.find_one({"_id": id})

    def find(self) -> int:
        return len(list(self.users.find(FILTER)))

    def update(self) -> int:
        return self.users.update_many(TENTH, CHANGE).modified_count

    def close(self) -> None:
        self.db.close()


class SQLite(Store):
    """The standard library's sqlite3 with documents as JSON text."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.db = sqlite3.connect(folder / "data.sqlite", isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, document TEXT)")

    def insert(self, batch: list[dict[str, Any]]) -> None:
        rows = [(document["_id"], json.dumps(document)) for document in batch]
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO users VALUES (?, ?)", rows)
        self.db.execute("COMMIT")

    def insert_one(self, document: dict[str, Any]) -> None:
        row = (document["_id"], json.dumps(document))
        self.db.execute("INSERT INTO users VALUES (?, ?)", row)

    def get(self, id: int) -> Any:
        row = self.db.execute("SELECT document FROM users WHERE id = ?", (id,)).fetchone()
        return json.loads(row[0])

    def find(self) -> int:
        rows = self.db.execute(
            "SELECT document FROM users WHERE document ->> 'city' = 'Berlin' "
            "AND document ->> 'age' >= 50"
        )
        return len([json.loads(row[0]) for row in rows])

    def update(self) -> int:
        return self.db.execute(
            "UPDATE users SET document = json_set(document, '$.city', 'Moved', '$.score', "
            "(document ->> 'score') + 1) WHERE document ->> 'age' >= 83"
        ).rowcount

    def close(self) -> None:
        self.db.close()


class NeoSQLite(Store):
    """neosqlite."""

    at_most = {
        "insert one by one": 5_000,
        "insert in batches": 20_000,
        "read by id": 10_000,
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import neosqlite

        self.db = neosqlite.Connection(str(folder / "data.neo"))
        self.users = self.db["users"]

    def insert(self, batch: list[dict[str, Any]]) -> None:
        self.users.insert_many(batch)

    def insert_one(self, document: dict[str, Any]) -> None:
        self.users.insert_one(document)

    def get(self, id: int) -> Any:
        return self.users.find_one({"_id": id})

    def find(self) -> int:
        return len(list(self.users.find(FILTER)))

    def update(self) -> int:
        return int(self.users.update_many(TENTH, CHANGE).modified_count)

    def close(self) -> None:
        self.db.close()


class Tiny(Store):
    """TinyDB with its default storage, which writes all documents at each change."""

    at_most = {"insert in batches": 10_000, "insert one by one": 300, "read by id": 50}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import tinydb

        self.tinydb = tinydb
        self.db = tinydb.TinyDB(folder / "data.json")

    def insert(self, batch: list[dict[str, Any]]) -> None:
        self.db.insert_multiple(
            [self.tinydb.table.Document(one, doc_id=one["_id"] + 1) for one in batch]
        )

    def insert_one(self, document: dict[str, Any]) -> None:
        self.db.insert(self.tinydb.table.Document(document, doc_id=document["_id"] + 1))

    def get(self, id: int) -> Any:
        return self.db.get(doc_id=id + 1)

    def find(self) -> int:
        where = self.tinydb.where
        return len(self.db.search((where("city") == "Berlin") & (where("age") >= 50)))

    def update(self) -> int:
        def change(document: Any) -> None:
            document["city"] = "Moved"
            document["score"] += 1

        return len(self.db.update(change, self.tinydb.where("age") >= 83))

    def close(self) -> None:
        self.db.close()


class Monty(Store):
    """montydb with its lightning storage if that is there, or else with files."""

    at_most = {"insert one by one": 200, "insert in batches": 2_000, "read by id": 50}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import montydb

        montydb.set_storage(str(folder), storage="sqlite", use_bson=False)
        self.client = montydb.MontyClient(str(folder))
        self.users = self.client.db.users

    def insert(self, batch: list[dict[str, Any]]) -> None:
        self.users.insert_many(batch)

    def insert_one(self, document: dict[str, Any]) -> None:
        self.users.insert_one(document)

    def get(self, id: int) -> Any:
        return self.users.find_one({"_id": id})

    def find(self) -> int:
        return len(list(self.users.find(FILTER)))

    def update(self) -> int:
        return int(self.users.update_many(TENTH, CHANGE).modified_count)

    def close(self) -> None:
        self.client.close()


class Mongita(Store):
    """mongita on disk; its ids are strings."""

    at_most = {"insert one by one": 2_000, "insert in batches": 10_000}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import mongita

        self.client = mongita.MongitaClientDisk(str(folder))
        self.users = self.client.db.users

    def insert(self, batch: list[dict[str, Any]]) -> None:
        self.users.insert_many([{**one, "_id": str(one["_id"])} for one in batch])

    def insert_one(self, document: dict[str, Any]) -> None:
        self.users.insert_one({**document, "_id": str(document["_id"])})

    def get(self, id: int) -> Any:
        return self.users.find_one({"_id": str(id)})

    def find(self) -> int:
        return len(list(self.users.find(FILTER)))

    def update(self) -> int:
        return int(self.users.update_many(TENTH, CHANGE).modified_count)

    def close(self) -> None:
        self.client.close()


STORES: dict[str, type[Store]] = {
    "nanodb": NanoDB,
    "sqlite3": SQLite,
    "neosqlite": NeoSQLite,
    "tinydb": Tiny,
    "montydb": Monty,
    "mongita": Mongita,
}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def measure(kind: type[Store], all_documents: list[dict[str, Any]]) -> dict[str, tuple[float, int]]:
    """Returns the rates of one round, and how many documents each is of."""

    def given(row: str) -> list[dict[str, Any]]:
        chosen = all_documents[: kind.at_most.get(row, len(all_documents))]
        # Stores may put something into what they are given.
        return [dict(document) for document in chosen]

    rates: dict[str, tuple[float, int]] = {}

    def note(row: str, seconds: float, count: int) -> None:
        rates[row] = (count / seconds, count)

    with tempfile.TemporaryDirectory() as folder:
        store = kind(Path(folder))
        mine = given("insert one by one")
        seconds, _ = timed(lambda: [store.insert_one(document) for document in mine])
        note("insert one by one", seconds, len(mine))
        store.close()
    with tempfile.TemporaryDirectory() as folder:
        store = kind(Path(folder))
        mine = given("insert in batches")
        batches = [mine[at : at + BATCH] for at in range(0, len(mine), BATCH)]
        seconds, _ = timed(lambda: [store.insert(batch) for batch in batches])
        note("insert in batches", seconds, len(mine))
        stored = len(mine)
        ids = [random.Random(n).randrange(stored) for n in range(len(given("read by id")))]
        seconds, found = timed(lambda: [store.get(id) for id in ids])
        assert all(one is not None for one in found)
        note("read by id", seconds, len(ids))
        expected = sum(one["city"] == "Berlin" and one["age"] >= 50 for one in mine)
        seconds, count = timed(store.find)
        assert count == expected, (kind, count, expected)
        note("find, two fields", seconds, stored)
        expected = sum(one["age"] >= 83 for one in mine)
        seconds, count = timed(store.update)
        assert count == expected, (kind, count, expected)
        note("update a tenth", seconds, expected)
        store.close()
    return rates


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--only", default=",".join(STORES))
    arguments.add_argument("--quick", action="store_true")
    chosen = arguments.parse_args()
    if chosen.quick:
        chosen.documents, chosen.rounds = min(chosen.documents, 10_000), 1
    all_documents = documents(chosen.documents)
    tenth = sum(one["age"] >= 83 for one in all_documents)
    kinds = {name: STORES[name] for name in chosen.only.split(",")}
    found: dict[str, list[dict[str, tuple[float, int]]]] = {name: [] for name in kinds}
    for _ in range(chosen.rounds):
        # The stores take turns.
        for name, kind in kinds.items():
            try:
                found[name].append(measure(kind, all_documents))
            except Exception as error:  # noqa: BLE001
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"| documents a second | {' | '.join(kinds)} |")
    print(f"|---|{'---|' * len(kinds)}")
    for row in ROWS:
        rates = {
            name: statistics.median(one[row][0] for one in rounds)
            for name, rounds in found.items()
            if rounds
        }
        cells = []
        for name in kinds:
            if name not in rates:
                cells.append("failed")
                continue
            rate = f"{rates[name]:,.0f}"
            if rates[name] == max(rates.values()):
                rate = f"**{rate}**"
            count = found[name][0][row][1]
            is_less = count < (tenth if row == "update a tenth" else len(all_documents))
            cells.append(f"{rate} (of {count:,})" if is_less else rate)
        print(f"| {row} | {' | '.join(cells)} |")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
