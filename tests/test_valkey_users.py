"""Valkey as it is deployed: its users may do all that bots and workers do, and nothing else."""

from __future__ import annotations

import inspect
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
from deskside import ADA, deskside
from queueing import KEEP, address, end_job, job, submit, until
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from storing import folder_store, own, put
from telegram import Bot, Update

from frontdesk.bots import doctor
from frontdesk.bots.findings import Level
from frontdesk.bots.forms import Form, FormStore
from frontdesk.bots.on_telegram_fetching import Unfetched
from frontdesk.queue import keys
from frontdesk.queue.accounts import Accounts
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer, check, connected
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.events import last_entry, tail
from frontdesk.queue.forgetting import Forgetting, forgotten
from frontdesk.queue.groups import Group, Member, submit_group
from frontdesk.queue.health import heartbeat
from frontdesk.queue.jobs import Outcome, Progress, Ranking, Requester, member_id
from frontdesk.queue.leaderboard import Leaderboard
from frontdesk.queue.metrics import QueueMetrics
from frontdesk.queue.oversight import Oversight
from frontdesk.queue.report import WorkerState, queue_report
from frontdesk.queue.retention import Keep, Retention, swept
from frontdesk.queue.scripts import Claimed, Scripts
from frontdesk.queue.sessions import Sessions
from frontdesk.queue.settings import Settings
from frontdesk.queue.sign_in import SignIns
from frontdesk.queue.steering import Steering

DEPLOY = Path(__file__).parent.parent / "deploy"
# Made up, of every sign that could break a configuration.
PASSWORDS = {"frontdesk-bot": "a b'\"#%$\\", "frontdesk-worker": "&/@:?*~>"}
EYE = "user eye on nopass +acl|log"  # for the test alone: sees what was refused


class Deployed:
    """deploy/valkey.sh with deploy/valkey.conf and deploy/valkey-users.acl, on a socket in place of the port."""

    def __init__(self, folder: Path, program: Path, passwords: dict[str, str] = PASSWORDS) -> None:
        self.made = folder / "made.conf"
        self._socket = folder / "s"
        conf = (DEPLOY / "valkey.conf").read_text("utf-8")
        conf = conf.replace("port 6379", f"port 0\nunixsocket {self._socket}").replace("dir /data", f"dir {folder}")
        (folder / "in.conf").write_text(f"{conf}\n{EYE}\n", "utf-8")
        (folder / "valkey-server").symlink_to(program)
        environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "VALKEY_BOT_PASSWORD": passwords["frontdesk-bot"], "VALKEY_WORKER_PASSWORD": passwords["frontdesk-worker"],
            "VALKEY_CONF": f"{folder}/in.conf", "VALKEY_USERS": f"{DEPLOY}/valkey-users.acl",
            "VALKEY_MADE": str(self.made),
        }  # fmt: skip
        self.process = subprocess.Popen(
            ["sh", DEPLOY / "valkey.sh"],
            env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def url(self, user: str = "", password: str = "") -> str:
        password = password or PASSWORDS.get(user, "")
        return f"unix://{user}:{quote(password, safe='')}@{self._socket}" if user else f"unix://{self._socket}"

    @asynccontextmanager
    async def nothing_refused(self) -> AsyncIterator[None]:
        """Fails with what the server refused to its users inside the block: deploy/valkey-users.acl lacks it."""
        async with Redis(unix_socket_path=str(self._socket), username="eye", password="-") as eye:
            await eye.acl_log_reset()
            try:
                yield
            finally:
                told = ("username", "reason", "context", "object")
                assert {tuple(entry[name] for name in told) for entry in await eye.acl_log()} == set()


@pytest.fixture(scope="module")
def deployed(valkey_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A server started as in the container."""
    deployed = Deployed(tmp_path_factory.mktemp("v"), valkey_program)
    assert deployed.process.stdout is not None
    said = []
    for line in deployed.process.stdout:
        said.append(line)
        if "ready to accept connections" in line.lower():
            break
    else:
        pytest.fail("".join(said))
    try:
        yield deployed
    finally:
        deployed.process.terminate()
        deployed.process.communicate(timeout=30)


async def look(redis: Redis) -> None:
    """What either side looks at besides its work: the figures for Prometheus, and the health check."""
    metrics = QueueMetrics()
    await metrics.read(redis)
    [up] = next(iter(metrics.collect())).samples
    assert up.value == 1
    await heartbeat(redis, "w1")


async def test_people_sign_in_to_the_page_with_the_bots_user(deployed: Deployed) -> None:
    """A link given and taken, a session begun, found, put off and ended."""
    async with deployed.nothing_refused(), connected(deployed.url("frontdesk-bot")) as bot:
        sign_ins, sessions = SignIns(bot), Sessions(bot)
        secret = await sign_ins.give(ADA.requester)
        assert await sign_ins.look(secret) == await sign_ins.take(secret) == ADA.requester
        session = await sessions.begin(ADA.requester, 0.0)
        [key] = await bot.smembers(keys.sessions_of(ADA.requester.key))  # type: ignore[misc]
        await bot.expire(keys.SESSION + key.decode(), 60)
        found = await sessions.of(session.secret)
        assert found is not None
        assert found.renewed
        await sessions.end(session)
        await sessions.begin(ADA.requester, 0.0)
        assert await sessions.end_all(ADA.requester.key) == 1


async def test_a_job_passes_from_the_bots_user_to_the_workers_and_back(deployed: Deployed) -> None:
    """Asked for, run, told of, answered; cancelled while it waits and while it runs; given back at the end."""
    bot, worker = deployed.url("frontdesk-bot"), deployed.url("frontdesk-worker")
    async with deployed.nothing_refused():
        async with deskside(bot, worker) as side:
            running, other, third = await side.ask("one"), await side.ask("one"), await side.ask("two")
            assert {await side.started(), await side.started()} >= {running, third}
            side.engine.reports[running](Progress(job_id=running, fraction=0.5))
            await until(lambda: side.pigeon.progress.get(running))
            assert await side.desk.cancel(ADA, third) == "stopping"
            side.engine.end(running)
            for ended in (running, other, third):
                await side.delivered(ended)
            await side.desk.steering.pause("short", by="console:ada")
            waiting = await side.ask("three")
            assert await side.desk.cancel(ADA, waiting) == "cancelled"
            await side.delivered(waiting)
            await side.desk.steering.resume("short", by="console:ada")
            await side.ask("four")
            await side.started()
            assert len((await side.desk.queue(ADA)).workers) == 1
            assert len(await side.desk.jobs(ADA)) == 5
            await look(side.bot)
            await look(side.worker)
            broker, forms = Broker(side.bot, keep=KEEP), FormStore(side.bot, "telegram")
            await broker.set_delivery(running, "delivered")
            await forms.save("chat", "ada", Form(id="f", kind="echo", values={}))
            assert await forms.load("chat", "ada")
            await forms.drop("chat", "ada")
            await tail(side.bot, "console", await last_entry(side.bot, "console"), 0.01)
        async with connected(bot) as redis:
            report = await queue_report(redis)
            assert (report.workers, report.lanes[0].waiting) == ((), 1)


async def test_admins_steer_as_the_bots_user(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of a job and every action of an admin, each as the user of the process that does it."""
    steps = {kind: recorded(kind, monkeypatch) for kind in (Scripts, Steering, Oversight)}
    async with (
        deployed.nothing_refused(),
        connected(deployed.url("frontdesk-bot")) as bot,
        connected(deployed.url("frontdesk-worker")) as worker,
    ):
        broker, steering, hands = Broker(bot, keep=KEEP), Steering(bot, keep=KEEP, lanes=["short"]), Scripts(worker)
        by = "console:ada"

        async def beat(name: str, held: dict[str, str] | None = None) -> None:
            state = WorkerState(
                id=name, lanes=("short",), kinds=("echo",), device="cpu", models=(), memory=1, started_at=0.0
            )
            await hands.renew(name, 6.0, encode(state), held or {}, {"echo": "none"})

        async def claim(name: str) -> str:
            await beat(name)
            [claimed] = (await hands.turn(name, 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
            await beat(name, {claimed.job_id: claimed.lease})
            return claimed.lease

        async def kept_aside() -> str:
            """A job that stops one worker after another."""
            made = job("mallory")
            await submit(broker, made)
            await steering.bump(made.id, by=by)
            for number in range(3):
                await claim(f"victim-{number}")
                await hands.reap(f"victim-{number}", keep=KEEP)
            return made.id

        await steering.requeue(await kept_aside(), by=by)
        await steering.drop(await kept_aside(), by=by)
        made = job("ada", text="steered")
        ticket = await submit(broker, made)
        await broker.set_reply(made.id, address("ada", message="ticket"))
        assert ticket.job_id in await broker.tickets("telegram")
        await broker.place("short")
        await broker.forget_ticket("telegram", made.id)
        await steering.bump(made.id, by=by)
        assert await hands.release(made.id, await claim("w2"))
        await steering.bump(made.id, by=by)
        ended = Outcome(status="done", result={"said": "steered"}, gpu_seconds=1.0)
        assert await end_job(
            hands,
            made.id,
            await claim("w2"),
            status="done",
            outcome=encode(ended),
            keep=KEEP,
            gpu_seconds=1.0,
            fresh=60.0,
        )
        for switch, back, name in (
            (steering.pause, steering.resume, "short"),
            (steering.drain, steering.undrain, "w2"),
        ):
            await switch(name, by=by)
            await back(name, by=by)
        await steering.set_tier("telegram:eve", "staff", by=by)
        await steering.ban("telegram:eve", by=by, reason="spam")
        await steering.standing("telegram:eve")
        await steering.note("hide", made.id, by=by)
        await steering.unban("telegram:eve", by=by)
        for each in ("ada", "bob"):
            doomed = job(each, text=f"doomed {each}")
            await submit(broker, doomed)
            if each == "ada":
                await steering.cancel(doomed.id, by=by)
            else:
                await broker.cancel(doomed.id, doomed.requester.key)
        seen = steering.seen
        await seen.job(made.id)
        for listing in (seen.lanes, seen.paused, seen.workers, seen.drained, seen.unfinished, seen.aside, seen.bans):
            await listing()
        await seen.tiers()
        assert len(await seen.audit()) > 5
    left_out = {f"{kind.__name__}.{name}" for kind, called in steps.items() for name in public(kind) - called}
    assert left_out == set()


async def test_people_are_linked_and_forgotten_as_the_bots_user(deployed: Deployed, tmp_path: Path) -> None:
    """Every step of it, with jobs that wait, that ended with a file, and that count under somebody else."""
    async with deployed.nothing_refused(), connected(deployed.url("frontdesk-bot")) as bot:
        broker, accounts, store = Broker(bot, keep=KEEP), Accounts(bot), folder_store(tmp_path / "store")
        await accounts.link("telegram:2", await accounts.code("discord:1"))
        both = await accounts.of("telegram:2")
        asker = Requester(platform="telegram", user="2", tenant="2", account=both.account)
        await submit(broker, job(requester=asker), digest="d" * 22, files=[put(store).sha256])
        await accounts.unlink("telegram:2")
        forgetting = Forgetting(broker, store, patience=0.0)
        assert (await forgetting.forget({"discord:1"})).jobs == frozenset()
        gone = await forgetting.forget({"telegram:2"})
        await forgetting.clear(gone.jobs)
        assert (len(gone.jobs), len(gone.files), await forgotten(bot, sorted(gone.jobs))) == (1, 1, set(gone.jobs))


async def test_a_group_passes_as_the_users_of_both(deployed: Deployed) -> None:
    """Queued as one, run in part, entered in a leaderboard, and cancelled; another ends with its last member."""
    async with (
        deployed.nothing_refused(),
        connected(deployed.url("frontdesk-bot")) as bot,
        connected(deployed.url("frontdesk-worker")) as worker,
    ):
        broker, hands = Broker(bot, keep=KEEP), Scripts(worker)
        ranking = Ranking(place=1, said="good", board="digits", edition="e", configuration="c", entry="{}")
        ended = encode(Outcome(status="done", result={"said": "steered"}, gpu_seconds=1.0, ranking=ranking))
        for left in (1, 0):  # members that wait in the end
            whole = job("ada", kind="many", lane="grouped")
            parts = [job("ada", id=member_id(whole.id, number), lane="grouped") for number in range(2)]
            group = Group(whole, [Member(part, 1.0, f"digest {part.id}") for part in parts])
            ticket = await submit_group(broker, group, address("ada"), update=f"group-{left}")
            await broker.set_reply(whole.id, address("ada", message="ticket"))
            assert await broker.ticket(ticket.job_id, "grouped")
            for _ in range(2 - left):
                [taken] = (await hands.turn("w3", 60.0, {"grouped": 1}, keep=KEEP, patience=3600.0)).jobs
                assert await end_job(
                    hands, taken.job_id, taken.lease, status="done", outcome=ended, keep=KEEP, gpu_seconds=1.0
                )
            assert await broker.cancel(whole.id, "telegram:ada") == ("cancelled" if left else "ended")
        assert await Leaderboard(bot).top() == {}  # the entry is none that could be read


async def test_what_a_worker_cannot_run_passes_as_the_users_of_both(deployed: Deployed) -> None:
    """Set apart by one worker, and given back; taken by another, bumped, cancelled, and ended where it is overdue."""
    async with (
        deployed.nothing_refused(),
        connected(deployed.url("frontdesk-bot")) as bot,
        connected(deployed.url("frontdesk-worker")) as worker,
    ):
        broker, steering, hands = Broker(bot, keep=KEEP), Steering(bot, keep=KEEP), Scripts(worker)

        async def claim(*lacks: str, max_wait: float = 0.0) -> list[Claimed]:
            turn = await hands.turn(
                "w4", 60.0, {"apart": 1}, keep=KEEP, patience=3600.0, lacks=lacks, max_wait=max_wait
            )
            return turn.jobs

        made = [job("ada", f"apart {number}", lane="apart") for number in range(3)]
        for each in made:
            await submit(broker, each, needs="echo/digits")
        assert await claim("echo/digits") == []
        assert await broker.ticket(made[1].id, "apart")
        await steering.bump(made[1].id, by="console:ada")
        [taken] = await claim()
        assert taken.job_id == made[1].id
        assert await hands.release(taken.job_id, taken.lease)
        assert await claim("echo/digits") == []
        assert await broker.cancel(made[1].id, "telegram:ada") == "cancelled"
        [overdue] = await claim("echo/digits", max_wait=0.001)
        [last] = await claim()
        assert {overdue.job_id, last.job_id} == {made[0].id, made[2].id}  # as old as each other, to the millisecond


@pytest.mark.parametrize("user", PASSWORDS)
async def test_its_users_may_look_after_files(deployed: Deployed, user: str, tmp_path: Path) -> None:
    """Workers note what a job made, and let go of what it was asked with; either may sweep."""
    store = folder_store(tmp_path)
    made = put(store)
    store.save("ended", b"state")
    for path in (tmp_path / "saved" / "ended", tmp_path / made.sha256[:2] / made.sha256):
        os.utime(path, (0, 0))
    async with deployed.nothing_refused(), connected(deployed.url(user)) as redis:
        await redis.delete(keys.SWEPT)
        later = time.time() + 60
        retention = Retention(redis, store, Keep({"*": 0.0}, 0), clock=lambda: later)
        await own(redis, "made", "telegram:ada", [made.sha256])
        assert await retention.files_of("made") == [made.sha256]
        assert len(await retention.objects_of("telegram:ada")) == 1
        async with swept(redis, retention):
            await until(lambda: store.contents() == ([], []))
        assert await retention.objects_of("telegram:ada") == []


async def test_bots_take_in_files(deployed: Deployed) -> None:
    """A job holds what it is asked with from the step that queues it; one that waits lets go when it is cancelled.
    Updates whose documents are being fetched are kept meanwhile."""
    async with deployed.nothing_refused(), connected(deployed.url("frontdesk-bot")) as redis:
        broker, made = Broker(redis, keep=KEEP), job("ada", text="with a file")
        await submit(broker, made, files=["ab" * 32])
        assert await redis.exists(keys.owners("ab" * 32))
        assert await broker.cancel(made.id, made.requester.key) == "cancelled"
        assert not await redis.exists(keys.owners("ab" * 32))
        unfetched = Unfetched(redis)
        await unfetched.keep(Update(7))
        await unfetched.keep(Update(8))
        await unfetched.drop(8)
        assert [update.update_id for update in await unfetched.left(cast(Bot, None))] == [7]
        assert await unfetched.left(cast(Bot, None)) == []


def public(kind: type) -> set[str]:
    """The methods of a class that ask Redis for something."""
    return {name for name, method in vars(kind).items() if inspect.iscoroutinefunction(method) and name[0] != "_"}


def recorded(kind: type, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Fills with the names of the methods that are called: what is new there must be tried here as its user, too."""
    called: set[str] = set()

    def record(name: str) -> None:
        method = vars(kind)[name]

        async def noted(*arguments: Any, **named: Any) -> Any:
            called.add(name)
            return await method(*arguments, **named)

        monkeypatch.setattr(kind, name, noted)

    for name in public(kind):
        record(name)
    return called


@pytest.mark.parametrize("user", PASSWORDS)
async def test_the_doctor_finds_nothing_wrong(deployed: Deployed, user: str) -> None:
    """Whichever side it is asked on."""
    async with deployed.nothing_refused():
        found = await doctor.redis(Settings.model_validate({"redis_url": deployed.url(user)}))
    assert [finding for finding in found if finding.level is Level.BROKEN] == []
    assert any("answers" in finding.sentence for finding in found)


ADMINISTRATION = [
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("CONFIG", "GET", "*"),
    ("SHUTDOWN",),
    ("SAVE",),
    ("ACL", "LIST"),
    ("MONITOR",),
    ("REPLICAOF", "NO", "ONE"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("SCRIPT", "FLUSH"),
    ("KEYS", "*"),
    ("GET", "other"),
    ("SET", "other", "1"),
    ("EVAL", "return redis.call('SET', 'other', 1)", "0"),
    ("RENAME", "fd:running", "other"),
    ("PUBLISH", "other", "hello"),
]
NOT_A_WORKERS = [
    ("SCAN", "0"),
    ("GET", "fd:form:telegram:chat:ada"),
    ("GET", "fd:update:telegram:1"),
    ("ZRANGE", "fd:jobs:telegram:ada", "0", "-1"),
    ("GET", "fd:reply:job"),
    ("XRANGE", "fd:outcomes:telegram", "-", "+"),
    ("XREADGROUP", "GROUP", "couriers", "thief", "STREAMS", "fd:outcomes:telegram", ">"),
    ("XADD", "fd:audit", "*", "who", "nobody"),
    ("DEL", "fd:audit"),
    ("HSET", "fd:tiers", "telegram:eve", "admin"),
    ("HDEL", "fd:banned", "telegram:eve"),
    ("SREM", "fd:paused", "short"),
    ("EVAL", "return redis.call('HSET', 'fd:tiers', 'telegram:eve', 'admin')", "0"),
]


@pytest.mark.parametrize(
    ("user", "command"),
    [
        *((user, command) for user in PASSWORDS for command in ADMINISTRATION),
        *(("frontdesk-worker", command) for command in NOT_A_WORKERS),
    ],
    ids=lambda part: part if isinstance(part, str) else " ".join(part)[:40],
)
async def test_its_users_may_do_nothing_else(deployed: Deployed, user: str, command: tuple[str, ...]) -> None:
    """A process that was taken over cannot empty, stop or reconfigure the store, nor reach other keys; a worker neither
    reads who asked what elsewhere, nor does what only admins may."""
    async with connected(deployed.url(user)) as redis:
        with pytest.raises(ResponseError, match=r"permissions|can't access"):
            await answer(redis.execute_command(*command))  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


async def test_nobody_comes_in_without_the_password(deployed: Deployed) -> None:
    """The default user is off, the passwords are two, and only their hashes were written."""
    swapped = deployed.url("frontdesk-worker", PASSWORDS["frontdesk-bot"])
    for url in (deployed.url(), deployed.url("frontdesk-bot", "wrong"), swapped):
        async with connected(url) as anonymous:
            with pytest.raises(ConfigurationError, match="Redis does not answer"):
                await check(anonymous)
    assert not any(password in deployed.made.read_text("utf-8") for password in PASSWORDS.values())
    assert deployed.made.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("without", PASSWORDS)
def test_without_a_password_valkey_does_not_start(valkey_program: Path, tmp_path: Path, without: str) -> None:
    """It says what to do, rather than open the store to all."""
    deployed = Deployed(tmp_path, valkey_program, {**PASSWORDS, without: ""})
    said, _ = deployed.process.communicate(timeout=30)
    assert deployed.process.returncode != 0
    assert "put a password into .env" in said


def test_the_users_file_lets_nobody_in_before_it_has_passwords(valkey_program: Path, tmp_path: Path) -> None:
    """Taken as it lies there, it is refused."""
    command = [str(valkey_program), "--port", "0", "--unixsocket", "s", "--aclfile", str(DEPLOY / "valkey-users.acl")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "ACL errors" in done.stdout
