"""Fetches an answer's files from the store, for as long as the answer is being delivered."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import structlog

from frontdesk.bots.parcels import Copy, Parcel, Room, fitted, parcels
from frontdesk.bots.replies import Reply
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import FileDamagedError, FileGoneError, StoreError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.results import Attachment

log = structlog.get_logger()

PICTURES = Room(4_000_000, 8_000_000, 9)  # that stand beside a command's words
LINK_LIFE = 86_400.0  # seconds for which a link to a file is good
PATIENCE = 60.0  # seconds for a file, beside those for its bytes
SLOWEST = 500_000.0  # bytes a second
Link: TypeAlias = Callable[[Artifact, float], str]
AWAY = (StoreError, OSError, TimeoutError)  # the second: no room on this machine


@asynccontextmanager
async def packed(
    store: ArtifactStore | None,
    attachments: Sequence[Attachment],
    room: Room,
    *,
    insist: bool,
    link: Link | None = None,
) -> AsyncIterator[tuple[Parcel, ...]]:
    """The files that fit, or smaller versions of them, as copies that are gone after the block; the others with the
    reason; and all with a link where there are links.

    link: gives an address for a file and so many seconds, where the store itself does not.
    insist: raise StoreError where the store cannot be reached, instead of going without.
    """
    wanted = fitted(parcels(attachments), room)
    with tempfile.TemporaryDirectory(prefix="frontdesk-", ignore_cleanup_errors=True) as folder:
        made: list[Parcel] = []
        for number, parcel in enumerate(wanted):
            away = any(one.without == "away" for one in made)  # then it is not waited for with every file
            own = Path(folder) / str(number)
            made.append(await _packed(None if away else store, parcel, own, insist=insist, link=link))
        yield tuple(made)


@asynccontextmanager
async def pictured(store: ArtifactStore | None, reply: Reply) -> AsyncIterator[Reply]:
    """A reply of a command of our own with those of its attachments that can be had, for as long as the block lasts:
    pictures beside the words, of which nobody misses one that is gone or too large."""
    async with packed(store, reply.attachments, PICTURES, insist=False) as fetched:
        there = tuple(_itself(parcel) for parcel in fetched if parcel.path is not None)
        yield replace(reply, attachments=(), parcels=(*reply.parcels, *there))


def _itself(parcel: Parcel) -> Parcel:
    """A smaller version as if it were the file."""
    version = parcel.artifact
    whole = Artifact(name=version.name, sha256=version.sha256, size=version.size, media_type=version.media_type)
    return Parcel(Attachment(whole, parcel.attachment.role), parcel.name, parcel.path)


async def _packed(
    store: ArtifactStore | None, parcel: Parcel, folder: Path, *, insist: bool, link: Link | None
) -> Parcel:
    whole = parcel.attachment.artifact
    if store is None:
        return parcel if parcel.without else parcel.left("away")
    try:
        async with asyncio.timeout(PATIENCE + parcel.size / SLOWEST):
            # Also for those that fit: the platform may think otherwise.
            address = await asyncio.to_thread(store.signed, whole, LINK_LIFE)
            parcel = replace(parcel, link=address or (link(whole, LINK_LIFE) if link else None))
            if parcel.without is not None:
                return parcel
            parcel = replace(parcel, path=await asyncio.to_thread(store.fetch, parcel.artifact, folder))
            return replace(parcel, smaller=await _spare(store, parcel.smaller[-1:], folder))
    except FileGoneError:
        return replace(parcel.left("gone"), link=None)
    except FileDamagedError:
        return replace(parcel.left("damaged"), link=None)
    except AWAY as error:
        if insist:
            raise StoreError("A file cannot be fetched.") from error
        log.warning("an answer goes out without a file", reason=type(error).__name__)
        return parcel if parcel.without else parcel.left("away")


async def _spare(store: ArtifactStore, smallest: tuple[Copy, ...], folder: Path) -> tuple[Copy, ...]:
    """The smallest version, for a platform that takes less than it said. Not worth waiting for."""
    try:
        return tuple([replace(c, path=await asyncio.to_thread(store.fetch, c.version, folder)) for c in smallest])
    except (FileGoneError, FileDamagedError, StoreError, OSError):
        return ()
