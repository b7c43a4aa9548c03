"""Which tokens count: the provider's own, made out to us, now; whatever else they look like, none."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput, OutOfService, Unauthenticated
from gridsvc.openid.provider import Provider
from gridsvc.openid.tokens import ALGORITHMS, LONGEST, ClaimNames, Verifier, person_of
from tests.openid.company import AUDIENCE, OpenId, new_key


class Clock:
    """Seconds a test may turn."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


OFFLINE = OpenId()
OFFLINE.issuer = "https://login.example.com"
OFFLINE_TOKEN = OFFLINE.token(exp=4102444800)


def verifier(company: OpenId, clock: Clock | None = None, **names: Any) -> Verifier:
    known = ClaimNames(**({"branches": "branches"} | names))
    return Verifier(Provider(company.issuer, clock=clock or Clock()), AUDIENCE, known)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def reason(company: OpenId, token: str) -> str:
    with pytest.raises(Unauthenticated) as raised:
        verifier(company).verify(token)
    assert token[:20] not in str(raised.value)
    return raised.value.message


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_the_provider_counts(company: OpenId, algorithm: str) -> None:
    company.rotate(new_key(algorithm, "k"))
    found = verifier(company).verify(
        company.token(algorithm=algorithm, roles=["planner"], branches=["north"])
    )
    assert (found.name, found.roles, found.branches) == ("mei", {"planner"}, {"north"})
    assert time.time() < found.expires <= time.time() + 301


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "application/at+jwt", "AT+JWT", None])
def test_access_tokens_count_under_their_own_type(company: OpenId, typ: str | None) -> None:
    assert verifier(company).verify(company.token(header={"typ": typ})).name == "mei"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"exp": int(time.time()) - 3600}, "has expired"),
        ({"exp": None}, "claim exp"),
        ({"exp": "tomorrow"}, "claim exp"),
        ({"nbf": int(time.time()) + 3600}, "claim nbf"),
        ({"iat": int(time.time()) + 3600}, "claim iat"),
        ({"iss": "https://elsewhere.example.com"}, "claim iss"),
        ({"iss": None}, "claim iss"),
        ({"aud": "billing"}, "claim aud"),
        ({"aud": ["billing", "crm"]}, "claim aud"),
        ({"aud": None}, "claim aud"),
        ({"sub": None}, "claim sub"),
        ({"sub": 7}, "claim sub"),
        ({"sub": ""}, "claim sub"),
        ({"sub": "two\nlines"}, "names nobody"),
        ({"sub": "x" * 201}, "names nobody"),
        ({"roles": {"planner": True}}, "claim roles"),
        ({"roles": ["planner", 7]}, "claim roles"),
        ({"branches": 7}, "claim branches"),
    ],
)
def test_a_signed_token_that_is_not_for_us_now_says_why(
    company: OpenId, changed: dict[str, Any], why: str
) -> None:
    assert why in reason(company, company.token(**changed))


def test_one_of_several_audiences_is_enough(company: OpenId) -> None:
    assert verifier(company).verify(company.token(aud=["crm", AUDIENCE])).name == "mei"


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "secevent+jwt"])
def test_a_token_of_another_purpose_does_not_count(company: OpenId, typ: str) -> None:
    assert "gives access" in reason(company, company.token(header={"typ": typ}))


class TestForged:
    """Tokens that nobody's key signed."""

    def test_without_a_signature(self, company: OpenId) -> None:
        forged = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(company.claims())}."
        assert "not signed" in reason(company, forged)

    @pytest.mark.parametrize("kid", ["first", None])
    def test_by_the_public_key_as_a_secret(self, company: OpenId, kid: str | None) -> None:
        signed = f"{part({'alg': 'HS256'} | ({'kid': kid} if kid else {}))}.{part(company.claims())}"
        digest = hmac.digest(company.keys[0].as_pem(private=False), signed.encode(), "sha256")
        forged = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
        assert "not signed" in reason(company, forged)

    def test_by_another_key_of_the_same_name(self, company: OpenId) -> None:
        assert "not signed" in reason(company, company.token(key=new_key("RS256", "first")))

    def test_by_a_key_it_brings_along(self, company: OpenId) -> None:
        own = new_key("RS256", "first")
        brought = {
            "jwk": own.as_dict(private=False),
            "jku": "http://127.0.0.1:1/keys",
            "x5u": "http://127.0.0.1:1/x",
        }
        assert "not signed" in reason(company, company.token(key=own, header=brought))

    def test_with_claims_changed_after_signing(self, company: OpenId) -> None:
        head, _, signature = company.token().split(".")
        assert "not signed" in reason(company, f"{head}.{part(company.claims(sub='root'))}.{signature}")

    def test_with_a_critical_extension(self, company: OpenId) -> None:
        head = part({"alg": "RS256", "kid": "first", "crit": ["unheard-of"], "unheard-of": 1})
        _, claims, signature = company.token().split(".")
        assert "not signed" in reason(company, f"{head}.{claims}.{signature}")

    @given(text=st.text(max_size=200))
    def test_any_text(self, text: str) -> None:
        nowhere = Provider("https://login.example.com", fetch=lambda _url: {})
        with pytest.raises((Unauthenticated, OutOfService)):
            Verifier(nowhere, AUDIENCE, ClaimNames()).verify(text)

    @given(data=st.data())
    def test_any_token_with_one_character_changed(self, data: st.DataObject) -> None:
        company, token = OFFLINE, OFFLINE_TOKEN
        at = data.draw(st.integers(0, len(token) - 2))  # the last one has bits that say nothing
        other = data.draw(st.sampled_from("ABCxyz019-_.").filter(lambda one: one != token[at]))
        provider = Provider(
            company.issuer, fetch=lambda url: company.answer(url.removeprefix(company.issuer)) or {}
        )
        with pytest.raises(Unauthenticated):
            Verifier(provider, AUDIENCE, ClaimNames()).verify(token[:at] + other + token[at + 1 :])

    def test_endless(self, company: OpenId) -> None:
        assert "longer" in reason(company, "e" * (LONGEST + 1))
        assert company.asked == []


class TestNames:
    """Where providers write what."""

    def test_a_dot_leads_into_a_claim(self, company: OpenId) -> None:
        check = verifier(company, roles="realm_access.roles", name="preferred_username")
        token = company.token(realm_access={"roles": ["approver"]}, preferred_username="王小明")
        found = check.verify(token)
        assert (found.name, found.roles, found.branches) == ("王小明", {"approver"}, frozenset())

    def test_an_address_is_a_name_as_a_whole(self) -> None:
        claims = {"sub": "a", "exp": 1, "https://example.com/roles": "viewer planner"}
        found = person_of(claims, ClaimNames(roles="https://example.com/roles"))
        assert found.roles == {"viewer", "planner"}

    def test_no_roles_is_no_role(self, company: OpenId) -> None:
        assert verifier(company).verify(company.token()).roles == frozenset()

    def test_whoever_names_no_branches_has_none(self, company: OpenId) -> None:
        assert verifier(company).verify(company.token()).branches == frozenset()

    def test_whoever_names_no_branches_has_all_where_that_is_said(self, company: OpenId) -> None:
        check = verifier(company, without_branches="all")
        assert check.verify(company.token()).branches is None
        assert check.verify(company.token(branches=["north/e"])).branches == {"north/e"}
        for nothing in ([], ""):
            assert check.verify(company.token(branches=nothing)).branches == frozenset()

    def test_without_a_claim_for_branches_all_are_meant(self, company: OpenId) -> None:
        assert verifier(company, branches="").verify(company.token(branches=["north"])).branches is None


class TestRotation:
    """Keys that come and go."""

    def test_a_new_key_counts_at_once(self, company: OpenId) -> None:
        clock = Clock()
        check = verifier(company, clock)
        check.verify(company.token())
        clock.now += 11
        company.rotate(company.keys[0], new_key("ES256", "second"))
        assert check.verify(company.token(key=company.keys[1], algorithm="ES256")).name == "mei"

    def test_a_key_taken_back_counts_ten_minutes_at_most(self, company: OpenId) -> None:
        clock = Clock()
        check = verifier(company, clock)
        old = company.token()
        check.verify(old)
        company.rotate(new_key("RS256", "second"))
        clock.now += 601
        with pytest.raises(Unauthenticated):
            check.verify(old)

    def test_unknown_keys_do_not_flood_the_provider(self, company: OpenId) -> None:
        clock = Clock()
        check = verifier(company, clock)
        for number in range(50):
            with pytest.raises(Unauthenticated):
                check.verify(company.token(header={"kid": f"unknown-{number}"}))
            clock.now += 1
        assert company.asked.count("/keys") <= 1 + 50 // 10

    def test_the_last_keys_count_while_the_provider_is_away(self, company: OpenId) -> None:
        clock = Clock()
        check = verifier(company, clock)
        check.verify(company.token())
        company.away = True
        clock.now += 3600
        assert check.verify(company.token()).name == "mei"
        clock.now += 24 * 3600
        with pytest.raises(OutOfService, match="does not answer"):
            check.verify(company.token())
        company.away = False
        clock.now += 11
        assert check.verify(company.token()).name == "mei"

    def test_a_token_without_a_key_name_means_the_only_key(self, company: OpenId) -> None:
        unnamed = company.token(header={"kid": None})
        assert verifier(company).verify(unnamed).name == "mei"
        company.rotate(*company.keys, new_key("RS256", "second"))
        assert "not signed" in reason(company, unnamed)

    def test_keys_for_encryption_sign_nothing(self, company: OpenId) -> None:
        sealing = new_key("RS256", "sealing")
        listed = sealing.as_dict(private=False) | {"use": "enc"}
        provider = Provider(
            company.issuer,
            fetch=lambda url: (
                {"keys": [listed]}
                if url.endswith("/keys")
                else company.answer("/" + url.split("/", 3)[3]) or {}
            ),
        )
        with pytest.raises(Unauthenticated):
            Verifier(provider, AUDIENCE, ClaimNames()).verify(company.token(key=sealing))


class TestAway:
    """A provider that does not answer as it should is out of service, and nobody gets in."""

    def test_silent(self, company: OpenId) -> None:
        company.away = True
        with pytest.raises(OutOfService, match="does not answer"):
            verifier(company).verify(company.token())

    @pytest.mark.parametrize(
        "metadata",
        [
            {"issuer": "https://elsewhere.example.com"},
            {"jwks_uri": "http://elsewhere.example.com/keys"},
            {"jwks_uri": 7},
        ],
    )
    def test_strange(self, company: OpenId, metadata: dict[str, Any]) -> None:
        company.metadata = metadata
        with pytest.raises(OutOfService):
            verifier(company).verify(company.token())

    @pytest.mark.parametrize(
        "keys",
        [
            {},
            {"keys": []},
            {"keys": 7},
            {"keys": [{}]},
            {"keys": [7]},
            {"keys": [{"kty": "oct", "k": "AAAA"}]},
        ],
    )
    def test_without_keys(self, company: OpenId, keys: dict[str, Any]) -> None:
        known = company.answer("/.well-known/openid-configuration") or {}
        provider = Provider(company.issuer, fetch=lambda url: keys if url.endswith("/keys") else known)
        with pytest.raises(OutOfService):
            Verifier(provider, AUDIENCE, ClaimNames()).verify(company.token())


@pytest.mark.parametrize(
    "issuer", ["", "login.example.com", "http://login.example.com", "ftp://127.0.0.1", "https://"]
)
def test_an_issuer_others_could_pretend_to_be_is_refused(issuer: str) -> None:
    with pytest.raises(InvalidInput, match="https"):
        Provider(issuer)
