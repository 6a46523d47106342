"""What pymongo's methods of collections do here, beyond what all languages share."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest

import nanodb
from nanodb import (
    DeleteMany,
    DeleteOne,
    InsertOne,
    ObjectId,
    ReplaceOne,
    ReturnDocument,
    UpdateMany,
    UpdateOne,
)


def test_a_new_id_is_put_into_the_callers_document(users: nanodb.Collection) -> None:
    document: dict[str, Any] = {"a": 1}
    inserted = users.insert_one(document).inserted_id
    assert isinstance(inserted, ObjectId) and document == {"a": 1, "_id": inserted}
    many: list[dict[str, Any]] = [{"a": 2}, {"_id": 5}, {"a": 3}]
    ids = users.insert_many(many).inserted_ids
    assert ids == [document["_id"] for document in many] and ids[1] == 5
    assert users.count_documents({}) == 4


def test_ids_by_the_engine() -> None:
    with nanodb.open(":memory:", ids="integer") as db:
        document: dict[str, Any] = {"a": 1}
        assert db.c.insert_one(document).inserted_id == 1 and document["_id"] == 1
        many: list[dict[str, Any]] = [{}, {"_id": 9}, {}]
        assert db.c.insert_many(many).inserted_ids == [2, 9, 10]
        assert [document["_id"] for document in many] == [2, 9, 10]
        assert db.c.update_one({"b": 1}, {"$set": {"c": 1}}, upsert=True).upserted_id > 9


def test_upserts_get_an_object_id_unless_they_ask_for_one(users: nanodb.Collection) -> None:
    made = users.update_one({"a": 1}, {"$set": {"b": 1}}, upsert=True).upserted_id
    assert isinstance(made, ObjectId) and users[made] == {"_id": made, "a": 1, "b": 1}
    made = users.replace_one({"a": 2}, {"c": 1}, upsert=True).upserted_id
    assert isinstance(made, ObjectId) and users[made] == {"_id": made, "c": 1}
    found = users.find_one_and_update(
        {"a": 3}, {"$set": {"b": 3}}, upsert=True, return_document=ReturnDocument.AFTER
    )
    assert found is not None and isinstance(found["_id"], ObjectId) and found["b"] == 3
    assert users.find_one_and_update({"a": 4}, {"$set": {"b": 4}}, upsert=True) is None
    new = users.find_one({"a": 4})
    assert new is not None and isinstance(new["_id"], ObjectId)
    # By the filter, by the update, by the replacement.
    assert users.update_one({"_id": 5}, {"$set": {"b": 1}}, upsert=True).upserted_id == 5
    asked = {"$setOnInsert": {"_id": 6}}
    assert users.update_one({"a": 6}, asked, upsert=True).upserted_id == 6
    assert users.replace_one({"a": 7}, {"_id": 7}, upsert=True).upserted_id == 7
    in_list = users.update_one({"_id": {"$in": [8, 9]}}, {"$set": {"b": 1}}, upsert=True)
    assert isinstance(in_list.upserted_id, ObjectId)
    assert users.update_many({"a": 10}, {"$set": {"b": 1}}, upsert=True).did_upsert


def test_find_one_by_an_id(users: nanodb.Collection) -> None:
    users.insert_one({"_id": 1, "a": 1})
    assert users.find_one(1) == users.find_one({"_id": 1}) == {"_id": 1, "a": 1}
    assert users.find_one({"_id": 1}, {"_id": 0}) == {"a": 1}
    assert users.find_one({"_id": 1.0}) == {"_id": 1, "a": 1}
    assert users.find_one({"_id": 2}) is None and users.find_one(True) is None
    assert users.find_one() == {"_id": 1, "a": 1} and users.find_one({"_id": 1}, skip=1) is None


def test_forms_of_projections_and_orders(users: nanodb.Collection) -> None:
    users.insert_many([{"_id": n, "a": n % 2, "b": -n} for n in range(4)])
    assert users.find_one({"_id": 1}, ["a"]) == {"_id": 1, "a": 1}
    assert users.find_one({"_id": 1}, []) == {"_id": 1}
    assert users.find_one({"_id": 1}, {}) == {"_id": 1, "a": 1, "b": -1}
    assert users.find_one({"_id": 1}, {"_id": False, "a": True}) == {"a": 1}
    forms: list[Any] = [
        [("a", -1), ("b", 1)],
        {"a": -1, "b": 1},
        (("a", nanodb.DESCENDING), ("b", 1)),
    ]
    for form in forms:
        assert [user["_id"] for user in users.find(sort=form)] == [3, 1, 2, 0]
        assert [user["_id"] for user in users.find().sort(form)] == [3, 1, 2, 0]
    assert [user["_id"] for user in users.find(sort=["b"])] == [3, 2, 1, 0]
    assert [user["_id"] for user in users.find().sort("b", -1)] == [0, 1, 2, 3]
    assert [user["_id"] for user in users.find().sort("b")] == [3, 2, 1, 0]
    for wrong in (5, [5], [("a", 1, 2)]):
        with pytest.raises(TypeError):
            users.find().sort(wrong)


def test_patterns(users: nanodb.Collection) -> None:
    users.insert_many([{"_id": 1, "n": "Ada"}, {"_id": 2, "n": "adam\nBob"}, {"_id": 3, "n": "Cy"}])

    def ids(filter: dict[str, Any]) -> list[int]:
        return [user["_id"] for user in users.find(filter, sort=[("_id", 1)])]

    assert ids({"n": re.compile("^A")}) == [1]
    assert ids({"n": re.compile("^a", re.I)}) == [1, 2]
    assert ids({"n": re.compile("^b", re.I | re.M)}) == [2]
    assert ids({"n": {"$in": [re.compile("^A"), "Cy"]}}) == [1, 3]
    assert ids({"n": {"$not": re.compile("a")}}) == [3]
    assert ids({"n": {"$regex": re.compile("^a", re.I)}}) == [1, 2]
    assert ids({"n": {"$regex": "^a", "$options": "i"}}) == [1, 2]
    assert ids({"$or": [{"n": re.compile("y$")}, {"_id": 1}]}) == [1, 3]
    with pytest.raises(nanodb.OperationFailure, match="filter.n"):
        users.find_one({"n": re.compile(b"a")})
    users.update_many({}, {"$set": {"r": ["ax", "bx"]}})
    users.update_one({"_id": 1}, {"$pull": {"r": re.compile("^a")}})
    assert users[1]["r"] == ["bx"]


def test_insert_many_says_what_was_refused(users: nanodb.Collection) -> None:
    users.insert_one({"_id": 2})
    documents = [{"_id": n} for n in range(4)]
    with pytest.raises(nanodb.BulkWriteError) as caught:
        users.insert_many(documents)
    details = caught.value.details
    assert details["nInserted"] == 2 and caught.value.operation == 2
    assert caught.value.kind == "duplicate_id" and caught.value.code == 65
    (error,) = details["writeErrors"]
    assert (error["index"], error["code"], error["op"]) == (2, 11000, {"_id": 2})
    assert users.distinct("_id") == [0, 1, 2]
    with pytest.raises(nanodb.BulkWriteError) as caught:
        users.insert_many(documents, ordered=False)
    assert caught.value.details["nInserted"] == 1
    assert [error["index"] for error in caught.value.details["writeErrors"]] == [0, 1, 2]
    assert users.distinct("_id") == [0, 1, 2, 3]


def test_codes_are_the_numbers_of_pymongo(users: nanodb.Collection) -> None:
    users.insert_one({"_id": 1, "n": "x"})

    def refused(call: Any) -> nanodb.NanoDBError:
        with pytest.raises(nanodb.NanoDBError) as caught:
            call()
        return caught.value

    duplicate = refused(lambda: users.insert_one({"_id": 1}))
    assert (duplicate.code, duplicate.kind, duplicate.id) == (11000, "duplicate_id", 1)
    details: Any = getattr(duplicate, "details", None)
    assert details["code"] == 11000 and details["keyValue"] == {"_id": 1}
    assert pickle.loads(pickle.dumps(duplicate)).code == 11000
    filter = refused(lambda: users.find_one({"n": {"$gtt": 1}}))
    assert (filter.code, filter.kind) == (2, "invalid")
    update = refused(lambda: users.update_one({}, {"$inc": {"n": 1}}))
    assert (type(update), update.code) == (nanodb.WriteError, 2)
    unsupported = refused(lambda: users.aggregate([]))
    assert (unsupported.code, unsupported.kind) == (115, "invalid")
    unstored = refused(lambda: users.insert_one({"a": object()}))
    assert (type(unstored), unstored.code) == (nanodb.InvalidDocument, None)
    assert nanodb.ConflictError().code == 112 and nanodb.FileError("a").code is None
    assert refused(lambda: users.insert_many([{"_id": 1}])).code == 65


def test_insert_many_takes_any_iterable(users: nanodb.Collection) -> None:
    assert len(users.insert_many({"n": n} for n in range(5)).inserted_ids) == 5
    wrong: list[Any] = [[], {}, {"a": 1}, 5, "x"]
    for one in wrong:
        with pytest.raises(TypeError):
            users.insert_many(one)
    with pytest.raises(nanodb.InvalidDocument, match=r"users\[1\]: a document must be a dict"):
        users.insert_many([{"a": 1}, 5])
    with pytest.raises(nanodb.InvalidDocument, match=r"users\[1\].b: "):
        users.insert_many([{"a": 1}, {"b": object()}])
    assert len(users) == 5


def test_bulk_write(users: nanodb.Collection) -> None:
    users.insert_many([{"_id": n, "a": n} for n in range(1, 5)])
    done = users.bulk_write(
        [
            InsertOne({"_id": 5, "a": 5}),
            UpdateOne({"_id": 1}, {"$set": {"a": 10}}),
            UpdateMany({"a": {"$lt": 4}}, {"$inc": {"a": 1}}),
            ReplaceOne({"_id": 4}, {"b": 1}),
            DeleteOne({"_id": 5}),
            DeleteMany({"a": 3}),
            UpdateOne({"c": 1}, {"$set": {"d": 1}}, upsert=True),
        ]
    )
    counts = (done.inserted_count, done.matched_count, done.modified_count, done.deleted_count)
    assert counts == (1, 4, 4, 2) and done.upserted_count == 1
    assert list(done.upserted_ids) == [6] and isinstance(done.upserted_ids[6], ObjectId)
    assert done.bulk_api_result["nInserted"] == 1 and done.acknowledged
    with pytest.raises(nanodb.BulkWriteError) as caught:
        users.bulk_write([InsertOne({"_id": 7}), InsertOne({"_id": 1}), InsertOne({"_id": 8})])
    assert caught.value.details["nInserted"] == 1 and 7 in users and 8 not in users
    with pytest.raises(nanodb.InvalidOperation):
        users.bulk_write([])
    with pytest.raises(TypeError):
        users.bulk_write([{"insertOne": {}}])  # type: ignore[list-item]
    with pytest.raises(nanodb.InvalidDocument, match="users: operation 0.a: "):
        users.bulk_write([InsertOne({"a": object()})])
    assert repr(UpdateOne({"a": 1}, {"$set": {"b": 1}})).startswith("UpdateOne({'a': 1}, ")
    assert InsertOne({"a": 1}) == InsertOne({"a": 1}) != InsertOne({"a": 2})


def test_array_filters(users: nanodb.Collection) -> None:
    users[1] = {"r": [{"q": 1}, {"q": 7}]}
    update = {"$set": {"r.$[big].done": True}}
    assert users.update_one({}, update, array_filters=[{"big.q": {"$gt": 5}}]).modified_count == 1
    assert users[1]["r"] == [{"q": 1}, {"q": 7, "done": True}]
    found = users.find_one_and_update(
        {},
        {"$unset": {"r.$[x].done": ""}},
        array_filters=[{"x.q": 7}],
        return_document=ReturnDocument.AFTER,
    )
    assert found is not None and found["r"] == [{"q": 1}, {"q": 7}]
    with pytest.raises(nanodb.WriteError, match=r"`\$\[id\]` without an array filter"):
        users.update_one({}, update)
    with pytest.raises(TypeError):
        users.update_one({}, update, array_filters={"big.q": 1})  # type: ignore[arg-type]


def test_arguments_that_pymongo_refuses(users: nanodb.Collection) -> None:
    calls: list[tuple[type[Exception], Any]] = [
        (TypeError, lambda: users.find(5)),  # type: ignore[arg-type]
        (TypeError, lambda: users.find({}, "name")),
        (TypeError, lambda: users.find({}, skip="1")),  # type: ignore[arg-type]
        (ValueError, lambda: users.find({}, skip=-1)),
        (TypeError, lambda: users.count_documents(None)),  # type: ignore[arg-type]
        (TypeError, lambda: users.update_one({}, 5)),  # type: ignore[arg-type]
        (ValueError, lambda: users.update_one({}, {})),
        (ValueError, lambda: users.update_one({}, {"a": 1})),
        (ValueError, lambda: users.replace_one({}, {"$set": {"a": 1}})),
        (TypeError, lambda: users.delete_one(5)),  # type: ignore[arg-type]
        (ValueError, lambda: users.find_one_and_update({}, {"$set": {}}, return_document=5)),  # type: ignore[arg-type]
        (TypeError, lambda: users.distinct(5)),  # type: ignore[arg-type]
        (TypeError, lambda: users.find(nonsense=1)),
        (nanodb.NotSupportedError, lambda: users.find(collation={"locale": "en"})),
        (nanodb.NotSupportedError, lambda: users.update_one({}, [{"$set": {"a": 1}}])),  # type: ignore[arg-type]
        (nanodb.NotSupportedError, lambda: users.aggregate([])),
        (nanodb.NotSupportedError, lambda: users.create_index("a")),
        (nanodb.NotSupportedError, lambda: users.find().where("x")),  # type: ignore[attr-defined]
        (nanodb.NotSupportedError, lambda: users.update_one({}, {"$set": {}}, sort=[("a", 1)])),
        (nanodb.NotSupportedError, lambda: users.database.list_collection_names(filter={"a": 1})),
        (TypeError, lambda: users.find_one({}, session=5)),  # type: ignore[arg-type]
        (nanodb.NotSupportedError, lambda: users.find(max_time_ms=5)),
        (nanodb.NotSupportedError, lambda: users.find().sort("a", "text")),
    ]
    for expected, call in calls:
        with pytest.raises(expected):
            call()


def test_options_without_effect(users: nanodb.Collection) -> None:
    users.insert_one({"_id": 1}, bypass_document_validation=True, comment="x")
    assert users.find_one({}, comment="x", hint="_id_") == {"_id": 1}
    assert users.find({}, batch_size=5, no_cursor_timeout=True, allow_disk_use=True)[0] == {
        "_id": 1
    }
    assert users.count_documents({}, hint="_id_") == 1
    assert users.with_options(write_concern=5) is users


def test_a_collection_is_a_mapping(users: nanodb.Collection) -> None:
    users["a"] = {"n": 1}
    users["a"] = {"n": 2}
    assert users["a"] == {"_id": "a", "n": 2} and len(users) == 1 and list(users) == [users["a"]]
    assert "a" in users and "b" not in users and users.get("b") is None and users.get("b", 5) == 5
    del users["a"]
    with pytest.raises(KeyError):
        _ = users["a"]
    with pytest.raises(KeyError):
        del users["a"]
    assert len(users) == 0 and bool(users)
    with pytest.raises(nanodb.InvalidDocument):
        users["a"] = {"_id": "b"}
    with pytest.raises(nanodb.InvalidDocument, match="users._id: `_id` must be"):
        users[None] = {}


def test_names_and_what_they_look_like(db: nanodb.Database, users: nanodb.Collection) -> None:
    assert repr(users) == "Collection(Database(':memory:'), 'users')"
    assert users == db.users == db["users"] == db.get_collection("users") != db.others
    assert hash(users) == hash(db.users) and users.full_name == "memory.users"
    assert users.database is db
    with pytest.raises(AttributeError, match="users.archive"):
        _ = users.archive
    with pytest.raises(TypeError, match="not a function"):
        users()
    with pytest.raises(AttributeError):
        _ = db._private
    for wrong in ("", "a\0b", "x" * 256, "\ud800"):
        with pytest.raises(nanodb.InvalidName):
            _ = db[wrong]
    with pytest.raises(TypeError):
        _ = db[5]  # type: ignore[index]
    with pytest.raises(TypeError):
        iter(db)


def test_results_look_like_pymongos(users: nanodb.Collection) -> None:
    assert repr(users.insert_one({"_id": 1})) == "InsertOneResult(1, acknowledged=True)"
    assert repr(users.insert_many([{"_id": 2}])) == "InsertManyResult([2], acknowledged=True)"
    updated = users.update_one({"_id": 1}, {"$set": {"a": 1}})
    assert updated.raw_result == {"n": 1, "nModified": 1, "ok": 1.0, "updatedExisting": True}
    upserted = users.update_one({"_id": 3}, {"$set": {"a": 1}}, upsert=True)
    assert upserted.raw_result["upserted"] == 3 and upserted.raw_result["n"] == 1
    assert users.delete_one({"_id": 1}).raw_result == {"n": 1, "ok": 1.0}


def test_drop_and_rename(db: nanodb.Database, users: nanodb.Collection) -> None:
    users.insert_one({"_id": 1})
    users.rename("people")
    assert db.list_collection_names() == ["people"] and "people" in db and len(users) == 0
    users.insert_one({"_id": 2})
    with pytest.raises(nanodb.CollectionInvalid):
        users.rename("people")
    users.rename("people", dropTarget=True)
    assert list(db.people) == [{"_id": 2}]
    db.create_collection("empty")
    assert "empty" in db and db.empty.insert_one({}).acknowledged
    with pytest.raises(nanodb.CollectionInvalid):
        db.create_collection("people")
    assert db.drop_collection(db.people) and not db.drop_collection("people")
    assert not users.drop()


def test_a_rename_that_is_refused_drops_nothing(
    db: nanodb.Database, users: nanodb.Collection
) -> None:
    users.insert_one({"_id": 1})
    with pytest.raises(nanodb.CollectionInvalid):
        db.missing.rename("users", dropTarget=True)
    assert len(users) == 1
    users.rename("users", dropTarget=True)
    assert len(users) == 1


def test_a_collection_can_be_copied(users: nanodb.Collection) -> None:
    users.insert_one({"_id": 1})
    assert copy.copy(users) == users and list(copy.copy(users)) == [{"_id": 1}]
    with pytest.raises(AttributeError):
        _ = object.__new__(nanodb.Collection).name


def test_refused_operations_are_told_as_pymongo_tells_them(users: nanodb.Collection) -> None:
    users.insert_many([{"_id": 1, "s": "x"}, {"_id": 2}])
    operations: list[nanodb.operations.Operation] = [
        InsertOne({"_id": 1}),
        UpdateOne({"_id": 1}, {"$inc": {"s": 1}}),
        UpdateMany({"_id": 1}, {"$inc": {"s": 2}}, upsert=True),
        ReplaceOne({"_id": 1}, {"_id": 2}),
    ]
    with pytest.raises(nanodb.BulkWriteError) as raised:
        users.bulk_write(operations, ordered=False)
    taken = raised.value.details["writeErrors"][0]
    assert taken["keyPattern"] == {"_id": 1} and taken["keyValue"] == {"_id": 1}
    assert "keyValue" not in raised.value.details["writeErrors"][1]
    assert [error["op"] for error in raised.value.details["writeErrors"]] == [
        {"_id": 1},
        {"q": {"_id": 1}, "u": {"$inc": {"s": 1}}, "multi": False, "upsert": False},
        {"q": {"_id": 1}, "u": {"$inc": {"s": 2}}, "multi": True, "upsert": True},
        {"q": {"_id": 1}, "u": {"_id": 2}, "multi": False, "upsert": False},
    ]
    assert DeleteMany({"a": 1})._as_command() == {"q": {"a": 1}, "limit": 0}
