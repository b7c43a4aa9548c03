"""Settings, read once at the edge from the environment (`GRIDSVC_...`) and handed down."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gridsvc.basemap import BaseMap, Shift, parse
from gridsvc.errors import InvalidInput
from gridsvc.secret_file import read_secret

__all__ = ["Settings"]

_RATE = 1000
"""Requests a second which one caller with a key may send to one worker: a twentieth of a core's lookups."""


def _given(value: object) -> object:
    return None if value == "" else value


class Settings(BaseSettings):
    """Everything an operator may set; `.env.example` lists the same names."""

    model_config = SettingsConfigDict(env_prefix="GRIDSVC_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path("var"), description="Writable folder: embedded database, uploads, publications."
    )
    database_url: str = Field(
        default="", description="SQLAlchemy URL; empty means the embedded database in data_dir."
    )
    database_url_file: str = Field(
        default="", description="File with the URL, so that no password stands in the environment."
    )
    shared_dir: str = Field(
        default="",
        description="Folder of uploads and exports which nodes on one database share; empty: data_dir.",
    )
    published_dir: str = Field(
        default="",
        description="Of current.gpkg; empty: `published` beside the embedded database, else in shared_dir.",
    )
    host: str = Field(default="127.0.0.1", description="Address the service listens on.")
    access: Literal["open", "keys"] = Field(
        default="open", description="open: nobody has to sign in; keys: whoever asks shows a key."
    )
    hosts: str = Field(
        default="",
        description="Names under which an open service is reached, beside localhost and addresses.",
    )
    public_url: str = Field(
        default="", description="Address of the page as people know it; the provider sends them back to it."
    )
    oidc_issuer: str = Field(default="", description="The company's OpenID provider; empty: none.")
    oidc_client_id: str = Field(
        default="", description="The page, as the provider knows it; empty: keys only."
    )
    oidc_client_secret_file: str = Field(
        default="", description="File with the page's secret; empty: PKCE alone, for a public client."
    )
    oidc_audience: str = Field(default="", description="Audience of tokens which programs show; empty: none.")
    oidc_name_claim: str = Field(default="sub", description="Claim with the name the audit writes.")
    oidc_roles_claim: str = Field(default="roles", description="Claim with somebody's roles.")
    oidc_roles: str = Field(default="", description="The provider's roles and ours, such as sales=planner.")
    oidc_branches_claim: str = Field(
        default="", description="Claim with the branches somebody sees; empty: all see all."
    )
    oidc_without_branches: Literal["none", "all"] = Field(
        default="none", description="What those see whose token has no such claim."
    )
    session_hours: int = Field(default=10, ge=1, le=720, description="Hours until people sign in again.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the service listens on.")
    workers: int = Field(default=1, ge=1, le=64, description="API worker processes.")
    max_upload_mb: int = Field(default=512, ge=1, description="Largest accepted file, MB.")
    max_json_mb: int = Field(default=64, ge=1, description="Largest accepted body other than forms, MB.")
    max_connections: int = Field(
        default=1000, ge=1, le=1_000_000, description="Open connections of one API worker."
    )
    rate_limit: Annotated[int | None, BeforeValidator(_given)] = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="Requests a second of one caller to one API worker; 0: any; empty: 1000 with keys.",
    )
    cors_origins: str = Field(
        default="", description="Origins whose pages may ask, with commas between them; empty: none."
    )
    stop_seconds: int = Field(
        default=10, ge=1, le=600, description="Time which requests have to end when the service is stopped."
    )
    job_slots: int = Field(default=1, ge=0, le=32, description="Long jobs run at once by one API worker.")
    job_memory_mb: int = Field(
        default=0,
        ge=0,
        description="Memory one job or export may take, MB; 0: three quarters of what there is.",
    )
    job_cpu_minutes: int = Field(
        default=120, ge=1, le=100_000, description="Processor time one job may take, minutes."
    )
    small_count: int = Field(
        default=5,
        ge=0,
        le=1000,
        description="Numbers of customers below this are kept back from who may not see customers.",
    )
    customer_misses: int = Field(
        default=100,
        ge=0,
        le=1_000_000,
        description="Unknown customers a caller may look up in an hour, for each API worker; 0: no limit.",
    )
    webhook_allow: str = Field(
        default="", description="Hosts and networks which webhooks may lead to; empty: none."
    )
    log_format: Literal["plain", "json"] = Field(
        default="plain", description="Logs as lines for people, or as JSON objects."
    )
    log_requests: Literal["none", "most", "all"] = Field(
        default="most",
        description="Requests which are logged; most: all but probes and lookups from mapped files.",
    )
    base_map: str = Field(
        default="", description="Tiles or a style to draw under the cells on the page; empty: none."
    )
    base_map_crs: Shift = Field(default="wgs84", description="What the tiles are drawn in: wgs84 or gcj02.")
    base_map_credit: str = Field(default="", description="Whose map it is, as its licence wants it said.")
    map_dir: str = Field(
        default="", description="Folder of GeoJSON layers the page draws; empty: `map` in shared_dir."
    )

    @classmethod
    def load(cls) -> Settings:
        """Read the settings.

        Raises
        ------
        InvalidInput
            Names the variable whose value is wrong.
        """
        try:
            found = cls()
        except ValidationError as error:
            fault = error.errors()[0]
            name = f"GRIDSVC_{str(fault['loc'][0]).upper()}"
            raise InvalidInput(fault["msg"], field=name, cure="see .env.example") from None
        assert found.url  # noqa: S101 - a file which cannot be read shows at the start
        parse(found.base_map, found.base_map_crs)  # so does an address which cannot be one
        return found

    def hand_down(self) -> None:
        """Tell child processes, which read no settings, what concerns them."""
        for name in ("log_format", "job_memory_mb", "job_cpu_minutes"):
            os.environ[f"GRIDSVC_{name.upper()}"] = str(getattr(self, name))

    @property
    def rate(self) -> int:
        """Requests a second of one caller to one API worker, or 0; who is let in without a key is trusted."""
        if self.rate_limit is None:
            return _RATE if self.access == "keys" else 0
        return self.rate_limit

    @property
    def url(self) -> str:
        """The database to open."""
        if self.database_url_file and not self.database_url:
            return read_secret(self.database_url_file, "GRIDSVC_DATABASE_URL_FILE", "the database's URL")
        return self.database_url or f"sqlite:///{(self.data_dir / 'gridsvc.db').resolve()}"

    @property
    def shared(self) -> Path:
        """Where files wait which another node may need."""
        return Path(self.shared_dir or self.data_dir).resolve()

    @property
    def published(self) -> Path:
        """Where each publication renews ``current.gpkg``."""
        if self.published_dir:
            return Path(self.published_dir).resolve()
        embedded = self.url.startswith("sqlite:///")
        beside = Path(self.url.removeprefix("sqlite:///")).parent if embedded else self.shared
        return beside.resolve() / "published"

    @property
    def mapped(self) -> Path:
        """Where this machine keeps what lookups map: beside an embedded database, else in data_dir."""
        if self.url.startswith("sqlite:///"):
            file = Path(self.url.removeprefix("sqlite:///")).resolve()
            return file.parent / "ownership" / file.name
        return self.data_dir.resolve() / "ownership" / hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def base(self) -> BaseMap | None:
        """The base map the page may fetch."""
        return parse(self.base_map, self.base_map_crs, self.base_map_credit)

    @property
    def map_layers(self) -> Path:
        """Where the company's own layers of the map lie."""
        return Path(self.map_dir).resolve() if self.map_dir else self.shared / "map"

    @property
    def uploads(self) -> Path:
        """Where uploaded files wait for their job."""
        return self.shared / "uploads"

    @property
    def layers(self) -> Path:
        """Where layers wait which were uploaded to be used later."""
        return self.shared / "layers"

    @property
    def exports(self) -> Path:
        """Where files written by jobs wait to be fetched."""
        return self.shared / "exports"
