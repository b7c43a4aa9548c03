"""Which URLs may be sent to: what the administrator lists, however an address is written or a name leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.exchange.receivers import Receivers, Target

LIST = "hooks.example.com, http://crm.internal:8080, 10.0.0.0/8, fd12:3456::/32, billing.example.com:8443"
PUBLIC = "93.184.216.34"


def leads_to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


def nowhere(_host: str, _port: int) -> Sequence[str]:
    raise OSError("no such name")


def sent_to(url: str, *addresses: str, allow: str = LIST) -> list[str]:
    """Where a message would go: the URL is checked as when it is given, and as when something is sent."""
    receivers, resolved = Receivers.parse(allow), leads_to(*addresses) if addresses else nowhere
    return receivers.addresses(receivers.check(url, resolved), resolved)


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://hooks.example.com/a?b=c", [PUBLIC]),
        ("https://HOOKS.example.com./a", [PUBLIC]),
        ("https://hooks.example.com:443/", [PUBLIC, "2606:2800:220:1::1"]),
        ("https://billing.example.com:8443/", [PUBLIC]),
        ("http://crm.internal:8080/", ["10.1.2.3"]),
        ("https://anything.internal/", ["10.1.2.3"]),
        ("https://anything.internal:9999/", ["fd12:3456::7"]),
        ("https://10.1.2.3/", ["10.1.2.3"]),
        ("https://[fd12:3456::7]/", ["fd12:3456::7"]),
        ("https://[::ffff:10.1.2.3]/", ["::ffff:a01:203"]),
        ("https://mapped.internal/", ["::ffff:10.1.2.3"]),
        ("https://behind-nat64.example/", ["64:ff9b::10.1.2.3"]),
    ],
)
def test_what_is_listed_is_sent_to(url: str, addresses: list[str]) -> None:
    assert sent_to(url, *addresses) == addresses


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "2001:0:53aa:64c::1",
    ],
)
@pytest.mark.parametrize("allow", [LIST, "hooks.example.com, 0.0.0.0/0, ::/0"])
def test_some_addresses_are_never_sent_to_whatever_is_listed(address: str, allow: str) -> None:
    with pytest.raises(InvalidInput, match="never sent to"):
        sent_to("https://hooks.example.com/", address, allow=allow)
    with pytest.raises(InvalidInput, match="never sent to"):  # one bad address spoils the good ones
        sent_to("https://hooks.example.com/", PUBLIC, address, allow=allow)
    if "%" not in address:
        with pytest.raises(InvalidInput, match="never sent to"):
            sent_to(f"https://[{address}]/" if ":" in address else f"https://{address}/", allow=allow)


def test_not_even_an_address_which_is_listed_itself() -> None:
    for listed in ("169.254.169.254", "http://169.254.169.254", "[fd00:ec2::254]"):
        url = listed if "://" in listed else f"https://{listed}"
        with pytest.raises(InvalidInput, match="never sent to"):
            sent_to(url, allow=listed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "fc00::1",
        "::ffff:127.0.0.1",
    ],
)
def test_a_listed_name_which_leads_to_a_private_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="private address"):
        sent_to("https://hooks.example.com/", address)


@pytest.mark.parametrize(
    "host",
    [
        "2851995390",  # 169.254.169.254
        "0xa9fea9fe",
        "0xa9.0xfe.0xa9.0xfe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.16689662",
        "127.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "10.1",
        "10.1.2.3.",
        "1.2.3.4.5",
        "10.1.2.256",
        "010.001.002.003",
        "１２７.0.0.1",
        "localhost%00.example.com",
        "a b.example.com",
        "[::1",
        "[fe80::1%25eth0]",
        "",
        "-a.example.com",
        "x" * 64 + ".example.com",
    ],
)
def test_what_only_some_systems_read_as_an_address_is_no_host(host: str) -> None:
    if host == "10.1.2.3.":  # one full stop at the end is a name's usual form, and is taken away
        assert sent_to(f"https://{host}/") == ["10.1.2.3"]
        return
    with pytest.raises(InvalidInput):
        sent_to(f"https://{host}/", "10.1.2.3", allow="0.0.0.0/0, ::/0")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.com/", "not on the list"),
        ("https://hooks.example.com.evil.org/", "not on the list"),
        ("https://evilhooks.example.com/", "not on the list"),
        ("https://hooks.example.com:8443/", "not on the list"),
        ("http://hooks.example.com/", "not on the list"),
        ("http://crm.internal/", "not on the list"),
        ("https://hooks.example.com@evil.org/", "neither user"),
        ("https://evil.org#@hooks.example.com/", "neither user"),
        ("https://evil.org\\@hooks.example.com/", "no plain URL"),
        ("https://hooks.example.com/\r\nHost: evil.org", "no plain URL"),
        ("https://hooks.example.com/ a", "no plain URL"),
        ("https://hooks.example.com/é", "no plain URL"),
        ("https://hooks.example.com:0x1bb/", "no URL"),
        ("https://hooks.example.com:99999/", "no URL"),
        ("ftp://hooks.example.com/", "no https URL"),
        ("file:///etc/passwd", "no https URL"),
        ("hooks.example.com", "no https URL"),
        ("", "no https URL"),
        ("https://hooks.example.com/" + "a" * 2000, "no plain URL"),
    ],
)
def test_other_urls_are_refused_with_a_cure(url: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        sent_to(url, PUBLIC)
    assert (refused.value.field, bool(refused.value.cure)) == ("url", True)


def test_a_listed_network_does_without_names_but_not_without_https() -> None:
    with pytest.raises(InvalidInput, match="by https"):
        sent_to("http://anything.internal/", "10.1.2.3")


def test_an_unlisted_name_which_leads_nowhere_is_refused_and_a_listed_one_may_come_to_be() -> None:
    receivers = Receivers.parse(LIST)
    with pytest.raises(InvalidInput, match="not on the list"):
        receivers.check("https://unknown.example/", nowhere)
    target = receivers.check("https://hooks.example.com/", nowhere)
    with pytest.raises(OSError, match="no such name"):
        receivers.addresses(target, nowhere)


def test_a_name_is_checked_again_each_time_it_is_sent_to() -> None:
    receivers = Receivers.parse(LIST)
    target = receivers.check("https://crm.internal.example/", leads_to("10.1.2.3"))
    with pytest.raises(InvalidInput, match="never sent to"):
        receivers.addresses(target, leads_to("169.254.169.254"))
    with pytest.raises(InvalidInput, match="not on the list"):
        receivers.addresses(target, leads_to("127.0.0.1"))


def test_loopback_only_where_it_is_listed() -> None:
    assert sent_to("http://localhost:9000/", "127.0.0.1", "::1", allow="http://localhost:9000")
    assert sent_to("http://127.0.0.1:9000/", allow="http://127.0.0.1:9000") == ["127.0.0.1"]
    assert sent_to("https://[::1]/", allow="::1") == ["::1"]
    assert sent_to("https://any.name/", "127.0.0.1", allow="127.0.0.0/8") == ["127.0.0.1"]
    with pytest.raises(InvalidInput):
        sent_to("http://localhost:9000/", "10.0.0.1", allow="http://localhost:9000")
    with pytest.raises(InvalidInput):
        sent_to("http://localhost:9001/", "127.0.0.1", allow="http://localhost:9000")


@pytest.mark.parametrize("allow", ["", " , ,"])
def test_without_a_list_nobody_is_sent_to(allow: str) -> None:
    for url in ("https://hooks.example.com/", "https://10.1.2.3/", f"https://{PUBLIC}/"):
        with pytest.raises(InvalidInput, match="not on the list") as refused:
            sent_to(url, PUBLIC, allow=allow)
        assert "GRIDSVC_WEBHOOK_ALLOW" in (refused.value.cure or "")


@pytest.mark.parametrize(
    "entry",
    ["10.0.0.1/8", "10.0.0.0/33", "a b", "hooks.example.com/path", "ftp://a", "2130706433", "*.example.com"],
)
def test_a_list_with_what_is_neither_host_nor_network_is_refused(entry: str) -> None:
    with pytest.raises(InvalidInput, match="neither a host nor a network") as refused:
        Receivers.parse(f"hooks.example.com, {entry}")
    assert refused.value.field == "GRIDSVC_WEBHOOK_ALLOW"


@given(st.text(max_size=40), st.ip_addresses())
def test_no_text_leads_anywhere_which_is_not_listed(text: str, address: object) -> None:
    receivers = Receivers.parse("hooks.example.com")
    for url in (text, f"https://{text}", f"https://{text}/", f"https://hooks.example.com{text}"):
        try:
            target = receivers.check(url, leads_to(str(address)))
        except InvalidInput:
            continue
        assert (target.scheme, target.host, target.port) == ("https", "hooks.example.com", 443)


def test_the_header_host_is_the_name_with_its_port() -> None:
    assert Target("https", "a.example", 443, "/").authority == "a.example"
    assert Target("http", "a.example", 443, "/").authority == "a.example:443"
    assert Target("https", "fd12::7", 8443, "/").authority == "[fd12::7]:8443"
