"""Pictures of runs that go on: in the ticket while it runs, replaced by the answer, and left behind nowhere."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from carving import CARVE, GIF, PNG, carved, carving, gif, piece, png, usual
from queueing import until
from redis.asyncio import Redis
from running import Acting, job, serving
from standin_discord import Interaction
from standin_discord_desk import Front, front
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room
from standin_telegram_model import Message, Person
from storing import folder_store

from frontdesk.bots import on_discord_delivery, on_telegram_deliverer, on_telegram_delivery
from frontdesk.bots.deliverer import TryLaterError
from frontdesk.bots.previews import TRIES, Previews
from frontdesk.bots.replies import say
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import StoreError
from frontdesk.queue.events import tell
from frontdesk.queue.jobs import Artifact, JobRecord, Outcome, Progress
from frontdesk.queue.retention import Keep, Retention
from frontdesk.ratelimit.limits import Limits
from frontdesk.worker.run_files import MAX_PICTURE, Workroom
from frontdesk.worker.runner import CancelledRunError, RunContext, RunError

pytestmark = pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")  # the library warns itself


def pictures(folder: Path) -> list[Path]:
    return list((folder / "shown").glob("*"))


# -- The worker


async def shown_by(folder: Path, store: ArtifactStore, act: object) -> tuple[Outcome, list[Progress]]:
    """Run a job that does so; its outcome and its news."""
    news: list[Progress] = []
    made = job()
    async with serving(Acting(act), store=store, room=Workroom(folder / "runs")) as engine:  # type: ignore[arg-type]
        outcome = await engine.run(made, news.append)
    return outcome, news


@pytest.mark.parametrize("error", [None, RunError("No."), CancelledRunError("x"), ValueError("x")])
async def test_a_picture_is_there_while_the_job_runs_and_no_longer(tmp_path: Path, error: Exception | None) -> None:
    """However it ends."""
    store, seen = folder_store(tmp_path), list[int]()

    def act(context: RunContext) -> None:
        context.progress(0.5, note="half way")
        context.show(png(), name="half.png", media_type=PNG)
        seen.append(len(pictures(tmp_path)))
        if error:
            raise error

    outcome, _ = await shown_by(tmp_path, store, act)
    assert (outcome.status == "done", outcome.files, seen) == (error is None, (), [1])
    assert pictures(tmp_path) == []
    assert store.contents() == ([], [])


async def test_news_name_the_newest_picture_and_can_be_fetched(tmp_path: Path) -> None:
    """With what was told last, and with all that follows."""
    store, copies = folder_store(tmp_path), list[bytes]()
    news: list[Progress] = []
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(progress: Progress) -> None:
        news.append(progress)
        if progress.preview:
            path = store.fetch_shown(progress.job_id, progress.preview, tmp_path / "copy")
            copies.append(path.read_bytes())
            heard.set()

    def act(context: RunContext) -> None:
        context.progress(0.5, note="half way")
        context.show(png(), name="half.png", media_type=PNG)
        asyncio.run_coroutine_threadsafe(heard.wait(), loop).result(20)

    async with serving(Acting(act), store=store, room=Workroom(tmp_path / "runs")) as engine:
        await engine.run(job(), hear)
    assert (news[-1].fraction, news[-1].note) == (0.5, "half way")
    assert news[-1].preview
    assert (news[-1].preview.name, copies) == ("half.png", [png()])


async def test_two_pictures_of_a_run_are_shown_and_no_large_ones(tmp_path: Path) -> None:
    """Nor any where the store is away: the run goes on. What is no picture is the runner's mistake."""
    store = folder_store(tmp_path, limit=9_000_000)
    there: list[bytes] = []

    def act(context: RunContext) -> None:
        context.show(png(MAX_PICTURE + 1), name="large.png", media_type=PNG)
        assert pictures(tmp_path) == []
        for size in (50, 60, 70):
            context.show(png(size), name="half.png", media_type=PNG)
            there.append(pictures(tmp_path)[0].read_bytes())
        with pytest.raises(ValueError, match="only pictures"):
            context.show(b"x", name="half.html", media_type="text/html")

    outcome, _ = await shown_by(tmp_path, store, act)
    assert (outcome.status, there) == ("done", [png(50), png(60), png(60)])


async def test_a_store_that_is_away_costs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the picture."""

    def away(*_: object, **__: object) -> Artifact:
        raise StoreError("away")

    store = folder_store(tmp_path)
    monkeypatch.setattr(store, "show", away)
    outcome, news = await shown_by(tmp_path, store, lambda c: c.show(png(), name="half.png", media_type=PNG))
    assert (outcome.status, [each.preview for each in news if each.preview]) == ("done", [])


async def test_what_a_killed_worker_left_is_swept(redis: Redis, tmp_path: Path) -> None:
    """A day later, once the job has ended."""
    store = folder_store(tmp_path)
    store.show("gone", png(), name="half.png", media_type=PNG)
    retention = Retention(redis, store, Keep({"*": 1.0}, 3))
    await retention.sweep()
    assert len(pictures(tmp_path)) == 1
    for path in pictures(tmp_path):
        os.utime(path, (time.time() - 90_000,) * 2)
    await retention.sweep()
    assert pictures(tmp_path) == []


# -- Discord


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return folder_store(tmp_path / "store")


@pytest.fixture
async def discord(redis: Redis, monkeypatch: pytest.MonkeyPatch, store: ArtifactStore) -> AsyncIterator[Front]:
    monkeypatch.setattr(on_discord_delivery, "EDIT_PAUSE", 0.01)
    async with front(redis, monkeypatch, kinds=[CARVE], store=store) as made:
        await made.start()
        yield made


async def placed(at: Front, asked: Interaction) -> str:
    """The running job, once the desk knows where its ticket stands."""
    job_id = await at.accepted(asked)

    async def known() -> bool:
        record = await at.premises.broker.job(job_id)
        return record is not None and record.reply.message is not None

    await until(known)
    return job_id


async def half_way(at: Front, store: ArtifactStore, *, private: bool = False) -> tuple[Interaction, str, Progress]:
    """A job whose ticket shows a picture."""
    options = {"private": True} if private else {}
    asked = await at.discord.slash(at.discord.user("ada"), "carve", what="a horse", **options)
    job_id = await placed(at, asked)
    preview = store.show(job_id, png(), name="half.png", media_type=PNG)
    news = Progress(job_id=job_id, fraction=0.5, preview=preview)
    at.engine.reports[job_id](news)
    await at.discord.until(lambda: asked.shown.pictures == ["half.png"])
    return asked, job_id, news


@pytest.mark.parametrize("private", [False, True])
async def test_discord_shows_the_picture_in_the_ticket_until_the_answer(
    discord: Front, store: ArtifactStore, private: bool
) -> None:
    """Uploaded once; the words move on; then the answer's own files stand there alone."""
    asked, job_id, news = await half_way(discord, store, private=private)
    assert "running 50%" in asked.text
    discord.engine.reports[job_id](news.model_copy(update={"fraction": 0.75}))
    await discord.discord.says(asked, "running 75%")
    assert (asked.shown.pictures, list(asked.shown.buttons)) == (["half.png"], ["Cancel"])
    uploads = [call for call in discord.discord.calls_to("PATCH", "/messages/") if call.get("attachments")]
    assert len(uploads) == 1
    discord.engine.end(job_id, carving(usual(store)))
    await discord.discord.says(asked, "Carved.")
    assert list(asked.shown.files) == ["turn.gif", "view.png", "horse.glb", "horse.stl"]


async def test_a_failed_job_leaves_no_picture_in_its_ticket(discord: Front, store: ArtifactStore) -> None:
    """On Discord, where one can be taken away."""
    asked, job_id, _ = await half_way(discord, store)
    discord.engine.end(job_id, Outcome(status="failed", reason="No wood."))
    await discord.discord.says(asked, "No wood.")
    assert (asked.shown.files, asked.shown.pictures) == ({}, [])


async def test_a_picture_that_cannot_be_had_costs_no_news(discord: Front, store: ArtifactStore) -> None:
    """Nor one that Discord does not take."""
    asked = await discord.discord.slash(discord.discord.user("ada"), "carve", what="a horse")
    job_id = await placed(discord, asked)
    lost = Artifact(name="half.png", sha256="0" * 64, size=9, media_type=PNG)
    discord.engine.reports[job_id](Progress(job_id=job_id, fraction=0.25, preview=lost))
    await discord.discord.says(asked, "running 25%")
    refused = store.show(job_id, png(), name="half.png", media_type=PNG)
    discord.discord.fail("PATCH", 400, code=50035)
    discord.engine.reports[job_id](Progress(job_id=job_id, fraction=0.5, preview=refused))
    await discord.discord.until(lambda: not discord.discord.rest.faults[-1].times)
    discord.engine.reports[job_id](Progress(job_id=job_id, fraction=0.75, preview=refused))
    await discord.discord.says(asked, "running 75%")
    assert asked.shown.files == {}


# -- Telegram


@pytest.fixture
async def room(telegram: TelegramStandIn, redis: Redis, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> Room:
    for module, name in (
        (on_telegram_delivery, "PRIVATE_EVERY"),
        (on_telegram_delivery, "GROUP_EVERY"),
        (on_telegram_deliverer, "PROGRESS_EVERY_PRIVATE"),
    ):
        monkeypatch.setattr(module, name, 0.01)
    made = Room(telegram, redis, Limits.load(), store)
    made.kinds = (*made.kinds, CARVE)
    return made


async def pictured(room: Room, store: ArtifactStore, who: Person, media: str) -> tuple[Message, JobRecord]:
    """A running job's ticket with a picture, and the job."""
    ticket = await room.ticket(await room.telegram.say(who, "/carve a horse"))
    job = await room.worker.claim()
    data = gif() if media == GIF else png()
    preview = store.show(job.id, data, name=f"half.{media[-3:]}", media_type=media)
    await tell(room.redis, "telegram", Progress(job_id=job.id, fraction=0.5, preview=preview))
    await room.telegram.until(lambda: ticket.document)
    await tell(room.redis, "telegram", Progress(job_id=job.id, fraction=0.75, preview=preview))
    await room.telegram.shows(ticket, "running 75%")
    return ticket, job


@pytest.mark.parametrize("media", [PNG, GIF])
async def test_telegram_turns_the_ticket_into_a_picture_and_then_into_the_answer(
    room: Room, store: ArtifactStore, alice: Person, media: str
) -> None:
    """One upload, then captions; the answer's picture takes its place."""
    async with room.bot():
        ticket, job = await pictured(room, store, alice, media)
        assert ticket.sort == ("animation" if media == GIF else "photo")
        assert ticket.buttons == ["Cancel"]
        assert len(room.telegram.called("editMessageMedia")) == 1
        await room.worker.finish(job, carved(usual(store)))
        assert await room.delivery(job.id) == "delivered"
    assert ticket.document == ("turn.gif", gif())
    assert ticket.text.startswith("Carved.")
    assert len([each for each in ticket.chat.messages.values() if each.sender is None and "Carved" in each.text]) == 1


@pytest.mark.parametrize("restarted", [False, True])
async def test_words_alone_become_the_pictures_caption(
    room: Room, store: ArtifactStore, alice: Person, restarted: bool
) -> None:
    """Telegram cannot take a picture out of a message; also where the bot knows nothing of the picture any more."""
    async with room.bot():
        ticket, job = await pictured(room, store, alice, PNG)
        if not restarted:
            await room.worker.finish(job, status="failed", reason="No wood.")
            assert await room.delivery(job.id) == "delivered"
    if restarted:
        async with room.bot():
            await tell(room.redis, "telegram", Progress(job_id=job.id, fraction=0.9))
            await room.telegram.shows(ticket, "running 90%")
            await room.worker.finish(job, status="failed", reason="No wood.")
            assert await room.delivery(job.id) == "delivered"
    assert "No wood." in ticket.text
    assert ticket.buttons == []


async def test_words_too_long_for_a_caption_take_the_pictures_place(
    room: Room, store: ArtifactStore, alice: Person
) -> None:
    """The ticket goes, so that nothing is left that seems to run."""
    async with room.bot():
        ticket, job = await pictured(room, store, alice, PNG)
        await room.worker.finish(job, carved([piece(store, "horse.glb", "file", b"a horse")], "It stands. " * 200))
        assert await room.delivery(job.id) == "delivered"
    assert ticket.id not in ticket.chat.messages
    assert any("Carved." in each.text for each in ticket.chat.messages.values())


# -- Whose turn it is


async def refused(previews: Previews, preview: Artifact) -> None:
    async with previews.shown("job1", say("running"), preview, spare=True) as reply:
        assert len(reply.parcels) == 1
        raise TryLaterError(1.0)


async def test_a_picture_waits_while_its_chat_has_something_else_to_be_told(store: ArtifactStore) -> None:
    """And is given up where the chat does not take it."""
    preview = store.show("job1", png(), name="half.png", media_type=PNG)
    previews, words = Previews(store), say("running")
    async with previews.shown("job1", words, preview, spare=False) as reply:
        assert (reply.parcels, reply.picture_stays) == ((), False)
    for _ in range(TRIES):
        with pytest.raises(TryLaterError):
            await refused(previews, preview)
    async with previews.shown("job1", words, preview, spare=True) as reply:
        assert reply.parcels == ()
    previews.forget("job1")
    async with previews.shown("job1", words, preview, spare=True) as reply:
        assert [each.path.read_bytes() for each in reply.parcels if each.path] == [png()]
    async with previews.shown("job1", words, preview, spare=True) as reply:
        assert (reply.parcels, reply.picture_stays) == ((), True)
