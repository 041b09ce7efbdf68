"""All measurements, or those that are named: ``python -m benchmarks [NAME...]``.

Nothing is written; ``docs/benchmarks.md`` records a run.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from benchmarks.report import print_machine

MEASUREMENTS = {
    "messages": "parse and serialize, microseconds a message",
    "probes": "OPTIONS probes a second and CPU a probe, beside bare datagrams",
    "discovery": "wall time of a discovery, beside nmap and svmap",
    "visibility": "from the reply on the wire to the row that others see",
    "configuration": "attach 100 numbers, and reads among 100,000, beside a bare route",
    "calls": "a test call's overhead, its live view, and the pace of 50 calls' media",
    "traffic": "captured messages a second that one collector takes and writes (1 min)",
    "porting": "1,000 open port orders: from a fact written down to the state that follows (4 min)",
    "health-probes": "CPU of one health check, beside bare datagrams and Kamailio's dispatcher",
    "failover": "from a carrier's first sign of death to the switched route (3 min)",
    "health": "100,000 watched targets on one worker: lateness, CPU all in, rows, events (20 min)",
}


def main() -> None:
    """Run the measurements in their order."""
    names = "\n".join(f"  {name:14}{what}" for name, what in MEASUREMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"measurements:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="*", help="default: all")
    chosen = parser.parse_args().name or [*MEASUREMENTS]
    for name in chosen:
        if name not in MEASUREMENTS:
            parser.error(f"there is no measurement {name!r}")
    print_machine()
    for name in chosen:
        import_module(f"benchmarks.{name.replace('-', '_')}").main()


if __name__ == "__main__":
    main()
