"""Put before a program as `sitecustomize`, this refuses every connection to another machine and notes which was tried."""

import os
import sys
from typing import Any

_OWN = ("", "localhost", "0.0.0.0", "::", "::1")


def is_own(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name is None or name in _OWN or str(name).startswith("127.")


def refuse(event: str, arguments: tuple) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not is_own(host):
        with open(os.environ["MATTING_REFUSED"], "a") as file:
            file.write(f"{host}\n")
        raise OSError(f"there is no network: {host}")


if "MATTING_REFUSED" in os.environ:
    sys.addaudithook(refuse)
