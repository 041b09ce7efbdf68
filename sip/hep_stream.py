"""Cut the byte stream of an exporter into HEP packets: each says its length in its header.

What is held is bounded by one packet plus what was received since, and work is linear in the bytes
received, however they are chunked.
"""

from __future__ import annotations

from sip.hep import HEADER_BYTES, MAGICS, check_header, decode_hep
from sip.hep_packet import HepError, HepPacket

__all__ = ["HepStream"]


class HepStream:
    """Frames one connection, TCP or TLS."""

    def __init__(self, *, key: str | None = None) -> None:
        """`key` is what every packet must carry; see `decode_hep`."""
        self._key = key
        self._buffer = bytearray()
        self._error: HepError | None = None

    @property
    def error(self) -> HepError | None:
        """Why the stream cannot go on; nothing more comes out of it then."""
        return self._error

    @property
    def pending(self) -> int:
        """Octets of a packet that has not arrived wholly."""
        return len(self._buffer)

    def receive_data(self, data: bytes) -> list[HepPacket | HepError]:
        """The packets that are complete now, in order, with an error in the place of each bad one.

        A packet whose header tells where it ends costs itself only, whatever is wrong inside. Where a
        header should be and is none, nothing says where the next packet begins: what came before is
        returned, `error` is set, and every further call raises it; this one too, if there was nothing
        to return.
        """
        if self._error is not None:
            raise self._error
        buffer = self._buffer
        buffer += data
        found: list[HepPacket | HepError] = []
        position = 0
        try:
            while (end := _end_of_packet(buffer, position)) is not None:
                try:
                    found.append(decode_hep(bytes(buffer[position:end]), key=self._key))
                except HepError as error:
                    found.append(error)
                position = end
        except HepError as error:
            self._error = error
            buffer.clear()
            if not found:
                raise
        else:
            del buffer[:position]
        return found


def _end_of_packet(buffer: bytearray, position: int) -> int | None:
    """Where the packet ends that begins here; `None` when not all of it is there.

    Raises `HepError` as soon as it is certain that no packet of version 3 begins here.
    """
    head = buffer[position : position + HEADER_BYTES]
    if len(head) < HEADER_BYTES and any(magic.startswith(head[:4]) for magic in MAGICS):
        return None
    end = position + check_header(head)
    return end if end <= len(buffer) else None
