"""The steps and answers that all languages' packages share; see bindings/conformance."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import nanodb

LISTS = Path(__file__).resolve().parents[2] / "conformance"

#: The needs that Python meets; a `datetime` has no nanoseconds.
MET = {
    "int64",
    "uint64",
    "doubles",
    "microseconds",
    "ext",
    "deep_json",
    "one_thread",
    "unread_cursors",
}
NOT_MET = {"nanoseconds"}


def cases() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(LISTS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            step = json.loads(line)
            found.setdefault(step["case"], []).append(step)
    return found


CASES = cases()


def value(read: Any, in_query: bool = False) -> Any:
    """A value of Extended JSON as Python's."""
    if isinstance(read, list):
        return [value(one, in_query) for one in read]
    if not isinstance(read, dict):
        return read
    match list(read.items()):
        case [("$date", str(text))]:
            return time(text)
        case [("$oid", text)]:
            return nanodb.ObjectId(text)
        case [("$uuid", text)]:
            return UUID(text)
        case [("$binary", parts)]:
            text = parts["base64"] if isinstance(parts, dict) else parts
            return base64.b64decode(text)
        case [("$numberDouble", text)]:
            return float(text)
        case [("$numberLong", text)]:
            return int(text)
        case [("$ext", parts)]:
            return nanodb.Ext(parts["type"], base64.b64decode(parts["base64"]))
        case [("$literal", document)]:
            return {name: value(one) for name, one in document.items()}
    return {name: value(one, in_query) for name, one in read.items()}


def time(text: str) -> datetime:
    whole, _, digits = text.replace("Z", "+00:00").partition(".")
    if not digits:
        return datetime.fromisoformat(whole)
    fraction, _, offset = digits.partition("+")
    micros = int(fraction[:6].ljust(6, "0"))
    return datetime.fromisoformat(f"{whole}+{offset}") + timedelta(microseconds=micros)


def same(found: Any, expected: Any) -> bool:
    """Whether two values are of the same type, equal, and have their fields in the same order."""
    if type(found) is not type(expected):
        return False
    if isinstance(found, dict):
        pairs = zip(found.items(), expected.items(), strict=False)
        return len(found) == len(expected) and all(
            name == other and same(one, two) for (name, one), (other, two) in pairs
        )
    if isinstance(found, list):
        pairs_of = zip(found, expected, strict=False)
        return len(found) == len(expected) and all(same(one, two) for one, two in pairs_of)
    if isinstance(found, float):
        both_nan = math.isnan(found) and math.isnan(expected)
        is_equal = found == expected and math.copysign(1, found) == math.copysign(1, expected)
        return both_nan or is_equal
    if isinstance(found, datetime):
        return found == expected and found.tzinfo is timezone.utc
    return bool(found == expected)


def expected_of(step: dict[str, Any]) -> dict[str, Any]:
    expected = {name: value(one) for name, one in step["result"].items()}
    if "upserted_ids" in expected:
        expected["upserted_ids"] = {int(at): one for at, one in expected["upserted_ids"].items()}
    return expected


class Runner:
    """Carries out the steps of a case."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.db: nanodb.Database | None = None
        self.names: dict[str, Any] = {}

    def run(self, step: dict[str, Any]) -> dict[str, Any]:
        args = step["args"]
        queries = {"filter", "update", "projection", "array_filters"}
        values = {name: value(one, name in queries) for name, one in args.items()}
        op = step["op"]
        if op == "open":
            options = dict(values)
            path = self.file if options.pop("file", False) else None
            self.db = nanodb.open(path, ids="integer", **options)
            return {}
        if self.db is None:
            self.db = nanodb.open(None, ids="integer")
        where = self.names[step["in"]] if "in" in step else self.db
        made: dict[str, Any] = {}
        if "collection" in step:
            collection = where[step["collection"]]
            made = self.on_collection(collection, op, values)
        else:
            made = self.on_database(where, op, values)
        if "as" in step:
            self.names[step["as"]] = made["made"]
        return made

    def on_database(self, where: Any, op: str, args: dict[str, Any]) -> dict[str, Any]:
        match op:
            case "close":
                where.close()
            case "begin":
                return {"made": where.transaction()}
            case "snapshot":
                return {"made": where.snapshot()}
            case "commit":
                where.commit()
            case "rollback":
                where.rollback()
            case "close_snapshot" | "close_cursor":
                where.close()
            case "list_collection_names":
                return {"names": where.list_collection_names()}
            case "next":
                return {"document": next(where, None)}
            case "next_many":
                return {"documents": where.to_list(args["count"])}
            case _:
                raise AssertionError(f"unknown operation {op}")
        return {}

    def on_collection(self, c: nanodb.Collection, op: str, args: dict[str, Any]) -> dict[str, Any]:
        match op:
            case "insert_one":
                document = args["document"]
                inserted = c.insert_one(document).inserted_id
                assert same(document["_id"], inserted) or isinstance(document["_id"], float)
                return {"inserted_id": inserted}
            case "insert_many":
                return {"inserted_ids": c.insert_many(**args).inserted_ids}
            case "get":
                return {"document": c.get(args["id"])}
            case "find":
                return {"documents": list(c.find(**args))}
            case "find_cursor":
                return {"made": c.find(**args)}
            case "find_one":
                return {"document": c.find_one(**args)}
            case "explain":
                explain = c.find(**args).explain()
                return {
                    "access_path": explain["access_path"],
                    "ids": explain.get("ids"),
                    "examined": explain["documents_examined"],
                    "returned": explain["documents_returned"],
                }
            case "count_documents":
                return {"count": c.count_documents(**args)}
            case "estimated_document_count":
                return {"count": c.estimated_document_count()}
            case "distinct":
                return {"values": c.distinct(**args)}
            case "update_one" | "update_many" | "replace_one":
                done = getattr(c, op)(**args)
                return {
                    "matched_count": done.matched_count,
                    "modified_count": done.modified_count,
                    "upserted_id": done.upserted_id,
                }
            case "delete_one" | "delete_many":
                return {"deleted_count": getattr(c, op)(**args).deleted_count}
            case "find_one_and_update" | "find_one_and_replace" | "find_one_and_delete":
                if "return_document" in args:
                    args["return_document"] = args["return_document"] == "after"
                return {"document": getattr(c, op)(**args)}
            case "bulk_write":
                return self.bulk_write(c, args)
            case "drop":
                return {"dropped": c.drop()}
            case "rename":
                c.rename(args["to"])
                return {}
        raise AssertionError(f"unknown operation {op}")

    def bulk_write(self, c: nanodb.Collection, args: dict[str, Any]) -> dict[str, Any]:
        kinds: dict[str, Callable[..., Any]] = {
            "insert_one": nanodb.InsertOne,
            "update_one": nanodb.UpdateOne,
            "update_many": nanodb.UpdateMany,
            "replace_one": nanodb.ReplaceOne,
            "delete_one": nanodb.DeleteOne,
            "delete_many": nanodb.DeleteMany,
        }
        operations = [
            kinds[kind](**arguments)
            for operation in args["operations"]
            for kind, arguments in operation.items()
        ]
        done = c.bulk_write(operations, ordered=args.get("ordered", True))
        return {
            "inserted_count": done.inserted_count,
            "matched_count": done.matched_count,
            "modified_count": done.modified_count,
            "deleted_count": done.deleted_count,
            "upserted_count": done.upserted_count,
            "upserted_ids": done.upserted_ids,
        }

    def close(self) -> None:
        if self.db is not None:
            self.db.close()


def test_there_are_some_three_hundred_cases() -> None:
    assert len(CASES) > 300
    needs = {need for steps in CASES.values() for need in steps[0].get("needs", [])}
    assert needs <= MET | NOT_MET


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    steps = CASES[name]
    if steps[0].get("api") == "engine":
        pytest.skip("for packages with the engine's calls")
    if unmet := NOT_MET & set(steps[0].get("needs", [])):
        pytest.skip(f"Python lacks {', '.join(unmet)}")
    runner = Runner(tmp_path / "case.nanodb")
    try:
        for step in steps:
            check(runner, step)
    finally:
        runner.close()


def check(runner: Runner, step: dict[str, Any]) -> None:
    if "error" not in step:
        found = runner.run(step)
        for name, expected in expected_of(step).items():
            assert same(found[name], expected), f"{step}: {name} is {found[name]!r}"
        return
    with pytest.raises((nanodb.NanoDBError, ValueError, TypeError)) as caught:
        runner.run(step)
    error = caught.value
    if not isinstance(error, nanodb.NanoDBError):
        # pymongo checks some arguments before they are sent, and so does this package.
        assert step["error"] == "invalid", f"{step}: {error!r}"
        return
    assert error.kind == step["error"], f"{step}: {error!r}"
    assert step.get("message", "") in str(error), f"{step}: {error}"
    if "path" in step:
        assert error.path == step["path"], f"{step}: {error}"
