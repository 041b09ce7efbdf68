"""Sealing a signed letter, and saying whether a sealed one is as it was.

The pages of the signature and the seal are an incremental update (ISO 32000-2 7.5.6), so the sealed file
begins with the very bytes that the signer was shown. The seal is a certification signature that permits
no change (ISO 32000-2 12.8.2.2) in the form of PAdES B-B (ETSI EN 319 142-1). The time in it is ours: no
time-stamping authority is asked.

pyHanko runs a loop of its own, so both functions are for threads, never for a loop's own.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from asn1crypto import keys, pem
from asn1crypto import x509 as asn1_x509
from asn1crypto.parser import parse
from cryptography import x509
from pyhanko.pdf_utils.generic import NumberObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from papers.errors import SealFailed
from papers.seal_key import SealKey, load_seal_key

__all__ = ["SealVerdict", "seal", "verify"]

FIELD: Final = "Seal"
REASON: Final = "Letter of authorization, signed electronically"

_END: Final = b"%%EOF"

_SHA256: Final = frozenset(
    bytes.fromhex(each) for each in ("300b0609608648016503040201", "300d06096086480165030402010500")
)
"""Its identifier, without and with the parameters that mean nothing (RFC 5754 2)."""

# pyHanko gives these no types.
_number: Any = NumberObject
_certificates: Any = SimpleCertificateStore


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What a file shows of its seal.

    ``intact``: the sealed bytes are as they were and the signature is that of the certificate.
    ``certified``: the seal permits no change. ``covers_whole``: it covers every byte of the file. ``signer``
    is the name in the certificate and ``fingerprint`` the certificate's SHA-256 in hex: anybody can seal in
    any name, so compare it with the installation's. ``letter_sha256`` is that of the bytes before the
    signature. ``sealed_at`` is what the seal says of its time.
    """

    intact: bool
    certified: bool = False
    covers_whole: bool = False
    signer: str = ""
    fingerprint: str = ""
    letter_sha256: str = ""
    sealed_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing of the file was changed since it was sealed, by whomever."""
        return self.intact and self.certified and self.covers_whole


NOT_SEALED: Final = SealVerdict(intact=False)


def seal(letter: bytes, pages: bytes, key: SealKey, at: datetime) -> bytes:
    """The letter with the pages of its signature behind it (``signature_pages``), sealed at ``at``.

    Raises ``SealFailed`` when the key is not valid at that time or one of the files is no PDF of ours.
    """
    load_seal_key(key.key_pem, key.certificate_pem)
    certificate = x509.load_pem_x509_certificate(key.certificate_pem)
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise SealFailed(
            f"the sealing key is not valid on {at.astimezone(UTC):%Y-%m-%d}: make a new one"
        )
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(letter))
        _append(writer, PdfFileReader(io.BytesIO(pages)))
        metadata = PdfSignatureMetadata(
            field_name=FIELD,
            reason=REASON,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            subfilter=SigSeedSubFilter.PADES,
            md_algorithm="sha256",
        )
        sealed: bytes = _TimedSigner(metadata, _signer(key), at).sign_pdf(writer).getvalue()
    except (SigningError, PdfError, ValueError, KeyError) as error:
        raise SealFailed(f"the letter cannot be sealed: {type(error).__name__}") from error
    return sealed


def verify(sealed: bytes) -> SealVerdict:
    """What the file shows of its seal; never raises, whatever the bytes are."""
    try:
        return _verified(sealed)
    except Exception:
        # A changed byte can be any byte of the file's structure, and then anything goes wrong.
        return NOT_SEALED


def _verified(sealed: bytes) -> SealVerdict:
    reader = PdfFileReader(io.BytesIO(sealed))
    signatures = reader.embedded_regular_signatures
    if len(signatures) != 1:
        return NOT_SEALED
    signature = signatures[0]
    certificate = signature.signer_cert
    status = validate_pdf_signature(
        signature,
        # Whose certificate it is, is for who compares fingerprints; without a root there is no verdict.
        signer_validation_context=ValidationContext(trust_roots=[certificate]),
    )
    certified = signature.docmdp_level is MDPPerm.NO_CHANGES
    return SealVerdict(
        intact=bool(status.intact and status.valid) and _is_plain(sealed, signature),
        certified=certified,
        covers_whole=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        signer=str(certificate.subject.native.get("common_name", "")),
        fingerprint=hashlib.sha256(certificate.dump()).hexdigest(),
        letter_sha256=_letter_sha256(sealed, reader),
        sealed_at=signature.self_reported_timestamp,
    )


def _is_plain(sealed: bytes, signature: Any) -> bool:
    """Whether the one place that the seal does not cover, its own, has what was written there: the seal
    in upper-case hex and then zeros, and in the seal's head, which nothing signs (RFC 5652 5.4), what
    belongs there."""
    first, length, second, _ = (int(each) for each in signature.byte_range)
    content = signature.pkcs7_content
    outer = parse(content, strict=False)
    size = sum(len(part) for part in outer[3:])
    data, info = signature.signed_data, signature.signer_info
    named = [*data["digest_algorithms"], info["digest_algorithm"]]
    return (
        sealed[first + length : second] == b"<" + content.hex().upper().encode("ascii") + b">"
        and not any(content[size:])
        and data["version"].native == info["version"].native == "v1"
        and len(named) == 2
        and all(each.dump() in _SHA256 for each in named)
    )


def _letter_sha256(sealed: bytes, reader: Any) -> str:
    """Of the file's bytes up to the end of its revision before the last one."""
    if "/Prev" not in reader.trailer:
        return ""
    end = sealed.index(_END, int(reader.trailer["/Prev"])) + len(_END)
    # The line's end belongs to the revision that it ends.
    end += sealed[end : end + 1] == b"\n"
    return hashlib.sha256(sealed[:end]).hexdigest()


def _append(writer: Any, pages: Any) -> None:
    """Hang the tree of pages of one file behind those of the other, whole: what its pages share, such as
    fonts, is copied once."""
    tree = writer.root["/Pages"]
    copied = writer.import_object(pages.root.raw_get("/Pages"))
    branch = copied.get_object()
    branch[pdf_name("/Parent")] = writer.root.raw_get("/Pages")
    tree["/Kids"].append(copied)
    tree[pdf_name("/Count")] = _number(int(tree["/Count"]) + int(branch["/Count"]))
    writer.update_container(tree["/Kids"])
    writer.update_container(tree)


def _signer(key: SealKey) -> SimpleSigner:
    certificate = asn1_x509.Certificate.load(pem.unarmor(key.certificate_pem)[2])
    private = keys.PrivateKeyInfo.load(pem.unarmor(key.key_pem)[2])
    return SimpleSigner(
        signing_cert=certificate, signing_key=private, cert_registry=_certificates()
    )


class _TimedSigner(PdfSigner):
    """Says the time that it is given, not the machine's."""

    def __init__(self, metadata: PdfSignatureMetadata, signer: SimpleSigner, at: datetime) -> None:
        super().__init__(metadata, signer=signer)
        self._at = at

    def init_signing_session(self, *args: Any, **named: Any) -> Any:
        session = super().init_signing_session(*args, **named)
        session.system_time = self._at.astimezone(UTC)
        return session
