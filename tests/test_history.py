"""What is remembered is shown to whom it belongs to, and to others only what was published."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from queueing import ECHO, job, requester
from remembering import ended_record, remembered

from frontdesk.history.database import Database
from frontdesk.history.entries import Entry, Viewer
from frontdesk.history.history import History
from frontdesk.history.receipts import receipt
from frontdesk.history.recording import job_row
from frontdesk.queue.errors import NoSuchObjectError
from frontdesk.queue.jobs import Artifact, Job, Outcome
from frontdesk.queue.kind_reconstruct import RECONSTRUCT
from frontdesk.queue.kind_sculpt import SCULPT

ADA = Viewer(frozenset({"telegram:ada"}))
BOTH = Viewer(frozenset({"telegram:ada", "discord:1"}))
EVE = Viewer(frozenset({"telegram:eve"}))
PASSER_BY = Viewer()
EVERYBODY_ELSE = [EVE, PASSER_BY, Viewer(EVE.identities, admin=True)]
SHARED = requester().model_copy(update={"tenant": "-100"})


@pytest.fixture
def history(database: Database) -> History:
    return History(database, clock=lambda: 5000.0)


def ids(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.id for entry in entries]


async def test_what_is_not_published_is_its_owners_alone(database: Database, history: History) -> None:
    """For others, admins included, it reads as if it were not there."""
    made = await remembered(database, job("ada"))
    assert (await history.get(ADA, made.id.upper())).id == made.id
    assert ids((await history.page(ADA, mine=True)).entries) == [made.id]
    for viewer in EVERYBODY_ELSE:
        with pytest.raises(NoSuchObjectError):
            await history.get(viewer, made.id)
        assert (await history.page(viewer)).entries == ()
        assert (await history.page(viewer, mine=True)).entries == ()


async def test_an_owner_publishes_and_takes_it_back(database: Database, history: History) -> None:
    made = await remembered(database, job("ada"))
    assert (await history.publish(ADA, made.id, on=True)).published_at == 5000.0
    for viewer in EVERYBODY_ELSE:
        assert (await history.get(viewer, made.id)).public
        assert ids((await history.page(viewer)).entries) == [made.id]
    await history.publish(ADA, made.id, on=False)
    with pytest.raises(NoSuchObjectError):
        await history.get(EVE, made.id)


async def test_nobody_publishes_or_takes_back_anothers(database: Database, history: History) -> None:
    """Not even where they see it."""
    made = await remembered(database, job("ada"), published_at=1.0)
    for viewer in EVERYBODY_ELSE:
        with pytest.raises(NoSuchObjectError):
            await history.publish(viewer, made.id, on=False)
    assert (await history.get(EVE, made.id)).public


async def test_what_came_to_nothing_is_no_object(database: Database, history: History) -> None:
    """It is in its owner's records, and in no gallery."""
    made = await remembered(database, job("ada"), Outcome(status="failed", reason="No."))
    assert (await history.get(ADA, made.id)).reason == "No."
    assert ids(await history.latest(ADA)) == [made.id]
    assert (await history.page(ADA, mine=True)).entries == ()
    with pytest.raises(NoSuchObjectError):
        await history.publish(ADA, made.id, on=True)


async def test_pages_follow_each_other_without_gap_or_repeat(database: Database, history: History) -> None:
    """Also where objects are equally old, and others come meanwhile."""
    made = [await remembered(database, job("ada"), published_at=float(number // 3)) for number in range(11)]
    seen, after = [], None
    for _ in range(4):
        page = await history.page(EVE, limit=3, after=after)
        seen += ids(page.entries)
        after = page.after
        await remembered(database, job("ada"), published_at=100.0)
    assert after is None
    assert sorted(seen) == sorted(each.id for each in made)
    assert len(set(seen)) == 11


@pytest.mark.parametrize("after", ["", "nonsense", "W10", "bnVsbA", "x" * 300, "WyJhIiwgMV0"])
async def test_a_made_up_place_is_the_beginning(database: Database, history: History, after: str) -> None:
    made = await remembered(database, job("ada"), published_at=1.0)
    assert ids((await history.page(EVE, after=after)).entries) == [made.id]


async def test_a_page_of_one_kind(database: Database, history: History) -> None:
    made = await remembered(database, job("ada"), published_at=1.0)
    assert ids((await history.page(EVE, kind="echo")).entries) == [made.id]
    assert (await history.page(EVE, kind="sculpt")).entries == ()


async def test_several_identities_are_one_person(database: Database, history: History) -> None:
    first = await remembered(database, job("ada"))
    second = await remembered(database, job("ada", requester=requester("1", "discord")))
    assert set(ids((await history.page(BOTH, mine=True)).entries)) == {first.id, second.id}
    assert ids((await history.page(ADA, mine=True)).entries) == [first.id]


async def test_a_reported_object_is_hidden_by_an_admin_and_stays_its_owners(
    database: Database, history: History
) -> None:
    """One report a person, the latest word."""
    made = await remembered(database, job("ada"), published_at=1.0)
    await history.report(EVE, "telegram:eve", made.id, "dull")
    await history.report(EVE, "telegram:eve", made.id, "rude" * 500)
    [report] = await history.reports()
    assert (report.entry.id, report.reason, report.at) == (made.id, ("rude" * 500)[:500], 5000.0)
    await history.settle(made.id, hide=True)
    assert await history.reports() == []
    with pytest.raises(NoSuchObjectError):
        await history.get(EVE, made.id)
    assert (await history.get(ADA, made.id)).hidden
    await history.settle(made.id, hide=False)
    assert (await history.get(EVE, made.id)).public


async def test_what_one_cannot_see_one_cannot_report(database: Database, history: History) -> None:
    made = await remembered(database, job("ada"))
    with pytest.raises(NoSuchObjectError):
        await history.report(EVE, "telegram:eve", made.id, "x")
    with pytest.raises(NoSuchObjectError):
        await history.settle(made.id, hide=True)


PROMPT = {"prompt": "a red chair"}


def sculpted(**changes: Any) -> Job:
    return job("ada", kind="sculpt", lane="long", params=PROMPT, requester=SHARED, **changes)


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (sculpted(), True),
        (sculpted(private=True), False),
        (sculpted(private=True, publish=True), False),
        (sculpted(publish=False), False),
        (job("ada", kind="sculpt", lane="long", params=PROMPT), False),
        (job("ada", kind="sculpt", lane="long", params=PROMPT, publish=True), True),
    ],
    ids=["in a group", "private", "private all the same", "not wanted", "alone", "alone and wanted"],
)
def test_what_is_shown_to_others_without_a_word(made: Job, published: bool) -> None:
    """Asked where others listen, not private, or asked to be shown; `private` always wins."""
    row = job_row(SCULPT, made, ended_record(made, Outcome(status="done", result={})))
    assert (row["published_at"] is not None) is published


def test_photographs_of_ones_own_are_not_shown_without_a_word() -> None:
    photographs = Artifact(name="a.zip", sha256="0" * 64, size=1, media_type="application/zip").model_dump()
    for given, published in ((None, True), (photographs, False)):
        made = job(kind="reconstruct", lane="long", params={"photographs": given}, requester=SHARED)
        row = job_row(RECONSTRUCT, made, ended_record(made, Outcome(status="done", result={})))
        assert (row["published_at"] is not None) is published


def test_what_another_run_answered_is_not_shown_twice() -> None:
    """The first is in the gallery; who asked for the same has it in their own."""
    made = sculpted()
    for changes in ({"started_at": None}, {"leader": "0123"}):
        row = job_row(SCULPT, made, ended_record(made, Outcome(status="done", result={}, gpu_seconds=3.0), **changes))
        assert row["published_at"] is None
    assert row["made"]


def test_what_is_judged_is_nobodys_exhibit() -> None:
    """Texts are shown to others when their owner says so."""
    made = job(requester=SHARED)
    assert job_row(ECHO, made, ended_record(made, Outcome(status="done", result={})))["published_at"] is None


async def test_a_receipt_says_what_was_run_with_what(database: Database, history: History) -> None:
    """Job, kind, parameters, model and its revision, seed, device, device-seconds."""
    told = Outcome(
        status="done", result={"said": "x", "seed": 11}, seconds=1.5, gpu_seconds=1.25, model="m (nf4)",
        revision="0a1b2c", device="RTX",
    )  # fmt: skip
    made = await remembered(database, job("ada", "x" * 300), told)
    said = dict(receipt(await history.get(ADA, made.id)))
    assert (said["Job"], said["Kind"], said["Seed"]) == (made.id, "echo", "11")
    assert (said["Model"], said["Revision"], said["Device"], said["GPU-seconds"]) == (
        "m (nf4)",
        "0a1b2c",
        "RTX",
        "1.25",
    )
    assert len(said["text"]) == 200


@pytest.mark.parametrize("name", ["\0", "a\0", "\ud800", "x' OR '1'='1", "a" * 17, ""])
async def test_what_is_no_id_is_nobodys_object(database: Database, name: str) -> None:
    """It is not there, in each sort of database, and so is a place behind it."""
    history = History(database)
    with pytest.raises(NoSuchObjectError):
        await history.get(Viewer(), name)
    after = base64.urlsafe_b64encode(json.dumps([1.0, name]).encode()).decode()
    assert (await history.page(Viewer(), after=after)).entries == ()
