"""Every setting, in one place: environment variables (`FRONTDESK_...`) over one TOML file over defaults.

This is the only module that reads the environment, and it does so when `load_settings` is called, never at import.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.pools import pool

PREFIX = "FRONTDESK_"
CONFIG_FILE = "frontdesk.toml"
SHORTEST_KEY = 32
KEEP_DAYS = 90.0  # for which a job and its files are kept, unless its kind has its own
TOKENS = frozenset(
    {"discord_token", "telegram_token", "telegram_webhook_secret", "files_key", "database_url", "api_key", "web_key"}
)


def _listed(value: object) -> object:
    """`a, b` as environment variables have it; a TOML list is left as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _by_kind(value: object) -> object:
    """`score=30, *=365` as environment variables have it, or a TOML table; what is not named is as usual."""
    if isinstance(value, str):
        parts = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {name.strip(): days.strip() for name, _, days in parts}
    return {"*": KEEP_DAYS, **value} if isinstance(value, Mapping) else value


def _bare(secret: SecretStr) -> SecretStr:
    if re.search(r"\s", secret.get_secret_value()):
        raise ValueError("has white space or a line break in it; give the token alone")
    if not secret.get_secret_value():
        raise ValueError("is empty; leave it out or give a token")
    return secret


def _long(secret: SecretStr) -> SecretStr:
    if len(_bare(secret).get_secret_value()) < SHORTEST_KEY:
        raise ValueError(f"must have at least {SHORTEST_KEY} signs; `openssl rand -hex 32` makes one")
    return secret


def _parts(url: str) -> SplitResult | None:
    """None where it is no address: the library's own words would quote it, and with it a password."""
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port
        return parts
    return None


def _redis(secret: SecretStr) -> SecretStr:
    pool(secret.get_secret_value())  # only made: nothing is opened
    return secret


def _listen(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not re.fullmatch(r"[0-9A-Za-z.:\[\]-]+", host) or not port.isdecimal() or int(port) > 65_535:
        raise ValueError("must be a host and a port such as 127.0.0.1:8443")
    return address


def _folder(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, but there is no such home folder") from None


def _http(url: str) -> str:
    parts = _parts(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as https://example.org")
    return url.rstrip("/")


def _site(url: str) -> str:
    parts = _parts(_http(url))
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address without a path, such as https://desk.example.org")
    return url.rstrip("/").lower()


def _store(url: str) -> str:
    if re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()-]+)*/?", url):
        return url.rstrip("/")
    if "://" in url:
        raise ValueError("must be a folder, or a bucket such as s3://frontdesk/artifacts")
    return str(_folder(Path(url)))


def _data_dir() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "frontdesk"


def _like(pattern: str, sentence: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


Lane = Annotated[str, _like(r"[a-z][a-z0-9_]{0,31}", "holds lane names such as short,long")]
Admin = Annotated[
    str,
    _like(
        r"(discord|telegram):\d{1,20}|console:[A-Za-z0-9_.-]{1,64}",
        "holds entries such as discord:123,telegram:456,console:ada",
    ),
]
Kept = Annotated[str, _like(r"[a-z][a-z0-9_]{0,31}|\*", "names kinds, and * for all others: score=30,*=365")]
Days = Annotated[float, Field(ge=1, le=3650)]
Role = Annotated[str, _like(r"\d{1,20}", "holds the ids of Discord roles, such as 123,456")]
Device = Annotated[str, _like(r"auto|cpu|cuda(:\d+)?", "must be auto, cpu, cuda, or one device such as cuda:0")]
Listen = Annotated[str, AfterValidator(_listen)]
Folder = Annotated[Path, AfterValidator(_folder)]
Token = Annotated[SecretStr, AfterValidator(_bare)]
Url = Annotated[str, AfterValidator(_http)]
Site = Annotated[str, AfterValidator(_site)]
Store = Annotated[str, AfterValidator(_store)]


class Settings(BaseSettings):
    """All settings of all processes; each reads what it needs. Secrets print as asterisks."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    redis_url: Annotated[SecretStr, AfterValidator(_redis)] | None = None
    data_dir: Folder = Field(default_factory=_data_dir)

    discord_token: Token | None = None
    discord_api_url: Url | None = None
    telegram_token: Token | None = None
    telegram_api_url: Url | None = None
    telegram_upload_mb: Annotated[int, Field(ge=1, le=2000)] = 50
    telegram_webhook_url: Url | None = None
    telegram_webhook_listen: Listen = "127.0.0.1:8443"
    telegram_webhook_secret: Annotated[SecretStr, AfterValidator(_bare)] | None = None

    admins: Annotated[frozenset[Admin], NoDecode, BeforeValidator(_listed)] = frozenset()
    admin_roles: Annotated[frozenset[Role], NoDecode, BeforeValidator(_listed)] = frozenset()
    default_kind: str = "score"
    limits_file: Folder | None = None

    model: str = "smollm2"
    observer_model: str | None = None
    quantisation: Literal["none", "int8", "nf4"] = "none"
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    device: Device = "auto"
    score_max_tokens: Annotated[int, Field(ge=64, le=8192)] = 1024
    false_positive_rate: Annotated[float, Field(ge=0.001, le=0.2)] = 0.01
    false_negative_rate: Annotated[float, Field(ge=0.001, le=0.2)] = 0.05
    batch_tokens: Annotated[int, Field(ge=256, le=1_000_000)] | None = None
    write_jobs: Annotated[int, Field(ge=1, le=256)] = 8
    mnist_folder: Folder | None = None
    train_folder: Folder | None = None
    sculpt_backend: Literal["auto", "modeller", "shap-e"] = "auto"
    shap_e_model: str | None = None

    lanes: Annotated[tuple[Lane, ...], NoDecode, BeforeValidator(_listed)] = ("short", "long")
    slots: Annotated[int, Field(ge=1, le=512)] = 16
    memory_limit_mb: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    stop_grace: Annotated[float, Field(ge=0, le=3600)] = 20.0
    max_wait_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 24.0
    patience_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 60.0
    reuse_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 24.0
    keep_results_days: Annotated[float, Field(gt=0, le=365)] = 7.0

    artifacts_url: Store | None = None
    artifacts_endpoint: Url | None = None
    artifacts_key: Annotated[str, _like(r"[!-~]{1,256}", "must be a key's id, without white space")] | None = None
    artifacts_secret: Token | None = None
    files_url: Url | None = None
    files_listen: Listen = "127.0.0.1:8450"
    files_key: Annotated[SecretStr, AfterValidator(_long)] | None = None
    keep_objects: Annotated[int, Field(ge=0, le=1000)] = 3
    keep_days: Annotated[Mapping[Kept, Days], NoDecode, BeforeValidator(_by_kind)] = {"*": KEEP_DAYS}

    database_url: Annotated[SecretStr, AfterValidator(_bare)] | None = None

    webhook_private: bool = False
    api_key: Token | None = None
    web_listen: Listen = "127.0.0.1:8080"
    web_url: Site | None = None
    web_key: Annotated[SecretStr, AfterValidator(_long)] | None = None

    metrics_listen: Listen | None = None

    log_format: Literal["auto", "console", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _config_file()))

    @property
    def web_address(self) -> str:
        """Where people find the web page: "https://desk.example.org", without a slash at its end."""
        return self.web_url or f"http://{self.web_listen}".lower()

    @property
    def redis(self) -> str | None:
        """The Redis address with its password, or None for the embedded server."""
        return self.redis_url.get_secret_value() if self.redis_url else None


def _config_file() -> Path | None:
    """The file named by FRONTDESK_CONFIG, which must exist, or ./frontdesk.toml if there is one."""
    if named := os.environ.get(PREFIX + "CONFIG"):
        if not Path(named).is_file():
            raise ConfigurationError(f"{PREFIX}CONFIG names {named}, which is not a file.")
        return Path(named)
    return Path(CONFIG_FILE) if Path(CONFIG_FILE).is_file() else None


def load_settings() -> Settings:
    """Read all sources. Raises ConfigurationError with one line that names the setting and never its secret."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigurationError(_one_line(error)) from None
    except SettingsError as error:
        raise ConfigurationError(f"A setting cannot be read: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{_config_file()} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{_config_file()} is not valid TOML: {error}") from None
    unknown = sorted(_unknown_variables())
    if unknown:
        raise ConfigurationError(f"There is no setting called {', '.join(unknown)}.")
    return settings


def child_environment(*, tokens: Collection[str], **settings: str) -> dict[str, str]:
    """The environment for a child process: ours, with only those of the bots' `tokens` that it needs, and `settings`
    by their names in place of ours."""
    withheld = {PREFIX + name.upper() for name in TOKENS.difference(tokens)}
    kept = {name: value for name, value in os.environ.items() if name not in withheld}
    return kept | {PREFIX + name.upper(): value for name, value in settings.items()}


def _one_line(error: ValidationError) -> str:
    """The first problem. Its input is not quoted: it may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "?"
    if first["type"] == "extra_forbidden":
        return f"There is no setting called {name}; look for a typing error in {_config_file()}."
    sentence = re.sub(r"^(Value error,|Input|String|List|Tuple) ", "", first["msg"])
    return f"{PREFIX}{name.upper()} {sentence}."


def _unknown_variables() -> set[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {PREFIX + "CONFIG"}
    return {name for name in os.environ if name.startswith(PREFIX) and name not in known}
