"""Two calls side by side."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from domain.call_comparison import Comparison

__all__ = ["COMPARISON_EXAMPLE", "ComparisonView"]

COMPARISON_EXAMPLE: dict[str, Any] = {
    "left": "lc_5sVd9YfMhQ2cUo7NkBz3Tw",
    "right": "lc_8kRf3XoLjP1dVu6MiAy4Sx",
    "alike": 0.5,
    "steps": [
        {
            "label": "INVITE",
            "left": 0,
            "right": 0,
            "left_ms": 0.0,
            "right_ms": 0.0,
            "left_sdp": "PCMU PCMA",
            "right_sdp": "PCMU PCMA G729",
            "differences": [{"name": "User-Agent", "left": "Acme 4.1", "right": "Acme 4.2"}],
        },
        {
            "label": "488 Not Acceptable Here",
            "left": None,
            "right": 2,
            "left_ms": None,
            "right_ms": 84.2,
            "left_sdp": None,
            "right_sdp": None,
            "differences": [],
        },
    ],
}


class FieldDifferenceView(BaseModel):
    """A header field that differs; null where a message has it not."""

    name: str
    left: str | None
    right: str | None


class ComparedStepView(BaseModel):
    """A step of one call or of both; ``left`` and ``right`` are indices of messages in their traces."""

    label: str
    left: int | None
    right: int | None
    left_ms: float | None = Field(description="Since the call's first message.")
    right_ms: float | None
    left_sdp: str | None
    right_sdp: str | None
    differences: list[FieldDifferenceView]


class ComparisonView(BaseModel):
    """What happened in both calls, what in one only, and which header fields differ."""

    model_config = ConfigDict(json_schema_extra={"example": COMPARISON_EXAMPLE})

    left: str = Field(description="Id of the call of the path.")
    right: str
    alike: float = Field(description="Share of the steps that both have, 0 to 1.")
    steps: list[ComparedStepView]

    @classmethod
    def of(cls, left: str, right: str, comparison: Comparison) -> Self:
        steps = [
            ComparedStepView(
                label=step.label,
                left=step.left,
                right=step.right,
                left_ms=step.left_ms,
                right_ms=step.right_ms,
                left_sdp=step.left_sdp,
                right_sdp=step.right_sdp,
                differences=[
                    FieldDifferenceView(name=each.name, left=each.left, right=each.right)
                    for each in step.differences
                ],
            )
            for step in comparison.steps
        ]
        return cls(left=left, right=right, alike=comparison.alike, steps=steps)
