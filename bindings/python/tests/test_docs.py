"""The examples in the package and in the guide run, and the lists in the guide are true."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from nanodb import _unsupported

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/guide/src/python.md"
README = ROOT / "bindings/python/README.md"
MODULES = [
    "nanodb",
    "nanodb._nanodb",
    "nanodb.aio",
    "nanodb.collection",
    "nanodb.cursor",
    "nanodb.database",
    "nanodb.errors",
    "nanodb.operations",
]


NEEDED = {
    "to_arrow": ("pyarrow",),
    "pyarrow": ("pyarrow",),
    "to_pandas": ("pandas", "pyarrow"),
    "to_polars": ("polars",),
}


def can_run(program: str) -> bool:
    """Whether the packages that a program needs are installed."""
    needed = {one for name, packages in NEEDED.items() if name in program for one in packages}
    missing = sorted(package for package in needed if find_spec(package) is None)
    if missing:
        print(f"NOT RUN, since it needs {missing}: {program}", file=sys.__stderr__)
    return not missing


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(module):
        if can_run("".join(example.source for example in test.examples)):
            runner.run(test)
    assert runner.tries > 0 or name == "nanodb._nanodb"
    assert runner.failures == 0
    if name == "nanodb._nanodb":
        for kind in (module.ObjectId, module.Timestamp, module.Ext):
            failed = doctest.DocTestFinder().find(kind, globs={})
            runner = doctest.DocTestRunner()
            assert sum(runner.run(one).failed for one in failed) == 0


@pytest.mark.parametrize("page", [PAGE, README], ids=lambda page: page.name)
def test_programs_of_the_pages(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Those of one page follow each other.
    names: dict[str, object] = {}
    programs = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    assert programs
    for program in programs:
        if not can_run(program):
            continue
        if ">>>" in program:
            test = doctest.DocTestParser().get_doctest(program, names, page.name, str(page), 0)
            runner = doctest.DocTestRunner()
            runner.run(test, clear_globs=False)
            assert runner.failures == 0
            names.update(test.globs)
        else:
            exec(compile(program, str(page), "exec"), names)  # noqa: S102


def test_the_guide_lists_what_does_not_work() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for names in (
        _unsupported.COLLECTION_METHODS,
        _unsupported.DATABASE_METHODS,
        _unsupported.CURSOR_METHODS,
        _unsupported.OPTIONS,
    ):
        missing = [name for name in names if f"`{name}`" not in text]
        assert missing == []


TODO = ROOT / "bindings/python/examples/todo.py"


def todo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TODO), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_to_do_list(path: Path) -> None:
    file = str(path)
    assert todo(file, "add", "buy tea").stdout == "1\n"
    assert todo(file, "add", "drink tea").stdout == "2\n"
    assert todo(file, "done", "1").returncode == 0
    assert todo(file, "done", "1").returncode == 1
    assert todo(file, "list").stdout == "[ ] 2 drink tea\n[x] 1 buy tea\n"
    assert todo(file).returncode == 2


def test_the_to_do_list_survives_a_kill(path: Path) -> None:
    program = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
import nanodb, todo
db = nanodb.open(sys.argv[1], ids="integer")
for n in range(20):
    print(todo.add(db, f"entry {n}"), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", program, str(path), str(TODO.parent)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -9 and killed.stdout.split() == [str(n) for n in range(1, 21)]
    assert todo(str(path), "add", "one more").stdout == "21\n"
    assert len(todo(str(path), "list").stdout.splitlines()) == 21
