"""Documents that somebody sends on Telegram: their bytes, and the updates whose documents are being fetched."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import httpx
import structlog
from redis.asyncio import Redis
from telegram import Bot, Update
from telegram.error import BadRequest, TelegramError

from frontdesk.bots.incoming import CHUNK, IncomingFile, LostUploadError, read_local
from frontdesk.queue import keys
from frontdesk.queue.connection import answer
from frontdesk.queue.settings import Settings

log = structlog.get_logger()

MAX_DOWNLOAD: Final = 20_000_000  # bytes that Telegram's own servers hand to a bot
USUAL_UPLOAD: Final = 50  # MB that they take from one; a server of one's own, started with --local, knows neither limit
SILENCE: Final = 15.0  # seconds for which nothing may come
KEPT: Final = 86_400  # seconds: as long as Telegram itself keeps an update


def download_limit(settings: Settings) -> int:
    """Bytes of the largest document that can be fetched."""
    if settings.telegram_api_url is None or settings.telegram_upload_mb <= USUAL_UPLOAD:
        return MAX_DOWNLOAD
    return settings.telegram_upload_mb * 1_000_000


async def fetch(bot: Bot, file: IncomingFile) -> AsyncGenerator[bytes, None]:
    """A document's bytes: from Telegram, or from the disk where a server of one's own has put it there. Raises
    LostUploadError."""
    try:
        path = (await bot.get_file(file.source)).file_path or ""
    except BadRequest as error:
        raise LostUploadError("is not handed over by Telegram; it may be too large, or gone.") from error
    except TelegramError as error:
        raise LostUploadError from error
    if path.startswith("/") and Path(path).is_file():  # noqa: ASYNC240 (one look)
        pieces = read_local(file.model_copy(update={"source": path}))
    else:
        pieces = _download(path)
    async for piece in pieces:
        yield piece


async def _download(url: str) -> AsyncGenerator[bytes, None]:
    """The address holds the bot's token: no log may have it."""
    try:
        async with httpx.AsyncClient(timeout=SILENCE) as client, client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                log.info("telegram does not hand a document over", status=response.status_code)
                raise LostUploadError
            async for chunk in response.aiter_raw(CHUNK):
                yield chunk
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise LostUploadError from error


class Unfetched:
    """Updates that were confirmed to Telegram before their documents were fetched, so that others need not wait. What
    a bot that died leaves here, the next one takes up, once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, update: Update) -> None:
        """Raises what redis-py raises."""
        await answer(self._redis.hset(keys.UNFETCHED, str(update.update_id), update.to_json()))
        await self._redis.expire(keys.UNFETCHED, KEPT)

    async def drop(self, number: int) -> None:
        await answer(self._redis.hdel(keys.UNFETCHED, str(number)))

    async def left(self, bot: Bot) -> list[Update]:
        """Those of an earlier process, oldest first; they are not kept any more."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(keys.UNFETCHED)
            pipe.delete(keys.UNFETCHED)
            found, _ = await pipe.execute()
        updates = (Update.de_json(json.loads(text), bot) for text in found.values())
        return sorted((update for update in updates if update), key=lambda update: update.update_id)
