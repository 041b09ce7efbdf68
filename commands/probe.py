"""``trunkline probe``: a discovery without a server, in the terminal."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from domain.attempts import AttemptOutcome
    from domain.destination import Destination
    from domain.recommendation import Recommendation
    from sip.net.resolver import Resolution

__all__ = ["private_networks", "probe"]


def probe(
    destination: Annotated[str, typer.Argument(help="Host, address or SIP URI to probe.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    private: Annotated[
        bool,
        typer.Option(
            "--private",
            help="Allow loopback and private addresses beside TRUNKLINE_ALLOWED_NETWORKS.",
        ),
    ] = False,
) -> None:
    """Find the settings that work for a SIP endpoint. Exit 1 when nothing answered."""
    from domain.destination import parse_destination

    parsed = parse_destination(destination)
    if parsed.parsed is None:
        typer.echo(parsed.message or "not a destination", err=True)
        if parsed.suggestion:
            typer.echo(parsed.suggestion, err=True)
        raise typer.Exit(2)
    found = asyncio.run(_discover(parsed.parsed, quiet=as_json, private=private))
    if not found:
        raise typer.Exit(1)


async def _discover(destination: Destination, *, quiet: bool, private: bool) -> bool:
    from activities.probing import (
        guard_of,
        identity_of,
        open_prober,
        probe_all,
        read_authorities,
    )
    from domain.discovery_plan import ResolutionFacts, plan_discovery
    from domain.recommendation import recommend
    from settings import get_settings
    from sip.net.guard import AddressGuard
    from sip.net.resolver import Resolver

    settings = get_settings()
    identity = identity_of(settings)
    try:
        read_authorities(identity)
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    guard = guard_of(settings)
    if private:
        guard = AddressGuard(allowed=(*settings.allowed_networks, *private_networks()))
    resolution = await Resolver(settings.nameservers()).survey(
        destination.host, port=destination.port
    )
    plan = plan_discovery(
        ResolutionFacts.model_validate(resolution),
        port=destination.port,
        transport=destination.transport,
    )
    attempts: list[AttemptOutcome] = []
    async with open_prober(guard, identity) as prober:
        if quiet:
            await probe_all(prober, plan.candidates, attempts.append)
        else:
            await _with_progress(prober, plan.candidates, attempts)
    best = recommend(attempts)
    if quiet:
        typer.echo(json.dumps(_result(destination, resolution, attempts, best), indent=2))
    else:
        _show(resolution, attempts, best)
    return best is not None


async def _with_progress(prober: Any, candidates: Any, attempts: list[AttemptOutcome]) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from activities.probing import probe_all

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("probing", total=len(candidates))

        def ended(attempt: AttemptOutcome) -> None:
            attempts.append(attempt)
            progress.advance(bar)

        await probe_all(prober, candidates, ended)


def private_networks() -> tuple[Any, ...]:
    """Loopback and the networks that have a meaning inside a site only (``ip_network`` values)."""
    import ipaddress

    return tuple(
        ipaddress.ip_network(text)
        for text in (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "::1/128",
            "fc00::/7",
        )
    )


def _result(
    destination: Destination,
    resolution: Resolution,
    attempts: list[AttemptOutcome],
    best: Recommendation | None,
) -> dict[str, Any]:
    from domain.attempt_explanations import explain_beside

    return {
        "destination": destination.model_dump(mode="json"),
        "resolved_addresses": list(resolution.addresses),
        "attempts": [
            {
                **attempt.model_dump(mode="json"),
                "explanation": str(explain_beside(attempt, attempts)),
            }
            for attempt in attempts
        ],
        "recommended": None if best is None else best.model_dump(mode="json"),
    }


def _show(
    resolution: Resolution, attempts: list[AttemptOutcome], best: Recommendation | None
) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    if not attempts:
        console.print(escape(resolution.failure or "No address was found."))
        return
    answered = [each for each in attempts if each.answered]
    if answered:
        console.print(_answers(answered))
    for line in _silences(attempts):
        console.print(escape(line))
    console.print()
    if best is None:
        console.print("[bold]Nothing answered in SIP.[/]")
        return
    use = f"Use {best.transport.upper()} port {best.port}: {best.detected_system}."
    console.print(f"[bold]{escape(use)}[/] {escape(best.reason)}")
    for warning in best.warnings:
        console.print(f"[yellow]Warning:[/] {escape(warning)}")


def _answers(attempts: list[AttemptOutcome]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("Address", "Port", "Transport", "Answer", "ms", "System", "TLS", box=box.SIMPLE)
    for attempt in sorted(attempts, key=lambda each: (each.address, each.port, each.transport)):
        reply, tls = attempt.reply, attempt.tls
        table.add_row(
            attempt.address,
            str(attempt.port),
            attempt.transport.upper(),
            f"{reply.status} {reply.reason}" if reply else "",
            "" if attempt.response_time_ms is None else f"{attempt.response_time_ms:.1f}",
            (reply.banner or "") if reply else "",
            "" if tls is None else f"{tls.version}, {'verifies' if tls.verifies else tls.problem}",
        )
    return table


def _silences(attempts: list[AttemptOutcome]) -> list[str]:
    """One line for each address and explanation that several ports share, or one port alone."""
    from domain.attempt_explanations import explain_beside

    groups: dict[tuple[str, str], list[AttemptOutcome]] = {}
    for attempt in attempts:
        if not attempt.answered:
            groups.setdefault((attempt.address, attempt.cause.value), []).append(attempt)
    lines: list[str] = []
    for (address, _), members in groups.items():
        if len(members) == 1:
            lines.append(f"{address}: {explain_beside(members[0], attempts)}")
            continue
        ports = ", ".join(f"{each.transport.upper()} {each.port}" for each in members)
        cause = members[0].cause.value.replace("_", " ")
        lines.append(f"{address}: {cause} at {ports}.")
    return lines
