"""What the activities of port orders share: where rows, papers, carriers and rules are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from carriers.base import PortingCarrier
from carriers.chosen import chosen_carrier, load_profiles
from domain.porting.carrier_profile import CarrierProfiles
from domain.porting.loa_template import InvalidTemplate, LoaTemplate, parse_template
from settings import Settings
from storage.documents.base import DocumentStore
from storage.documents.chosen import chosen_documents
from storage.engine import Database
from storage.secret_box import SecretBox

__all__ = ["PortDesk", "PortRules", "open_port_desk"]

TEMPLATE_SETTING = "TRUNKLINE_PORTING_LOA_TEMPLATE_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRules:
    """What the operator decided. ``agent`` is the company that letters appoint, ``contact`` where a
    signer can write to, ``winning_carrier`` who takes the numbers over by name. ``public_url`` is where
    the signing page is reached, without a slash at its end. ``operator_emails`` reach the porting desk.
    ``scale`` makes waiting shorter; 1 is real time.
    """

    agent: str
    contact: str
    winning_carrier: str
    public_url: str
    operator_emails: tuple[str, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class PortDesk:
    """Built once for a process."""

    database: Database
    secret_box: SecretBox
    documents: DocumentStore
    carriers: Mapping[str, PortingCarrier]
    profiles: CarrierProfiles
    template: LoaTemplate
    rules: PortRules


def open_port_desk(settings: Settings, database: Database, secret_box: SecretBox) -> PortDesk:
    """The desk as the operator set it up. Raises ``InvalidCarriers`` and ``InvalidTemplate``."""
    carrier = chosen_carrier(settings, database)
    host, port = settings.api_host, settings.api_port
    return PortDesk(
        database=database,
        secret_box=secret_box,
        documents=chosen_documents(settings),
        carriers={carrier.name: carrier},
        profiles=load_profiles(settings),
        template=_template(settings.porting_loa_template_file),
        rules=PortRules(
            agent=settings.porting_company,
            contact=settings.porting_contact,
            winning_carrier=settings.porting_winning_carrier or settings.porting_company,
            public_url=(settings.public_url or f"http://{host}:{port}").rstrip("/"),
            operator_emails=settings.porting_desk_emails,
            scale=settings.porting_clock_scale,
        ),
    )


def _template(path: str | None) -> LoaTemplate:
    if path is None:
        shipped = files("domain.porting") / "loa_template_v1.toml"
        return parse_template(shipped.read_text(encoding="utf-8"))
    try:
        return parse_template(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, InvalidTemplate) as error:
        raise InvalidTemplate(f"{TEMPLATE_SETTING}: {path}: {error}") from error
