"""Which hosts may be sent to: those the administrator lists, and never those which only look harmless.

A name is no proof of where it leads. So a URL is checked when it is given, and again each time something is
sent: the name is resolved, each address is checked, and the connection goes to a checked address.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gridsvc.errors import InvalidInput

__all__ = ["Receivers", "Resolve", "Target", "resolve"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Name and port -> addresses as text; raises `OSError` where there are none."""

_NEVER: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "169.254.0.0/16",  # link-local, and metadata of most clouds
            "100.100.100.200/32",  # metadata of Alibaba Cloud
            "192.0.0.192/32",  # metadata of Oracle Cloud
            "224.0.0.0/4",
            "255.255.255.255/32",
            "::/128",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
            "fd00:ec2::254/128",  # metadata of AWS
            "fd20:ce::254/128",  # metadata of Google Cloud
            # Addresses which carry others, on networks that nobody needs any more.
            "2002::/16",
            "2001::/32",
        ),
    )
)
_CARRYING = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_NUMERIC = re.compile(r"(0x[0-9a-f]*|\d+)")
_PORTS = {"https": 443, "http": 80}
_LONGEST = 2000
_CURE = "ask an administrator to list it in GRIDSVC_WEBHOOK_ALLOW"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads.

    Attributes
    ----------
    host : str
        Name in lower case, or address; as certificates and the header Host have it.
    path : str
        With the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a name, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Receivers:
    """The administrator's list.

    Attributes
    ----------
    hosts : frozenset of (scheme, host, port)
    networks : tuple of networks
        Any https URL which leads there is allowed.
    """

    hosts: frozenset[tuple[str, str, int]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Receivers:
        """Read a list such as ``hooks.example.com, http://crm.internal:8080, 10.0.0.0/8``.

        Raises
        ------
        InvalidInput
            Names the entry which is neither host nor network.
        """
        hosts, networks = set(), []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            if "/" in entry and "://" not in entry:
                networks.append(_network(entry))
            else:
                target = _listed(entry)
                hosts.add((target.scheme, target.host, target.port))
        return cls(frozenset(hosts), tuple(networks))

    def check(self, url: str, resolved: Resolve = resolve) -> Target:
        """Where a URL leads, if it may be sent to.

        Raises
        ------
        InvalidInput
            It is no URL of a receiver, or the list does not have it.
        """
        target = _target(url)
        if self._lists(target) and _address(target.host) is None:
            return target  # the name need not be known yet
        try:
            self.addresses(target, resolved)
        except OSError:
            raise _refused(f"the host {target.host} is not on the list of receivers", _CURE) from None
        return target

    def located(self, url: str, resolved: Resolve = resolve) -> tuple[Target, list[str]]:
        """Where a URL leads now, with addresses to connect to; see `addresses`."""
        target = _target(url)
        return target, self.addresses(target, resolved)

    def addresses(self, target: Target, resolved: Resolve = resolve) -> list[str]:
        """Addresses to connect to now, each of them checked.

        Raises
        ------
        OSError
            The name leads nowhere.
        InvalidInput
            It leads to an address which may not be sent to: then none of them is used.
        """
        literal = _address(target.host)
        found = [str(literal)] if literal is not None else list(resolved(target.host, target.port))
        if not found:
            raise OSError("the name has no address")
        for text in found:
            self._require(target, ipaddress.ip_address(text.partition("%")[0]))
        return found

    def _lists(self, target: Target) -> bool:
        return (target.scheme, target.host, target.port) in self.hosts

    def _require(self, target: Target, address: Address) -> None:
        meant = _meant(address)
        if _in(meant, _NEVER):
            raise _refused("the address is one which is never sent to", "give the address of a receiver")
        inside = _in(meant, self.networks)
        if self._lists(target):
            if not (inside or meant.is_global or _itself(target, meant)):
                raise _refused(
                    "the host leads to a private address", "ask an administrator to list its network too"
                )
        elif not inside:
            raise _refused(f"the host {target.host} is not on the list of receivers", _CURE)
        elif target.scheme != "https":
            raise _refused("receivers are sent to by https", "give an https URL, or have http:// listed")


def _in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _itself(target: Target, address: Address) -> bool:
    """Whether the list's entry of the target is the address, and no name which could lead anywhere."""
    return address.is_loopback if target.host == "localhost" else _address(target.host) is not None


def _meant(address: Address) -> Address:
    """The address which is reached in the end: those of version 6 may carry one of version 4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        old = int(address) & 0xFFFFFFFF
        if address in _CARRYING or (address in _COMPATIBLE and old > 1):
            return ipaddress.IPv4Address(old)
    return address


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _target(url: str) -> Target:
    if len(url) > _LONGEST or not url.isascii() or any(c <= " " or c in '\\"<>^`{|}\x7f' for c in url):
        raise _refused(
            "this is no plain URL", f"give at most {_LONGEST} ASCII characters, none of them blank"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("this is no URL", "give one such as https://hooks.example.com/gridsvc") from None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").removesuffix(".")
    if scheme not in _PORTS:
        raise _refused("this is no https URL", "give one such as https://hooks.example.com/gridsvc")
    if "@" in parts.netloc or parts.fragment:
        raise _refused("a URL of a receiver has neither user nor fragment", "leave them out")
    _require_host(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, _PORTS[scheme] if port is None else port, path)


def _require_host(host: str) -> None:
    if _address(host) is not None and "%" not in host:
        return
    # Systems read 2130706433, 0177.0.0.1, 0x7f.1 and 127.1 as addresses too.
    if not _HOST.fullmatch(host) or _NUMERIC.fullmatch(host.rpartition(".")[2]):
        raise _refused("this is no name of a host", "give its name, or its address in the usual form")


def _listed(entry: str) -> Target:
    try:
        bare = _address(entry)
        text = f"[{entry}]" if bare is not None and bare.version == 6 else entry
        target = _target(text if "://" in text else f"https://{text}")
    except InvalidInput:
        raise _bad(entry) from None
    if target.path != "/":
        raise _bad(entry)
    return target


def _network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        raise _bad(entry) from None


def _bad(entry: str) -> InvalidInput:
    return InvalidInput(
        f"{entry!r} is neither a host nor a network",
        field="GRIDSVC_WEBHOOK_ALLOW",
        cure="list hosts and networks such as hooks.example.com, http://crm.internal:8080, 10.0.0.0/8",
    )


def _refused(message: str, cure: str) -> InvalidInput:
    return InvalidInput(message, field="url", cure=cure)
