"""People of the company: they sign in at its provider, and programs show its tokens."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.door import COOKIE
from gridsvc.config import Settings
from gridsvc.errors import InvalidInput
from gridsvc.openid.company import company_of
from gridsvc.principal import ROLES, SYSTEM
from gridsvc.store import Database
from tests.api.strip import SQUARE
from tests.conftest import DIALECTS
from tests.databases import copy_postgis
from tests.openid.company import AUDIENCE, OpenId, openid

PAGE = "https://grids.example.com"
TOWN = {"id": "one", "name": "one", "time_zone": "Asia/Shanghai", "boundary": SQUARE}


@pytest.fixture(scope="module")
def company() -> Iterator[OpenId]:
    with openid() as provider:
        yield provider


@pytest.fixture(scope="module", params=DIALECTS)
def settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, company: OpenId
) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("people")
    if request.param == "postgis":
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "api.db")
        urls = iter([f"sqlite:///{folder / 'api.db'}"])
    for url in urls:
        yield Settings(
            data_dir=folder,
            database_url=url,
            access="keys",
            public_url=PAGE,
            oidc_issuer=company.issuer,
            oidc_client_id=company.client[0],
            oidc_audience=AUDIENCE,
            oidc_roles="sales-planning=planner, sales-board = approver",
        )


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with running(settings) as found:
        yield found


@contextmanager
def running(settings: Settings) -> Iterator[TestClient]:
    with TestClient(
        create_app(settings), base_url=PAGE, raise_server_exceptions=False, follow_redirects=False
    ) as client:
        yield client


@pytest.fixture(autouse=True)
def no_cookies(client: TestClient) -> None:
    client.cookies.clear()


def sign_in(client: TestClient, company: OpenId, **claims: Any) -> Any:
    begun = client.get("/v1/session/begin")
    assert begun.status_code == 303
    return client.get("/v1/session/callback", params=company.consent(begun.headers["Location"], **claims))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestPeople:
    """With a browser."""

    def test_the_page_is_told_where_people_sign_in(self, client: TestClient, company: OpenId) -> None:
        assert client.get("/v1/session").json() == {"access": "keys", "provider": company.issuer}

    def test_who_signs_in_is_known_by_name_and_role(self, client: TestClient, company: OpenId) -> None:
        back = sign_in(client, company, sub="mei", roles=["sales-planning", "canteen"])
        assert (back.status_code, back.headers["Location"]) == (303, "/")
        me = client.get("/v1/me").json()
        assert (me["actor"], set(me["scopes"])) == ("user:mei", ROLES["planner"])

    def test_no_script_reads_what_a_browser_keeps(self, client: TestClient, company: OpenId) -> None:
        for cookie in sign_in(client, company, sub="mei").headers.get_list("set-cookie"):
            assert {"httponly", "secure"} <= {part.strip().lower() for part in cookie.split(";")}

    def test_what_they_change_is_theirs(self, client: TestClient, company: OpenId) -> None:
        sign_in(client, company, sub="mei", roles=["sales-planning"])
        made = client.post("/v1/territories", json=TOWN, headers={"Origin": PAGE})
        assert made.status_code == 201, made.text
        assert made.headers["X-Request-Id"]
        sign_in(client, company, sub="li", roles=["sales-board"])
        assert (
            client.post("/v1/territories", json=TOWN | {"id": "two"}, headers={"Origin": PAGE}).status_code
            == 403
        )

    def test_who_has_no_role_here_may_do_nothing(self, client: TestClient, company: OpenId) -> None:
        sign_in(client, company, sub="guest", roles=["canteen", "administrator"])
        assert client.get("/v1/me").json()["scopes"] == []
        assert client.get("/v1/territories").status_code == 403

    def test_a_page_from_elsewhere_changes_nothing(self, client: TestClient, company: OpenId) -> None:
        sign_in(client, company, sub="mei", roles=["sales-planning"])
        for headers in ({"Origin": "https://evil.example.com"}, {}):
            answer = client.post("/v1/territories", json=TOWN | {"id": "evil"}, headers=headers)
            assert answer.status_code == 403

    def test_signing_out_ends_the_session_everywhere(self, client: TestClient, company: OpenId) -> None:
        sign_in(client, company, sub="mei")
        kept = client.cookies[COOKIE]
        assert client.get("/v1/me").status_code == 200
        assert client.delete("/v1/session", headers={"Origin": PAGE}).status_code == 204
        end = time.monotonic() + 20
        while client.get("/v1/me", headers=bearer(kept)).status_code != 401:
            assert time.monotonic() < end, "the session is good after its end"
            time.sleep(0.05)

    def test_an_answer_to_nothing_asked_is_refused(self, client: TestClient, company: OpenId) -> None:
        begun = client.get("/v1/session/begin").headers["Location"]
        answer = company.consent(begun, sub="mei")
        client.cookies.clear()  # another browser
        refused = client.get("/v1/session/callback", params=answer)
        assert refused.status_code == 401
        assert COOKIE not in client.cookies

    def test_sessions_are_no_keys_to_be_listed(
        self, client: TestClient, company: OpenId, settings: Settings
    ) -> None:
        sign_in(client, company, sub="root", roles=["sales-planning"])
        database = Database.open(settings.url)
        with database.read(SYSTEM) as reader:
            assert reader.keys.list() == []
            assert "root" in {record.person for record in reader.keys.good(datetime.now(UTC))}
        database.close()


class TestPrograms:
    """With the provider's tokens."""

    def test_a_token_made_out_to_the_service_counts(self, client: TestClient, company: OpenId) -> None:
        token = company.token(sub="crm", roles=["sales-board"])
        assert client.get("/v1/me", headers=bearer(token)).json()["actor"] == "user:crm"

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"exp": 1}, "expired"),
            ({"aud": "billing"}, "aud"),
            ({"iss": "https://elsewhere.example.com"}, "iss"),
        ],
    )
    def test_one_which_is_not_good_says_why(
        self, client: TestClient, company: OpenId, changed: dict[str, Any], why: str
    ) -> None:
        token = company.token(**changed)
        answer = client.get("/v1/plans", headers=bearer(token))
        assert answer.status_code == 401
        assert why in answer.json()["detail"]
        assert token not in answer.text

    def test_what_signs_people_in_is_no_token_for_programs(self, client: TestClient, company: OpenId) -> None:
        assert client.get("/v1/me", headers=bearer(company.token(aud=company.client[0]))).status_code == 401


def test_a_provider_away_is_said_and_keys_go_on(settings: Settings) -> None:
    with openid() as other:
        away = settings.model_copy(update={"oidc_issuer": other.issuer})
        other.away = True
        with running(away) as client:
            answer = client.get("/v1/session/begin")
            assert (answer.status_code, answer.json()["reason"]) == (503, "identity provider")
            assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"access": "open"}, "GRIDSVC_ACCESS"),
        ({"oidc_issuer": "http://login.example.com"}, "GRIDSVC_OIDC_ISSUER"),
        ({"public_url": ""}, "GRIDSVC_PUBLIC_URL"),
        ({"public_url": "http://grids.example.com"}, "GRIDSVC_PUBLIC_URL"),
        ({"oidc_client_id": "", "oidc_audience": ""}, "GRIDSVC_OIDC_CLIENT_ID"),
        ({"oidc_client_secret_file": "/nowhere/secret"}, "GRIDSVC_OIDC_CLIENT_SECRET_FILE"),
        ({"oidc_roles": "sales"}, "GRIDSVC_OIDC_ROLES"),
        ({"oidc_roles": "sales=king"}, "GRIDSVC_OIDC_ROLES"),
    ],
)
def test_a_wrong_setting_is_named(settings: Settings, changed: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        company_of(settings.model_copy(update=changed))
    assert raised.value.field == field


def test_a_secret_is_read_from_its_file(settings: Settings, tmp_path: Path, company: OpenId) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    company.client = (company.client[0], "s3cret")
    try:
        with running(settings.model_copy(update={"oidc_client_secret_file": str(file)})) as client:
            assert sign_in(client, company, sub="mei").status_code == 303
    finally:
        company.client = (company.client[0], "")
