"""The doctor: each thing that can be wrong is found, and comes with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from console import Paper
from redis.asyncio import Redis
from storing import new_bucket, object_server
from typer.testing import CliRunner

from frontdesk.bots import doctor, history_findings, machine, store_findings
from frontdesk.bots.cli import app
from frontdesk.bots.findings import Finding, Level, broken, good, note, show
from frontdesk.queue.codec import encode
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.report import WorkerState
from frontdesk.queue.scripts import Scripts
from frontdesk.queue.settings import Settings

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789AB"
DISCORD, TELEGRAM = f"MTA1NTU1NTU1NTU1NTU1NTU1.GabcDE.{LETTERS}", f"123456789:{LETTERS}"
HEALTHY = {"valkey_version": "9.1.0", "aof_enabled": 1, "role": "master", "maxmemory": 0}


def settings(**values: object) -> Settings:
    return Settings.model_validate(values)


def worst(found: Iterable[Finding]) -> Finding:
    """The first of the worst level; each finding that is not good says what to do."""
    every = list(found)
    assert all(finding.advice for finding in every if finding.level is not Level.GOOD)
    return max(every, key=lambda finding: [Level.GOOD, Level.NOTE, Level.BROKEN].index(finding.level))


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ({"discord_token": DISCORD, "telegram_token": TELEGRAM}, Level.GOOD, "right shape"),
        ({}, Level.NOTE, "no bot has one"),
        ({"discord_token": TELEGRAM}, Level.BROKEN, "FRONTDESK_DISCORD_TOKEN holds a token of Telegram"),
        ({"telegram_token": DISCORD}, Level.BROKEN, "FRONTDESK_TELEGRAM_TOKEN holds a token of Discord"),
        ({"telegram_token": "hunter2"}, Level.BROKEN, "does not look like a token of Telegram"),
    ],
)
def test_tokens(given: dict[str, str], level: Level, words: str) -> None:
    """Swapped and mistyped tokens are told apart, and never printed."""
    finding = worst(doctor.tokens(settings(**given)))
    assert (finding.level, words in finding.sentence) == (level, True)
    assert not any(token in finding.sentence + finding.advice for token in given.values())


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ({"telegram_webhook_url": "https://a.example/hook", "telegram_webhook_secret": "s"}, Level.GOOD, "a.example"),
        ({"telegram_webhook_url": "https://a.example/hook"}, Level.NOTE, "no secret"),
        ({"telegram_webhook_url": "http://a.example"}, Level.BROKEN, "https"),
        ({"telegram_webhook_url": "https://a.example:5000"}, Level.BROKEN, "port 5000"),
        ({"telegram_webhook_url": "https://a.example", "telegram_token": None}, Level.BROKEN, "no token"),
        ({"telegram_webhook_secret": "s"}, Level.NOTE, "no address"),
    ],
)
def test_webhooks(given: dict[str, str | None], level: Level, words: str) -> None:
    """Address, port, secret and token must fit together."""
    finding = worst(doctor.webhook(settings(**{"telegram_token": TELEGRAM, **given})))
    assert (finding.level, words in finding.sentence) == (level, True)


def test_long_polling_needs_nothing() -> None:
    """Without a webhook there is nothing to find."""
    assert list(doctor.webhook(settings(telegram_token=TELEGRAM))) == []


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        ({}, Level.GOOD, "Valkey 9.1.0 answers"),
        ({"valkey_version": "", "redis_version": "5.0.7"}, Level.BROKEN, "too old"),
        ({"aof_enabled": 0}, Level.NOTE, "loses jobs"),
        ({"maxmemory": 1, "maxmemory_policy": "allkeys-lru"}, Level.BROKEN, "drops jobs (allkeys-lru)"),
        ({"maxmemory": 1, "maxmemory_policy": "noeviction"}, Level.GOOD, "answers"),
        ({"role": "slave"}, Level.BROKEN, "replica"),
        ({"cluster_enabled": 1}, Level.BROKEN, "cluster"),
    ],
)
def test_servers(facts: dict[str, object], level: Level, words: str) -> None:
    """What a server says of itself decides whether it can keep the queue."""
    finding = worst(doctor.server_findings({**HEALTHY, **facts}))
    assert (finding.level, words in finding.sentence) == (level, True)


async def test_the_real_server_is_healthy(redis: Redis, redis_server: EmbeddedServer) -> None:
    """The embedded server is set up as the doctor wants servers; that no worker is on duty is worth a note."""
    finding = worst(await doctor.redis(settings(redis_url=redis_server.url)))
    assert (finding.level, finding.sentence) == (Level.NOTE, "none is on duty.")


async def test_what_a_worker_cannot_run_is_a_note(redis: Redis, redis_server: EmbeddedServer) -> None:
    """With the whole reason, which who asks for such a job is not shown."""
    state = WorkerState(
        id="w1",
        lanes=("short",),
        kinds=("write",),
        device="cpu",
        models=(),
        memory=1,
        started_at=0.0,
        lacks={"score": "No score can be run here.", "train/mnist": "The digits are not here."},
        faults={"score": "FRONTDESK_MODEL: /srv/models/x is not there."},
    )
    await Scripts(redis).renew("w1", 60.0, encode(state), {}, {})
    found = await doctor.redis(settings(redis_url=redis_server.url))
    assert [finding.sentence for finding in found if finding.level is Level.NOTE] == [
        "there is one that cannot run score: FRONTDESK_MODEL: /srv/models/x is not there.",
        "there is one that cannot run train/mnist: The digits are not here.",
    ]


async def test_a_server_that_is_away_is_found() -> None:
    """With what to do, and without a traceback."""
    finding = worst(await doctor.redis(settings(redis_url="unix:///nonexistent/valkey.sock")))
    assert (finding.level, finding.subject) == (Level.BROKEN, "redis")
    assert "FRONTDESK_REDIS_URL" in finding.advice


def test_limits_and_kinds(tmp_path: Path) -> None:
    """A limits file with a mistake, and a default kind that is not installed."""
    (tmp_path / "limits.toml").write_text("[member]\ndaily_seconds = 0\n")
    assert doctor.limits(settings()).level is Level.GOOD
    assert doctor.limits(settings(limits_file="limits.toml")).level is Level.BROKEN
    assert worst(doctor.kinds(settings())).sentence == "reconstruct, score, sculpt, sweep, train, write."
    assert "which is not installed" in worst(doctor.kinds(settings(default_kind="paint"))).sentence


@pytest.mark.parametrize(
    ("name", "level", "words"),
    [
        ("smollm2", Level.GOOD, "to be converted"),
        ("owner/name", Level.GOOD, "hub"),
        ("full", Level.GOOD, "full"),
        ("small.gguf", Level.GOOD, "ready"),
        ("empty", Level.BROKEN, "no safetensors"),
        ("model.bin", Level.BROKEN, "pickled"),
        ("/nonexistent/model", Level.BROKEN, "not there"),
    ],
)
def test_models(name: str, level: Level, words: str, tmp_path: Path) -> None:
    """What the files say of a model, without loading it."""
    for folder in ("empty", "full", "models/small-0123"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("full/model.safetensors", "model.bin", "small.gguf"):
        (tmp_path / file).touch()
    finding = worst([machine.model(name, tmp_path, "FRONTDESK_MODEL")])
    assert (finding.level, words in finding.sentence) == (level, True)


def test_a_half_converted_model_is_not_ready(tmp_path: Path) -> None:
    """What a crash left behind does not count."""
    (tmp_path / "models/small-0123.part").mkdir(parents=True)
    assert not machine.converted("small.gguf", tmp_path)


@pytest.mark.parametrize(
    ("wanted", "cards", "driver", "level"),
    [
        ("auto", [], False, Level.GOOD),
        ("auto", ["A100"], True, Level.GOOD),
        ("auto", [], True, Level.NOTE),
        ("cpu", ["A100"], True, Level.GOOD),
        ("cuda", [], False, Level.BROKEN),
        ("cuda:1", ["A100"], True, Level.BROKEN),
    ],
)
def test_devices(wanted: str, cards: list[str], driver: bool, level: Level) -> None:
    """A GPU that is wanted and not seen is found; a CPU is said to be slow."""
    assert worst([machine.device_finding(wanted, "2.13", cards, driver=driver)]).level is level


def test_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder that cannot be made is broken, a full disk worth a note."""
    (tmp_path / "file").touch()
    assert machine.disk(settings(data_dir=tmp_path / "new/folder")).level is Level.GOOD
    assert machine.disk(settings(data_dir=tmp_path / "file/folder")).level is Level.BROKEN
    monkeypatch.setattr(machine, "LEAST_DISK", 10**18)
    assert machine.disk(settings(data_dir=tmp_path)).level is Level.NOTE


def test_a_machine_without_the_workers_packages_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is as it should be where only bots run: worth a note, with what to install."""
    monkeypatch.setattr(machine, "WORKER_NEEDS", ("no_such_package",))
    finding = worst(machine.worker(settings()))
    assert (finding.level, "pip install 'frontdesk[worker]'" in finding.advice) == (Level.NOTE, True)
    monkeypatch.undo()
    assert worst(machine.worker(settings(observer_model="smollm2", quantisation="nf4"))).level is Level.GOOD


async def test_torch_is_asked_in_a_process_of_its_own() -> None:
    """What it answers becomes a finding; a torch that cannot be loaded is told with its last line."""
    [finding] = await machine.device(settings())
    assert "torch 2." in finding.sentence


async def test_a_torch_that_fails_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last line of what it said; one that hangs is given up."""
    monkeypatch.setattr(machine, "DEVICE", "raise SystemExit('libcudart is missing')")
    assert "libcudart is missing" in worst(await machine.device(settings())).sentence
    monkeypatch.setattr(machine, "DEVICE", "import time; time.sleep(600)")
    monkeypatch.setattr(machine, "DEVICE_TIMEOUT", 0.05)
    assert "was not loaded within" in worst(await machine.device(settings())).sentence


@pytest.mark.parametrize("terminal", [False, True])
def test_findings_are_shown_with_their_advice(terminal: bool) -> None:
    """On a terminal and in a pipe."""
    paper = Paper(terminal=terminal)
    show([good("redis", "answers."), note("disk", "is full.", "Free some."), broken("limits", "x", "Mend it.")], paper)
    for word in ("ok", "note", "broken", "-> Free some.", "-> Mend it."):
        assert word in paper.text


def test_the_command_ends_with_0_unless_something_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes are no failure; a setting that cannot be read is a finding and no traceback."""
    monkeypatch.setattr(machine, "DEVICE", "print('2.13')")
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0
    monkeypatch.setenv("FRONTDESK_DEFAULT_KIND", "paint")
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1
    monkeypatch.setenv("FRONTDESK_DEVICE", "gpu")
    shown = CliRunner().invoke(app, ["doctor"])
    assert shown.exit_code == 1
    assert shown.output.startswith("broken  settings  FRONTDESK_DEVICE must be")


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ({}, Level.NOTE, "without one"),
        ({"files_url": "https://files.example"}, Level.GOOD, "takes files"),
        ({"files_url": "http://files.example"}, Level.NOTE, "not encrypted"),
        ({"artifacts_key": "key"}, Level.BROKEN, "belong together"),
    ],
)
async def test_a_folder_of_files(given: dict[str, str], level: Level, words: str, tmp_path: Path) -> None:
    """It is tried with a file, which does not stay; links need an address, and should be encrypted."""
    finding = worst(await store_findings.store(settings(data_dir=tmp_path, **given)))
    assert (finding.level, words in finding.sentence) == (level, True)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]  # noqa: ASYNC240 (a few files of a test)
    assert left in ([], ["links.key"])


async def test_a_store_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is none, a bucket that is not there or does not answer, a disk that is full, a key that is open."""
    taken = tmp_path / "taken"
    taken.write_text("a file")
    finding = worst(await store_findings.store(settings(artifacts_url=str(taken))))
    assert (finding.level, "does not take a file" in finding.sentence) == (Level.BROKEN, True)
    with object_server() as endpoint:
        access = {"artifacts_endpoint": endpoint, "artifacts_key": "key", "artifacts_secret": "secret"}
        there = await asyncio.to_thread(new_bucket, endpoint)
        assert worst(await store_findings.store(settings(artifacts_url=f"s3://{there}", **access))).level is Level.GOOD
        finding = worst(await store_findings.store(settings(artifacts_url="s3://nobody-s-bucket", **access)))
    assert (finding.level, "bucket is there" in finding.advice) == (Level.BROKEN, True)
    monkeypatch.setattr(store_findings, "LEAST_ROOM", 10**18)
    full = settings(data_dir=tmp_path, files_url="https://files.example")
    assert "GB left" in worst(await store_findings.store(full)).sentence
    (tmp_path / "links.key").chmod(0o644)
    assert "can be read by others" in worst(await store_findings.store(full)).sentence


async def test_the_history_is_opened_and_counted(tmp_path: Path) -> None:
    """A new one is made; what cannot be one is found, without the password that stands in its address."""
    assert "remembers 0 jobs" in worst(await history_findings.history(settings(data_dir=tmp_path))).sentence
    for address in ("postgresql://desk:hunter2@127.0.0.1:1/history", "mysql://desk:hunter2@db/history", "nonsense"):
        found = worst(await history_findings.history(settings(data_dir=tmp_path, database_url=address)))
        assert found.level is Level.BROKEN
        assert "hunter2" not in found.sentence + found.advice
