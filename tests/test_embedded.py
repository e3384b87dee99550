"""The embedded server, with real processes that are really killed."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket
from threading import Event

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from frontdesk.queue import embedded
from frontdesk.queue.embedded import EmbeddedServer, ensure_server, find_program
from frontdesk.queue.errors import ConfigurationError, FrontdeskError

pytestmark = pytest.mark.usefixtures("valkey_program")

# A user of the server: tells the address, then stays until its standard input ends.
USER = """
import sys
from pathlib import Path
from frontdesk.queue.embedded import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])) as server:
    print(server.url, server.pid, flush=True)
    sys.stdin.read()
"""


def patient(url: str) -> Redis:
    """A client that tries again, every 20 ms, while the server is away."""
    errors = [RedisConnectionError, OSError]  # redis-py meets a refused connection as an OSError
    return Redis.from_url(url, retry=Retry(ConstantBackoff(0.02), 1000), retry_on_error=errors)


@contextmanager
def another_user(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """Another process that uses the server, with the address and server process that it sees."""
    command = [sys.executable, "-c", USER, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, pid = process.stdout.readline().split()
        yield process, url, int(pid)


class Heard(logging.Handler):
    """Sets its event when some words are logged."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.event = Event()
        self.addFilter(lambda record: words in record.getMessage())

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


def wait_for_end(data_dir: Path) -> None:
    """Return once no server and no keeper holds the folder: they hold its lock for as long as they live."""
    with (data_dir / "valkey" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def keeper_of(pid: int) -> int:
    """The process that keeps a server."""
    return int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(pid)], text=True))


def test_data_is_there_again_after_stop_and_start(tmp_path: Path) -> None:
    """What was written stays across a stop and a start."""
    with ensure_server(tmp_path) as url, Redis.from_url(url) as client:
        client.set("job", "waiting")
    with ensure_server(tmp_path) as url, Redis.from_url(url) as client:
        assert client.get("job") == b"waiting"


def test_stop_ends_the_server(tmp_path: Path) -> None:
    """When `stop` returns, no process is left and the folder is free."""
    server = EmbeddedServer(tmp_path)
    server.start()
    server.start()  # a second start of the same use changes nothing
    pid = server.pid
    server.stop()
    server.stop()
    assert not alive(pid)
    wait_for_end(tmp_path)
    with pytest.raises(FrontdeskError, match="not started"):
        _ = server.url


def test_server_serves_this_user_only(tmp_path: Path) -> None:
    """There is no TCP port, and nobody else may open the folder or the socket."""
    with ensure_server(tmp_path) as url, Redis.from_url(url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert stat.S_IMODE((tmp_path / "valkey").stat().st_mode) == 0o700
        assert stat.S_IMODE(Path(url.removeprefix("unix://")).stat().st_mode) == 0o700


def test_server_refuses_writes_rather_than_forget_jobs(tmp_path: Path) -> None:
    """Jobs go to the append-only file every second, and are never evicted."""
    with ensure_server(tmp_path) as url, Redis.from_url(url) as client:
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        assert client.config_get(*wanted) == wanted


def test_server_killed_comes_back_with_its_data(tmp_path: Path) -> None:
    """A kill -9 of the server loses nothing that reached the disk, and clients find it at the same address."""
    with EmbeddedServer(tmp_path) as server, patient(server.url) as client:
        client.mset({f"key:{number}": number for number in range(2000)})
        client.waitaof(1, 0, 10_000)  # the fsync of this second
        killed = server.pid
        os.kill(killed, signal.SIGKILL)
        assert client.dbsize() == 2000
        assert server.pid != killed
        assert "starting it again" in server.log_file.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a server can outlive its keeper; a later start says so")
def test_keeper_killed_is_replaced(tmp_path: Path) -> None:
    """A kill -9 of the process that keeps the server costs a moment, not the queue."""
    with EmbeddedServer(tmp_path) as server, patient(server.url) as client, socket(AF_UNIX) as while_it_lives:
        while_it_lives.connect(server.url.removeprefix("unix://"))
        client.set("job", "waiting")
        client.waitaof(1, 0, 10_000)
        killed = server.pid
        os.kill(keeper_of(killed), signal.SIGKILL)
        while_it_lives.recv(1)  # the server ends with its keeper
        assert client.get("job") == b"waiting"
        assert server.pid != killed


def test_server_that_cannot_start_again_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """If the data cannot be read just then, that is logged, and the server is back once it can."""
    with EmbeddedServer(tmp_path) as server, patient(server.url) as client:
        client.set("job", "waiting")
        client.waitaof(1, 0, 10_000)
        manifest = tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
        good = manifest.read_bytes()
        manifest.write_text("nonsense")
        heard = Heard("Trying again")
        logging.getLogger(embedded.__name__).addHandler(heard)
        os.kill(server.pid, signal.SIGKILL)
        assert heard.event.wait(30)
        logging.getLogger(embedded.__name__).removeHandler(heard)
        manifest.write_bytes(good)
        assert client.get("job") == b"waiting"
    assert "did not start; its log is" in caplog.text


def test_server_ends_with_a_killed_user(tmp_path: Path) -> None:
    """After kill -9 of its only user, the server ends too, and frees the folder."""
    with another_user(tmp_path) as (user, _, pid):
        user.kill()
        wait_for_end(tmp_path)
        assert not alive(pid)


def test_server_stays_while_another_user_needs_it(tmp_path: Path) -> None:
    """Who started the server may leave, even by kill -9: it ends with its last user."""
    with another_user(tmp_path) as (first, url, pid), EmbeddedServer(tmp_path) as second:
        assert (second.url, second.pid) == (url, pid)
        with EmbeddedServer(tmp_path) as third:
            assert third.pid == pid
        first.kill()
        first.wait()
        with Redis.from_url(url) as client:
            assert client.info("server")["process_id"] == pid
    assert not alive(pid)


def test_starts_at_once_share_one_server(tmp_path: Path) -> None:
    """Of several that start at the same time one wins and the others join it."""
    servers = [EmbeddedServer(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(EmbeddedServer.start, servers))
        assert len({server.pid for server in servers}) == 1
        list(pool.map(EmbeddedServer.stop, servers))
    wait_for_end(tmp_path)


@pytest.mark.parametrize("temporary", ["short", "long" * 30])
def test_long_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: str) -> None:
    """A data folder whose path is too long for a socket works, by a private folder that is gone afterwards."""
    (tmp_path / temporary).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / temporary))
    deep = tmp_path / ("deep" * 30) / "with space"
    with ensure_server(deep) as url, ensure_server(deep) as same, Redis.from_url(url) as client:
        assert url == same
        assert client.ping()
        folder = Path(url.removeprefix("unix://")).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()
    assert list((tmp_path / temporary).iterdir()) == []


def test_path_with_odd_characters(tmp_path: Path) -> None:
    """Spaces, per cent signs, quotation marks and question marks in the folder's name are no matter."""
    with ensure_server(tmp_path / "a b%20?\"'") as url, Redis.from_url(url) as client:
        assert client.ping()


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_folder_of_somebody_else_is_not_used(tmp_path: Path, trap: str) -> None:
    """A socket folder outside is used only if it is a real folder that is ours alone."""
    deep = tmp_path / ("deep" * 30)
    home = embedded.Home(deep)
    home.make()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    planted = elsewhere
    if trap == "a link":
        planted = tmp_path / "link"
        planted.symlink_to(elsewhere)
    else:
        planted.chmod(0o755)
    home.pointer.write_text(str(planted))
    with ensure_server(deep) as url:
        assert str(planted) not in url
    assert list(elsewhere.iterdir()) == []


def test_start_failure_names_the_log(tmp_path: Path) -> None:
    """A server that cannot read its data stops the start with one line that names the log."""
    with ensure_server(tmp_path) as url, Redis.from_url(url) as client:
        client.set("job", "waiting")
    (tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense")
    with (
        pytest.raises(FrontdeskError, match=r"did not start; its log is .*server\.log\.$") as caught,
        ensure_server(tmp_path),
    ):
        pass
    assert "\n" not in str(caught.value)
    assert "ended with status 1" in (tmp_path / "valkey" / "server.log").read_text()


def test_unusable_folder_is_said_in_one_line(tmp_path: Path) -> None:
    """A data folder that is a file stops the start with a sentence, not a traceback."""
    (tmp_path / "data").write_text("")
    with pytest.raises(FrontdeskError, match="cannot use"), ensure_server(tmp_path / "data"):
        pass


def test_machine_without_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no wheel carries a server, one on the PATH serves; where there is none, the setting is named."""
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="FRONTDESK_REDIS_URL"), ensure_server(tmp_path / "data"):
        pass
    program = tmp_path / "valkey-server"
    program.touch(mode=0o700)
    assert find_program() == program


def test_server_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's environment holds none of our settings, and a locale unknown to the machine does not stop it."""
    monkeypatch.setenv("FRONTDESK_DISCORD_TOKEN", "made-up")
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    with EmbeddedServer(tmp_path) as server:
        shown = subprocess.check_output(["ps", "eww", "-p", str(server.pid)], text=True)
    assert "valkey" in shown
    assert "made-up" not in shown


def test_log_starts_over_when_it_is_large(tmp_path: Path) -> None:
    """The server's log does not grow for ever."""
    home = embedded.Home(tmp_path)
    home.make()
    home.log.write_bytes(b"x" * 1_000_001)
    with ensure_server(tmp_path):
        assert home.log.stat().st_size < 100_000
