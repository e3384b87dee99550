"""A request with a file at the desk: fetched last, looked at, stored and owned, or nothing of it stays."""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from mounting import HANG, MAX, MOUNT, REFUSED, ZIP, Mounting, good
from queueing import KEEP, address, leased_worker, requester, until, working
from redis.asyncio import Redis
from running import NO_BENCH
from storing import folder_store
from structlog.testing import capture_logs

from frontdesk.bots import uploads
from frontdesk.bots.desk import Desk
from frontdesk.bots.incoming import IncomingFile, LostUploadError
from frontdesk.bots.intake import Request
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.uploads import Uploads
from frontdesk.queue import keys
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.blobs import FolderBlobs
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import decode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import DeskClosedError, FilesClosedError, InvalidRequestError, LimitedError
from frontdesk.queue.jobs import Job, JobRecord, Ticket
from frontdesk.queue.kinds import Registry
from frontdesk.queue.retention import Keep, Retention
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits
from frontdesk.worker.engine import Engine
from frontdesk.worker.run_files import Workroom

_numbers = itertools.count()


class Platform:
    """Hands out files: in small pieces, as it is told to."""

    def __init__(self) -> None:
        self.content = b""
        self.fetched = 0
        self.given = 0  # bytes
        self.breaks = False
        self.hold: asyncio.Event | None = None

    async def fetch(self, file: IncomingFile) -> AsyncGenerator[bytes, None]:
        self.fetched += 1
        if self.hold is not None:
            await self.hold.wait()
        for start in range(0, len(self.content), 50):
            self.given += 50
            yield self.content[start : start + 50]
        if self.breaks:
            raise LostUploadError


@dataclass
class Place:
    """A desk with a store, and what lies about."""

    redis: Redis
    folder: Path
    store: ArtifactStore
    platform: Platform = field(default_factory=Platform)

    def desk(self, *, limits: Path | None = None, within: float = 45.0) -> Desk:
        broker, limiter = Broker(self.redis, keep=KEEP), Limiter(self.redis)
        kinds = Registry([HANG, MOUNT])
        taking = Uploads(self.store, within=within)
        return Desk(kinds, broker, limiter, Limits.load(limits), Admins(), uploads=taking)

    def request(
        self, content: bytes, *, user: str = "ada", update: str = "", name: str = "holiday.zip",
        size: int | None = None, private: bool = False, **typed: str,
    ) -> Request:  # fmt: skip
        """`size`: what the platform says, which is the truth if nothing else is said."""
        self.platform.content = content
        file = IncomingFile.of("there", name, size=len(content) if size is None else size, media_type=ZIP)
        return Request(
            Person(requester(user)), "mount", {"pictures": file, **typed}, address(user),
            update or f"u{next(_numbers)}", private, self.platform.fetch,
        )  # fmt: skip

    def lies(self) -> list[str]:
        """Files in temporary folders."""
        return [str(path) for path in self.folder.rglob("*")]

    def stored(self) -> list[str]:
        return [blob.key for blob in self.store.contents().files]

    async def held(self, ticket: Ticket) -> list[str]:
        return await self.retention.files_of(ticket.job_id)

    async def in_flight(self, user: str = "ada") -> int:
        return sum([
            await self.redis.zcard(key)
            async for key in self.redis.scan_iter(f"fd:limit:*{user}*")
            if await self.redis.type(key) == b"zset"
        ])  # fmt: skip

    @property
    def retention(self) -> Retention:
        return Retention(self.redis, self.store, Keep({"*": 1.0}, 3))

    async def record(self, ticket: Ticket) -> JobRecord | None:
        return await Broker(self.redis, keep=KEEP).job(ticket.job_id)


@pytest.fixture
def place(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Temporary files go where the test can see them."""
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    return Place(redis, tmp_path / "temp", folder_store(tmp_path / "store"))


async def refused(place: Place, request: Request, why: str, *, within: float = 45.0) -> None:
    """In one sentence, about the file; and nothing stays behind, in either store or in the limits."""
    with pytest.raises(InvalidRequestError, match=why) as error:
        await place.desk(within=within).submit(request)
    assert [problem.parameter for problem in error.value.problems] == ["pictures"]
    assert (place.lies(), place.stored()) == ([], [])
    assert await place.in_flight() == 0
    assert not [key async for key in place.redis.scan_iter(keys.JOB + "*")]


@pytest.mark.parametrize("sort", REFUSED)
async def test_what_is_inside_is_looked_at_before_the_queue(place: Place, sort: str) -> None:
    """A bad archive becomes no job."""
    content, why = REFUSED[sort]
    await refused(place, place.request(content), why)


async def test_what_is_said_to_be_too_large_is_not_fetched(place: Place) -> None:
    """Nor what is of another sort."""
    await refused(place, place.request(good(), size=MAX + 1), "has 101 kB")
    await refused(place, place.request(good(), name="holiday.exe"), "not of a sort")
    assert place.platform.fetched == 0


async def test_what_is_larger_than_was_said_is_not_fetched_to_its_end(place: Place) -> None:
    """Bytes are counted as they come."""
    await refused(place, place.request(b"PK\x03\x04" + bytes(3 * MAX), size=10), "larger than was said")
    assert place.platform.given <= MAX + 50


@pytest.mark.parametrize("announced", [None, 10_000])
async def test_a_download_that_breaks_off_is_told(place: Place, announced: int | None) -> None:
    """Whether the platform knows of it, or only a part came."""
    place.platform.breaks = announced is None
    await refused(place, place.request(good(), size=announced), "could not be fetched to its end. Please send it again")


async def test_a_download_that_does_not_come_is_given_up(place: Place) -> None:
    """Long before its place in flight is given to another."""
    place.platform.hold = asyncio.Event()
    await refused(place, place.request(good()), "took too long", within=0.05)


async def test_a_look_that_does_not_end_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread goes on, but what it leaves is removed when it ends."""
    go_on, ended = threading.Event(), threading.Event()

    def slow(path: Path) -> None:
        go_on.wait(20)
        path.parent.mkdir()
        (path.parent / "left").touch()
        ended.set()

    upload = MOUNT.files[0].upload
    assert upload is not None
    monkeypatch.setitem(upload.__dict__, "check", slow)
    await refused(place, place.request(good()), "took too long", within=0.2)
    go_on.set()
    await until(ended.is_set)
    await until(lambda: place.lies() == [])


async def test_a_look_that_fails_is_no_fault_of_the_desk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a damaged file does to it; the log has where, and none of the file's words."""

    def bad(path: Path) -> None:
        raise OSError(f"secret words of {path}")

    upload = MOUNT.files[0].upload
    assert upload is not None
    monkeypatch.setitem(upload.__dict__, "check", bad)
    with capture_logs() as logs:
        await refused(place, place.request(good()), "cannot be read; it may be damaged")
    assert "secret" not in str(logs)
    assert "holiday" not in str(logs)
    assert [entry["error"] for entry in logs if entry["log_level"] == "error"] == ["OSError"]


@pytest.mark.parametrize("away", ["store", "disk"])
async def test_without_room_for_files_the_desk_says_so(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    """And asks to come again; nothing was charged."""
    if away == "store":
        (tmp_path / "taken").touch()
        place.store = ArtifactStore(FolderBlobs(tmp_path / "taken"))
    else:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FilesClosedError, match="cannot take files just now"):
        await place.desk().submit(place.request(good()))
    assert place.lies() == []
    assert await place.in_flight() == 0


async def test_where_nothing_fetches_nothing_is_taken(place: Place) -> None:
    """A front end without a store, or without a way to fetch."""
    kinds = Registry([MOUNT])
    bare = Desk(kinds, Broker(place.redis, keep=KEEP), Limiter(place.redis), Limits.load(), Admins())
    with pytest.raises(FilesClosedError):
        await bare.submit(place.request(good()))
    with pytest.raises(FilesClosedError):
        await place.desk().submit(replace(place.request(good()), fetch=None))


async def test_who_is_over_their_limit_is_told_before_the_download(place: Place, tmp_path: Path) -> None:
    """It would be for nothing."""
    limits = tmp_path / "limits.toml"
    limits.write_text("[member.kinds.mount]\nin_flight = 1\n")
    desk = place.desk(limits=limits)
    await desk.submit(place.request(good()))
    with pytest.raises(LimitedError):
        await desk.submit(place.request(good(b"other")))
    assert place.platform.fetched == 1


async def test_an_accepted_file_reaches_the_run(place: Place, tmp_path: Path) -> None:
    """As an artifact with the parameter's name, not its owner's; the job holds it, also when it is done."""
    desk, room = place.desk(), Workroom(tmp_path / "runs")
    ticket = await desk.submit(place.request(good(), name="../Ada's secret holiday.ZIP", colour="red"))
    [sha256] = await place.held(ticket)
    assert place.stored() == [sha256]
    assert place.lies() == []
    engine = Engine(Registry([MOUNT]), {"mount": Mounting(NO_BENCH)}, store=place.store, room=room)
    await engine.load()
    async with working(leased_worker(place.redis, engine, kinds={"mount": "none"})):
        record = await until(lambda: _ended(place, ticket))
    assert record.outcome.result == {"said": "one.txt, two.txt"}
    assert await place.held(ticket) == [sha256]
    assert list((tmp_path / "runs").glob("*/*/*")) == []
    await engine.close()
    assert "secret" not in str(await answer(place.redis.hgetall(keys.job(ticket.job_id))))


async def _ended(place: Place, ticket: Ticket) -> JobRecord | None:
    record = await place.record(ticket)
    return record if record and record.ended else None


async def test_a_file_that_is_gone_fails_the_run_in_words(place: Place, tmp_path: Path) -> None:
    """Its requester reads which, and a failed job lets go of what it was asked with."""
    ticket = await place.desk().submit(place.request(good()))
    place.store.remove((await place.held(ticket))[0])
    room = Workroom(tmp_path / "runs")
    engine = Engine(Registry([MOUNT]), {"mount": Mounting(NO_BENCH)}, store=place.store, room=room)
    await engine.load()
    async with working(leased_worker(place.redis, engine, kinds={"mount": "none"})):
        record = await until(lambda: _ended(place, ticket))
    assert (record.state, record.outcome.reason) == ("failed", "pictures.zip is no longer kept.")
    assert await place.held(ticket) == []
    await engine.close()


async def test_a_cancelled_job_lets_go(place: Place) -> None:
    """And the next sweep deletes what nobody holds."""
    desk = place.desk()
    ticket = await desk.submit(place.request(good()))
    assert await desk.cancel(Person(requester()), ticket.job_id) == "cancelled"
    assert await place.held(ticket) == []


async def test_two_who_send_the_same_share_a_run_and_both_hold_it(place: Place) -> None:
    """Whatever they call it; who leaves takes nothing from the other. A private request is shared with nobody."""
    desk = place.desk()
    ada = await desk.submit(place.request(good(), name="ada.zip"))
    bob = await desk.submit(place.request(good(), user="bob", name="bob.zip"))
    eve = await desk.submit(place.request(good(), user="eve", private=True))
    leaders = [record and record.leader for record in [await place.record(each) for each in (ada, bob, eve)]]
    assert leaders == [None, ada.job_id, None]
    await desk.cancel(Person(requester("ada")), ada.job_id)
    [sha256] = await place.held(bob)
    assert (await place.held(ada), await place.held(eve), place.stored()) == ([], [sha256], [sha256])
    other = await desk.submit(place.request(good(b"another"), user="bob"))
    assert await place.held(other) != [sha256]


async def test_what_is_asked_again_takes_the_stored_file(place: Place) -> None:
    """Nothing is fetched, and the second job holds it as well."""
    desk = place.desk()
    first = await desk.submit(place.request(good()))
    request = place.request(b"")
    [payload] = [json.loads(await place.redis.get(keys.payload(first.job_id)))]
    artifact = Artifact.model_validate(decode(Job, payload["a"][0]).params["pictures"])
    again = await desk.submit(replace(request, raw={"pictures": artifact, "colour": "red"}, fetch=None))
    assert await place.held(again) == await place.held(first) == [artifact.sha256]
    assert place.platform.fetched == 1


async def test_an_update_that_comes_twice_is_fetched_once(place: Place) -> None:
    """At the same time, or later."""
    desk = place.desk()
    request = place.request(good(), update="again")
    tickets = [*await asyncio.gather(desk.submit(request), desk.submit(request)), await place.desk().submit(request)]
    assert len({ticket.job_id for ticket in tickets}) == 1
    assert [ticket.repeated for ticket in tickets] == [False, True, True]
    assert place.platform.fetched == 1


async def test_where_the_queue_is_lost_meanwhile_nobody_holds_the_file(
    place: Place, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is charged to nobody, and the sweep finds it in the store: removing it at once could take it from another who
    sends the same."""

    async def lost(*arguments: object, **named: object) -> Ticket:
        raise ConnectionError

    monkeypatch.setattr(Broker, "submit", lost)
    with pytest.raises(DeskClosedError):
        await place.desk().submit(place.request(good()))
    assert place.lies() == []
    assert await place.in_flight() == 0
    assert not await redis.keys(keys.OWNERS + "*")
    [sha256] = place.stored()
    monkeypatch.setattr("frontdesk.queue.retention.UNCLAIMED", -60.0)
    assert (await place.retention.sweep()).files == (sha256,)


async def test_an_id_that_is_taken_takes_no_ones_files(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs drew one id: the second draws again, and each holds its own."""
    drawn = iter(["samesame1", "samesame1", "samesame2"])
    monkeypatch.setattr("frontdesk.bots.intake.new_job_id", lambda now: next(drawn))
    desk = place.desk()
    first = await desk.submit(place.request(good()))
    second = await desk.submit(place.request(good(b"other"), user="bob"))
    assert (first.job_id, second.job_id) == ("samesame1", "samesame2")
    assert {*await place.held(first), *await place.held(second)} == {*place.stored()}
    assert len(await place.held(first)) == len(await place.held(second)) == 1


async def test_few_files_are_taken_in_at_a_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes room on the disk: who comes when it is full waits."""
    monkeypatch.setattr(uploads, "AT_A_TIME", 2)
    place.platform.hold = asyncio.Event()
    desk = place.desk()
    asked = [asyncio.create_task(desk.submit(place.request(good(), user=f"user{n}"))) for n in range(4)]
    await until(lambda: place.platform.fetched == 2)
    assert await place.in_flight("user0") > 0  # what others here look for is to be found
    place.platform.hold.set()
    assert len({ticket.job_id for ticket in await asyncio.gather(*asked)}) == 4
