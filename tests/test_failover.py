"""Redis comes and goes: other servers take over, restart, read their data or are busy, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from deskside import deskside
from queueing import until
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from relays import relay
from servers import Server, free_port
from standin_discord_desk import front
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PASSAGE, Room
from standin_telegram_model import Person

from frontdesk.queue.connection import answer, check, client, connected
from frontdesk.queue.errors import ConfigurationError, DeskClosedError
from frontdesk.ratelimit.limits import Limits

ROOT = Path(__file__).parent.parent
EYE = "user eye on nopass ~* &* +@all"  # for the test alone


def users() -> str:
    """Those of the deployment, and those that docs/deploy.md gives to servers and sentinels; all with one password."""
    ours = (ROOT / "deploy" / "valkey-users.acl").read_text("utf-8")
    theirs = re.findall(
        r"^user frontdesk-(?:replica|sentinel) .*$", (ROOT / "docs" / "deploy.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(theirs) == 2
    return "\n".join([re.sub(r"#\w+_SHA256", ">PASSWORD", ours), *theirs, EYE])


@dataclass
class Family:
    """A primary, its replica, and the sentinel that watches them."""

    primary: Server
    replica: Server
    sentinel: Server

    def url(self, user: str) -> str:
        """The first sentinel of it is away."""
        sentinels = f"127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.port}"
        return f"sentinel://{user}:PASSWORD@{sentinels}/mymaster?sentinel_password=secret"


def eye(server: Server) -> Redis:
    """The test's own look at a server, whoever its users are."""
    return Redis(port=server.port, username="eye", password="-")


async def in_sync(primary: Redis) -> None:
    """Wait until the replica has all that was written to its primary."""

    async def online() -> bool:
        return bool((await primary.info("replication")).get("slave0", {}).get("state") == "online")

    await until(online)
    await primary.set("mark", "1")  # the server waits for what the asking connection wrote
    assert await primary.wait(1, 10_000) == 1


@pytest.fixture
async def family(valkey_program: Path, tmp_path: Path) -> AsyncIterator[Family]:
    (tmp_path / "users.acl").write_text(users(), "utf-8")
    either = {
        "aclfile": str(tmp_path / "users.acl"), "masteruser": "frontdesk-replica", "masterauth": "PASSWORD",
        "repl-diskless-sync-delay": "0",
    }  # fmt: skip
    with Server(valkey_program, tmp_path / "primary", either) as primary:
        follows = {**either, "replicaof": f"127.0.0.1 {primary.port}"}
        with Server(valkey_program, tmp_path / "replica", follows) as replica:
            async with eye(primary) as looking:
                await in_sync(looking)
            watches: dict[str, str | list[str]] = {
                "requirepass": "secret",
                "sentinel": [
                    f"monitor mymaster 127.0.0.1 {primary.port} 1",
                    "auth-user mymaster frontdesk-sentinel",
                    "auth-pass mymaster PASSWORD",
                    "down-after-milliseconds mymaster 500",
                    "failover-timeout mymaster 5000",
                ],
            }
            with Server(valkey_program, tmp_path / "sentinel", watches, sentinel=True) as sentinel:
                async with Redis(port=sentinel.port, password="secret") as asked:
                    await until(lambda: asked.sentinel_slaves("mymaster"))  # type: ignore[no-untyped-call]  # redis-py
                yield Family(primary, replica, sentinel)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
async def test_a_failover_is_survived(family: Family, how: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """The primary dies, or answers no more: the job that runs ends, and is told, on the server that took over."""
    monkeypatch.setattr("frontdesk.queue.pools.ANSWER_TIMEOUT", 2.5)
    async with (
        deskside(family.url("frontdesk-bot"), family.url("frontdesk-worker")) as side,
        eye(family.primary) as own,
    ):
        running = await side.ask("before")
        await side.started()
        await in_sync(own)
        family.primary.signal(how)
        side.engine.end(running)
        await side.delivered(running)
        later = await side.ask("after")
        assert await side.started() == later
        side.engine.end(later)
        await side.delivered(later)
        assert (await side.bot.info("server"))["tcp_port"] == family.replica.port


async def test_a_server_that_became_a_replica_is_left(valkey_program: Path, tmp_path: Path) -> None:
    """Behind one address another server takes over, and the old one keeps its connections: it only refuses to write."""
    with (
        Server(valkey_program, tmp_path / "old", {"repl-diskless-sync-delay": "0"}) as old,
        Server(valkey_program, tmp_path / "new", {"replicaof": f"127.0.0.1 {old.port}"}) as new,
    ):
        async with Redis.from_url(old.url) as looking:
            await in_sync(looking)
        async with relay(old.port) as way, deskside(f"redis://127.0.0.1:{way.port}") as side:
            running = await side.ask("before")
            await side.started()
            async with Redis.from_url(new.url) as heir, Redis.from_url(old.url) as abdicating:
                await in_sync(abdicating)
                way.target = new.port
                await heir.replicaof("NO", "ONE")
                await abdicating.replicaof("127.0.0.1", new.port)
            async with side.bot.pipeline(transaction=True) as pipe:
                pipe.incr("fd:claims")
                await pipe.execute()
            side.engine.end(running)
            await side.delivered(running)
            later = await side.ask("after")
            assert await side.started() == later
            side.engine.end(later)
            await side.delivered(later)


@pytest.fixture
def server(valkey_program: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, which writes every command to the disk before it answers."""
    with Server(valkey_program, tmp_path / "server", {"appendfsync": "always", "lua-time-limit": "10"}) as server:
        yield server


async def test_a_restart_is_waited_out(server: Server) -> None:
    """Killed and started again: what was asked before is answered once, who asks meanwhile is told, and it goes on."""
    async with deskside(server.url) as side:
        running, waiting = await side.ask("one"), await side.ask("two")
        assert {await side.started(), await side.started()} == {running, waiting}
        server.kill()
        with pytest.raises(DeskClosedError):
            await side.ask()
        side.engine.end(running)
        server.start()
        await side.open_again()
        await side.delivered(running)
        side.engine.end(waiting)
        await side.delivered(waiting)
        later = await side.ask()
        assert await side.started() == later
        side.engine.end(later)
        await side.delivered(later)
        assert side.engine.started.empty()


@asynccontextmanager
async def busy(server: Server) -> AsyncIterator[None]:
    """Somebody's script does not end inside this block."""
    async with Redis.from_url(server.url) as spinning, Redis.from_url(server.url) as asking:
        script = asyncio.ensure_future(answer(spinning.eval("while true do end", 0)))

        async def refuses() -> bool:
            with suppress(ResponseError):
                return not await asking.ping()
            return True

        await until(refuses)
        yield
        await asking.script_kill()
        with suppress(ResponseError):
            await script


@asynccontextmanager
async def loading(server: Server) -> AsyncIterator[None]:
    """The server was started again, and reads its data inside this block."""
    async with Redis.from_url(server.url) as client:
        await client.config_set("appendonly", "no")
        await client.mset({f"other:{number}": os.urandom(1000) for number in range(2000)})
        await client.save()
        server.kill()
        slowly = ("--appendonly", "no", "--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024")
        server.start(*slowly, until=("Loading RDB",))
        yield
        await client.config_set("key-load-delay", "0")


@pytest.mark.parametrize("state", [busy, loading])
async def test_a_server_that_takes_no_commands_is_waited_for(
    server: Server, state: Callable[[Server], AbstractAsyncContextManager[None]]
) -> None:
    """It answers BUSY or LOADING: the desk says that it is closed, and what ends meanwhile is told afterwards."""
    async with deskside(server.url) as side:
        running = await side.ask()
        await side.started()
        async with state(server):
            assert await side.closed()
            side.engine.end(running)
        await side.open_again()
        await side.delivered(running)


async def test_a_server_that_hangs_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and answers nothing: who asks is told within the time-out, and served later."""
    monkeypatch.setattr("frontdesk.queue.pools.ANSWER_TIMEOUT", 0.3)
    async with connected(server.url) as redis:
        await check(redis)
        server.signal(signal.SIGSTOP)
        async with asyncio.timeout(5):
            with pytest.raises(ConfigurationError, match="TimeoutError"):
                await check(redis)
        server.signal(signal.SIGCONT)
        await check(redis)


async def test_connections_are_opened_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten people who ask while nobody answers wait for one time-out, not for ten."""
    monkeypatch.setattr("frontdesk.queue.pools.CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr("frontdesk.queue.pools.ANSWER_TIMEOUT", 0.3)

    async def silent(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        await reading.read()
        writing.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        redis = client(f"redis://127.0.0.1:{port}")
        async with asyncio.timeout(2.5):
            answers = await asyncio.gather(*(redis.ping() for _ in range(10)), return_exceptions=True)
        assert all(isinstance(answer, RedisTimeoutError) for answer in answers)
        await redis.aclose()


async def test_telegram_says_that_the_desk_is_closed_and_when_it_is_open(
    server: Server, telegram: TelegramStandIn, alice: Person
) -> None:
    """The bot's process lives through a restart of Redis; who asks meanwhile gets a sentence."""
    async with connected(server.url) as redis:
        room = Room(telegram, redis, Limits.load())
        async with room.bot():
            await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
            server.kill()
            refusal = await telegram.answer(await telegram.say(alice, f"/score {PASSAGE}"))
            assert refusal.text == str(DeskClosedError())
            server.start()
            await room.ticket(await telegram.say(alice, f"/score {PASSAGE * 2}"))


async def test_discord_says_that_the_desk_is_closed_and_when_it_is_open(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bot, at the other platform."""
    async with connected(server.url) as redis, front(redis, monkeypatch) as opened:
        await opened.start()
        ada = opened.discord.user("ada")
        await opened.accepted(await opened.discord.slash(ada, "score", text=PASSAGE))
        server.kill()
        await opened.discord.says(await opened.discord.slash(ada, "score", text=PASSAGE), str(DeskClosedError()))
        server.start()
        await opened.accepted(await opened.discord.slash(ada, "score", text=PASSAGE * 2))
