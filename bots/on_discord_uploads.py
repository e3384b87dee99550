"""Files attached on Discord: what an interaction says of them, and their bytes from Discord's own server."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import aiohttp
import discord

from frontdesk.bots.incoming import IncomingFile, LostUploadError

CHUNK = 256 * 1024
SILENCE = 15.0  # seconds for which nothing may come


def described(attachment: discord.Attachment) -> IncomingFile:
    """As the interaction tells it; nothing is fetched. The address is signed, and ends after a day."""
    name, size, media_type = attachment.filename, attachment.size, attachment.content_type
    return IncomingFile.of(attachment.url, name, size=size, media_type=media_type)


async def fetch(file: IncomingFile) -> AsyncGenerator[bytes, None]:
    """Raises LostUploadError. A redirection is not followed: nothing that Discord names lies elsewhere."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False, trust_env=True) as session,
            session.get(file.source, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise LostUploadError
            async for chunk in response.content.iter_chunked(CHUNK):
                yield chunk
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        raise LostUploadError from error
