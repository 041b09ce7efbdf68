"""Fingerprints: what a banner tells, and names inside other words that tell nothing."""

from __future__ import annotations

import pytest

from domain.fingerprint import UNKNOWN_SYSTEM, identify
from domain.observation import Observation


@pytest.mark.parametrize(
    ("banner", "system", "product", "version"),
    [
        ("Asterisk PBX 20.9.2", "Asterisk", "Asterisk", "20.9.2"),
        ("Asterisk PBX", "Asterisk", "Asterisk", None),
        ("Asterisk PBX (digium)", "Asterisk", "Switchvox", None),
        ("FPBX-16.0.33(18.13.0)", "Asterisk", "FreePBX", "16.0.33"),
        ("-15.0.17.43(16.20.0)", "Asterisk", "FreePBX", "15.0.17.43"),
        (
            "FreeSWITCH-mod_sofia/1.10.7-release~64bit",
            "FreeSWITCH",
            "FreeSWITCH",
            "1.10.7-release~64bit",
        ),
        ("FreeSWITCH", "FreeSWITCH", "FreeSWITCH", None),
        ("kamailio (5.7.2 (x86_64/linux))", "Kamailio", "Kamailio", "5.7.2"),
        ("Kamailio (5.7.0)", "Kamailio", "Kamailio", "5.7.0"),
        ("OpenSIPS (3.2.14 (x86_64/linux))", "OpenSIPS", "OpenSIPS", "3.2.14"),
        ("Sip EXpress router (2.0.0 (i386/linux))", "SIP Express Router", None, "2.0.0"),
        ("OpenSER (1.3.2-notls (i386/linux))", "SIP Express Router", None, "1.3.2-notls"),
        ("Sipwise NGCP Proxy 7.X", "Sipwise NGCP", "Sipwise NGCP Proxy", "7.X"),
        ("3CXPhoneSystem 14.0.44198.522 (44097)", "3CX", "3CX", "14.0.44198.522"),
        ("3CX Phone System 18.0", "3CX", "3CX", "18.0"),
        ("3CXPhone 6.0.26523.0", "3CX softphone", "3CX softphone", "6.0.26523.0"),
        ("Cisco-SIPGateway/IOS-17.6.1a", "Cisco CUBE", "Cisco CUBE or IOS gateway", "17.6.1a"),
        ("Cisco-CUCM12.5", "Cisco UCM", "Cisco UCM", "12.5"),
        ("TANDBERG/4137 (X14.0.5)", "Cisco Expressway", "Cisco Expressway or VCS", "X14.0.5"),
        ("AVAYA-SM-6.3.1.0.631004", "Avaya Session Manager", None, "6.3.1.0.631004"),
        ("Avaya CM/R018x.00.0.822.0", "Avaya Communication Manager", None, "R018x.00.0.822.0"),
        ("Avaya SIP Enablement Services", "Avaya SIP Enablement Services", None, None),
        (
            "Audiocodes-Sip-Gateway-Mediant 1000/v.5.80A.055.002",
            "AudioCodes",
            "AudioCodes Mediant 1000",
            "5.80A.055.002",
        ),
        ("Mediant 2600/v.7.20A", "AudioCodes", "AudioCodes Mediant 2600", "7.20A"),
        (
            "Microsoft.PSTNHub.SIPProxy v.2020.7.31.1 i.USWE2.3",
            "Microsoft Teams",
            "Teams Direct Routing",
            "2020.7.31.1",
        ),
        ("RTC/6.0", "Microsoft Skype for Business", None, None),
        ("Twilio Gateway", "Twilio", "Twilio", None),
        ("LiveKit", "LiveKit", "LiveKit", None),
        ("Jambonz 0.9.1", "jambonz", "jambonz", "0.9.1"),
        ("Yeastar S50", "Yeastar", "Yeastar S50", None),
        ("Yeastar S20-65.16.0.183", "Yeastar", "Yeastar S20", "65.16.0.183"),
        ("Grandstream UCM6208 1.0.20.20", "Grandstream UCM", "Grandstream UCM6208", "1.0.20.20"),
        ("Grandstream GXP2170 1.0.11.6", "Grandstream phone", "Grandstream GXP2170", "1.0.11.6"),
        ("Mitel-3300-ICP 14.0.0.91", "Mitel", "Mitel 3300 ICP", "14.0.0.91"),
        ("Sippy Softswitch v2021-PRODUCTION.408", "Sippy Softswitch", None, "2021-PRODUCTION.408"),
        ("NetSapiens SiPBx 1-1205c", "NetSapiens", "NetSapiens", "1-1205c"),
        ("STARFACE PBX", "STARFACE", "STARFACE", None),
        ("SIParator/4.6.2", "Ingate SIParator", "Ingate SIParator", "4.6.2"),
        ("HiPath 3000 V9.0", "Unify HiPath", "HiPath 3000", "V9.0"),
        ("NEC-i SV8100-GE", "NEC", "NEC SV8100-GE", None),
        ("Patton SN4638", "Patton", "Patton SN4638", None),
        ("CommuniGatePro/6.2.14", "CommuniGate Pro", None, "6.2.14"),
        ("sipXecs/4.4.0", "sipXecs", "sipXecs", "4.4.0"),
        ("Epygi Quadro SIP User Agent/v5.2", "Epygi Quadro", None, None),
        ("FRITZ!OS", "FRITZ!Box", "FRITZ!Box", None),
        ("AVM FRITZ!Box 7590", "FRITZ!Box", "FRITZ!Box", None),
        ("Acme Sonus SBC", "Ribbon SBC", "Ribbon SBC", None),
    ],
)
def test_a_banner_names_system_product_and_version(
    banner: str, system: str, product: str | None, version: str | None
) -> None:
    found = identify(Observation(server=banner))

    assert (found.system, found.version) == (system, version)
    assert product is None or found.product == product
    assert found.confidence >= 0.7
    assert banner in found.evidence[0]


@pytest.mark.parametrize(
    "banner",
    [
        "MobileObility 2.0",
        "Mobidia/OBi",
        "obi",
        "Not 3CXPhoneSystem 1.0",
        "3CXPhoneSystems",
        "Sonusville PBX",
        "My Asterisk PBX 1",
        "kamailio",
        "FreeSWITCHboard 2",
        "Twilio Gateway Emulator",
        "LiveKitten",
        "unifysip HiPath",
        "Polycomposer 3",
        "Nordwind SBC 7.2",
    ],
)
def test_a_name_inside_another_word_is_no_sign(banner: str) -> None:
    found = identify(Observation(server=banner))

    assert found.system == UNKNOWN_SYSTEM
    assert found.product == banner
    assert found.confidence == 0
