"""A program that was written for pymongo runs on NanoDB, with the same output."""

from __future__ import annotations

import difflib
from types import SimpleNamespace
from typing import Any

import pymongo_program
import pytest

import nanodb


def lines(db: Any, api: Any) -> list[str]:
    return list(pymongo_program.run(db, api))


def assert_same(found: list[str], expected: list[str]) -> None:
    assert found == expected, "\n".join(difflib.unified_diff(expected, found, lineterm="", n=0))


def test_its_output_is_what_is_written_down(db: nanodb.Database) -> None:
    assert_same(lines(db, nanodb), pymongo_program.EXPECTED.splitlines())


def test_its_output_is_that_of_mongomock() -> None:
    mongomock = pytest.importorskip("mongomock")
    pymongo = pytest.importorskip("pymongo")
    errors = pytest.importorskip("pymongo.errors")
    api = SimpleNamespace(
        **{
            name: getattr(pymongo, name)
            for name in (
                "ASCENDING",
                "DESCENDING",
                "ReturnDocument",
                "InsertOne",
                "UpdateOne",
                "UpdateMany",
                "ReplaceOne",
                "DeleteOne",
            )
        },
        DuplicateKeyError=errors.DuplicateKeyError,
        BulkWriteError=errors.BulkWriteError,
    )
    found = lines(mongomock.MongoClient().library, api)
    assert_same(found, pymongo_program.EXPECTED.splitlines())
