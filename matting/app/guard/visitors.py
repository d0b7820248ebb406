"""What each address has under way and on disk, and which sessions somebody listens to."""

import ipaddress
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import Scope

from matting.app import limits

_MOST_ADDRESSES = 10_000  # remembered at once


def address_of(scope: Scope) -> str:
    """The visitor's address, or "" where none is known; then no limit per address applies.

    It is the peer's, or what proxies say that uvicorn trusts (`FORWARDED_ALLOW_IPS`). One subscriber has 2**64 addresses of
    IPv6, so those count as one. On a Space every visitor comes through proxies inside; should these not say for whom, nobody
    is locked out for what another does.
    """
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except (TypeError, ValueError):
        return ""
    if address.is_loopback and (b"x-gradio-user", b"mcp") in scope.get("headers", ()):  # our own, for its callers
        return ""
    if address.is_private and "SPACE_ID" in os.environ:
        return ""
    if address.version == 6:
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Allowance:
    """So much per second, and so much at once after a pause."""

    def __init__(self, per_s: float, burst: float):
        self._per_s, self._burst = per_s, burst
        self._spent: dict[str, tuple[float, float]] = {}

    def take(self, address: str, amount: float = 1.0, now: float | None = None) -> bool:
        """Whether the address may have that much more."""
        now = time.monotonic() if now is None else now
        spent, before = self._spent.get(address, (0.0, now))
        spent = max(0.0, spent - self._per_s * (now - before))
        if spent + amount > self._burst:
            return False
        if len(self._spent) > _MOST_ADDRESSES:
            self._spent = {other: (s, t) for other, (s, t) in self._spent.items() if s > self._per_s * (now - t)}
        self._spent[address] = (spent + amount, now)
        return True


@dataclass
class Visitors:
    """Everybody who is here. Used by one thread, that of the event loop.

    Attributes:
        requests, events, posted: what each address may still ask for; the last in bytes sent to the MCP server.
        open: requests in progress by address.
        incoming: bytes of uploads that are under way, by address.
        stored: address and size of every upload.
        listening: open answers by session hash, or by event for programs that send none.
        heard: when the last of these ended, on the monotonic clock.
        pages: address of every session hash that has sent an event, the latest last.
    """

    requests: Allowance = field(default_factory=lambda: Allowance(limits.REQUESTS_PER_S, limits.REQUESTS_BURST))
    events: Allowance = field(default_factory=lambda: Allowance(limits.EVENTS_PER_S, limits.EVENTS_BURST))
    posted: Allowance = field(
        default_factory=lambda: Allowance(limits.STORED_BYTES_EACH / limits.FILES_S, limits.STORED_BYTES_EACH)
    )
    open: Counter[str] = field(default_factory=Counter)
    incoming: Counter[str] = field(default_factory=Counter)
    stored: dict[Path, tuple[str, int]] = field(default_factory=dict)
    listening: Counter[str] = field(default_factory=Counter)
    heard: dict[str, float] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def listens(self, key: str) -> Iterator[None]:
        """Within this block somebody waits for answers to a session or event."""
        self.listening[key] += 1
        try:
            yield
        finally:
            _less(self.listening, key)
            self.heard[key] = time.monotonic()

    @contextmanager
    def asks(self, address: str) -> Iterator[None]:
        """Within this block an address has a request open."""
        self.open[address] += 1
        try:
            yield
        finally:
            _less(self.open, address)

    def attended(self, key: str) -> bool:
        """Whether a page or program is connected."""
        return self.listening[key] > 0

    def unheard_s(self, keys: tuple[str, ...], since: float, now: float) -> float:
        """For how long nobody has listened to any of the keys; `since` is when they were begun."""
        if any(self.attended(key) for key in keys):
            return 0.0
        return now - max([since, *(self.heard[key] for key in keys if key in self.heard)])

    def room_for(self, address: str) -> str:
        """Why an address may not send more bytes; empty if it may."""
        self.stored = {path: entry for path, entry in self.stored.items() if path.exists()}
        total = sum(size for _, size in self.stored.values()) + sum(self.incoming.values())
        own = sum(size for owner, size in self.stored.values() if owner == address) + self.incoming[address]
        if limits.per_address() and address and own > limits.STORED_BYTES_EACH:
            return "You have too many files here. Close other pages of this app, or wait half an hour."
        return "The server holds as many files as it can. Please try again in a while." if total > limits.STORED_BYTES else ""

    def forget(self, now: float) -> None:
        """Drop what is known of sessions that were left long ago."""
        self.heard = {key: at for key, at in self.heard.items() if now - at < limits.TIME_TO_LIVE_S}


def _less(counter: Counter[str], key: str, amount: int = 1) -> None:
    counter[key] -= amount
    if counter[key] <= 0:
        del counter[key]
