"""The timers of SIP transactions (RFC 3261 section 17 and appendix A, RFC 6026 section 7).

All values are seconds. A transaction layer takes one `Timers` value, so two stacks in one process
never share a setting.
"""

from __future__ import annotations

from dataclasses import dataclass

# RFC 3261 section 17.1.1.2: a client cannot know the T1 of the server that it waits for, so its
# Timer D has an absolute minimum.
MINIMUM_D = 32.0


@dataclass(frozen=True, slots=True)
class Timers:
    """The three settings of RFC 3261 table 4 and every timer that follows from them.

    `t1` is the estimated round trip, `t2` the longest interval between retransmissions of anything
    but an INVITE request, `t4` how long a message stays in the network. Timer C belongs to proxies
    and is left out: a user agent ends a long `Proceeding` by CANCEL.
    Raises ValueError unless 0 < t1 <= t2 and t4 > 0.
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.t1 <= self.t2 or self.t4 <= 0:
            raise ValueError("timers need 0 < t1 <= t2 and t4 > 0")

    @property
    def a(self) -> float:
        """First INVITE retransmission over UDP; doubles without limit (17.1.1.2)."""
        return self.t1

    @property
    def b(self) -> float:
        """An INVITE without any response times out (17.1.1.2)."""
        return 64 * self.t1

    @property
    def d(self) -> float:
        """How long a client absorbs repeated 300-699 to INVITE; 0 when reliable (17.1.1.2)."""
        return max(MINIMUM_D, 64 * self.t1)

    @property
    def e(self) -> float:
        """First retransmission of any other request over UDP; doubles up to T2 (17.1.2.2)."""
        return self.t1

    @property
    def f(self) -> float:
        """A request other than INVITE without a final response times out (17.1.2.2)."""
        return 64 * self.t1

    @property
    def g(self) -> float:
        """First retransmission of a 300-699 to INVITE over UDP; doubles up to T2 (17.2.1)."""
        return self.t1

    @property
    def h(self) -> float:
        """A 300-699 to INVITE without ACK times out (17.2.1)."""
        return 64 * self.t1

    @property
    def i(self) -> float:
        """How long a server absorbs repeated ACKs; 0 when reliable (17.2.1)."""
        return self.t4

    @property
    def j(self) -> float:
        """How long a server absorbs repeated requests; 0 when reliable (17.2.2)."""
        return 64 * self.t1

    @property
    def k(self) -> float:
        """How long a client absorbs repeated responses; 0 when reliable (17.1.2.2)."""
        return self.t4

    @property
    def l(self) -> float:  # noqa: E743 - Timer L is its name in RFC 6026
        """How long a server absorbs an accepted INVITE and sends its TU's 2xx (RFC 6026 7.1)."""
        return 64 * self.t1

    @property
    def m(self) -> float:
        """How long a client passes up 2xx responses, forked or repeated (RFC 6026 7.2)."""
        return 64 * self.t1
