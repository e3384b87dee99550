"""The client of the HTTP door, and `frontdesk ask --remote`."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest
from doorway import ADA, EVE, Doorway, doorway
from redis.asyncio import Redis
from rich.console import Console

from frontdesk.bots.asking import Exit
from frontdesk.bots.asking_remote import ask_remote, key_of
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.remote import Client, Job, RemoteError, Ticket, UnreachableDeskError
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings

ZIP = b"PK\x03\x04" + bytes(200)


@pytest.fixture
async def held(redis: Redis, tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(redis, tmp_path / "desk", hold=True) as found:
        yield found


@pytest.fixture
async def quick(redis: Redis, tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(redis, tmp_path / "desk") as found:
        yield found


async def paused(seconds: float) -> None:
    """No time passes."""


async def test_a_job_is_run_and_its_outcome_is_data(quick: Doorway) -> None:
    """Submit and wait in one call; the address may be the desk's or the door's."""
    for url in (quick.url, f"{quick.url}/", f"{quick.url}/api/v1"):
        async with Client(url, await quick.key(ADA)) as client:
            job = await client.run("echo", {"text": url})
        assert job.state == "done"
        assert job.outcome is not None
        assert job.outcome.result == {"said": url}


async def test_news_come_until_the_end(held: Doorway) -> None:
    """A ticket, and at last the job."""
    async with Client(held.url, await held.key(ADA)) as client:
        ticket = await client.submit("echo", {"text": "x"})
        told = list[object]()
        async with aclosing(client.news(ticket.id)) as news:  # type: ignore[type-var]
            async for each in news:
                told.append(each)
                if isinstance(each, Ticket) and each.position == 0:
                    held.engine.end(ticket.id)
    assert isinstance(told[-1], Job)
    assert told[-1].state == "done"


async def test_a_refusal_is_an_error_with_its_problem(quick: Doorway) -> None:
    """And is not tried again."""
    async with Client(quick.url, await quick.key(ADA), pause=paused) as client:
        with pytest.raises(RemoteError) as caught:
            await client.submit("echo", {"text": ""})
        assert caught.value.problem.status == 422
    async with Client(quick.url, "fd_wrong", pause=paused) as client:
        with pytest.raises(RemoteError) as caught:
            await client.job("123456789")
        assert caught.value.problem.status == 401


async def test_a_submission_counts_once_however_often_it_is_sent(quick: Doorway) -> None:
    """The answer was lost twice: the same job."""
    sent = list[str]()

    class Losing(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            sent.append(request.headers.get("idempotency-key", ""))
            if len(sent) < 3:
                await answer.aread()
                raise httpx.ReadError("lost")
            return answer

    async with Client(quick.url, await quick.key(ADA), transport=Losing(), pause=paused) as client:
        ticket = await client.submit("echo", {"text": "x"})
    assert len(sent) == 3
    assert len(set(sent)) == 1
    async with quick.client(ADA) as other:
        assert [job["id"] for job in (await other.get("/jobs")).json()["jobs"]] == [ticket.id]


async def test_what_is_no_desk_is_told() -> None:
    """Nothing there, or something else."""
    async with Client("http://127.0.0.1:1", "fd_x", pause=paused) as client:
        with pytest.raises(UnreachableDeskError):
            await client.job("x")
    other = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    async with Client("http://127.0.0.1:1", "fd_x", transport=other) as client:
        with pytest.raises(UnreachableDeskError):
            await client.job("x")


async def asked(
    way: Doorway, *words: str, owner: str = ADA, within: float | None = 20.0, folder: Path | None = None
) -> tuple[Exit, dict[str, object]]:
    """What `frontdesk ask --remote ... --json` prints, and its status."""
    out = io.StringIO()
    async with Client(way.url, await way.key(owner), pause=paused) as client:
        status = await ask_remote(
            client, words[0], words[1:], within=within, as_json=True, folder=folder,
            out=Screen(Console(file=out)), err=Screen(Console(file=io.StringIO())),
        )  # fmt: skip
    found: dict[str, object] = json.loads(out.getvalue())
    return status, found


async def test_ask_answers_as_at_home(quick: Doorway) -> None:
    """A bare word is the subject; numbers are read there; the statuses are the same."""
    status, answer = await asked(quick, "echo", "hello there", "times=2")
    assert (status, answer["status"], answer["result"]) == (Exit.DONE, "done", {"said": "hello there"})
    status, answer = await asked(quick, "echo", "x", "times=99")
    assert (status, answer["status"]) == (Exit.REFUSED, "refused")
    status, answer = await asked(quick, "echo", "x", "size=1")
    assert (status, answer["status"]) == (Exit.REFUSED, "refused")
    status, answer = await asked(quick, "nothing", "x")
    assert (status, answer["status"]) == (Exit.REFUSED, "refused")


async def test_ask_gives_up_and_takes_the_job_back(held: Doorway) -> None:
    """3, and the job is cancelled."""
    status, answer = await asked(held, "echo", "x", within=0.2)
    assert (status, answer["status"]) == (Exit.UNREACHABLE, "timeout")
    async with held.client(ADA) as client:
        assert (await client.get(f"/jobs/{answer['job']}/wait?timeout=20")).json()["state"] == "cancelled"


async def test_ask_sends_and_saves_files(held: Doorway, tmp_path: Path) -> None:
    """A path is read here; what comes back replaces no file."""
    (tmp_path / "p.zip").write_bytes(ZIP)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "frame.glb").write_bytes(b"mine")
    asking = asyncio.create_task(asked(held, "frame", f"pictures={tmp_path / 'p.zip'}", owner=EVE, folder=folder))
    made = await held.engine.started.get()
    assert made.params["pictures"]["size"] == len(ZIP)
    held.engine.end(made.id, await held.framed(b"made"))
    status, answer = await asking
    assert status == Exit.DONE
    assert answer["files"] == [str(folder / "frame-2.glb")]
    assert (folder / "frame-2.glb").read_bytes() == b"made"
    assert (folder / "frame.glb").read_bytes() == b"mine"


def test_the_key_is_no_word_of_the_command_line(tmp_path: Path) -> None:
    """It comes from a file or the settings."""
    (tmp_path / "key").write_text("fd_a\n")
    assert key_of(Settings(), tmp_path / "key") == "fd_a"
    assert key_of(Settings.model_validate({"api_key": "fd_b"}), None) == "fd_b"
    for path in (None, tmp_path / "none"):
        with pytest.raises(ConfigurationError):
            key_of(Settings(), path)


async def test_the_command_needs_no_queue(quick: Doorway, tmp_path: Path) -> None:
    """The program itself, with an address where no Redis is."""
    (tmp_path / "key").write_text(await quick.key(ADA))
    words = ["ask", "echo", "hello", "--remote", quick.url, "--key-file", str(tmp_path / "key"), "--json"]
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "frontdesk.bots.cli", *words], capture_output=True, text=True,
        timeout=60, env={"FRONTDESK_REDIS_URL": "redis://127.0.0.1:1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"] == {"said": "hello"}
