"""The SIP systems that can be told apart, where they stand in a call's path, and kinds of evidence."""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = ["Role", "Signal", "System"]


class Signal(StrEnum):
    """A kind of evidence. Several finds of one kind count once."""

    BANNER = "banner"
    VENDOR_HEADER = "vendor_header"
    PROVIDER = "provider"
    TLS_CERTIFICATE = "tls_certificate"
    METHOD_ORDER = "method_order"
    SUPPORTED_ORDER = "supported_order"
    ACCEPT_LIST = "accept_list"
    TO_TAG = "to_tag"

    @property
    def weight(self) -> float:
        """Probability that the sign alone is right."""
        return _WEIGHTS[self]


_WEIGHTS = {
    Signal.BANNER: 0.9,
    Signal.VENDOR_HEADER: 0.8,
    Signal.PROVIDER: 0.8,
    Signal.TLS_CERTIFICATE: 0.6,
    Signal.METHOD_ORDER: 0.3,
    Signal.SUPPORTED_ORDER: 0.3,
    Signal.ACCEPT_LIST: 0.3,
    Signal.TO_TAG: 0.2,
}


class Role(IntEnum):
    """Place in the path of a call, outermost first: who is seen in front of whom."""

    CARRIER = 0
    SBC = 1
    PROXY = 2
    GATEWAY = 3
    PBX = 4
    PHONE = 5


class System(StrEnum):
    """Display names; the contract's own where it names a system (section 4.2)."""

    ASTERISK = "Asterisk"
    FREESWITCH = "FreeSWITCH"
    KAMAILIO = "Kamailio"
    OPENSIPS = "OpenSIPS"
    SER = "SIP Express Router"
    SIPWISE = "Sipwise NGCP"
    THREECX = "3CX"
    THREECX_PHONE = "3CX softphone"
    CISCO_CUBE = "Cisco CUBE"
    CISCO_UCM = "Cisco UCM"
    CISCO_EXPRESSWAY = "Cisco Expressway"
    CISCO_PHONE = "Cisco phone"
    AVAYA_SM = "Avaya Session Manager"
    AVAYA_CM = "Avaya Communication Manager"
    AVAYA_SES = "Avaya SIP Enablement Services"
    AVAYA_SBCE = "Avaya SBCE"
    AUDIOCODES = "AudioCodes"
    RIBBON = "Ribbon SBC"
    TEAMS = "Microsoft Teams"
    LYNC = "Microsoft Skype for Business"
    TWILIO = "Twilio"
    TELNYX = "Telnyx"
    VONAGE = "Vonage"
    RINGCENTRAL = "RingCentral"
    LIVEKIT = "LiveKit"
    JAMBONZ = "jambonz"
    YEASTAR = "Yeastar"
    GRANDSTREAM_UCM = "Grandstream UCM"
    GRANDSTREAM_PHONE = "Grandstream phone"
    MITEL = "Mitel"
    SIPPY = "Sippy Softswitch"
    NETSAPIENS = "NetSapiens"
    STARFACE = "STARFACE"
    INGATE = "Ingate SIParator"
    HIPATH = "Unify HiPath"
    NEC = "NEC"
    PATTON = "Patton"
    COMMUNIGATE = "CommuniGate Pro"
    SIPXECS = "sipXecs"
    EPYGI = "Epygi Quadro"
    FRITZBOX = "FRITZ!Box"
    POLYCOM_PHONE = "Polycom phone"
    YEALINK_PHONE = "Yealink phone"
    SNOM_PHONE = "Snom phone"
    OBIHAI_ATA = "Obihai ATA"

    @property
    def role(self) -> Role:
        return _ROLES.get(self, Role.PBX)


_ROLES = {
    System.TWILIO: Role.CARRIER,
    System.TELNYX: Role.CARRIER,
    System.VONAGE: Role.CARRIER,
    System.RINGCENTRAL: Role.CARRIER,
    System.TEAMS: Role.CARRIER,
    System.LIVEKIT: Role.CARRIER,
    System.AVAYA_SBCE: Role.SBC,
    System.AUDIOCODES: Role.SBC,
    System.RIBBON: Role.SBC,
    System.INGATE: Role.SBC,
    System.CISCO_CUBE: Role.SBC,
    System.KAMAILIO: Role.PROXY,
    System.OPENSIPS: Role.PROXY,
    System.SER: Role.PROXY,
    System.SIPWISE: Role.PROXY,
    System.AVAYA_SM: Role.PROXY,
    System.AVAYA_SES: Role.PROXY,
    System.CISCO_EXPRESSWAY: Role.PROXY,
    System.PATTON: Role.GATEWAY,
    System.THREECX_PHONE: Role.PHONE,
    System.CISCO_PHONE: Role.PHONE,
    System.GRANDSTREAM_PHONE: Role.PHONE,
    System.POLYCOM_PHONE: Role.PHONE,
    System.YEALINK_PHONE: Role.PHONE,
    System.SNOM_PHONE: Role.PHONE,
    System.OBIHAI_ATA: Role.PHONE,
}
