"""Webhooks: where they may go, how they are signed, and that each end is told at least once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from doorway import ADA, Doorway, doorway, served
from redis.asyncio import Redis
from sqlalchemy import select
from starlette.types import Receive, Scope, Send

from frontdesk.gallery.webhook_addresses import (
    BadWebhookError,
    ForbiddenAddressError,
    checked,
    parsed,
    refuse_literal,
    resolve,
)
from frontdesk.gallery.webhook_sending import Sender, signature
from frontdesk.gallery.webhooks import FIRST, GIVEN_UP, HELD, LONGEST, Webhooks, pause
from frontdesk.history.credentials import signing_secret
from frontdesk.history.schema import webhooks

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()

INSIDE = (
    "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.1", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.1",
    "192.168.0.1", "192.168.255.255", "100.64.0.1", "100.127.255.254", "100.100.100.200", "169.254.169.254",
    "169.254.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0x7F.0x0.0x0.0x1", "127.0x1", "3232235521",
    "0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]",
    "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]", "[2001:0:0:0:0:0:0:1]", "[2001:db8::1]", "[3fff::1]", "[fc00::1]", "[fd00:ec2::254]",
    "[fd12:3456::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[100::1]", "[5f00::1]",
)  # fmt: skip

MALFORMED = (
    "", "https://", "https:///path", "http//x", "ftp://example.org", "file:///etc/passwd", "gopher://127.0.0.1",
    "javascript:alert(1)", "//example.org", "https://user@example.org", "https://user:password@example.org",
    "https://example.org@127.0.0.1", "https://127.0.0.1#@example.org", "https://example.org\\@127.0.0.1",
    "https://example.org:99999", "https://example.org:port", "https://exa%6dple.org", "https://[::1",
    "https://[fe80::1%25eth0]", "https://ex\tample.org", "https://example.org/\r\nX:y", "https://example.org/<a>",
    "https://ex\u00e4mple.org", "https://example.org/ x", "http://example.org", "https://x.org/" + "a" * 2000,
)  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
async def test_no_spelling_of_an_inner_address_is_taken(host: str) -> None:
    """Private, loopback, link-local, shared, multicast, reserved and metadata addresses, in every base and form:
    refused when they are named, and when a connection is made."""
    url = f"https://{host}/hook"
    with pytest.raises(BadWebhookError):
        await refuse_literal(parsed(url, private=False), private=False)
    dialled = list[str]()

    async def found(name: str, port: int) -> Sequence[str]:
        dialled.append(name)
        return await resolve(name, port)

    assert await Sender(resolved=found).send(url, b"{}", message="m", at=0.0, secret=SECRET) is None
    assert len(dialled) == 1


@pytest.mark.parametrize("url", MALFORMED)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Other schemes, users and passwords, fragments, escapes in the host, white space, http."""
    with pytest.raises(BadWebhookError):
        parsed(url, private=False)


@pytest.mark.parametrize(
    "host", ["1.1.1.1", "8.8.8.8", "[2606:4700::1111]", "93.184.216.34", "100.128.0.1", "172.32.0.1"]
)
async def test_the_internets_addresses_are_taken(host: str) -> None:
    """What lies beside a refused network is no part of it."""
    await refuse_literal(parsed(f"https://{host}:8443/hook", private=False), private=False)


@dataclass
class Receiver:
    """Notes what is posted; answers with the statuses that a test gives it, and then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.got.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        status = self.statuses.pop(0) if self.statuses else 200
        headers = [(b"location", b"/elsewhere")] if status in (301, 302, 307) else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for _ in range(64 if status == 200 else 0):  # more than anybody should read
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        await send({"type": "http.response.body"})


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(statuses=list(statuses))
    async with served(receiver) as receiver.url:
        yield receiver


@pytest.mark.parametrize("found", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:127.0.0.1"], [], ["fe80::1%eth0"]])
async def test_a_name_that_leads_inside_is_not_connected_to(found: list[str]) -> None:
    """One bad address among good ones is enough."""

    async def resolved(host: str, port: int) -> Sequence[str]:
        return found

    async with receiving() as receiver:
        url = receiver.url.replace("http://127.0.0.1", "https://innocent.example")
        assert await Sender(resolved=resolved).send(url, b"{}", message="m", at=0.0, secret=SECRET) is None
    assert receiver.got == []
    with pytest.raises(ForbiddenAddressError):
        checked(found, private=False)


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The name is resolved once, so that it cannot lead elsewhere afterwards; Host is still the name."""
    answers = [["127.0.0.1"], ["10.9.9.9"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example")
        status = await Sender(private=True, resolved=rebinding).send(url, b"{}", message="m", at=0.0, secret=SECRET)
    assert status == 200
    assert len(answers) == 1
    assert receiver.got[0][0]["host"] == url.removeprefix("http://")


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_redirects_are_not_followed(status: int) -> None:
    """Where they lead was not checked."""
    async with receiving(status) as receiver:
        sender = Sender(private=True)
        assert await sender.send(receiver.url, b"{}", message="m", at=0.0, secret=SECRET) == status
    assert len(receiver.got) == 1


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class Clock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def hooking(redis: Redis, folder: Path) -> AsyncIterator[tuple[Doorway, Webhooks, Clock]]:
    async with doorway(redis, folder) as way:
        clock = Clock()
        hooks = Webhooks(way.database, way.front.broker, Sender(private=True), clock=clock, draw=lambda: 0.5)
        object.__setattr__(way.door, "webhooks", hooks)
        yield way, hooks, clock


async def asked(way: Doorway, url: str, text: str = "hello") -> str:
    async with way.client(ADA) as client:
        body = {"kind": "echo", "params": {"text": text}, "webhook": url}
        job_id: str = (await client.post("/jobs", json=body)).json()["id"]
        await client.get(f"/jobs/{job_id}/wait?timeout=20")
    return job_id


async def state_of(way: Doorway, job_id: str) -> tuple[str, int, str]:
    async with way.database.reading() as connection:
        query = select(webhooks.c.state, webhooks.c.tries, webhooks.c.secret).where(webhooks.c.job == job_id)
        state, tries, secret = (await connection.execute(query)).one()
    return state, tries, secret


async def test_an_end_is_posted_and_signed(redis: Redis, tmp_path: Path) -> None:
    """The outcome, under an id of the job's, verified as its receiver would; once."""
    async with hooking(redis, tmp_path) as (way, hooks, _), receiving() as receiver:
        key = await way.key(ADA)
        async with way.client(ADA) as client:
            client.headers["Authorization"] = f"Bearer {key}"
            body = {"kind": "echo", "params": {"text": "hello"}, "webhook": receiver.url + "/hook?x=1"}
            job_id = (await client.post("/jobs", json=body)).json()["id"]
            await client.get(f"/jobs/{job_id}/wait?timeout=20")
        await hooks.look()
        await hooks.look()
        state = await state_of(way, job_id)
    [(headers, sent)] = receiver.got
    assert json.loads(sent)["type"] == "job.done"
    assert json.loads(sent)["data"]["outcome"]["result"] == {"said": "hello"}
    assert headers["webhook-id"] == f"msg_{job_id}"
    secret = base64.b64decode(signing_secret(key).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + sent
    assert (
        headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    )
    assert key.encode() not in sent
    assert state == ("delivered", 1, "")


async def test_what_fails_is_tried_again_for_a_day(redis: Redis, tmp_path: Path) -> None:
    """Later each time, under the same id and with the same words; then it is given up."""
    async with hooking(redis, tmp_path) as (way, hooks, clock), receiving(*[500, 302, 404] * 100) as receiver:
        job_id, began, waits = await asked(way, receiver.url), clock.now, list[float]()
        await hooks.look()
        while (await state_of(way, job_id))[0] == "due":
            async with way.database.reading() as connection:
                due = (await connection.execute(select(webhooks.c.due_at))).scalar_one()
            count = len(receiver.got)
            clock.now = due - 0.01
            await hooks.look()
            assert len(receiver.got) == count
            waits.append(due - clock.now)
            clock.now = due
            await hooks.look()
        assert (await state_of(way, job_id))[0] == "given up"
    assert GIVEN_UP <= clock.now - began <= GIVEN_UP + 2 * LONGEST
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1


async def test_gone_means_no_more(redis: Redis, tmp_path: Path) -> None:
    """410: whoever receives it wants none."""
    async with hooking(redis, tmp_path) as (way, hooks, _), receiving(410) as receiver:
        job_id = await asked(way, receiver.url)
        await hooks.look()
        assert await state_of(way, job_id) == ("given up", 1, "")


async def test_a_process_that_ends_before_noting_sends_again(redis: Redis, tmp_path: Path) -> None:
    """After the time for which it held it, the next one sends, under the same id: at least once."""
    async with hooking(redis, tmp_path) as (way, hooks, clock), receiving() as receiver:
        job_id = await asked(way, receiver.url)

        async def ends(*_: object) -> None:
            raise asyncio.CancelledError

        dying = Webhooks(way.database, way.front.broker, Sender(private=True), clock=clock)
        dying._settle = ends  # type: ignore[method-assign, assignment]
        with pytest.raises(asyncio.CancelledError):
            await dying.look()
        await hooks.look()
        assert len(receiver.got) == 1
        clock.now += HELD
        await hooks.look()
        assert [headers["webhook-id"] for headers, _ in receiver.got] == [f"msg_{job_id}"] * 2
        assert (await state_of(way, job_id))[0] == "delivered"


async def test_two_processes_send_one_webhook_once(redis: Redis, tmp_path: Path) -> None:
    """Whoever takes it first has it."""
    async with hooking(redis, tmp_path) as (way, hooks, clock), receiving() as receiver:
        await asked(way, receiver.url)
        other = Webhooks(way.database, way.front.broker, Sender(private=True), clock=clock)
        await asyncio.gather(*(each.look() for each in (hooks, other, hooks, other)))
    assert len(receiver.got) == 1


async def test_inner_addresses_are_refused_where_a_job_is_asked_for(redis: Redis, tmp_path: Path) -> None:
    """As a problem, before anything is queued."""
    async with hooking(redis, tmp_path) as (way, _, _), way.client(ADA) as client:
        object.__setattr__(way.door, "webhooks", Webhooks(way.database, way.front.broker, Sender()))
        for url in ("https://169.254.169.254/latest", "http://example.org", "https://0x7f.1"):
            answer = await client.post("/jobs", json={"kind": "echo", "params": {"text": "x"}, "webhook": url})
            assert answer.status_code == 422
        assert (await client.get("/jobs")).json()["jobs"] == []


def test_pauses_double_up_to_an_hour() -> None:
    """With jitter, so that many do not come back together."""
    assert [pause(number, 0.5) for number in (1, 2, 3)] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert pause(50, 1.0) == 1.25 * LONGEST
    assert pause(1, 0.0) < pause(1, 1.0)
