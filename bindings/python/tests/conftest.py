"""What the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import nanodb


@pytest.fixture
def db() -> Iterator[nanodb.Database]:
    """A database in memory."""
    with nanodb.open(":memory:") as opened:
        yield opened


@pytest.fixture
def users(db: nanodb.Database) -> nanodb.Collection:
    """A collection of it."""
    return db["users"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database may be."""
    return tmp_path / "data.nanodb"
