"""``trunkline secrets``: what is sealed at rest, and the keys that it is sealed with."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from commands.accounts import Installation, at_installation

if TYPE_CHECKING:
    from storage.rotation import Batch, Tally
    from storage.sealed_columns import SealedColumn
    from storage.secret_box import SecretBox

__all__ = ["app"]

app = typer.Typer(help="Secrets at rest.", no_args_is_help=True)


# Without a callback typer would make the lone command the group, without its name.
@app.callback()
def root() -> None:
    pass


@app.command()
def rotate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count and open only; change nothing.")
    ] = False,
    batch_size: Annotated[
        int, typer.Option(min=1, max=10_000, help="Rows of one transaction.")
    ] = 500,
) -> None:
    """Seal everything with the first key of TRUNKLINE_SECRET_KEYS, while everything runs.

    It may be stopped and started again at any time. Exit code 1 when something does not open or an
    older key still seals something.
    """
    clean = at_installation(lambda place: _rotate(place, dry_run=dry_run, size=batch_size))
    if not clean:
        raise typer.Exit(1)


async def _rotate(place: Installation, *, dry_run: bool, size: int) -> bool:
    """Whether nothing is left that another key than the current one seals."""
    from storage import rotation

    box = place.secret_box()
    progress = _Progress("looking" if dry_run else "sealing")
    resealed = 0
    try:
        if not dry_run:
            resealed = await rotation.rotate(place.database, box, size=size, on_batch=progress.show)
        progress = _Progress("counting")
        tally = await rotation.survey(place.database, box, size=size, on_batch=progress.show)
    finally:
        progress.clear()
    if not dry_run:
        typer.echo(f"{resealed} values were sealed anew with key {box.current!r}.")
    _show_counts(tally)
    for each in tally.unopened:
        typer.echo(f"trunkline: {each}", err=True)
    old = _old(tally, box)
    _show_advice(old, box)
    return not tally.unopened and (dry_run or not old.total())


def _show_counts(tally: Tally) -> None:
    """A line for each column and key."""
    from storage.rotation import UNREADABLE

    lines = [
        (str(column), "unreadable" if key_id == UNREADABLE else f"key {key_id!r}", count)
        for column, found in tally.found.items()
        for key_id, count in sorted(found.items())
    ]
    if not lines:
        typer.echo("Nothing is sealed.")
        return
    places = max(len(place) for place, _, _ in lines)
    keys = max(len(key) for _, key, _ in lines)
    for place, key, count in lines:
        typer.echo(f"{place:<{places}}  {key:<{keys}}  {count:>10}")


def _show_advice(old: Counter[str], box: SecretBox) -> None:
    """What each older key of the ring is still needed for."""
    from storage.rotation import UNREADABLE

    for key_id in dict.fromkeys((*box.key_ids[1:], *sorted(old))):
        if key_id == UNREADABLE:
            continue
        if not old[key_id]:
            typer.echo(f"Key {key_id!r} seals nothing and may leave TRUNKLINE_SECRET_KEYS.")
        elif key_id in box.key_ids:
            typer.echo(f"Key {key_id!r} still seals {old[key_id]}: keep it, and rotate again.")
        else:
            typer.echo(
                f"Key {key_id!r} still seals {old[key_id]}, but is not in TRUNKLINE_SECRET_KEYS."
            )


def _old(tally: Tally, box: SecretBox) -> Counter[str]:
    """Values by the keys that are not the current one."""
    every: Counter[str] = sum(tally.found.values(), Counter())
    del every[box.current]
    return every


class _Progress:
    """One line that tells a person how far it is; silent where nobody looks."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shows = sys.stderr.isatty()
        self._column: SealedColumn | None = None
        self._seen = self._resealed = 0

    def show(self, batch: Batch) -> None:
        if not self._shows:
            return
        if batch.column != self._column:
            self._column, self._seen, self._resealed = batch.column, 0, 0
        self._seen += batch.found.total()
        self._resealed += batch.resealed
        done = f", {self._resealed} sealed anew" if self._resealed else ""
        sys.stderr.write(f"\r\x1b[K{self._what} {batch.column}: {self._seen} seen{done}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shows:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
