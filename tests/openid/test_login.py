"""Signing in at the provider: who comes back is whom this browser sent, or nobody."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gridsvc.errors import OutOfService, Unauthenticated
from gridsvc.openid.login import Attempt, Client, SignIn
from gridsvc.openid.provider import Provider
from gridsvc.openid.tokens import ClaimNames, Verifier
from tests.openid.company import OpenId

CALLBACK = "http://127.0.0.1:8000/v1/session/callback"


def sign_in(company: OpenId, secret: str = "") -> SignIn:
    company.client = ("gridsvc-page", secret)
    provider = Provider(company.issuer)
    client = Client("gridsvc-page", secret, CALLBACK)
    return SignIn(provider, client, Verifier(provider, client.id, ClaimNames()))


@pytest.mark.parametrize("secret", ["", "s3cret:with/signs and 空"])
def test_who_signs_in_comes_back(company: OpenId, secret: str) -> None:
    flow = sign_in(company, secret)
    address, kept = flow.begin()
    person = flow.finish(kept, company.consent(address, sub="mei", roles=["planner"]))
    assert (person.name, person.roles) == ("mei", {"planner"})


def test_the_browser_is_sent_with_all_that_binds_the_answer_to_it(company: OpenId) -> None:
    address, kept = sign_in(company).begin()
    attempt = Attempt.unpack(kept)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == CALLBACK
    assert (asked["state"], asked["nonce"]) == (attempt.state, attempt.nonce)
    assert asked["code_challenge_method"] == "S256"
    assert attempt.verifier not in asked.values()


def test_a_code_counts_once(company: OpenId) -> None:
    flow = sign_in(company)
    address, kept = flow.begin()
    answer = company.consent(address)
    flow.finish(kept, answer)
    with pytest.raises(Unauthenticated, match="refused"):
        flow.finish(kept, answer)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": "of somebody else"}, "not begun in this browser"),
        ({"state": ""}, "not begun in this browser"),
        ({"state": "é"}, "not begun in this browser"),
        ({"iss": "https://elsewhere.example.com"}, "another provider"),
        ({"code": ""}, "refused"),
        ({"code": "guessed"}, "refused"),
    ],
)
def test_an_answer_to_something_else_is_refused(company: OpenId, changed: dict[str, str], why: str) -> None:
    flow = sign_in(company)
    address, kept = flow.begin()
    answer = company.consent(address) | changed
    with pytest.raises(Unauthenticated, match=why):
        flow.finish(kept, answer)


def test_a_code_of_another_browser_is_refused(company: OpenId) -> None:
    flow = sign_in(company)
    (_, mine), (theirs, _) = flow.begin(), flow.begin()
    stolen = company.consent(theirs) | {"state": Attempt.unpack(mine).state}
    with pytest.raises(Unauthenticated, match="refused"):
        flow.finish(mine, stolen)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, "token of another one"),
        ({"nonce": None}, "token of another one"),
        ({"aud": "billing"}, "claim aud"),
        ({"aud": ["gridsvc-page", "billing"], "azp": "billing"}, "another service"),
        ({"exp": 1}, "expired"),
    ],
)
def test_a_token_of_another_signing_in_is_refused(company: OpenId, claims: dict[str, Any], why: str) -> None:
    flow = sign_in(company)
    address, kept = flow.begin()
    answer = company.consent(address, **claims)
    with pytest.raises(Unauthenticated, match=why):
        flow.finish(kept, answer)


@pytest.mark.parametrize("packed", ["", "a", "a.b", "a.b.", "a.b.c.d"])
def test_a_cookie_which_is_no_attempt_is_refused(packed: str) -> None:
    with pytest.raises(Unauthenticated, match="not begun"):
        Attempt.unpack(packed)


def test_a_provider_away_is_out_of_service(company: OpenId) -> None:
    flow = sign_in(company)
    address, kept = flow.begin()
    answer = company.consent(address)
    company.away = True
    with pytest.raises(OutOfService):
        flow.finish(kept, answer)
    with pytest.raises(OutOfService):
        sign_in(company).begin()
