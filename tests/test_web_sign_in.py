"""Signing in to the web page: with a link from a bot that works once, and a cookie that nobody can make up."""

from __future__ import annotations

import re

import pytest
from queueing import until
from redis.asyncio import Redis
from websites import BASE, Browser, application, front_of, somebody

from frontdesk.bots.commands import own_commands
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Reply, as_text
from frontdesk.gallery.cookies import Signer
from frontdesk.queue import keys
from frontdesk.queue.accounts import Accounts
from frontdesk.queue.jobs import Platform
from frontdesk.queue.sessions import KEEPS, Sessions
from frontdesk.queue.sign_in import LASTS, SignIns

ANSWER = re.compile(rf"{BASE}(/sign-in/([A-Za-z0-9_-]+))")


@pytest.fixture
def browser(redis: Redis) -> Browser:
    return Browser(application(front_of(redis)))


async def test_the_bots_answer_signs_in(redis: Redis, browser: Browser) -> None:
    """`/web` gives a link, for the asker's eyes only; it leads to a page with one button, and that to being signed
    in."""
    command = own_commands(front_of(redis))["web"]
    assert command.secret
    reply = await command.answer(Person(somebody("1", "discord")), {})
    assert isinstance(reply, Reply)
    found = ANSWER.search(as_text(reply))
    assert found
    page = await browser.get(found[1])
    assert "Sign in as discord user 1 on this browser" in page.text
    signed_in = await browser.post(found[1])
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/create")
    assert "discord user\n  1</strong>" in (await browser.get("/account")).text


async def test_opening_a_link_does_not_use_it_up(redis: Redis, browser: Browser) -> None:
    """Chat apps open links to show a preview of them."""
    secret = await SignIns(redis).give(somebody())
    for _ in range(3):
        assert (await Browser(browser.app).get(f"/sign-in/{secret}")).status_code == 200
    await browser.get(f"/sign-in/{secret}")
    assert (await browser.post(f"/sign-in/{secret}")).status_code == 303


async def test_a_link_works_once(redis: Redis, browser: Browser) -> None:
    """Who finds it later in a browser's history gets nothing, not even the button."""
    secret = await SignIns(redis).give(somebody())
    late = Browser(browser.app)
    for each in (browser, late):
        await each.get(f"/sign-in/{secret}")
    assert (await browser.post(f"/sign-in/{secret}")).status_code == 303
    assert (await late.post(f"/sign-in/{secret}")).status_code == 410
    assert "frontdesk-session" not in late.client.cookies
    assert (await late.get(f"/sign-in/{secret}")).status_code == 410


async def test_a_link_ends_after_ten_minutes(redis: Redis, browser: Browser) -> None:
    secret = await SignIns(redis).give(somebody())
    [key] = await redis.keys(f"{keys.SIGN_IN}*")
    assert 0 < await redis.ttl(key) <= LASTS == 600
    await browser.get(f"/sign-in/{secret}")
    await redis.pexpire(key, 1)
    await until(lambda: _gone(redis, key))
    assert (await browser.post(f"/sign-in/{secret}")).status_code == 410


async def _gone(redis: Redis, key: bytes) -> bool:
    return not await redis.exists(key)


@pytest.mark.parametrize("secret", ["x", "a" * 43, "a" * 5000, "%00", "..%2f..%2fadmin"])
async def test_a_link_that_nobody_gave_has_ended(browser: Browser, secret: str) -> None:
    assert (await browser.get(f"/sign-in/{secret}")).status_code in (404, 410)


async def test_a_sign_in_cannot_be_forged_from_elsewhere(redis: Redis, browser: Browser) -> None:
    """A page that posts somebody else's link from a visitor's browser would have them work as that person."""
    secret = await SignIns(redis).give(somebody("mallory"))
    other = Browser(browser.app)
    await other.get(f"/sign-in/{secret}")
    refused = await browser.post(f"/sign-in/{secret}", token=other.token)
    assert refused.status_code == 403
    assert "frontdesk-session" not in browser.client.cookies


async def test_redis_holds_nothing_to_sign_in_with(redis: Redis, browser: Browser) -> None:
    """Neither a link's secret nor a browser's: only their hashes."""
    secret = await SignIns(redis).give(somebody())
    await browser.sign_in()
    own = browser.cookie("session").partition(".")[0]
    kept = b"".join([key + await redis.dump(key) for key in await redis.keys("*")])
    assert len(own) == len(secret) == 43
    assert secret.encode() not in kept
    assert own.encode() not in kept


@pytest.mark.parametrize("at", [0, 20, 43, 44, 60, -1])
async def test_a_cookie_that_was_altered_is_nobodys(browser: Browser, at: int) -> None:
    """By one sign, wherever."""
    await browser.sign_in()
    cookie = browser.cookie("session")
    changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + (cookie[at:][1:])
    thief = Browser(browser.app, headers={"Cookie": f"frontdesk-session={changed}"})
    assert (await thief.get("/account")).headers["location"] == "/sign-in"
    honest = Browser(browser.app, headers={"Cookie": f"frontdesk-session={cookie}"})
    assert (await honest.get("/account")).status_code == 200


async def test_a_cookie_needs_the_sites_own_key(redis: Redis, browser: Browser) -> None:
    """Who can write to Redis cannot sign in without it, nor with another of our signatures."""
    session = await Sessions(redis).begin(somebody(), 0.0)
    for signer, purpose in ((Signer(b"x" * 32), "frontdesk cookie session 1"), (Signer(b"k" * 32), "another")):
        thief = Browser(browser.app, headers={"Cookie": f"frontdesk-session={signer.signed(purpose, session.secret)}"})
        assert (await thief.get("/account")).headers["location"] == "/sign-in"


async def test_the_cookie_is_kept_from_scripts_and_other_sites(redis: Redis, browser: Browser) -> None:
    """And with https from any connection without it."""
    for base, start in ((BASE, "frontdesk-session="), ("https://desk.example", "__Host-frontdesk-session=")):
        app = application(front_of(redis), base)
        visitor = Browser(app, base)
        secret = await SignIns(redis).give(somebody())
        await visitor.get(f"/sign-in/{secret}")
        done = await visitor.post(f"/sign-in/{secret}")
        [cookie] = [each for each in done.headers.get_list("set-cookie") if each.startswith(start)]
        assert "; HttpOnly; SameSite=Lax" in cookie
        assert f"Max-Age={KEEPS}" in cookie
        assert "Path=/;" in cookie
        assert cookie.endswith("; Secure") is (base != BASE)


async def test_every_sign_in_begins_a_session_of_its_own(browser: Browser) -> None:
    """A secret that was put into a browser beforehand is never the signed-in one, and the one before ends."""
    await browser.sign_in(somebody("ada"))
    before = browser.cookie("session")
    await browser.sign_in(somebody("bob"))
    assert browser.cookie("session") != before
    old = Browser(browser.app, headers={"Cookie": f"frontdesk-session={before}"})
    assert (await old.get("/account")).headers["location"] == "/sign-in"


async def test_signing_out_ends_the_session_here(browser: Browser) -> None:
    """Also for who kept a copy of the cookie; other browsers stay."""
    await browser.sign_in()
    elsewhere = await Browser(browser.app).sign_in()
    kept = browser.cookie("session")
    assert (await browser.post("/sign-out")).status_code == 303
    copy = Browser(browser.app, headers={"Cookie": f"frontdesk-session={kept}"})
    assert (await copy.get("/account")).headers["location"] == "/sign-in"
    assert (await elsewhere.get("/account")).status_code == 200


async def test_signing_out_everywhere_ends_all_of_ones_sessions(redis: Redis, browser: Browser) -> None:
    """And nobody else's."""
    await browser.sign_in(somebody("ada"))
    phone = await Browser(browser.app).sign_in(somebody("ada"))
    other = await Browser(browser.app).sign_in(somebody("bob"))
    await browser.post("/sign-out/everywhere")
    assert (await phone.get("/account")).headers["location"] == "/sign-in"
    assert (await other.get("/account")).status_code == 200
    assert await Sessions(redis).end_all("console:bob") == 1  # found by identity, as /forget finds them
    assert (await other.get("/account")).headers["location"] == "/sign-in"
    assert await redis.keys("fd:session*") == []


async def test_signing_out_everywhere_ends_the_sessions_of_all_ones_identities(redis: Redis, browser: Browser) -> None:
    """A phone that was signed in by the link of another platform is signed out as well."""
    accounts = Accounts(redis)
    await accounts.link("telegram:1", await accounts.code("discord:1"))
    await browser.sign_in(somebody("1", "telegram"))
    phone = await Browser(browser.app).sign_in(somebody("1", "discord"))
    await browser.post("/sign-out/everywhere")
    assert (await phone.get("/account")).headers["location"] == "/sign-in"


async def test_a_session_lives_on_while_it_is_used(redis: Redis, browser: Browser) -> None:
    """Its end, and the cookie's, are put off once a day: 30 days without a visit, and it is gone."""
    await browser.sign_in()
    [key] = await redis.keys(f"{keys.SESSION}*")
    assert "set-cookie" not in (await browser.get("/account")).headers
    await redis.expire(key, KEEPS - 86_400 - 10)
    assert f"Max-Age={KEEPS}" in (await browser.get("/account")).headers["set-cookie"]
    assert await redis.ttl(key) > KEEPS - 10
    await redis.delete(key)
    assert (await browser.get("/account")).headers["location"] == "/sign-in"


@pytest.mark.parametrize(("platform", "tenant"), [("discord", "7"), ("telegram", "7"), ("console", "console:7")])
async def test_who_signs_in_is_by_themselves(browser: Browser, platform: Platform, tenant: str) -> None:
    """A link that was asked for in a group signs in the person, in no group."""
    await browser.sign_in(somebody("7", platform).model_copy(update={"tenant": "a group"}))
    reception = browser.app.state.site
    session = await reception.sessions.of(browser.cookie("session").partition(".")[0])
    from frontdesk.gallery.visitors import alone

    assert alone(session.requester).tenant == tenant
