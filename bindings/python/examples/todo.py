"""A to-do list in one file, which survives the program being killed at any moment.

python todo.py todo.nanodb add "buy tea"
python todo.py todo.nanodb done 1
python todo.py todo.nanodb list
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone

import nanodb


def add(db: nanodb.Database, what: str) -> int:
    """Adds an entry, and counts it, as one transaction; returns its number."""

    def run(tx: nanodb.Transaction) -> int:
        entry = {"what": what, "done": False, "added": datetime.now(timezone.utc)}
        number: int = tx.entries.insert_one(entry).inserted_id
        tx.counts.update_one({"_id": "added"}, {"$inc": {"count": 1}}, upsert=True)
        return number

    return db.with_transaction(run)


def done(db: nanodb.Database, number: int) -> bool:
    """Marks an entry as done; returns whether there is one that was not."""
    found = db.entries.find_one_and_update(
        {"_id": number, "done": False}, {"$set": {"done": True}, "$currentDate": {"at": True}}
    )
    return found is not None


def listed(db: nanodb.Database) -> list[str]:
    """Returns the entries as lines, those to be done first."""
    entries = db.entries.find({}, sort=[("done", 1), ("_id", 1)])
    return [
        f"[{'x' if entry['done'] else ' '}] {entry['_id']} {entry['what']}" for entry in entries
    ]


def main(arguments: list[str]) -> int:
    """Carries out one command."""
    match arguments:
        case [path, "add", what]:
            with nanodb.open(path, ids="integer") as db:
                print(add(db, what))
        case [path, "done", number]:
            with nanodb.open(path, ids="integer") as db:
                if not done(db, int(number)):
                    print(f"there is no entry {number} to be done", file=sys.stderr)
                    return 1
        case [path, "list"]:
            with nanodb.open(path, ids="integer", create=False, read_only=True) as db:
                print("\n".join(listed(db)))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
