"""How the Telegram bot meets Telegram: tokens, outages, polling and webhooks, and what it writes into the log."""

from __future__ import annotations

import asyncio
import logging
import socket

import aiohttp
import pytest
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PASSAGE, SCORED, Room
from standin_telegram_model import Person

from frontdesk.bots import on_telegram
from frontdesk.queue import logs
from frontdesk.queue.errors import ConfigurationError

pytestmark = pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")  # the library warns itself


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("token", [None, "hello", "123:short", "4200000000:AA/../../getMe-and-so-on-and-on"])
async def test_what_is_no_token_stops_the_start(room: Room, token: str | None) -> None:
    """A missing or misshapen token is one line that names the setting, and nothing is asked of Telegram."""
    with pytest.raises(ConfigurationError, match="FRONTDESK_TELEGRAM_TOKEN is not") as caught:
        await on_telegram.serve(room.premises(telegram_token=token), asyncio.Event())
    assert token is None or token not in str(caught.value)
    assert room.telegram.calls == []


async def test_a_token_that_telegram_does_not_know_stops_the_start(room: Room) -> None:
    """The line names the setting, never the token."""
    unknown = "4200000000:AAsome-other-token-of-the-right-shape"
    with pytest.raises(ConfigurationError, match="does not know the token in FRONTDESK_TELEGRAM_TOKEN") as caught:
        await on_telegram.serve(room.premises(telegram_token=unknown), asyncio.Event())
    assert unknown not in str(caught.value)


async def test_a_revoked_token_ends_the_bot(room: Room, telegram: TelegramStandIn) -> None:
    """A token that stops working while the bot runs is reported, not retried for ever."""
    running = asyncio.create_task(on_telegram.serve(room.premises(), asyncio.Event()))
    await telegram.until(lambda: telegram.called("getUpdates"))
    telegram.token = telegram.token[::-1]
    await telegram.push({"message": {"unreadable": True}})  # ends the poll that still waits
    with pytest.raises(ConfigurationError, match="does not know the token"):
        await running


async def test_an_update_that_cannot_be_read_ends_nothing(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """While the library stumbles over an update, answers are still delivered; then the bot goes on."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        number = await telegram.push({"message": {"unreadable": True}})
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        await telegram.shows(ticket, "Reads like")
        del telegram.updates[number]
        await telegram.answer(await telegram.say(alice, "/help"))


async def test_a_default_kind_that_takes_no_text_stops_the_start(room: Room) -> None:
    """A plain message could not be made into such a job."""
    with pytest.raises(ConfigurationError, match="FRONTDESK_DEFAULT_KIND is paint"):
        await on_telegram.serve(room.premises(default_kind="paint"), asyncio.Event())


async def test_an_outage_at_the_start_is_waited_out(
    room: Room, telegram: TelegramStandIn, alice: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    """A Telegram that does not answer yet costs one line in the log, not the bot."""
    telegram.fail("getMe", page=True)
    telegram.fail("getMe", cut="before")
    telegram.fail("deleteWebhook", status=500)
    async with room.bot():
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
    logged = "".join(capfd.readouterr())
    assert logged.count("telegram cannot be reached") == 2  # for getMe and for deleteWebhook
    assert "Traceback" not in logged


async def test_an_outage_while_polling_is_waited_out(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Failed polls are tried again, and what people wrote meanwhile is taken."""
    async with room.bot():
        telegram.fail("getUpdates", page=True)
        telegram.fail("getUpdates", status=429, description="Too Many Requests: retry after 1", retry_after=1)
        telegram.fail("getUpdates", status=409, description="Conflict: terminated by other getUpdates request")
        await telegram.answer(await telegram.say(alice, "/jobs"))
        await telegram.answer(await telegram.say(alice, "/jobs"))


async def test_a_bot_that_never_reached_telegram_can_be_stopped(room: Room, telegram: TelegramStandIn) -> None:
    """The order to stop ends the waiting too."""
    telegram.fail(".*", status=500, times=1000)
    stop = asyncio.Event()
    running = asyncio.create_task(on_telegram.serve(room.premises(), stop))
    await telegram.until(lambda: len(telegram.called("getMe")) >= 2)
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_a_stopped_bot_has_confirmed_what_it_took(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """After an orderly stop nothing comes twice, and no task is left behind."""
    before = asyncio.all_tasks()
    async with room.bot():
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
    assert not telegram.updates
    assert {task for task in asyncio.all_tasks() - before if not task.done() and "standin" not in str(task)} == set()


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_a_reply_on_its_way_is_sent_before_the_bot_stops(
    room: Room, telegram: TelegramStandIn, alice: Person, port: int, mode: str
) -> None:
    """A stop waits for tickets that are being shown."""
    hook = {"telegram_webhook_url": f"http://127.0.0.1:{port}", "telegram_webhook_listen": f"127.0.0.1:{port}"}
    async with room.bot(**(hook if mode == "webhook" else {})):
        telegram.fail("sendMessage", status=429, description="Too Many Requests: retry after 1", retry_after=1)
        asked = await telegram.say(alice, f"/score {PASSAGE}")
        await telegram.until(lambda: telegram.called("sendMessage"))
    assert "in the queue" in (await telegram.answer(asked)).text


async def test_a_menu_that_cannot_be_set_stops_nothing(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """The menu is a convenience."""
    telegram.fail("setMyCommands", status=400, description="Bad Request: BOT_COMMAND_INVALID", times=99)
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/help"))


@pytest.mark.parametrize("secret", [None, "an-own-secret"])
async def test_webhook(room: Room, telegram: TelegramStandIn, alice: Person, port: int, secret: str | None) -> None:
    """With a webhook address Telegram posts the updates, and a post without the secret is turned away."""
    url = f"http://127.0.0.1:{port}/telegram/hook"
    settings = {"telegram_webhook_url": url, "telegram_webhook_listen": f"127.0.0.1:{port}"}
    async with room.bot(**settings, telegram_webhook_secret=secret):
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        assert telegram.called("getUpdates") == []
        forged = {"update_id": 999, "message": {**ticket.json(), "from": alice.json(), "text": f"/score {PASSAGE}"}}
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guess"}):
                async with session.post(url, json=forged, headers=headers) as response:
                    assert response.status == 403
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        await telegram.shows(ticket, "Reads like")
        await telegram.repeat(1)
        await telegram.settled()
        assert len(await room.jobs()) == 1
        assert len(telegram.webhook["secret_token"]) >= 13
        assert telegram.webhook["allowed_updates"] == ["message", "callback_query"]
    assert telegram.webhook["url"] == url  # Telegram keeps what comes while the bot is away


async def test_an_unconfirmed_post_is_sent_again(
    room: Room, telegram: TelegramStandIn, alice: Person, port: int
) -> None:
    """What is posted while no bot listens waits for the next one."""
    settings = {
        "telegram_webhook_url": f"http://127.0.0.1:{port}/hook",
        "telegram_webhook_listen": f"127.0.0.1:{port}",
        "telegram_webhook_secret": "an-own-secret",
    }
    async with room.bot(**settings):
        await telegram.answer(await telegram.say(alice, "/help"))
    asked = await telegram.say(alice, f"/score {PASSAGE}")
    async with room.bot(**settings):
        await room.ticket(asked)


async def test_a_webhook_that_cannot_listen_stops_the_start(room: Room) -> None:
    """A port in use is one line that names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = room.premises(telegram_webhook_url="http://127.0.0.1/hook", telegram_webhook_listen=listen)
        with pytest.raises(ConfigurationError, match="FRONTDESK_TELEGRAM_WEBHOOK_LISTEN"):
            await on_telegram.serve(settings, asyncio.Event())


async def test_a_secret_that_telegram_would_refuse_stops_the_start(room: Room) -> None:
    """Telegram takes letters, digits, _ and - only."""
    settings = room.premises(telegram_webhook_url="http://127.0.0.1/hook", telegram_webhook_secret="no:colons")
    with pytest.raises(ConfigurationError, match="FRONTDESK_TELEGRAM_WEBHOOK_SECRET"):
        await on_telegram.serve(settings, asyncio.Event())


async def test_an_address_that_telegram_refuses_stops_the_start(room: Room, telegram: TelegramStandIn) -> None:
    """What trying again cannot mend is said at once."""
    telegram.fail("setWebhook", status=400, description="Bad Request: bad webhook: HTTPS url must be provided")
    settings = room.premises(telegram_webhook_url="http://127.0.0.1/hook")
    with pytest.raises(ConfigurationError, match="Telegram refuses the webhook: Bad webhook: https"):
        await on_telegram.serve(settings, asyncio.Event())


async def test_the_log_holds_no_token_and_no_words(
    room: Room,
    telegram: TelegramStandIn,
    alice: Person,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Addresses that libraries log hold the token, updates hold what people wrote: neither gets through."""
    caplog.set_level(logging.INFO)
    telegram.fail("getUpdates", page=True)
    telegram.fail("sendMessage", cut="before")
    async with room.bot():
        await telegram.say(alice, f"/score {PASSAGE}")
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        await room.delivery(job.id)
        await telegram.answer(await telegram.say(alice, "/nonsense my diary"))
    everything = caplog.text + "".join(capfd.readouterr())
    assert "telegram bot" in everything
    assert telegram.token not in everything
    assert telegram.token.partition(":")[2] not in everything
    assert "harbour" not in everything
    assert "diary" not in everything
    assert logs.masked(telegram.token) == "***"
