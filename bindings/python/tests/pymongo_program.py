"""A program that was written for pymongo, of which only the first line is told where it runs.

It keeps the books of a small library. ``run(db)`` takes a database of pymongo's, of mongomock's or
of NanoDB's, and yields lines about what each call returned. The test holds the lines of NanoDB
against those of mongomock, and against the list at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

BOOKS: list[dict[str, Any]] = [
    {"_id": 1, "title": "Emma", "author": "Austen", "year": 1815, "tags": ["novel", "love"]},
    {"_id": 2, "title": "Persuasion", "author": "Austen", "year": 1817, "tags": ["novel"]},
    {"_id": 3, "title": "Middlemarch", "author": "Eliot", "year": 1871, "tags": ["novel", "town"]},
    {"_id": 4, "title": "Silas Marner", "author": "Eliot", "year": 1861, "tags": []},
    {"_id": 5, "title": "Villette", "author": "Brontë", "year": 1853, "tags": ["school", "love"]},
    {"_id": 6, "title": "Walden", "author": "Thoreau", "year": 1854},
]

DAY = datetime(2024, 5, 6, tzinfo=timezone.utc)


def naive(time: datetime) -> datetime:
    """The same time without a zone, as pymongo returns it unless asked for more."""
    return time.astimezone(timezone.utc).replace(tzinfo=None) if time.tzinfo else time


def shown(document: Any) -> str:
    """A document as text, its keys in order: mongomock has them in another."""
    return str(document and dict(sorted(document.items())))


def run(db: Any, api: Any) -> Iterator[str]:
    """Runs the program; ``api`` has the names that are imported from the driver."""
    books, readers, loans = db.books, db["readers"], db.get_collection("loans")

    # Inserting.
    yield f"inserted {books.insert_many(BOOKS).inserted_ids}"
    ada: dict[str, Any] = {"name": "Ada", "joined": DAY, "address": {"city": "London"}}
    result = readers.insert_one(ada)
    yield f"acknowledged {result.acknowledged}, the same id: {result.inserted_id == ada['_id']}"
    readers.insert_one({"_id": "bob", "name": "Bob", "joined": DAY + timedelta(days=3)})
    try:
        readers.insert_one({"_id": "bob"})
    except api.DuplicateKeyError as error:
        yield f"duplicate: {type(error).__name__}, code {error.code}"
    try:
        books.insert_many([{"_id": 7, "title": "Nature"}, {"_id": 1}, {"_id": 8}], ordered=True)
    except api.BulkWriteError as error:
        details = error.details
        first = details["writeErrors"][0]
        yield f"bulk: {details['nInserted']} inserted, {first['index']} refused, {first['code']}"
    try:
        books.insert_many([{"_id": 1}, {"_id": 8, "title": "Ethan"}, {"_id": 2}], ordered=False)
    except api.BulkWriteError as error:
        indexes = [one["index"] for one in error.details["writeErrors"]]
        yield f"bulk: {error.details['nInserted']} inserted, {indexes} refused"

    # Finding.
    def titles(cursor: Any) -> str:
        return ", ".join(book["title"] for book in cursor)

    yield titles(books.find({"author": "Austen"}))
    yield titles(books.find({"year": {"$gte": 1853, "$lt": 1871}}).sort("year", -1))
    yield titles(books.find({"tags": "love"}, sort=[("title", api.DESCENDING)]))
    yield titles(books.find({"tags": {"$all": ["novel", "town"]}}))
    yield titles(books.find({"tags": {"$size": 0}}))
    yield titles(books.find({"tags": {"$exists": False}}).sort([("_id", api.ASCENDING)]))
    yield titles(books.find({"$or": [{"author": "Thoreau"}, {"year": 1815}]}).sort("_id", 1))
    yield titles(books.find({"title": re.compile("^[ev]", re.IGNORECASE)}).sort("_id", 1))
    yield titles(books.find({"title": {"$regex": "r$"}}))
    yield titles(books.find({"author": {"$in": ["Brontë", "Thoreau"]}}).sort("title", 1))
    yield titles(books.find({"author": {"$nin": ["Austen", "Eliot"]}, "year": {"$ne": None}}))
    yield titles(books.find().sort([("author", 1), ("year", -1)]).skip(2).limit(3))
    yield titles(books.find({"year": {"$not": {"$gt": 1820}}}).sort("_id", 1))
    yield shown(books.find_one({"_id": 1}, {"title": 1, "_id": 0}))
    yield shown(books.find_one(3, ["year"]))
    yield shown(books.find_one({"author": "Nobody"}))
    yield shown(books.find({}, {"tags": 0}).sort("_id", 1)[1])
    yield str([book["_id"] for book in books.find().sort("_id", 1)[2:4]])
    cursor = books.find({"author": "Eliot"}).sort("_id", 1)
    yield f"{next(cursor)['title']}, {cursor.next()['title']}"
    cursor.rewind()
    yield str(len(list(cursor)) + len(list(cursor.clone())))
    yield str(books.count_documents({"tags": "novel"}))
    yield f"{books.count_documents({}, skip=2, limit=3)} of {books.estimated_document_count()}"
    yield str(sorted(books.distinct("author", {"year": {"$lt": 1860}})))
    yield str(sorted(books.distinct("tags")))
    joined = readers.find_one({"name": "Ada"})["joined"]
    yield f"{naive(joined)}"
    yield titles({"title": reader["name"]} for reader in readers.find({"joined": {"$gt": DAY}}))
    yield str(readers.find_one({"address.city": "London"})["name"])

    # Changing.
    def counts(result: Any) -> str:
        return f"{result.matched_count} matched, {result.modified_count} modified"

    yield counts(books.update_one({"_id": 4}, {"$push": {"tags": "short"}}))
    yield counts(books.update_many({"author": "Eliot"}, {"$set": {"shelf": "E"}, "$inc": {"n": 2}}))
    yield counts(books.update_one({"_id": 4}, {"$addToSet": {"tags": "short"}}))
    yield counts(books.update_one({"_id": 99}, {"$set": {"a": 1}}))
    yield shown(books.find_one(4))
    books.update_one({"_id": 4}, {"$unset": {"shelf": ""}, "$rename": {"n": "copies"}})
    books.update_one({"_id": 4}, {"$min": {"copies": 1}, "$max": {"year": 1900}})
    books.update_one({"_id": 4}, {"$push": {"tags": {"$each": ["a", "b"], "$slice": -2}}})
    yield shown(books.find_one(4))
    books.update_one({"_id": 4}, {"$pull": {"tags": "a"}, "$inc": {"copies": 2}})
    yield shown(books.find_one(4))
    upserted = loans.update_one({"_id": "l1"}, {"$set": {"book": 1}}, upsert=True)
    yield f"{upserted.upserted_id}, {counts(upserted)}"
    made = loans.update_one({"book": 2}, {"$set": {"reader": "bob"}}, upsert=True).upserted_id
    yield f"{type(made).__name__}: {loans.find_one(made)['reader']}"
    yield counts(books.replace_one({"title": "Walden"}, {"title": "Walden", "author": "T."}))
    yield shown(books.find_one(6))
    new = books.find_one_and_update(
        {"author": "Austen"},
        {"$inc": {"lent": 1}},
        sort=[("year", -1)],
        return_document=api.ReturnDocument.AFTER,
        projection={"title": 1, "lent": 1},
    )
    yield shown(new)
    old = books.find_one_and_update({"_id": 1}, {"$set": {"lent": 5}}, projection={"lent": 1})
    yield shown(old)
    yield shown(books.find_one_and_replace({"_id": 8}, {"title": "Ethan Frome"}))
    yield shown(books.find_one_and_delete({"_id": 8}, projection={"_id": 0}))
    yield shown(books.find_one_and_delete({"_id": 8}))

    # Several writes in one call.
    done = loans.bulk_write(
        [
            api.InsertOne({"_id": "l2", "book": 3}),
            api.UpdateOne({"_id": "l2"}, {"$set": {"reader": "bob"}}),
            api.UpdateMany({"reader": "bob"}, {"$set": {"late": True}}),
            api.ReplaceOne({"_id": "l1"}, {"book": 5, "reader": "ada"}),
            api.UpdateOne({"_id": "l3"}, {"$set": {"book": 6}}, upsert=True),
            api.DeleteOne({"_id": "l1"}),
        ]
    )
    ids = list(done.upserted_ids.values())
    yield f"{done.inserted_count} {done.modified_count} {done.deleted_count} {ids}"
    yield str(sorted(str(loan["_id"]) for loan in loans.find({"late": {"$exists": True}}))[-1])

    # Deleting.
    yield str(books.delete_one({"author": "Austen"}).deleted_count)
    yield str(books.delete_many({"year": {"$gt": 1850}}).deleted_count)
    yield str(books.delete_many({"_id": 99}).deleted_count)
    yield titles(books.find().sort("_id", 1))
    yield str(sorted(db.list_collection_names()))
    loans.rename("returns")
    readers.drop()
    yield str(sorted(db.list_collection_names()))
    db.drop_collection("returns")
    yield str(db.list_collection_names())


EXPECTED = """\
inserted [1, 2, 3, 4, 5, 6]
acknowledged True, the same id: True
duplicate: DuplicateKeyError, code 11000
bulk: 1 inserted, 1 refused, 11000
bulk: 1 inserted, [0, 2] refused
Emma, Persuasion
Silas Marner, Walden, Villette
Villette, Emma
Middlemarch
Silas Marner
Walden, Nature, Ethan
Emma, Walden
Emma, Villette, Ethan
Silas Marner
Villette, Walden
Villette, Walden
Persuasion, Emma, Villette
Emma, Persuasion, Nature, Ethan
{'title': 'Emma'}
{'_id': 3, 'year': 1871}
None
{'_id': 2, 'author': 'Austen', 'title': 'Persuasion', 'year': 1817}
[3, 4]
Middlemarch, Silas Marner
4
3
3 of 8
['Austen', 'Brontë', 'Thoreau']
['love', 'novel', 'school', 'town']
2024-05-06 00:00:00
Bob
Ada
1 matched, 1 modified
2 matched, 2 modified
1 matched, 0 modified
0 matched, 0 modified
{'_id': 4, 'author': 'Eliot', 'n': 2, 'shelf': 'E', 'tags': ['short'], 'title': 'Silas Marner', \
'year': 1861}
{'_id': 4, 'author': 'Eliot', 'copies': 1, 'tags': ['a', 'b'], 'title': 'Silas Marner', 'year': \
1900}
{'_id': 4, 'author': 'Eliot', 'copies': 3, 'tags': ['b'], 'title': 'Silas Marner', 'year': 1900}
l1, 0 matched, 0 modified
ObjectId: bob
1 matched, 1 modified
{'_id': 6, 'author': 'T.', 'title': 'Walden'}
{'_id': 2, 'lent': 1, 'title': 'Persuasion'}
{'_id': 1}
{'_id': 8, 'title': 'Ethan'}
{'title': 'Ethan Frome'}
None
1 4 1 ['l3']
l2
1
3
0
Persuasion, Walden, Nature
['books', 'loans', 'readers']
['books', 'returns']
['books']
"""
