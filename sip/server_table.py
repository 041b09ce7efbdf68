"""The server transactions of one element: found by key, bounded, merged requests noticed."""

from __future__ import annotations

from sip.message import Request
from sip.server_transaction import ServerTransaction
from sip.transaction_events import ServerKey
from sip.uas import merge_key

# Over UDP an answered request is remembered for 32 s (timer J), so this sustains 2,000 new requests
# a second.
MAX_SERVER_TRANSACTIONS = 65_536
# A response repeats what its peer put into Via, From, To and Call-ID, up to the 64 KiB of a header:
# the number of transactions alone bounds no memory. Ordinary responses take 600 bytes.
MAX_HELD_BYTES = 64 * 2**20

_MergeKey = tuple[str | None, str, int, str]


class ServerTable:
    """Live server transactions, at most `max_transactions` and about `max_bytes` of responses."""

    def __init__(self, max_transactions: int, max_bytes: int) -> None:
        self._max_transactions = max_transactions
        self._max_bytes = max_bytes
        self._bytes = 0
        self._transactions: dict[ServerKey, ServerTransaction] = {}
        self._first_of: dict[_MergeKey, ServerKey] = {}
        self._merge_key_of: dict[ServerKey, _MergeKey] = {}

    def __len__(self) -> int:
        return len(self._transactions)

    def __contains__(self, key: ServerKey) -> bool:
        return key in self._transactions

    def get(self, key: ServerKey) -> ServerTransaction | None:
        """Return the live transaction under `key`."""
        return self._transactions.get(key)

    @property
    def has_room(self) -> bool:
        """Whether one more transaction may be added."""
        return len(self._transactions) < self._max_transactions and self._bytes < self._max_bytes

    def add(self, transaction: ServerTransaction, request: Request) -> bool:
        """Add the transaction of a new request; return whether the request is merged.

        That is one whose copy, outside a dialog, is in progress under another branch
        (RFC 3261 section 8.2.2.2).
        """
        key = transaction.key
        self._transactions[key] = transaction
        self.account(transaction)
        identity = merge_key(request)
        if identity is None:
            return False
        if identity in self._first_of:
            return True
        self._first_of[identity] = key
        self._merge_key_of[key] = identity
        return False

    def account(self, transaction: ServerTransaction) -> None:
        """Take into account that a transaction holds another response."""
        size = transaction.size
        self._bytes += size - transaction.accounted
        transaction.accounted = size

    def remove(self, transaction: ServerTransaction) -> None:
        """Forget a transaction that is over."""
        del self._transactions[transaction.key]
        self._bytes -= transaction.accounted
        identity = self._merge_key_of.pop(transaction.key, None)
        if identity is not None:
            del self._first_of[identity]
