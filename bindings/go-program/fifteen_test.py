"""A program against the fifteen symbols' signatures, by ctypes, and nothing else of the library.

NANODB_LIBRARY is the shared library, NANODB_GO_FILES a folder with files of the Go program.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from ctypes import c_char_p, c_longlong, c_void_p
from pathlib import Path
from typing import Any

library = ctypes.CDLL(os.environ["NANODB_LIBRARY"])
NanoFree = library.NanoFree
NanoFree.argtypes, NanoFree.restype = [c_void_p], None


def number(name: str, *arguments: Any) -> Any:
    """Binds a function that returns a number, or nothing."""
    function = library[name]
    function.argtypes = list(arguments)
    function.restype = None if name == "NanoInit" else c_longlong
    return function


def text(name: str, *arguments: Any) -> Any:
    """Binds a function that returns a text, which is copied and freed; None for a null pointer."""
    function = library[name]
    function.argtypes, function.restype = list(arguments), c_void_p

    def call(*values: Any) -> str | None:
        pointer = function(*values)
        if pointer is None:
            return None
        copied = ctypes.string_at(pointer).decode()
        NanoFree(pointer)
        return copied

    return call


NanoInit = number("NanoInit", c_char_p)
NanoClose = number("NanoClose")
NanoCreateCollection = number("NanoCreateCollection", c_char_p)
NanoGetCollections = text("NanoGetCollections")
NanoInsert = number("NanoInsert", c_char_p, c_char_p)
NanoInsertMany = text("NanoInsertMany", c_char_p, c_char_p)
NanoFind = text("NanoFind", c_char_p, c_char_p, c_longlong, c_longlong)
NanoFindOne = text("NanoFindOne", c_char_p, c_char_p)
NanoFindById = text("NanoFindById", c_char_p, c_longlong)
NanoUpdateById = text("NanoUpdateById", c_char_p, c_longlong, c_char_p)
NanoUpdateMany = text("NanoUpdateMany", c_char_p, c_char_p, c_char_p)
NanoDeleteById = number("NanoDeleteById", c_char_p, c_longlong)
NanoDeleteMany = number("NanoDeleteMany", c_char_p, c_char_p)
NanoVectorSearch = text("NanoVectorSearch", c_char_p, c_char_p, c_longlong)

THREADS = 4
OPERATIONS = 2_000


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def find(query: Any, limit: int = 0, skip: int = 0) -> Any:
    return json.loads(NanoFind(b"c", dump(query), limit, skip))


def by_id(id: int) -> Any:
    return json.loads(NanoFindById(b"c", id))


def what_calls_return() -> list[Any]:
    return [
        NanoCreateCollection(b"c"),
        NanoGetCollections(),
        NanoInsert(b"c", b"{}"),
        NanoInsertMany(b"c", b"[{}]"),
        NanoFind(b"c", b"{}", 0, 0),
        NanoFindOne(b"c", b"{}"),
        NanoFindById(b"c", 1),
        NanoUpdateById(b"c", 1, b"{}"),
        NanoUpdateMany(b"c", b"{}", b"{}"),
        NanoDeleteById(b"c", 1),
        NanoDeleteMany(b"c", b"{}"),
        NanoVectorSearch(b"c", b"[1]", 1),
    ]


ALL_REFUSED = [-1, None, -1, None, None, None, None, None, None, -1, -1, None]


class Fifteen(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    if sys.version_info < (3, 11):

        def enterContext(self, manager: Any) -> Any:
            entered = manager.__enter__()
            self.addCleanup(manager.__exit__, None, None, None)
            return entered

    def open(self) -> Path:
        """Opens an empty file with a collection `c`."""
        path = self.folder / "app.db"
        NanoInit(bytes(path))
        self.assertEqual(NanoCreateCollection(b"c"), 1)
        return path

    def close(self) -> None:
        self.assertEqual(NanoClose(), 1)

    def test_documents_are_inserted_found_updated_and_deleted(self) -> None:
        path = self.open()
        self.assertEqual(NanoCreateCollection(b"c"), 0)
        self.assertEqual(NanoCreateCollection("zwölf".encode()), 1)
        self.assertEqual(sorted(json.loads(NanoGetCollections())), ["c", "zwölf"])
        self.assertEqual(NanoFind(b"c", b"{}", 0, 0), "[]")
        self.assertEqual(NanoInsertMany(b"c", b"[]"), "[]")

        first = NanoInsert(b"c", dump({"n": 0, "even": True, "_id": "ignored"}))
        rest = [{"n": n, "even": n % 2 == 0} for n in range(1, 100)]
        ids = [first, *json.loads(NanoInsertMany(b"c", dump(rest)))]
        self.assertEqual(len(set(ids)), 100)
        self.assertTrue(all(0 <= id < 2**53 for id in ids))

        def numbers(*arguments: Any) -> list[int]:
            return [document["n"] for document in find(*arguments)]

        self.assertEqual(numbers({}), list(range(100)))
        self.assertEqual(numbers({}, 3, 10), [10, 11, 12])
        self.assertEqual(numbers({"even": True}, 2), [0, 2])
        self.assertEqual(numbers({"n": {"$gte": 97}}, 0, 1), [98, 99])
        self.assertEqual(numbers({"n": {"$gt": 1000}}), [])
        self.assertEqual(
            find({"$and": [{"n": {"$lt": 3}}, {"even": {"$ne": True}}]}),
            [{"_id": ids[1], "n": 1, "even": False}],
        )
        self.assertEqual(json.loads(NanoFindOne(b"c", b'{"n": 7}'))["_id"], ids[7])
        self.assertEqual(NanoFindOne(b"c", b'{"n": -1}'), "null")
        self.assertEqual(by_id(ids[8]), {"_id": ids[8], "n": 8, "even": True})
        self.assertEqual(NanoFindById(b"c", -1), "null")

        self.assertEqual(
            json.loads(NanoUpdateById(b"c", ids[8], b'{"at": {"x": 1}, "_id": 5}')),
            {"_id": ids[8], "n": 8, "even": True, "at": {"x": 1}},
        )
        self.assertIsNone(NanoUpdateById(b"c", -1, b"{}"))
        updated = json.loads(NanoUpdateMany(b"c", b'{"n": {"$lt": 10}}', b'{"small": true}'))
        self.assertEqual([document["n"] for document in updated], list(range(10)))
        self.assertEqual(find({"small": True}), updated)
        self.assertEqual(NanoUpdateMany(b"c", b'{"n": -1}', b'{"small": true}'), "[]")

        self.assertEqual(NanoDeleteById(b"c", ids[3]), 1)
        self.assertEqual(NanoDeleteById(b"c", ids[3]), -1)
        self.assertEqual(NanoDeleteMany(b"c", b'{"even": true}'), 1)
        self.assertEqual(NanoDeleteMany(b"c", b'{"even": true}'), 1)
        left = find({})
        self.assertEqual(len(left), 49)
        self.assertEqual(NanoInsert(b"missing", b"{}"), -1)
        self.assertEqual(NanoInsert(b"c", b"null"), -1)
        self.assertEqual(NanoInsert(None, None), -1)
        self.assertIsNone(NanoInsertMany(b"c", b"[{}, null]"))
        self.close()
        self.assertEqual(what_calls_return(), ALL_REFUSED)

        NanoInit(bytes(path))
        self.assertEqual(find({}), left)
        for document in left:
            self.assertEqual(by_id(document["_id"]), document)
        self.assertEqual(sorted(json.loads(NanoGetCollections())), ["c", "zwölf"])
        self.close()

    def test_documents_of_more_than_a_page_are_stored_grow_and_are_found_again(self) -> None:
        path = self.open()
        sizes = [4_000, 4_072, 4_096, 5_000, 65_500, 70_000, 1_000_000]
        expected = {}
        for size in sizes:
            document = {"size": size, "text": "x" * size}
            expected[NanoInsert(b"c", dump(document))] = document
        many = [{"size": size, "text": "y" * size} for size in sizes]
        ids = json.loads(NanoInsertMany(b"c", dump(many)))
        expected.update(zip(ids, many, strict=True))
        expected[ids[0]]["text"] = "z" * 50_000
        patch = {"text": "z" * 50_000}
        self.assertEqual(
            json.loads(NanoUpdateById(b"c", ids[0], dump(patch))),
            {"_id": ids[0], **expected[ids[0]]},
        )
        for _ in range(2):
            for id, document in expected.items():
                self.assertEqual(by_id(id), {"_id": id, **document})
            self.assertEqual(len(find({})), 2 * len(sizes))
            self.close()
            NanoInit(bytes(path))
        self.close()

    def test_the_nearest_vectors_come_first(self) -> None:
        self.open()
        self.assertEqual(NanoVectorSearch(b"c", b"[1, 2]", 5), "[]")
        vectors = [[math.sin(n), math.cos(3 * n), n / 100] for n in range(300)]
        documents = [{"_embeddings": vector} for vector in vectors]
        ids = json.loads(NanoInsertMany(b"c", dump(documents)))
        wanted = [0.1, 0.2, 1.5]
        expected = sorted(range(300), key=lambda n: math.dist(vectors[n], wanted))
        found = json.loads(NanoVectorSearch(b"c", dump(wanted), 10))
        self.assertEqual(found, [ids[n] for n in expected[:10]])
        self.assertEqual(NanoVectorSearch(b"c", b"[1]", 10), "[]")
        self.close()

    def test_a_second_process_is_refused_and_told_why_once(self) -> None:
        path = self.open()
        NanoInsert(b"c", b'{"mine": true}')
        second = subprocess.run(
            [sys.executable, __file__, "--second", path], capture_output=True, text=True
        )
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertEqual(second.stderr.count("nanodb: NanoInit: "), 1, second.stderr)
        self.assertIn(str(path), second.stderr)
        self.assertEqual(len(find({"mine": True})), 1)
        self.close()

    def test_a_second_path_is_refused_and_never_meets_the_first_file(self) -> None:
        path = self.open()
        NanoInsert(b"c", b'{"first": true}')
        other = self.folder / "second.db"
        NanoInit(bytes(other))
        self.assertEqual(what_calls_return(), ALL_REFUSED)
        self.assertFalse(other.exists())
        NanoInit(bytes(path))
        self.assertEqual(len(find({"first": True})), 1)
        # Three users: one of them was refused.
        self.assertEqual(sorted([NanoClose(), NanoClose(), NanoClose()]), [-1, 1, 1])
        NanoInit(bytes(other))
        self.assertEqual(NanoGetCollections(), "[]")
        self.close()

    def test_files_of_the_go_program_are_converted_and_kept(self) -> None:
        for name in ["go-hash", "go-btree"]:
            source = Path(os.environ["NANODB_GO_FILES"]) / name
            old = source.with_suffix(".db").read_bytes()
            expected = json.loads(source.with_suffix(".expected.json").read_bytes())
            path = self.folder / f"{name}.db"
            path.write_bytes(old)
            for _ in range(2):
                NanoInit(bytes(path))
                self.assertEqual(set(json.loads(NanoGetCollections())), set(expected))
                for collection, documents in expected.items():
                    of = collection.encode()
                    wanted = {document["_id"]: document for document in documents}
                    found = json.loads(NanoFind(of, b"{}", 0, 0))
                    self.assertEqual(len(found), len(documents))
                    self.assertEqual({document["_id"]: document for document in found}, wanted)
                    for id, document in wanted.items():
                        # 64 bits without a sign, as the Go program has them.
                        one = NanoFindById(of, c_longlong(id).value)
                        self.assertEqual(json.loads(one), document)
                self.close()
            self.assertEqual(Path(f"{path}.go-backup").read_bytes(), old)
            self.assertNotEqual(path.read_bytes(), old)

    def test_four_threads_lose_nothing(self) -> None:
        path = self.open()
        each = OPERATIONS // THREADS
        kept: list[dict[int, Any]] = [{} for _ in range(THREADS)]
        problems: list[BaseException] = []

        def run(thread: int) -> None:
            """Inserts, and every fourth time updates, deletes, or looks at what it has inserted."""
            try:
                mine = kept[thread]
                for n in range(each):
                    if n % 4 != 3 or not mine:
                        id = NanoInsert(b"c", dump({"thread": thread, "n": n}))
                        assert id >= 0, id
                        mine[id] = {"_id": id, "thread": thread, "n": n}
                        continue
                    id = list(mine)[(n * 7) % len(mine)]
                    match n // 4 % 3:
                        case 0:
                            mine[id]["updated"] = n
                            patched = NanoUpdateById(b"c", id, dump({"updated": n}))
                            assert json.loads(patched) == mine[id], patched
                        case 1:
                            assert NanoDeleteById(b"c", id) == 1
                            del mine[id]
                        case _:
                            assert by_id(id) == mine[id]
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=run, args=[n]) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        expected = {id: document for of in kept for id, document in of.items()}
        self.assertGreater(len(expected), OPERATIONS / 2)
        for _ in range(2):
            self.assertEqual({document["_id"]: document for document in find({})}, expected)
            self.close()
            NanoInit(bytes(path))
        self.close()


def second(path: str) -> None:
    """The second process: the first one's file is refused, another one is not."""
    NanoInit(os.fsencode(path))
    assert what_calls_return() == ALL_REFUSED
    assert what_calls_return() == ALL_REFUSED
    NanoInit(os.fsencode(path + ".other"))
    assert NanoCreateCollection(b"c") == 1
    assert NanoInsert(b"c", b"{}") == 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--second"]:
        second(sys.argv[2])
    else:
        unittest.main()
