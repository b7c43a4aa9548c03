"""People of the company, as its provider knows them, with what they may do here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridsvc.config import Settings
from gridsvc.errors import InvalidInput
from gridsvc.identity import CALLBACK, Known
from gridsvc.openid.login import Client, SignIn
from gridsvc.openid.provider import Provider, require_secure
from gridsvc.openid.tokens import ClaimNames, Person, Verifier
from gridsvc.principal import ROLES, Principal
from gridsvc.secret_file import read_secret

__all__ = ["Company", "company_of"]


@dataclass(frozen=True, slots=True)
class Company:
    """What the provider is asked for.

    Attributes
    ----------
    issuer : str
    sign_in : SignIn or None
        Signs people in on the page.
    bearers : Verifier or None
        Checks tokens which programs show.
    roles : mapping
        Role of the provider -> role here; empty where both are called the same.
    hours : int
        How long somebody who signed in stays known.
    """

    issuer: str
    sign_in: SignIn | None
    bearers: Verifier | None
    roles: Mapping[str, str]
    hours: int

    def principal(self, person: Person) -> Principal:
        """Who that is here; roles nobody has named here give nothing."""
        ours = {self.roles.get(role) if self.roles else role for role in person.roles}
        scopes = frozenset(scope for role in ours & ROLES.keys() for scope in ROLES[str(role)])
        return Principal(f"user:{person.name}", scopes, person.branches)

    def authenticate(self, token: str) -> Known | None:
        """As `gridsvc.identity.Authenticator`, for tokens which programs show.

        Raises
        ------
        Unauthenticated
            It is one, and is not good; the message says why.
        OutOfService
            The provider's keys cannot be had.
        """
        if self.bearers is None or token.count(".") != 2:
            return None
        person = self.bearers.verify(token)
        return Known(self.principal(person), person.expires)


def company_of(settings: Settings) -> Company | None:
    """The company behind the settings, or None where none is named.

    Raises
    ------
    InvalidInput
        A setting is wrong or missing; the message names it.
    """
    if not settings.oidc_issuer:
        return None
    if settings.access == "open":
        raise InvalidInput("people sign in, and nobody has to", field="GRIDSVC_ACCESS", cure="set it to keys")
    provider = Provider(settings.oidc_issuer)
    names = ClaimNames(
        settings.oidc_name_claim,
        settings.oidc_roles_claim,
        settings.oidc_branches_claim,
        settings.oidc_without_branches,
    )
    bearers = Verifier(provider, settings.oidc_audience, names) if settings.oidc_audience else None
    sign_in = _sign_in(settings, provider, names) if settings.oidc_client_id else None
    if sign_in is None and bearers is None:
        raise InvalidInput(
            "a provider, and nothing it is asked for",
            field="GRIDSVC_OIDC_CLIENT_ID",
            cure="name the page's client, or GRIDSVC_OIDC_AUDIENCE for tokens of programs",
        )
    return Company(provider.issuer, sign_in, bearers, _roles(settings.oidc_roles), settings.session_hours)


def _sign_in(settings: Settings, provider: Provider, names: ClaimNames) -> SignIn:
    callback = require_secure(settings.public_url, "GRIDSVC_PUBLIC_URL").rstrip("/") + CALLBACK
    client = Client(settings.oidc_client_id, _secret(settings.oidc_client_secret_file), callback)
    return SignIn(provider, client, Verifier(provider, client.id, names))


def _secret(file: str) -> str:
    return read_secret(file, "GRIDSVC_OIDC_CLIENT_SECRET_FILE", "the secret") if file else ""


def _roles(text: str) -> dict[str, str]:
    sides = [part.rpartition("=") for part in text.split(",") if part.strip()]
    pairs = {theirs.strip(): ours.strip() for theirs, _, ours in sides}
    for theirs, ours in pairs.items():
        if not theirs or ours not in ROLES:
            raise InvalidInput(
                f"{ours[:40]!r} is no role here" if theirs else "not pairs of roles",
                field="GRIDSVC_OIDC_ROLES",
                cure=f"write the provider's role = one of {', '.join(ROLES)}, with commas between pairs",
            )
    return pairs
