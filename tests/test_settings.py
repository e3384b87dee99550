"""Settings: one readable line for each thing wrong, the sources in their order, and secrets that stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import load_settings

SECRET = "hunter2secret"  # noqa: S105 - made up, to be looked for in what is shown
TELEGRAM = "123456789:AAexample_token_of_thirty_five_chars"


def complaint() -> str:
    """The sentence that stops the start."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert not isinstance(caught.value.__cause__, ValidationError)  # a traceback would quote the input
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value)


def test_without_any_setting_there_are_defaults(tmp_path: Path) -> None:
    """An empty machine: embedded server, packaged model, a data folder at home."""
    settings = load_settings()
    assert settings.redis is None
    assert settings.model == "smollm2"
    assert settings.data_dir == tmp_path / "share" / "frontdesk"
    assert settings.lanes == ("short", "long")
    assert settings.admins == frozenset()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("REDIS_URL", f"http://:{SECRET}@host", "must begin with redis://, rediss://, unix://, sentinel:// or"),
        ("REDIS_URL", SECRET, "must begin with"),
        ("REDIS_URL", f"redis://:{SECRET}@host:port", "is not an address"),
        ("REDIS_URL", f"redis://:{SECRET}#1@host:6379", "is not an address"),
        ("REDIS_URL", f"redis://:{SECRET}\u2100@host:6379", "is not an address"),
        ("REDIS_URL", f"redis://:{SECRET}@[::1", "is not an address"),
        ("REDIS_URL", "unix://", "must name a socket"),
        ("REDIS_URL", f"redis://:{SECRET}@host/0?socket_timeout=soon", "ends in an option that the Redis library"),
        ("REDIS_URL", f"redis://:{SECRET}@host/0?colour=red", "ends in an option that the Redis library"),
        ("REDIS_URL", f"redis://:{SECRET}@host?retry=3", "ends in an option that the Redis library"),
        ("REDIS_URL", f"rediss://:{SECRET}@host?ssl_cert_reqs=perhaps", "ends in an option that the Redis library"),
        ("REDIS_URL", f"rediss://:{SECRET}@host?ssl_ca_certs=/nowhere/ca.pem", "ends in ssl_ options whose files"),
        ("REDIS_URL", f"sentinel://:{SECRET}@host", "must be like sentinel://"),
        ("REDIS_URL", f"sentinel://:{SECRET}@host:port/mymaster", "must be like sentinel://"),
        ("REDIS_URL", f"sentinel://:{SECRET}@host:99999/mymaster", "must be like sentinel://"),
        ("REDIS_URL", f"sentinel://:{SECRET}#1@host/mymaster", "must be like sentinel://"),
        ("REDIS_URL", f"sentinel://:{SECRET}@host,/mymaster", "must be like sentinel://"),
        ("REDIS_URL", f"sentinel://:{SECRET}@host/mymaster?colour=red", "ends in an option that the Redis library"),
        ("REDIS_URL", f"sentinels://:{SECRET}@host/mymaster?ssl_colour=red", "ends in an ssl_ option"),
        ("DISCORD_TOKEN", f"{SECRET}\n", "has white space or a line break"),
        ("DISCORD_TOKEN", f" {SECRET}", "has white space"),
        ("TELEGRAM_TOKEN", f"{SECRET} {SECRET}", "has white space"),
        ("TELEGRAM_WEBHOOK_SECRET", f"{SECRET}\t", "has white space"),
        ("DISCORD_API_URL", "example.org", "must be an address such as https://"),
        ("TELEGRAM_API_URL", "ftp://example.org", "must be an address"),
        ("TELEGRAM_WEBHOOK_URL", "https://[::1", "must be an address"),
        ("TELEGRAM_WEBHOOK_LISTEN", "8443", "must be a host and a port such as 127.0.0.1:8443"),
        ("TELEGRAM_WEBHOOK_LISTEN", "127.0.0.1:65536", "must be a host and a port"),
        ("DATA_DIR", "~nobody-of-that-name/data", "begins with ~, but there is no such home folder"),
        ("ADMINS", "ada", "holds entries such as discord:123"),
        ("ADMINS", "discord:ada", "holds entries such as"),
        ("ADMINS", "discord:\u0661", "holds entries such as"),
        ("ADMIN_ROLES", "moderators", "holds the ids of Discord roles"),
        ("QUANTISATION", "int4", "should be 'none', 'int8' or 'nf4'"),
        ("DTYPE", "fp16", "should be 'auto', 'bfloat16', 'float16' or 'float32'"),
        ("DEVICE", "gpu", "must be auto, cpu, cuda, or one device such as cuda:0"),
        ("DEVICE", "cuda:", "must be auto, cpu"),
        ("SCORE_MAX_TOKENS", "many", "should be a valid integer"),
        ("SCORE_MAX_TOKENS", "1", "should be greater than or equal to 64"),
        ("FALSE_POSITIVE_RATE", "0.5", "should be less than or equal to 0.2"),
        ("SLOTS", "0", "should be greater than or equal to 1"),
        ("BATCH_TOKENS", "1.5", "should be a valid integer"),
        ("LANES", "Short", "holds lane names such as short,long"),
        ("MAX_WAIT_HOURS", "nan", "should be"),
        ("KEEP_RESULTS_DAYS", "0", "should be greater than 0"),
        ("ARTIFACTS_URL", f"s3://key:{SECRET}@bucket/files", "must be a folder, or a bucket such as s3://"),
        ("ARTIFACTS_URL", "s3://Bucket", "must be a folder, or a bucket"),
        ("ARTIFACTS_URL", f"https://{SECRET}.example.org/bucket", "must be a folder, or a bucket"),
        ("ARTIFACTS_URL", "~nobody-of-that-name/files", "begins with ~, but there is no such home folder"),
        ("ARTIFACTS_ENDPOINT", "s3.example.org", "must be an address such as https://"),
        ("ARTIFACTS_KEY", f"{SECRET} ", "must be a key's id, without white space"),
        ("ARTIFACTS_SECRET", f"{SECRET}\n", "has white space or a line break"),
        ("KEEP_OBJECTS", "-1", "should be greater than or equal to 0"),
        ("KEEP_DAYS", "*=0.5", "should be greater than or equal to 1"),
        ("METRICS_LISTEN", "9464", "must be a host and a port"),
        ("LOG_FORMAT", "xml", "should be 'auto', 'console' or 'json'"),
        ("LOG_LEVEL", "loud", "should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_settings_name(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which variable and what would be right, and repeats no secret."""
    monkeypatch.setenv(f"FRONTDESK_{name}", value)
    line = complaint()
    assert line.startswith(f"FRONTDESK_{name} ")
    assert words in line
    assert "\n" not in line
    assert SECRET not in line


@given(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    st.sampled_from(
        ["redis://:{}@host:6379/0", "sentinel://:{}@host/mymaster", "sentinel://host/m?sentinel_password={}"]
    ),
)
def test_no_redis_address_shows_its_password(odd: str, address: str) -> None:
    """Whatever sign the password holds: accepted or refused, it is not in the sentence."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRONTDESK_REDIS_URL", address.format(f"{SECRET}{odd}{SECRET}"))
        try:
            shown = repr(load_settings())
        except ConfigurationError as error:
            shown = str(error)
    assert SECRET not in shown


def test_the_file_lies_below_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """./frontdesk.toml is read; a variable wins over it; an empty variable does not."""
    (tmp_path / "frontdesk.toml").write_text('slots = 3\nmodel = "from-file"\nlanes = ["short", "long"]\n')
    monkeypatch.setenv("FRONTDESK_SLOTS", "5")
    monkeypatch.setenv("FRONTDESK_MODEL", "")
    settings = load_settings()
    assert (settings.slots, settings.model, settings.lanes) == (5, "from-file", ("short", "long"))


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """FRONTDESK_CONFIG replaces ./frontdesk.toml, and must exist."""
    (tmp_path / "frontdesk.toml").write_text("slots = 3\n")
    other = tmp_path / "other.toml"
    monkeypatch.setenv("FRONTDESK_CONFIG", str(other))
    assert complaint() == f"FRONTDESK_CONFIG names {other}, which is not a file."
    other.write_text("slots = 4\n")
    assert load_settings().slots == 4


def test_a_wrong_value_in_the_file_is_named_like_the_variable(tmp_path: Path) -> None:
    """One name for a setting, wherever it was set."""
    (tmp_path / "frontdesk.toml").write_text("slots = 0\n")
    assert complaint().startswith("FRONTDESK_SLOTS should be")


def test_an_unknown_key_of_the_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A typing error must not leave a default in force; the file is named."""
    file = tmp_path / "desk.toml"
    file.write_text(f'discord_tokn = "{SECRET}"\n')
    monkeypatch.setenv("FRONTDESK_CONFIG", str(file))
    assert complaint() == f"There is no setting called discord_tokn; look for a typing error in {file}."


@pytest.mark.parametrize("content", [b"slots = = 3", b"\xff\xfe", b'model = "' + SECRET.encode()])
def test_a_broken_file_is_one_line(content: bytes, tmp_path: Path) -> None:
    """It names the file and does not quote it."""
    (tmp_path / "frontdesk.toml").write_bytes(content)
    line = complaint()
    assert line.startswith("frontdesk.toml is not valid TOML")
    assert "\n" not in line
    assert SECRET not in line


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions are the usual reason; the superuser, who tests in containers, has none to lack."""
    (tmp_path / "frontdesk.toml").write_text("slots = 3\n")

    def refused(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refused)
    assert complaint() == "frontdesk.toml cannot be read: Permission denied."


def test_an_empty_token_in_the_file_is_named(tmp_path: Path) -> None:
    """An empty variable counts as unset; an empty line of the file is somebody's oversight."""
    (tmp_path / "frontdesk.toml").write_text('discord_token = ""\n')
    assert complaint() == "FRONTDESK_DISCORD_TOKEN is empty; leave it out or give a token."


def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """FRONTDESK_DISCORD_TOKN would otherwise be a bot that does not start, without a reason."""
    monkeypatch.setenv("FRONTDESK_DISCORD_TOKN", SECRET)
    assert complaint() == "There is no setting called FRONTDESK_DISCORD_TOKN."


def test_secrets_print_as_asterisks(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the settings are shown; only those who ask for the value by name get it."""
    monkeypatch.setenv("FRONTDESK_REDIS_URL", f"redis://desk:{SECRET}@host:6379/1")
    monkeypatch.setenv("FRONTDESK_DISCORD_TOKEN", SECRET)
    monkeypatch.setenv("FRONTDESK_TELEGRAM_TOKEN", TELEGRAM)
    monkeypatch.setenv("FRONTDESK_TELEGRAM_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("FRONTDESK_ARTIFACTS_SECRET", SECRET)
    settings = load_settings()
    shown = repr(settings) + str(settings) + settings.model_dump_json() + str(settings.model_dump())
    assert SECRET not in shown
    assert TELEGRAM not in shown
    assert settings.redis == f"redis://desk:{SECRET}@host:6379/1"
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() == TELEGRAM


@pytest.mark.parametrize(
    "url",
    [
        "redis://host",
        "rediss://:pw@host:6380/2",
        "unix:///run/valkey.sock?db=1",
        "sentinel://desk:pw@host:26379,host2,[::1]:26380/mymaster?db=1&sentinel_password=pw2",
        "sentinels://host/mymaster",
    ],
)
def test_the_usual_redis_addresses_are_accepted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP, TLS, a socket, and sentinels."""
    monkeypatch.setenv("FRONTDESK_REDIS_URL", url)
    assert load_settings().redis == url


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces around entries and a comma at the end are no entries."""
    monkeypatch.setenv("FRONTDESK_ADMINS", " discord:1, telegram:2 ,console:ada,")
    monkeypatch.setenv("FRONTDESK_ADMIN_ROLES", "10,20")
    monkeypatch.setenv("FRONTDESK_LANES", "short,long")
    settings = load_settings()
    assert settings.admins == {"discord:1", "telegram:2", "console:ada"}
    assert settings.admin_roles == {"10", "20"}
    assert settings.lanes == ("short", "long")


def test_addresses_lose_the_slash_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are put behind them."""
    monkeypatch.setenv("FRONTDESK_TELEGRAM_API_URL", "http://localhost:8081/")
    assert load_settings().telegram_api_url == "http://localhost:8081"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No shell expands it in a file, and a folder called "~" helps nobody."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "frontdesk.toml").write_text('data_dir = "~/desk"\nlimits_file = "~/limits.toml"\n')
    settings = load_settings()
    assert settings.data_dir == tmp_path / "desk"
    assert settings.limits_file == tmp_path / "limits.toml"


def test_settings_do_not_change_while_a_process_runs() -> None:
    """What was checked at start stays what it was."""
    with pytest.raises(ValidationError):
        load_settings().slots = 3  # type: ignore[misc]  # that is what is refused


def test_how_long_each_kind_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a variable or a table; what is not named is kept as usual."""
    assert load_settings().keep_days == {"*": 90.0}
    monkeypatch.setenv("FRONTDESK_KEEP_DAYS", "score=30, write=90,*=365")
    assert load_settings().keep_days == {"score": 30.0, "write": 90.0, "*": 365.0}
    monkeypatch.delenv("FRONTDESK_KEEP_DAYS")
    (tmp_path / "frontdesk.toml").write_text("[keep_days]\nscore = 30\n")
    assert load_settings().keep_days == {"score": 30.0, "*": 90.0}


@pytest.mark.parametrize("value", ["score", "score=0", "score=x", "Score=3", "*=99999", "score=nan"])
def test_days_that_are_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """One sentence that names the setting."""
    monkeypatch.setenv("FRONTDESK_KEEP_DAYS", value)
    assert complaint().startswith("FRONTDESK_KEEP_DAYS ")
