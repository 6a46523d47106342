#!/usr/bin/env python3
"""Writes the lists of steps and answers, *.jsonl, from the families below.

The answers are written down by hand: they say what must come out, not what came out. Run it after
a change, and commit both. `generate.py --check` says whether the lists are up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LISTS: dict[str, list[dict[str, Any]]] = {}
NAMES: set[str] = set()


# What JSON has no type for.


def date(text: str) -> dict[str, Any]:
    return {"$date": text}


def oid(text: str) -> dict[str, Any]:
    return {"$oid": text}


def uuid(text: str) -> dict[str, Any]:
    return {"$uuid": text}


def binary(base64: str) -> dict[str, Any]:
    return {"$binary": {"base64": base64, "subType": "00"}}


def double(text: str) -> dict[str, Any]:
    return {"$numberDouble": text}


def long(number: int) -> dict[str, Any]:
    return {"$numberLong": str(number)}


def ext(kind: int, base64: str) -> dict[str, Any]:
    return {"$ext": {"type": kind, "base64": base64}}


ALICE = oid("65a1b2c3d4e5f60718293a4b")
BOB = oid("65a1b2c3d4e5f60718293a4c")
UUID_1 = uuid("123e4567-e89b-12d3-a456-426614174000")


# Steps.


def step(
    op: str,
    args: dict[str, Any] | None = None,
    result: dict[str, Any] | None = None,
    *,
    error: str | None = None,
    message: str | None = None,
    path: str | None = None,
    within: str | None = None,
    name: str | None = None,
    collection: str | None = "c",
) -> dict[str, Any]:
    made: dict[str, Any] = {"op": op}
    if within is not None:
        made["in"] = within
    if collection is not None:
        made["collection"] = collection
    if name is not None:
        made["as"] = name
    made["args"] = args or {}
    if error is None:
        made["result"] = {} if result is None else result
    else:
        made["error"] = error
        if message is not None:
            made["message"] = message
        if path is not None:
            made["path"] = path
    return made


def on_database(op: str, args: Any = None, result: Any = None, **more: Any) -> dict[str, Any]:
    return step(op, args, result, collection=None, **more)


def insert(*documents: Any, **more: Any) -> dict[str, Any]:
    ids = [document["_id"] for document in documents]
    if len(documents) == 1:
        return step("insert_one", {"document": documents[0]}, {"inserted_id": ids[0]}, **more)
    return step("insert_many", {"documents": list(documents)}, {"inserted_ids": ids}, **more)


def refused(document: Any, error: str = "invalid", **more: Any) -> dict[str, Any]:
    return step("insert_one", {"document": document}, error=error, **more)


def get(id: Any, document: Any, **more: Any) -> dict[str, Any]:
    return step("get", {"id": id}, {"document": document}, **more)


def find(filter: Any, documents: Any, within: str | None = None, **args: Any) -> dict[str, Any]:
    return step("find", {"filter": filter, **args}, {"documents": documents}, within=within)


def count(number: int, filter: Any = None, **more: Any) -> dict[str, Any]:
    return step("count_documents", {"filter": filter or {}}, {"count": number}, **more)


def case(
    name: str,
    *steps: dict[str, Any],
    needs: tuple[str, ...] = (),
    api: str | None = None,
) -> None:
    family = name.split("/")[0]
    assert name not in NAMES, f"the case {name} occurs twice"
    NAMES.add(name)
    head: dict[str, Any] = {"case": name}
    if needs:
        head["needs"] = list(needs)
    if api:
        head["api"] = api
    LISTS.setdefault(family, []).extend({**head, **one} for one in steps)


# Documents one by one and many at a time.


def crud() -> None:
    case(
        "crud/insert_one_and_get",
        insert({"_id": 1, "name": "Ada", "age": 36}),
        get(1, {"_id": 1, "name": "Ada", "age": 36}),
        get(2, None),
    )
    case(
        "crud/an_id_moves_to_the_front",
        step("insert_one", {"document": {"a": 1, "_id": 7, "b": 2}}, {"inserted_id": 7}),
        get(7, {"_id": 7, "a": 1, "b": 2}),
    )
    case(
        "crud/fields_keep_their_order",
        insert({"_id": 1, "z": 1, "a": {"y": 1, "b": 2}, "m": 3}),
        get(1, {"_id": 1, "z": 1, "a": {"y": 1, "b": 2}, "m": 3}),
    )
    case(
        "crud/ids_are_assigned_from_one",
        step("insert_one", {"document": {"a": 1}}, {"inserted_id": 1}),
        step("insert_one", {"document": {"a": 2}}, {"inserted_id": 2}),
        get(2, {"_id": 2, "a": 2}),
    )
    case(
        "crud/assigned_ids_follow_the_largest",
        insert({"_id": 100}),
        step("insert_one", {"document": {"a": 1}}, {"inserted_id": 101}),
    )
    case(
        "crud/an_assigned_id_is_not_assigned_again",
        step("insert_one", {"document": {}}, {"inserted_id": 1}),
        step("delete_one", {"filter": {"_id": 1}}, {"deleted_count": 1}),
        step("insert_one", {"document": {}}, {"inserted_id": 2}),
    )
    case(
        "crud/insert_many",
        insert({"_id": 1}, {"_id": 2}, {"_id": 3}),
        count(3),
        find({}, [{"_id": 1}, {"_id": 2}, {"_id": 3}], sort=[["_id", 1]]),
    )
    case(
        "crud/insert_many_assigns_ids",
        step("insert_many", {"documents": [{}, {"_id": "x"}, {}]}, {"inserted_ids": [1, "x", 2]}),
        count(3),
    )
    case("crud/an_empty_document", insert({"_id": 1}), get(1, {"_id": 1}))
    case(
        "crud/get_by_a_string",
        insert({"_id": "a"}, {"_id": 1}),
        get("a", {"_id": "a"}),
        get("1", None),
    )
    case(
        "crud/replace_one",
        insert({"_id": 1, "a": 1, "b": 2}),
        step(
            "replace_one",
            {"filter": {"_id": 1}, "replacement": {"c": 3}},
            {"matched_count": 1, "modified_count": 1, "upserted_id": None},
        ),
        get(1, {"_id": 1, "c": 3}),
    )
    case(
        "crud/replace_one_by_the_same_changes_nothing",
        insert({"_id": 1, "a": 1}),
        step(
            "replace_one",
            {"filter": {"_id": 1}, "replacement": {"a": 1}},
            {"matched_count": 1, "modified_count": 0},
        ),
    )
    case(
        "crud/replace_one_that_matches_nothing",
        step(
            "replace_one",
            {"filter": {"_id": 1}, "replacement": {"a": 1}},
            {"matched_count": 0, "modified_count": 0, "upserted_id": None},
        ),
        count(0),
    )
    case(
        "crud/replace_one_keeps_the_id",
        insert({"_id": 1, "a": 1}),
        step(
            "replace_one",
            {"filter": {"a": 1}, "replacement": {"_id": 1, "a": 2}},
            {"matched_count": 1, "modified_count": 1},
        ),
        step("replace_one", {"filter": {"a": 2}, "replacement": {"_id": 2}}, error="invalid"),
        get(1, {"_id": 1, "a": 2}),
    )
    case(
        "crud/replace_one_upserts",
        step(
            "replace_one",
            {"filter": {"_id": 5}, "replacement": {"a": 1}, "upsert": True},
            {"matched_count": 0, "modified_count": 0, "upserted_id": 5},
        ),
        get(5, {"_id": 5, "a": 1}),
    )
    case(
        "crud/a_replacement_has_no_operators",
        insert({"_id": 1}),
        step(
            "replace_one",
            {"filter": {"_id": 1}, "replacement": {"$set": {"a": 1}}},
            error="invalid",
        ),
        get(1, {"_id": 1}),
    )
    case(
        "crud/delete_one",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 1}),
        step("delete_one", {"filter": {"a": 1}}, {"deleted_count": 1}),
        count(1),
        step("delete_one", {"filter": {"a": 9}}, {"deleted_count": 0}),
    )
    case(
        "crud/delete_many",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 1}, {"_id": 3, "a": 2}),
        step("delete_many", {"filter": {"a": 1}}, {"deleted_count": 2}),
        find({}, [{"_id": 3, "a": 2}]),
        step("delete_many", {"filter": {}}, {"deleted_count": 1}),
        count(0),
    )
    case(
        "crud/find_one",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 2}),
        step("find_one", {"filter": {"a": 2}}, {"document": {"_id": 2, "a": 2}}),
        step("find_one", {"filter": {"a": 3}}, {"document": None}),
    )
    case(
        "crud/find_one_sorted",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 2}),
        step(
            "find_one",
            {"filter": {}, "sort": [["a", -1]], "projection": {"_id": 0}},
            {"document": {"a": 2}},
        ),
    )
    case(
        "crud/counts",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 1}, {"_id": 3, "a": 2}),
        count(2, {"a": 1}),
        step("estimated_document_count", {}, {"count": 3}),
        step("count_documents", {"filter": {}, "skip": 1}, {"count": 2}),
        step("count_documents", {"filter": {}, "limit": 2}, {"count": 2}),
        step("count_documents", {"filter": {"a": 1}, "skip": 1, "limit": 5}, {"count": 1}),
        step("count_documents", {"filter": {}, "skip": 9}, {"count": 0}),
    )
    case("crud/an_absent_collection_reads_as_empty", count(0), find({}, []), get(1, None))
    case(
        "crud/distinct",
        insert({"_id": 1, "a": "x"}, {"_id": 2, "a": ["y", "x"]}, {"_id": 3, "a": 1}, {"_id": 4}),
        step("distinct", {"key": "a", "filter": {}}, {"values": [1, "x", "y"]}),
        step("distinct", {"key": "a", "filter": {"_id": {"$gt": 2}}}, {"values": [1]}),
        step("distinct", {"key": "nothing", "filter": {}}, {"values": []}),
    )
    case(
        "crud/distinct_by_a_path",
        insert({"_id": 1, "o": [{"k": 2}, {"k": 1}]}, {"_id": 2, "o": {"k": 2}}),
        step("distinct", {"key": "o.k", "filter": {}}, {"values": [1, 2]}),
    )
    case(
        "crud/collections_have_names",
        insert({"_id": 1}),
        insert({"_id": 1}, collection="b"),
        on_database("list_collection_names", {}, {"names": ["b", "c"]}),
        step("rename", {"to": "d"}),
        on_database("list_collection_names", {}, {"names": ["b", "d"]}),
        count(0),
        count(1, collection="d"),
    )
    case(
        "crud/drop",
        insert({"_id": 1}),
        step("drop", {}, {"dropped": True}),
        step("drop", {}, {"dropped": False}),
        on_database("list_collection_names", {}, {"names": []}),
        count(0),
    )
    case(
        "crud/names_of_any_language",
        insert({"_id": 1, "naïve": "ß", "日本": "🎉"}, collection="Größe 日本"),
        get(1, {"_id": 1, "naïve": "ß", "日本": "🎉"}, collection="Größe 日本"),
        on_database("list_collection_names", {}, {"names": ["Größe 日本"]}),
    )
    case(
        "crud/names_of_fields_are_taken_as_they_are",
        insert({"_id": 1, "": 1, "a.b": 2, "a b": 3, "x$": 4}),
        get(1, {"_id": 1, "": 1, "a.b": 2, "a b": 3, "x$": 4}),
    )
    case(
        "crud/find_one_and_update_returns_the_old_one",
        insert({"_id": 1, "a": 1}),
        step(
            "find_one_and_update",
            {"filter": {"_id": 1}, "update": {"$inc": {"a": 1}}},
            {"document": {"_id": 1, "a": 1}},
        ),
        get(1, {"_id": 1, "a": 2}),
    )
    case(
        "crud/find_one_and_update_returns_the_new_one",
        insert({"_id": 1, "a": 1}),
        step(
            "find_one_and_update",
            {
                "filter": {"_id": 1},
                "update": {"$inc": {"a": 1}},
                "return_document": "after",
                "projection": {"_id": 0},
            },
            {"document": {"a": 2}},
        ),
    )
    case(
        "crud/find_one_and_update_takes_the_first",
        insert({"_id": 1, "n": 1}, {"_id": 2, "n": 9}),
        step(
            "find_one_and_update",
            {"filter": {}, "update": {"$set": {"taken": True}}, "sort": [["n", -1]]},
            {"document": {"_id": 2, "n": 9}},
        ),
        get(2, {"_id": 2, "n": 9, "taken": True}),
        get(1, {"_id": 1, "n": 1}),
    )
    case(
        "crud/find_one_and_update_of_nothing",
        step(
            "find_one_and_update",
            {"filter": {"_id": 1}, "update": {"$set": {"a": 1}}},
            {"document": None},
        ),
        count(0),
    )
    case(
        "crud/find_one_and_update_upserts",
        step(
            "find_one_and_update",
            {"filter": {"_id": 1}, "update": {"$set": {"a": 1}}, "upsert": True},
            {"document": None},
        ),
        get(1, {"_id": 1, "a": 1}),
        step(
            "find_one_and_update",
            {
                "filter": {"_id": 2},
                "update": {"$set": {"a": 2}},
                "upsert": True,
                "return_document": "after",
            },
            {"document": {"_id": 2, "a": 2}},
        ),
    )
    case(
        "crud/find_one_and_replace",
        insert({"_id": 1, "a": 1}),
        step(
            "find_one_and_replace",
            {"filter": {"a": 1}, "replacement": {"b": 2}},
            {"document": {"_id": 1, "a": 1}},
        ),
        get(1, {"_id": 1, "b": 2}),
        step(
            "find_one_and_replace",
            {"filter": {"_id": 1}, "replacement": {"c": 3}, "return_document": "after"},
            {"document": {"_id": 1, "c": 3}},
        ),
    )
    case(
        "crud/find_one_and_delete",
        insert({"_id": 1, "n": 2}, {"_id": 2, "n": 1}),
        step(
            "find_one_and_delete",
            {"filter": {}, "sort": [["n", 1]], "projection": {"n": 1}},
            {"document": {"_id": 2, "n": 1}},
        ),
        step("find_one_and_delete", {"filter": {"_id": 2}}, {"document": None}),
        count(1),
    )
    case(
        "crud/an_upsert_begins_with_the_filter",
        step(
            "update_one",
            {
                "filter": {"_id": "page", "kind": "html"},
                "update": {"$inc": {"hits": 1}, "$setOnInsert": {"new": True}},
                "upsert": True,
            },
            {"matched_count": 0, "modified_count": 0, "upserted_id": "page"},
        ),
        get("page", {"_id": "page", "kind": "html", "hits": 1, "new": True}),
        step(
            "update_one",
            {"filter": {"_id": "page"}, "update": {"$inc": {"hits": 1}}, "upsert": True},
            {"matched_count": 1, "modified_count": 1, "upserted_id": None},
        ),
        get("page", {"_id": "page", "kind": "html", "hits": 2, "new": True}),
    )
    case(
        "crud/an_upsert_is_assigned_an_id",
        step(
            "update_one",
            {"filter": {"a": 5}, "update": {"$set": {"b": 1}}, "upsert": True},
            {"upserted_id": 1},
        ),
        get(1, {"_id": 1, "a": 5, "b": 1}),
    )
    case(
        "crud/update_many",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 1}, {"_id": 3, "a": 2}),
        step(
            "update_many",
            {"filter": {"a": 1}, "update": {"$set": {"b": 1}}},
            {"matched_count": 2, "modified_count": 2, "upserted_id": None},
        ),
        step(
            "update_many",
            {"filter": {}, "update": {"$set": {"b": 1}}},
            {"matched_count": 3, "modified_count": 1},
        ),
        count(3, {"b": 1}),
    )


# What values come back as.


def types() -> None:
    def same(name: str, value: Any, *needs: str) -> None:
        case(
            f"types/{name}",
            insert({"_id": 1, "v": value}),
            get(1, {"_id": 1, "v": value}),
            needs=needs,
        )

    same("null", None)
    same("true", True)
    same("false", False)
    same("zero", 0)
    for number in (
        1,
        -1,
        31,
        -32,
        -33,
        127,
        128,
        255,
        256,
        65535,
        65536,
        -128,
        -129,
        -32768,
        -32769,
        2**31 - 1,
        2**31,
        -(2**31),
        -(2**31) - 1,
        2**32 - 1,
        2**32,
        2**53 - 1,
        -(2**53) + 1,
    ):
        same(f"integer_{number}", number)
    for number in (2**53 + 1, 2**63 - 1, -(2**63)):
        same(f"integer_{number}", long(number), "int64")
    case(
        "types/integer_above_63_bits",
        insert({"_id": 1, "v": 2**64 - 1}),
        get(1, {"_id": 1, "v": 2**64 - 1}),
        needs=("uint64",),
    )
    for text in ("0.5", "-1.25", "1e300", "-1e-300", "0.1", "3.141592653589793", "5e-324"):
        same(f"float_{text}", double(text))
    for text in ("NaN", "Infinity", "-Infinity"):
        same(f"float_{text}", double(text))
    same("float_that_is_whole", double("5.0"), "doubles")
    same("float_minus_zero", double("-0.0"), "doubles")
    same("float_that_is_whole_and_large", double("1e20"))
    same("empty_string", "")
    same("string", "hello")
    same("string_of_31_bytes", "x" * 31)
    same("string_of_32_bytes", "x" * 32)
    same("string_of_255_bytes", "x" * 255)
    same("string_of_256_bytes", "x" * 256)
    same("string_with_nul", "a\u0000b")
    same("string_with_escapes", '"\\/\b\f\n\r\t\u001f')
    same("string_of_any_plane", "ß日本🎉\U0010ffff")
    same("binary", binary("AAEC/w=="))
    same("empty_binary", binary(""))
    same("timestamp", date("2023-11-14T22:13:20Z"))
    same("timestamp_of_milliseconds", date("2023-11-14T22:13:20.123Z"))
    same("timestamp_of_microseconds", date("2023-11-14T22:13:20.123456Z"), "microseconds")
    same("timestamp_of_nanoseconds", date("2023-11-14T22:13:20.123456789Z"), "nanoseconds")
    same("timestamp_before_1970", date("1969-12-31T23:59:59.5Z"))
    same("timestamp_long_ago", date("0001-01-01T00:00:00Z"))
    same("timestamp_far_ahead", date("9999-12-31T23:59:59.999Z"))
    case(
        "types/timestamp_with_an_offset",
        step(
            "insert_one",
            {"document": {"_id": 1, "v": date("2023-11-14T23:13:20+01:00")}},
            {"inserted_id": 1},
        ),
        get(1, {"_id": 1, "v": date("2023-11-14T22:13:20Z")}),
    )
    same("objectid", ALICE)
    same("uuid", UUID_1)
    same("extension", ext(5, "AQID"), "ext")
    same("empty_array", [])
    same("empty_document", {})
    same("array", [1, "a", None, True, [2, [3]], {"b": {}}])
    same("array_of_16", list(range(16)))
    same("documents_within", {"a": {"b": {"c": {"d": [1, {"e": 2}]}}}})
    same("document_of_16_fields", {f"f{n:02}": n for n in range(16)})
    same("reference", {"$ref": "users", "$id": 5})
    case(
        "types/a_document_that_begins_with_a_dollar",
        insert({"_id": 1, "v": {"$literal": {"$set": 1}}}),
        get(1, {"_id": 1, "v": {"$literal": {"$set": 1}}}),
    )

    def an_id(name: str, id: Any, *needs: str) -> None:
        case(
            f"types/id_{name}",
            insert({"_id": id, "a": 1}),
            get(id, {"_id": id, "a": 1}),
            find({"_id": id}, [{"_id": id, "a": 1}]),
            find({"_id": {"$in": [id]}}, [{"_id": id, "a": 1}]),
            refused({"_id": id}, "duplicate_id"),
            step("delete_one", {"filter": {"_id": id}}, {"deleted_count": 1}),
            get(id, None),
            needs=needs,
        )

    an_id("zero", 0)
    an_id("negative", -5)
    an_id("large", 2**53 - 1)
    an_id("of_64_bits", long(2**63 - 1), "int64")
    an_id("least", long(-(2**63)), "int64")
    an_id("empty_string", "")
    an_id("string", "key")
    an_id("string_of_any_plane", "日本🎉")
    an_id("binary", binary("AAEC"))
    an_id("objectid", ALICE)
    an_id("uuid", UUID_1)
    case(
        "types/id_that_is_a_whole_float",
        step("insert_one", {"document": {"_id": double("5.0")}}, {"inserted_id": 5}),
        get(5, {"_id": 5}),
        refused({"_id": 5}, "duplicate_id"),
        needs=("doubles",),
    )
    case(
        "types/id_of_two_types",
        insert({"_id": 5}, {"_id": "5"}),
        get("5", {"_id": "5"}),
        get(5, {"_id": 5}),
    )
    for name, id in (
        ("null", None),
        ("a_boolean", True),
        ("a_fraction", 0.5),
        ("an_array", [1]),
        ("a_document", {"a": 1}),
        ("a_timestamp", date("2023-11-14T22:13:20Z")),
    ):
        case(f"types/{name}_is_no_id", refused({"_id": id}, path="_id"), count(0))


# Filters.

PEOPLE = [
    {"_id": 1, "name": "Ada", "age": 36, "tags": ["a", "b"], "address": {"city": "London"}},
    {"_id": 2, "name": "Bob", "age": 12, "tags": [], "address": {"city": "Bonn", "zip": 53}},
    {"_id": 3, "name": "Cy", "tags": ["b"], "items": [{"q": 1}, {"q": 5, "r": 2}]},
    {"_id": 4, "name": None, "age": 36.5, "born": date("1990-05-06T00:00:00Z")},
    {"_id": 5, "name": "adam", "age": "36", "items": [{"q": 7}], "scores": [3, 9]},
]


def filters() -> None:
    def matches(name: str, filter: Any, *ids: int) -> None:
        case(
            f"filters/{name}",
            insert(*PEOPLE),
            find(filter, [{"_id": id} for id in ids], sort=[["_id", 1]], projection={"_id": 1}),
            count(len(ids), filter),
        )

    def is_refused(name: str, filter: Any, message: str) -> None:
        case(
            f"filters/{name}",
            insert(*PEOPLE[:1]),
            step("find", {"filter": filter}, error="invalid", message=message),
            step("count_documents", {"filter": filter}, error="invalid", message=message),
            step("delete_many", {"filter": filter}, error="invalid", message=message),
            count(1),
        )

    matches("all", {}, 1, 2, 3, 4, 5)
    matches("equal", {"name": "Ada"}, 1)
    matches("equal_to_a_number", {"age": 36}, 1)
    matches("equal_to_null_or_missing", {"name": None}, 4)
    matches("missing_is_null", {"age": None}, 3)
    matches("an_element_is_equal", {"tags": "b"}, 1, 3)
    matches("an_array_is_equal", {"tags": ["a", "b"]}, 1)
    matches("the_order_of_elements_counts", {"tags": ["b", "a"]})
    matches("an_empty_array_is_equal", {"tags": []}, 2)
    matches("a_document_is_equal", {"address": {"city": "London"}}, 1)
    matches("all_fields_count", {"address": {"city": "Bonn"}})
    matches("a_path", {"address.city": "Bonn"}, 2)
    matches("a_path_through_an_array", {"items.q": 5}, 3)
    matches("a_path_by_an_index", {"items.0.q": 7}, 5)
    matches("an_index_counts", {"items.0.q": 5})
    matches("a_timestamp", {"born": date("1990-05-06T00:00:00Z")}, 4)
    matches("two_fields", {"name": "Ada", "age": 36}, 1)
    matches("two_fields_that_differ", {"name": "Ada", "age": 12})
    matches("eq", {"age": {"$eq": 36}}, 1)
    matches("ne", {"age": {"$ne": 36}}, 2, 3, 4, 5)
    matches("gt", {"age": {"$gt": 12}}, 1, 4)
    matches("gte", {"age": {"$gte": 36}}, 1, 4)
    matches("lt", {"age": {"$lt": 36}}, 2)
    matches("lte", {"age": {"$lte": 36}}, 1, 2)
    matches("a_range", {"age": {"$gt": 12, "$lt": 36.5}}, 1)
    matches("comparison_stays_within_a_type", {"age": {"$gt": "3"}}, 5)
    matches("comparison_of_timestamps", {"born": {"$lt": date("2000-01-01T00:00:00Z")}}, 4)
    matches("in", {"name": {"$in": ["Ada", "Cy", 7]}}, 1, 3)
    matches("in_null", {"age": {"$in": [None, 12]}}, 2, 3)
    matches("in_nothing", {"name": {"$in": []}})
    matches("nin", {"name": {"$nin": ["Ada", "Bob"]}}, 3, 4, 5)
    matches("ids_in_a_list", {"_id": {"$in": [5, 1, 9]}}, 1, 5)
    matches("an_id_and_more", {"_id": 1, "age": {"$gt": 40}})
    matches("and", {"$and": [{"age": {"$gt": 12}}, {"name": "Ada"}]}, 1)
    matches("or", {"$or": [{"name": "Ada"}, {"age": 12}]}, 1, 2)
    matches("nor", {"$nor": [{"name": "Ada"}, {"age": 12}]}, 3, 4, 5)
    matches("not", {"age": {"$not": {"$gt": 12}}}, 2, 3, 5)
    matches("exists", {"age": {"$exists": True}}, 1, 2, 4, 5)
    matches("exists_not", {"age": {"$exists": False}}, 3)
    matches("exists_as_null", {"name": {"$exists": True}}, 1, 2, 3, 4, 5)
    matches("type_by_name", {"age": {"$type": "string"}}, 5)
    matches("type_by_number", {"age": {"$type": 2}}, 5)
    matches("types", {"age": {"$type": ["string", "double"]}}, 4, 5)
    matches("type_number", {"age": {"$type": "number"}}, 1, 2, 4)
    matches("type_of_elements", {"scores": {"$type": "int"}}, 5)
    matches("type_date", {"born": {"$type": "date"}}, 4)
    matches("regex", {"name": {"$regex": "^A"}}, 1)
    matches("regex_of_either_case", {"name": {"$regex": "^a", "$options": "i"}}, 1, 5)
    matches(
        "regular_expression",
        {"name": {"$regularExpression": {"pattern": "a$", "options": ""}}},
        1,
    )
    matches("not_regex", {"name": {"$not": {"$regex": "a"}}}, 2, 3, 4)
    matches("regex_of_elements", {"tags": {"$regex": "^b$"}}, 1, 3)
    matches("mod", {"age": {"$mod": [12, 0]}}, 1, 2, 4)
    matches("size", {"tags": {"$size": 1}}, 3)
    matches("size_zero", {"tags": {"$size": 0}}, 2)
    matches("all_of", {"tags": {"$all": ["b", "a"]}}, 1)
    matches("elem_match", {"items": {"$elemMatch": {"q": {"$gt": 4}, "r": 2}}}, 3)
    matches("elem_match_of_values", {"scores": {"$elemMatch": {"$gt": 8, "$lt": 10}}}, 5)
    matches("elements_may_differ", {"scores": {"$gt": 8, "$lt": 4}}, 5)
    matches("bits_all_set", {"age": {"$bitsAllSet": 4}}, 1, 2)
    matches("bits_any_clear", {"age": {"$bitsAnyClear": [3, 5]}}, 1, 2)
    matches("comment", {"name": "Ada", "$comment": "for the report"}, 1)

    is_refused("an_unknown_operator", {"age": {"$gtt": 5}}, "unknown operator `$gtt` on `age`")
    is_refused("an_unknown_junction", {"$xor": []}, "unknown operator `$xor`")
    is_refused("where", {"$where": "this.a == 1"}, "`$where` is not supported")
    is_refused("expr", {"$expr": {"$gt": ["$a", "$b"]}}, "`$expr` is not supported")
    is_refused("a_wrong_operand", {"age": {"$size": "x"}}, "`$size` on `age` takes")
    is_refused("in_without_a_list", {"age": {"$in": 5}}, "`$in` on `age` takes")
    is_refused("or_of_nothing", {"$or": []}, "`$or` takes")
    is_refused("operators_beside_names", {"age": {"x": 1, "$gt": 2}}, "`$gt` can't stand")
    is_refused("a_wrong_regex", {"name": {"$regex": "(a"}}, "the regular expression `(a`")
    is_refused("look_around", {"name": {"$regex": "a(?=b)"}}, "look-around")
    is_refused("a_regex_to_be_equal_to", {"name": {"$ne": {"$regex": "a"}}}, "takes no regular")


# Order, parts, and which fields.


def finding() -> None:
    rows = [
        {"_id": 1, "a": 2, "b": "x"},
        {"_id": 2, "a": 1, "b": "y"},
        {"_id": 3, "a": 2, "b": "w"},
        {"_id": 4, "b": "z"},
    ]

    def order(name: str, ids: list[int], **args: Any) -> None:
        case(
            f"find/{name}",
            insert(*rows),
            find({}, [{"_id": id} for id in ids], projection={"_id": 1}, **args),
        )

    order("in_the_order_of_insertion", [1, 2, 3, 4])
    order("sort_ascending", [4, 2, 1, 3], sort=[["a", 1]])
    order("sort_descending", [1, 3, 2, 4], sort=[["a", -1]])
    order("sort_by_two", [4, 2, 3, 1], sort=[["a", 1], ["b", 1]])
    order("sort_by_two_ways", [4, 2, 1, 3], sort=[["a", 1], ["b", -1]])
    order("skip", [3, 4], skip=2)
    order("limit", [1, 2], limit=2)
    order("limit_zero_is_none", [1, 2, 3, 4], limit=0)
    order("skip_and_limit", [2, 3], skip=1, limit=2)
    order("sort_skip_and_limit", [2, 1], sort=[["a", 1]], skip=1, limit=2)
    order("skip_beyond_the_end", [], skip=9)
    case(
        "find/sort_by_types",
        insert(
            {"_id": 1, "v": date("2023-11-14T22:13:20Z")},
            {"_id": 2, "v": True},
            {"_id": 3, "v": ALICE},
            {"_id": 4, "v": binary("AQ==")},
            {"_id": 5, "v": {"x": 1}},
            {"_id": 6, "v": "s"},
            {"_id": 7, "v": 5},
            {"_id": 8, "v": None},
            {"_id": 9, "v": []},
        ),
        find(
            {},
            [{"_id": id} for id in (9, 8, 7, 6, 5, 4, 3, 2, 1)],
            sort=[["v", 1]],
            projection={"_id": 1},
        ),
    )
    case(
        "find/sort_of_numbers",
        insert({"_id": 1, "v": 10}, {"_id": 2, "v": 9.5}, {"_id": 3, "v": -1}, {"_id": 4, "v": 2}),
        find(
            {},
            [{"_id": 3}, {"_id": 4}, {"_id": 2}, {"_id": 1}],
            sort=[["v", 1]],
            projection={"_id": 1},
        ),
    )
    case(
        "find/sort_by_a_path",
        insert({"_id": 1, "o": {"k": 2}}, {"_id": 2, "o": {"k": 1}}),
        find({}, [{"_id": 2}, {"_id": 1}], sort=[["o.k", 1]], projection={"_id": 1}),
    )

    def project(name: str, document: Any, projection: Any, result: Any, filter: Any = None) -> None:
        case(
            f"find/project_{name}",
            insert(document),
            find(filter or {}, [result], projection=projection),
        )

    full = {"_id": 1, "a": 1, "b": {"c": 2, "d": 3}, "r": [1, 2, 3]}
    project("a_field", full, {"a": 1}, {"_id": 1, "a": 1})
    project("without_id", full, {"a": 1, "_id": 0}, {"a": 1})
    project("exclude", full, {"b": 0, "r": 0}, {"_id": 1, "a": 1})
    project("true_and_false", full, {"a": True, "_id": False}, {"a": 1})
    project("a_path", full, {"b.c": 1}, {"_id": 1, "b": {"c": 2}})
    project("exclude_a_path", full, {"b.c": 0, "r": 0}, {"_id": 1, "a": 1, "b": {"d": 3}})
    project("slice", full, {"r": {"$slice": 2}, "b": 0}, {"_id": 1, "a": 1, "r": [1, 2]})
    project(
        "slice_from_the_end",
        full,
        {"r": {"$slice": -1}, "_id": 1, "a": 1},
        {"_id": 1, "a": 1, "r": [3]},
    )
    project(
        "slice_of_the_middle", full, {"r": {"$slice": [1, 1]}, "a": 1}, {"_id": 1, "a": 1, "r": [2]}
    )
    project(
        "elem_match",
        {"_id": 1, "r": [{"q": 1}, {"q": 2}]},
        {"r": {"$elemMatch": {"q": {"$gt": 1}}}},
        {"_id": 1, "r": [{"q": 2}]},
    )
    project("the_element_that_matched", full, {"r.$": 1}, {"_id": 1, "r": [2]}, {"r": {"$gte": 2}})
    project("nothing_that_is_there", full, {"zzz": 1}, {"_id": 1})
    case(
        "find/a_wrong_projection",
        insert(full),
        step("find", {"filter": {}, "projection": {"a": 1, "b": 0}}, error="invalid"),
        step("find", {"filter": {}, "projection": {"a": {"$add": [1, 2]}}}, error="invalid"),
    )
    case(
        "find/a_wrong_sort",
        insert(full),
        step("find", {"filter": {}, "sort": [["a", 2]]}, error="invalid"),
    )
    case(
        "find/explain",
        insert({"_id": 1}, {"_id": 2}, {"_id": 3}),
        step(
            "explain",
            {"filter": {"_id": {"$in": [1, 2, 9]}}},
            {"access_path": "id_lookup", "ids": 3, "examined": 2, "returned": 2},
        ),
        step(
            "explain",
            {"filter": {"a": 1}},
            {"access_path": "collection_scan", "examined": 3, "returned": 0},
        ),
    )


# Updates.


def updates() -> None:
    def becomes(name: str, old: Any, update: Any, new: Any, **more: Any) -> None:
        changed = 0 if old == new else 1
        case(
            f"updates/{name}",
            insert({"_id": 1, **old}),
            step(
                "update_one",
                {
                    "filter": more.get("filter", {"_id": 1}),
                    "update": update,
                    **({"array_filters": more["filters"]} if "filters" in more else {}),
                },
                {"matched_count": 1, "modified_count": changed, "upserted_id": None},
            ),
            get(1, {"_id": 1, **new}),
            needs=more.get("needs", ()),
        )

    def fails(name: str, old: Any, update: Any, message: str) -> None:
        case(
            f"updates/{name}",
            insert({"_id": 1, **old}),
            step(
                "update_one",
                {"filter": {"_id": 1}, "update": update},
                error="invalid",
                message=message,
            ),
            get(1, {"_id": 1, **old}),
        )

    becomes("set", {"a": 1}, {"$set": {"a": 2}}, {"a": 2})
    becomes("set_the_same", {"a": 1}, {"$set": {"a": 1}}, {"a": 1})
    becomes("set_a_new_field", {"a": 1}, {"$set": {"b": {"c": [1]}}}, {"a": 1, "b": {"c": [1]}})
    becomes(
        "set_a_path",
        {"o": {"x": 1}},
        {"$set": {"o.y": 2, "p.q": 3}},
        {"o": {"x": 1, "y": 2}, "p": {"q": 3}},
    )
    becomes("set_an_element", {"r": [1, 2]}, {"$set": {"r.1": 9}}, {"r": [1, 9]})
    becomes("set_beyond_the_end", {"r": [1]}, {"$set": {"r.3": 9}}, {"r": [1, None, None, 9]})
    becomes("set_null", {"a": 1}, {"$set": {"a": None}}, {"a": None})
    becomes("set_another_type", {"a": 1}, {"$set": {"a": ALICE}}, {"a": ALICE})
    becomes("unset", {"a": 1, "b": 2}, {"$unset": {"a": ""}}, {"b": 2})
    becomes("unset_what_is_not_there", {"a": 1}, {"$unset": {"b": ""}}, {"a": 1})
    becomes("unset_an_element", {"r": [1, 2, 3]}, {"$unset": {"r.1": ""}}, {"r": [1, None, 3]})
    becomes("rename", {"a": 1, "b": 2}, {"$rename": {"a": "c"}}, {"b": 2, "c": 1})
    becomes("inc", {"n": 5}, {"$inc": {"n": -2}}, {"n": 3})
    becomes("inc_a_missing_field", {}, {"$inc": {"n": 4}}, {"n": 4})
    becomes("inc_by_a_float", {"n": 1}, {"$inc": {"n": 0.5}}, {"n": 1.5})
    becomes("inc_beyond_32_bits", {"n": 2**31 - 1}, {"$inc": {"n": 1}}, {"n": 2**31})
    becomes("mul", {"n": 5}, {"$mul": {"n": 3}}, {"n": 15})
    becomes("mul_a_missing_field", {}, {"$mul": {"n": 3}}, {"n": 0})
    becomes("min", {"a": 5, "b": 1}, {"$min": {"a": 3, "b": 3}}, {"a": 3, "b": 1})
    becomes("max", {"a": 5, "b": 1}, {"$max": {"a": 3, "b": 3}}, {"a": 5, "b": 3})
    becomes("bit", {"a": 12}, {"$bit": {"a": {"and": 10, "or": 1}}}, {"a": 9})
    becomes("push", {"r": [1]}, {"$push": {"r": 2, "s": [3]}}, {"r": [1, 2], "s": [[3]]})
    becomes("push_each", {"r": [1]}, {"$push": {"r": {"$each": [2, 3]}}}, {"r": [1, 2, 3]})
    becomes(
        "push_at", {"r": [1, 2]}, {"$push": {"r": {"$each": [9], "$position": 1}}}, {"r": [1, 9, 2]}
    )
    becomes(
        "push_and_sort",
        {"r": [3, 1]},
        {"$push": {"r": {"$each": [2], "$sort": 1}}},
        {"r": [1, 2, 3]},
    )
    becomes(
        "push_and_slice",
        {"r": [1, 2]},
        {"$push": {"r": {"$each": [3], "$slice": -2}}},
        {"r": [2, 3]},
    )
    becomes("add_to_set", {"r": [1]}, {"$addToSet": {"r": 2}}, {"r": [1, 2]})
    becomes("add_to_set_what_is_there", {"r": [1]}, {"$addToSet": {"r": 1}}, {"r": [1]})
    becomes(
        "add_each_to_set", {"r": [1]}, {"$addToSet": {"r": {"$each": [1, 2, 2]}}}, {"r": [1, 2]}
    )
    becomes("pull", {"r": [1, 2, 1]}, {"$pull": {"r": 1}}, {"r": [2]})
    becomes("pull_matching", {"r": [1, 5, 9]}, {"$pull": {"r": {"$gte": 5}}}, {"r": [1]})
    becomes(
        "pull_documents",
        {"r": [{"x": 1, "y": 2}, {"x": 2}]},
        {"$pull": {"r": {"x": 1}}},
        {"r": [{"x": 2}]},
    )
    becomes("pull_all", {"r": [1, 2, 3, 1]}, {"$pullAll": {"r": [1, 3]}}, {"r": [2]})
    becomes("pop_last", {"r": [1, 2]}, {"$pop": {"r": 1}}, {"r": [1]})
    becomes("pop_first", {"r": [1, 2]}, {"$pop": {"r": -1}}, {"r": [2]})
    becomes("set_on_insert_of_what_is_there", {"a": 1}, {"$setOnInsert": {"b": 1}}, {"a": 1})
    becomes(
        "several_operators",
        {"a": 1, "n": 1},
        {"$set": {"a": 2}, "$inc": {"n": 1}},
        {"a": 2, "n": 2},
    )
    becomes(
        "the_element_that_matched",
        {"r": [{"q": 1}, {"q": 7}]},
        {"$set": {"r.$.done": True}},
        {"r": [{"q": 1}, {"q": 7, "done": True}]},
        filter={"r.q": {"$gt": 5}},
    )
    becomes("all_elements", {"r": [1, 2]}, {"$inc": {"r.$[]": 10}}, {"r": [11, 12]})
    becomes(
        "array_filters",
        {"r": [{"q": 1}, {"q": 7}]},
        {"$set": {"r.$[big].done": True}},
        {"r": [{"q": 1}, {"q": 7, "done": True}]},
        filters=[{"big.q": {"$gt": 5}}],
    )
    becomes("set_the_same_id", {"a": 1}, {"$set": {"_id": 1, "a": 2}}, {"a": 2})

    fails("inc_a_string", {"n": "x"}, {"$inc": {"n": 1}}, "`$inc` on `n` needs a number")
    fails("push_to_a_number", {"a": 5}, {"$push": {"a": 1}}, "`$push` on `a`")
    fails("set_within_a_number", {"a": 5}, {"$set": {"a.b": 1}}, "can't create `b` in a number")
    fails("set_another_id", {}, {"$set": {"_id": 2}}, "can't change `_id`")
    fails("two_changes_of_one_path", {}, {"$set": {"a": 1}, "$inc": {"a.b": 1}}, "conflict at `a`")
    fails("an_unknown_operator", {}, {"$sett": {"a": 1}}, "unknown operator `$sett`")
    case(
        "updates/no_operator",
        insert({"_id": 1}),
        step("update_one", {"filter": {"_id": 1}, "update": {"a": 1}}, error="invalid"),
        get(1, {"_id": 1}),
    )
    case(
        "updates/a_wrong_update_is_refused_without_a_match",
        step("update_one", {"filter": {"_id": 1}, "update": {"$sett": {"a": 1}}}, error="invalid"),
        count(0),
    )
    case(
        "updates/many_or_none",
        insert({"_id": 1, "n": 1}, {"_id": 2, "n": "x"}, {"_id": 3, "n": 3}),
        step("update_many", {"filter": {}, "update": {"$inc": {"n": 1}}}, error="invalid"),
        find({}, [{"_id": 1, "n": 1}, {"_id": 2, "n": "x"}, {"_id": 3, "n": 3}]),
    )
    case(
        "updates/upsert_demands_one_value",
        step(
            "update_one",
            {"filter": {"a": {"$all": [1, 2]}}, "update": {"$set": {"b": 1}}, "upsert": True},
            error="invalid",
        ),
        count(0),
    )
    case(
        "updates/upsert_many",
        step(
            "update_many",
            {"filter": {"_id": 7}, "update": {"$set": {"a": 1}}, "upsert": True},
            {"matched_count": 0, "modified_count": 0, "upserted_id": 7},
        ),
        step(
            "update_many",
            {"filter": {"a": 1}, "update": {"$set": {"a": 2}}, "upsert": True},
            {"matched_count": 1, "modified_count": 1, "upserted_id": None},
        ),
        get(7, {"_id": 7, "a": 2}),
        api="driver",
    )
    case(
        "updates/current_date",
        insert({"_id": 1}),
        step(
            "update_one",
            {"filter": {"_id": 1}, "update": {"$currentDate": {"at": True}}},
            {"modified_count": 1},
        ),
        count(1, {"at": {"$type": "date", "$gt": date("2020-01-01T00:00:00Z")}}),
    )


# Errors and their codes.


def errors() -> None:
    case(
        "errors/duplicate_id",
        insert({"_id": 1, "a": 1}),
        refused({"_id": 1, "a": 2}, "duplicate_id", message="already has a document with the id 1"),
        get(1, {"_id": 1, "a": 1}),
    )
    case(
        "errors/duplicate_id_of_a_string",
        insert({"_id": "x"}),
        refused({"_id": "x"}, "duplicate_id", message='the id "x"'),
    )
    many = {"documents": [{"_id": 2}, {"_id": 1}, {"_id": 3}]}
    case(
        "errors/insert_many_is_all_or_nothing",
        insert({"_id": 1}),
        step("insert_many", many, error="duplicate_id"),
        count(1),
        api="engine",
    )
    case(
        "errors/insert_many_in_order_ends_at_the_first",
        insert({"_id": 1}),
        step("insert_many", many, error="duplicate_id"),
        find({}, [{"_id": 1}, {"_id": 2}]),
        api="driver",
    )
    case(
        "errors/insert_many_out_of_order_goes_on",
        insert({"_id": 1}),
        step("insert_many", {**many, "ordered": False}, error="duplicate_id"),
        find({}, [{"_id": 1}, {"_id": 2}, {"_id": 3}]),
        api="driver",
    )
    case(
        "errors/twice_within_one_insert_many",
        step("insert_many", {"documents": [{"_id": 5}, {"_id": 5}]}, error="duplicate_id"),
    )
    case(
        "errors/rename_of_nothing",
        step("rename", {"to": "d"}, error="not_found", message='"c"'),
    )
    case(
        "errors/rename_to_a_name_that_is_taken",
        insert({"_id": 1}),
        insert({"_id": 1}, collection="d"),
        step("rename", {"to": "d"}, error="already_exists"),
        count(1),
    )
    case(
        "errors/a_closed_database",
        insert({"_id": 1}),
        on_database("close"),
        step("get", {"id": 1}, error="closed"),
        refused({"_id": 2}, "closed"),
        step("find", {"filter": {}}, error="closed"),
        step("count_documents", {"filter": {}}, error="closed"),
        step("update_one", {"filter": {}, "update": {"$set": {"a": 1}}}, error="closed"),
        step("delete_one", {"filter": {}}, error="closed"),
        on_database("list_collection_names", error="closed"),
    )
    case(
        "errors/a_read_only_database",
        on_database("open", {"file": True}),
        insert({"_id": 1}),
        on_database("close"),
        on_database("open", {"file": True, "read_only": True}),
        get(1, {"_id": 1}),
        refused({"_id": 2}, "read_only"),
        step("update_one", {"filter": {}, "update": {"$set": {"a": 1}}}, error="read_only"),
        step("delete_many", {"filter": {}}, error="read_only"),
        step("replace_one", {"filter": {}, "replacement": {}}, error="read_only"),
        step("drop", {}, error="read_only"),
        step("rename", {"to": "d"}, error="read_only"),
        count(1),
    )
    case(
        "errors/a_file_that_is_missing",
        on_database("open", {"file": True, "create": False}, error="io"),
    )
    case(
        "errors/a_full_database",
        on_database("open", {"file": True, "file_bytes_max": 1 << 17}),
        insert({"_id": 1}),
        step(
            "insert_many",
            {"documents": [{"_id": id, "t": "x" * 1500} for id in range(2, 102)]},
            error="quota_exceeded",
        ),
        get(1, {"_id": 1}),
        step("delete_one", {"filter": {"_id": 1}}, {"deleted_count": 1}),
    )
    case(
        "errors/too_large_a_transaction",
        on_database("open", {"file": True, "transaction_bytes_max": 1 << 16}),
        step(
            "insert_many",
            {"documents": [{"_id": id, "t": "x" * 1500} for id in range(1, 101)]},
            {"inserted_ids": list(range(1, 101))},
        ),
        step(
            "update_many",
            {"filter": {}, "update": {"$set": {"a": 1}}},
            error="too_large",
            message="transaction_bytes_max",
        ),
        step("count_documents", {"filter": {"a": 1}}, {"count": 0}),
        step(
            "update_many",
            {"filter": {"_id": {"$lte": 10}}, "update": {"$set": {"a": 1}}},
            {"matched_count": 10, "modified_count": 10},
        ),
    )
    case(
        "errors/the_path_of_what_is_wrong",
        refused({"_id": 1, "a": {"b": [{"x" * 1025: 1}]}}, message="1025 bytes", path="a.b.0"),
    )
    case(
        "errors/what_was_refused_has_changed_nothing",
        insert({"_id": 1, "a": 1}),
        step(
            "update_one",
            {"filter": {"_id": 1}, "update": {"$set": {"a": 2}, "$inc": {"b": "x"}}},
            error="invalid",
        ),
        step("replace_one", {"filter": {"_id": 1}, "replacement": {"_id": 2}}, error="invalid"),
        step("find_one_and_update", {"filter": {"_id": 1}, "update": {"a": 1}}, error="invalid"),
        step(
            "find_one_and_replace",
            {"filter": {"_id": 1}, "replacement": {"$a": 1}},
            error="invalid",
        ),
        get(1, {"_id": 1, "a": 1}),
    )


# Cursors.


def cursors() -> None:
    ten = [{"_id": id, "n": id % 3} for id in range(1, 11)]

    def next_one(document: Any, cursor: str = "k") -> dict[str, Any]:
        return on_database("next", {}, {"document": document}, within=cursor)

    def next_many(number: int, ids: list[int], cursor: str = "k") -> dict[str, Any]:
        documents = [ten[id - 1] for id in ids]
        return on_database("next_many", {"count": number}, {"documents": documents}, within=cursor)

    case(
        "cursors/one_by_one",
        insert(*ten[:2]),
        step("find_cursor", {"filter": {}}, name="k"),
        next_one(ten[0]),
        next_one(ten[1]),
        next_one(None),
        next_one(None),
    )
    case(
        "cursors/many_at_a_time",
        insert(*ten),
        step("find_cursor", {"filter": {}}, name="k"),
        next_many(4, [1, 2, 3, 4]),
        next_many(4, [5, 6, 7, 8]),
        next_many(4, [9, 10]),
        next_many(4, []),
    )
    case(
        "cursors/one_and_many",
        insert(*ten),
        step("find_cursor", {"filter": {"n": 1}}, name="k"),
        next_one(ten[0]),
        next_many(2, [4, 7]),
        next_one(ten[9]),
        next_one(None),
    )
    case(
        "cursors/sorted_and_limited",
        insert(*ten),
        step("find_cursor", {"filter": {}, "sort": [["_id", -1]], "skip": 1, "limit": 3}, name="k"),
        next_many(9, [9, 8, 7]),
    )
    case(
        "cursors/two_at_once",
        insert(*ten),
        step("find_cursor", {"filter": {}}, name="k"),
        step("find_cursor", {"filter": {"_id": {"$gt": 8}}}, name="l"),
        next_one(ten[0]),
        next_one(ten[8], "l"),
        next_one(ten[1]),
        next_one(ten[9], "l"),
        next_one(None, "l"),
        next_one(ten[2]),
    )
    case(
        "cursors/see_what_was_there",
        insert(*ten[:3]),
        step("find_cursor", {"filter": {}}, name="k"),
        next_one(ten[0]),
        insert(ten[3]),
        step("delete_many", {"filter": {"_id": {"$lt": 4}}}, {"deleted_count": 3}),
        next_many(9, [2, 3]),
        find({}, [ten[3]]),
    )
    case(
        "cursors/outlive_their_collection",
        insert(*ten[:3]),
        step("find_cursor", {"filter": {}}, name="k"),
        next_one(ten[0]),
        step("drop", {}, {"dropped": True}),
        next_many(9, [2, 3]),
    )
    case(
        "cursors/of_nothing",
        step("find_cursor", {"filter": {}}, name="k"),
        next_one(None),
    )
    case(
        "cursors/closed_early",
        insert(*ten),
        step("find_cursor", {"filter": {}}, name="k"),
        next_one(ten[0]),
        on_database("close_cursor", within="k"),
        count(10),
    )
    case(
        "cursors/many_documents",
        step(
            "insert_many",
            {"documents": [{"_id": id} for id in range(1, 1501)]},
            {"inserted_ids": list(range(1, 1501))},
        ),
        step("find_cursor", {"filter": {}}, name="k"),
        on_database(
            "next_many",
            {"count": 1498},
            {"documents": [{"_id": id} for id in range(1, 1499)]},
            within="k",
        ),
        next_one({"_id": 1499}),
        next_one({"_id": 1500}),
        next_one(None),
    )
    case(
        "cursors/of_a_closed_database",
        step(
            "insert_many",
            {"documents": [{"_id": id, "t": "x" * 100} for id in range(1, 501)]},
            {"inserted_ids": list(range(1, 501))},
        ),
        step("find_cursor", {"filter": {"_id": {"$gt": 499}}}, name="k"),
        on_database("close"),
        on_database("next", {}, within="k", error="closed"),
        needs=("unread_cursors",),
    )


# Transactions and snapshots.


def transactions() -> None:
    begin = on_database("begin", name="t")
    commit = on_database("commit", within="t")
    rollback = on_database("rollback", within="t")
    case(
        "transactions/commit",
        begin,
        insert({"_id": 1}, within="t"),
        count(0),
        count(1, within="t"),
        commit,
        count(1),
    )
    case(
        "transactions/rollback",
        begin,
        insert({"_id": 1}, within="t"),
        rollback,
        count(0),
        on_database("list_collection_names", {}, {"names": []}),
    )
    case(
        "transactions/of_two_collections",
        begin,
        insert({"_id": 1}, within="t"),
        insert({"_id": 1}, within="t", collection="d"),
        commit,
        count(1),
        count(1, collection="d"),
    )
    case(
        "transactions/read_their_own_writes",
        insert({"_id": 1, "a": 1}),
        begin,
        step(
            "update_one",
            {"filter": {"_id": 1}, "update": {"$set": {"a": 2}}},
            {"modified_count": 1},
            within="t",
        ),
        get(1, {"_id": 1, "a": 2}, within="t"),
        get(1, {"_id": 1, "a": 1}),
        find({"a": 2}, [{"_id": 1, "a": 2}], within="t"),
        find({"a": 2}, []),
        commit,
        get(1, {"_id": 1, "a": 2}),
    )
    case(
        "transactions/delete_and_roll_back",
        insert({"_id": 1}, {"_id": 2}),
        begin,
        step("delete_many", {"filter": {}}, {"deleted_count": 2}, within="t"),
        count(0, within="t"),
        rollback,
        count(2),
    )
    case(
        "transactions/go_on_after_a_refusal",
        insert({"_id": 1}),
        begin,
        insert({"_id": 2}, within="t"),
        refused({"_id": 1}, "duplicate_id", within="t"),
        insert({"_id": 3}, within="t"),
        commit,
        find({}, [{"_id": 1}, {"_id": 2}, {"_id": 3}]),
    )
    case(
        "transactions/are_over_after_commit",
        begin,
        commit,
        step("insert_one", {"document": {"_id": 1}}, within="t", error="transaction_over"),
        on_database("commit", within="t", error="transaction_over"),
    )
    case(
        "transactions/are_over_after_rollback",
        begin,
        rollback,
        step("count_documents", {"filter": {}}, within="t", error="transaction_over"),
    )
    case(
        "transactions/that_write_nothing",
        insert({"_id": 1}),
        begin,
        count(1, within="t"),
        commit,
        count(1),
    )
    case(
        "transactions/all_verbs",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 2}, {"_id": 3, "a": 3}),
        begin,
        step(
            "replace_one",
            {"filter": {"_id": 1}, "replacement": {"a": 10}},
            {"modified_count": 1},
            within="t",
        ),
        step(
            "update_many",
            {"filter": {"a": {"$lt": 5}}, "update": {"$inc": {"a": 1}}},
            {"modified_count": 2},
            within="t",
        ),
        step(
            "find_one_and_delete",
            {"filter": {"_id": 2}},
            {"document": {"_id": 2, "a": 3}},
            within="t",
        ),
        step(
            "update_one",
            {"filter": {"_id": 9}, "update": {"$set": {"a": 9}}, "upsert": True},
            {"upserted_id": 9},
            within="t",
        ),
        step("distinct", {"key": "a", "filter": {}}, {"values": [4, 9, 10]}, within="t"),
        commit,
        find({}, [{"_id": 1, "a": 10}, {"_id": 3, "a": 4}, {"_id": 9, "a": 9}], sort=[["_id", 1]]),
    )
    case(
        "transactions/a_conflict_within_one_thread",
        begin,
        insert({"_id": 1}, within="t"),
        refused({"_id": 2}, "conflict"),
        commit,
        find({}, [{"_id": 1}]),
        needs=("one_thread",),
    )
    case(
        "transactions/end_with_the_database",
        begin,
        insert({"_id": 1}, within="t"),
        on_database("close"),
        step("count_documents", {"filter": {}}, within="t", error="closed"),
    )
    case(
        "transactions/survive_reopening",
        on_database("open", {"file": True}),
        begin,
        insert({"_id": 1}, within="t"),
        commit,
        on_database("begin", name="u"),
        insert({"_id": 2}, within="u"),
        on_database("close"),
        on_database("open", {"file": True}),
        find({}, [{"_id": 1}]),
    )
    case(
        "transactions/bulk_write_within",
        begin,
        step(
            "bulk_write",
            {
                "operations": [
                    {"insert_one": {"document": {"_id": 1, "a": 1}}},
                    {"update_one": {"filter": {"_id": 1}, "update": {"$inc": {"a": 1}}}},
                ]
            },
            {"inserted_count": 1, "modified_count": 1},
            within="t",
        ),
        rollback,
        count(0),
    )
    snapshot = on_database("snapshot", name="s")
    case(
        "transactions/snapshots_stay_as_they_were",
        insert({"_id": 1, "a": 1}, {"_id": 2}),
        snapshot,
        step(
            "update_one",
            {"filter": {"_id": 1}, "update": {"$set": {"a": 2}}},
            {"modified_count": 1},
        ),
        step("delete_one", {"filter": {"_id": 2}}, {"deleted_count": 1}),
        insert({"_id": 3}),
        get(1, {"_id": 1, "a": 1}, within="s"),
        count(2, within="s"),
        find({}, [{"_id": 1, "a": 1}, {"_id": 2}], within="s"),
        step("distinct", {"key": "_id", "filter": {}}, {"values": [1, 2]}, within="s"),
        step("estimated_document_count", {}, {"count": 2}, within="s"),
        get(1, {"_id": 1, "a": 2}),
        on_database("close_snapshot", within="s"),
    )
    case(
        "transactions/snapshots_outlive_a_drop",
        insert({"_id": 1}),
        snapshot,
        step("drop", {}, {"dropped": True}),
        count(1, within="s"),
        on_database("list_collection_names", {}, {"names": ["c"]}, within="s"),
        on_database("list_collection_names", {}, {"names": []}),
    )
    case(
        "transactions/snapshots_before_a_collection",
        snapshot,
        insert({"_id": 1}),
        count(0, within="s"),
        get(1, None, within="s"),
    )
    case(
        "transactions/snapshots_see_no_open_transaction",
        begin,
        insert({"_id": 1}, within="t"),
        snapshot,
        commit,
        count(0, within="s"),
        count(1),
    )
    case(
        "transactions/files_are_kept",
        on_database("open", {"file": True}),
        insert({"_id": 1, "a": [1, {"b": date("2023-11-14T22:13:20.5Z")}]}),
        on_database("close"),
        on_database("open", {"file": True}),
        get(1, {"_id": 1, "a": [1, {"b": date("2023-11-14T22:13:20.5Z")}]}),
        step("insert_one", {"document": {}}, {"inserted_id": 2}),
    )


# Several writes in one call.


def bulk() -> None:
    case(
        "bulk/all_kinds",
        insert({"_id": 1, "a": 1}, {"_id": 2, "a": 1}, {"_id": 3, "a": 2}, {"_id": 4, "a": 9}),
        step(
            "bulk_write",
            {
                "operations": [
                    {"insert_one": {"document": {"_id": 5, "a": 5}}},
                    {"update_one": {"filter": {"_id": 1}, "update": {"$set": {"a": 10}}}},
                    {"update_many": {"filter": {"a": {"$lt": 6}}, "update": {"$inc": {"a": 1}}}},
                    {"replace_one": {"filter": {"_id": 3}, "replacement": {"b": 1}}},
                    {"delete_one": {"filter": {"_id": 4}}},
                    {"delete_many": {"filter": {"a": 2}}},
                    {
                        "update_one": {
                            "filter": {"_id": 7},
                            "update": {"$set": {"c": 1}},
                            "upsert": True,
                        }
                    },
                    {
                        "replace_one": {
                            "filter": {"_id": 8},
                            "replacement": {"d": 1},
                            "upsert": True,
                        }
                    },
                ]
            },
            {
                "inserted_count": 1,
                "matched_count": 5,
                "modified_count": 5,
                "deleted_count": 2,
                "upserted_count": 2,
                "upserted_ids": {"6": 7, "7": 8},
            },
        ),
        find(
            {},
            [
                {"_id": 1, "a": 10},
                {"_id": 3, "b": 1},
                {"_id": 5, "a": 6},
                {"_id": 7, "c": 1},
                {"_id": 8, "d": 1},
            ],
            sort=[["_id", 1]],
        ),
    )
    case(
        "bulk/each_sees_those_before",
        step(
            "bulk_write",
            {
                "operations": [
                    {"insert_one": {"document": {"_id": 1, "n": 0}}},
                    {"update_one": {"filter": {"_id": 1}, "update": {"$inc": {"n": 1}}}},
                    {"update_one": {"filter": {"n": 1}, "update": {"$inc": {"n": 1}}}},
                ]
            },
            {"inserted_count": 1, "matched_count": 2, "modified_count": 2},
        ),
        get(1, {"_id": 1, "n": 2}),
    )
    failing = [
        {"insert_one": {"document": {"_id": 1}}},
        {"insert_one": {"document": {"_id": 1}}},
        {"insert_one": {"document": {"_id": 2}}},
    ]
    case(
        "bulk/all_or_nothing",
        step(
            "bulk_write",
            {"operations": failing},
            error="duplicate_id",
            message="operation 1 of the bulk write",
        ),
        count(0),
        api="engine",
    )
    case(
        "bulk/in_order_ends_at_the_first",
        step("bulk_write", {"operations": failing}, error="duplicate_id"),
        find({}, [{"_id": 1}]),
        api="driver",
    )
    case(
        "bulk/out_of_order_goes_on",
        step("bulk_write", {"operations": failing, "ordered": False}, error="duplicate_id"),
        find({}, [{"_id": 1}, {"_id": 2}]),
        api="driver",
    )
    case(
        "bulk/a_wrong_update",
        insert({"_id": 1}),
        step(
            "bulk_write",
            {"operations": [{"update_one": {"filter": {"_id": 1}, "update": {"$sett": {"a": 1}}}}]},
            error="invalid",
        ),
        get(1, {"_id": 1}),
    )
    case(
        "bulk/that_matches_nothing",
        step(
            "bulk_write",
            {
                "operations": [
                    {"update_one": {"filter": {"_id": 1}, "update": {"$set": {"a": 1}}}},
                    {"delete_many": {"filter": {"_id": 1}}},
                ]
            },
            {
                "inserted_count": 0,
                "matched_count": 0,
                "modified_count": 0,
                "deleted_count": 0,
                "upserted_count": 0,
                "upserted_ids": {},
            },
        ),
    )


# Limits.


def limits() -> None:
    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    case(
        "limits/a_hundred_levels",
        insert({"_id": 1, "v": nested(99)}),
        get(1, {"_id": 1, "v": nested(99)}),
    )
    case(
        "limits/one_level_more",
        refused({"_id": 1, "v": nested(100)}),
        count(0),
        needs=("deep_json",),
    )
    case(
        "limits/a_name_of_1024_bytes",
        insert({"_id": 1, "x" * 1024: 1}),
        get(1, {"_id": 1, "x" * 1024: 1}),
    )
    case("limits/a_name_of_1025_bytes", refused({"_id": 1, "x" * 1025: 1}), count(0))
    case(
        "limits/names_are_measured_in_bytes",
        insert({"_id": 1, "ß" * 512: 1}),
        refused({"_id": 2, "ß" * 513: 1}),
    )
    # A string's key has three more bytes.
    case(
        "limits/an_id_of_512_bytes",
        insert({"_id": "x" * 509}),
        get("x" * 509, {"_id": "x" * 509}),
    )
    case("limits/an_id_of_513_bytes", refused({"_id": "x" * 510}, path="_id"), count(0))
    case(
        "limits/a_collection_name_of_255_bytes",
        insert({"_id": 1}, collection="n" * 255),
        count(1, collection="n" * 255),
    )
    for name, collection in (("256_bytes", "n" * 256), ("no_bytes", ""), ("a_nul", "a\u0000b")):
        case(
            f"limits/a_collection_name_of_{name}",
            refused({"_id": 1}, collection=collection),
            on_database("list_collection_names", {}, {"names": []}),
        )
    case(
        "limits/a_long_string",
        insert({"_id": 1, "v": "abcdefgh" * 2500}),
        get(1, {"_id": 1, "v": "abcdefgh" * 2500}),
    )
    case(
        "limits/many_fields",
        insert({"_id": 1, **{f"f{n}": n for n in range(1000)}}),
        get(1, {"_id": 1, **{f"f{n}": n for n in range(1000)}}),
    )
    case(
        "limits/a_large_array",
        insert({"_id": 1, "v": list(range(3000))}),
        count(1, {"v": 2999}),
        count(1, {"v": {"$size": 3000}}),
    )
    case(
        "limits/a_path_of_too_many_numbers",
        step(
            "find",
            {"filter": {"a.0.1.2.3.4.5.6.7.8.9.0": 1}},
            error="invalid",
            message="more than 100 parts",
        ),
    )
    case(
        "limits/too_many_nulls",
        insert({"_id": 1, "r": [1]}),
        step(
            "update_one",
            {"filter": {"_id": 1}, "update": {"$set": {"r.1600000": 7}}},
            error="invalid",
            message="1500000",
        ),
    )


def main() -> int:
    for family in (
        crud,
        types,
        filters,
        finding,
        updates,
        errors,
        cursors,
        transactions,
        bulk,
        limits,
    ):
        family()
    stale = []
    for name, steps in LISTS.items():
        lines = (json.dumps(one, ensure_ascii=False, separators=(", ", ": ")) for one in steps)
        text = "".join(line + "\n" for line in lines)
        path = HERE / f"{name}.jsonl"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    print(f"{len(NAMES)} cases in {len(LISTS)} lists; changed: {', '.join(stale) or 'none'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
