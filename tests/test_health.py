"""The health check that containers and supervisors run."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from frontdesk.queue import health, keys
from frontdesk.queue.embedded import EmbeddedServer

HOST = socket.gethostname()


@pytest.fixture
def server(redis_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """The configured server, emptied."""
    monkeypatch.setenv("FRONTDESK_REDIS_URL", redis_server.url)
    with Redis.from_url(redis_server.url) as client:
        client.flushdb()
        yield client


def beat(server: Redis, worker_id: str, age: float = 0.0) -> None:
    """A worker's heartbeat, `age` seconds ago."""
    server.zadd(keys.WORKERS, {worker_id: (time.time() - age) * 1000})


def test_a_bot_is_healthy_while_redis_answers(server: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit status 0."""
    assert health.main([]) == 0
    assert capsys.readouterr().out == "healthy: Redis answers.\n"


def test_a_worker_is_healthy_while_its_heart_beats(server: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest of this host counts: after a restart, the old one's entry is still there."""
    beat(server, f"{HOST}-7-ab12", age=3000)
    beat(server, f"{HOST}-9-cd34")
    assert health.main(["worker"]) == 0
    assert capsys.readouterr().out == "healthy: the worker's last heartbeat is 0 s old.\n"


def test_a_worker_without_a_fresh_heartbeat_is_not(server: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """It hangs, or was cut off."""
    beat(server, f"{HOST}-9-cd34", age=60)
    assert health.main(["worker"]) == 1
    assert "last heartbeat is 60 s old" in capsys.readouterr().err


def test_another_hosts_worker_does_not_count(server: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one whose name begins alike."""
    beat(server, f"{HOST}-2-9-cd34")
    beat(server, "elsewhere-9-cd34")
    assert health.main(["worker"]) == 1
    assert capsys.readouterr().err == "unhealthy: no worker of this host is on duty.\n"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "FRONTDESK_REDIS_URL is not set"),
        ("unix://desk:hunter2@/nowhere/valkey.sock", "Redis does not answer"),
        ("ftp://desk:hunter2@host", "FRONTDESK_REDIS_URL must begin with"),
    ],
)
def test_what_is_wrong_is_one_line_without_a_secret(
    url: str | None, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine keeps it with the container's state, where anybody may read it."""
    if url:
        monkeypatch.setenv("FRONTDESK_REDIS_URL", url)
    assert health.main([]) == 1
    line = capsys.readouterr().err
    assert line.startswith("unhealthy: ")
    assert words in line
    assert line.count("\n") == 1
    assert "hunter2" not in line


def test_a_server_that_refuses_is_unhealthy(server: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """It answers, but not as the queue needs it: here, by what lies at the workers' key."""
    server.set(keys.WORKERS, "not a set")
    assert health.main(["worker"]) == 1
    assert capsys.readouterr().err == "unhealthy: Redis refuses (ResponseError).\n"


def test_a_server_that_accepts_and_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check itself must not hang."""
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        monkeypatch.setenv("FRONTDESK_REDIS_URL", f"unix://{tmp_path / 's'}")
        assert health.main([]) == 1
    assert "did not answer within 0.2 s" in capsys.readouterr().err


def test_as_containers_call_it(server: Redis) -> None:
    """By its module's name; a wrong argument is a usage error."""
    command = [sys.executable, "-m", "frontdesk.queue.health"]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    wrong = subprocess.run([*command, "wroker"], capture_output=True, text=True, timeout=60, check=False)
    assert (wrong.returncode, wrong.stderr) == (2, "usage: python -m frontdesk.queue.health [worker]\n")
