"""The Telegram bot: its connection, its menus, and the way of each update from Telegram to a handler.

An update is confirmed to Telegram only after it is settled, which for a job means: it is in the queue. Until then
Telegram keeps it and sends it again, and the queue knows an update that it has seen; so a kill -9 at any moment loses
no job and doubles none. What can be lost is a sentence (a help text, a refusal) between its update's confirmation
and its sending.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlsplit

import structlog
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, TelegramError
from telegram.ext import Updater
from telegram.request import HTTPXRequest

from frontdesk.bots.commands import own_commands
from frontdesk.bots.errands import Errands, first, until
from frontdesk.bots.main import Premises
from frontdesk.bots.observing import BUTTON, UNOBSERVED, WORDS, BotObserver
from frontdesk.bots.on_telegram_deliverer import TelegramDeliverer
from frontdesk.bots.on_telegram_delivery import Pace, Sender
from frontdesk.bots.on_telegram_fetching import Unfetched
from frontdesk.bots.on_telegram_handlers import Handlers
from frontdesk.bots.on_telegram_intake import ALLOWED_UPDATES, Pressed, Said, read
from frontdesk.bots.on_telegram_menu import Menu
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings

log = structlog.get_logger()
T = TypeVar("T")

POLL_SECONDS: Final = 30
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between tries while Telegram cannot be reached
DRAIN_SECONDS: Final = 5.0  # for tickets and sentences on their way when the bot stops
CONNECTIONS: Final = 64
READ_TIMEOUT: Final = 20.0
TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,}")
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class UnreadableUpdateError(TelegramError):
    """Telegram sends what this version of the library cannot read. Telegram gives up such an update after a day."""


async def serve(front: Premises, stop: asyncio.Event) -> None:
    """Run the bot until `stop` is set. Raises ConfigurationError for what only a person can put right."""
    settings = front.settings
    if front.kinds[settings.default_kind].subject is None:
        raise ConfigurationError(f"FRONTDESK_DEFAULT_KIND is {settings.default_kind}, which takes no plain text.")
    _keep_quiet()
    bot = make_bot(settings)
    try:
        if await until(stop, _insist(partial(_know, bot), "this bot")):
            await _serve(front, bot, stop)
    finally:
        await bot.shutdown()


def make_bot(settings: Settings) -> Bot:
    """The library's bot for the configured token and server. Raises ConfigurationError."""
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else ""
    if not TOKEN.fullmatch(token):
        raise ConfigurationError(
            "FRONTDESK_TELEGRAM_TOKEN is not a bot's token; @BotFather gives one such as 123456789:AAexample..."
            if token
            else "FRONTDESK_TELEGRAM_TOKEN is not set; @BotFather in Telegram gives one."
        )
    request = HTTPXRequest(connection_pool_size=CONNECTIONS, read_timeout=READ_TIMEOUT, pool_timeout=READ_TIMEOUT)
    polling = HTTPXRequest(connection_pool_size=2, read_timeout=READ_TIMEOUT)
    if settings.telegram_api_url is None:
        return Bot(token, request=request, get_updates_request=polling)
    url = settings.telegram_api_url
    return Bot(
        token, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot", request=request, get_updates_request=polling
    )


async def _know(bot: Bot) -> bool:
    await bot.initialize()
    return True


async def _serve(front: Premises, bot: Bot, stop: asyncio.Event) -> None:
    settings = front.settings
    log.info("telegram bot", bot=bot.username, mode="webhook" if settings.telegram_webhook_url else "polling")
    sender = Sender(bot, Pace(asyncio.get_running_loop().time))
    courier = front.courier(TelegramDeliverer(sender, front.broker, settings.telegram_upload_mb * 1_000_000))
    errands = Errands()
    menu = Menu(bot, front.kinds, own_commands(front))
    handlers = Handlers(front, courier, sender, bot.bot, lambda user: errands.add(menu.set_for_admin(user)))
    desk = Reception(bot, handlers, Unfetched(front.redis), front.observer)
    errands.add(menu.set_all(settings))
    try:
        receive = _hook if settings.telegram_webhook_url else _poll
        await desk.take_up()
        await first(courier.run(), receive(bot, settings, desk.take, stop))
        await desk.drain()
    finally:
        await errands.cancel()
        await desk.cancel()


class Reception:
    """Takes updates one after the other: the next when the one before is settled, while its reply is on its way."""

    def __init__(self, bot: Bot, handlers: Handlers, unfetched: Unfetched, observer: BotObserver = UNOBSERVED) -> None:
        self._bot = bot
        self._handlers = handlers
        self._unfetched = unfetched
        self._observer = observer
        self._turns = Errands()
        self._lock = asyncio.Lock()

    async def take_up(self) -> None:
        """Take the updates whose documents an earlier process did not come to fetch."""
        try:
            for update in await self._unfetched.left(self._bot):
                await self.take(update, again=True)
        except LOST as error:
            log.warning("redis is away", step="unfetched documents", error=type(error).__name__)

    async def take(self, update: Update, *, again: bool = False) -> None:
        """Returns once nothing of the update can be lost. again: a process died with it; it is not kept once more."""
        act = read(update, self._bot.bot)
        if act is None:
            return
        async with self._lock:
            settled = asyncio.Event()
            turn = self._turns.add(self._turn(update, act, settled, keep=not again))
            turn.add_done_callback(lambda _: settled.set())
            await settled.wait()
        self._observer.commanded("telegram", BUTTON if isinstance(act, Pressed) else act.command or WORDS)

    async def _turn(self, update: Update, act: Said | Pressed, settled: asyncio.Event, *, keep: bool) -> None:
        kept = False

        async def put_off() -> None:
            nonlocal kept
            if keep and not kept:
                await self._unfetched.keep(update)
                kept = True
            settled.set()

        await self._handlers.handle(act, settled.set, put_off)
        if kept:  # where this is cancelled it stays for the next process
            with suppress(*LOST):
                await self._unfetched.drop(update.update_id)

    async def drain(self) -> None:
        """Let replies on their way go out."""
        await self._turns.wait(DRAIN_SECONDS)

    async def cancel(self) -> None:
        await self._turns.cancel()


async def _poll(bot: Bot, settings: Settings, take: Callable[[Update], Awaitable[None]], stop: asyncio.Event) -> None:
    """Fetch updates until `stop`. A batch is confirmed by the next call, when all of it is settled."""
    await until(stop, _insist(partial(bot.delete_webhook, drop_pending_updates=False), "polling"))
    offset = 0
    while not stop.is_set():
        for update in await until(stop, _insist(partial(_fetch, bot, offset), "polling")) or ():
            await take(update)
            offset = update.update_id + 1
    if offset:
        with suppress(TelegramError):  # else the last batch comes again, and is known
            await bot.get_updates(offset=offset, timeout=0, limit=1, allowed_updates=ALLOWED_UPDATES)


async def _fetch(bot: Bot, offset: int) -> Sequence[Update]:
    try:
        return await bot.get_updates(offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED_UPDATES)
    except (TypeError, KeyError, ValueError, AttributeError):
        raise UnreadableUpdateError("the library cannot read an update") from None


async def _hook(bot: Bot, settings: Settings, take: Callable[[Update], Awaitable[None]], stop: asyncio.Event) -> None:
    """Let Telegram post updates until `stop`; each is answered when it is settled, so that Telegram keeps it till then.

    The webhook stays registered: Telegram keeps what comes while the bot is down.
    """
    url = settings.telegram_webhook_url or ""
    secret = settings.telegram_webhook_secret.get_secret_value() if settings.telegram_webhook_secret else None
    if secret is not None and not SECRET.fullmatch(secret):
        raise ConfigurationError("FRONTDESK_TELEGRAM_WEBHOOK_SECRET may hold 1 to 256 of A-Z, a-z, 0-9, _ and -.")
    host, _, port = settings.telegram_webhook_listen.rpartition(":")
    updater = Updater(bot, _Door(take))
    await updater.initialize()  # and never `shutdown`, which would close the bot as well
    start = partial(
        updater.start_webhook,
        listen=host.strip("[]"),
        port=int(port),
        url_path=urlsplit(url).path,
        webhook_url=url,
        secret_token=secret or secrets.token_urlsafe(32),
        allowed_updates=ALLOWED_UPDATES,
        drop_pending_updates=False,
    )
    try:
        await until(stop, _insist(start, "the webhook"))
        await stop.wait()
    except OSError as error:
        listen = settings.telegram_webhook_listen
        raise ConfigurationError(
            f"FRONTDESK_TELEGRAM_WEBHOOK_LISTEN is {listen}, where one cannot listen: {error.strerror}."
        ) from None
    finally:
        if updater.running:
            await updater.stop()


class _Door(asyncio.Queue[object]):
    """The queue that the library puts a posted update into before it answers the post: here, it handles it."""

    def __init__(self, take: Callable[[Update], Awaitable[None]]) -> None:
        super().__init__()
        self._take = take

    async def put(self, item: object) -> None:
        if isinstance(item, Update):
            await self._take(item)


async def _insist(call: Callable[[], Awaitable[T]], what: str) -> T:
    """Call until Telegram answers, with growing pauses and one line in the log for each outage.

    Raises ConfigurationError for what trying again cannot mend.
    """
    pause, down = FIRST_PAUSE, False
    while True:
        try:
            answer = await call()
        except InvalidToken:
            raise ConfigurationError(
                "Telegram does not know the token in FRONTDESK_TELEGRAM_TOKEN (or FRONTDESK_TELEGRAM_API_URL is not "
                "the address of a Bot API server)."
            ) from None
        except (BadRequest, Forbidden) as error:
            raise ConfigurationError(f"Telegram refuses {what}: {error.message}") from None
        except TelegramError as error:
            if not down:
                why = "another process uses this token" if isinstance(error, Conflict) else type(error).__name__
                log.warning("telegram cannot be reached; trying on", wanted=what, reason=why)
            down = True
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
        else:
            if down:
                log.info("telegram answers again", wanted=what)
            return answer


def _keep_quiet() -> None:
    """The libraries log addresses that hold the token, and updates that hold people's words; we log what matters."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
