"""Which names this server answers to, and whose pages may talk to it."""

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "0.0.0.0"})  # noqa: S104 - a name, not an address to listen at
_HUGGING_FACE = ("https://huggingface.co", "https://*.huggingface.co", "https://hf.co")
_HOST = re.compile(r"[a-z0-9._-]+(:\d+)?|\[[0-9a-f:.]+\](:\d+)?")


@dataclass(frozen=True)
class Origins:
    """Names are as in the header Host, with or without the port.

    Attributes:
        hosts: names the server answers to; empty for any.
        friends: hosts whose pages may use this server as its own do.
    """

    hosts: frozenset[str] = frozenset()
    friends: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls) -> "Origins":
        """`MATTING_HOSTS` lists trusted names. Without it, a server for this machine alone answers to no name but its own: a
        site whose name is made to lead here would otherwise pass for us.
        """
        trusted = frozenset(name.strip().lower() for name in os.environ.get("MATTING_HOSTS", "").split(",") if name.strip())
        on_space = "SPACE_ID" in os.environ
        listens_at = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
        local = not on_space and listens_at in _LOCAL_NAMES - {"0.0.0.0"}  # noqa: S104
        hosts = trusted | _LOCAL_NAMES if trusted or local else frozenset()
        return cls(hosts, trusted | ({"huggingface.co"} if on_space else frozenset()))

    def answers_to(self, host: str) -> bool:
        """Whether a request with this Host is meant for us."""
        return _HOST.fullmatch(host.lower()) is not None and (not self.hosts or _listed(host, self.hosts))

    def forwards(self, forwarded: str, host: str) -> bool:
        """Whether a proxy's word about the name that the visitor used can be believed."""
        return forwarded.lower() == host.lower() or _listed(forwarded, self.friends | _space_host())

    def allows(self, origin: str, host: str) -> bool:
        """Whether pages of this origin may send requests and read answers."""
        try:
            name = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return bool(name) and (name == host.lower() or _listed(name, self.friends))

    @property
    def policy(self) -> str:
        """Content-Security-Policy: who may show the page in a frame."""
        return "frame-ancestors " + " ".join(["'self'", *_HUGGING_FACE, *sorted(self.friends - {"huggingface.co"})])


def _listed(host: str, names: frozenset[str]) -> bool:
    host = host.lower()
    return host in names or re.sub(r":\d+$", "", host) in names


def _space_host() -> frozenset[str]:
    return frozenset({os.environ["SPACE_HOST"].lower()} if "SPACE_HOST" in os.environ else ())
