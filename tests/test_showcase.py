"""The showcase: who may look at, publish, report and repeat what, whatever id they try."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from carving import CARVE
from console import premises
from exhibits import Exhibits, remembering
from redis.asyncio import Redis

from frontdesk.bots.people import Person
from frontdesk.bots.showcase import Showcase
from frontdesk.queue.catalogue import WRITE
from frontdesk.queue.errors import (
    HistoryClosedError,
    InvalidRequestError,
    NoSuchObjectError,
    NotAllowedError,
    UserError,
)
from frontdesk.queue.jobs import Artifact, Requester


def person(name: str) -> Person:
    return Person(Requester(platform="console", user=name, tenant="lab"))


ADA, BOB, ROOT = person("ada"), person("bob"), person("root")


class Shown:
    """A showcase over real history, with root as its admin."""

    def __init__(self, redis: Redis, exhibits: Exhibits, showcase: Showcase) -> None:
        self.redis = redis
        self.exhibits = exhibits
        self.showcase = showcase

    async def listed(self, who: Person | None, *, mine: bool = False) -> list[str]:
        return [entry.id for entry in (await self.showcase.page(who, mine=mine)).entries]


@pytest.fixture
async def shown(redis: Redis, tmp_path: Path) -> AsyncIterator[Shown]:
    async with remembering(tmp_path) as memory:
        front = premises(redis, kinds=[CARVE], default="carve", admin="root", memory=memory)
        yield Shown(redis, Exhibits(memory), front.desk.showcase)


ATTEMPTS: dict[str, Callable[[Showcase, Person, str], Awaitable[object]]] = {
    "look": lambda showcase, who, job: showcase.entry(who, job),
    "publish": lambda showcase, who, job: showcase.publish(who, job),
    "unpublish": lambda showcase, who, job: showcase.unpublish(who, job),
    "report": lambda showcase, who, job: showcase.report(who, job, "hm"),
    "rerun": lambda showcase, who, job: showcase.rerun(who, job),
    "similar": lambda showcase, who, job: showcase.similar(who, job),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("who", [BOB, ROOT], ids=["somebody", "an admin"])
async def test_a_private_object_is_not_there_for_others(shown: Shown, attempt: str, who: Person) -> None:
    """Whatever is tried with its id reads as for an id that nobody has."""
    hers = await shown.exhibits.add("console:ada", "a secret horse", public=False)
    await shown.exhibits.index()
    with pytest.raises(NoSuchObjectError) as error:
        await ATTEMPTS[attempt](shown.showcase, who, hers)
    with pytest.raises(NoSuchObjectError) as nobodys:
        await ATTEMPTS[attempt](shown.showcase, who, "1rx6m3zzz")
    assert str(error.value).replace(hers, "") == str(nobodys.value).replace("1rx6m3zzz", "")
    assert not (await shown.showcase.search(who, "secret horse")).entries
    assert await shown.listed(who) == []


@pytest.mark.parametrize("attempt", ["publish", "unpublish"])
async def test_a_public_object_is_changed_by_its_owner_alone(shown: Shown, attempt: str) -> None:
    """Seeing it does not make it one's own."""
    hers = await shown.exhibits.add("console:ada", "a horse")
    with pytest.raises(NoSuchObjectError):
        await ATTEMPTS[attempt](shown.showcase, BOB, hers)
    assert (await shown.showcase.entry(BOB, hers)).public


async def test_what_one_publishes_everybody_sees_until_one_takes_it_back(shown: Shown) -> None:
    """Doing either twice is the same as once."""
    hers = await shown.exhibits.add("console:ada", "a horse", public=False)
    for _ in range(2):
        await shown.showcase.publish(ADA, hers.upper())
    assert await shown.listed(None) == [hers]
    for _ in range(2):
        await shown.showcase.unpublish(ADA, hers)
    assert await shown.listed(None) == []
    assert await shown.listed(ADA, mine=True) == [hers]


async def test_an_admin_hides_what_was_reported(shown: Shown) -> None:
    """Others no longer see it, its owner does, the reports are settled, and the audit log names who did it and why."""
    hers = await shown.exhibits.add("console:ada", "a horse")
    await shown.showcase.report(BOB, hers, "That is my horse.\x00")
    (report,) = await shown.showcase.reports(ROOT)
    assert (report.entry.id, report.reason) == (hers, "That is my horse.")
    await shown.showcase.hide(ROOT, hers, on=True, reason="it is his")
    assert await shown.listed(None) == []
    assert (await shown.showcase.entry(ADA, hers)).hidden
    assert await shown.showcase.reports(ROOT) == []
    await shown.showcase.hide(ROOT, hers, on=False)
    assert await shown.listed(BOB) == [hers]
    audit = await premises(shown.redis, kinds=[CARVE]).desk.steering.seen.audit(5)
    assert [(each.by, each.action, each.target, each.reason) for each in audit] == [
        ("console:root", "unhide", hers, ""),
        ("console:root", "hide", hers, "it is his"),
    ]


@pytest.mark.parametrize("who", [ADA, BOB], ids=["its owner", "another"])
async def test_only_admins_read_reports_and_hide(shown: Shown, who: Person) -> None:
    """Who is none learns nothing, not even of their own object."""
    hers = await shown.exhibits.add("console:ada", "a horse")
    for refused in (
        shown.showcase.reports(who),
        shown.showcase.hide(who, hers, on=True),
        shown.showcase.settle(who, hers),
        shown.showcase.kept(who, hers),
    ):
        with pytest.raises(NotAllowedError):
            await refused
    assert await shown.listed(None) == [hers]


async def test_a_rerun_asks_for_what_was_made_with_the_seed_that_was_used(shown: Shown) -> None:
    """One's own stays private; another's published one is repeated as anybody's request."""
    hers = await shown.exhibits.add("console:ada", "a horse", private=True)
    own, others = await shown.showcase.rerun(ADA, hers), await shown.showcase.rerun(BOB, hers)
    assert (own.kind.name, own.raw, own.private) == ("carve", {"what": "a horse"}, True)
    assert (others.raw, others.private) == ({"what": "a horse"}, False)


@pytest.mark.parametrize("asked", [{}, {"seed": 3}], ids=["drawn", "asked for"])
async def test_a_rerun_of_what_was_drawn_draws_the_same(shown: Shown, redis: Redis, asked: dict[str, int]) -> None:
    """The seed is the one that was used, whether it was asked for or not; the request is one that its kind takes."""
    used = asked.get("seed", 41)
    params = {"prompt": "on rain", "temperature": 0.5, **asked}
    made = await shown.exhibits.add("console:ada", "on rain", kind="write", params=params, seed=used)
    shown.showcase._kinds = premises(redis, kinds=[WRITE], default="write").kinds
    for who in (ADA, BOB):
        again = await shown.showcase.rerun(who, made)
        assert again.raw == {"prompt": "on rain", "temperature": 0.5, "seed": used}
        assert WRITE.params.model_validate(again.raw).seed == used


async def test_nobody_repeats_what_was_made_from_anothers_file(shown: Shown, redis: Redis) -> None:
    """The file is its owner's, who may."""
    from mounting import MOUNT

    photo = Artifact(name="photo.png", sha256="0" * 64, size=9, media_type="image/png").model_dump()
    made = await shown.exhibits.add("console:ada", "a frame", kind="mount", params={MOUNT.files[0].name: photo})
    shown.showcase._kinds = premises(redis, kinds=[MOUNT], default="mount").kinds
    with pytest.raises(InvalidRequestError, match="a file of whoever asked"):
        await shown.showcase.rerun(BOB, made)
    assert (await shown.showcase.rerun(ADA, made)).raw == {MOUNT.files[0].name: Artifact.model_validate(photo)}


async def test_a_desk_whose_memory_is_away_says_so(redis: Redis, tmp_path: Path) -> None:
    """In a sentence, and nothing else of the desk stops."""
    (tmp_path / "history.db").mkdir()  # no file can be opened there
    async with remembering(tmp_path) as memory:
        showcase = premises(redis, kinds=[CARVE], default="carve", memory=memory).desk.showcase
        with pytest.raises(HistoryClosedError, match="memory cannot be reached"):
            await showcase.page(ADA)
    with pytest.raises(UserError, match="memory cannot be reached"):
        await premises(redis).desk.showcase.page(ADA)
