"""Tables of a measurement, as Markdown on standard output, and the machine it ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles

__all__ = ["milliseconds", "p95", "print_machine", "print_table", "spread"]


def print_machine() -> None:
    """One line about what the figures depend on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load before the run {load}\n"
    )


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table whose columns are aligned for a terminal too; numbers go to the right."""
    table = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in table) for index in range(len(columns))]
    aligned = [
        "| "
        + " | ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in table
    ]
    rule = [
        ("-" * width) if not index else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    print(f"### {title}\n", aligned[0], "| " + " | ".join(rule) + " |", *aligned[1:], "", sep="\n")


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The median and the best (smallest) of some values."""
    return median(values), min(values)


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(values, n=20)[-1]


def milliseconds(seconds: float) -> str:
    """A duration in ms, with one digit behind the point below 100 ms."""
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"
