"""What Python's objects become, and what comes back."""

from __future__ import annotations

import copy
import dataclasses
import enum
import pickle
import re
from collections import OrderedDict, namedtuple
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import pytest

import nanodb
from nanodb import Ext, ObjectId, Timestamp

UTC = timezone.utc


def round_trip(users: nanodb.Collection, stored: Any) -> Any:
    users["id"] = {"value": stored}
    return users["id"]["value"]


@pytest.mark.parametrize(
    "same",
    [
        None,
        True,
        False,
        0,
        -1,
        2**53 + 1,
        2**63 - 1,
        2**63,
        2**64 - 1,
        -(2**63),
        0.0,
        1.5,
        "",
        "ß",
        "a\0b",
        b"",
        b"\x00\xff",
        [],
        {},
        [1, [2, {"a": [3]}]],
        {"z": 1, "a": {"b": None}},
        datetime(2023, 11, 14, 22, 13, 20, 123456, UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(1969, 12, 31, 23, 59, 59, 5, UTC),
        uuid4(),
        ObjectId(),
        Timestamp(2**60, 5),
        Ext(5, b"abc"),
        Ext(-2, b""),
    ],
    ids=repr,
)
def test_what_comes_back_as_it_was(users: nanodb.Collection, same: Any) -> None:
    found = round_trip(users, same)
    assert found == same
    assert type(found) is type(same)


class Colour(enum.IntEnum):
    RED = 1


class Level(str, enum.Enum):
    HIGH = "high"


class Text(str):
    pass


class Index:
    def __index__(self) -> int:
        return 7


class Zone(tzinfo):
    def utcoffset(self, at: datetime | None) -> timedelta:
        return timedelta(hours=2)

    def dst(self, at: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, at: datetime | None) -> str:
        return "two"


class Moment(datetime):
    pass


class Read(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return {"a": 1}[name]

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


@dataclasses.dataclass
class Address:
    city: str
    lines: list[str] = dataclasses.field(default_factory=list)


Point = namedtuple("Point", "x y")
NOON = datetime(2024, 5, 6, 12, 0, 0, 5)


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (Text("t"), "t"),
        (Colour.RED, 1),
        (Level.HIGH, "high"),
        (Index(), 7),
        (OrderedDict([("b", 1), ("a", 2)]), {"b": 1, "a": 2}),
        (Read(), {"a": 1}),
        (MappingProxyType({"x": [1]}), {"x": [1]}),
        (Address("Bonn", ["x"]), {"city": "Bonn", "lines": ["x"]}),
        (NOON, NOON.replace(tzinfo=UTC)),
        (NOON.replace(tzinfo=Zone()), NOON.replace(hour=10, tzinfo=UTC)),
        (Moment(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)),
        (Timestamp(5, 1_999), datetime(1970, 1, 1, 0, 0, 5, 1, UTC)),
    ],
    ids=repr,
)
def test_what_comes_back_as_something_else(
    users: nanodb.Collection, stored: Any, found: Any
) -> None:
    back = round_trip(users, stored)
    assert back == found
    assert type(back) is type(found)


def test_the_order_of_keys_is_kept(users: nanodb.Collection) -> None:
    moved = OrderedDict([("a", 1), ("b", 2)])
    moved.move_to_end("a")
    users.insert_one({"z": 1, "_id": 1, "moved": moved, "a": 2})
    assert list(users[1]) == ["_id", "z", "moved", "a"]
    assert list(users[1]["moved"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**64, "an int must be from -2**63 to 2**64 - 1"),
        (-(2**63) - 1, "an int must be from"),
        (
            date(2024, 5, 6),
            "a date without a time (datetime.date) can't be stored: store a datetime",
        ),
        (time(12), "a time without a date"),
        (timedelta(1), "store its `.total_seconds()`"),
        (Decimal("1.5"), "there are no decimals"),
        ({1, 2}, "it has no order"),
        (1j, "a list of its two parts"),
        (re.compile("a"), "store its `.pattern`"),
        (Path("/tmp"), "store its str"),
        (object(), "a value of the class object can't be stored"),
        (int, "store its name"),
        (enum.Enum("E", "A").A, "store its `.value`"),  # type: ignore[attr-defined]
        ("\ud800", "lone surrogate"),
        (iter([1]), "can't be stored"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_cannot_be_stored_has_its_path(
    users: nanodb.Collection, value: Any, text: str
) -> None:
    with pytest.raises(nanodb.InvalidDocument) as caught:
        users.insert_one({"profile": {"tags": [0, 1, 2, value]}})
    assert str(caught.value).startswith("users.profile.tags[3]: ")
    assert text in str(caught.value)
    assert caught.value.path == "profile.tags.3"
    assert caught.value.kind == "invalid"
    assert len(users) == 0


def test_exceptions_are_pythons_as_well(users: nanodb.Collection) -> None:
    with pytest.raises(OverflowError):
        users.insert_one({"n": 2**64})
    with pytest.raises(ValueError, match="users.n: "):
        users.insert_one({"n": object()})


@pytest.mark.parametrize("name", [1, None, b"a", (1,)])
def test_names_are_strings(users: nanodb.Collection, name: Any) -> None:
    with pytest.raises(nanodb.InvalidDocument, match="users.a: a name must be a str"):
        users.insert_one({"a": {name: 1}})


def test_what_holds_itself_is_refused(users: nanodb.Collection) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(nanodb.InvalidDocument, match="levels deep"):
        users.insert_one({"a": loop})
    wide: Any = "x" * 1000
    for _ in range(20):
        wide = [wide] * 20
    with pytest.raises(nanodb.DocumentTooLarge, match="16777216"):
        users.insert_one({"a": wide})


def test_documents_that_are_too_large(users: nanodb.Collection) -> None:
    users.insert_one({"_id": 1, "a": "x" * (16 * 1024 * 1024 - 100)})
    assert len(users[1]["a"]) == 16 * 1024 * 1024 - 100
    with pytest.raises(nanodb.DocumentTooLarge):
        users.insert_one({"_id": 2, "a": "x" * (16 * 1024 * 1024)})
    with pytest.raises(nanodb.DocumentTooLarge):
        users.update_one({"_id": 1}, {"$set": {"b": "x" * 1000}})


def test_a_dict_that_changes_meanwhile(users: nanodb.Collection) -> None:
    document: dict[str, Any] = {"a": 1}

    class Changes(str):
        pass

    class Grows:
        def __index__(self) -> int:
            for n in range(100):
                document[f"new{n}"] = n
            return 5

    document["grows"] = Grows()
    document["last"] = Changes("x")
    users["id"] = document
    assert users["id"] == {"_id": "id", "a": 1, "grows": 5, "last": "x"}


def test_an_exception_of_the_value_is_passed_on(users: nanodb.Collection) -> None:
    class Fails:
        def __index__(self) -> int:
            raise RuntimeError("of the value")

    with pytest.raises(RuntimeError, match="of the value"):
        users.insert_one({"a": [Fails()]})


def test_naive_times_on_demand() -> None:
    with nanodb.open(":memory:", tz_aware=False) as db:
        db.c["id"] = {"at": datetime(2024, 1, 1, tzinfo=UTC)}
        assert db.c["id"]["at"] == datetime(2024, 1, 1)
        assert db.c.distinct("at") == [datetime(2024, 1, 1)]


@dataclasses.dataclass
class User:
    name: str
    _id: Any = None


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str


def test_dataclasses(users: nanodb.Collection) -> None:
    alice = User("Alice")
    inserted = users.insert_one(alice).inserted_id
    assert alice._id == inserted
    assert users[inserted] == {"_id": inserted, "name": "Alice"}
    assert users.insert_one(User("Bob", 7)).inserted_id == 7
    frozen = users.insert_one(Frozen("Cy")).inserted_id
    assert users[frozen]["name"] == "Cy"
    users.replace_one({"_id": 7}, Frozen("Dee"))
    assert users[7] == {"_id": 7, "name": "Dee"}


def test_numpy(users: nanodb.Collection) -> None:
    numpy = pytest.importorskip("numpy")
    stored = [
        numpy.int32(5),
        numpy.uint64(2**63),
        numpy.float32(0.5),
        numpy.bool_(True),
        numpy.str_("x"),
        numpy.datetime64("2024-01-01T00:00:00.000001"),
    ]
    found = round_trip(users, stored)
    assert found == [5, 2**63, 0.5, True, "x", datetime(2024, 1, 1, 0, 0, 0, 1, UTC)]
    with pytest.raises(nanodb.InvalidDocument, match="tolist"):
        round_trip(users, numpy.array([1, 2]))


def test_times_of_numpy_that_are_no_datetimes(users: nanodb.Collection) -> None:
    numpy = pytest.importorskip("numpy")
    users["id"] = {"value": numpy.datetime64("2024-01-01T00:00:00.000000001")}
    assert users.find_one({"value": Timestamp(1704067200, 1)})
    users["id"] = {"value": numpy.datetime64(-1, "ns")}
    assert users.find_one({"value": Timestamp(-1, 999_999_999)})
    far = Timestamp(569_000_000_000)
    assert round_trip(users, numpy.datetime64(far.seconds, "s")) == far
    for unit in ("ns", "s"):
        with pytest.raises(nanodb.InvalidDocument, match="timedelta"):
            round_trip(users, numpy.timedelta64(1, unit))
    pandas = pytest.importorskip("pandas")
    with pytest.raises(nanodb.InvalidDocument, match="no time"):
        round_trip(users, pandas.NaT)


def test_object_ids() -> None:
    made = [ObjectId() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert made == sorted(made) or made[0].binary[:4] != made[-1].binary[:4]
    now = datetime.now(UTC)
    assert abs(made[0].generation_time - now) < timedelta(seconds=5)
    one = ObjectId("65a1b2c3d4e5f60718293a4b")
    assert str(one) == "65a1b2c3d4e5f60718293a4b"
    assert repr(one) == "ObjectId('65a1b2c3d4e5f60718293a4b')"
    assert one == ObjectId(one) == ObjectId(one.binary) and one != "65a1b2c3d4e5f60718293a4b"
    assert one <= one and one < ObjectId("75a1b2c3d4e5f60718293a4b")
    assert (
        ObjectId.is_valid(str(one)) and not ObjectId.is_valid("x") and not ObjectId.is_valid(None)
    )
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == copy.copy(one) == one
    assert bytes(one) == one.binary
    assert ObjectId.from_datetime(datetime(2024, 1, 12, tzinfo=UTC)) < one
    for wrong in ("65a1b2c3d4e5f60718293a4", b"short"):
        with pytest.raises(ValueError, match="."):
            ObjectId(wrong)
    with pytest.raises(TypeError):
        ObjectId(5)
    with pytest.raises(TypeError):
        _ = one < 5


def test_the_classes_of_bson(users: nanodb.Collection) -> None:
    bson = pytest.importorskip("bson")
    theirs = bson.ObjectId()
    assert users.insert_one({"_id": theirs}).inserted_id is theirs
    ours = users.find_one({})
    assert ours is not None and ours["_id"] == theirs and theirs == ours["_id"]
    assert hash(ours["_id"]) == hash(theirs) and users[theirs] == ours
    assert users.find_one({"_id": theirs}) == ours and users.find_one(theirs) == ours
    uuid = uuid4()
    assert round_trip(users, bson.Binary.from_uuid(uuid)) == uuid
    assert round_trip(users, bson.Binary(b"abc")) == b"abc"
    assert round_trip(users, bson.Int64(2**40)) == 2**40
    assert round_trip(users, bson.SON([("b", 1), ("a", 2)])) == {"b": 1, "a": 2}
    with pytest.raises(nanodb.InvalidDocument, match="subtype 5"):
        round_trip(users, bson.Binary(b"abc", 5))
    with pytest.raises(nanodb.InvalidDocument, match="no decimals"):
        round_trip(users, bson.Decimal128("1.5"))


def test_ids(users: nanodb.Collection) -> None:
    ids: list[Any] = [0, -5, 2**64 - 1, "", "x", b"ab", ObjectId(), UUID(int=5)]
    for id in ids:
        assert users.insert_one({"_id": id}).inserted_id == id
        assert id in users and users[id]["_id"] == id and users.find_one(id) == {"_id": id}
        with pytest.raises(nanodb.DuplicateKeyError) as caught:
            users.insert_one({"_id": id})
        assert caught.value.id == id
    assert users.insert_one({"_id": 7.0}).inserted_id == 7
    assert 7 in users and 7.0 in users
    for wrong in (None, True, 1.5, [1], {"a": 1}, datetime.now(UTC)):
        with pytest.raises(nanodb.InvalidDocument) as refused:
            users.insert_one({"_id": wrong})
        assert refused.value.path == "_id"


def test_scalars_of_our_own() -> None:
    assert repr(Timestamp(5)) == "Timestamp(5)" and repr(Timestamp(5, 1)) == "Timestamp(5, 1)"
    assert str(Timestamp(0, 5)) == "1970-01-01T00:00:00.000000005Z"
    assert Timestamp(5) < Timestamp(5, 1) and hash(Timestamp(5)) == hash(Timestamp(5, 0))
    with pytest.raises(ValueError, match="nanoseconds"):
        Timestamp(0, 1_000_000_000)
    assert repr(Ext(5, b"a")) == "Ext(5, b'a')" and Ext(5, b"a") == Ext(5, b"a") != Ext(6, b"a")
    for one in (Timestamp(5, 1), Ext(5, b"a")):
        assert pickle.loads(pickle.dumps(one)) == one


def test_keys_are_shared(users: nanodb.Collection) -> None:
    users.insert_many([{"name": 1, "n" * 50: 2} for _ in range(10)])
    keys = [list(user)[1] for user in users]
    assert all(key is keys[0] for key in keys)
    assert [list(user)[2] for user in users] == ["n" * 50] * 10
