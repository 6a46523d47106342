"""Tables, as pyarrow, pandas and Polars take them over."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import CapsuleType


class Stream:
    """A table that is read once, through Arrow's PyCapsule interface."""

    __slots__ = ("_capsule",)

    def __init__(self, capsule: CapsuleType) -> None:
        self._capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType:
        return self._capsule


def needed(package: str, method: str) -> Any:
    """Returns a package that a method needs and this one does not."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        text = f"{method} needs {package}, which is not installed: pip install {package}"
        raise ModuleNotFoundError(text, name=package) from None
