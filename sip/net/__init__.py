"""Sockets, name resolution and the address guard: the only part of ``sip`` that does I/O."""
