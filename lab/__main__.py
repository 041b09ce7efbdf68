"""Runs the lab: ``python -m lab --network 127.0.60.0/24 --dir DIR --ready-file FILE``."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.catalogue import CATALOGUE
from lab.certificates import write_file
from lab.errors import LabError
from lab.lab import Lab


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; the exit code is 1, with one line on stderr, on failure."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(options))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"lab: {error.filename or 'files'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab",
        description="Fake SIP peers on loopback addresses, until SIGINT or SIGTERM.",
        epilog="peers:\n" + "\n".join(f"  {peer.name:<21}{peer.summary}" for peer in CATALOGUE),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--network",
        default="127.0.60.0/24",
        help="IPv4 network of loopback, /25 or larger (%(default)s)",
    )
    parser.add_argument(
        "--dir", type=Path, required=True, help="folder that keeps the certificates"
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        help='written when every peer listens: {"peers": {name: SIP URI}, "ca_file": path}',
    )
    parser.add_argument("--only", metavar="NAME,NAME", help="start these peers alone")
    return parser


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    names = None if options.only is None else [name.strip() for name in options.only.split(",")]
    async with Lab(options.network, options.dir, names) as lab:
        peers = {name: peer.uri for name, peer in lab.peers.items()}
        for name, uri in peers.items():
            print(f"{name:<21}{uri}", flush=True)
        with _announced(options.ready_file, peers, lab.ca_file):
            await stop.wait()


@contextmanager
def _announced(ready: Path | None, peers: dict[str, str], ca_file: Path) -> Iterator[None]:
    """The ready file, there for as long as the peers are."""
    if ready is None:
        yield
        return
    state = {"peers": peers, "ca_file": str(ca_file.absolute())}
    write_file(ready, json.dumps(state, indent=2).encode() + b"\n", mode=0o644)
    try:
        yield
    finally:
        ready.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
