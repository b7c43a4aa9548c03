"""Settings, read once at the edge from the environment (`GRIDSVC_...`) and handed down."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gridsvc.errors import InvalidInput

__all__ = ["Settings"]


class Settings(BaseSettings):
    """Everything an operator may set; `.env.example` lists the same names."""

    model_config = SettingsConfigDict(env_prefix="GRIDSVC_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path("var"), description="Writable folder: embedded database, uploads, publications."
    )
    database_url: str = Field(
        default="", description="SQLAlchemy URL; empty means the embedded database in data_dir."
    )
    published_dir: str = Field(
        default="",
        description="Of current.gpkg; empty: `published` beside the embedded database, else in data_dir.",
    )
    host: str = Field(default="127.0.0.1", description="Address the service listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the service listens on.")
    workers: int = Field(default=1, ge=1, le=64, description="API worker processes.")
    max_upload_mb: int = Field(default=512, ge=1, description="Largest accepted request body, MB.")
    job_slots: int = Field(default=1, ge=1, le=32, description="Jobs run at the same time by one API worker.")
    small_count: int = Field(
        default=5,
        ge=0,
        le=1000,
        description="Numbers of customers below this are kept back from who may not see customers.",
    )
    webhook_allow: str = Field(
        default="", description="Hosts and networks which webhooks may lead to; empty: none."
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
            return cls()
        except ValidationError as error:
            fault = error.errors()[0]
            name = f"GRIDSVC_{str(fault['loc'][0]).upper()}"
            raise InvalidInput(fault["msg"], field=name, cure="see .env.example") from None

    @property
    def url(self) -> str:
        """The database to open."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'gridsvc.db').resolve()}"

    @property
    def published(self) -> Path:
        """Where each publication renews ``current.gpkg``."""
        if self.published_dir:
            return Path(self.published_dir).resolve()
        embedded = self.url.startswith("sqlite:///")
        return (Path(self.url.removeprefix("sqlite:///")).parent if embedded else self.data_dir).resolve() / (
            "published"
        )

    @property
    def mapped(self) -> Path:
        """Where this machine keeps what lookups map: beside an embedded database, else in data_dir."""
        if self.url.startswith("sqlite:///"):
            file = Path(self.url.removeprefix("sqlite:///")).resolve()
            return file.parent / "ownership" / file.name
        return self.data_dir.resolve() / "ownership" / hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def uploads(self) -> Path:
        """Where uploaded files wait for their job."""
        return self.data_dir.resolve() / "uploads"

    @property
    def layers(self) -> Path:
        """Where layers wait which were uploaded to be used later."""
        return self.data_dir.resolve() / "layers"

    @property
    def exports(self) -> Path:
        """Where files written by jobs wait to be fetched."""
        return self.data_dir.resolve() / "exports"
