"""The package for asyncio."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import nanodb
from nanodb import aio


def test_the_verbs_are_awaited(path: Path) -> None:
    async def main() -> None:
        async with await aio.open(path, ids="integer") as db:
            users = db.users
            assert (await users.insert_one({"a": 1})).inserted_id == 1
            await users.insert_many([{"a": n} for n in range(2, 600)])
            assert await users.find_one({"a": 5}) == await users.get(5) == {"_id": 5, "a": 5}
            assert await users.count_documents({"a": {"$gt": 595}}) == 4
            seen = [user["a"] async for user in users.find({}).sort("a", -1).skip(1).limit(500)]
            assert seen == list(range(598, 98, -1))
            cursor = users.find({"a": {"$lt": 4}})
            assert (await cursor.next())["a"] == 1 and len(await cursor.to_list()) == 2
            with pytest.raises(StopAsyncIteration):
                await cursor.next()
            assert (await users.update_many({}, {"$inc": {"a": 1}})).modified_count == 599
            assert (await users.find({"_id": 1}).explain())["documents_returned"] == 1
            assert await db["users"].distinct("a", {"_id": {"$lt": 3}}) == [2, 3]
            assert await db.list_collection_names() == ["users"]
            with pytest.raises(nanodb.DuplicateKeyError):
                await users.insert_one({"_id": 1})

            def move(tx: nanodb.Transaction) -> int:
                tx.users.delete_one({"_id": 1})
                tx.gone.insert_one({"_id": 1})
                return len(tx.users)

            assert await db.with_transaction(move) == 598
            assert repr(users).startswith("AsyncCollection(Database(")
            assert repr(db).startswith("AsyncDatabase(") and users.name == "users"

    asyncio.run(main())


def test_many_at_once() -> None:
    async def main() -> None:
        async with await aio.open(":memory:") as db:

            async def one(n: int) -> Any:
                await db.c.insert_one({"_id": n})
                return await db.c.find_one(n)

            found = await asyncio.gather(*(one(n) for n in range(100)))
            assert [document["_id"] for document in found] == list(range(100))

    asyncio.run(main())


def test_the_next_document_is_awaited() -> None:
    async def main() -> None:
        async with await aio.open(":memory:") as db:
            await db.users.insert_many([{"_id": n} for n in range(2)])
            cursor = db.users.find({})
            assert [await anext(cursor), await cursor.next()] == [{"_id": 0}, {"_id": 1}]
            assert await anext(cursor, None) is None

    asyncio.run(main())
