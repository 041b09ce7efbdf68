"""What is wrong with a document, each at its place, told all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from api.errors import ErrorItem, InvalidRequest
from api.validation import MAX_ENTRIES

__all__ = ["Problems"]


@dataclass(slots=True)
class Problems:
    """Collects refusals of parts of a document."""

    items: list[ErrorItem] = field(default_factory=list)

    def add(self, place: str, message: str, code: str = InvalidRequest.code) -> None:
        """Something is wrong at ``place``."""
        self.items.append(ErrorItem(code, f"{place}: {message}", place))

    @contextmanager
    def inside(self, place: str) -> Iterator[None]:
        """Keep a refusal of what is judged here, whose fields are named from ``place`` on."""
        try:
            yield
        except InvalidRequest as error:
            self.items += (
                ErrorItem(
                    item.error,
                    f"{place}.{item.message}" if item.field else f"{place}: {item.message}",
                    f"{place}.{item.field}" if item.field else place,
                    item.facts,
                )
                for item in error.items
            )

    def refuse(self) -> None:
        """Raise ``InvalidRequest`` when there are any, with the first of them."""
        if self.items:
            raise InvalidRequest.of(self.items[:MAX_ENTRIES])
