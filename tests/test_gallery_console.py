"""The gallery at a terminal, and what holds for it in every front end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from carving import CARVE
from console import Paper, Script, premises, staffed
from exhibits import Exhibits, remembering
from queueing import ECHO
from redis.asyncio import Redis
from storing import folder_store

from frontdesk.bots.asking import Exit
from frontdesk.bots.commands import own_commands
from frontdesk.bots.fetching import fetch
from frontdesk.bots.main import Premises
from frontdesk.bots.on_console import Chat, person
from frontdesk.bots.on_console_conversation import Accepted, Conversation
from frontdesk.bots.on_console_render import plain
from frontdesk.bots.own_commands import usage
from frontdesk.bots.replies import Reply
from frontdesk.bots.waiting import waiting
from frontdesk.queue.connection import answer
from frontdesk.queue.kinds import RESERVED


class Terminal:
    """Ada's chat, over real history. `folder`: where files of hers go."""

    def __init__(self, front: Premises, exhibits: Exhibits, folder: Path) -> None:
        self.front = front
        self.exhibits = exhibits
        self.folder = folder
        self.talk = self.talk_of("ada")

    def talk_of(self, name: str) -> Conversation:
        return Conversation(
            self.front.desk, person(name), channel="chat", default_kind="carve", own=own_commands(self.front)
        )

    async def says(self, text: str) -> str:
        said = await self.talk.take(text)
        assert isinstance(said, Reply), said
        return plain(said)


@pytest.fixture
async def terminal(redis: Redis, tmp_path: Path) -> AsyncIterator[Terminal]:
    store = folder_store(tmp_path / "store")
    async with remembering(tmp_path) as memory:
        front = premises(redis, kinds=[CARVE, ECHO], default="carve", admin="root", memory=memory, store=store)
        yield Terminal(front, Exhibits(memory, store), tmp_path / "mine")


async def test_every_command_is_reserved_and_listed(terminal: Terminal) -> None:
    """No kind can take its name, /help lists it, and with its name says what it takes."""
    own = own_commands(terminal.front)
    assert {"gallery", "search", "similar", "mine", "publish", "unpublish", "report", "rerun"} <= own.keys() <= RESERVED
    listed = await terminal.says("/help")
    assert all(f"/{each.name} {each.summary}" in listed for each in own.values())
    assert "/similar JOB [meaning|shape]" in await terminal.says("/help similar")


async def test_a_list_is_leafed_through(terminal: Terminal) -> None:
    """Five objects a page, newest first; /6 is the sixth button, and the way back leads to the same page."""
    ids = [await terminal.exhibits.add("console:bob", f"horse {n}") for n in range(12)][::-1]
    first = await terminal.says("/gallery")
    assert [job for job in ids if job in first] == ids[:5]
    assert "/1  /2  /3  /4  /5  /6 Next" in first
    second = await terminal.says("/6")
    assert [job for job in ids if job in second] == ids[5:10]
    third = await terminal.says("/7")
    assert [job for job in ids if job in third] == ids[10:]
    assert "Next" not in third
    assert await terminal.says("/3") == second
    opened = await terminal.says("/2")
    assert "horse 5" in opened
    assert "GPU-seconds: 2.50" in opened
    assert "Report" in opened
    assert "Publish" not in opened
    back = next(line for line in opened.split("  ") if "Back to the list" in line).split()[0]
    assert await terminal.says(back) == second


async def test_an_empty_gallery_says_what_will_be_there(terminal: Terminal) -> None:
    """And a button that is not there is answered in a sentence."""
    assert "Nothing is there yet" in await terminal.says("/gallery")
    assert "You have made nothing yet" in await terminal.says("/mine")
    assert "no longer remembered" in await terminal.says("/1")


async def test_search_finds_by_words_what_one_may_see(terminal: Terminal) -> None:
    """One's own private objects at one's own terminal, and never those of others."""
    theirs = await terminal.exhibits.add("console:bob", "a green dragon")
    hidden = await terminal.exhibits.add("console:bob", "a red dragon", public=False)
    own = await terminal.exhibits.add("console:ada", "a blue dragon", public=False)
    await terminal.exhibits.index()
    found = await terminal.says("/search dragon")
    assert (theirs in found, own in found, hidden in found) == (True, True, False)
    assert "Nothing was found" in await terminal.says("/search kettle")
    assert "text: is needed" in await terminal.says("/search")
    like = await terminal.says(f"/similar {theirs}")
    assert (own in like, theirs in like.partition("\n")[2], hidden in like) == (True, False, False)


@pytest.mark.parametrize("line", ["/gallery nonsense", "/similar", "/gallery newest please", "/publish x y"])
async def test_what_a_command_does_not_take_is_refused_with_how_to_say_it(terminal: Terminal, line: str) -> None:
    """In one sentence."""
    said = await terminal.says(line)
    assert "Say: /" in said or "must be one of newest, mine" in said


async def test_the_last_three_are_saved_side_by_side(terminal: Terminal) -> None:
    """/mine lists them and says where each one's picture lies, once; the list of the gallery saves nothing."""
    ids = [await terminal.exhibits.add("console:ada", f"horse {n}", public=False, pictures=1) for n in range(4)]
    paper = Paper()
    async with staffed(terminal.front), waiting(terminal.front) as waiter:
        script = Script("/gallery mine", "/mine", "/mine")
        await Chat(terminal.front, waiter, script, paper, person("ada"), terminal.folder).run()
    saved = sorted(path.name for path in terminal.folder.iterdir())
    assert saved == [f"{job}-view0.png" for job in ids[1:]]
    assert all(f"Saved: {terminal.folder / name}" in paper.text for name in saved)


async def test_a_rerun_is_a_request_like_any(terminal: Terminal) -> None:
    """It has a ticket, asks for the same, and somebody's own is asked for as privately as before."""
    made = await terminal.exhibits.add("console:ada", "a horse", private=True, public=False)
    asked = await terminal.talk.take(f"/rerun {made}")
    assert isinstance(asked, Accepted)
    record = await terminal.front.desk.job(person("ada"), asked.ticket.job_id)
    assert (record.kind, record.private) == ("carve", True)
    refused = await terminal.talk_of("bob").take(f"/rerun {made}")
    assert isinstance(refused, Reply)
    assert "There is no object" in plain(refused)


async def test_a_job_that_the_queue_forgot_is_shown_with_its_receipt(terminal: Terminal) -> None:
    """Its answer as it was, and all of the receipt; another's private one does not exist."""
    own = await terminal.exhibits.add("console:ada", "a horse", public=False)
    theirs = await terminal.exhibits.add("console:bob", "a cow", public=False)
    said = await terminal.says(f"/jobs {own}")
    for words in ("On a horse.", f"Job: {own}", "Kind: carve", "what: a horse", "Seed: 7", "Model: chisel",
                  "Revision: 9f3c", "Device: an A100", "GPU-seconds: 2.50"):  # fmt: skip
        assert words in said
    assert await terminal.says(f"/jobs {theirs}") == f"There is no job {theirs} of yours."


async def test_files_of_a_forgotten_job_can_still_be_fetched(terminal: Terminal) -> None:
    """By who keeps the desk: files are kept longer than the queue's records."""
    made = await terminal.exhibits.add("console:ada", "a horse", public=False, pictures=2)
    out, err = Paper(), Paper()
    for who, status in (("root", Exit.DONE), ("bob", Exit.REFUSED)):
        done = await fetch(terminal.front, person(who), made, terminal.folder / who, out=out, err=err)
        assert done is status
    assert sorted(path.name for path in (terminal.folder / "root").iterdir()) == ["view0.png", "view1.png"]
    assert f"There is no job {made} of yours." in err.text


async def test_admins_are_told_of_reports_and_hide(terminal: Terminal) -> None:
    """/queue counts them, /admin reports quotes them, /admin hide takes the object away."""
    made = await terminal.exhibits.add("console:bob", "a rude horse")
    assert "Thank you" in await terminal.says(f"/report {made} it is rude")
    terminal.talk = terminal.talk_of("root")
    assert "1 in the gallery" in await terminal.says("/queue")
    reported = await terminal.says("/admin reports")
    assert (made in reported, "it is rude" in reported, "ada" in reported) == (True, True, False)
    assert "out of the gallery" in await terminal.says(f"/admin hide {made} rude indeed")
    assert "Nothing is there yet" in await terminal.says("/gallery")
    assert "Nothing in the gallery is reported" in await terminal.says("/admin reports")
    assert "rude indeed" in await terminal.says("/admin audit")


async def test_what_somebody_looked_for_is_kept_under_their_name_for_a_day(terminal: Terminal) -> None:
    """So that it can be found and forgotten; and no more than some lists of one person."""
    for _ in range(40):
        await terminal.says("/search horse")
    redis = terminal.front.redis
    keys = [key.decode() async for key in redis.scan_iter("fd:looking:*")]
    assert keys == ["fd:looking:console:ada"]
    assert 0 < await redis.ttl(keys[0]) <= 86_400
    assert await answer(redis.hlen(keys[0])) <= 30


async def test_a_usage_names_every_argument(terminal: Terminal) -> None:
    """Those that may be left out in brackets."""
    own = own_commands(terminal.front)
    assert usage(own["report"]) == "/report JOB REASON"
    assert usage(own["gallery"]).startswith("/gallery [newest|mine")
