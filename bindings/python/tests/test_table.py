"""Tables: `to_arrow`, `to_pandas`, `to_polars`, and Arrow's PyCapsule interface."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import nanodb
from nanodb import aio

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: NO TABLE IS TESTED")

NOON = datetime(2024, 5, 6, 12, 0, 0, 123456, tzinfo=timezone.utc)
KEY = uuid.UUID("123e4567-e89b-12d3-a456-426614174000")
OID = nanodb.ObjectId("65a1b2c3d4e5f60718293a4b")


def table(db: nanodb.Database, values: list[Any], **options: Any) -> Any:
    """The column of a field that has these values, in their order."""
    db.t.drop()
    db.t.insert_many([{"_id": n, "v": value} for n, value in enumerate(values)])
    return db.t.find(sort="_id").to_arrow(**options)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([True, None, False], pa.bool_(), None),
        ([1, None, -(2**63), 2**63 - 1], pa.int64(), None),
        ([1, 2**64 - 1, None], pa.uint64(), None),
        ([1.5, None, float("inf")], pa.float64(), None),
        ([1.5, 2, -(2**53), None], pa.float64(), [1.5, 2.0, -(2.0**53), None]),
        ([-1, 2**63], pa.float64(), [-1.0, 2.0**63]),
        (["", "é", None, "x" * 100_000], pa.string(), None),
        ([b"", b"\x00\xff", None], pa.binary(), None),
        ([NOON, None, NOON - timedelta(days=50_000)], pa.timestamp("us", "UTC"), None),
        ([OID, None], pa.string(), [str(OID), None]),
        ([KEY, None], pa.string(), [str(KEY), None]),
        ([None, None], pa.null(), None),
        ([[1, None, 2], [], None, [3]], pa.list_(pa.int64()), None),
        ([[], []], pa.list_(pa.null()), None),
        ([[[1.5]], [[], None]], pa.list_(pa.list_(pa.float64())), None),
        ([[1], [0.5]], pa.list_(pa.float64()), [[1.0], [0.5]]),
        (
            [{"a": 1}, {"b": "x"}, None, {"b": "y", "a": 2}],
            pa.struct([("a", pa.int64()), ("b", pa.string())]),
            [{"a": 1, "b": None}, {"a": None, "b": "x"}, None, {"a": 2, "b": "y"}],
        ),
        (
            [[{"a": [1]}, {}], [], [{"b": 1.5}, None]],
            pa.list_(pa.struct([("a", pa.list_(pa.int64())), ("b", pa.float64())])),
            [[{"a": [1], "b": None}, {"a": None, "b": None}], [], [{"a": None, "b": 1.5}, None]],
        ),
        ([{}, None], pa.struct([]), None),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, pa.DataType) else "",
)
def test_each_type(db: nanodb.Database, values: Any, kind: Any, expected: Any) -> None:
    found = table(db, values)
    found.validate(full=True)
    assert found.schema == pa.schema([("_id", pa.int64()), ("v", kind)])
    assert found["v"].to_pylist() == (values if expected is None else expected)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ([1, "a"], "int and str"),
        ([True, 1, 0.5], "bool, int and float"),
        ([[1], 1], "int and list"),
        ([{"a": 1}, [1]], "list and dict"),
        (["a", OID], "str and ObjectId"),
        ([nanodb.Ext(5, b"x")], "Ext"),
        ([2**53 + 1, 0.5], "float, and int that a float64 would round"),
        ([-1, 2**64 - 1], "int below 0 and above 2\\*\\*63 - 1"),
        ([nanodb.Timestamp(2**62)], "times beyond the year 290,000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mixtures_are_refused(db: nanodb.Database, values: Any, kinds: str) -> None:
    with pytest.raises(nanodb.OperationFailure, match=f"^`v` holds {kinds}") as caught:
        table(db, values)
    assert caught.value.kind == "wrong_type" and caught.value.path == "v"
    with pytest.raises(nanodb.OperationFailure, match="`v`"):
        pa.table(db.t.find())
    # Leaving the field out, or the documents, helps; so does text.
    assert db.t.find({}, {"v": 0}).to_arrow().column_names == ["_id"]
    assert db.t.find({"_id": -1}).to_arrow().num_rows == 0
    assert db.t.find().to_arrow(mixed="string")["v"].type == pa.string()


def test_a_mixture_within_is_named(db: nanodb.Database) -> None:
    with pytest.raises(
        nanodb.OperationFailure, match=r"^`v\.w\[\]\.x` holds int and str"
    ) as caught:
        table(db, [{"w": [{"x": 1}]}, {"w": [{"x": "a"}]}])
    assert caught.value.path == "v.w.x"


def test_mixtures_as_text(db: nanodb.Database) -> None:
    values = ["five", 5, 0.5, None, True, [1, "a"], {"a": NOON}, NOON, OID, KEY, b"ab"]
    text = table(db, values, mixed="string")["v"].to_pylist()
    assert text[:6] == ["five", "5", "0.5", None, "true", '[1, "a"]']
    assert text[6] == '{"a": {"$date":"2024-05-06T12:00:00.123456Z"}}'
    assert text[7:10] == ["2024-05-06T12:00:00.123456Z", str(OID), str(KEY)]
    assert text[10] == '{"$binary":{"base64":"YWI=","subType":"00"}}'
    # What is not mixed keeps its type.
    found = table(db, [{"a": 1, "b": 1}, {"a": 2, "b": "x"}], mixed="string")
    assert found["v"].type == pa.struct([("a", pa.int64()), ("b", pa.string())])
    with pytest.raises(nanodb.NanoDBError, match='`mixed` must be "error" or "string"'):
        db.t.find().to_arrow(mixed="int")


def test_fields_are_in_the_order_in_which_they_appear(db: nanodb.Database) -> None:
    db.t.insert_many([{"_id": 1, "b": 1}, {"_id": 2, "a": 1, "b": 2}, {"_id": 3, "c": 1, "a": 2}])
    found = db.t.find().to_arrow()
    assert found.column_names == ["_id", "b", "a", "c"]
    assert found.to_pylist() == [
        {"_id": 1, "b": 1, "a": None, "c": None},
        {"_id": 2, "b": 2, "a": 1, "c": None},
        {"_id": 3, "b": None, "a": 2, "c": 1},
    ]


def test_the_search_is_that_of_the_cursor(db: nanodb.Database) -> None:
    db.t.insert_many([{"_id": n, "even": n % 2 == 0, "n": n} for n in range(100)])
    cursor = db.t.find({"even": True}, {"n": 1, "_id": 0}).sort("n", -1).skip(1).limit(3)
    assert cursor.to_arrow().to_pydict() == {"n": [96, 94, 92]}
    # It is a search of its own.
    assert next(cursor) == {"n": 98 - 2}
    assert pa.table(cursor).num_rows == 3 and next(cursor) == {"n": 94}
    assert db.t.find(threads=2).to_arrow().num_rows == 100
    with pytest.raises(nanodb.OperationFailure, match="unknown operator"):
        db.t.find({"n": {"$gtt": 1}}).to_arrow()
    empty = db.nothing.find().to_arrow()
    assert (empty.num_rows, empty.num_columns) == (0, 0)
    bare = db.t.find({}, {"x": 1, "_id": 0}).to_arrow()
    assert (bare.num_rows, bare.num_columns) == (100, 0)


def test_a_collection_is_a_table_too(db: nanodb.Database) -> None:
    db.t.insert_many([{"_id": 1}, {"_id": 2, "a": 1}])
    assert pa.table(db.t).to_pydict() == {"_id": [1, 2], "a": [None, 1]}
    with db.snapshot() as before:
        db.t.delete_many({})
        assert pa.table(before.t).num_rows == 2 and pa.table(db.t).num_rows == 0


def test_names_that_are_odd(db: nanodb.Database) -> None:
    db.t.insert_one({"_id": 1, "": 1, "a.b": 2, "a b": 3, "ß": 4, "x" * 1000: 5})
    found = db.t.find().to_arrow()
    assert found.to_pylist() == list(db.t.find())
    db.t.insert_one({"_id": 2, "a": {"b\0c": 1}})
    with pytest.raises(nanodb.OperationFailure, match=r"`a\.b\\0c` has a NUL in its name"):
        db.t.find().to_arrow()


def test_batches_are_made_as_they_are_read(db: nanodb.Database) -> None:
    db.t.insert_many([{"_id": n, "text": "x" * (n % 50)} for n in range(25_000)])
    reader = pa.RecordBatchReader.from_stream(db.t.find())
    first = reader.read_next_batch()
    # What is written meanwhile is not seen: it has another type.
    db.t.update_many({}, {"$set": {"text": 5, "more": 1}})
    rest = list(reader)
    assert [batch.num_rows for batch in [first, *rest]] == [10_000, 10_000, 5_000]
    all_rows = pa.Table.from_batches([first, *rest])
    all_rows.validate(full=True)
    assert all_rows["_id"].to_pylist() == list(range(25_000))
    assert all_rows["text"].to_pylist() == ["x" * (n % 50) for n in range(25_000)]
    # One that is not read to its end is let go of.
    del reader
    unread = db.t.find().__arrow_c_stream__()
    assert "arrow_array_stream" in repr(unread)
    del unread
    # Large documents make small batches.
    db.big.insert_many([{"_id": n, "text": "y" * 9_000_000} for n in range(5)])
    sizes = [batch.num_rows for batch in pa.RecordBatchReader.from_stream(db.big.find())]
    assert sizes == [2, 2, 1]


def test_of_a_snapshot_and_of_a_transaction(db: nanodb.Database) -> None:
    db.t.insert_one({"_id": 1, "a": 1})
    with db.snapshot() as before:
        db.t.insert_one({"_id": 2, "a": "x"})
        assert before.t.find().to_arrow().to_pydict() == {"_id": [1], "a": [1]}
    with db.transaction() as tx:
        tx.t.delete_one({"_id": 2})
        tx.t.insert_one({"_id": 3, "b": 0.5})
        found = tx.t.find().to_arrow()
        assert found.to_pydict() == {"_id": [1, 3], "a": [1, None], "b": [None, 0.5]}
        unread = pa.RecordBatchReader.from_stream(tx.t.find())
    assert db.t.find().to_arrow() == found
    # Its searches end with it.
    with pytest.raises(pa.ArrowInvalid, match="the transaction is over"):
        unread.read_all()


def test_times_without_a_zone() -> None:
    with nanodb.open(":memory:", tz_aware=False) as db:
        found = table(db, [NOON])
    assert found.schema.field("v").type == pa.timestamp("us")
    assert found["v"].to_pylist() == [NOON.replace(tzinfo=None)]


def test_too_many_fields(db: nanodb.Database) -> None:
    db.t.insert_many([{f"f{n}": 1 for n in range(at, at + 2500)} for at in range(0, 12_500, 2500)])
    with pytest.raises(nanodb.OperationFailure, match="more than 10000 different fields"):
        db.t.find().to_arrow()
    wide = db.t.find({}, {f"f{n}": 1 for n in range(5_000)}).to_arrow()
    assert (wide.num_rows, wide.num_columns) == (5, 5_001)


def test_too_deep(db: nanodb.Database) -> None:
    deep: Any = 1
    for _ in range(59):
        deep = {"a": deep}
    assert table(db, [deep])["v"].to_pylist() == [deep]
    with pytest.raises(nanodb.OperationFailure, match="nests more than 60 levels deep"):
        table(db, [{"a": {"a": deep}}])


def test_batches_are_read_on_any_thread(path: Any) -> None:
    db = nanodb.open(path)
    db.t.insert_many([{"_id": n} for n in range(40_000)])
    reader = pa.RecordBatchReader.from_stream(db.t.find())
    rows: list[int] = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: rows.append(reader.read_next_batch().num_rows))
        thread.start()
        thread.join()
    assert rows == [10_000, 10_000]
    db.close()
    # Closing ends it, as it ends a cursor.
    with pytest.raises(pa.ArrowInvalid, match="closed"):
        reader.read_all()
    with pytest.raises(nanodb.InvalidOperation):
        db.t.find().to_arrow()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_in_a_fork(db: nanodb.Database) -> None:
    db.t.insert_one({"_id": 1})
    capsule = db.t.find().__arrow_c_stream__()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            del capsule
            db.t.find().__arrow_c_stream__()
        except nanodb.InvalidOperation as error:
            status = 0 if error.kind == "forked" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_polars(db: nanodb.Database) -> None:
    pl = pytest.importorskip("polars")
    people = [
        {"_id": OID, "name": "Ada", "born": NOON, "tags": ["a"], "at": {"city": "London"}},
        {"_id": nanodb.ObjectId(), "name": "Bob", "age": 7, "raw": b"x"},
    ]
    db.t.insert_many(people)
    frame = db.t.find({"name": "Ada"}).to_polars()
    expected = {"_id": str(OID), "name": "Ada", "born": NOON, "tags": ["a"]}
    assert frame.row(0, named=True) == {**expected, "at": {"city": "London"}}
    whole = pl.DataFrame(db.t.find())
    assert whole.shape == (2, 7) and whole["age"].to_list() == [None, 7]
    assert whole["born"].dtype == pl.Datetime("us", "UTC") and whole["raw"].dtype == pl.Binary
    assert db.nothing.find().to_polars().shape == (0, 0)
    assert table_of_nulls(db).to_polars().shape == (2, 3)


def table_of_nulls(db: nanodb.Database) -> nanodb.Cursor:
    db.nulls.insert_many([{"a": None, "b": []}, {"a": None, "b": [None]}])
    return db.nulls.find()


def test_pandas(db: nanodb.Database) -> None:
    pd = pytest.importorskip("pandas")
    db.t.insert_many([{"_id": n, "n": n, "when": NOON, "name": f"n{n}"} for n in range(3)])
    frame = db.t.find().to_pandas()
    assert list(frame["n"]) == [0, 1, 2] and str(frame["n"].dtype) == "int64"
    assert frame["when"][0] == pd.Timestamp(NOON) and frame["name"][2] == "n2"
    db.t.insert_one({"_id": 9, "name": None})
    assert str(db.t.find().to_pandas()["n"].dtype) == "float64"
    kept = db.t.find().to_pandas(types_mapper=pd.ArrowDtype)
    assert str(kept["n"].dtype) == "int64[pyarrow]" and kept["n"].isna().sum() == 1
    assert table_of_nulls(db).to_pandas().shape == (2, 3)


def test_what_is_missing_is_named(db: nanodb.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, method in (
        ("pyarrow", "to_arrow"),
        ("pandas", "to_pandas"),
        ("polars", "to_polars"),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ModuleNotFoundError, match=f"{method} needs {package}"):
            getattr(db.t.find(), method)()


def test_asyncio() -> None:
    async def main() -> Any:
        async with await aio.open(":memory:") as db:
            await db.t.insert_many([{"_id": 1}, {"_id": 2}])
            return (await db.t.find().to_arrow())["_id"].to_pylist()

    assert asyncio.run(main()) == [1, 2]


def test_any_documents_at_random(db: nanodb.Database) -> None:
    draw = random.Random(1)
    scalars: list[Callable[[], Any]] = [
        lambda: draw.randrange(-(2**63), 2**63),
        lambda: draw.random(),
        lambda: draw.choice("abc") * draw.randrange(50),
        lambda: draw.randbytes(draw.randrange(9)),
        lambda: draw.random() < 0.5,
        lambda: NOON + timedelta(seconds=draw.randrange(10**9)),
    ]

    def maker(depth: int) -> Callable[[], Any]:
        """A function whose values are all of one type, or null."""
        kind = draw.randrange(8 if depth < 4 else 6)
        if kind < 6:
            made = scalars[kind]
        elif kind == 6:
            element = maker(depth + 1)
            made = lambda: [element() for _ in range(draw.randrange(4))]  # noqa: E731
        else:
            made = document(depth + 1)
        return lambda: None if draw.random() < 0.1 else made()

    def document(depth: int) -> Callable[[], Any]:
        fields = {name: maker(depth) for name in "uvwxyz"[: draw.randrange(1, 7)]}
        return lambda: {name: make() for name, make in fields.items() if draw.random() < 0.9}

    def filled(value: Any, kind: Any) -> Any:
        """What a document is in a table, where all have all fields."""
        if value is None:
            return None
        if pa.types.is_struct(kind):
            return {field.name: filled(value.get(field.name), field.type) for field in kind}
        if pa.types.is_list(kind):
            return [filled(element, kind.value_type) for element in value]
        return value

    for _ in range(40):
        db.t.drop()
        make = document(0)
        stored = [{"_id": n, **make()} for n in range(draw.randrange(200))]
        if not stored:
            continue
        db.t.insert_many(stored)
        found = db.t.find(sort="_id").to_arrow()
        found.validate(full=True)
        assert found.to_pylist() == [filled(one, pa.struct(found.schema)) for one in stored]


def test_it_is_what_the_documents_are(db: nanodb.Database) -> None:
    documents = [
        {
            "_id": n,
            "name": f"user {n}",
            "score": n / 7,
            "tags": ["a", "b"][: n % 3],
            "address": {"zip": str(n), "floor": n % 5} if n % 4 else None,
            "joined": NOON + timedelta(seconds=n),
        }
        for n in range(3_000)
    ]
    db.t.insert_many(documents)
    assert db.t.find(sort="_id").to_arrow().to_pylist() == documents
