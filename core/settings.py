"""The settings of an installation, read once from ``GROUPER_*`` variables."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import stat
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.user_errors import UserError

PREFIX = "GROUPER_"
PROJECT = Path(__file__).resolve().parents[1]
"""The folder that holds the packages, prefect.yaml and the flows."""
SYSTEM_HOME = Path("/var/lib/grouper")


def open_to_others(folder: Path) -> bool:
    """Whether users other than the owner may walk through ``folder`` and all above it."""
    present = [place for place in (folder, *folder.parents) if place.exists()]
    return all(place.stat().st_mode & stat.S_IXOTH for place in present)


def default_home() -> Path:
    """``.grouper`` in the project; for root, a folder that the database's own user can reach."""
    home = PROJECT / ".grouper"
    if os.geteuid() == 0 and not open_to_others(home.parent):
        return SYSTEM_HOME
    return home


class Settings(BaseSettings):
    """The settings of one installation; each is the variable ``GROUPER_`` + its name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home)
    host: str = "127.0.0.1"
    portal_port: int = Field(default=8501, ge=1, le=65535)
    public_url: str | None = None  # how browsers reach the portal; None: host and port

    database_url: str | None = None  # None: the embedded database of the home
    prefect_database_url: str | None = None  # None: `prefect` on the same database server
    prefect_host: str = "127.0.0.1"  # the address that Prefect's server listens on
    prefect_port: int = Field(default=4200, ge=1, le=65535)
    prefect_public_url: str | None = None  # how operators reach its pages; None: host and port
    prefect_password: SecretStr | None = None  # None: made once, stored in the home
    prefect_api_url: str | None = None  # None: the server that `grouper up` starts
    hook_url: str | None = None  # how Prefect's server reaches the portal; None: host and port
    hook_key: SecretStr | None = (
        None  # signs the calls of Prefect's server; None: stored, or derived
    )

    files_url: str | None = None  # None: a folder of the home; or s3://bucket/prefix
    s3_endpoint: str | None = None
    s3_key: str | None = None
    s3_secret: SecretStr | None = None
    s3_region: str = "eu-west-2"

    secret_key: SecretStr | None = None  # None: made once, kept in the home
    oidc_metadata_url: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    link_seconds: int = Field(default=900, ge=1)
    session_hours: float = Field(default=12, gt=0)  # how long a sign-in lasts, however busy
    session_idle_minutes: float = Field(default=60, gt=0)  # how long it lasts with nobody there

    app_database_url: str | None = None  # the portal's own role; None: made beside the owner
    kpi_database_url: str | None = None  # the role that calculates KPIs; None: the same
    database_roles_key: SecretStr | None = None  # passwords of our roles; None: stored, or derived

    vat_percent: Decimal = Field(default=Decimal(20), ge=0, le=100)
    invoice_from: str = "Grouper"  # who sends invoices: name and address, lines parted by |
    invoice_vat_number: str | None = None
    invoice_bank: str | None = None  # where to pay, lines parted by |
    invoice_account_code: str = "200"  # the sales account in the accounting package

    smtp_host: str | None = None  # None: no e-mail is sent
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str = "Grouper <grouper@localhost>"
    webhook_networks: str | None = None  # not public, and still open to webhooks

    area_source: str = "statistics"  # the source of areas that the spider crawls
    area_sources: Path | None = None  # a file that describes sources; None: the shipped one
    spider_requests: int = Field(default=8, ge=1)  # at once
    spider_per_second: float = Field(default=10, gt=0)
    spider_timeout: float = Field(default=30, gt=0)  # seconds until an answer must have come
    spider_attempts: int = Field(default=5, ge=1)
    spider_longest_wait: float = Field(default=300, ge=0)  # the longest Retry-After that is obeyed
    spider_contact: str | None = None  # whom a source may write to; None: the portal's address

    legacy_url: str | None = None  # where the old service is; None: there is nothing to migrate
    legacy_user: str | None = None
    legacy_password: SecretStr | None = None
    legacy_header: SecretStr | None = None  # its security header, as Name: value
    legacy_page: int = Field(default=1000, ge=1, le=1000)  # rows a page
    legacy_requests: int = Field(default=4, ge=1)  # at once
    legacy_timeout: float = Field(default=30, gt=0)  # seconds until an answer must have come
    legacy_attempts: int = Field(default=6, ge=1)
    legacy_pause: float = Field(default=0.5, gt=0)  # seconds before the second attempt

    chunk_rows: int = Field(default=50_000, ge=1)
    task_threads: int = Field(default=4, ge=1)  # chunk tasks at once within a run
    check_bytes: int = Field(default=4 << 30, ge=256 << 20)  # memory that a check may take
    check_seconds: float = Field(default=3600, gt=0)  # how long it may take
    check_findings: int = Field(default=10_000_000, ge=1)  # of one file, before it is refused
    upload_bytes: int = Field(default=2 << 30, ge=1)  # of one file
    waiting_files: int = Field(default=100, ge=1)  # of a provider, that wait to be checked
    waiting_bytes: int = Field(default=10 << 30, ge=1)  # the same, all together
    open_reports: int = Field(default=20, ge=1)  # of a person, that are being made
    open_trials: int = Field(default=5, ge=1)  # of a person, of indicators
    links_per_minute: int = Field(default=60, ge=1)  # of a person, that are opened
    sign_ins_per_minute: int = Field(default=120, ge=1)  # of one address
    workers: int = Field(default=1, ge=0)
    worker_poll_seconds: int = Field(default=1, ge=1)
    sweep_seconds: float = Field(default=10, gt=0)  # how often orphaned work is looked for
    log_days: int = Field(default=365, ge=1)  # how long posts of log groups are kept
    report_days: int = Field(default=30, ge=1)  # how long finished reports are kept
    kpi_seconds: float = Field(default=30, gt=0)  # how long the query of an indicator may take
    kpi_patients: int = Field(default=10, ge=1, le=100)  # the fewest a trial's figure rests on
    outside_share: float = Field(default=0.05, gt=0, le=1)  # of records, that asks for a reason
    hide_below: int = Field(default=0, ge=0)  # counts hidden in commissioners' summaries; 0: none
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("*", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("webhook_networks")
    @classmethod
    def _are_networks(cls, value: str | None) -> str | None:
        for each in filter(None, map(str.strip, (value or "").split(","))):
            ipaddress.ip_network(each)
        return value

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def portal_url(self) -> str:
        """The address of the portal for browsers, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.portal_port}").rstrip("/")

    @property
    def api_url(self) -> str:
        """The address of Prefect's API."""
        own = f"http://{reachable(self.prefect_host)}:{self.prefect_port}/api"
        return self.prefect_api_url or own

    @property
    def prefect_url(self) -> str:
        """The address of Prefect's own pages, for operators."""
        return (self.prefect_public_url or self.api_url.rstrip("/").removesuffix("/api")).rstrip(
            "/"
        )

    @property
    def prefect_hook(self) -> str:
        """The address at which Prefect's server sends its events to the portal."""
        inside = self.hook_url or f"http://{reachable(self.host)}:{self.portal_port}"
        return f"{inside.rstrip('/')}/hooks/prefect"

    def signing_key(self) -> str:
        """The key behind signed links and sign-ins; made at first use, readable by its owner."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        return kept_secret(self.home / SECRET_KEY)

    def prefect_login(self) -> str | None:
        """``user:password`` of Prefect's API; None for another's server without one."""
        if self.prefect_password is not None:
            return f"{PREFECT_USER}:{self.prefect_password.get_secret_value()}"
        if self.prefect_api_url is not None:
            return None
        return f"{PREFECT_USER}:{kept_secret(self.home / PREFECT_PASSWORD)}"

    def hook_signing_key(self) -> str:
        """The key that signs the calls of Prefect's server."""
        return self._derived_key(self.hook_key, HOOK_KEY)

    def roles_key(self) -> str:
        """The key behind the passwords of the database roles that the owner makes."""
        return self._derived_key(self.database_roles_key, DATABASE_ROLES_KEY)

    def _derived_key(self, setting: SecretStr | None, name: str) -> str:
        """The key of one purpose: as set, as ``grouper secrets`` stored it, or derived from the
        signing key."""
        if setting is not None:
            return setting.get_secret_value()
        path = self.home / name
        if path.exists():
            return path.read_text()
        key = self.signing_key().encode()
        return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()

    def environment(self) -> dict[str, str]:
        """The variables that every process of this installation needs, beside its own ones."""
        return {**self._own(), **self._prefect(), **self._streamlit()}

    def _own(self) -> dict[str, str]:
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            PREFIX + name.upper(): plain_text(value)
            for name, value in values.items()
            if value is not None
        }

    def _prefect(self) -> dict[str, str]:
        login = self.prefect_login()
        return {
            **({} if login is None else {"PREFECT_API_AUTH_STRING": login}),
            **PREFECT_QUIET,
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_API_URL": self.api_url,
            # The server copies its pages at each start; beside the package they would be shared.
            "PREFECT_UI_STATIC_DIRECTORY": str(self.home / "prefect" / "ui"),
            "PREFECT_WORKER_QUERY_SECONDS": str(self.worker_poll_seconds),
            "PREFECT_LOGGING_LEVEL": self.log_level,
            "GROUPER_PROJECT": str(PROJECT),  # prefect.yaml names its folder by this
        }

    def _streamlit(self) -> dict[str, str]:
        # Replicas must agree on the key: what one signs, another reads.
        return {**STREAMLIT_QUIET, "STREAMLIT_SERVER_COOKIE_SECRET": self.signing_key()}


SECRET_KEY, PREFECT_PASSWORD = "secret-key", "prefect-password"
HOOK_KEY, DATABASE_ROLES_KEY = "hook-key", "database-roles-key"
"""Files of the home, readable by their owner alone."""
PREFECT_USER = "grouper"
PREFECT_QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # Leases kept in memory are lost with the server, and runs that hold one then crash.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
        "prefect.server.concurrency.lease_storage.filesystem"
    ),
}
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not listened on
STREAMLIT_QUIET = {
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "STREAMLIT_SERVER_HEADLESS": "true",
}


def plain_text(value: object) -> str:
    """A setting as an environment variable holds it."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def reachable(host: str) -> str:
    """A host to connect to, of one to listen on: every address of a machine is its loopback too."""
    if host in EVERY_ADDRESS:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def kept_secret(path: Path) -> str:
    """The secret in ``path``; the first process that reads it makes it (mode 0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # of this thread alone
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        try:
            os.link(fresh, path)  # unlike rename, leaves the secret of a faster process alone
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()


def replace_secret(path: Path) -> None:
    """Replaces the secret in ``path`` in one step: a reader gets either the old or the new."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(32))
    fresh.replace(path)


def settings() -> Settings:
    """The settings of this process, read at the first call."""
    if not _in_use:
        _in_use.append(load_settings())
    return _in_use[0]


def use_settings(chosen: Settings | None) -> None:
    """Makes ``chosen`` the settings of this process; None: the next call reads them again."""
    _in_use[:] = [] if chosen is None else [chosen]


_in_use: list[Settings] = []


def load_settings() -> Settings:
    """Reads the variables now; raises ``UserError`` naming each wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            f"{PREFIX}{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise UserError("wrong setting: " + "; ".join(problems)) from error
