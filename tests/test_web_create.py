"""Asking on the page: the form of a kind, what is wrong with it, and a job that is asked for once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from mounting import MAX, MOUNT, ZIP, good
from pydantic import Field
from queueing import ECHO, EchoResult
from redis.asyncio import Redis
from storing import folder_store
from websites import Browser, application, front_of, somebody

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, load
from frontdesk.queue.jobs import Job
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.steering import Steering

ONCE = re.compile(r'name="once" value="([^"]+)"')


class PaintParams(Params):
    subject: Annotated[str, Field(description="What to paint", min_length=3, max_length=2000)]
    width: Annotated[int, Field(description="In pixels", ge=16, le=1024)] = 256
    style: Annotated[Literal["oil", "ink"], Field(description="How it looks")] = "oil"
    framed: Annotated[bool, Field(description="With a frame")] = True
    strength: Annotated[float | None, Field(description="Of the colours", gt=0, le=1)] = None


PAINT = JobKind("paint", "Paint a picture", PaintParams, EchoResult, cost=lambda _: 1.0)


def browser_of(redis: Redis, **options: object) -> Browser:
    return Browser(application(front_of(redis, **{"kinds": (ECHO, PAINT), **options})))  # type: ignore[arg-type]


async def asked(redis: Redis) -> list[Job]:
    """All jobs that wait."""
    return [decode(Job, load(await redis.get(key))["a"][0]) for key in await redis.keys(f"{keys.PAYLOAD}*")]


async def opened(redis: Redis, path: str = "/create/echo", **options: object) -> Browser:
    """Signed in, and with a form before them."""
    browser = await browser_of(redis, **options).sign_in()
    await browser.get(path)
    return browser


def once(browser: Browser) -> str:
    found = ONCE.search(browser.page)
    assert found
    return found[1]


async def test_all_kinds_are_offered_to_everybody(redis: Redis) -> None:
    """Only asking needs a sign-in."""
    browser = browser_of(redis)
    page = (await browser.get("/create")).text
    assert "Paint a picture" in page
    assert "/create/echo" in page
    assert (await browser.get("/create/paint")).headers["location"] == "/sign-in"


async def test_a_form_is_made_of_the_declaration(redis: Redis) -> None:
    """Each sort of parameter has its control, with its range, its default, its description and a label."""
    page = (await opened(redis, "/create/paint")).page
    assert re.search(r'<textarea rows="5" id="subject"[^>]* required minlength="3" maxlength="2000">', page)
    assert re.search(r'<input type="number" value="256" step="1" min="16" max="1024" id="width"', page)
    assert re.search(r'<select id="style".*?<option value="oil" selected>oil</option>', page, re.DOTALL)
    assert re.search(r'<input type="checkbox" value="yes" id="framed"[^>]* checked>', page)
    assert re.search(r'<input type="number" value="" step="any" max="1" id="strength"', page)
    assert "How it looks. One of oil, ink." in page
    for name in ("subject", "width", "style", "strength"):
        assert f'<label for="{name}">' in page
        assert f'aria-describedby="{name}-hint"' in page


async def test_an_address_may_fill_the_form_in(redis: Redis) -> None:
    """What it says is text and never markup."""
    page = (await opened(redis, '/create/paint?width=64&style=ink&subject="><script>alert(1)</script>')).page
    assert 'value="64"' in page
    assert '<option value="ink" selected>' in page
    assert "&#34;&gt;&lt;script&gt;" in page
    assert "<script>" not in page


async def test_a_request_becomes_a_job_of_the_person(redis: Redis) -> None:
    """It is queued as from a chat, and its answer goes to the page."""
    browser = await opened(redis, "/create/paint")
    form = {"once": once(browser), "subject": " A cat\r\nasleep ", "width": "64", "style": "ink", "strength": ""}
    done = await browser.post("/create/paint", form)
    [job] = await asked(redis)
    assert (done.status_code, done.headers["location"]) == (303, f"/jobs/{job.id}")
    assert job.params == {"subject": "A cat\nasleep", "width": 64, "style": "ink", "framed": False, "strength": None}
    assert (job.requester.key, job.requester.tenant, job.to) == ("console:ada", "console:ada", "web")
    assert (job.private, job.publish) == (False, False)
    assert job.id in (await browser.get("/jobs")).text


@pytest.mark.parametrize(
    ("ticked", "private", "publish"),
    [({"publish": "yes"}, False, True), ({"private": "yes"}, True, False),
     ({"private": "yes", "publish": "yes"}, True, False)],
)  # fmt: skip
async def test_who_sees_it_is_ticked(redis: Redis, ticked: dict[str, str], private: bool, publish: bool) -> None:
    """What is private is never published."""
    browser = await opened(redis)
    await browser.post("/create/echo", {"text": "hello", **ticked})
    [job] = await asked(redis)
    assert (job.private, job.publish) == (private, publish)


async def test_what_is_wrong_stands_beside_each_field(redis: Redis) -> None:
    """All at once, in words; what was filled in stays, and nothing is queued."""
    browser = await opened(redis, "/create/paint")
    form = {"once": once(browser), "subject": "ab", "width": "9", "style": "chalk", "private": "yes"}
    said = await browser.post("/create/paint", form)
    assert said.status_code == 422
    page = said.text
    assert "Subject must have 3 to 2,000 characters; this has 2." in page
    assert "Width must be 16 to 1,024." in page
    assert "Style must be one of oil, ink." in page
    assert re.search(r'id="width"[^>]* aria-describedby="width-hint width-problem"[^>]* aria-invalid="true"', page)
    assert '<a href="#width">Width</a>' in page
    assert page.count('role="alert"') == 1
    assert ">\nab</textarea>" in page
    assert 'name="private" value="yes" checked' in page
    assert once(browser) in page
    assert not await asked(redis)


async def test_an_option_that_nobody_offered_is_no_matter(redis: Redis) -> None:
    """A form takes what it declares, and nothing else that a browser sends."""
    browser = await opened(redis)
    await browser.post("/create/echo", {"text": "hello", "requester": "console:root", "cost": "0", "lane": "long"})
    [job] = await asked(redis)
    assert (job.requester.key, job.lane, set(job.params)) == ("console:ada", "short", {"text", "times"})


async def test_a_form_that_is_sent_twice_asks_once(redis: Redis) -> None:
    """A double click, or a reload of the answer: the same job both times."""
    browser = await opened(redis)
    form = {"once": once(browser), "text": "hello"}
    first, second = [await browser.post("/create/echo", form) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert len(await asked(redis)) == 1
    await browser.get("/create/echo")
    third = await browser.post("/create/echo", {**form, "once": once(browser)})
    assert third.headers["location"] != first.headers["location"]


async def test_what_makes_a_form_count_once_names_nobody(redis: Redis) -> None:
    """It stays for a while when a person wants to be forgotten."""
    browser = await opened(redis)
    assert (await browser.post("/create/echo", {"text": "hello", "once": once(browser)})).status_code == 303
    [name] = await redis.keys("fd:update:*")
    assert b"ada" not in name


async def test_anothers_form_number_is_no_way_to_their_job(redis: Redis) -> None:
    """Who knows it gets a job of their own."""
    ada = await opened(redis)
    form = {"once": once(ada), "text": "hello"}
    hers = await ada.post("/create/echo", form)
    bob = await browser_of(redis).sign_in(somebody("bob"))
    his = await bob.post("/create/echo", form)
    assert his.headers["location"] != hers.headers["location"]


async def test_limits_are_told_on_the_form(redis: Redis) -> None:
    """With the words of the chats, and when to come again; what was typed is not lost."""
    browser = await opened(redis)
    for number in range(60):
        said = await browser.post("/create/echo", {"text": f"hello {number}"})
        if said.status_code != 303:
            break
    assert said.status_code == 429
    assert 'role="alert"' in said.text
    assert f"hello {number}" in said.text


async def test_who_is_banned_is_told(redis: Redis) -> None:
    browser = await opened(redis)
    await Steering(redis, keep=60.0).ban("console:ada", by="console:root", reason="no more cats")
    said = await browser.post("/create/echo", {"text": "hello"})
    assert said.status_code == 403
    assert "no more cats" in said.text


async def test_a_kind_that_is_not_there(redis: Redis) -> None:
    browser = await opened(redis)
    assert (await browser.get("/create/nothing")).status_code == 404
    assert (await browser.post("/create/nothing", {"text": "hello"})).status_code == 404


async def test_a_file_comes_with_the_form(redis: Redis, tmp_path: Path) -> None:
    """It is looked at as in a chat, stored under its parameter's name, and the job's."""
    store = folder_store(tmp_path / "store")
    browser = await opened(redis, "/create/mount", kinds=(MOUNT,), store=store)
    assert 'enctype="multipart/form-data"' in browser.page
    assert '<input type="file" accept=".zip" id="pictures"' in browser.page
    done = await browser.post("/create/mount", {"colour": "red"}, files={"pictures": ("my cats.zip", good(), ZIP)})
    assert done.status_code == 303
    [job] = await asked(redis)
    assert job.params["pictures"]["name"] == "pictures.zip"
    assert [blob.key for blob in store.contents().files] == [job.params["pictures"]["sha256"]]


@pytest.mark.parametrize(
    ("name", "content", "sort", "why"),
    [
        ("cats.png", b"\x89PNG", "image/png", "is not of a sort that is taken"),
        ("cats.zip", b"MZ no zip", ZIP, "is called .zip, but is none"),
        ("cats.zip", b"", ZIP, "is empty"),
        ("cats.zip", b"PK\x03\x04" + b"x" * MAX, ZIP, "send a .zip of at most 100 kB"),
        ("<b>.exe", b"MZ", ZIP, "&lt;b&gt;.exe is not of a sort"),
    ],
)
async def test_a_file_that_is_not_taken(
    redis: Redis, tmp_path: Path, name: str, content: bytes, sort: str, why: str
) -> None:
    """The field says why, and nothing of it stays."""
    store = folder_store(tmp_path / "store")
    browser = await opened(redis, "/create/mount", kinds=(MOUNT,), store=store)
    said = await browser.post("/create/mount", files={"pictures": (name, content, sort)})
    assert said.status_code == 422
    assert 'id="pictures-problem"' in said.text
    assert why in said.text
    assert not store.contents().files
    assert not await asked(redis)


async def test_a_file_is_no_text(redis: Redis, tmp_path: Path) -> None:
    """Words where a file belongs name nothing on this machine, and no file of others."""
    browser = await opened(redis, "/create/mount", kinds=(MOUNT,), store=folder_store(tmp_path / "store"))
    said = await browser.post("/create/mount", {"pictures": "/etc/passwd"})
    assert said.status_code == 422
    assert "is needed" in said.text
