"""Tests talk to this machine only."""

import ipaddress
import socket
from typing import Any

_LOCAL_NAMES = {"localhost", "", None}


class OutsideAddress(OSError):
    """A test tried to reach another machine."""


def _is_local(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


class LocalSocket(socket.socket):
    """A socket that connects to loopback addresses and socket files, and to nothing else."""

    def connect(self, address: Any, /) -> None:
        """As the parent's, after a look at the address."""
        self._refuse_outside(address)
        super().connect(address)

    def connect_ex(self, address: Any, /) -> int:
        """As the parent's, after a look at the address."""
        self._refuse_outside(address)
        return super().connect_ex(address)

    def _refuse_outside(self, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            raise OutsideAddress(f"tests talk to loopback only, not to {address[0]}")


_resolve = socket.getaddrinfo


def _resolve_local(host: Any, *args: Any, **kwargs: Any) -> Any:
    if not _is_local(host):
        raise OutsideAddress(f"tests talk to loopback only, not to {host}")
    return _resolve(host, *args, **kwargs)


def stay_on_this_machine() -> None:
    """From here on, no socket of this process leaves the machine."""
    socket.socket = LocalSocket  # type: ignore[misc]
    socket.getaddrinfo = _resolve_local
