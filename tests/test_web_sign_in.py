"""Signing in to the web page: with a link from a bot that works once, and a cookie that nobody can make up."""

from __future__ import annotations

from redis.asyncio import Redis
from websites import Browser, application, front_of, somebody


async def test_a_link_signs_in_once(redis: Redis) -> None:
    app = application(front_of(redis))
    browser = Browser(app)
    await browser.sign_in(somebody("ada"))
    assert "console user\n  ada" in (await browser.get("/account")).text
