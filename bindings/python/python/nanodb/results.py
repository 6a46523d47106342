"""What writes return, as pymongo's classes of these names."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BulkWriteResult",
    "DeleteResult",
    "InsertManyResult",
    "InsertOneResult",
    "UpdateResult",
]


class _Result:
    __slots__ = ()

    @property
    def acknowledged(self) -> bool:
        """True: every write has been done when its call returns."""
        return True

    def _shown(self) -> str:
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown()}, acknowledged=True)"


class InsertOneResult(_Result):
    """What ``insert_one`` returns."""

    __slots__ = ("_inserted_id",)

    def __init__(self, inserted_id: Any) -> None:
        self._inserted_id = inserted_id

    @property
    def inserted_id(self) -> Any:
        """The id of the document."""
        return self._inserted_id

    def _shown(self) -> str:
        return repr(self._inserted_id)


class InsertManyResult(_Result):
    """What ``insert_many`` returns."""

    __slots__ = ("_inserted_ids",)

    def __init__(self, inserted_ids: list[Any]) -> None:
        self._inserted_ids = inserted_ids

    @property
    def inserted_ids(self) -> list[Any]:
        """The ids of the documents, in their order."""
        return self._inserted_ids

    def _shown(self) -> str:
        return repr(self._inserted_ids)


class UpdateResult(_Result):
    """What ``update_one``, ``update_many`` and ``replace_one`` return."""

    __slots__ = ("_matched", "_modified", "_upserted_id")

    def __init__(self, matched: int, modified: int, upserted_id: Any) -> None:
        self._matched = matched
        self._modified = modified
        self._upserted_id = upserted_id

    @property
    def matched_count(self) -> int:
        """How many documents matched."""
        return self._matched

    @property
    def modified_count(self) -> int:
        """How many of them were actually changed."""
        return self._modified

    @property
    def upserted_id(self) -> Any:
        """The id of the document that was inserted because none matched."""
        return self._upserted_id

    @property
    def did_upsert(self) -> bool:
        """Whether a document was inserted because none matched."""
        return self._upserted_id is not None

    @property
    def raw_result(self) -> dict[str, Any]:
        """The same figures, under the names of MongoDB's server."""
        raw: dict[str, Any] = {
            "n": self._matched + self.did_upsert,
            "nModified": self._modified,
            "ok": 1.0,
            "updatedExisting": self._matched > 0,
        }
        if self.did_upsert:
            raw["upserted"] = self._upserted_id
        return raw

    def _shown(self) -> str:
        return repr(self.raw_result)


class DeleteResult(_Result):
    """What ``delete_one`` and ``delete_many`` return."""

    __slots__ = ("_deleted",)

    def __init__(self, deleted: int) -> None:
        self._deleted = deleted

    @property
    def deleted_count(self) -> int:
        """How many documents were deleted."""
        return self._deleted

    @property
    def raw_result(self) -> dict[str, Any]:
        """The same figure, under the name of MongoDB's server."""
        return {"n": self._deleted, "ok": 1.0}

    def _shown(self) -> str:
        return repr(self.raw_result)


class BulkWriteResult(_Result):
    """What ``bulk_write`` returns."""

    __slots__ = ("_raw",)

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw

    @property
    def inserted_count(self) -> int:
        """How many documents were inserted."""
        return int(self._raw["nInserted"])

    @property
    def matched_count(self) -> int:
        """How many documents matched the filters of updates and replacements."""
        return int(self._raw["nMatched"])

    @property
    def modified_count(self) -> int:
        """How many of them were actually changed."""
        return int(self._raw["nModified"])

    @property
    def deleted_count(self) -> int:
        """How many documents were deleted."""
        return int(self._raw["nRemoved"])

    @property
    def upserted_count(self) -> int:
        """How many documents were inserted because none matched."""
        return int(self._raw["nUpserted"])

    @property
    def upserted_ids(self) -> dict[int, Any]:
        """Their ids, by the position of the operation."""
        return {entry["index"]: entry["_id"] for entry in self._raw["upserted"]}

    @property
    def bulk_api_result(self) -> dict[str, Any]:
        """The same figures, under the names that pymongo has for them."""
        return self._raw

    def _shown(self) -> str:
        return repr(self._raw)
